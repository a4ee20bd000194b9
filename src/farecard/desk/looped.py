"""A queue driven by the event loop its callers run on: nobody hands the interpreter over, nobody is woken twice."""

import asyncio
import select

from farecard.desk.desk import Desk
from farecard.desk.entries import is_run
from farecard.desk.flow import AT_ONCE, Kept
from farecard.desk.queue import MOST_WAITING, Asked, Queue
from farecard.wire.answer import Answer

QUIET = 4  # turns of the loop: what a client sent is read, decoded and handed in within three


class LoopQueue(Queue):
    """A queue for one event loop, over a store that overlaps. Made, asked and told on that loop.

    The desk takes a turn of the loop to decide some hundred commands, and waits for the store as the loop
    waits for its clients. What may take long (a run over all cards, connecting to the store anew) is lent to a thread;
    other commands wait for it there, and everybody else is served.
    """

    def __init__(
        self, desk: Desk, *, most_waiting: int = MOST_WAITING, watch: Kept | None = None
    ) -> None:
        """As any queue; within the loop that drives it."""
        super().__init__(desk, most_waiting=most_waiting, watch=watch)
        self._loop = asyncio.get_running_loop()
        self._rung = False
        self._turns = 0
        self._crowd = 0  # how many commands were in hand when some were last told
        self._quiet = False
        self._lent: asyncio.Future[bool] | None = None
        self._watched: list[tuple[int, int]] = []
        self._gone = self._loop.create_future()

    async def leave(self) -> None:
        """Take nothing more; what was taken is decided and told before this returns."""
        with self._lock:
            self._closing = True
            self._ring()
        await self._gone

    def _ring(self) -> None:
        """Have a turn, once."""
        if not self._rung and self._lent is None:
            self._rung = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Go on with what is under way, take more where there is room, and say what to wait for."""
        self._rung = False
        self._turns += 1
        if self._lent is not None:  # the store is in other hands
            return
        self._unwatch()  # the store may connect anew, and its descriptors be others'
        again = self._do(self._step)
        if self._lent is not None:
            return
        if again:
            self._ring()
        elif not self._flow.is_idle:
            self._wait()
        elif self._closing and not self._gone.done():
            self._gone.set_result(None)

    def _step(self) -> bool:
        """True when there is more to do at once."""
        self._go_on()
        if not self._flow.has_room:
            return False
        batch = self._take(AT_ONCE)
        if not batch:
            return False
        if self._is_long(batch):
            self._lend(batch)
        else:
            self._put(batch)
        return bool(self._asked) and self._flow.has_room

    def _is_long(self, batch: list[Asked]) -> bool:
        """Whether others should not have to wait for it: a run, or a store that has to be found again."""
        if self._flow.is_idle and self.desk.store.is_lost:
            return True
        return any(is_run(entry) for asked in batch for entry in asked.entries)

    def _lend(self, batch: list[Asked]) -> None:
        """Have a thread decide it; the desk is not touched until it is done."""

        def decide() -> bool:
            self._put(batch)
            return True

        self._lent = self._loop.run_in_executor(None, self._do, decide)
        self._lent.add_done_callback(self._back)

    def _back(self, _: "asyncio.Future[bool]") -> None:
        self._lent = None
        self._ring()

    # -- when to keep what is decided --------------------------------------------------------

    def _ripe(self, count: int) -> bool:
        """Callers who are told together come back together: half of them is a batch, or all that come.

        So one half is decided while the other is kept. Kept as they come they would be batches of a few,
        and each commit costs us and the store the same again.
        """
        return self._quiet or 2 * count >= self._crowd

    def _tell(self, answers: list[Answer]) -> None:
        self._crowd = self._waiting + sum(len(asked.entries) for asked in self._untold)
        super()._tell(answers)

    def _look_again(self, turn: int, left: int) -> None:
        """When nothing came for some turns of the loop, nobody is on the way: keep what there is."""
        if turn != self._turns:
            return
        if left:
            self._loop.call_soon(self._look_again, turn, left - 1)
            return
        self._quiet = True
        try:
            self._turn()
        finally:
            self._quiet = False

    # -- the store's connections -------------------------------------------------------------

    def _wait(self) -> None:
        """Have a turn when the store is ready for the next step, or at once when it was in between."""
        store = self.desk.store
        self._watched = store.waits_for
        if self._flow.has_room and not store.is_busy:
            self._look_again(self._turns, QUIET)
        elif not self._watched:
            self._ring()
        for descriptor, events in self._watched:
            if events & select.POLLIN:
                self._loop.add_reader(descriptor, self._turn)
            if events & select.POLLOUT:
                self._loop.add_writer(descriptor, self._turn)

    def _unwatch(self) -> None:
        for descriptor, events in self._watched:
            if events & select.POLLIN:
                self._loop.remove_reader(descriptor)
            if events & select.POLLOUT:
                self._loop.remove_writer(descriptor)
        self._watched = []
