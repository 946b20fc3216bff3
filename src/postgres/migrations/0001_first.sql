-- Ids and accounts are text and JSON is plain, so that any PostgreSQL tool shows what is in here.
-- Times are microseconds since 1970-01-01T00:00:00Z, amounts are whole minor units of their currency.
-- Text is compared byte by byte (COLLATE "C"): every store lists in the same order, whatever the database's language.
-- There are no foreign keys: one statement writes a commit whole, and checking each row again would cost a fifth of it.

-- What a column may be. PostgreSQL reads the text of a CHECK again for each statement that writes to its table, which takes
-- longer than to look; of a domain it remembers what it has read. So there are no CHECKs, and what a row may be is told by the
-- domains of its columns.
CREATE DOMAIN escrowed_number AS bigint CHECK (VALUE > 0);
CREATE DOMAIN escrowed_count AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN escrowed_call_status AS text COLLATE "C"
    CHECK (VALUE IN ('queued', 'pending', 'held', 'settled', 'withdrawn', 'parked'));
CREATE DOMAIN escrowed_stripe AS smallint CHECK (VALUE BETWEEN 0 AND 63);

-- What is on an account, by the side of zero on which it may be. 64 stripes that each fit into 58 bits fit into 64 together.
CREATE DOMAIN escrowed_holds AS bigint
    CONSTRAINT escrowed_minor_fits CHECK (VALUE <= 144115188075855871)
    CONSTRAINT escrowed_not_below_zero CHECK (VALUE >= 0);
CREATE DOMAIN escrowed_owes AS bigint
    CONSTRAINT escrowed_minor_fits CHECK (VALUE >= -144115188075855872)
    CONSTRAINT escrowed_not_above_zero CHECK (VALUE <= 0);
CREATE DOMAIN escrowed_outside AS bigint
    CONSTRAINT escrowed_minor_fits CHECK (VALUE BETWEEN -144115188075855872 AND 144115188075855871);

-- What a statement says of itself when it wrote all that it should. One that did not fails, and is taken back.
CREATE DOMAIN escrowed_whole AS boolean CONSTRAINT escrowed_not_all CHECK (VALUE);

-- One row per subject as its last commit left it, for queries.
CREATE TABLE escrowed_subjects (
    id          text   COLLATE "C" NOT NULL PRIMARY KEY,
    lifecycle   text   COLLATE "C" NOT NULL,
    status      text   COLLATE "C" NOT NULL,
    parties     text   NOT NULL,
    about       text   COLLATE "C",
    deadline    bigint,
    held        bigint NOT NULL,
    currency    text   NOT NULL,
    revision    bigint NOT NULL,
    seq         escrowed_number NOT NULL,
    -- Who sees to a deadline that has passed, and until when. The subject's next commit takes it away.
    worker      text,
    lease_until bigint
);

CREATE INDEX escrowed_subjects_status ON escrowed_subjects (lifecycle, status, id);
CREATE INDEX escrowed_subjects_about ON escrowed_subjects (about, id) WHERE about IS NOT NULL;
CREATE INDEX escrowed_subjects_deadline ON escrowed_subjects (deadline, id) WHERE deadline IS NOT NULL;

-- The parties of each subject again, to be found by.
CREATE TABLE escrowed_parties (
    party   text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    PRIMARY KEY (party, subject)
);

-- The log. What is written here is never changed.
CREATE TABLE escrowed_events (
    subject text   COLLATE "C" NOT NULL,
    seq     escrowed_number NOT NULL,
    name    text   NOT NULL,
    version bigint NOT NULL,
    actor   text   NOT NULL,
    at      bigint NOT NULL,
    body    text   NOT NULL,
    PRIMARY KEY (subject, seq)
);

-- What is on each account. One that many share has several rows, its stripes, and has what they have together. Wallets and
-- escrow accounts hold money, debts are owed, and the world outside may be on either side of zero: each has a column of its own, and
-- the others stay at zero. No stripe holds less than nothing, so no account does either.
CREATE TABLE escrowed_stripes (
    account  text     COLLATE "C" NOT NULL,
    currency text     COLLATE "C" NOT NULL,
    stripe   escrowed_stripe  NOT NULL,
    holds    escrowed_holds   NOT NULL DEFAULT 0,
    owes     escrowed_owes    NOT NULL DEFAULT 0,
    outside  escrowed_outside NOT NULL DEFAULT 0,
    PRIMARY KEY (account, currency, stripe)
) WITH (fillfactor = 50);

-- Each account's balance, to be read. Unless all of it is where those look who take from the account, it is not in place.
CREATE VIEW escrowed_balances AS
SELECT account, currency, sum(holds + owes + outside)::bigint AS minor, bool_and(
    CASE
        WHEN account LIKE 'world:%' THEN holds = 0 AND owes = 0
        WHEN account LIKE 'wallet:%' THEN owes = 0 AND outside = 0
        WHEN account LIKE 'debt:%' THEN stripe = 0 AND holds = 0 AND outside = 0
        ELSE stripe = 0 AND owes = 0 AND outside = 0
    END
) AS in_place
FROM escrowed_stripes GROUP BY account, currency;

-- The books. What is written here is never changed.
CREATE TABLE escrowed_entries (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      text   COLLATE "C" NOT NULL,
    seq          bigint NOT NULL,
    from_account text   COLLATE "C" NOT NULL,
    to_account   text   COLLATE "C" NOT NULL,
    minor        escrowed_number NOT NULL,
    currency     text   NOT NULL,
    purpose      text   NOT NULL,
    at           bigint NOT NULL
);

CREATE INDEX escrowed_entries_from ON escrowed_entries (from_account, number);
CREATE INDEX escrowed_entries_to ON escrowed_entries (to_account, number);

-- The outbox.
CREATE TABLE escrowed_calls (
    key         text   COLLATE "C" NOT NULL PRIMARY KEY,
    number      bigint GENERATED ALWAYS AS IDENTITY,
    -- Whose calls are kept in order: those of one order.
    lane        text   COLLATE "C" NOT NULL,
    gateway     text   COLLATE "C" NOT NULL,
    instruction text   NOT NULL,
    status      escrowed_call_status NOT NULL,
    attempts    escrowed_count NOT NULL,
    due         bigint NOT NULL,
    worker      text,
    lease_until bigint,
    outcome     text,
    problem     text,
    -- How often it was taken, and the number of the lease under which it may first have been sent: 0 once the gateway has said
    -- that it has it, NULL while no gateway can have it.
    leases      escrowed_count NOT NULL DEFAULT 0,
    sent        escrowed_count
);

CREATE INDEX escrowed_calls_due ON escrowed_calls (gateway, due, number) WHERE status IN ('queued', 'pending', 'held');
CREATE INDEX escrowed_calls_queued ON escrowed_calls (lane, number) WHERE status = 'queued';
CREATE INDEX escrowed_calls_status ON escrowed_calls (status, key);

-- What the host asked for under keys of its own, so that nothing is done twice.
CREATE TABLE escrowed_requests (
    key     text   COLLATE "C" NOT NULL PRIMARY KEY,
    digest  text   NOT NULL,
    subject text   COLLATE "C" NOT NULL,
    seq     bigint NOT NULL
);
