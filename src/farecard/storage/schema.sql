-- The one schema, in PostgreSQL's words; what an engine says otherwise stands in the DIALECT of
-- storage/sqlite.py and storage/postgres.py. Moments are microseconds since 1970 UTC, days are days since 1970
-- in Tokyo, money is whole yen. `event`, `command`, `transfer`, `total`, `subtotal`, `batch`, `reversal`
-- are only ever appended to.

-- One row for every commit: who wrote what under which inputs, and a hash over the writer's
-- previous row, so that a log cannot be rewritten quietly.
CREATE TABLE batch (
    id BIGINT PRIMARY KEY,
    writer TEXT NOT NULL,
    number BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    events BIGINT NOT NULL,
    tariff BIGINT NOT NULL,
    network BIGINT NOT NULL,
    campaign BIGINT NOT NULL,
    code TEXT NOT NULL,
    prev BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    UNIQUE (writer, number)
);

-- The journal: every remembered command with its decision and, when accepted, what it changed.
-- `prev` is the account's previous accepted event: a card's history is read along it. `account` -1:
-- the command reached no card.
CREATE TABLE event (
    seq BIGINT NOT NULL,
    account BIGINT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    "do" TEXT NOT NULL,
    channel TEXT NOT NULL,
    place TEXT,
    "by" TEXT,
    company TEXT,
    outcome TEXT NOT NULL,
    result TEXT NOT NULL,
    digest BYTEA NOT NULL,
    number BIGINT,
    prev BIGINT,
    amount BIGINT NOT NULL,
    balance BIGINT,
    deposit BIGINT NOT NULL,
    points BIGINT NOT NULL,
    debit TEXT,
    credit TEXT,
    yen BIGINT NOT NULL,
    station TEXT,
    merchant TEXT,
    tender TEXT,
    "of" BIGINT,
    why TEXT,
    sets TEXT,
    reasons TEXT,
    warnings TEXT,
    PRIMARY KEY (seq, account)
);
-- What became of a card besides everyday use, which is most of what happens: found without going through all of it.
CREATE INDEX event_of_account ON event (account, seq) WHERE "do" NOT IN ('tap_in', 'tap_out', 'purchase');

-- A sender's id is its own for ever; this finds it again.
CREATE TABLE command (
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    account BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (sender, id)
) /* clustered */;

-- An event's second transfer and those after; the first stands in the event's own row.
CREATE TABLE transfer (
    seq BIGINT NOT NULL,
    account BIGINT NOT NULL,
    n BIGINT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    yen BIGINT NOT NULL CHECK (yen > 0),
    PRIMARY KEY (seq, account, n)
) /* clustered */;

-- What a batch added to each ledger account on each day: no hot row is ever updated.
CREATE TABLE total (
    batch BIGINT NOT NULL,
    day BIGINT NOT NULL,
    account TEXT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    PRIMARY KEY (batch, day, account)
) /* clustered */;

-- A card's state as its events left it. `details` is what few cards have (a pass, a slip, quick charges
-- to be limited), as JSON: most rows are short, and every card that is touched is read and rewritten.
CREATE TABLE account (
    account BIGINT PRIMARY KEY,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    balance BIGINT NOT NULL CHECK (balance >= 0),
    deposit BIGINT NOT NULL CHECK (deposit >= 0),
    points BIGINT NOT NULL CHECK (points >= 0),
    expires BIGINT,
    last_at BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    ride_station TEXT,
    ride_at BIGINT,
    details TEXT
) /* rewritten in place */;

-- Every number ever given out, and the account it leads to. `head` is the last event under it
-- once it is replaced.
CREATE TABLE number (
    number BIGINT PRIMARY KEY,
    account BIGINT NOT NULL,
    since_seq BIGINT NOT NULL,
    since_at BIGINT NOT NULL,
    ended TEXT,
    ended_at BIGINT,
    head BIGINT,
    successor BIGINT
);

CREATE TABLE reversal (
    "of" BIGINT NOT NULL,
    account BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY ("of", account)
) /* clustered */;

-- Personal data: sealed under a key of the subject's own, which is itself sealed under the key
-- file. `name_key` and `phone_key` are keyed digests, so that the same person can be told without
-- being named.
CREATE TABLE holder (
    account BIGINT PRIMARY KEY,
    name_key BYTEA,
    phone_key BYTEA,
    subject_key BYTEA,
    sealed BYTEA
);
CREATE INDEX holder_name ON holder (name_key);

-- How many cards were sold under one name and birthday: the row that two sales to one person meet in.
CREATE TABLE namesake (
    name_key BYTEA PRIMARY KEY,
    cards BIGINT NOT NULL
) /* clustered */;

CREATE TABLE payee (
    account BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    sealed BYTEA,
    PRIMARY KEY (account, seq)
) /* clustered */;

-- Dated inputs: loading adds a version, never edits one.
CREATE TABLE tariff (
    version BIGINT PRIMARY KEY,
    since BIGINT NOT NULL,
    loaded_at BIGINT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE network (
    version BIGINT PRIMARY KEY,
    since BIGINT NOT NULL,
    loaded_at BIGINT NOT NULL,
    name TEXT NOT NULL
);
CREATE TABLE station (
    version BIGINT NOT NULL,
    line TEXT NOT NULL,
    place BIGINT NOT NULL,
    station TEXT NOT NULL,
    company TEXT NOT NULL,
    PRIMARY KEY (version, line, place)
) /* clustered */;
CREATE TABLE fare (
    version BIGINT NOT NULL,
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    adult BIGINT NOT NULL CHECK (adult >= 0),
    child BIGINT NOT NULL CHECK (child >= 0),
    PRIMARY KEY (version, one, other)
) /* clustered */;

CREATE TABLE about (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
