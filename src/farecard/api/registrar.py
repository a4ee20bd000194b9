"""What is written about people and proposals: by one thread, each time over a store of its own, so that no desk waits for it."""

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from farecard.api.bounded import Bounded
from farecard.desk.opening import existing_store
from farecard.storage.store import Store

T = TypeVar("T")
Work = Callable[[Store], T]


class Registrar:
    """Writes one thing after the other; a bounded number waits."""

    def __init__(self, url: str, most_waiting: int) -> None:
        self._url = url
        self._thread = Bounded("registrar", 1, most_waiting)

    async def do(self, work: Work[T]) -> T:
        """What ``work`` gives, with a store opened to write. ``ProblemError`` 503 when too many wait already."""
        return await self._thread.run(self._do, work)

    def _do(self, work: Work[T]) -> T:
        with closing(existing_store(self._url)[0]) as store:
            return work(store)

    def close(self) -> None:
        """Finish what was asked."""
        self._thread.close()
