-- Every statement, named. `= ANY(:list)` takes a list; SQLite reads it through json_each.

-- name: accounts
SELECT * FROM account WHERE account = ANY(:ids)

-- name: numbers
SELECT number, account, ended, successor FROM number WHERE number = ANY(:ids)

-- name: commands
SELECT e.* FROM command c JOIN event e ON e.seq = c.seq
WHERE c.sender = :sender AND c.id = ANY(:ids)

-- name: reversed
SELECT "of" FROM reversal WHERE "of" = ANY(:ids)

-- name: holders
SELECT name_key, account, phone_key FROM holder WHERE name_key = :name_key

-- name: last_batch
SELECT id, number, hash FROM batch ORDER BY id DESC LIMIT 1

-- name: number_of
SELECT number, account, since_seq, since_at, ended, ended_at, head, successor
FROM number WHERE number = :number

-- name: chain
WITH RECURSIVE chain (seq) AS (
    SELECT CAST(:head AS BIGINT)
    UNION ALL
    SELECT e.prev FROM chain c JOIN event e ON e.seq = c.seq WHERE e.prev IS NOT NULL
)
SELECT e.* FROM chain c JOIN event e ON e.seq = c.seq

-- name: trial_balance_now
SELECT account, sum(debit), sum(credit) FROM total GROUP BY account ORDER BY account

-- name: trial_balance_whole_batches
SELECT t.account, sum(t.debit), sum(t.credit)
FROM total t JOIN batch b ON b.id = t.batch
WHERE b.last_at <= :at GROUP BY t.account

-- name: transfers_of_split_batches
SELECT e.debit, e.credit, sum(e.yen) FROM batch b
JOIN event e ON e.seq >= b.id * 65536 AND e.seq < (b.id + 1) * 65536
WHERE b.first_at <= :at AND b.last_at > :at AND e.at <= :at AND e.yen > 0
GROUP BY e.debit, e.credit
UNION ALL
SELECT t.debit, t.credit, sum(t.yen) FROM batch b
JOIN event e ON e.seq >= b.id * 65536 AND e.seq < (b.id + 1) * 65536
JOIN transfer t ON t.seq = e.seq
WHERE b.first_at <= :at AND b.last_at > :at AND e.at <= :at
GROUP BY t.debit, t.credit

-- name: stored_fare
SELECT coalesce(sum(balance), 0), coalesce(sum(deposit), 0), coalesce(sum(points), 0) FROM account

-- name: tariffs
SELECT version, since, text FROM tariff ORDER BY version

-- name: networks
SELECT version, since, name FROM network ORDER BY version

-- name: stations
SELECT line, place, station, company FROM station WHERE version = :version ORDER BY line, place

-- name: fares
SELECT one, other, adult, child FROM fare WHERE version = :version

-- name: about
SELECT name, value FROM about

-- name: batches
SELECT id, writer, number, recorded_at, first_at, last_at, events, tariff, network, campaign, code,
    prev, hash
FROM batch ORDER BY id

-- name: events_of_batch
SELECT * FROM event WHERE seq >= :first AND seq < :past ORDER BY seq

-- name: transfers_of_batch
SELECT seq, n, debit, credit, yen FROM transfer WHERE seq >= :first AND seq < :past ORDER BY seq, n

-- name: totals_of_batch
SELECT batch, day, account, debit, credit FROM total WHERE batch = :batch ORDER BY day, account

-- name: all_accounts
SELECT * FROM account ORDER BY account

-- name: event_count
SELECT coalesce(sum(events), 0) FROM batch

-- name: events_without_batch
SELECT e.seq FROM event e LEFT JOIN batch b ON b.id = e.seq / 65536 WHERE b.id IS NULL LIMIT 100

-- name: events_without_command
SELECT e.seq FROM event e LEFT JOIN command c ON c.sender = e.sender AND c.id = e.id
WHERE c.seq IS NULL OR c.seq <> e.seq OR c.digest <> e.digest LIMIT 100

-- name: commands_without_event
SELECT c.sender, c.seq FROM command c LEFT JOIN event e ON e.seq = c.seq
WHERE e.seq IS NULL LIMIT 100

-- name: numbers_without_account
SELECT n.account FROM number n LEFT JOIN account a ON a.account = n.account
WHERE a.account IS NULL LIMIT 100

-- name: accounts_without_number
SELECT a.account FROM account a LEFT JOIN number n ON n.number = a.number
WHERE n.number IS NULL OR n.account <> a.account OR n.ended IS NOT NULL LIMIT 100

-- name: accounts_without_holder
SELECT a.account FROM account a LEFT JOIN holder h ON h.account = a.account
WHERE a.kind IN ('named', 'commuter', 'child', 'smart') AND h.account IS NULL LIMIT 100

-- name: reversals_without_event
SELECT r."of" FROM reversal r LEFT JOIN event o ON o.seq = r."of"
LEFT JOIN event e ON e.seq = r.seq
WHERE o.seq IS NULL OR e.seq IS NULL OR e."of" <> r."of" LIMIT 100

-- name: all_numbers
SELECT number, account, since_seq, since_at, ended, ended_at, head, successor FROM number
ORDER BY number

-- name: events_without_reversal
SELECT e.seq FROM event e LEFT JOIN reversal r ON r."of" = e."of"
WHERE e."of" IS NOT NULL AND (r.seq IS NULL OR r.seq <> e.seq) LIMIT 100
