-- How a campaign goes: who got where on which day, over all accounts. What is owed and why others get nothing says
-- grants.sql. :campaign and :version name the campaign; commands with `at` up to :until are seen.

-- name: reached
-- Of each measure how many reached it on each day: the day on which the yen that count came to its target, or on which
-- its procedure was reported of somebody who had applied. farecard.rules.measures says the same of one applicant.
WITH term AS (
    SELECT m.measure, m.first_at, m.past_at, m.target, m.filed, m.filed_past, m.done, m.done_past
    FROM measure m
    WHERE m.version = :version
),
asked AS (
    SELECT a.account, a.measure, a.person, a.seq, a."at", a.counted_before
    FROM application a
    WHERE a.campaign = :campaign AND a.earns = 1 AND a."at" <= :until
),
places AS MATERIALIZED (
    SELECT c."do", c.channel, c.tender, m.measure, m.first_at, m.past_at
    FROM counted c
    JOIN term m ON m.measure = c.measure
    WHERE c.version = :version AND m.target IS NOT NULL
),
taken_back AS (
    SELECT "of" AS seq FROM reversal WHERE "at" <= :until
),
-- what counted on which day; an earlier round's yen count on the day of the application
moved AS (
    SELECT e.account, p.measure,
        CAST((e."at" + 32400000000 - (e."at" + 32400000000) % 86400000000) / 86400000000 AS BIGINT) AS day,
        abs(e.amount) AS yen
    FROM event e
    CROSS JOIN places p
    CROSS JOIN asked a
    LEFT JOIN taken_back t ON t.seq = e.seq
    WHERE e.outcome = 'accepted' AND e."at" <= :until
        AND p."do" = e."do" AND p.channel = e.channel AND p.tender = coalesce(e.tender, '')
        AND e."at" >= p.first_at AND e."at" < p.past_at
        AND a.account = e.account AND a.measure = p.measure AND a.seq < e.seq
        AND t.seq IS NULL
    UNION ALL
    SELECT a.account, a.measure,
        CAST((a."at" + 32400000000 - (a."at" + 32400000000) % 86400000000) / 86400000000 AS BIGINT), a.counted_before
    FROM asked a
),
days AS (
    SELECT account, measure, day, CAST(sum(yen) AS BIGINT) AS yen FROM moved GROUP BY account, measure, day
),
running AS (
    SELECT account, measure, day, sum(yen) OVER (PARTITION BY account, measure ORDER BY day) AS so_far FROM days
),
counted_up AS (
    SELECT r.account, r.measure, min(r.day) AS day
    FROM running r
    JOIN term m ON m.measure = r.measure
    WHERE m.target IS NOT NULL AND r.so_far >= m.target
    GROUP BY r.account, r.measure
),
reports AS (
    SELECT a.account, a.measure, a."at", min(CASE WHEN n.what = m.done THEN n."at" END) AS done,
        min(n."at") AS said, m.done_past, m.filed, m.filed_past
    FROM asked a
    JOIN term m ON m.measure = a.measure
    JOIN notice n ON n.account = a.account AND n.person = a.person AND (n.what = m.done OR n.what = m.filed)
    WHERE n."at" <= :until AND m.done IS NOT NULL
    GROUP BY a.account, a.measure, a."at", m.done_past, m.filed, m.filed_past
),
reported AS (
    SELECT account, measure,
        CAST((CASE WHEN done > "at" THEN done ELSE "at" END + 32400000000
            - (CASE WHEN done > "at" THEN done ELSE "at" END + 32400000000) % 86400000000) / 86400000000 AS BIGINT) AS day
    FROM reports
    WHERE done < done_past AND (filed IS NULL OR said < filed_past)
)
SELECT measure, day, CAST(count(*) AS BIGINT) AS times
FROM (SELECT measure, day FROM counted_up UNION ALL SELECT measure, day FROM reported) everybody
GROUP BY measure, day
ORDER BY measure, day

-- name: applied_by_day
SELECT measure, CAST((a."at" + 32400000000 - (a."at" + 32400000000) % 86400000000) / 86400000000 AS BIGINT) AS day,
    CAST(count(*) AS BIGINT) AS times
FROM application a
WHERE a.campaign = :campaign AND a.earns = 1 AND a."at" <= :until
GROUP BY measure, 2
ORDER BY measure, 2

-- name: granted_by_day
SELECT measure, CAST((g."at" + 32400000000 - (g."at" + 32400000000) % 86400000000) / 86400000000 AS BIGINT) AS day,
    CAST(count(*) AS BIGINT) AS times, CAST(sum(points) AS BIGINT) AS points
FROM granted g
WHERE g.campaign = :campaign AND g."at" <= :until
GROUP BY measure, 2
ORDER BY measure, 2

-- name: outlook_by_reason
-- As judged_by_reason of grants.sql, with what the yen would come to at the end as they are.
SELECT measure, code, CAST(count(*) AS BIGINT) AS times, CAST(sum(points) AS BIGINT) AS points,
    CAST(sum(share) AS BIGINT) AS share
FROM (judged) AS judged
GROUP BY measure, code
