"""Group commit: single commands of many callers become batches, and each is answered once it is durable."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from threading import Lock
from time import thread_time
from traceback import format_tb
from typing import Any, NamedTuple

from farecard.desk.desk import Desk
from farecard.desk.entries import Entry
from farecard.desk.flow import Flow, Kept
from farecard.desk.pace import Pace
from farecard.storage.errors import StoreError
from farecard.wire.answer import Answer
from farecard.wire.diagnose import is_name

MOST_A_COMMIT = 4096
MOST_WAITING = 16_384
MOST_NAMED = 100  # commands that a line of the log names
UNKNOWN = (
    "the desk failed ({}); nobody knows whether this was kept: the same id sent again is answered"
)

_log = logging.getLogger("farecard")
_is_name = lru_cache(1024)(is_name)

Told = list[Answer] | StoreError
Tell = Callable[[list[tuple[Any, Told]]], None]


class QueueFullError(Exception):
    """Too much is waiting already. Nothing was decided: send it again, a little later."""


class QueueClosedError(Exception):
    """The desk is going home. Nothing was decided: send it again elsewhere, or later."""


def check_sender(sender: str) -> None:
    """``ValueError`` when a sender is none: told to whoever names it, not to all of a batch."""
    if not _is_name(sender):
        raise ValueError("a sender's name is 1 to 64 characters, none of them a control character")


class Asked(NamedTuple):
    """What one caller handed in, and how it is told."""

    entries: Sequence[Entry]
    token: Any
    tell: Tell


class Queue:
    """One desk and the bounded queue before it; what drives it is a thread or an event loop.

    A caller hands in entries (read with ``desk.reader``) with a token; its ``tell`` gets (token, answers) pairs once a batch, all
    of its callers' together, after the commit. While a batch is being committed what
    arrives is decided, and becomes the next batch; an idle desk may take half of a crowd first (``Pace``).
    """

    def __init__(
        self, desk: Desk, *, most_waiting: int = MOST_WAITING, watch: Kept | None = None
    ) -> None:
        """``watch`` is told of each batch how many commands it held and how long its commit took."""
        self.desk = desk
        self._watch = watch
        self.most_waiting = most_waiting
        self._lock = Lock()
        self._asked: deque[Asked] = deque()
        self._waiting = 0
        self._closing = False
        self._untold: deque[Asked] = deque()  # taken and not told, oldest first
        self._hopeful: list[Callable[[], None]] = []  # whom to tell that there is room again
        self._pace = Pace()
        self._spent = 0.0  # processor time of deciding, since this was last told to the pace
        self._flow = Flow(desk, MOST_A_COMMIT, eager=True, kept=self._kept, ripe=self._ripe)

    # -- for callers -------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many commands wait to be decided."""
        return self._waiting

    def submit(self, entries: Sequence[Entry], token: Any, tell: Tell) -> None:
        """Hand in entries; returns at once, or raises that there is no room."""
        if self.submit_all([(entries, token)], tell):
            raise QueueFullError

    def submit_all(self, some: Iterable[tuple[Sequence[Entry], Any]], tell: Tell) -> list[Any]:
        """Hand in what several callers have, at once; gives the tokens of those there is no room for."""
        refused = []
        with self._lock:
            if self._closing:
                raise QueueClosedError
            for entries, token in some:
                if self._waiting + len(entries) > self.most_waiting:
                    refused.append(token)
                else:
                    self._waiting += len(entries)
                    self._asked.append(Asked(entries, token, tell))
            if self._asked:
                self._ring()
        return refused

    def when_room(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called once half of the queue is free, by whoever finds it so."""
        with self._lock:
            if self._waiting > self.most_waiting // 2 and not self._closing:
                self._hopeful.append(tell)
                return
        tell()

    async def leave(self) -> None:
        """Take nothing more; what was taken is decided and told before this returns."""
        raise NotImplementedError

    # -- for what drives it ------------------------------------------------------------------

    def _ring(self) -> None:
        """Something is asked, or it is time to go; called with the lock held."""
        raise NotImplementedError

    def _kept(self, count: int, seconds: float) -> None:
        self._pace.kept(count, seconds)
        if self._watch is not None:
            self._watch(count, seconds)

    def _ripe(self, _count: int) -> bool:
        """Whether to keep so many decided commands at once, or wait for more."""
        return True

    def _put(self, batch: list[Asked]) -> None:
        """Have the desk decide what was taken."""
        entries = [entry for asked in batch for entry in asked.entries]
        started = thread_time()
        self._flow.put(entries, self._tell)
        self._pace.decided(len(entries), self._spent + thread_time() - started)
        self._spent = 0.0

    def _go_on(self) -> None:
        """Do what can be done of what was put without waiting."""
        started = thread_time()
        self._flow.go_on()
        self._spent += thread_time() - started

    def _do(self, step: Callable[[], bool]) -> bool:
        """Take a step; True also when it failed: all who waited for what was under way are told so."""
        try:
            return step()
        except StoreError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody shall wait for ever
            _log.error("the desk failed and goes on with what comes next: %s", _where(error))
            self._flow.abandon()
            self._fail(StoreError(UNKNOWN.format(type(error).__name__)))
        return True

    def _take(self, most: int = MOST_A_COMMIT) -> list[Asked]:
        """What fits into a batch, whole submissions only."""
        batch: list[Asked] = []
        hopeful: list[Callable[[], None]] = []
        at_first = self._flow.is_idle and self.desk.overlaps
        with self._lock:
            room = most = min(most, self._pace.first(self._waiting)) if at_first else most
            while self._asked and (not batch or len(self._asked[0].entries) <= room):
                batch.append(self._asked.popleft())
                room -= len(batch[-1].entries)
            self._waiting -= most - room
            if self._waiting <= self.most_waiting // 2 or self._closing:
                hopeful, self._hopeful = self._hopeful, []
        self._untold += batch
        for tell in hopeful:
            tell()
        return batch

    def _tell(self, answers: list[Answer]) -> None:
        """These answers, in the order their lines were taken, are durable now."""
        start = 0
        windows: dict[Tell, list[tuple[Any, Told]]] = {}
        while start < len(answers):
            asked = self._untold.popleft()
            end = start + len(asked.entries)
            windows.setdefault(asked.tell, []).append((asked.token, answers[start:end]))
            start = end
        _tell(windows)

    def _fail(self, error: StoreError) -> None:
        """Nobody knows what became of what was under way: every caller of it is told so."""
        if not self._untold:  # it failed before it took anything: what waits would fail it again
            with self._lock:
                self._untold, self._asked = self._asked, deque()
                self._waiting = 0
        ids = [_name(entry) for asked in self._untold for entry in asked.entries]
        if ids:
            told = {"commands": ids[:MOST_NAMED]}
            _log.error("nobody knows what became of %d commands: %s", len(ids), error, extra=told)
        windows: dict[Tell, list[tuple[Any, Told]]] = {}
        while self._untold:
            asked = self._untold.popleft()
            windows.setdefault(asked.tell, []).append((asked.token, error))
        _tell(windows)


def _tell(windows: dict[Tell, list[tuple[Any, Told]]]) -> None:
    """Tell each window what its callers wait for. One that is gone harms no other."""
    for tell, some in windows.items():
        try:
            tell(some)
        except Exception as error:  # noqa: BLE001
            _log.error("%d callers are gone, and were not told: %s", len(some), _where(error))


def _name(entry: Entry) -> str:
    """A command as it is told of in the log: whose, and its id."""
    id = (
        entry.broken.id
        if entry.command is None and entry.broken
        else getattr(entry.command, "id", None)
    )
    return f"{entry.sender} {id}"


def _where(error: Exception) -> str:
    """An error's kind and place. Its message stays out of the log: it may quote what somebody sent."""
    return "\n".join([type(error).__name__, *format_tb(error.__traceback__)])
