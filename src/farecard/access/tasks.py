"""Long work that goes on while nobody waits for it, as rows that any process can tell of: how far it is, what came of it."""

import secrets
from typing import Any, NamedTuple

import msgspec

from farecard.access.trail import note
from farecard.model.commands import LETTERS
from farecard.model.moments import SECOND, iso_moment, moment_now
from farecard.storage.making import adding
from farecard.storage.store import Store

SILENT = 30 * SECOND  # whoever does it and has not been heard of for so long is gone
TOLD_APART = ("propose",)  # what it does is a line of the trail itself

UNDER_WAY, CUT_SHORT, DONE = "under-way", "cut-short", "done"


class Task(NamedTuple):
    """A task. ``done`` of ``total`` (0: not known); ``result`` is what came of it as JSON."""

    task: str
    kind: str
    about: str
    who: str
    begun_at: int
    seen_at: int
    done: int
    total: int
    ended_at: int | None
    result: str | None

    @property
    def state(self) -> str:
        """Whether it is done, under way, or was cut short: by the end of a server, say."""
        if self.ended_at is not None:
            return CUT_SHORT if self.result is None else DONE
        return UNDER_WAY if moment_now() - self.seen_at < SILENT else CUT_SHORT

    @property
    def begun(self) -> str:
        """When it began."""
        return iso_moment(self.begun_at)

    @property
    def answer(self) -> Any:
        """What came of it; None where nothing has yet."""
        return None if self.result is None else msgspec.json.decode(self.result)


def new_number() -> str:
    """A number nobody has."""
    return "T-" + "".join(secrets.choice(LETTERS) for _ in range(10))


def begin(store: Store, number: str, kind: str, about: str, who: str) -> tuple[Task, bool]:
    """The task that is to do this, and whether it begins now: not where it was begun already, or another does the same."""
    with adding(store):
        for row in store.rows("task", task=number):
            return Task(*row), False
        for row in store.rows("newest_task", kind=kind, about=about):
            other = Task(*row)
            if other.state == UNDER_WAY:
                return other, False
        now = moment_now()
        made = Task(number, kind, about, who, now, now, 0, 0, None, None)
        store.append("task", [tuple(made)])
        if kind not in TOLD_APART:
            note(store, who, f"began {kind}", number, about)
    return made, True


def seen(store: Store, number: str, done: int, total: int) -> None:
    """Note how far it is, and that somebody is at it."""
    with adding(store):
        store.change("task_seen", task=number, seen_at=moment_now(), done=done, total=total)


def end(store: Store, number: str, result: Any) -> None:
    """Keep what came of it; None: it was cut short."""
    text = None if result is None else msgspec.json.encode(result).decode()
    with adding(store):
        (row,) = store.rows("task", task=number)
        store.change("end_task", task=number, ended_at=moment_now(), result=text)
        task = Task(*row)
        if task.kind not in TOLD_APART:
            note(store, task.who, f"ended {task.kind}", number, task.about)


def find(store: Store, number: str) -> Task | None:
    """One task; None where there is none of this number."""
    return next((Task(*row) for row in store.rows("task", task=number)), None)


def newest(store: Store, kind: str, about: str) -> Task | None:
    """The newest of its kind about something."""
    rows = store.rows("newest_task", kind=kind, about=about)
    return next((Task(*row) for row in rows), None)


def newest_done(store: Store, kind: str, about: str) -> Task | None:
    """The newest that has come to something."""
    rows = store.rows("newest_result", kind=kind, about=about)
    return next((Task(*row) for row in rows), None)


def load(store: Store, kind: str, about: str, most: int) -> list[Task]:
    """The newest ``most``."""
    return [Task(*row) for row in store.rows("tasks", kind=kind, about=about, most=most)]
