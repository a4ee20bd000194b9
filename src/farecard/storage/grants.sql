-- What a run for a month has to grant, and why all others get nothing: `judged` gives a row for each measure applied for
-- (of a monthly measure one for each month), `owed` those of points to be granted now, `judged_by_reason` how many there
-- are of each kind; a statement stands in another's parentheses by its name. The same text runs on SQLite, PostgreSQL
-- and DuckDB; farecard.rules.measures says the same of one applicant.
--
-- :campaign and :version name the campaign, commands with `at` up to :until are seen, grants up to :granted_until (a run
-- sees them all: nothing is granted twice). :month is the run's and :begins its first moment, :this_month the one that
-- :until is in. Accounts from :low to before :high are looked at. `code` is null where points are to be granted now; `period` is the month of a monthly measure, or 0.
--
-- `share` is what the yen would come to at the end (MYN-4), were nothing to be added to them; 0 where the card would have expired.
--
-- Yen only ever add up, so which month a target was reached in need not be known: three sums answer whether it was,
-- whether before the run's month, and whether in time for the card. CROSS JOIN keeps SQLite from turning a scan around.

-- name: campaigns_held
SELECT m.campaign, m.version, m.measure
FROM measure m
JOIN (SELECT campaign, max(version) AS version FROM measure GROUP BY campaign) h
    ON h.campaign = m.campaign AND h.version = m.version
ORDER BY m.campaign, m.measure

-- name: judged
WITH term AS (
    SELECT m.measure, m.first_at, m.past_at, m.target, m.reward, m.percent, m.cap, m.monthly, m.filed, m.filed_past,
        m.done, m.done_past, m.grant_day, d.month AS last_month
    FROM measure m
    JOIN calendar d
        ON d.day = CAST((m.past_at + 32399999999 - (m.past_at + 32399999999) % 86400000000) / 86400000000 AS BIGINT)
    WHERE m.version = :version
),
-- applications, with their cards: when it was refunded, and from when what is earned would come after it has expired
asked AS (
    SELECT a.account, a.measure, a.person, a.seq, a."at", a.counted_before, c.last_seq,
        CASE WHEN c.state = 'refunded' AND c.last_at <= :until THEN c.last_at END AS refunded_at,
        CASE WHEN c.expires - x.first_day + 1 >= g.grant_day THEN x.first_day ELSE y.first_day END
            * 86400000000 - 32400000000 AS expiry_at
    FROM application a
    JOIN account c ON c.account = a.account
    CROSS JOIN (SELECT max(grant_day) AS grant_day FROM term) g
    LEFT JOIN calendar x ON x.day = c.expires
    LEFT JOIN calendar y ON y.day = x.first_day - 1
    WHERE a.campaign = :campaign AND a.earns = 1 AND a."at" <= :until AND a.account >= :low AND a.account < :high
),
places AS MATERIALIZED (
    SELECT c."do", c.channel, c.tender, m.measure, m.first_at, m.past_at, m.monthly
    FROM counted c
    JOIN term m ON m.measure = c.measure
    WHERE c.version = :version
),
taken_back AS (
    SELECT "of" AS seq
    FROM reversal
    WHERE "at" <= :until
),
-- the yen that count: all, those before the run's month, those in time for the card
sums AS (
    SELECT e.account, p.measure, coalesce(d.month, 0) AS period, CAST(sum(abs(e.amount)) AS BIGINT) AS yen,
        CAST(sum(CASE WHEN e."at" < :begins THEN abs(e.amount) ELSE 0 END) AS BIGINT) AS due,
        CAST(sum(CASE WHEN e."at" >= a.expiry_at THEN 0 ELSE abs(e.amount) END) AS BIGINT) AS in_time
    FROM event e
    CROSS JOIN places p
    CROSS JOIN asked a
    LEFT JOIN taken_back t ON t.seq = e.seq
    LEFT JOIN calendar d
        ON d.day = CASE WHEN p.monthly = 1 THEN
            CAST((e."at" + 32400000000 - (e."at" + 32400000000) % 86400000000) / 86400000000 AS BIGINT) END
    WHERE e.outcome = 'accepted' AND e."at" <= :until AND e.account >= :low AND e.account < :high
        AND p."do" = e."do" AND p.channel = e.channel AND p.tender = coalesce(e.tender, '')
        AND e."at" >= p.first_at AND e."at" < p.past_at
        AND a.account = e.account AND a.measure = p.measure AND a.seq < e.seq
        AND t.seq IS NULL
    GROUP BY e.account, p.measure, coalesce(d.month, 0)
),
-- procedures: when each was first reported
reports AS (
    SELECT a.account, a.measure, min(CASE WHEN n.what = m.done THEN n."at" END) AS done,
        min(CASE WHEN n.what = m.filed THEN n."at" END) AS filed, min(n."at") AS said
    FROM asked a
    JOIN term m ON m.measure = a.measure
    JOIN notice n ON n.account = a.account AND n.person = a.person AND (n.what = m.done OR n.what = m.filed)
    WHERE n."at" <= :until
    GROUP BY a.account, a.measure
),
-- an earlier round's yen count from the application on
figures AS (
    SELECT a.account, a.measure, a.last_seq, a.refunded_at, a.expiry_at, coalesce(s.period, 0) AS period,
        a.counted_before + coalesce(s.yen, 0) AS yen,
        CASE WHEN a."at" < :begins THEN a.counted_before ELSE 0 END + coalesce(s.due, 0) AS yen_due,
        CASE WHEN a."at" >= a.expiry_at THEN 0 ELSE a.counted_before END + coalesce(s.in_time, 0) AS yen_in_time,
        CASE
            WHEN r.done < m.done_past AND (m.filed IS NULL OR r.said < m.filed_past)
                THEN CASE WHEN r.done > a."at" THEN r.done ELSE a."at" END
        END AS done_at,
        r.filed AS filed_at, r.said, m.past_at, m.target, m.reward, m.percent, m.cap, m.monthly, m.filed, m.filed_past,
        m.done, m.done_past, m.last_month
    FROM asked a
    CROSS JOIN term m
    LEFT JOIN sums s ON s.account = a.account AND s.measure = a.measure
        AND (s.period = 0 OR s.period < :this_month AND s.yen * m.percent >= 100)
    LEFT JOIN reports r ON r.account = a.account AND r.measure = a.measure
    WHERE m.measure = a.measure
),
-- the percentage of the yen as they are, fractions dropped, capped
shares AS (
    SELECT f.*,
        CASE
            WHEN f.cap * 100 < f.yen * f.percent THEN f.cap
            ELSE CAST((f.yen * f.percent - f.yen * f.percent % 100) / 100 AS BIGINT)
        END AS share
    FROM figures f
),
earned AS (
    SELECT f.*,
        CASE
            WHEN f.done IS NOT NULL THEN CASE WHEN f.done_at IS NOT NULL THEN f.reward END
            WHEN f.yen >= f.target THEN f.reward
            WHEN f.yen * f.percent >= 100 AND (f.period > 0 OR f.monthly = 0 AND f.past_at <= :until)
                THEN f.share
        END AS points,
        CASE
            WHEN f.done IS NOT NULL THEN f.done_at < :begins
            WHEN f.yen >= f.target THEN f.yen_due >= f.target
            WHEN f.monthly = 1 THEN f.yen_due > 0
            ELSE f.last_month < :month
        END AS is_due,
        CASE
            WHEN f.expiry_at IS NULL THEN 1 = 1
            WHEN f.done IS NOT NULL THEN f.done_at < f.expiry_at
            WHEN f.yen >= f.target THEN f.yen_in_time >= f.target
            WHEN f.monthly = 1 THEN f.yen_in_time > 0
            ELSE f.past_at <= f.expiry_at
        END AS is_in_time
    FROM shares f
),
moments AS (
    SELECT e.account, e.measure, e.last_seq, e.period, e.points, e.is_due, e.refunded_at,
        CASE WHEN e.points IS NULL OR NOT e.is_in_time THEN e.expiry_at END AS expiry_at,
        CASE WHEN e.monthly = 0 AND (e.expiry_at IS NULL OR e.past_at <= e.expiry_at) THEN e.share END AS share,
        CASE
            WHEN e.points IS NOT NULL THEN NULL
            WHEN e.done IS NULL THEN e.past_at
            WHEN e.filed IS NULL OR e.said < e.filed_past THEN e.done_past
            ELSE e.filed_past
        END AS late_at,
        CASE
            WHEN e.done IS NULL THEN 'nothing-counted'
            WHEN e.filed IS NULL THEN 'not-reported-in-time'
            WHEN e.said < e.filed_past THEN 'not-complete-in-time'
            ELSE 'not-filed-in-time'
        END AS late_code,
        CASE
            WHEN e.done IS NULL AND e.target IS NULL THEN 'still-counting'
            WHEN e.done IS NULL THEN 'target-not-reached'
            WHEN e.filed_at IS NOT NULL THEN 'banks-review'
            ELSE 'procedure-missing'
        END AS waiting_code
    FROM earned e
)
SELECT o.account, o.last_seq, o.measure, o.period, coalesce(o.points, 0) AS points,
    CASE
        WHEN g.points IS NOT NULL THEN 'granted-already'
        WHEN o.expiry_at <= :until AND (o.refunded_at IS NULL OR o.expiry_at < o.refunded_at)
            AND (o.late_at IS NULL OR o.expiry_at < o.late_at) THEN 'expires-before-grant'
        WHEN o.refunded_at IS NOT NULL AND (o.late_at IS NULL OR o.refunded_at <= o.late_at)
            THEN 'refunded-before-grant'
        WHEN o.late_at <= :until THEN o.late_code
        WHEN o.points IS NULL THEN o.waiting_code
        WHEN NOT o.is_due THEN 'not-due-yet'
    END AS code, coalesce(o.share, 0) AS share
FROM moments o
LEFT JOIN granted g ON g.account = o.account AND g.campaign = :campaign AND g.measure = o.measure
    AND g.period = o.period AND g."at" <= :granted_until
UNION ALL
SELECT a.account, 0, a.measure, 0, 0, 'never-granted', 0
FROM application a
WHERE a.campaign = :campaign AND a.earns = 0 AND a."at" <= :until AND a.account >= :low AND a.account < :high

-- name: owed
SELECT account, last_seq, measure, period, points
FROM (judged) AS judged
WHERE code IS NULL
ORDER BY account, measure, period

-- name: judged_by_reason
SELECT measure, code, CAST(count(*) AS BIGINT) AS times, CAST(sum(points) AS BIGINT) AS points
FROM (judged) AS judged
GROUP BY measure, code
