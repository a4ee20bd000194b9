"""Either side of a copy: a store that also takes statements as text, since a copy treats all tables alike.

Statements mark their values with the side's ``mark``; both engines understand the rest.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from farecard.storage.opening import is_postgres, path_of
from farecard.storage.postgres import PostgresStore
from farecard.storage.server import in_words, key_beside
from farecard.storage.sql import tables
from farecard.storage.sqlite import SqliteStore
from farecard.storage.store import Row


class SqliteSide(SqliteStore):
    """A store file read from or written to by a copy."""

    mark = "?"

    def read(self, text: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows a statement gives, one after the other."""
        with self._errors():
            cursor = self.db.execute(text, values)
            while some := cursor.fetchmany(1000):
                yield from some

    def run_text(self, text: str, values: Sequence[Any] = ()) -> int:
        """Run a statement within the open transaction; gives how many rows it reached."""
        with self._errors():
            return self.db.execute(text, values).rowcount

    def empty(self, table: str) -> None:
        """Take all rows of a table away."""
        self.run_text(f"DELETE FROM {table}")

    def analyze(self) -> None:
        """SQLite plans our statements by their keys alone."""


class PostgresSide(PostgresStore):
    """A database read from or written to by a copy."""

    mark = "%b"

    def __init__(self, url: str, *, write: bool) -> None:
        self._cursors = count()
        super().__init__(url, write=write)

    def read(self, text: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows a statement gives, a few thousand at a time; within ``begin_reading``."""
        with in_words(self.place):
            cursor = self._reading().cursor(f"side_{next(self._cursors)}", binary=True)
            cursor.itersize = 4096
            with cursor:
                cursor.execute(text, values)
                yield from cursor

    def run_text(self, text: str, values: Sequence[Any] = ()) -> int:
        """Run a statement within the open transaction; gives how many rows it reached."""
        with in_words(self.place):
            return self._writing().execute(text, values).rowcount

    def empty(self, table: str) -> None:
        """Take all rows of a table away."""
        self.run_text(f"TRUNCATE {table}")

    def analyze(self) -> None:
        """Tell the planner what is in the tables now, instead of whenever autovacuum comes by."""
        self.run_text(f"ANALYZE {', '.join(tables())}")


Side = SqliteSide | PostgresSide


def open_side(url: str, *, write: bool) -> Side:
    """Open a store for a copy, an unfinished one too; with ``write`` it is made when it is not there."""
    if is_postgres(url):
        return PostgresSide(url, write=write)
    return SqliteSide(path_of(url), write=write)


def key_beside_of(url: str) -> Path:
    """Where the key file of a store will be looked for, before there is a store."""
    if is_postgres(url):
        return key_beside(url)
    path = path_of(url)
    return path.with_name(path.name + ".key")
