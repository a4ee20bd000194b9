-- Who may do what: the only rows beside the journal that change. Moments are microseconds since 1970 UTC.

-- A key that speaks over HTTP. `name` is the sender of its commands; `bound` is what it may do, as JSON; of the
-- secret only the SHA-256 is kept. One name has one key at a time; those revoked stay.
CREATE TABLE api_key (
    name TEXT NOT NULL,
    since BIGINT NOT NULL,
    secret BYTEA NOT NULL,
    bound TEXT NOT NULL,
    revoked BIGINT,
    PRIMARY KEY (name, since)
) /* clustered */;

-- People who work here. `password` is argon2's own text.
CREATE TABLE staff (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    since BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    ended BIGINT
);

-- Somebody who has signed in. Of the token only the SHA-256 is kept.
CREATE TABLE login (
    token BYTEA PRIMARY KEY,
    realm TEXT NOT NULL,
    who TEXT NOT NULL,
    since BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX login_of ON login (realm, who);

-- What one person proposed and another must approve: the command as it will be sent, and what it would do.
CREATE TABLE proposal (
    proposal TEXT PRIMARY KEY,
    about TEXT NOT NULL,
    line TEXT NOT NULL,
    preview TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    why TEXT,
    answer TEXT
);

-- Who did what to keys, people and proposals: appended only.
CREATE TABLE trail (
    n BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    did TEXT NOT NULL,
    about TEXT NOT NULL,
    said TEXT NOT NULL
);
