"""Work for threads, with a bounded line before them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from farecard.api.problems import busy
from farecard.model.verdict import Reason

T = TypeVar("T")


class Bounded:
    """So many threads; ``most`` pieces of work are with them or wait for them."""

    def __init__(self, name: str, threads: int, most: int) -> None:
        self._most = most
        self._asked = 0
        self._pool = ThreadPoolExecutor(threads, name)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """What ``work`` gives, on one of the threads. ``ProblemError`` 503 when too many wait already."""
        if self._asked >= self._most:
            raise busy(Reason(None, "readers-busy"))
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._asked -= 1

    def close(self) -> None:
        """Finish what was asked."""
        self._pool.shutdown()
