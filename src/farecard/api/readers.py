"""Questions, answered by a few threads with stores of their own, so that none holds up the commands."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from farecard.api.problems import busy
from farecard.model.verdict import Reason
from farecard.storage.errors import StoreError
from farecard.storage.opening import open_to_read
from farecard.storage.store import Store

T = TypeVar("T")
Question = Callable[[Store], T]


class Readers:
    """So many threads, each with a store opened to read; a bounded number of questions waits for them."""

    def __init__(self, url: str, threads: int, most_waiting: int) -> None:
        self._url = url
        self._most = threads + most_waiting
        self._asked = 0
        self._pool = ThreadPoolExecutor(threads, "reader")
        self._own = threading.local()
        self._opened: set[Store] = set()
        self._lock = threading.Lock()

    async def ask(self, question: Question[T]) -> T:
        """The answer over one state of the store. ``ProblemError`` 503 when too many wait already."""
        if self._asked >= self._most:
            raise busy(Reason(None, "readers-busy"))
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, self._answer, question
            )
        finally:
            self._asked -= 1

    def _answer(self, question: Question[T]) -> T:
        old = getattr(self._own, "store", None)
        if old is not None:
            try:
                return self._over(old, question)
            except StoreError:  # its server may have been restarted since: once more over a new one
                self._drop(old)
        store = open_to_read(self._url)
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
        self._pool.shutdown()
        for store in self._opened:
            store.close()
