-- How a case was closed, in PostgreSQL's words like schema.sql; appended only. A case is its referred event, found by
-- the card in its number: `of` and `account` are that event's, `seq` is the event of the command that closed it.
CREATE TABLE resolution (
    "of" BIGINT NOT NULL,
    account BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    decision TEXT NOT NULL,
    PRIMARY KEY ("of", account)
) /* clustered */;
-- The few events that are cases: the newest, and those about a card.
CREATE INDEX event_referred ON event (seq) WHERE outcome = 'referred' AND number IS NOT NULL;
CREATE INDEX event_referred_card ON event (number) WHERE outcome = 'referred';
