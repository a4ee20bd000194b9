"""Prepared statements over libpq, several in one round trip, their lists sent as binary columns.

psycopg's cursors would do the same; for batches of a few dozen commands their work a statement and a
list is more than the server's. What waits for the server is a generator that yields what it waits for
(``select.POLLIN``, ``POLLOUT``), so that whoever drives it may do something else meanwhile.
"""

import select
import sys
from array import array
from collections.abc import Callable, Generator, Iterable, Sequence
from io import BytesIO
from struct import pack
from typing import Any, Generic, NamedTuple, TypeVar

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer
from psycopg.copy import Copy, FileWriter

from farecard.storage.errors import StoreError
from farecard.storage.sql import PARAMETER
from farecard.storage.store import Ask

T = TypeVar("T")

_NULL = b"\xff\xff\xff\xff"
_LENGTH_AND_NUMBER = pack(">iq", 8, 0)
_BINARY = 1
_KEPT_TEXTS = 20_000


def numbered(text: str) -> tuple[str, list[str]]:
    """A statement with :names as $1, $2, …; and the names in that order."""
    names = list(dict.fromkeys(PARAMETER.findall(text)))
    return PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text), names


# -- values as PostgreSQL's binary format has them -----------------------------------------------


def _bytes(value: bytes) -> bytes:
    return pack(">i", len(value)) + value


class _Texts(dict[str | None, bytes]):
    """Texts with their length before them, for columns where most come again and again."""

    def __init__(self) -> None:
        self[None] = _NULL

    def __missing__(self, value: str) -> bytes:
        if len(self) > _KEPT_TEXTS:
            self.clear()
            self[None] = _NULL
        encoded = self[value] = _bytes(value.encode())
        return encoded


_texts = _Texts()


def _array(oid: int, count: int, body: bytes) -> bytes:
    """A list: one dimension, nulls allowed, the element's type, the length, from 1."""
    if not count:
        return pack(">iii", 0, 0, oid)
    return pack(">iiiii", 1, 1, oid, count, 1) + body


def _int8_array(values: Sequence[int | None]) -> bytes:
    count = len(values)
    if None in values:
        body = b"".join([_NULL if v is None else pack(">iq", 8, v) for v in values])
        return _array(20, count, body)
    # a length and a number, again and again: one of the number's eight bytes at a time, for all of them
    spaced = bytearray(_LENGTH_AND_NUMBER * count)
    numbers = array("q", values)  # type: ignore[type-var]  # none of them is None
    if sys.byteorder == "little":
        numbers.byteswap()
    packed = numbers.tobytes()
    for place in range(8):
        spaced[4 + place :: 12] = packed[place::8]
    return _array(20, count, bytes(spaced))


def _text_array(values: Sequence[str | None]) -> bytes:
    return _array(25, len(values), b"".join(map(_texts.__getitem__, values)))


def _new_text_array(values: Sequence[str | None]) -> bytes:
    """Texts that hardly ever come again."""
    body = [_NULL if v is None else _bytes(v.encode()) for v in values]
    return _array(25, len(values), b"".join(body))


def _bytea_array(values: Sequence[bytes | None]) -> bytes:
    return _array(17, len(values), b"".join([_NULL if v is None else _bytes(v) for v in values]))


_ENCODERS: dict[int, Callable[[Any], bytes]] = {
    17: bytes,
    20: lambda value: pack(">q", value),
    25: str.encode,
    1001: _bytea_array,
    1009: _text_array,
    1016: _int8_array,
}

_NEW = frozenset(("id", "ids", "result", "sets", "reasons", "warnings", "why"))

# -- statements ----------------------------------------------------------------------------------


class _Prepared(NamedTuple):
    """A statement the server knows: its name there, its parameters and how each is encoded."""

    name: bytes
    parameters: list[str]
    encoders: list[Callable[[Any], bytes]]


Results = list[pq.abc.PGresult]
Waits = Generator[int, int, T]


class Pipeline:
    """Statements prepared on one connection. One thing at a time may run on it."""

    def __init__(self, connection: psycopg.Connection, statements: dict[str, str]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._transformer = Transformer(connection)
        self._prepared: dict[str, _Prepared] = {}
        self._poll = select.poll()
        pairs = []
        self._pg.enter_pipeline_mode()
        for name, text in statements.items():
            statement, parameters = numbered(text)
            pairs.append((name, parameters))
            self._pg.send_prepare(name.encode(), statement.encode())
            self._pg.send_describe_prepared(name.encode())
        described = self.drive(self._results())[1::2]
        for (name, parameters), result in zip(pairs, described, strict=True):
            types = [result.param_type(n) for n in range(result.nparams)]
            encoders = [
                _new_text_array if oid == 1009 and one in _NEW else _ENCODERS[oid]
                for one, oid in zip(parameters, types, strict=True)
            ]
            self._prepared[name] = _Prepared(name.encode(), parameters, encoders)

    def __contains__(self, name: str) -> bool:
        return name in self._prepared

    @property
    def socket(self) -> int:
        """The file descriptor to wait on."""
        return self._pg.socket

    def drive(self, waits: Waits[T]) -> T:
        """Wait for a generator to its end, doing nothing else."""
        try:
            what = next(waits)
            while True:
                self._poll.register(self._pg.socket, what)
                what = waits.send(self._poll.poll()[0][1])
        except StopIteration as end:
            found: T = end.value
            return found

    def run(self, asks: Iterable[Ask]) -> Waits[Results]:
        """Run statements in order, in one round trip; the first that fails is raised."""
        self._pg.enter_pipeline_mode()
        for name, values in asks:
            _, parameters, encoders = statement = self._prepared[name]
            encoded = [
                encode(values[one]) for one, encode in zip(parameters, encoders, strict=True)
            ]
            self._pg.send_query_prepared(statement.name, encoded, [_BINARY] * len(encoded), _BINARY)
        return self._results()

    def copy(self, table: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> Waits[None]:
        """COPY rows into a table. Their bytes are made here, and sent as the server takes them."""
        pg = self._pg
        pg.send_query(f"COPY {table} FROM STDIN (FORMAT BINARY)".encode())
        yield from self._flush()
        yield from self._result(pq.ExecStatus.COPY_IN)
        buffer = BytesIO()
        with (
            self._connection.cursor() as cursor,
            Copy(cursor, binary=True, writer=FileWriter(buffer)) as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        pg.put_copy_data(buffer.getbuffer())
        pg.put_copy_end()
        yield from self._flush()
        yield from self._result(pq.ExecStatus.COMMAND_OK)

    def rows(self, result: pq.abc.PGresult) -> list[tuple[Any, ...]]:
        """A result's rows."""
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _results(self) -> Waits[Results]:
        pg = self._pg
        pg.pipeline_sync()
        yield from self._flush()
        found: Results = []
        failed: pq.abc.PGresult | None = None
        while True:
            result = yield from self._next()
            if result is None:
                continue  # the end of one statement's results
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            if result.status == pq.ExecStatus.FATAL_ERROR:
                failed = failed or result
            found.append(result)
        pg.exit_pipeline_mode()
        if failed is not None:
            raise errors.error_from_result(failed)
        return found

    def _result(self, expected: pq.ExecStatus) -> Waits[None]:
        """The one result of a simple statement; of a COPY also that it may begin."""
        result = yield from self._next()
        assert result is not None
        if result.status == pq.ExecStatus.FATAL_ERROR:
            while (yield from self._next()) is not None:
                pass
            raise errors.error_from_result(result)
        assert result.status == expected, result.status
        if expected != pq.ExecStatus.COPY_IN:
            assert (yield from self._next()) is None

    def _next(self) -> Waits[pq.abc.PGresult | None]:
        pg = self._pg
        while pg.is_busy():
            yield select.POLLIN
            pg.consume_input()
        return pg.get_result()

    def _flush(self) -> Waits[None]:
        while self._pg.flush():
            ready = yield select.POLLIN | select.POLLOUT
            if ready & select.POLLIN:
                self._pg.consume_input()


class Lane(Generic[T]):
    """A connection's one thing under way, driven a step at a time by whoever has a moment."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._waits: Waits[T] | None = None
        self._what = 0
        self._found: list[T] = []
        self._failure: Exception | None = None
        self._done: Callable[[], None] | None = None
        self._poll = select.poll()

    def start(self, waits: Waits[T], done: Callable[[], None] | None = None) -> None:
        """Begin; ``done`` is called as soon as it went well."""
        assert self._waits is None
        self._waits, self._done = waits, done
        self._found.clear()
        self._failure = None
        self.step(None)

    @property
    def is_busy(self) -> bool:
        """Whether it is still on its way."""
        return self._waits is not None

    @property
    def waits_for(self) -> list[tuple[int, int]]:
        """The socket and the events it waits for; nothing when the connection is gone: it has failed then."""
        if self._waits is None:
            return []
        try:
            return [(self.pipeline.socket, self._what)]
        except psycopg.Error as failure:
            self._waits = None
            self._failure = failure
            return []

    def step(self, ready: int | None) -> None:
        """One step further. A failure is kept for ``result``: the caller may be about something else."""
        assert self._waits is not None
        try:
            self._what = self._waits.send(ready)  # type: ignore[arg-type]  # None begins it
        except StopIteration as end:
            self._waits = None
            self._found.append(end.value)
            if self._done is not None:
                self._done()
        except (psycopg.Error, StoreError) as failure:
            self._waits = None
            self._failure = failure

    def pump(self) -> None:
        """Go as far as it goes without waiting."""
        while waits := self.waits_for:
            self._poll.register(*waits[0])
            ready = self._poll.poll(0)
            if not ready:
                return
            self.step(ready[0][1])

    def result(self) -> T | None:
        """What came of it, once it is no longer busy; None when that was told before."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return self._found.pop() if self._found else None


def wait_for(lane: Lane[Any], *others: Lane[Any]) -> None:
    """Wait until one lane is done; the others go on meanwhile."""
    while lane.is_busy:
        poll = select.poll()
        busy: dict[int, Lane[Any]] = {}
        for one in (lane, *others):
            for socket, what in one.waits_for:
                poll.register(socket, what)
                busy[socket] = one
        if lane.is_busy:
            for socket, ready in poll.poll():
                busy[socket].step(ready)
