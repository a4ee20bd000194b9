"""A queue driven by a thread of its own: for callers on many threads, and for a store that commits while one waits."""

import asyncio
import select
from socket import socketpair
from threading import Event, Thread

from farecard.desk.desk import Desk
from farecard.desk.flow import Kept
from farecard.desk.queue import MOST_WAITING, Queue, Tell, Told, check_sender
from farecard.storage.errors import StoreError
from farecard.wire.answer import Answer


class ThreadQueue(Queue):
    """A queue whose callers are told on the desk's thread."""

    def __init__(
        self, desk: Desk, *, most_waiting: int = MOST_WAITING, watch: Kept | None = None
    ) -> None:
        """As any queue; the thread begins at once."""
        super().__init__(desk, most_waiting=most_waiting, watch=watch)
        self._asleep = False
        self._bell, self._button = socketpair()
        self._thread = Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

    def decide(self, sender: str, line: bytes) -> Answer:
        """Hand in one line and wait for its durable answer, from any thread."""
        check_sender(sender)
        done = Event()
        told: list[Told] = []

        def tell(some: list[tuple[object, Told]]) -> None:
            told.append(some[0][1])
            done.set()

        telling: Tell = tell
        self.submit([self.desk.reader.read(sender, line)], None, telling)
        done.wait()
        answers = told[0]
        if isinstance(answers, StoreError):
            raise answers
        return answers[0]

    def close(self) -> None:
        """Take nothing more; what was taken is decided and told before this returns."""
        with self._lock:
            self._closing = True
            self._ring()
        self._thread.join()
        self._bell.close()
        self._button.close()

    async def leave(self) -> None:
        """The same, with the loop going on meanwhile."""
        await asyncio.to_thread(self.close)

    def _ring(self) -> None:
        """Wake the desk, once."""
        if self._asleep:
            self._asleep = False
            self._button.send(b"!")

    # -- the desk's thread -------------------------------------------------------------------

    def _run(self) -> None:
        while self._do(self._turn):
            pass

    def _turn(self) -> bool:
        """Decide what waits, or wait; False when it is time to go."""
        batch = self._take()
        if batch:
            self._put(batch)
        elif not self._flow.is_idle:
            waits = self.desk.store.waits_for
            if waits:
                self._sleep(waits)
            self._go_on()
        elif self._closing:
            return False
        else:
            self._sleep([])
        return True

    def _sleep(self, store: list[tuple[int, int]]) -> None:
        """Wait for a caller, or for one of the store's (file descriptor, events)."""
        with self._lock:
            if self._asked or (self._closing and not store):
                return
            self._asleep = True
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        for one in store:
            poll.register(*one)
        poll.poll()
        with self._lock:
            if not self._asleep:
                self._bell.recv(1)
            self._asleep = False
