"""One batch is decided while the one before it is written and committed."""

from collections.abc import Callable
from typing import NamedTuple

from farecard.desk.batch import Batch
from farecard.desk.desk import MOST_A_BATCH, Decided, Desk, Entry
from farecard.storage.store import ConflictError
from farecard.wire.answer import Answer

Tell = Callable[[list[Answer]], None]


class _Open(NamedTuple):
    """A batch that is decided and may still grow."""

    batch: Batch
    entries: list[Entry]
    answers: list[Answer]
    tells: list[tuple[Tell, int]]  # whom to tell how many of the answers


class Flow:
    """A desk's commands in order, in batches. Answers are told once they are durable, never before.

    On a store that ``overlaps`` one batch is under way while the next is decided over it. That one grows
    until it holds ``most`` commands or the one before it is durable. The desk lets the store go on
    between two commands (``Desk.pump``), so ``tell`` may be called while more is read or put. On
    other stores each ``put`` is kept before it returns.
    """

    def __init__(self, desk: Desk, most: int = MOST_A_BATCH) -> None:
        self.desk = desk
        self.most = most
        self._open: _Open | None = None
        self._under_way: tuple[Decided, list[tuple[Tell, int]]] | None = None

    def put(self, entries: list[Entry], tell: Tell) -> None:
        """Decide commands and send them on their way.

        Raises ``StoreError`` when the store failed; what was not told by then may be sent again.
        """
        if not self.desk.overlaps:
            tell(self.desk.settle(entries))
            return
        try:
            self._add(entries, tell)
            if self._open is not None and len(self._open.entries) >= self.most:
                self._finish()
                self._start()
            self.go_on()
        except BaseException:
            self.abandon()
            raise

    def go_on(self) -> None:
        """Do what can be done without waiting."""
        self.desk.pump()
        if not self.desk.store.is_busy:
            self._finish()
            self._start()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was put is told."""
        return self._open is None and self._under_way is None

    def finish(self) -> None:
        """Wait until everything that was put is durable and told."""
        try:
            while not self.is_idle:
                self._finish()
                self._start()
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Trust nothing in memory, and leave what is under way to the store."""
        self._under_way = self._open = None
        self.desk.give_up()

    def _add(self, entries: list[Entry], tell: Tell) -> None:
        if self._open is not None:
            answers = self.desk.decide_more(self._open.batch, entries)
            if answers is not None:
                self._open.entries.extend(entries)
                self._open.answers.extend(answers)
                if self._open.tells[-1][0] == tell:  # one call tells both
                    tell, before = self._open.tells.pop()
                    self._open.tells.append((tell, before + len(entries)))
                else:
                    self._open.tells.append((tell, len(entries)))
                return
            self._finish()
            self._start()
        if self._under_way is None and self.desk.store.begin():
            self.desk.forget()
        batch, answers = self.desk.decide(entries)
        self._open = _Open(batch, list(entries), answers, [(tell, len(entries))])

    def _finish(self) -> None:
        """Wait for the batch under way. If it collided it is decided anew, and what rests on it, too."""
        if self._under_way is None:
            return
        (decided, tells), self._under_way = self._under_way, None
        try:
            self.desk.store.finish()
        except ConflictError:
            self.desk.give_up()
            _tell(tells, self.desk.again(decided.entries))
            if self._open is not None:
                _, entries, _, tells = self._open
                batch, answers = self.desk.decide(entries)
                self._open = _Open(batch, entries, answers, tells)

    def _start(self) -> None:
        """Send the open batch on its way; nothing else is."""
        if self._open is None:
            return
        (batch, entries, answers, tells), self._open = self._open, None
        decided = self.desk.close(entries, batch, answers)
        if decided.writes is None:
            _tell(tells, answers)
            return
        self._under_way = decided, tells
        self.desk.store.start(decided.writes, lambda: _tell(tells, answers))


def _tell(tells: list[tuple[Tell, int]], answers: list[Answer]) -> None:
    start = 0
    for tell, count in tells:
        tell(answers[start : start + count])
        start += count
