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
