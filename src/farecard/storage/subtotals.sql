-- Sums over spans of a writer's chain (ledger/subtotals.py): `batch` is the last of the span, which has 16 batches
-- (`level` 1), 256 (2), and so on. By day up to level 3; from there of all days, and `day` is -1. Yen. Appended only:
-- written with that batch; what an older store has is summed once.
CREATE TABLE subtotal (
    batch BIGINT NOT NULL,
    level BIGINT NOT NULL,
    day BIGINT NOT NULL,
    account TEXT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    PRIMARY KEY (batch, level, day, account)
) /* clustered */;
INSERT INTO subtotal
SELECT l.id, s.column1, CASE WHEN s.column1 > 3 THEN -1 ELSE t.day END, t.account,
    CAST(sum(t.debit) AS BIGINT), CAST(sum(t.credit) AS BIGINT)
FROM (VALUES (1, 16), (2, 256), (3, 4096), (4, 65536), (5, 1048576), (6, 16777216)) AS s
CROSS JOIN total t
JOIN batch b ON b.id = t.batch
JOIN batch l ON l.writer = b.writer AND l.number = (b.number + s.column2 - 1) / s.column2 * s.column2
GROUP BY l.id, s.column1, CASE WHEN s.column1 > 3 THEN -1 ELSE t.day END, t.account;
