"""The PostgreSQL driver: many desks on one database, each reading freely and proving it when it writes.

What PostgreSQL says differently from the schema's text stands in ``DIALECT``; the tables live in the
schema ``farecard`` of the database. One connection reads facts, another writes, so that a batch can
be decided while the one before it is committed. No row is locked before it is written, unless a batch
collided before; a batch whose accounts, numbers, ids or names are no longer as they were read is
given up whole (``ConflictError``).
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from farecard.storage.errors import StoreError
from farecard.storage.pipeline import Lane, Pipeline, Results, Waits, wait_for
from farecard.storage.sql import SCHEMA_VERSION, queries, schema_statements, tables
from farecard.storage.store import EVERYDAY, Ask, ConflictError, Row, Writes

OLDEST_SERVER = 140000
MOST_WRITERS = 256
LOCKS = 0x46415245  # "FARE": the first key of our advisory locks; the second is the writer
MAKING = -1  # the second key while the store itself is made or added to
COPY_FROM = 256  # rows from which COPY is quicker than one INSERT

# the schema's word → PostgreSQL's. Text sorts by its bytes, as SQLite sorts it.
DIALECT = (
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
    (re.compile(r"^\) /\* rewritten in place \*/;", re.MULTILINE), ") WITH (fillfactor = 80);"),
)
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")

SESSION = """
SET search_path = farecard;
SET client_min_messages = warning;
SET jit = off;
"""
# A desk's statements walk the lists they are given in order, over the tables' keys: planned once, and
# two batches lock the rows they share in the same order.
DESK = """
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET lock_timeout = '10s';
"""
# an answer is durable, whatever the database's default is
DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""

# what a desk reads while it decides
READS = (
    "accounts", "numbers", "commands", "events", "reversed", "holders", "namesakes", "newest_network",
    "versions", "last_batch",
)  # fmt: skip

# a statement that must reach as many rows as it is given; if not, dividing by 0 ends the transaction at once
PROOF = "WITH kept AS ({} RETURNING 1) SELECT 1 / (count(*) = :expected::int8)::int4 FROM kept"
LOCK = "UPDATE account SET last_seq = last_seq WHERE account = ANY(:account)"

_TYPES = {"BIGINT": "int8", "TEXT": "text", "BYTEA": "bytea"}


def in_postgres(text: str) -> str:
    """Translate the schema."""
    for word, here in DIALECT:
        text = word.sub(here, text)
    return text


def _query(text: str) -> str:
    return _PARAMETER.sub(r"%(\1)b", text.replace("%", "%%"))


def without_password(url: str) -> str:
    """A store's URL for people."""
    parts = _parts(url)
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


def _parts(url: str) -> dict[str, Any]:
    try:
        return conninfo_to_dict(url)
    except psycopg.Error as error:
        raise StoreError(f"the store URL cannot be read: {str(error).strip()}") from None


def is_store(url: str) -> bool:
    """Whether a store was made in this database."""
    with _errors(without_password(url)), psycopg.connect(url, autocommit=True) as connection:
        return _is_made(connection)


def _is_made(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT to_regclass('farecard.about') IS NOT NULL").fetchone()
    return bool(row and row[0])


@contextmanager
def _errors(place: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into sentences a person can act on."""
    try:
        yield
    except (
        errors.DivisionByZero,  # a proof that failed: see proofs.sql
        errors.UniqueViolation,
        errors.DeadlockDetected,
        errors.SerializationFailure,
        errors.LockNotAvailable,
    ) as error:
        if "recovery" in str(error):  # no batch of ours collided: we asked a standby
            raise StoreError(
                f"the store {place}: the standby ended this question, since the primary cleaned up"
                " what it was reading; ask again, or set hot_standby_feedback = on there"
            ) from error
        raise ConflictError(type(error).__name__) from error
    except psycopg.Error as error:
        text = str(error).strip().splitlines()
        why = text[0] if text else type(error).__name__
        if isinstance(error, errors.DiskFull):
            why = f"the server's disk is full ({why}); free space and run it again"
        elif isinstance(error, errors.InsufficientPrivilege):
            why = f"the role lacks a right ({why}); its owner can GRANT it"
        elif isinstance(error, errors.ReadOnlySqlTransaction):
            why = "the server only reads: it is a standby; name the primary"
        elif isinstance(error, errors.TooManyConnections):
            why = f"{why}: the server has no connection left; try again"
        elif isinstance(error, psycopg.OperationalError):
            why = (
                f"the server cannot be reached or went away ({why}); when it is back, run it again"
            )
        raise StoreError(f"the store {place}: {why}") from error


class PostgresStore:
    """Two connections to one database: ours to read and ours to write."""

    def __init__(self, url: str, *, write: bool) -> None:
        """Open an existing store, or with ``write`` make one in a database that has none."""
        self.url = url
        self.place = without_password(url)
        self.overlaps = write
        self.writer = 0
        self.key_beside = _key_beside(url)
        self._write = write
        self._queries = queries(_query)
        self._columns = tables()
        self._asking: Lane[Results] | None = None
        self._keeping: Lane[None] | None = None
        self._asked: list[Ask] = []
        self._reader: psycopg.Connection | None = None
        self._writer: psycopg.Connection | None = None
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    # -- connections -------------------------------------------------------------------------

    def _connect(self) -> None:
        self._reader = self._open()
        with _errors(self.place):
            self._check(self._reader)
            made = _is_made(self._reader)
            if not made and not self._write:
                raise StoreError(
                    f"there is no store in {self.place}; `farecard --store URL replay FILE` makes one"
                )
            if self._write:
                self._writer = self._open()
                if not made:
                    self._make(self._writer)
            version = int({row[0]: row[1] for row in self.rows("about")}["schema"])
            if version > SCHEMA_VERSION:
                raise StoreError(
                    f"{self.place} was made by a newer farecard (schema {version}, this one knows"
                    f" {SCHEMA_VERSION}); update farecard to read it"
                )
            if self._writer is not None:
                self.writer = self._take_writer(self._writer)
                self._reader.execute(DESK)
                self._writer.execute(DESK)
                reads = queries(str, "queries.sql")
                self._asking = Lane(Pipeline(self._reader, {name: reads[name] for name in READS}))
                self._keeping = Lane(Pipeline(self._writer, self._writes()))

    def _open(self) -> psycopg.Connection:
        given = _parts(self.url)
        defaults: dict[str, Any] = {"connect_timeout": 10, "application_name": "farecard"}
        with _errors(self.place):
            connection = psycopg.connect(
                self.url,
                autocommit=True,
                **{name: value for name, value in defaults.items() if name not in given},
            )
            connection.execute(SESSION)
            connection.execute(DURABLE)
            return connection

    def _check(self, connection: psycopg.Connection) -> None:
        info = connection.info
        if info.server_version < OLDEST_SERVER:
            raise StoreError(
                f"{self.place} runs PostgreSQL {info.server_version // 10000}; use 14 or newer"
            )
        encoding = info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreError(
                f"the database at {self.place} is encoded in {encoding}; make one in UTF8"
            )

    def _make(self, connection: psycopg.Connection) -> None:
        """Make the tables, unless somebody else just did."""
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, MAKING))
            if _is_made(connection):
                return
            connection.execute("CREATE SCHEMA IF NOT EXISTS farecard")
            for statement in schema_statements(in_postgres):
                connection.execute(statement)
            connection.execute("INSERT INTO about VALUES ('schema', %s)", (str(SCHEMA_VERSION),))

    def _take_writer(self, connection: psycopg.Connection) -> int:
        """The lowest writer that nobody holds; ours until the connection ends."""
        for writer in range(MOST_WRITERS):
            taken = connection.execute(
                "SELECT pg_try_advisory_lock(%s, %s)", (LOCKS, writer)
            ).fetchone()
            if taken and taken[0]:
                return writer
        raise StoreError(f"{MOST_WRITERS} desks write to {self.place} already; end one of them")

    def _writes(self) -> dict[str, str]:
        """Every statement of a commit: proofs, and an insert a table with a list a column."""
        statements = {"begin": "BEGIN", "commit": "COMMIT", "rollback": "ROLLBACK"}
        for table, columns in self._columns.items():
            lists = ", ".join(f":{name}::{_TYPES[type]}[]" for name, type in columns.items())
            statements[table] = f"INSERT INTO {table} SELECT * FROM unnest({lists})"
        for name, text in queries(str, "proofs.sql").items():
            statements[f"proof_{name}"] = PROOF.format(text)
        statements["lock"] = LOCK
        return statements

    def _reading(self) -> psycopg.Connection:
        assert self._reader is not None
        return self._reader

    def _writing(self) -> psycopg.Connection:
        assert self._writer is not None, "opened to read"
        return self._writer

    def close(self) -> None:
        """Close both connections; what was not committed is gone."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()

    # -- transactions ------------------------------------------------------------------------

    def begin(self, lock: Sequence[int] | None = None) -> bool:
        """Be ready to decide; ``lock`` holds these accounts against others until the end.

        True when the connections had to be made anew, so that nothing in memory can be trusted.
        """
        anew = self._reading().closed or self._writing().closed
        if anew:
            self.close()
            self._connect()
        if lock:
            self._run([_BEGIN, ("lock", {"account": sorted(lock)})])
        return anew

    def begin_making(self) -> None:
        """Take the lock under which tariffs and networks are added."""
        with _errors(self.place):
            connection = self._writing()
            connection.execute("BEGIN")
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, MAKING))

    def begin_reading(self) -> None:
        """See the store as it is now until ``rollback``; takes no lock that others wait for."""
        with _errors(self.place):
            self._reading().execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """Make what was appended durable; returns once the server has it on its disk."""
        self._run([_COMMIT])

    def rollback(self) -> None:
        """Give the transaction up."""
        connection = self._writer if self._write else self._reader
        if connection is None or connection.closed:
            return
        if self.is_busy:
            connection.close()  # in the middle of something; the server ends it with the connection
            return
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            try:
                connection.execute("ROLLBACK")
            except psycopg.Error:
                connection.close()  # the server ends the transaction with it

    # -- reading -----------------------------------------------------------------------------

    def rows(self, name: str, **values: Any) -> list[Row]:
        """All rows of a named query; lists go in as they are."""
        with _errors(self.place), self._reading().cursor(binary=True) as cursor:
            if self._asking is not None:
                self._wait(self._asking)
            return cursor.execute(self._queries[name], values).fetchall()

    def ask(self, asks: list[Ask]) -> list[list[Row]]:
        """Several named queries in one round trip."""
        asking = self._asking
        if asking is None or any(name not in asking.pipeline for name, _ in asks):
            return [self.rows(name, **values) for name, values in asks]
        with _errors(self.place):
            self._wait(asking)
            pipeline = asking.pipeline
            return [pipeline.rows(result) for result in pipeline.drive(pipeline.run(asks))]

    def send(self, asks: list[Ask]) -> None:
        """Ask without waiting; what was asked before and not received is dropped."""
        asking = self._asking
        if asking is None:
            self._asked = asks
            return
        with _errors(self.place):
            self._wait(asking)
            asking.start(asking.pipeline.run(asks))

    def receive(self) -> list[list[Row]]:
        """Wait for what was sent last."""
        asking = self._asking
        if asking is None:
            return self.ask(self._asked)
        with _errors(self.place):
            self._wait(asking)
            rows = asking.pipeline.rows
            return [rows(result) for result in asking.result() or ()]

    @property
    def is_answered(self) -> bool:
        """Whether ``receive`` does not wait."""
        return self._asking is None or not self._asking.is_busy

    def _wait(self, lane: Lane[Any]) -> None:
        """Wait for a lane; the other goes on meanwhile."""
        if lane.is_busy:
            assert self._asking is not None and self._keeping is not None
            wait_for(lane, *(one for one in (self._asking, self._keeping) if one is not lane))

    def stream(self, name: str, **values: Any) -> Iterable[Row]:
        """The rows of a named query a few thousand at a time; within ``begin_reading``."""
        with _errors(self.place):
            cursor = self._reading().cursor(f"stream_{name}", binary=True)
            cursor.itersize = 4096
            with cursor:
                cursor.execute(self._queries[name], values)
                yield from cursor

    def integrity(self) -> str:
        """The server looks after its own files."""
        return "ok"

    # -- writing -----------------------------------------------------------------------------

    def append(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows, in the order of the table's columns."""
        if len(rows) >= COPY_FROM:
            with _errors(self.place):
                self._kept().pipeline.drive(self._copy(table, rows))
        elif rows:
            self._run([self._insert(table, rows)])

    def _kept(self) -> Lane[None]:
        assert self._keeping is not None, "opened to read"
        return self._keeping

    def _run(self, statements: list[Ask]) -> None:
        """Run statements of a commit in one round trip."""
        pipeline = self._kept().pipeline
        with _errors(self.place):
            pipeline.drive(pipeline.run(statements))

    def _insert(self, table: str, rows: Sequence[Sequence[Any]]) -> Ask:
        """One statement that inserts rows."""
        return table, dict(zip(self._columns[table], zip(*rows, strict=True), strict=True))

    def _copy(self, table: str, rows: Sequence[Sequence[Any]]) -> Waits[None]:
        types = [_TYPES[one] for one in self._columns[table].values()]
        return self._kept().pipeline.copy(table, types, rows)

    # -- a batch on its way ------------------------------------------------------------------

    def start(self, writes: Writes, done: Callable[[], None]) -> None:
        """Begin to write and commit a batch; ``done`` is called when it is durable."""
        self._kept().start(self._keep(writes), done)

    def pump(self) -> None:
        """Do what can be done of it, and of what was asked, without waiting."""
        for lane in self._lanes():
            lane.pump()

    def _lanes(self) -> list[Lane[Any]]:
        return [one for one in (self._asking, self._keeping) if one is not None]

    @property
    def is_busy(self) -> bool:
        """Whether a started batch is still on its way."""
        return self._keeping is not None and self._keeping.is_busy

    @property
    def waits_for(self) -> list[tuple[int, int]]:
        """Our connections to the server, and what they must be ready for."""
        return [one for lane in self._lanes() for one in lane.waits_for]

    def finish(self) -> None:
        """Wait until it is durable. ``ConflictError`` when what it rests on has changed."""
        keeping = self._kept()
        with _errors(self.place):
            self._wait(keeping)
            keeping.result()

    def _keep(self, writes: Writes) -> Waits[None]:
        """Write a batch and prove what it rests on. A proof that fails ends the transaction.

        In one round trip, or, where rows go by COPY, with the proofs first, so that a collision shows early.
        """
        pipeline = self._kept().pipeline
        status = self._writing().info.transaction_status
        # else our accounts are locked in it already
        first = [_BEGIN] if status == psycopg.pq.TransactionStatus.IDLE else []
        first += self._proof(writes)
        copied = [table for table, rows in writes.rows.items() if len(rows) >= COPY_FROM]
        last: list[Ask] = []
        for table, rows in writes.rows.items():
            if rows and table not in copied:
                (last if table in LAST else first).append(self._insert(table, rows))
        last.append(_COMMIT)
        if not copied:
            yield from pipeline.run(first + last)
            return
        yield from pipeline.run(first)
        for table in copied:
            yield from self._copy(table, writes.rows[table])
        yield from pipeline.run(last)

    def _proof(self, writes: Writes) -> Iterator[Ask]:
        """Statements that fail unless they reach as many rows as they are given."""
        account = tuple(self._columns["account"])
        for name, columns, rows in (
            ("everyday", ("was", "account", *EVERYDAY), writes.everyday),
            ("changed", ("was", *account), writes.changed),
            (
                "ended_numbers",
                ("ended", "ended_at", "head", "successor", "number"),
                writes.ended_numbers,
            ),
            ("claim_numbers", ("number",), [(number,) for number in writes.absent_numbers]),
            ("unclaim_numbers", ("number",), [(number,) for number in writes.absent_numbers]),
            *_names(writes.namesakes),
            ("claim_ids", ("sender", "id"), writes.absent_ids),
            ("unclaim_ids", ("sender", "id"), writes.absent_ids),
        ):
            if rows:
                values = dict(zip(columns, zip(*rows, strict=True), strict=True))
                yield f"proof_{name}", values | {"expected": len(rows)}


# these tables are written last, in the round trip of the commit
LAST = ("total", "batch")
_BEGIN: Ask = ("begin", {})
_COMMIT: Ask = ("commit", {})


def _names(
    rows: list[tuple[bytes, int, int]],
) -> Iterator[tuple[str, tuple[str, ...], Sequence[Row]]]:
    """A person still has as many cards as were read."""
    new = [(key, now) for key, was, now in rows if was == 0]
    yield "new_namesakes", ("name_key", "cards"), new
    yield "unclaim_namesakes", ("name_key",), [(key,) for key, now in new if now == 0]
    yield "more_namesakes", ("name_key", "was", "cards"), [row for row in rows if row[1]]


def _key_beside(url: str) -> Path:
    """A key file of this database in the user's own configuration."""
    parts = _parts(url)
    config = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    names = [str(parts.get(name) or "") for name in ("host", "port", "dbname")]
    stem = "-".join(re.sub(r"[^\w.]+", "_", name).strip("_") for name in names if name)
    return Path(config) / "farecard" / f"{stem or 'default'}.key"
