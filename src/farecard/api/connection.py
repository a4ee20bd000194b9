"""One client's connection: the server's own, with an eye on those who stall it.

A sweep once a second looks at every connection: whoever does not finish his headers or his command, and
whoever does not take his answers, is let go. Nothing of this costs a request a timer of its own.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from farecard.api.limits import Limits
from farecard.api.problems import MEDIA_TYPE, Headers, ProblemError, encoded
from farecard.model.verdict import Reason


@lru_cache(32)
def _status(status: int) -> bytes:
    return b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())


@lru_cache(4)
def _common(headers: tuple[tuple[bytes, bytes], ...]) -> list[bytes]:
    """Headers of every answer, which change once a second, as they are written."""
    return [b"%s: %s\r\n" % one for one in headers]


COMMANDS = b"/v1/commands"
JSON = b"application/json"
LIVE: set["Connection"] = set()


class _Nobody:
    """An event that nobody waits for."""

    def set(self) -> None:
        """Nothing."""


class Quick:
    """A command on the short way: of the server's own request as much as its connection looks at."""

    message_event = _Nobody()
    waiting_for_100_continue = False

    def __init__(self) -> None:
        self.body = bytearray()
        self.response_started = self.response_complete = self.disconnected = False
        self.keep_alive = True
        self.more_body = True


class Connection(HttpToolsProtocol):
    """Uvicorn's connection. ``leaving`` is set once the server was told to stop.

    ``quick`` takes a whole command off the short way; False when it shall go the long one.
    """

    limits = Limits()
    quick: ClassVar[Callable[["Connection", Quick], bool] | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaving = asyncio.Event()
        self._quick: Quick | None = None
        self.begun_at: float | None = (
            None  # when this request's first byte came, while its headers come in
        )
        self.wants_by: float | None = None  # until when whoever reads the body is willing to wait
        self.header_bytes = 0
        self._stuck = (0, 0.0)  # bytes nobody takes, and since when

    def connection_made(self, transport: Any) -> None:
        """A client is here."""
        super().connection_made(transport)
        self.begun_at = self.loop.time()
        LIVE.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """A client is gone."""
        super().connection_lost(exc)
        LIVE.discard(self)

    def on_message_begin(self) -> None:
        """A request's first byte."""
        super().on_message_begin()
        self.begun_at = self.loop.time()
        self.header_bytes = 0
        self.scope["farecard"] = self  # type: ignore[typeddict-unknown-key]  # ours

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def _count(self, bytes: int) -> None:
        self.header_bytes += bytes
        if self.header_bytes > self.limits.headers:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        """The headers are whole. A plain command takes the short way: no task, no scope, one write."""
        self.begun_at = None
        if self.url == COMMANDS and self.quick is not None and self._is_plain():
            self.cycle = self._quick = Quick()  # type: ignore[assignment]  # as much of one as is looked at
            self.wants_by = self.loop.time() + self.limits.body_within
        else:
            super().on_headers_complete()

    def _is_plain(self) -> bool:
        """Whether this is a POST of a known, small length, with nothing before it under way."""
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        parser = self.parser
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return False
        length = False
        for name, value in self.headers:
            if name == b"content-length":
                length = value.isdigit() and len(value) < 8 and int(value) <= self.limits.body
            elif name in (b"expect", b"upgrade", b"transfer-encoding", b"content-encoding"):
                return False
        return length and parser.should_keep_alive()

    def _on_the_short_way(self) -> Quick | None:
        """The request whose body comes in, if it is there."""
        cycle: object = self.cycle
        return self._quick if cycle is self._quick else None

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        quick = self._on_the_short_way()
        if quick is None:
            super().on_body(body)
            return
        quick.body += body
        self.wants_by = self.loop.time() + self.limits.body_within

    def on_message_complete(self) -> None:
        """A request is whole."""
        quick = self._on_the_short_way()
        if quick is None:
            super().on_message_complete()
            return
        self.wants_by = None
        if quick.response_complete:  # it was let go meanwhile
            return
        take = type(self).quick
        if take is None or not take(
            self, quick
        ):  # anything else than a good command goes the long way
            self.cycle = self._quick = None  # type: ignore[assignment]  # as before the first request
            super().on_headers_complete()
            self.cycle.body = quick.body
            super().on_message_complete()

    def answer_quick(
        self, quick: "Quick", status: int, body: bytes, kind: bytes = JSON, headers: Headers = ()
    ) -> None:
        """Answer a request that took the short way."""
        if quick.disconnected or quick.response_complete:
            return
        length = b"content-type: %s\r\ncontent-length: %d\r\n" % (kind, len(body))
        head = [_status(status), *_common(tuple(self.server_state.default_headers)), length]
        head += [b"%s: %s\r\n" % one for one in headers]
        if not quick.keep_alive:
            head.append(b"connection: close\r\n")
        self.transport.write(b"".join((*head, b"\r\n", body)))
        quick.response_started = quick.response_complete = True
        if not quick.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # what uvicorn would say
        """What came was no HTTP."""
        if self.header_bytes > self.limits.headers:
            reason = Reason(None, "headers-too-large", {"most": self.limits.headers})
            self.refuse(ProblemError(431, reason))
        else:
            self.refuse(ProblemError(400, Reason(None, "bad-request")))

    def shutdown(self) -> None:
        """The server was told to stop: idle connections end, the others when they are answered."""
        self.leaving.set()
        super().shutdown()

    def refuse(self, problem: ProblemError) -> None:
        """Say a problem past the application, and hang up; only hang up where an answer has begun."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = encoded(problem)
            head = [
                b"HTTP/1.1 %d " % problem.status,
                b"\r\ncontent-type: " + MEDIA_TYPE,
                b"\r\ncontent-length: %d" % len(body),
                b"\r\nconnection: close\r\n\r\n",
                body,
            ]
            self.transport.write(b"".join(head))
        if self._quick is not None:
            self._quick.response_complete = True  # whatever comes of it now is too late
        self.transport.close()

    def look(self, now: float) -> None:
        """Let go of a client that stalls."""
        limits = self.limits
        if self.transport.is_closing():
            pass
        elif (self.begun_at is not None and now - self.begun_at > self._patience) or (
            self.wants_by is not None and now > self.wants_by
        ):
            self._late()
        size = self.transport.get_write_buffer_size()
        if size == 0 or size != self._stuck[0]:
            self._stuck = (size, now)
        elif now - self._stuck[1] > limits.unread:
            self.transport.abort()

    @property
    def _patience(self) -> float:
        """How long to wait for headers; a fresh connection may be idle for a while."""
        return self.limits.headers_within if self.scope else self.limits.idle

    def _late(self) -> None:
        self.begun_at = self.wants_by = None
        self.refuse(ProblemError(408, Reason(None, "too-slow")))


def sweep(now: float) -> None:
    """Look at every connection."""
    for connection in list(LIVE):
        connection.look(now)


async def hear(scope: dict[str, Any], receive: Callable[[], Any], within: float) -> Any:
    """The next message of a request; the client is let go when it does not come in time."""
    connection: Connection | None = scope.get("farecard")
    if connection is None:  # another server
        return await receive()
    connection.wants_by = connection.loop.time() + within
    message = await receive()
    connection.wants_by = None
    return message
