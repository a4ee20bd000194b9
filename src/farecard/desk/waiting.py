"""A window on the queue for asyncio: callers wait as coroutines and are woken once a batch."""

import asyncio
from collections.abc import Sequence
from typing import Any

from farecard.desk.entries import Entry
from farecard.desk.queue import Queue, QueueClosedError, QueueFullError, Told, check_sender
from farecard.storage.errors import StoreError
from farecard.wire.answer import Answer

Future = asyncio.Future[list[Answer]]


class AsyncWindow:
    """Hands entries from one event loop to a queue. Made within the loop it serves.

    What the callers of one turn of the loop have goes to the queue together: those that were told
    together come back together, and shall not be cut into a batch of one and a batch of the rest.
    """

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._loop = asyncio.get_running_loop()
        self._tell = self._told
        self._gathered: list[tuple[Sequence[Entry], Future]] = []

    async def decide(self, sender: str, line: bytes) -> Answer:
        """One durable answer. Raises ``QueueFullError`` at once, ``StoreError`` when the store failed."""
        check_sender(sender)
        return (await self.hand_in([self.queue.desk.reader.read(sender, line)]))[0]

    def hand_in(self, entries: Sequence[Entry]) -> Future:
        """The durable answers to entries, decided in order in one batch: to be awaited."""
        future: Future = self._loop.create_future()
        if not self._gathered:
            self._loop.call_soon(self._hand_in)
        self._gathered.append((entries, future))
        return future

    async def insist(self, entries: Sequence[Entry]) -> Future:
        """Hand entries in as soon as there is room for them; the answers are to be awaited.

        A closed queue is found by whoever awaits them.
        """
        future: Future = self._loop.create_future()
        try:
            while self.queue.submit_all([(entries, future)], self._tell):
                await self.room()
        except QueueClosedError as closed:
            future.set_exception(closed)
        return future

    async def room(self) -> None:
        """Wait until the queue is half empty, or closing."""
        free: asyncio.Future[None] = self._loop.create_future()

        def tell() -> None:
            self._loop.call_soon_threadsafe(_set, free)

        self.queue.when_room(tell)
        await free

    def _hand_in(self) -> None:
        gathered, self._gathered = self._gathered, []
        try:
            for future in self.queue.submit_all(gathered, self._tell):
                _fail(future, QueueFullError())
        except QueueClosedError as closed:
            for _, future in gathered:
                _fail(future, closed)

    def _told(self, some: list[tuple[Any, Told]]) -> None:
        """Called on the desk's thread: one wake-up for all who wait here."""
        self._loop.call_soon_threadsafe(_resolve, some)


def _resolve(some: list[tuple[Future, Told]]) -> None:
    for future, answers in some:
        if isinstance(answers, StoreError):
            _fail(future, answers)
        elif not future.cancelled():
            future.set_result(answers)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fail(future: Future, error: Exception) -> None:
    if not future.cancelled():
        future.set_exception(error)
