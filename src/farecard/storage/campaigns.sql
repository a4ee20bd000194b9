-- What points and campaigns need beside the journal, in PostgreSQL's words like schema.sql. `application`, `notice`
-- and `granted` are only ever appended to: what a set-based run scans, in typed columns.

-- One measure of a campaign applied for with a card. `counted_before` are yen that counted before it; `earns`
-- is 0 where the application was taken and nothing will ever be granted for it.
CREATE TABLE application (
    account BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    measure BIGINT NOT NULL,
    campaign TEXT NOT NULL,
    person TEXT NOT NULL,
    at BIGINT NOT NULL,
    counted_before BIGINT NOT NULL,
    earns BIGINT NOT NULL,
    PRIMARY KEY (account, seq, measure)
) /* clustered */;

-- A procedure reported of a person: under account -1, and again under the account the person applied with.
CREATE TABLE notice (
    account BIGINT NOT NULL,
    person TEXT NOT NULL,
    seq BIGINT NOT NULL,
    what TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, person, seq)
) /* clustered */;

-- A grant. Its key is what makes a second one impossible; `period` is 0, or the month a monthly grant is for;
-- `sender` and `id` are the run's.
CREATE TABLE granted (
    account BIGINT NOT NULL,
    campaign TEXT NOT NULL,
    measure BIGINT NOT NULL,
    period BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    points BIGINT NOT NULL,
    at BIGINT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (account, campaign, measure, period)
) /* clustered */;

-- A person by a keyed digest of the opaque id, the id itself sealed: which account was applied with, and for
-- which measures (a bit each). The row that two applications of one person meet in.
CREATE TABLE person (
    person TEXT PRIMARY KEY,
    account BIGINT NOT NULL,
    measures BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    subject_key BYTEA,
    sealed BYTEA
);

-- A card's membership, sealed under a key of its own.
CREATE TABLE member (
    account BIGINT PRIMARY KEY,
    member_key BYTEA,
    subject_key BYTEA,
    sealed BYTEA
);

-- A draw's list when it was frozen (`what` commit) and what came of it (`what` draw): one row each, and no second.
CREATE TABLE draw (
    draw BIGINT NOT NULL,
    what TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    root BYTEA NOT NULL,
    entrants BIGINT NOT NULL,
    winners BIGINT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (draw, what)
) /* clustered */;

-- Who is on the list of a draw, at which place and under which leaf. The nonce behind it is derived, not kept.
CREATE TABLE entrant (
    account BIGINT NOT NULL,
    draw BIGINT NOT NULL,
    place BIGINT NOT NULL,
    number BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    PRIMARY KEY (account, draw)
) /* clustered */;

-- Dated inputs, like a tariff; and the same in columns, for SQL to join.
CREATE TABLE campaign (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    loaded_at BIGINT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE measure (
    version BIGINT NOT NULL,
    campaign TEXT NOT NULL,
    measure BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    past_at BIGINT NOT NULL,
    target BIGINT,
    reward BIGINT NOT NULL,
    percent BIGINT,
    cap BIGINT,
    monthly BIGINT NOT NULL,
    filed TEXT,
    filed_past BIGINT,
    done TEXT,
    done_past BIGINT,
    grant_day BIGINT NOT NULL,
    PRIMARY KEY (version, measure)
) /* clustered */;
CREATE TABLE counted (
    version BIGINT NOT NULL,
    measure BIGINT NOT NULL,
    "do" TEXT NOT NULL,
    channel TEXT NOT NULL,
    tender TEXT NOT NULL,
    PRIMARY KEY (version, measure, "do", channel, tender)
) /* clustered */;

-- The month of each day (year * 12 + month - 1) and the first day of that month: SQL has no one way to ask.
CREATE TABLE calendar (
    day BIGINT PRIMARY KEY,
    month BIGINT NOT NULL,
    first_day BIGINT NOT NULL
) /* clustered */;
