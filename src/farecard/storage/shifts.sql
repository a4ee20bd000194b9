-- A clerk's shift at a till, opened once and closed once. `brought` is the float, `booked` what the books had in the
-- till's cash account then; closing says what was `expected`, what was `counted`, its notes and coins as JSON, and why
-- the two differ. Yen; moments are microseconds since 1970 UTC.
CREATE TABLE shift (
    shift TEXT PRIMARY KEY,
    till TEXT NOT NULL,
    clerk TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    brought BIGINT NOT NULL,
    booked BIGINT NOT NULL,
    closed_at BIGINT,
    expected BIGINT,
    counted BIGINT,
    pieces TEXT,
    why TEXT
);
CREATE INDEX shift_of_clerk ON shift (clerk, opened_at);
CREATE INDEX shift_open ON shift (till) WHERE closed_at IS NULL;
-- What the books have in a counter's till is summed from these rows alone.
CREATE INDEX total_of_tills ON total (account, debit, credit) WHERE account >= 'cash:counter:' AND account < 'cash:counter;';
