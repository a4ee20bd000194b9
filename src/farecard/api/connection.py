"""One client's connection: the server's own, with an eye on those who stall it.

A sweep once a second looks at every connection: whoever does not finish his headers or his command, and
whoever does not take his answers, is let go. Nothing of this costs a request a timer of its own.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from farecard.api.limits import Limits
from farecard.api.problems import MEDIA_TYPE, ProblemError, encoded
from farecard.model.verdict import Reason

_STATUS = {
    status: b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())
    for status in (200, 422)
}


@lru_cache(4)
def _common(headers: tuple[tuple[bytes, bytes], ...]) -> list[bytes]:
    """Headers of every answer, which change once a second, as they are written."""
    return [b"%s: %s\r\n" % one for one in headers]


LIVE: set["Connection"] = set()


class Connection(HttpToolsProtocol):
    """Uvicorn's connection. ``leaving`` is set once the server was told to stop."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaving = asyncio.Event()
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
        """The headers are whole."""
        super().on_headers_complete()
        self.begun_at = None

    def answer(self, receive: Any, scope: dict[str, Any], status: int, body: bytes) -> bool:
        """Write a whole answer in JSON at once; False where it has to wait for whoever reads slowly.

        What the server does in two steps for any answer, with a look at each header, in one for those we know. The
        request is that of ``receive``. (Kept in its scope it would be a circle, and collecting those takes a tenth of a second.)
        """
        cycle = receive.__self__
        if self.flow.write_paused or cycle.response_started:
            return False
        if cycle.disconnected:
            return True
        head = [_STATUS[status], *_common(tuple(cycle.default_headers))]
        head.append(b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body))
        if not cycle.keep_alive:
            head.append(b"connection: close\r\n")
        self.transport.write(b"".join((*head, b"\r\n", body)))
        scope["farecard_status"] = status
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True

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
