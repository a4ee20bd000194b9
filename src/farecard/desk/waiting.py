"""A window on the queue for asyncio: callers wait as coroutines and are woken once a batch."""

import asyncio
from typing import Any

from farecard.desk.queue import Queue, Told
from farecard.storage.errors import StoreError
from farecard.wire.answer import Answer


class AsyncWindow:
    """Hands lines from one event loop to a queue. Made within the loop it serves."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._loop = asyncio.get_running_loop()
        self._tell = self._told

    async def decide(self, sender: str, line: bytes) -> Answer:
        """One durable answer. Raises ``QueueFullError`` at once, ``StoreError`` when the store failed."""
        return (await self.decide_all([(sender, line)]))[0]

    async def decide_all(self, lines: list[tuple[str, bytes]]) -> list[Answer]:
        """Durable answers to (sender, line) pairs, decided in order in one batch."""
        future: asyncio.Future[list[Answer]] = self._loop.create_future()
        self.queue.submit(lines, future, self._tell)
        return await future

    def _told(self, some: list[tuple[Any, Told]]) -> None:
        """Called on the desk's thread: one wake-up for all who wait here."""
        self._loop.call_soon_threadsafe(_resolve, some)


def _resolve(some: list[tuple[Any, Told]]) -> None:
    for future, answers in some:
        if future.cancelled():
            continue
        if isinstance(answers, StoreError):
            future.set_exception(answers)
        else:
            future.set_result(answers)
