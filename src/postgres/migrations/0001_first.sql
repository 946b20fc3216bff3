-- Ids and accounts are text and JSON is plain, so that any PostgreSQL tool shows what is in here.
-- Times are microseconds since 1970-01-01T00:00:00Z, amounts are whole minor units of their currency.
-- Text is compared byte by byte (COLLATE "C"): every store lists in the same order, whatever the database's language.
-- There are no foreign keys: one statement writes a commit whole, and checking each row again would cost a fifth of it.

-- What a column or a row may be. PostgreSQL reads the text of a CHECK again for each statement that writes to its table, which
-- takes longer than to look; of a domain and of a function it remembers what it has read.
CREATE DOMAIN escrowed_number AS bigint CHECK (VALUE > 0);
CREATE DOMAIN escrowed_count AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN escrowed_call_status AS text COLLATE "C"
    CHECK (VALUE IN ('queued', 'pending', 'held', 'settled', 'withdrawn', 'parked'));
-- 64 stripes that each fit into 58 bits fit into 64 together.
CREATE DOMAIN escrowed_minor AS bigint
    CONSTRAINT escrowed_minor_fits CHECK (VALUE BETWEEN -144115188075855872 AND 144115188075855871);

-- What a statement says of itself when it wrote all that it should. One that did not fails, and is taken back.
CREATE DOMAIN escrowed_whole AS boolean CONSTRAINT escrowed_not_all CHECK (VALUE);

-- Whether a stripe of an account may hold this. An account that many share has up to 64 stripes; whoever takes from another one
-- looks at one row. What a party owes is below zero, and nobody pays off more.
CREATE FUNCTION escrowed_may_hold(account text, stripe smallint, minor bigint) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE
        WHEN account LIKE 'world:%' THEN stripe BETWEEN 0 AND 63
        WHEN account LIKE 'wallet:%' THEN stripe BETWEEN 0 AND 63 AND minor >= 0
        WHEN account LIKE 'debt:%' THEN stripe = 0 AND minor <= 0
        ELSE stripe = 0 AND minor >= 0
    END;
END $$;

-- Never taken back, not even by a rollback: a revision out of a transaction that was rolled back is stale for ever.
-- Each connection takes some at a time, so that they do not wait for one another.
CREATE SEQUENCE escrowed_revisions AS bigint CACHE 64;

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
    revision    bigint NOT NULL DEFAULT nextval('escrowed_revisions'),
    seq         escrowed_number NOT NULL,
    -- Who sees to a deadline that has passed, and until when. The subject's next commit takes it away.
    worker      text,
    lease_until bigint,
    CHECK ((worker IS NULL) = (lease_until IS NULL))
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

-- What each account holds. An account that many share has several rows, its stripes, and holds what they hold together.
-- No stripe of a guarded account goes below zero, so the account cannot either.
CREATE TABLE escrowed_balances (
    account  text     COLLATE "C" NOT NULL,
    currency text     COLLATE "C" NOT NULL,
    stripe   smallint NOT NULL,
    minor    escrowed_minor NOT NULL,
    PRIMARY KEY (account, currency, stripe),
    CHECK (escrowed_may_hold(account, stripe, minor))
) WITH (fillfactor = 50);

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
    at           bigint NOT NULL,
    CHECK (from_account <> to_account)
);

CREATE INDEX escrowed_entries_from ON escrowed_entries (from_account, number);
CREATE INDEX escrowed_entries_to ON escrowed_entries (to_account, number);

-- The outbox.
CREATE TABLE escrowed_calls (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text   COLLATE "C" NOT NULL UNIQUE,
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
    sent        escrowed_count,
    CHECK (sent <= leases),
    CHECK ((worker IS NULL) = (lease_until IS NULL))
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
