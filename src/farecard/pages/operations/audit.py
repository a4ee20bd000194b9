"""The audit: who did what, whether the whole store fits together, and where its chains end, signed."""

from typing import Any

import msgspec

from farecard.access import tasks, trail
from farecard.access.tasks import Task
from farecard.api import asking
from farecard.api.checking import check
from farecard.api.speakers import Speaker
from farecard.model.moments import iso_moment
from farecard.pages.house import House
from farecard.pages.language import sentence, words
from farecard.pages.operations.details import detail
from farecard.pages.operations.names import Titles, about, titles
from farecard.pages.operations.shared import (
    HOME,
    SHORT,
    Column,
    Grid,
    asked_id,
    file_of,
    for_staff,
    must_see,
    page,
)
from farecard.pages.requests import Answer, File, Redirect, Request, at
from farecard.pages.stretches import ROWS
from farecard.storage.store import Store
from farecard.texts import LANGUAGES

AT = f"{HOME}/audit"
KIND, ABOUT = "check", "store"
MOST = 10_000
_LAST = 10**9 - 1
_CHECKS = 10


def _did(code: str) -> dict[str, str]:
    """What was done, in both languages; a kind that has no words here as it was noted."""
    key = f"ops.did.{code}"
    return sentence(key) if key in words("en") else dict.fromkeys(LANGUAGES, code)


def _trail_grid(lines: list[dict[str, Any]], known: Titles) -> Grid:
    return Grid(
        "ops.audit.trail",
        [Column("ops.col.at", "moment"), Column("ops.col.who"), Column("ops.col.did", "said"), Column("ops.col.about", "card"), Column("ops.col.said", "card")],
        [(one["at"], one["who"], _did(one["did"]), about(one["about"], known), detail(one["did"], one["said"], known)) for one in lines],
        f"{AT}.csv",
    )  # fmt: skip


def _checks_grid(found: list[Task]) -> Grid:
    rows = []
    for one in found:
        answer = one.answer
        word = f"ops.task.{one.state}"
        if answer is not None:
            word = "ops.check.wrong" if answer["problems"] else "ops.check.ok"
        events = one.done if answer is None else answer["events"]
        rows.append((iso_moment(one.begun_at), one.who, word, events))
    columns = [Column("ops.col.at", "moment"), Column("ops.col.who"), Column("ops.col.state", "word"), Column("ops.col.events", "count")]  # fmt: skip
    return Grid("ops.check.earlier", columns, rows, f"{AT}/checks.csv", "ops.check.never")


@for_staff
async def shown(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/audit``; ``?before=N``: the trail further back."""
    must_see(speaker, "trail")
    text = request.query.get("before", "")
    before = int(text) if text.isdecimal() and len(text) < 10 else _LAST

    def ask(store: Store) -> tuple[list[dict[str, Any]], list[Task]]:
        return trail.lines(store, before, ROWS), tasks.load(store, KIND, ABOUT, _CHECKS)

    lines, checks = await house.app.readers.ask(ask)
    signed = await asking.checkpoint(house.app.readers, speaker, house.app.queue.desk.vault)
    further = lines[-1]["n"] if lines and lines[-1]["n"] > 1 else None
    return page(
        speaker, "audit", "audit", listed=_trail_grid(lines, await titles(house)), further=None if further is None else at(AT, before=further),
        task=checks[0] if checks else None,
        ended=iso_moment(checks[0].ended_at) if checks and checks[0].ended_at else None,
        checks=_checks_grid(checks), signed=signed,
    )  # fmt: skip


@for_staff
async def trail_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/audit.csv``: the newest of the trail."""
    must_see(speaker, "trail")
    lines = await house.app.readers.ask(lambda store: trail.lines(store, _LAST, MOST))
    return file_of(request, _trail_grid(lines, await titles(house)), "trail")


@for_staff
async def checks_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/audit/checks.csv``."""
    must_see(speaker, "trail")
    found = await house.app.readers.ask(lambda store: tasks.load(store, KIND, ABOUT, MOST))
    return file_of(request, _checks_grid(found), "checks")


@for_staff
async def begin(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/audit``: check the whole store, in a process of its own, one at a time."""
    must_see(speaker, "trail")
    url = house.app.readers.url
    number = await house.app.tasks.begin(
        asked_id(request), KIND, ABOUT, speaker.who, lambda tell: check(url, tell)
    )
    await house.app.tasks.settled(number, SHORT)
    return Redirect(AT)


@for_staff
async def checkpoint_file(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/audit/checkpoint.ndjson``: one line, as ``farecard checkpoint verify`` reads it."""
    found = await asking.checkpoint(house.app.readers, speaker, house.app.queue.desk.vault)
    name = f"checkpoint-{found['made_at'][:10]}.ndjson"
    return File(msgspec.json.encode(found) + b"\n", "application/x-ndjson", name)


PAGES = [
    ("GET", AT, shown),
    ("POST", AT, begin),
    ("GET", f"{AT}.csv", trail_file),
    ("GET", f"{AT}/checks.csv", checks_file),
    ("GET", f"{AT}/checkpoint.ndjson", checkpoint_file),
]
