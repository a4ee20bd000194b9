-- What a store of schema 3 lacks: when a reversal was, and the way to a card's events besides everyday use.
ALTER TABLE reversal ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
UPDATE reversal
SET at = (SELECT e.at FROM event e WHERE e.seq = reversal.seq AND e.account = reversal.account);
CREATE INDEX event_of_account ON event (account, seq) WHERE "do" NOT IN ('tap_in', 'tap_out', 'purchase');
