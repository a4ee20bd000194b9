"""What is written about people and proposals: by one thread, each time over a store of its own, so that no desk waits for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from farecard.api.problems import busy
from farecard.desk.opening import existing_store
from farecard.model.verdict import Reason
from farecard.storage.store import Store

T = TypeVar("T")


class Registrar:
    """Writes one thing after the other; a bounded number waits."""

    def __init__(self, url: str, most_waiting: int) -> None:
        self._url = url
        self._most = most_waiting
        self._asked = 0
        self._pool = ThreadPoolExecutor(1, "registrar")

    async def do(self, work: Callable[[Store], T]) -> T:
        """What ``work`` gives, with a store opened to write. ``ProblemError`` 503 when too many wait already."""
        if self._asked >= self._most:
            raise busy(Reason(None, "readers-busy"))
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._do, work)
        finally:
            self._asked -= 1

    def _do(self, work: Callable[[Store], T]) -> T:
        with closing(existing_store(self._url)[0]) as store:
            return work(store)

    def close(self) -> None:
        """Finish what was asked."""
        self._pool.shutdown()
