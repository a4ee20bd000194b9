-- An export's files as the tables that a survey reads from a store, in DuckDB's words. DIR is the export's folder; the
-- months that a campaign counts in are variables, so that files of others are not read.
CREATE VIEW event AS
SELECT seq, account, epoch_us("at") AS "at", "do", channel, tender, amount, outcome
FROM read_parquet('DIR/events/**/*.parquet')
WHERE month_no BETWEEN getvariable('first_month') AND getvariable('last_month');
CREATE VIEW reversal AS
SELECT "of", account, seq, epoch_us("at") AS "at" FROM read_parquet('DIR/reversals/*.parquet');
CREATE VIEW account AS
SELECT account, state, "expires" - DATE '1970-01-01' AS "expires", epoch_us(last_at) AS last_at, last_seq
FROM read_parquet('DIR/cards/*.parquet') WHERE successor IS NULL;
-- an account is applied with by one person, who stays in the store
CREATE VIEW application AS
SELECT account, seq, measure, campaign, account AS person, epoch_us("at") AS "at", counted_before, earns
FROM read_parquet('DIR/applications/*.parquet');
CREATE VIEW notice AS
SELECT account, account AS person, seq, what, epoch_us("at") AS "at" FROM read_parquet('DIR/notices/*.parquet');
CREATE VIEW granted AS
SELECT account, campaign, measure, period, seq, points, epoch_us("at") AS "at" FROM read_parquet('DIR/grants/*.parquet');
CREATE VIEW measure AS
SELECT version, campaign, measure, epoch_us(first_at) AS first_at, epoch_us(past_at) AS past_at, target, reward,
    percent, cap, monthly, filed, epoch_us(filed_past) AS filed_past, done, epoch_us(done_past) AS done_past, grant_day
FROM read_parquet('DIR/measures/*.parquet');
CREATE VIEW counted AS SELECT version, measure, "do", channel, tender FROM read_parquet('DIR/counted/*.parquet');
CREATE VIEW calendar AS
SELECT "day" - DATE '1970-01-01' AS "day", CAST(month_no AS BIGINT) AS "month", first_day - DATE '1970-01-01' AS first_day
FROM read_parquet('DIR/calendar/*.parquet');
