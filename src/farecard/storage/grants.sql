-- What a run for a month has to grant, and why all others get nothing: a row for each measure applied for (of a
-- monthly measure one for each month). The same text runs on SQLite, PostgreSQL and DuckDB; farecard.rules.measures
-- says the same of one applicant.
--
-- :campaign and :version name the campaign, commands with `at` up to :until are seen, grants up to :granted_until (a run
-- sees them all: nothing is granted twice), :month is the run's. `code` is
-- null where points are to be granted now; `month` is the one they were earned in, `due` their day.

-- name: judged
WITH asked AS (
    SELECT account, measure, person, seq, at, counted_before
    FROM application
    WHERE campaign = :campaign AND earns = 1 AND at <= :until
),
term AS (
    SELECT measure, first_at, past_at, target, reward, percent, cap, monthly, filed, filed_past, done, done_past,
        grant_day
    FROM measure
    WHERE version = :version
),
taken_back AS (
    SELECT r."of" AS seq
    FROM reversal r
    JOIN event e ON e.seq = r.seq AND e.account = r.account
    WHERE e.at <= :until
),
-- the yen that count, by month
sums AS (
    SELECT a.account, a.measure, d.month, CAST(sum(abs(e.amount)) AS BIGINT) AS yen
    FROM event e
    JOIN asked a ON a.account = e.account
    JOIN term m ON m.measure = a.measure
    JOIN counted c ON c.version = :version AND c.measure = a.measure AND c."do" = e."do"
        AND c.channel = e.channel AND c.tender = coalesce(e.tender, '')
    JOIN calendar d ON d.day
        = CAST((e.at + 32400000000 - (e.at + 32400000000) % 86400000000) / 86400000000 AS BIGINT)
    LEFT JOIN taken_back t ON t.seq = e.seq
    WHERE e.outcome = 'accepted' AND e.at <= :until AND e.at >= m.first_at AND e.at < m.past_at
        AND e.seq > a.seq AND t.seq IS NULL
    GROUP BY a.account, a.measure, d.month
),
-- what had counted by the end of each month; an earlier round's yen from the application's month on
so_far AS (
    SELECT s.account, s.measure, s.month,
        CAST(sum(s.yen) OVER (PARTITION BY s.account, s.measure ORDER BY s.month) AS BIGINT) AS yen
    FROM (
        SELECT account, measure, month, yen FROM sums
        UNION ALL
        SELECT a.account, a.measure, d.month, a.counted_before
        FROM asked a
        JOIN calendar d ON d.day
            = CAST((a.at + 32400000000 - (a.at + 32400000000) % 86400000000) / 86400000000 AS BIGINT)
        WHERE a.counted_before > 0
    ) s
),
reached AS (
    SELECT f.account, f.measure, min(CASE WHEN f.yen >= m.target THEN f.month END) AS month,
        max(f.yen) AS yen
    FROM so_far f
    JOIN term m ON m.measure = f.measure
    WHERE m.monthly = 0
    GROUP BY f.account, f.measure
),
-- procedures: when each was first reported
reports AS (
    SELECT a.account, a.measure, min(CASE WHEN n.what = m.done THEN n.at END) AS done,
        min(CASE WHEN n.what = m.filed THEN n.at END) AS filed, min(n.at) AS said
    FROM asked a
    JOIN term m ON m.measure = a.measure
    JOIN notice n ON n.account = a.account AND n.person = a.person AND (n.what = m.done OR n.what = m.filed)
    WHERE n.at <= :until
    GROUP BY a.account, a.measure
),
completed AS (
    SELECT a.account, a.measure, CASE WHEN r.done > a.at THEN r.done ELSE a.at END AS at
    FROM asked a
    JOIN term m ON m.measure = a.measure
    JOIN reports r ON r.account = a.account AND r.measure = a.measure
    WHERE r.done < m.done_past AND (m.filed IS NULL OR r.said < m.filed_past)
),
shares AS (
    SELECT s.account, s.measure, s.month AS period, s.month, m.cap,
        CAST((s.yen * m.percent - s.yen * m.percent % 100) / 100 AS BIGINT) AS points
    FROM sums s
    JOIN term m ON m.measure = s.measure
    WHERE m.monthly = 1
    UNION ALL
    SELECT r.account, r.measure, 0, d.month, m.cap,
        CAST((r.yen * m.percent - r.yen * m.percent % 100) / 100 AS BIGINT)
    FROM reached r
    JOIN term m ON m.measure = r.measure
    JOIN calendar d ON d.day
        = CAST((m.past_at - 1 + 32400000000 - (m.past_at - 1 + 32400000000) % 86400000000) / 86400000000 AS BIGINT)
    WHERE m.percent IS NOT NULL AND r.month IS NULL
),
earned AS (
    SELECT r.account, r.measure, 0 AS period, r.month, m.reward AS points, 0 AS whole_month
    FROM reached r
    JOIN term m ON m.measure = r.measure
    WHERE r.month IS NOT NULL
    UNION ALL
    SELECT c.account, c.measure, 0, d.month, m.reward, 0
    FROM completed c
    JOIN term m ON m.measure = c.measure
    JOIN calendar d ON d.day
        = CAST((c.at + 32400000000 - (c.at + 32400000000) % 86400000000) / 86400000000 AS BIGINT)
    UNION ALL
    SELECT account, measure, period, month, CASE WHEN cap < points THEN cap ELSE points END, 1
    FROM shares
),
-- with the day they are due: the grant day of the month after. What is a share of a month's or of all yen is ready
-- when that time is over.
ready AS (
    SELECT e.account, e.measure, e.period, e.month, e.points, p.first_day + m.grant_day - 1 AS due
    FROM earned e
    JOIN term m ON m.measure = e.measure
    JOIN calendar p ON p.month = e.month + 1 AND p.day = p.first_day
    WHERE e.points > 0 AND (e.whole_month = 0 OR p.first_day * 86400000000 - 32400000000 <= :until)
),
-- from when nothing earned could come before the card expires, and when it was refunded
cards AS (
    SELECT c.account, c.last_seq, c.expires,
        CASE WHEN c.state = 'refunded' AND c.last_at <= :until THEN c.last_at END AS refunded_at,
        CASE WHEN c.expires - x.first_day + 1 >= g.grant_day THEN x.first_day ELSE y.first_day END
            * 86400000000 - 32400000000 AS expiry_at
    FROM account c
    JOIN (SELECT DISTINCT account FROM asked) a ON a.account = c.account
    CROSS JOIN (SELECT max(grant_day) AS grant_day FROM term) g
    LEFT JOIN calendar x ON x.day = c.expires
    LEFT JOIN calendar y ON y.day = x.first_day - 1
),
moments AS (
    SELECT a.account, a.measure, c.last_seq, r.period, r.points, r.due, r.month, c.refunded_at,
        CASE WHEN r.due IS NULL OR r.due > c.expires THEN c.expiry_at END AS expiry_at,
        CASE
            WHEN r.due IS NOT NULL THEN NULL
            WHEN m.done IS NULL THEN m.past_at
            WHEN m.filed IS NULL THEN m.done_past
            WHEN s.said < m.filed_past THEN m.done_past
            ELSE m.filed_past
        END AS late_at,
        CASE
            WHEN m.done IS NULL THEN 'nothing-counted'
            WHEN m.filed IS NULL THEN 'not-reported-in-time'
            WHEN s.said < m.filed_past THEN 'not-complete-in-time'
            ELSE 'not-filed-in-time'
        END AS late_code,
        CASE
            WHEN m.done IS NULL AND m.target IS NULL THEN 'still-counting'
            WHEN m.done IS NULL THEN 'target-not-reached'
            WHEN s.filed IS NOT NULL THEN 'banks-review'
            ELSE 'procedure-missing'
        END AS waiting_code
    FROM asked a
    JOIN term m ON m.measure = a.measure
    JOIN cards c ON c.account = a.account
    LEFT JOIN ready r ON r.account = a.account AND r.measure = a.measure
    LEFT JOIN reports s ON s.account = a.account AND s.measure = a.measure
)
SELECT o.account, o.last_seq, o.measure, coalesce(o.period, 0) AS period, coalesce(o.points, 0) AS points, o.due, o.month,
    CASE
        WHEN g.points IS NOT NULL THEN 'granted-already'
        WHEN o.expiry_at <= :until AND (o.refunded_at IS NULL OR o.expiry_at <= o.refunded_at)
            AND (o.late_at IS NULL OR o.expiry_at <= o.late_at) THEN 'expires-before-grant'
        WHEN o.refunded_at IS NOT NULL AND (o.late_at IS NULL OR o.refunded_at <= o.late_at)
            THEN 'refunded-before-grant'
        WHEN o.late_at <= :until THEN o.late_code
        WHEN o.due IS NULL THEN o.waiting_code
        WHEN o.month >= :month THEN 'not-due-yet'
    END AS code
FROM moments o
LEFT JOIN granted g ON g.account = o.account AND g.campaign = :campaign AND g.measure = o.measure
    AND g.period = coalesce(o.period, 0) AND g.at <= :granted_until
UNION ALL
SELECT a.account, 0, a.measure, 0, 0, NULL, NULL, 'never-granted'
FROM application a
WHERE a.campaign = :campaign AND a.earns = 0 AND a.at <= :until
