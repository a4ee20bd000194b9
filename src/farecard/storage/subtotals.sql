-- Sums over spans of a writer's chain (ledger/subtotals.py): `batch` is the last of the span, which has 16 batches
-- (`level` 1), 256 (2), and so on. Appended only. Written with that batch; what an older store has is summed once.
CREATE TABLE subtotal (
    batch BIGINT NOT NULL,
    level BIGINT NOT NULL,
    account TEXT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    PRIMARY KEY (batch, level, account)
) /* clustered */;
INSERT INTO subtotal
SELECT l.id, s.column1, t.account, CAST(sum(t.debit) AS BIGINT), CAST(sum(t.credit) AS BIGINT)
FROM (VALUES (1, 16), (2, 256), (3, 4096), (4, 65536), (5, 1048576), (6, 16777216)) AS s
JOIN batch l ON l.number % s.column2 = 0
JOIN batch b ON b.writer = l.writer AND b.number > l.number - s.column2 AND b.number <= l.number
JOIN total t ON t.batch = b.id
GROUP BY l.id, s.column1, t.account;
