"""One export: every table written beside the folder that was asked for, then put in its place at once."""

import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from farecard.desk.batch import SEQS_PER_BATCH
from farecard.export.cards import cards
from farecard.export.columns import CARDS, EVENTS, TABLES, TRANSFERS, Table
from farecard.export.files import ROWS_A_GROUP, Files
from farecard.export.rows import Columns, as_table, by_month, event_columns, transfer_columns
from farecard.model.moments import iso_day, iso_moment
from farecard.storage.saving import to_disk
from farecard.storage.store import Store
from farecard.tariff import ALWAYS

EVENTS_AT_ONCE = 8192  # small batches are read together up to so many events
ABOUT = "_about.json"  # engines pass over files that begin with an underscore


class FolderError(Exception):
    """The folder cannot be exported into: a sentence for people."""


class Export:
    """Writes a store's tables into a new folder, from one consistent read.

    ``code`` is this program's version, ``now`` the moment of the export. When ``run`` has ended, ``about``
    is what stands in ``_about.json``.
    """

    def __init__(self, store: Store, folder: Path, code: str, now: int) -> None:
        self.store = store
        self.folder = folder
        self.code = code
        self.now = now
        self.about: dict[str, Any] = {}
        self._codes: set[str] = set()
        self._batches = 0

    def run(self) -> Generator[int, None, None]:
        """Export; yields how many events are written so far, for a progress bar."""
        with _in_place_of(self.folder) as folder:
            store = self.store
            store.begin_reading()
            try:
                with ExitStack() as stack:
                    files = {}
                    for table in TABLES:
                        one = files[table.name] = Files(folder, table)
                        stack.callback(one.close)
                    yield from self._journal(files[EVENTS.name], files[TRANSFERS.name])
                    self._cards(files[CARDS.name])
                    for table in TABLES:
                        if table.query is not None:
                            self._copied(table, table.query, files[table.name])
                    for one in files.values():
                        one.finish()
                self.about = self._about(files)
            finally:
                store.rollback()
            (folder / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(self.about)))

    def _journal(self, events: Files, transfers: Files) -> Iterator[int]:
        for recorded in self._batches_together():
            bounds = {
                "first": min(recorded) * SEQS_PER_BATCH,
                "past": (max(recorded) + 1) * SEQS_PER_BATCH,
            }
            rows, more = self.store.ask(
                [("events_of_batch", bounds), ("transfers_of_batch", bounds)]
            )
            if rows:
                columns = event_columns(self.store, rows, recorded)
                for month, some in by_month(EVENTS, columns).items():
                    events.add(month, some)
            columns = transfer_columns(rows, more)
            for month, some in by_month(TRANSFERS, columns).items():
                transfers.add(month, some)
            yield events.rows

    def _batches_together(self) -> Iterator[dict[int, int]]:
        """Batches in order, each with the moment it was recorded; small ones some at a time."""
        some: dict[int, int] = {}
        events = 0
        for row in self.store.stream("batches"):
            some[row[0]] = row[3]
            events += row[6]
            self._codes.add(row[10])
            self._batches += 1
            if events >= EVENTS_AT_ONCE:
                yield some
                some, events = {}, 0
        if some:
            yield some

    def _cards(self, files: Files) -> None:
        for columns in cards(self.store, self.now):
            files.add(None, as_table(CARDS, columns))
        if not files.rows:
            files.add(None, CARDS.schema.empty_table())

    def _copied(self, table: Table, query: str, files: Files) -> None:
        rows = iter(self.store.stream(query))
        names = [column.name for column in table.columns]
        while some := list(islice(rows, ROWS_A_GROUP)):
            columns: Columns = dict(zip(names, zip(*some, strict=True), strict=True))
            files.add(None, as_table(table, columns))
        if not files.rows:
            files.add(None, table.schema.empty_table())

    def _about(self, files: dict[str, Files]) -> dict[str, Any]:
        """What stands beside the tables: which rows these are, and under which inputs they came about."""

        def since(day: int) -> str | None:
            return None if day == ALWAYS else iso_day(day)

        return {
            "exported_at": iso_moment(self.now),
            "exported_by": f"farecard {self.code}",
            "batches": self._batches,
            "decided_by": sorted(self._codes),
            "tariffs": [
                {"version": version, "since": since(day)}
                for version, day, _ in self.store.rows("tariffs")
            ],
            "networks": [
                {"version": version, "since": since(day), "name": name}
                for version, day, name in self.store.rows("networks")
            ],
            "tables": {
                table.name: {
                    "row": table.row,
                    "rows": files[table.name].rows,
                    **_size(files[table.name].folder),
                    "by_month": table.by_month,
                    "columns": [
                        {"name": column.name, "type": str(column.type), "what": column.what}
                        for column in table.columns
                    ],
                }
                for table in TABLES
            },
        }


def _size(folder: Path) -> dict[str, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*.parquet")]
    return {"files": len(sizes), "bytes": sum(sizes)}


@contextmanager
def _in_place_of(folder: Path) -> Iterator[Path]:
    """A folder to write in that becomes ``folder`` in the end, whole and on the disk, or is gone."""
    folder = folder.resolve()
    if not folder.parent.is_dir():
        raise FolderError(
            f"the folder {folder.parent} to export into does not exist; make it first"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderError(
            f"{folder} is there already and not empty; name a folder that is new or empty"
        )
    part = folder.with_name(folder.name + ".part")
    try:
        part.mkdir()
    except FileExistsError:
        raise FolderError(
            f"{part} is there already: another export is writing it, or one was killed;"
            " remove it when none is running, and export again"
        ) from None
    try:
        yield part
        for path in [*part.rglob("*"), part]:
            to_disk(path)
        part.rename(folder)
        to_disk(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
