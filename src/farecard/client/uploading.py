"""A journal on its way out while its decisions come back; after a break the rest is sent again."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from itertools import islice
from pathlib import Path
from socket import SHUT_RDWR
from threading import Thread

import msgspec

from farecard.client.answers import Decision, ProblemError, decision, problem
from farecard.client.calls import Calls, whole
from farecard.model.commands import Command

Source = Path | Sequence[Command] | Sequence[bytes]
PIECE = 1 << 16


class Upload:
    """One journal: how far its answers have come."""

    def __init__(self, calls: Calls, source: Source) -> None:
        self._calls = calls
        self._source = source
        self._answered = 0
        self._connection: HTTPConnection | None = None
        self._sending: Thread | None = None
        self._broken: Exception | None = None  # what went wrong with the source
        if isinstance(source, Path):
            source.open("rb").close()  # whether it is there at all is said at once

    def decisions(self) -> Iterator[Decision]:
        """Every line's decision, in order, each once."""
        patience = self._calls.patience()
        while True:
            try:
                for line in _lines(self._begin()):
                    found = decision(line)
                    self._answered += 1
                    patience.renew()
                    yield found
            except (ProblemError, OSError, HTTPException) as error:
                failed = error
            else:
                return
            finally:
                self._hang_up()
            if self._broken is not None:
                raise self._broken
            patience.after(failed)

    def _begin(self) -> HTTPResponse:
        """Send what has no answer yet; gives the answer's beginning."""
        self._connection = connection = self._calls.connect()
        headers = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}
        self._calls.begin(connection, "POST", "/v1/journal", headers)
        connection.auto_open = 0  # whoever sends over a closed one shall not open another
        self._sending = Thread(target=self._send, args=(connection,), daemon=True)
        self._sending.start()
        answer = connection.getresponse()
        if answer.status != 200:
            raise problem(answer.status, whole(answer), answer.getheader("retry-after"))
        if not answer.chunked:  # its head broke off
            raise IncompleteRead(b"")
        return answer

    def _send(self, connection: HTTPConnection) -> None:
        """Send a chunked body. Whoever reads the answer learns what went wrong on the way."""
        pieces = self._rest()
        while True:
            try:
                piece = next(pieces, b"")
            except Exception as error:  # noqa: BLE001  # the source's own, for whoever waits for decisions
                self._broken = error
                _shut(connection)
                return
            try:
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            except (OSError, HTTPException):
                return
            if not piece:
                return

    def _hang_up(self) -> None:
        """Close; whoever still sends finds it so, and ends."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _shut(connection)
            connection.close()
        if self._sending is not None:
            self._sending.join()
            self._sending = None

    def _rest(self) -> Iterator[bytes]:
        """The lines that have no answer yet, in pieces."""
        piece = b""
        for line in islice(_written(self._source), self._answered, None):
            piece += line + b"\n"
            if len(piece) >= PIECE:
                yield piece
                piece = b""
        if piece:
            yield piece


def _written(source: Source) -> Iterable[bytes]:
    """The lines of a journal. Blank ones are none: they get no decision."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            for line in file:
                if not line.isspace():
                    yield line.rstrip(b"\r\n")
        return
    for one in source:
        yield one if isinstance(one, bytes) else msgspec.json.encode(one)


def _shut(connection: HTTPConnection) -> None:
    """End both directions, whoever waits in them."""
    sock = connection.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(SHUT_RDWR)


def _lines(answer: HTTPResponse) -> Iterator[bytes]:
    """The lines of a chunked answer; ``IncompleteRead`` when it breaks off before its end."""
    rest = b""
    while piece := answer.read1(PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest or not answer.isclosed():
        raise IncompleteRead(rest)
