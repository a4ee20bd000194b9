"""The PostgreSQL driver: many desks on one database, each reading freely and proving it when it writes.

The tables live in the schema ``farecard`` of the database. One connection reads facts, another writes, so
that a batch can be decided while the one before it is committed. No row is locked before it is
written, unless a batch collided before; a batch whose accounts, numbers, ids or names are no longer
as they were read is given up whole (``ConflictError``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql

from farecard.storage.errors import StoreError
from farecard.storage.pipeline import Lane, Pipeline, Results, Waits, wait_for
from farecard.storage.server import (
    check_server,
    connect,
    in_words,
    is_gone,
    is_made,
    key_beside,
    without_password,
)
from farecard.storage.sql import BY_ACCOUNT, SCHEMA_VERSION, queries, schema_statements, survey
from farecard.storage.statements import (
    BEGIN,
    COMMIT,
    DESK,
    LAST,
    SURVEY,
    column_types,
    desk_reads,
    desk_writes,
    for_cursor,
    in_postgres,
    insert,
    proofs,
)
from farecard.storage.store import Ask, Row, Writes

# about the middle of the accounts that a survey looks at; of a few there is none
MIDDLE = "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY account) FROM application TABLESAMPLE SYSTEM (1)"
MOST_WRITERS = 256
LOCKS = 0x46415245  # "FARE": the first key of our advisory locks; the second is the writer
MAKING = -1  # the second key while the store itself is made or added to
COPY_FROM = 256  # rows from which COPY is quicker than one INSERT


class PostgresStore:
    """Two connections to one database: ours to read and ours to write."""

    def __init__(self, url: str, *, write: bool) -> None:
        """Open an existing store, or with ``write`` make one in a database that has none."""
        self.url = url
        self.place = without_password(url)
        self.overlaps = write
        self.writer = 0
        self.key_beside = key_beside(url)
        self._write = write
        self._queries = queries(for_cursor)
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
        self._reader = connect(self.url)
        with in_words(self.place):
            check_server(self._reader, self.place)
            made = is_made(self._reader)
            if not made and not self._write:
                raise StoreError(
                    f"there is no store in {self.place}; `farecard --store URL replay FILE` makes one"
                )
            if self._write:
                self._writer = connect(self.url)
                self._make(self._writer)
            version = int({row[0]: row[1] for row in self.rows("about")}["schema"])
            if version < SCHEMA_VERSION:
                raise StoreError(
                    f"{self.place} was made by an older farecard (schema {version}, this one works with"
                    f" {SCHEMA_VERSION}); the next `farecard --store URL replay FILE` brings it up to date"
                )
            if version > SCHEMA_VERSION:
                raise StoreError(
                    f"{self.place} was made by a newer farecard (schema {version}, this one knows"
                    f" {SCHEMA_VERSION}); update farecard to read it"
                )
            if self._writer is not None:
                self.writer = self._take_writer(self._writer)
                self._reader.execute(DESK)
                self._writer.execute(DESK)
                self._asking = Lane(Pipeline(self._reader, desk_reads()))
                self._keeping = Lane(Pipeline(self._writer, desk_writes()))

    def _make(self, connection: psycopg.Connection) -> None:
        """Make the tables, or those that an older store lacks, unless somebody else just did."""
        if _version(connection) >= SCHEMA_VERSION:
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, MAKING))
            version = _version(connection)
            if version >= SCHEMA_VERSION:
                return
            connection.execute("CREATE SCHEMA IF NOT EXISTS farecard")
            for statement in schema_statements(in_postgres, version):
                connection.execute(statement)
            connection.execute("DELETE FROM about WHERE name = 'schema'")
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

        True when the connections had to be made anew, so that nothing in memory can be trusted. A server
        that was restarted since is noticed here, before anything is asked.
        """
        anew = self.is_lost
        if anew:
            self.close()
            self._connect()
        if lock:
            self._run([BEGIN, ("lock", {"account": sorted(lock)})])
        return anew

    @property
    def is_lost(self) -> bool:
        """Whether one of the connections has ended."""
        return self._is_gone(self._reading(), self._asking) or self._is_gone(
            self._writing(), self._keeping
        )

    def _is_gone(self, connection: psycopg.Connection, lane: Lane[Any] | None) -> bool:
        """Whether a connection has ended; where something is under way, that finds it out itself."""
        if lane is not None and lane.is_busy:
            return connection.closed
        return is_gone(connection)

    def begin_making(self) -> None:
        """Take the lock under which tariffs and networks are added."""
        with in_words(self.place):
            connection = self._writing()
            connection.execute("BEGIN")
            try:
                connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, MAKING))
            except errors.LockNotAvailable:
                raise StoreError(
                    f"the store {self.place}: another program is making it or adding to it; try again"
                ) from None

    def begin_reading(self) -> None:
        """See the store as it is now until ``rollback``; takes no lock that others wait for."""
        with in_words(self.place):
            self._reading().execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """Make what was appended durable; returns once the server has it on its disk."""
        self._run([COMMIT])

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
        with in_words(self.place), self._reading().cursor(binary=True) as cursor:
            if self._asking is not None:
                self._wait(self._asking)
            return cursor.execute(self._queries[name], values).fetchall()

    def ask(self, asks: list[Ask]) -> list[list[Row]]:
        """Several named queries in one round trip."""
        asking = self._asking
        if asking is None or any(name not in asking.pipeline for name, _ in asks):
            return [self.rows(name, **values) for name, values in asks]
        with in_words(self.place):
            self._wait(asking)
            pipeline = asking.pipeline
            return [pipeline.rows(result) for result in pipeline.drive(pipeline.run(asks))]

    def send(self, asks: list[Ask]) -> None:
        """Ask without waiting; what was asked before and not received is dropped."""
        asking = self._asking
        if asking is None:
            self._asked = asks
            return
        with in_words(self.place):
            self._wait(asking)
            asking.start(asking.pipeline.run(asks))

    def receive(self) -> list[list[Row]]:
        """Wait for what was sent last."""
        asking = self._asking
        if asking is None:
            return self.ask(self._asked)
        with in_words(self.place):
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
        with in_words(self.place):
            cursor = self._reading().cursor(f"stream_{name}", binary=True)
            cursor.itersize = 4096
            with cursor:
                cursor.execute(self._queries[name], values)
                yield from cursor

    def survey(self, name: str, **values: Any) -> Iterable[Row]:
        """The rows of a statement over all accounts, on connections of its own: one state of the store.

        A cursor's answer is made by one process of the server; so where rows are of one account each, two of them
        look at half of the accounts each.
        """
        text = survey(for_cursor, name)
        with in_words(self.place), self._surveying() as one:
            middle = one.execute(MIDDLE).fetchone() if name in BY_ACCOUNT else None
            if middle is None or middle[0] is None:
                yield from _rows(one, text, values)
                return
            (snapshot,) = one.execute("SELECT pg_export_snapshot()").fetchone() or ()
            with self._surveying(snapshot) as other, ThreadPoolExecutor(1) as pool:
                upper = pool.submit(lambda: list(_rows(other, text, {**values, "low": middle[0]})))
                try:
                    yield from _rows(one, text, {**values, "high": middle[0]})
                    yield from upper.result()
                finally:
                    if not upper.done():
                        other.cancel()

    @contextmanager
    def _surveying(self, snapshot: str | None = None) -> Iterator[psycopg.Connection]:
        """A connection in a transaction that sees one state of the store; that of another with its snapshot."""
        with connect(self.url) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if snapshot is not None:
                connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
            connection.execute(SURVEY)
            yield connection

    def integrity(self) -> str:
        """The server looks after its own files."""
        return "ok"

    # -- writing -----------------------------------------------------------------------------

    def append(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows, in the order of the table's columns."""
        if len(rows) >= COPY_FROM:
            with in_words(self.place):
                self._kept().pipeline.drive(self._copy(table, rows))
        elif rows:
            self._run([insert(table, rows)])

    def change(self, statement: str, /, **values: Any) -> int:
        """Run a named statement that changes rows; gives how many it changed."""
        with in_words(self.place), self._writing().cursor() as cursor:
            return cursor.execute(self._queries[statement], values).rowcount

    def overwrite(self) -> None:
        """Nothing: ``sweep`` does it."""

    def sweep(self, tables: Sequence[str]) -> None:
        """Have the server take the old rows out: no statement finds them; their bytes go as their pages are used again."""
        with in_words(self.place):
            for table in tables:
                self._writing().execute(sql.SQL("VACUUM {}").format(sql.Identifier(table)))

    def _kept(self) -> Lane[None]:
        assert self._keeping is not None, "opened to read"
        return self._keeping

    def _run(self, statements: list[Ask]) -> None:
        """Run statements of a commit in one round trip."""
        pipeline = self._kept().pipeline
        with in_words(self.place):
            pipeline.drive(pipeline.run(statements))

    def _copy(self, table: str, rows: Sequence[Sequence[Any]]) -> Waits[None]:
        return self._kept().pipeline.copy(table, column_types(table), rows)

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
        with in_words(self.place):
            self._wait(keeping)
            keeping.result()

    def _keep(self, writes: Writes) -> Waits[None]:
        """Write a batch and prove what it rests on. A proof that fails ends the transaction.

        In one round trip, or, where rows go by COPY, with the proofs first, so that a collision shows early.
        """
        pipeline = self._kept().pipeline
        status = self._writing().info.transaction_status
        # else our accounts are locked in it already
        first = [BEGIN] if status == psycopg.pq.TransactionStatus.IDLE else []
        first += proofs(writes)
        copied = [table for table, rows in writes.rows.items() if len(rows) >= COPY_FROM]
        last: list[Ask] = []
        for table, rows in writes.rows.items():
            if rows and table not in copied:
                (last if table in LAST else first).append(insert(table, rows))
        last += [
            *writes.subtotals,
            (
                "proof_inputs",
                dict(zip(("tariff", "network", "campaign"), writes.inputs, strict=True)),
            ),
            COMMIT,
        ]
        if not copied:
            yield from pipeline.run(first + last)
            return
        yield from pipeline.run(first)
        for table in copied:
            yield from self._copy(table, writes.rows[table])
        yield from pipeline.run(last)


def _version(connection: psycopg.Connection) -> int:
    """The version of the schema; 0 where there is no store."""
    if not is_made(connection):
        return 0
    row = connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
    assert row is not None
    return int(row[0])


def _rows(connection: psycopg.Connection, text: str, values: dict[str, Any]) -> Iterator[Row]:
    """The rows of a statement, a few thousand at a time."""
    cursor = connection.cursor("survey", binary=True)
    cursor.itersize = 4096
    with cursor:
        cursor.execute(text, values)
        yield from cursor
