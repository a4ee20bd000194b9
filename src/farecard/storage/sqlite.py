"""The SQLite driver: one file, WAL, every commit on the disk before anyone is told.

What SQLite says differently from PostgreSQL stands in ``DIALECT``. One writer at a time holds the
lock from its first read to its commit, so that nothing of what a batch rests on can change meanwhile.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from farecard.storage.errors import StoreError
from farecard.storage.sql import SCHEMA_VERSION, queries, schema_statements, survey
from farecard.storage.store import EVERYDAY, Ask, Row, Writes

APPLICATION_ID = 0x46415245  # "FARE"
BUSY_MILLISECONDS = 10_000
OLDEST_SQLITE = (3, 37, 0)
FIRST_VERSION_READ = 2  # what was made before had another journal

# PostgreSQL's word → SQLite's.
DIALECT = (
    (re.compile(r"\bBIGINT\b"), "INTEGER"),
    (re.compile(r"\bBYTEA\b"), "BLOB"),
    (re.compile(r"PRIMARY KEY \(seq, account\)"), "PRIMARY KEY (seq)"),
    (re.compile(r"\) /\* clustered \*/;"), ") WITHOUT ROWID, STRICT;"),
    (re.compile(r"^\)( /\* rewritten in place \*/)?;", re.MULTILINE), ") STRICT;"),
    (re.compile(r"= ANY\((:\w+)\)"), r"IN (SELECT value FROM json_each(\1))"),
)

_json = msgspec.json.encode
_UPDATE_EVERYDAY = (
    f"UPDATE account SET {', '.join(f'{name}=?' for name in EVERYDAY)} WHERE account=?"
)


def in_sqlite(text: str) -> str:
    """Translate schema or query text."""
    for word, here in DIALECT:
        text = word.sub(here, text)
    return text


class SqliteStore:
    """One connection to one store file."""

    def __init__(self, path: Path, *, write: bool) -> None:
        """Open an existing store, or with ``write`` make one that is not there yet."""
        self.path = path
        self.url = f"sqlite:///{path}"
        self.place = str(path)
        self.key_beside = path.with_name(path.name + ".key")
        self.overlaps = False
        self.writer = 0
        self._inserts: dict[str, str] = {}
        self._asked: list[Ask] = []
        self._done: Callable[[], None] = lambda: None
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreError(
                f"this Python comes with SQLite {sqlite3.sqlite_version}; farecard needs 3.37 or newer"
            )
        fresh = not path.exists()
        if fresh and not write:
            raise StoreError(f"there is no store at {path}; `farecard replay FILE` makes one")
        if fresh and not path.parent.is_dir():
            raise StoreError(f"the folder {path.parent} for the store does not exist")
        mode = "rwc" if write else "rw"
        self._queries = queries(in_sqlite)
        self._data_version: int | None = None
        with self._errors():
            self.db = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                timeout=BUSY_MILLISECONDS / 1000,
                cached_statements=256,
                check_same_thread=False,
            )
            try:
                self._prepare(write)
            except BaseException:
                self.db.close()
                raise

    def _errors(self) -> "_Errors":
        return _Errors(self.path)

    def _prepare(self, write: bool) -> None:
        db = self.db
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if application not in (0, APPLICATION_ID) or (
            application == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        ):
            raise StoreError(f"{self.path} is another program's database, not a farecard store")
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} was made by a newer farecard (schema {version}, this one knows"
                f" {SCHEMA_VERSION}); update farecard to read it"
            )
        if application and version < FIRST_VERSION_READ:
            raise StoreError(
                f"{self.path} was made before farecard 0.1 was released, when the journal had another"
                " form; replay its journals into a new store"
            )
        self.is_new = application == 0
        if self.is_new and not write:
            raise StoreError(
                f"{self.path} is empty, not a farecard store; `farecard replay FILE` makes one"
            )
        if write:
            db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -20480")
        db.execute("PRAGMA wal_autocheckpoint = 8192")
        if self.is_new or version < SCHEMA_VERSION:
            migrate(db, version)

    # -- transactions ------------------------------------------------------------------------

    def begin(self, lock: Sequence[int] | None = None) -> bool:  # noqa: ARG002  # it locks all
        """Take the write lock. True when someone else has written since our last transaction."""
        with self._errors():
            self.db.execute("BEGIN IMMEDIATE")
            version = self.db.execute("PRAGMA data_version").fetchone()[0]
        changed: bool = version != self._data_version
        self._data_version = version
        return changed

    def begin_making(self) -> None:
        """Take the write lock."""
        self.begin()

    def begin_reading(self) -> None:
        """See the store as it is now until ``rollback``; takes no lock that others wait for."""
        with self._errors():
            self.db.execute("BEGIN")

    def commit(self) -> None:
        """Make the transaction durable; returns once it is on the disk."""
        with self._errors():
            self.db.execute("COMMIT")

    def rollback(self) -> None:
        """Give the transaction up."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    # -- reading -----------------------------------------------------------------------------

    def rows(self, name: str, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of a named query; lists go in as they are."""
        with self._errors():
            return self.db.execute(self._queries[name], _bound(values)).fetchall()

    def stream(self, name: str, **values: Any) -> Iterable[tuple[Any, ...]]:
        """The rows of a named query one after the other, for tables of any size."""
        with self._errors():
            return self.db.execute(self._queries[name], values)

    def survey(self, name: str, **values: Any) -> Iterable[Row]:
        """The rows of a statement over all accounts, on a connection of its own: one state of the store."""
        with self._errors():
            db = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
            try:
                db.execute("PRAGMA temp_store = FILE")
                db.execute("PRAGMA cache_size = -8192")
                yield from db.execute(survey(in_sqlite, name), values)
            finally:
                db.close()

    def ask(self, asks: list[Ask]) -> list[list[Row]]:
        """Several named queries, one after the other."""
        return [self.rows(name, **values) for name, values in asks]

    def send(self, asks: list[Ask]) -> None:
        """Note what to ask: there is nobody to wait for."""
        self._asked = asks

    def receive(self) -> list[list[Row]]:
        """Ask it."""
        return self.ask(self._asked)

    @property
    def is_answered(self) -> bool:
        """It is answered as soon as it is asked."""
        return True

    def integrity(self) -> str:
        """``ok``, or what SQLite finds wrong with the file."""
        try:
            return str(self.db.execute("PRAGMA quick_check").fetchone()[0])
        except sqlite3.DatabaseError as error:
            return str(error)

    # -- writing -----------------------------------------------------------------------------

    def append(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows, in the order of the table's columns."""
        if rows:
            insert = self._inserts.get(table)
            if insert is None:
                insert = f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})"
                self._inserts[table] = insert
            with self._errors():
                self.db.executemany(insert, rows)

    def change(self, statement: str, /, **values: Any) -> int:
        """Run a named statement that changes rows; gives how many it changed."""
        with self._errors():
            return self.db.execute(self._queries[statement], values).rowcount

    def overwrite(self) -> None:
        """Write zeros over whatever is deleted or replaced."""
        with self._errors():
            self.db.execute("PRAGMA secure_delete = ON")

    def sweep(self, tables: Sequence[str]) -> None:  # noqa: ARG002  # it has one file
        """Empty the log, where pages are as they were before. Readers in the middle of something hold it up for a while."""
        with self._errors():
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def start(self, writes: Writes, done: Callable[[], None]) -> None:
        """Write a batch. Since the lock is held, what it read still holds."""
        self._done = done
        for table, rows in writes.rows.items():
            self.append(table, rows)
        with self._errors():
            run = self.db.executemany
            run(_UPDATE_EVERYDAY, [(*new, account) for _, account, *new in writes.everyday])
            if writes.changed:
                marks = ",".join("?" * (len(writes.changed[0]) - 1))
                run(f"REPLACE INTO account VALUES ({marks})", [row[1:] for row in writes.changed])
            run(
                "UPDATE number SET ended=?, ended_at=?, head=?, successor=? WHERE number=?",
                writes.ended_numbers,
            )
            run(
                "UPDATE person SET account=?, measures=?, last_seq=? WHERE person=?",
                [(*state, key) for _, key, *state in writes.persons],
            )
            run(
                "REPLACE INTO namesake VALUES (?,?)",
                [(key, now) for key, was, now in writes.namesakes if now != was],
            )
            for name, values in writes.subtotals:
                self.db.execute(self._queries[name], _bound(values))

    @property
    def is_lost(self) -> bool:
        """A file stays."""
        return False

    def pump(self) -> None:
        """Nothing of it goes on by itself."""

    @property
    def is_busy(self) -> bool:
        """It is kept when ``finish`` returns, not before."""
        return False

    @property
    def waits_for(self) -> list[tuple[int, int]]:
        """Nothing."""
        return []

    def finish(self) -> None:
        """Commit it."""
        self.commit()
        self._done()


def _bound(values: dict[str, Any]) -> dict[str, Any]:
    """Values as a statement takes them: lists as JSON."""
    return {
        key: _json(value).decode() if isinstance(value, list) else value
        for key, value in values.items()
    }


class _Errors:
    """Turn SQLite's errors into sentences a person can act on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, sqlite3.Error):
            return
        text = str(error)
        if "locked" in text or "busy" in text:
            why = "another program is writing to it; try again when it is done"
        elif "not a database" in text or "malformed" in text:
            why = "the file is no SQLite database, or it is damaged"
        elif "full" in text or "disk I/O" in text:
            why = f"the disk is full or cannot be written ({text}); free space and run it again"
        elif "readonly" in text or "unable to open" in text:
            why = f"it cannot be opened or written ({text}); look at the file's permissions"
        else:
            return
        raise StoreError(f"the store {self.path}: {why}") from error


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring a store to today's schema, whole or not at all."""
    db.execute("BEGIN IMMEDIATE")
    try:
        # somebody else may have done it while we waited for the lock
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for statement in schema_statements(in_sqlite, version):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
