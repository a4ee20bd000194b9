-- Cash that was brought to a till during a shift (`yen` above 0), or taken out of it (below 0): appended only. `id` is of
-- the page it was confirmed on, so that nothing pressed twice counts twice. Moments are microseconds since 1970 UTC.
CREATE TABLE cash_moved (
    shift TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    yen BIGINT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (shift, id)
) /* clustered */;

-- What programmes owe for points, day by day, is summed from these rows alone.
CREATE INDEX total_of_programmes ON total (account, day, debit)
    WHERE account >= 'programme-receivable:' AND account < 'programme-receivable;';
