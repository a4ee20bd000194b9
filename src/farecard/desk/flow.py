"""Three steps at once: one batch is asked about, the one before it decided, the one before that committed."""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from farecard.desk.batch import Batch
from farecard.desk.desk import MOST_A_BATCH, Decided, Desk
from farecard.desk.entries import Asked, Entry, is_run, parts
from farecard.storage.store import ConflictError
from farecard.wire.answer import Answer

AT_ONCE = 512  # of a large batch so many are asked about, decided and at hand at a time

Tell = Callable[[list[Answer]], None]
Kept = Callable[[int, float], None]


class _Put(NamedTuple):
    """What was put and is not decided yet; the store was asked for what it touches."""

    entries: list[Entry]
    asked: Asked
    tell: Tell


class _Open(NamedTuple):
    """A batch that is decided and may still grow."""

    batch: Batch
    entries: list[Entry]
    answers: list[Answer]
    tells: list[tuple[Tell, int]]  # whom to tell how many of the answers


class Flow:
    """A desk's commands in order, in batches. Answers are told once they are durable, never before.

    On a store that ``overlaps`` the store looks up what was put last, while what was put before it is
    decided and the batch before that is on its way. The batch being decided grows until it holds
    ``most`` commands; when ``eager``, only until the one before it is durable. The desk lets the store
    go on between two commands (``Desk.pump``), so ``tell`` may be called while more is read or put.
    On other stores each ``put`` is kept before it returns.
    """

    def __init__(
        self, desk: Desk, most: int = MOST_A_BATCH, *, eager: bool = False, kept: Kept | None = None,
        ripe: Callable[[int], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        """``kept`` is told of each batch how many commands it held and how long its commit took.

        ``ripe`` is asked, with how many commands are decided, whether to send them on their way.
        """
        self.desk = desk
        self._kept = kept
        if kept is not None and not desk.overlaps:
            desk.kept = kept
        self.most = most
        self.eager = eager
        self._ripe = ripe
        self._put: _Put | None = None
        self._open: _Open | None = None
        self._under_way: tuple[Decided, list[tuple[Tell, int]]] | None = None

    @property
    def a_put(self) -> int:
        """How many to put at once, to fill batches of ``most``."""
        if not self.desk.overlaps:
            return self.most
        puts = -(-self.most // AT_ONCE)
        return -(-self.most // puts)

    def put(self, entries: list[Entry], tell: Tell) -> None:
        """Decide commands and send them on their way.

        Raises ``StoreError`` when the store failed; what was not told by then may be sent again.
        """
        if not self.desk.overlaps:
            tell(self.desk.settle(entries))
            return
        some = parts(entries)
        if len(some) > 1 or (entries and is_run(entries[0])):
            self._put_parts(some, tell)
        else:
            self._put_some(entries, tell)

    def _put_parts(self, some: list[list[Entry]], tell: Tell) -> None:
        """Each run alone: all before it is durable when it begins. All answers are told at once."""
        answers: list[Answer] = []
        for entries in some:
            if is_run(entries[0]):
                self.finish()
                answers.append(self.desk.run_alone(entries[0]))
            else:
                self._put_some(entries, answers.extend)
        self.finish()
        tell(answers)

    def _put_some(self, entries: list[Entry], tell: Tell) -> None:
        try:
            if self.is_idle and self.desk.store.begin():
                self.desk.forget()
            before = self._put
            if before is not None:
                self.desk.take(before.asked)  # before the store is asked for more
            self._put = _Put(entries, self.desk.ask(entries), tell)
            if before is not None:
                self._decide(before)
            if self.eager:
                self._go_on()
            else:
                self.desk.pump()
        except BaseException:
            self.abandon()
            raise

    def go_on(self) -> None:
        """Do what can be done without waiting."""
        try:
            self._go_on()
        except BaseException:
            self.abandon()
            raise

    @property
    def is_idle(self) -> bool:
        """Whether everything that was put is told."""
        return self._put is None and self._open is None and self._under_way is None

    @property
    def has_room(self) -> bool:
        """Whether more can be put without waiting for the store."""
        return self._put is None

    def finish(self) -> None:
        """Wait until everything that was put is durable and told."""
        try:
            self._decide_put()
            while not self.is_idle:
                self._finish()
                self._start()
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Trust nothing in memory, and leave what is under way to the store."""
        self._put = self._under_way = self._open = None
        self.desk.give_up()

    def _go_on(self) -> None:
        store = self.desk.store
        self.desk.pump()
        if self._put is not None and store.is_answered:
            self._decide_put()
        if self.eager and not store.is_busy:
            self._finish()
            if self._open is not None and self._ripe(len(self._open.entries)):
                self._start()

    def _decide_put(self) -> None:
        put, self._put = self._put, None
        if put is not None:
            self._decide(put)

    def _decide(self, put: _Put) -> None:
        """Decide what was put, into the open batch or into one of its own."""
        entries, asked, tell = put
        if self._open is not None:
            answers = self.desk.decide_more(self._open.batch, entries, asked)
            if answers is not None:
                self._add(entries, answers, tell)
                return
            self._finish()
            self._start()
        batch, answers = self.desk.decide(entries, asked)
        self._open = _Open(batch, list(entries), answers, [(tell, len(entries))])
        self._start_full()

    def _add(self, entries: list[Entry], answers: list[Answer], tell: Tell) -> None:
        assert self._open is not None
        self._open.entries.extend(entries)
        self._open.answers.extend(answers)
        count = len(entries)
        if self._open.tells[-1][0] == tell:  # one call tells both
            count += self._open.tells.pop()[1]
        self._open.tells.append((tell, count))
        self._start_full()

    def _start_full(self) -> None:
        if self._open is not None and len(self._open.entries) >= self.most:
            self._finish()
            self._start()

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
        started = perf_counter()

        def durable() -> None:
            if self._kept is not None:
                self._kept(len(entries), perf_counter() - started)
            _tell(tells, answers)

        self.desk.store.start(decided.writes, durable)


def _tell(tells: list[tuple[Tell, int]], answers: list[Answer]) -> None:
    start = 0
    for tell, count in tells:
        tell(answers[start : start + count])
        start += count
