"""``POST /v1/journal``: commands stream in, decisions stream out, and neither waits for the other's end.

What was read and not yet answered into the socket is bounded; at the bound nothing more is read, and TCP
holds the client up. What breaks off can be sent again from the start: what was decided is answered again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from farecard.api.connection import Connection, hear
from farecard.api.limits import Limits
from farecard.api.logs import tell_decided
from farecard.api.problems import busy
from farecard.api.replies import PRIVATE, Receive, Scope, Send
from farecard.api.speakers import Speaker
from farecard.desk.entries import Entry
from farecard.desk.queue import QueueClosedError
from farecard.desk.waiting import AsyncWindow, Future
from farecard.model.verdict import Reason
from farecard.storage.errors import StoreError
from farecard.wire.answer import Answer, encode_answer
from farecard.wire.lines import Lines

_log = logging.getLogger("farecard.api")
MEDIA_TYPES = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl")
_HEADERS = [(b"content-type", MEDIA_TYPES[0]), *PRIVATE]
Tally = Callable[[list[Answer]], None]
Read = Callable[[Speaker, bytes], Entry]
Still = Callable[[], Awaitable[bool]]
AT_ONCE = 256  # lines decoded between two looks at everybody else


class BrokenOffError(Exception):
    """The answer has begun and cannot be finished: the connection ends without its last piece."""


class Upload:
    """One journal on its way."""

    def __init__(
        self, window: AsyncWindow, speaker: Speaker, still: Still, read: Read, limits: Limits, tally: Tally
    ) -> None:  # fmt: skip
        """``still`` tells whether the speaker's key, or session, is still good."""
        self._window = window
        self._speaker = speaker
        self._still = still
        self._read_line = read
        self._limits = limits
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._answers: deque[Future] = deque()
        self._in_flight = 0
        self._news = asyncio.Event()  # there is something to answer, or nothing more to come
        self._room = asyncio.Event()
        self._ended = False
        self._whole = False  # the client has said all it wanted to

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read and answer. Raises ``ProblemError`` before anything was answered, ``BrokenOffError`` after."""
        connection: Connection | None = scope.get("farecard")
        reading = self._loop.create_task(self._read(scope, receive))
        leaving = None
        if connection is not None:
            leaving = self._loop.create_task(self._leave(connection, reading))
        try:
            await self._write(send)
            await reading
        except asyncio.CancelledError:
            if not (reading.cancelled() and connection is not None and connection.leaving.is_set()):
                raise
            raise BrokenOffError from None
        finally:
            reading.cancel()
            if leaving is not None:
                leaving.cancel()
            for future in self._answers:  # nobody is left to tell; it is decided all the same
                future.cancel()
            await asyncio.wait([reading])
            if not reading.cancelled():
                reading.exception()

    async def _leave(self, connection: Connection, reading: "asyncio.Task[None]") -> None:
        """When the server is told to stop, read no more: what was read is answered."""
        await connection.leaving.wait()
        reading.cancel()

    # -- reading -----------------------------------------------------------------------------

    async def _read(self, scope: Scope, receive: Receive) -> None:
        cut = Lines()
        try:
            while True:
                message = await hear(scope, receive, self._limits.silent)
                if message["type"] == "http.disconnect":
                    return
                lines = cut.feed(message["body"])
                if not message["more_body"]:
                    lines += cut.end()
                for start in range(0, len(lines), AT_ONCE):
                    if not await self._still():
                        return
                    await self._put(lines[start : start + AT_ONCE])
                if not message["more_body"]:
                    self._whole = True
                    return
        finally:
            self._ended = True
            self._news.set()

    async def _put(self, lines: list[bytes]) -> None:
        """Hand lines to the desk, once there is room for them and their answers."""
        while self._in_flight >= self._limits.in_flight:
            self._room.clear()
            await self._room.wait()
        if self._speaker.rate is not None:
            await asyncio.sleep(self._speaker.rate.owe(len(lines), self._loop.time()))
        speaker, read = self._speaker, self._read_line
        entries = [read(speaker, line) for line in lines]
        self._in_flight += len(entries)
        self._answers.append(await self._window.insist(entries))
        self._news.set()

    # -- answering ---------------------------------------------------------------------------

    async def _write(self, send: Send) -> None:
        started = False
        while True:
            while not self._answers:
                if self._ended:
                    if not started:
                        await self._start(send)
                    if not self._whole:
                        raise BrokenOffError
                    await send({"type": "http.response.body", "body": b""})
                    return
                self._news.clear()
                await self._news.wait()
            answers = await self._next(started=started)
            self._tally(answers)
            if _log.isEnabledFor(logging.DEBUG):
                tell_decided(_log, self._speaker.name, answers)
            body = b"\n".join(map(encode_answer, answers)) + b"\n"
            if not started:
                await self._start(send)
                started = True
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self._in_flight -= len(answers)
            self._room.set()

    async def _next(self, *, started: bool) -> list[Answer]:
        """The next answers. What fails is a problem document as long as nothing was sent."""
        try:
            return await self._answers.popleft()
        except QueueClosedError as error:
            reason = Reason(None, "going-home")
            raise (BrokenOffError if started else busy(reason)) from error
        except StoreError as error:
            _log.error("the desk could not answer: %s", error, extra={"sender": self._speaker.name})
            reason = Reason(None, "outcome-unknown")
            raise (BrokenOffError if started else busy(reason, 5)) from error

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
