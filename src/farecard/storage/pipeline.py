"""Prepared statements over libpq, several in one round trip, their lists sent as binary columns.

psycopg's cursors would do the same; for batches of a few dozen commands their work a statement and a
list is more than the server's.
"""

import re
import select
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from struct import pack
from typing import Any, NamedTuple

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

_NULL = b"\xff\xff\xff\xff"
_BINARY = 1
_KEPT_TEXTS = 20_000

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


def numbered(text: str) -> tuple[str, list[str]]:
    """A statement with :names as $1, $2, …; and the names in that order."""
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text), names


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
    else:
        body = pack(">" + "iq" * count, *chain.from_iterable(zip(repeat(8), values)))
    return _array(20, count, body)


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


class Pipeline:
    """Statements prepared on one connection. Nothing else may run on it meanwhile."""

    def __init__(self, connection: psycopg.Connection, statements: dict[str, str]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._transformer = Transformer(connection)
        self._prepared: dict[str, _Prepared] = {}
        pairs = []
        self._pg.enter_pipeline_mode()
        for name, text in statements.items():
            statement, parameters = numbered(text)
            pairs.append((name, parameters))
            self._pg.send_prepare(name.encode(), statement.encode())
            self._pg.send_describe_prepared(name.encode())
        described = self._results()[1::2]
        for (name, parameters), result in zip(pairs, described, strict=True):
            types = [result.param_type(n) for n in range(result.nparams)]
            encoders = [
                _new_text_array if oid == 1009 and one in _NEW else _ENCODERS[oid]
                for one, oid in zip(parameters, types, strict=True)
            ]
            self._prepared[name] = _Prepared(name.encode(), parameters, encoders)

    def __contains__(self, name: str) -> bool:
        return name in self._prepared

    def run(self, asks: Iterable[tuple[str, dict[str, Any]]]) -> list[pq.abc.PGresult]:
        """Run statements in order, in one round trip; the first that fails is raised."""
        self._pg.enter_pipeline_mode()
        for name, values in asks:
            _, parameters, encoders = statement = self._prepared[name]
            encoded = [
                encode(values[one]) for one, encode in zip(parameters, encoders, strict=True)
            ]
            self._pg.send_query_prepared(statement.name, encoded, [_BINARY] * len(encoded), _BINARY)
        return self._results()

    def rows(self, result: pq.abc.PGresult) -> list[tuple[Any, ...]]:
        """A result's rows."""
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _results(self) -> list[pq.abc.PGresult]:
        pg = self._pg
        pg.pipeline_sync()
        self._send()
        found: list[pq.abc.PGresult] = []
        failed: pq.abc.PGresult | None = None
        while True:
            while pg.is_busy():
                self._wait(select.POLLIN)
                pg.consume_input()
            result = pg.get_result()
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

    def _send(self) -> None:
        while self._pg.flush():
            ready = self._wait(select.POLLIN | select.POLLOUT)
            if ready & select.POLLIN:
                self._pg.consume_input()

    def _wait(self, what: int) -> int:
        """Wait for the server; the other thread goes on meanwhile."""
        poll = select.poll()
        poll.register(self._pg.socket, what)
        return poll.poll()[0][1]
