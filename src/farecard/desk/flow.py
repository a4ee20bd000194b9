"""One batch is decided while the one before it is written and committed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from farecard.desk.desk import Decided, Desk, Entry
from farecard.storage.store import ConflictError
from farecard.wire.answer import Answer

Tell = Callable[[list[Answer]], None]


class _Kept(NamedTuple):
    """A batch on its way to the disk."""

    decided: Decided
    tell: Tell
    future: Future[None]


class Flow:
    """A desk's batches in order. Each one's answers are told once it is durable, never before.

    On a store that ``overlaps`` at most one batch is under way while the next is decided over it; on
    others each is kept before the next begins. ``tell`` may be called on another thread. Used by one
    thread.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._keeper = ThreadPoolExecutor(1, "keeper") if desk.overlaps else None
        self._under_way: _Kept | None = None

    def put(self, entries: list[Entry], tell: Tell, done: Callable[[], None] | None = None) -> None:
        """Decide a batch and send it on its way; ``done`` is called when ``finish`` would not wait.

        Raises ``StoreError`` when the store failed; what was not told by then may be sent again.
        """
        if self._keeper is None:
            tell(self.desk.settle(entries))
            return
        decided = self._prepare(entries)
        if not self.finish():
            decided = self._prepare(entries)
        future = self._keeper.submit(self._keep, decided, tell)
        self._under_way = _Kept(decided, tell, future)
        if done is not None:
            future.add_done_callback(lambda _: done())

    def _prepare(self, entries: list[Entry]) -> Decided:
        if self._under_way is None and self.desk.store.begin():
            self.desk.forget()
        try:
            return self.desk.prepare(entries)
        except BaseException:
            self.abandon()
            raise

    def _keep(self, decided: Decided, tell: Tell) -> None:
        self.desk.keep(decided)
        tell(decided.answers)

    @property
    def is_done(self) -> bool:
        """Whether ``finish`` has something to do and would not wait."""
        return self._under_way is not None and self._under_way.future.done()

    def finish(self) -> bool:
        """Wait for the batch under way. False when it collided and was decided anew.

        What was decided over it then rests on nothing and is to be decided again.
        """
        if self._under_way is None:
            return True
        decided, tell, future = self._under_way
        self._under_way = None
        try:
            future.result()
        except ConflictError:
            self.desk.give_up()
            tell(self.desk.again(decided.entries))
            return False
        except BaseException:
            self.desk.give_up()
            raise
        return True

    def abandon(self) -> None:
        """Wait for what is under way, whatever becomes of it, and trust nothing in memory."""
        if self._under_way is not None:
            self._under_way.future.exception()
            self._under_way = None
        self.desk.give_up()

    def close(self) -> None:
        """Finish, and end the second thread."""
        try:
            self.finish()
        finally:
            if self._keeper is not None:
                self._keeper.shutdown()
