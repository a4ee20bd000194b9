"""The files of one exported table: a folder a month, bounded memory whatever order the months come in."""

from collections import OrderedDict
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types

from farecard.export.columns import Table

# Rows a row group: enough that a scan is not held up by groups, few enough to be sorted in memory.
ROWS_A_GROUP = 65_536
MOST_WAITING = 131_072  # rows in memory over all months of a table
MOST_OPEN = 24  # files open at once


def folder_of(month: int | None) -> str:
    """The folder of a month, ``year * 12 + month - 1``, as Hive names it; None: the table's own."""
    return "" if month is None else f"year={month // 12}/month={month % 12 + 1}"


class Files:
    """Takes rows of any month and writes them, a row group a month at a time.

    Rows wait until their month has a row group full, or until too many wait: then the month with the
    most goes. Of too many open files the one written longest ago is closed; more rows of its month
    begin another file.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        self.folder = folder / table.name
        self.table = table
        self.rows = 0
        self._waiting: dict[int | None, list[pa.Table]] = {}
        self._counts: dict[int | None, int] = {}
        self._open: OrderedDict[int | None, pq.ParquetWriter] = OrderedDict()
        self._parts: dict[int | None, int] = {}
        self.folder.mkdir()

    def add(self, month: int | None, rows: pa.Table) -> None:
        """Take rows of one month."""
        self.rows += len(rows)
        self._waiting.setdefault(month, []).append(rows)
        self._counts[month] = self._counts.get(month, 0) + len(rows)
        if self._counts[month] >= ROWS_A_GROUP:
            self._write(month)
        while sum(self._counts.values()) > MOST_WAITING:
            self._write(max(self._counts, key=self._counts.__getitem__))

    def finish(self) -> None:
        """Write what waits, month by month, and close every file."""
        for month in sorted(self._waiting, key=lambda month: month or 0):
            self._write(month)
        self.close()

    def close(self) -> None:
        """Close every file, whole or not."""
        while self._open:
            self._open.popitem()[1].close()

    def _write(self, month: int | None) -> None:
        """Write the waiting rows of a month as one row group."""
        rows = pa.concat_tables(self._waiting.pop(month))
        del self._counts[month]
        rows = rows.sort_by([(name, "ascending") for name in self.table.order])
        self._writer(month).write_table(rows, row_group_size=len(rows) or 1)

    def _writer(self, month: int | None) -> pq.ParquetWriter:
        writer = self._open.get(month)
        if writer is None:
            while len(self._open) >= MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            part = self._parts[month] = self._parts.get(month, -1) + 1
            path = self.folder / folder_of(month) / f"part-{part}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = self._open[month] = pq.ParquetWriter(
                path,
                self.table.schema,
                compression="zstd",
                use_dictionary=[column.name for column in self.table.columns if column.words],
            )
        self._open.move_to_end(month)
        return writer
