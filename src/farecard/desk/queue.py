"""Group commit: single commands of many callers become batches, and each is answered once it is durable."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Event, Thread
from typing import Any, NamedTuple

from farecard.desk.desk import Desk
from farecard.desk.flow import Flow
from farecard.storage.errors import StoreError
from farecard.wire.answer import Answer

MOST_A_COMMIT = 4096
MOST_WAITING = 16_384

Told = list[Answer] | StoreError
Tell = Callable[[list[tuple[Any, Told]]], None]


class QueueFullError(Exception):
    """Too much is waiting already. Nothing was decided: send it again, a little later."""


class QueueClosedError(Exception):
    """The desk is going home. Nothing was decided: send it again elsewhere, or later."""


class _Asked(NamedTuple):
    """What one caller handed in, and how it is told."""

    lines: Sequence[tuple[str, bytes]]
    token: Any
    tell: Tell


class Queue:
    """One desk and the bounded queue before it.

    A caller hands in lines with a token; its ``tell`` gets (token, answers) pairs once a batch, all
    of its callers' together, on another thread, after the commit. While a batch is being committed what
    arrives waits, and becomes the next batch.
    """

    def __init__(self, desk: Desk, *, most_waiting: int = MOST_WAITING) -> None:
        self.desk = desk
        self.most_waiting = most_waiting
        self._changed = Condition()
        self._asked: deque[_Asked] = deque()
        self._waiting = 0
        self._closing = False
        self._untold: deque[list[_Asked]] = deque()  # decided or being decided, oldest first
        self._thread = Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

    # -- for callers -------------------------------------------------------------------------

    def submit(self, lines: Sequence[tuple[str, bytes]], token: Any, tell: Tell) -> None:
        """Hand in (sender, line) pairs; returns at once, or raises that there is no room."""
        with self._changed:
            if self._closing:
                raise QueueClosedError
            if self._waiting + len(lines) > self.most_waiting:
                raise QueueFullError
            self._waiting += len(lines)
            self._asked.append(_Asked(lines, token, tell))
            self._changed.notify()

    def decide(self, sender: str, line: bytes) -> Answer:
        """Hand in one line and wait for its durable answer, from any thread."""
        done = Event()
        told: list[Told] = []

        def tell(some: list[tuple[Any, Told]]) -> None:
            # one call may tell several callers of one window; here it is only ever us
            told.append(some[0][1])
            done.set()

        self.submit([(sender, line)], None, tell)
        done.wait()
        answers = told[0]
        if isinstance(answers, StoreError):
            raise answers
        return answers[0]

    def close(self) -> None:
        """Take nothing more; what was taken is decided and told before this returns."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    # -- the desk's thread -------------------------------------------------------------------

    def _run(self) -> None:
        flow = Flow(self.desk)
        try:
            while self._turn(flow):
                pass
        finally:
            try:
                flow.close()
            except StoreError as error:
                self._fail(error)

    def _turn(self, flow: Flow) -> bool:
        """One batch, or one wait; False when it is time to go."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked or self._closing or flow.is_done)
            batch = self._take()
            if not batch and self._closing and not flow.is_done:
                return False
        try:
            if batch:
                lines = [line for asked in batch for line in asked.lines]
                flow.put(self.desk.read(lines), self._tell, self._wake)
            else:
                flow.finish()
        except StoreError as error:
            flow.abandon()
            self._fail(error)
        return True

    def _take(self) -> list[_Asked]:
        """What fits into a batch, whole submissions only."""
        batch: list[_Asked] = []
        room = MOST_A_COMMIT
        while self._asked and (not batch or len(self._asked[0].lines) <= room):
            batch.append(self._asked.popleft())
            room -= len(batch[-1].lines)
        if batch:
            self._waiting -= MOST_A_COMMIT - room
            self._untold.append(batch)
        return batch

    def _wake(self) -> None:
        """A commit is over: if it collided, it is to be decided anew."""
        with self._changed:
            self._changed.notify()

    def _tell(self, answers: list[Answer]) -> None:
        """Answers of the oldest batch, which is durable now."""
        start = 0
        windows: dict[Tell, list[tuple[Any, Told]]] = {}
        for asked in self._untold.popleft():
            end = start + len(asked.lines)
            windows.setdefault(asked.tell, []).append((asked.token, answers[start:end]))
            start = end
        for tell, some in windows.items():
            tell(some)

    def _fail(self, error: StoreError) -> None:
        """Nobody knows what became of what was under way: every caller of it is told so."""
        while self._untold:
            windows: dict[Tell, list[tuple[Any, Told]]] = {}
            for asked in self._untold.popleft():
                windows.setdefault(asked.tell, []).append((asked.token, error))
            for tell, some in windows.items():
                tell(some)
