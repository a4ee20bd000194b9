"""Group commit: single commands of many callers become batches, and each is answered once it is durable."""

import logging
import select
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from socket import socketpair
from threading import Event, Lock, Thread
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


class _Asked(NamedTuple):
    """What one caller handed in, and how it is told."""

    entries: Sequence[Entry]
    token: Any
    tell: Tell


class Queue:
    """One desk and the bounded queue before it.

    A caller hands in entries (read with ``desk.reader``) with a token; its ``tell`` gets (token, answers) pairs once a batch, all
    of its callers' together, on another thread, after the commit. While a batch is being committed what
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
        self._asked: deque[_Asked] = deque()
        self._waiting = 0
        self._closing = False
        self._asleep = False
        self._bell, self._button = socketpair()
        self._untold: deque[_Asked] = deque()  # taken and not told, oldest first
        self._hopeful: list[Callable[[], None]] = []  # whom to tell that there is room again
        self._pace = Pace()
        self._spent = 0.0  # processor time of the desk's thread
        self._thread = Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

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
                    self._asked.append(_Asked(entries, token, tell))
            if self._asked:
                self._ring()
        return refused

    def decide(self, sender: str, line: bytes) -> Answer:
        """Hand in one line and wait for its durable answer, from any thread."""
        check_sender(sender)
        done = Event()
        told: list[Told] = []

        def tell(some: list[tuple[Any, Told]]) -> None:
            told.append(some[0][1])
            done.set()

        self.submit([self.desk.reader.read(sender, line)], None, tell)
        done.wait()
        answers = told[0]
        if isinstance(answers, StoreError):
            raise answers
        return answers[0]

    def when_room(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called once half of the queue is free, on whatever thread finds it so."""
        with self._lock:
            if self._waiting > self.most_waiting // 2 and not self._closing:
                self._hopeful.append(tell)
                return
        tell()

    def close(self) -> None:
        """Take nothing more; what was taken is decided and told before this returns."""
        with self._lock:
            self._closing = True
            self._ring()
        self._thread.join()
        self._bell.close()
        self._button.close()

    def _ring(self) -> None:
        """Wake the desk, once."""
        if self._asleep:
            self._asleep = False
            self._button.send(b"!")

    # -- the desk's thread -------------------------------------------------------------------

    def _run(self) -> None:
        flow = Flow(self.desk, MOST_A_COMMIT, eager=True, kept=self._kept)
        going = True
        while going:
            try:
                going = self._turn(flow)
            except StoreError as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001  # whatever it is, nobody shall wait for ever
                _log.error("the desk failed and goes on with what comes next: %s", _where(error))
                flow.abandon()
                self._fail(StoreError(UNKNOWN.format(type(error).__name__)))

    def _kept(self, count: int, seconds: float) -> None:
        self._pace.kept(count, seconds)
        if self._watch is not None:
            self._watch(count, seconds)

    def _turn(self, flow: Flow) -> bool:
        """Decide what waits, or wait; False when it is time to go."""
        batch = self._take(at_first=flow.is_idle and self.desk.overlaps)
        if batch:
            entries = [entry for asked in batch for entry in asked.entries]
            flow.put(entries, self._tell)
            now = thread_time()
            self._pace.decided(len(entries), now - self._spent)
            self._spent = now
        elif not flow.is_idle:
            waits = self.desk.store.waits_for
            if waits:
                self._sleep(waits)
            flow.go_on()
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

    def _take(self, *, at_first: bool) -> list[_Asked]:
        """What fits into a batch, whole submissions only."""
        batch: list[_Asked] = []
        hopeful: list[Callable[[], None]] = []
        with self._lock:
            room = most = min(
                MOST_A_COMMIT, self._pace.first(self._waiting) if at_first else MOST_A_COMMIT
            )
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


def _where(error: Exception) -> str:
    """An error's kind and place. Its message stays out of the log: it may quote what somebody sent."""
    return "\n".join([type(error).__name__, *format_tb(error.__traceback__)])
