"""A window on the queue for asyncio: callers wait as coroutines and are woken once a batch."""

import asyncio
from typing import Any

from farecard.desk.queue import (
    Lines,
    Queue,
    QueueClosedError,
    QueueFullError,
    Told,
    check_senders,
)
from farecard.storage.errors import StoreError
from farecard.wire.answer import Answer

Future = asyncio.Future[list[Answer]]


class AsyncWindow:
    """Hands lines from one event loop to a queue. Made within the loop it serves.

    What the callers of one turn of the loop have goes to the queue together: those that were told
    together come back together, and shall not be cut into a batch of one and a batch of the rest.
    """

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._loop = asyncio.get_running_loop()
        self._tell = self._told
        self._gathered: list[tuple[Lines, Future]] = []

    async def decide(self, sender: str, line: bytes) -> Answer:
        """One durable answer. Raises ``QueueFullError`` at once, ``StoreError`` when the store failed."""
        return (await self.decide_all([(sender, line)]))[0]

    async def decide_all(self, lines: Lines) -> list[Answer]:
        """Durable answers to (sender, line) pairs, decided in order in one batch."""
        check_senders(lines)
        future: Future = self._loop.create_future()
        if not self._gathered:
            self._loop.call_soon(self._hand_in)
        self._gathered.append((lines, future))
        return await future

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


def _fail(future: Future, error: Exception) -> None:
    if not future.cancelled():
        future.set_exception(error)
