-- A clerk's shift at a till, opened once and closed once. `brought` is the float, `booked` what the books had in the
-- till's cash account then, `between_shifts` what was booked there since the shift before it ended; closing says what was `expected`, what was `counted`, its notes and coins as JSON, and why
-- the two differ. Yen; moments are microseconds since 1970 UTC.
CREATE TABLE shift (
    shift TEXT PRIMARY KEY,
    till TEXT NOT NULL,
    clerk TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    brought BIGINT NOT NULL,
    booked BIGINT NOT NULL,
    between_shifts BIGINT NOT NULL,
    closed_at BIGINT,
    expected BIGINT,
    counted BIGINT,
    pieces TEXT,
    why TEXT
);
CREATE INDEX shift_of_clerk ON shift (clerk, opened_at);
CREATE INDEX shift_at ON shift (till, opened_at);
-- What the books have in a counter's till is summed from these rows alone.
CREATE INDEX total_of_tills ON total (account, debit, credit) WHERE account >= 'cash:counter:' AND account < 'cash:counter;';

-- What the back office looks at, in PostgreSQL's words like schema.sql. Moments are microseconds since 1970 UTC.

-- The batches that touch a day: those whose last event is not before it, and whose first is not after it. How long the
-- longest batch is says how far after the day the last event of such a one can be.
CREATE INDEX batch_last ON batch (last_at, first_at);
CREATE INDEX batch_span ON batch ((last_at - first_at));

-- Long work that goes on while nobody waits for it: how far it is, and what came of it. `about` is what it looks at,
-- `seen_at` when it was last heard of, `result` its answer as JSON; NULL while it is under way.
CREATE TABLE task (
    task TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    who TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    ended_at BIGINT,
    result TEXT
);
CREATE INDEX task_about ON task (kind, about, begun_at);
