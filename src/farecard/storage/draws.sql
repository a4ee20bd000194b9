-- Who is in a draw: cards that joined the rally, with the moment at which the last of their four stamps was
-- achieved. farecard.rules.stamp_rally says the same of one card.
--
-- :rally names it, commands with `at` up to :until are seen, conditions count from :first_at to before :past_at.

-- name: entrants
WITH joined AS (
    SELECT account, seq, at FROM application WHERE campaign = :rally AND at <= :until
),
moved AS (
    SELECT e.account, min(e.seq) AS seq
    FROM event e
    JOIN joined j ON j.account = e.account
    WHERE e."do" = 'move_to_phone' AND e.outcome = 'accepted' AND e.seq > j.seq AND e.at <= :until
    GROUP BY e.account
),
taken_back AS (
    SELECT "of" AS seq
    FROM reversal
    WHERE at <= :until
),
applied AS (
    SELECT a.account, a.at, a.measure, a.person
    FROM application a
    JOIN joined j ON j.account = a.account
    WHERE a.campaign = 'myna-point' AND a.earns = 1 AND a.at <= :until AND a.at >= :first_at AND a.at < :past_at
),
completed AS (
    SELECT a.account, a.measure, min(CASE WHEN n.at > a.at THEN n.at ELSE a.at END) AS at
    FROM applied a
    JOIN notice n ON n.account = a.account AND n.person = a.person AND n.what = 'confirm_account' AND n.at <= :until
    WHERE a.measure = 3
    GROUP BY a.account, a.measure
),
stamp_2 AS (
    SELECT s.account, min(s.at) AS at
    FROM (
        SELECT account, at FROM applied WHERE measure <> 3
        UNION ALL
        SELECT account, at FROM completed WHERE at < :past_at
    ) s
    GROUP BY s.account
),
used AS (
    SELECT e.account, min(CASE WHEN e."do" = 'top_up_from_points' THEN e.at END) AS points_at,
        min(CASE WHEN e."do" = 'purchase' THEN e.at END) AS purchase_at
    FROM event e
    JOIN joined j ON j.account = e.account
    LEFT JOIN moved m ON m.account = e.account
    LEFT JOIN taken_back t ON t.seq = e.seq
    WHERE e."do" IN ('top_up_from_points', 'purchase') AND e.outcome = 'accepted' AND e.at <= :until
        AND e.at >= :first_at AND e.at < :past_at AND t.seq IS NULL AND (m.seq IS NULL OR e.seq < m.seq)
    GROUP BY e.account
),
complete AS (
    SELECT j.account, j.at AS one, s.at AS two, u.points_at AS three, u.purchase_at AS four
    FROM joined j
    JOIN stamp_2 s ON s.account = j.account
    JOIN used u ON u.account = j.account
    WHERE u.points_at IS NOT NULL AND u.purchase_at IS NOT NULL
),
halves AS (
    SELECT account, CASE WHEN one > two THEN one ELSE two END AS early,
        CASE WHEN three > four THEN three ELSE four END AS late
    FROM complete
)
SELECT h.account, c.number, CASE WHEN h.early > h.late THEN h.early ELSE h.late END AS at
FROM halves h
JOIN account c ON c.account = h.account
ORDER BY h.account
