"""An export read back with DuckDB: the set-based runs over its files, the store left in peace."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from farecard.export.columns import EVENTS, TABLES
from farecard.export.parquet import ABOUT
from farecard.model.moments import day_of, month_of, parse_moment
from farecard.storage.sql import PARAMETER, survey
from farecard.storage.store import Row

ROWS_AT_ONCE = 65_536


class Named(msgspec.Struct):
    """What an export says of a column of its own, as far as it is read back."""

    name: str


class Written(msgspec.Struct):
    """What an export says of a table of its own, as far as it is read back."""

    rows: int
    columns: list[Named]


class About(msgspec.Struct):
    """What an export says of itself, as far as it is read back."""

    exported_at: str
    exported_by: str
    tables: dict[str, Written]


class NoExportError(Exception):
    """The folder holds no export, or DuckDB is not installed: a sentence for people."""


def in_duckdb(text: str) -> str:
    """Translate a named statement."""
    return PARAMETER.sub(r"$\1", text)


def _lacking(about: About) -> Iterator[str]:
    """The tables that an older export has not, and of those it has the columns."""
    for table in TABLES:
        written = about.tables.get(table.name)
        if written is None:
            yield table.name
            continue
        there = {column.name for column in written.columns}
        yield from (
            f"{table.name}.{column.name}" for column in table.columns if column.name not in there
        )


class Exported:
    """An export's folder, asked what a store is asked by a run: a picture of the moment ``at``."""

    def __init__(self, folder: Path) -> None:
        """Raises ``NoExportError``."""
        try:
            import duckdb  # noqa: PLC0415  # only who reads an export needs it
        except ImportError:
            raise NoExportError(
                "reading an export needs DuckDB: pip install 'farecard[duckdb]'"
            ) from None
        try:
            about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
        except (OSError, msgspec.MsgspecError):
            raise NoExportError(
                f"{folder} holds no export; farecard export parquet DIR makes one"
            ) from None
        lacking = sorted(_lacking(about))
        if lacking:
            raise NoExportError(
                f"{folder} was exported by {about.exported_by}, without {', '.join(lacking)}; export again"
            )
        self.at = parse_moment(about.exported_at)
        self.has_events = about.tables[EVENTS.name].rows > 0
        self.db = duckdb.connect(config={"temp_directory": tempfile.gettempdir()})
        if self.has_events:
            text = (Path(__file__).parent / "as_store.sql").read_text("utf-8")
            self.db.execute(text.replace("DIR", str(folder).replace("'", "''")))

    def survey(self, name: str, **values: Any) -> Iterator[Row]:
        """The rows of a statement over all accounts, as ``Store.survey``."""
        if not self.has_events:
            return
        if "version" in values:
            self._look_at(values["version"])
        found = self.db.execute(survey(in_duckdb, name), values)
        while rows := found.fetchmany(ROWS_AT_ONCE):
            yield from rows

    def _look_at(self, version: int) -> None:
        """Have events read of the months alone in which a version of a campaign counts yen."""
        counting = (
            "SELECT min(first_at), max(past_at) FROM measure WHERE version = ? AND done IS NULL"
        )
        ((first, past),) = self.db.execute(counting, [version]).fetchall()
        months = (0, 0) if first is None else (month_of(day_of(first)), month_of(day_of(past - 1)))
        for name, month in zip(("first_month", "last_month"), months, strict=True):
            self.db.execute(f"SET VARIABLE {name} = {month}")

    def close(self) -> None:
        """Close it."""
        self.db.close()
