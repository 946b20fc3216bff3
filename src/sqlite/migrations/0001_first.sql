-- Ids and accounts are text and JSON is plain, so that any SQLite tool shows what is in here.
-- Times are microseconds since 1970-01-01T00:00:00Z, amounts are whole minor units of their currency.

-- One row per subject as its last commit left it, for queries.
CREATE TABLE escrowed_subjects (
    id        TEXT    NOT NULL PRIMARY KEY,
    lifecycle TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    parties   TEXT    NOT NULL,
    about     TEXT,
    deadline  INTEGER,
    held      INTEGER NOT NULL,
    currency  TEXT    NOT NULL,
    revision  INTEGER NOT NULL,
    seq       INTEGER NOT NULL CHECK (seq > 0),
    -- Who sees to a deadline that has passed, and until when. The subject's next commit takes it away.
    worker      TEXT,
    lease_until INTEGER,
    CHECK ((worker IS NULL) = (lease_until IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX escrowed_subjects_status ON escrowed_subjects (lifecycle, status, id);
CREATE INDEX escrowed_subjects_about ON escrowed_subjects (about, id) WHERE about IS NOT NULL;
CREATE INDEX escrowed_subjects_deadline ON escrowed_subjects (deadline, id) WHERE deadline IS NOT NULL;

-- The parties of each subject again, to be found by.
CREATE TABLE escrowed_parties (
    party   TEXT NOT NULL,
    subject TEXT NOT NULL REFERENCES escrowed_subjects (id),
    PRIMARY KEY (party, subject)
) STRICT, WITHOUT ROWID;

-- The log. What is written here is never changed. It and the books have no foreign keys: a commit is written whole, what
-- others take away is found by `verify`, and checking each row again would cost a twentieth of a commit.
CREATE TABLE escrowed_events (
    subject TEXT    NOT NULL,
    seq     INTEGER NOT NULL CHECK (seq > 0),
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    PRIMARY KEY (subject, seq)
) STRICT, WITHOUT ROWID;

-- What each account holds: never less than nothing, unless it is the world outside.
CREATE TABLE escrowed_balances (
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    minor    INTEGER NOT NULL,
    PRIMARY KEY (account, currency),
    -- Beginnings are told by comparing, for ';' follows ':'. A function such as GLOB costs as much as all other checks.
    CHECK (minor >= 0 OR (account >= 'world:' AND account < 'world;') OR (account >= 'debt:' AND account < 'debt;')),
    -- What a party owes is below zero; nobody pays off more.
    CHECK (minor <= 0 OR account < 'debt:' OR account >= 'debt;')
) STRICT, WITHOUT ROWID;

-- The books. What is written here is never changed.
CREATE TABLE escrowed_entries (
    number       INTEGER PRIMARY KEY,
    subject      TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    from_account TEXT    NOT NULL,
    to_account   TEXT    NOT NULL,
    minor        INTEGER NOT NULL CHECK (minor > 0),
    currency     TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    CHECK (from_account <> to_account)
) STRICT;

CREATE INDEX escrowed_entries_from ON escrowed_entries (from_account, number);
CREATE INDEX escrowed_entries_to ON escrowed_entries (to_account, number);

-- The outbox.
CREATE TABLE escrowed_calls (
    number      INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    -- Whose calls are kept in order: those of one order.
    lane        TEXT    NOT NULL,
    gateway     TEXT    NOT NULL,
    instruction TEXT    NOT NULL,
    -- For a longer list than two, IN would fill a table of its own for each row that is written.
    status      TEXT    NOT NULL CHECK (
        status = 'queued' OR status = 'pending' OR status = 'held' OR status = 'settled' OR status = 'withdrawn'
        OR status = 'parked'
    ),
    attempts    INTEGER NOT NULL CHECK (attempts >= 0),
    due         INTEGER NOT NULL,
    worker      TEXT,
    lease_until INTEGER,
    outcome     TEXT,
    problem     TEXT,
    -- How often it was taken, and the number of the lease under which it may first have been sent: 0 once the gateway has said
    -- that it has it, NULL while no gateway can have it.
    leases      INTEGER NOT NULL DEFAULT 0 CHECK (leases >= 0),
    sent        INTEGER CHECK (sent >= 0 AND sent <= leases),
    CHECK ((worker IS NULL) = (lease_until IS NULL))
) STRICT;

CREATE INDEX escrowed_calls_due ON escrowed_calls (gateway, due, number)
    WHERE (status = 'queued' OR status = 'pending' OR status = 'held');
CREATE INDEX escrowed_calls_queued ON escrowed_calls (lane, number) WHERE status = 'queued';
CREATE INDEX escrowed_calls_status ON escrowed_calls (status, key);

-- What the host asked for under keys of its own, so that nothing is done twice.
CREATE TABLE escrowed_requests (
    key     TEXT    NOT NULL PRIMARY KEY,
    digest  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    FOREIGN KEY (subject, seq) REFERENCES escrowed_events (subject, seq)
) STRICT, WITHOUT ROWID;
