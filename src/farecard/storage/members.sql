-- Card holders who enrolled, and which cards are theirs. Moments are microseconds since 1970 UTC.

-- A member. `member` says nothing about anybody; the sign-in name is a keyed digest, to be found by, and sealed
-- under a key of the member's own. `password` is argon2's own text. What was erased is NULL.
CREATE TABLE enrolled (
    member TEXT PRIMARY KEY,
    login_key BYTEA,
    password TEXT,
    subject_key BYTEA,
    sealed BYTEA,
    since BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    ended BIGINT
);
CREATE INDEX enrolled_login ON enrolled (login_key);

-- What a member who forgot the password may say once instead: a keyed digest of it.
CREATE TABLE recovery (
    member TEXT NOT NULL,
    code BYTEA NOT NULL,
    used BIGINT,
    PRIMARY KEY (member, code)
) /* clustered */;

-- Whose a card is: one member at a time. `how` is the proof, `kind` what the card was then.
CREATE TABLE owned (
    account BIGINT PRIMARY KEY,
    member TEXT NOT NULL,
    since BIGINT NOT NULL,
    how TEXT NOT NULL,
    kind TEXT NOT NULL
);
CREATE INDEX owned_by ON owned (member);

-- A code that a place gave out for a card it had in its hand; a newer one takes its place. `member`: whose account it
-- recovers.
CREATE TABLE desk_code (
    account BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    code BYTEA NOT NULL,
    channel TEXT NOT NULL,
    until BIGINT NOT NULL,
    member TEXT,
    PRIMARY KEY (account, purpose)
) /* clustered */;

-- How often a member failed to prove cards his, how often that was tried of a card, and how often papers did not fit a
-- card; `since`: the last time.
CREATE TABLE guess (
    about TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    since BIGINT NOT NULL
) /* clustered */;
