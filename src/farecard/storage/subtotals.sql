-- Sums over spans of a writer's chain (ledger/subtotals.py): `batch` is the last of the span, which has 16 batches
-- (`level` 1), 256 (2), and so on. By day up to level 3; from there of all days, and `day` is -1. Yen. Appended only,
-- with that batch. The row of `account` '' (`day` -1) counts in `debit` of how many spans of level 1 this is the sum: an
-- older farecard that writes on leaves some out, and a sum of fewer than there should be is not used.
CREATE TABLE subtotal (
    batch BIGINT NOT NULL,
    level BIGINT NOT NULL,
    day BIGINT NOT NULL,
    account TEXT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    PRIMARY KEY (batch, level, day, account)
) /* clustered */;

-- what an older store has is summed once, as far as level 3
INSERT INTO subtotal
SELECT l.id, 1, t.day, t.account, CAST(sum(t.debit) AS BIGINT), CAST(sum(t.credit) AS BIGINT)
FROM total t
CROSS JOIN batch b
CROSS JOIN batch l
WHERE b.id = t.batch AND l.writer = b.writer AND l.number = (b.number + 15) / 16 * 16
GROUP BY l.id, t.day, t.account;
INSERT INTO subtotal SELECT id, 1, -1, '', 1, 0 FROM batch WHERE number % 16 = 0;
INSERT INTO subtotal
SELECT l.id, 2, t.day, t.account, CAST(sum(t.debit) AS BIGINT), CAST(sum(t.credit) AS BIGINT)
FROM subtotal t
CROSS JOIN batch b
CROSS JOIN batch l
WHERE t.level = 1 AND b.id = t.batch AND l.writer = b.writer AND l.number = (b.number + 255) / 256 * 256
GROUP BY l.id, t.day, t.account;
INSERT INTO subtotal
SELECT l.id, 3, t.day, t.account, CAST(sum(t.debit) AS BIGINT), CAST(sum(t.credit) AS BIGINT)
FROM subtotal t
CROSS JOIN batch b
CROSS JOIN batch l
WHERE t.level = 2 AND b.id = t.batch AND l.writer = b.writer AND l.number = (b.number + 4095) / 4096 * 4096
GROUP BY l.id, t.day, t.account;
