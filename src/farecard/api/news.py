"""Whoever follows along may wait for what comes next: one look at the store serves all who wait."""

import asyncio

from farecard.api.readers import Readers
from farecard.storage.store import Store

Mark = list[int]
LOOK_EVERY = 0.2  # seconds, and only while somebody waits


class News:
    """Tells those who wait that something was decided since, here or by another process."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._waiting: set[asyncio.Future[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._mark: Mark = []

    async def since(self, mark: Mark, until: float, leaving: asyncio.Event | None) -> None:
        """Wait until the log ends elsewhere than at ``mark``, until that time of the loop, or until the server leaves."""
        loop = asyncio.get_running_loop()
        came = loop.create_future()
        self._waiting.add(came)
        if self._watch is None:
            self._watch = loop.create_task(self._look(mark))
        elif mark != self._mark:
            self._tell()  # it has gone on between two looks
        waits = {came} if leaving is None else {came, loop.create_task(leaving.wait())}
        try:
            await asyncio.wait(
                waits, timeout=until - loop.time(), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self._waiting.discard(came)
            for one in waits:
                one.cancel()

    async def _look(self, mark: Mark) -> None:
        """Look at the store until nobody waits any more."""
        self._mark = mark
        try:
            while self._waiting:
                await asyncio.sleep(LOOK_EVERY)
                found = await self._readers.ask(end_of_log)
                if found != self._mark:
                    self._mark = found
                    self._tell()
        except Exception:  # noqa: BLE001  # the store is away: those who wait ask, and are told so
            self._tell()
        finally:
            self._watch = None

    def _tell(self) -> None:
        for one in self._waiting:
            if not one.done():
                one.set_result(None)


def end_of_log(store: Store) -> Mark:
    """The last batch of each writer: whatever is decided, one of them becomes another."""
    return [store.rows("last_batch", writer=writer)[0][0] for (writer,) in store.rows("writers")]
