"""The card on the reader, offered to one page on this machine over loopback HTTP, and kept nowhere.

Other programs of this machine could ask the reader themselves; what must be kept out is any other *page* a browser shows here.
So an answer goes to one origin only, to nobody who names none, and to no name but loopback's (a page elsewhere may have its own
name lead here).
"""

import asyncio
import contextlib
import re
import signal
import socket
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, NamedTuple

import msgspec

from farecard.felica.telling import told
from farecard.felica.touches import Away, ReaderError, Touched, Trouble

Look = Callable[[Event], Iterator[Touched | Away | Trouble]]  # what comes and goes until the event

LOOPBACK = "127.0.0.1"
MOST_WAIT = 25  # seconds a page may ask to wait
HOLD = 60  # seconds a card is held from the touch on
AFTERWARDS = 3  # seconds it is held once it was taken away, for a page between two questions
MOST_OPEN = 16  # connections at once
MOST_TOLD = 16  # more that are told so; beyond them it hangs up
MOST_HEAD = 8192  # bytes of a request
HEAR = 5  # seconds a request may take to come in, and an answer to go out

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?")
_WORDS = {
    200: "OK", 204: "No Content", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 503: "Service Unavailable",
}  # fmt: skip


def is_origin(text: str) -> bool:
    """Whether a text is an origin as a browser writes it: scheme, host, maybe a port, nothing behind."""
    return _ORIGIN.fullmatch(text) is not None


class Tray:
    """The answer about the one card that was read last, until it is asked for or too old."""

    def __init__(self) -> None:
        self._held: bytes | None = None
        self._come = asyncio.Event()
        self._ends: asyncio.TimerHandle | None = None

    def put(self, body: bytes) -> None:
        """A card was read; one before it is dropped."""
        self.drop()
        self._held = body
        self._come.set()
        self._drop_in(HOLD)

    def away(self) -> None:
        """The card was taken away: whoever comes next is not to find it."""
        if self._ends is not None:
            left = self._ends.when() - asyncio.get_running_loop().time()
            self._drop_in(min(left, AFTERWARDS))

    def drop(self) -> None:
        """Forget what is held."""
        self._held = None
        self._come.clear()
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None

    def _drop_in(self, seconds: float) -> None:
        if self._ends is not None:
            self._ends.cancel()
        self._ends = asyncio.get_running_loop().call_later(seconds, self.drop)

    async def take(self, seconds: float, *leaving: "asyncio.Task[Any]") -> bytes | None:
        """The answer, handed over once; None when none came in time, or something else came first."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not any(one.done() for one in leaving):
            if self._held is not None:
                body = self._held
                self.drop()
                return body
            left = until - loop.time()
            if left <= 0:
                break
            coming = loop.create_task(self._come.wait())
            await asyncio.wait(
                {coming, *leaving}, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            coming.cancel()
        return None


class Head(NamedTuple):
    """The head of a request: names of headers in small letters, each there once."""

    method: str
    target: str
    headers: dict[str, str]


def read_head(raw: bytes) -> Head | None:
    """A request's head; None where it is none, or says a header twice."""
    first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in {"HTTP/1.1", "HTTP/1.0"}:
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not name or name != name.strip() or name in headers:
            return None
        headers[name] = value.strip()
    return Head(words[0], words[1], headers)


class Door:
    """What may be asked, by which page."""

    def __init__(self, tray: Tray, page: str, port: int, ending: "asyncio.Task[Any]") -> None:
        self._tray = tray
        self._page = page
        self._hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost", "[::1]")}
        self._ending = ending
        self._open: set[asyncio.Task[Any]] = set()

    async def closed(self) -> None:
        """Wait until whoever is being answered has been."""
        if self._open:
            await asyncio.wait(self._open)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one answer."""
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) == MOST_OPEN + MOST_TOLD:
            writer.close()
            return
        self._open.add(task)
        try:
            # whoever is slow, or gone, is not waited for
            with contextlib.suppress(TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
                async with asyncio.timeout(HEAR):
                    head = read_head(await reader.readuntil(b"\r\n\r\n"))
                answer = await self._answer(head, reader)
                async with asyncio.timeout(HEAR):
                    writer.write(answer)
                    await writer.drain()
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, head: Head | None, reader: asyncio.StreamReader) -> bytes:
        if head is None:
            return _reply(400)
        if head.headers.get("host") not in self._hosts or head.headers.get("origin") != self._page:
            return _reply(403)
        path, _, query = head.target.partition("?")
        if path != "/card":
            return self._reply(404)
        if head.method == "OPTIONS":
            return self._reply(
                204, ("Access-Control-Allow-Methods", "GET"), ("Access-Control-Max-Age", "600")
            )
        if head.method != "GET":
            return self._reply(405, ("Allow", "GET, OPTIONS"))
        seconds = _seconds(query)
        if seconds is None:
            return self._reply(400)
        if len(self._open) > MOST_OPEN:
            return self._reply(503, ("Retry-After", "1"))
        # nothing more is to be said on this connection, so whatever is read there is its end
        gone = asyncio.create_task(_end_of(reader))
        try:
            body = await self._tray.take(seconds, gone, self._ending)
        finally:
            gone.cancel()
        if body is None:
            return self._reply(204)
        return self._reply(200, ("Content-Type", "application/json"), body=body)

    def _reply(self, status: int, *headers: tuple[str, str], body: bytes = b"") -> bytes:
        """An answer that the page may read."""
        return _reply(
            status,
            ("Access-Control-Allow-Origin", self._page),
            ("Access-Control-Allow-Private-Network", "true"),
            *headers,
            body=body,
        )


async def _end_of(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        await reader.read(1)


def _reply(status: int, *headers: tuple[str, str], body: bytes = b"") -> bytes:
    """An answer, the last on its connection; nobody keeps it."""
    length = () if status == 204 else (("Content-Length", str(len(body))),)
    lines = [
        f"{name}: {value}"
        for name, value in (
            *headers,
            *length,
            ("Vary", "Origin"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        )
    ]
    return "\r\n".join([f"HTTP/1.1 {status} {_WORDS[status]}", *lines, "", ""]).encode() + body


def _seconds(query: str) -> int | None:
    """How long a page wants to wait; None where it may not."""
    if not query:
        return 0
    name, _, text = query.partition("=")
    if name != "wait" or not re.fullmatch(r"\d{1,2}", text, re.ASCII) or int(text) > MOST_WAIT:
        return None
    return int(text)


def bind(port: int) -> socket.socket:
    """A listening socket on loopback; raises ReaderError."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or "ports go from 0 to 65535"
        raise ReaderError(
            f"nothing can be offered at port {port}: {why}; name another with --offer"
        ) from None
    return listening


def offer(look: Look, listening: socket.socket, page: str, say: Callable[[str], None]) -> None:
    """Offer what comes to lie on the reader until SIGTERM or Ctrl-C; raises ReaderError when the reader is gone.

    ``say`` gets sentences for whoever stands by; none of them tells of a card's contents.
    """
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        asyncio.run(_offer(look, listening, page, say))
    finally:
        for (
            one,
            handler,
        ) in before.items():  # the loop leaves Python's own in place of an ignored one
            signal.signal(one, handler)


async def _offer(
    look: Look, listening: socket.socket, page: str, say: Callable[[str], None]
) -> None:
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, told_to_end.set)
    ending = loop.create_task(told_to_end.wait())
    tray = Tray()
    port = listening.getsockname()[1]
    door = Door(tray, page, port, ending)
    stop = Event()
    async with await asyncio.start_server(door, sock=listening, limit=MOST_HEAD) as server:
        watching = loop.create_task(asyncio.to_thread(_watch, look, tray, loop, stop, say))
        say(f"cards are offered to {page} at http://{LOOPBACK}:{port}/card; Ctrl-C to stop")
        try:
            await asyncio.wait({ending, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told_to_end.set()
            server.close()
            await door.closed()
            stop.set()
            tray.drop()
        await watching


def _watch(
    look: Look, tray: Tray, loop: asyncio.AbstractEventLoop, stop: Event, say: Callable[[str], None]
) -> None:  # fmt: skip
    """Put what comes onto the tray, in a thread of its own, since a reader is waited for; no name here keeps a card."""
    for event in look(stop):
        if isinstance(event, Touched):
            loop.call_soon_threadsafe(tray.put, msgspec.json.encode(told(*event)))
        elif isinstance(event, Away):
            loop.call_soon_threadsafe(tray.away)
        else:
            say(event.text)
        del event
