"""Questions, answered by a few threads with stores of their own, so that none holds up the commands."""

import threading
from collections.abc import Callable
from typing import TypeVar

from farecard.api.bounded import Bounded
from farecard.storage.errors import StoreError
from farecard.storage.opening import open_to_read
from farecard.storage.store import Store

T = TypeVar("T")
Question = Callable[[Store], T]


class Readers:
    """So many threads, each with a store opened to read; a bounded number of questions waits for them."""

    def __init__(self, url: str, threads: int, most_waiting: int) -> None:
        self.url = url
        self._threads = Bounded("reader", threads, threads + most_waiting)
        self._own = threading.local()
        self._opened: set[Store] = set()
        self._lock = threading.Lock()

    async def ask(self, question: Question[T]) -> T:
        """The answer over one state of the store. ``ProblemError`` 503 when too many wait already."""
        return await self._threads.run(self._answer, question)

    def _answer(self, question: Question[T]) -> T:
        old = getattr(self._own, "store", None)
        if old is not None:
            try:
                return self._over(old, question)
            except StoreError:  # its server may have been restarted since: once more over a new one
                self._drop(old)
        store = open_to_read(self.url)
        with self._lock:
            self._opened.add(store)
        self._own.store = store
        try:
            return self._over(store, question)
        except StoreError:
            self._drop(store)
            raise

    def _over(self, store: Store, question: Question[T]) -> T:
        store.begin_reading()
        try:
            return question(store)
        finally:
            store.rollback()

    def _drop(self, store: Store) -> None:
        self._own.store = None
        with self._lock:
            self._opened.discard(store)
        store.close()

    def close(self) -> None:
        """Answer what was asked, then close the stores."""
        self._threads.close()
        for store in self._opened:
            store.close()
