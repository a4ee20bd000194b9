"""Grants: a month, what a run would grant by reason, and proposing it."""

from typing import Any

from farecard.access import proposals, tasks
from farecard.access.roles import PROPOSE
from farecard.api.speakers import Speaker
from farecard.model.commands import RunGrants
from farecard.model.moments import day_of, iso_day, iso_moment, month_of
from farecard.pages.house import House
from farecard.pages.operations.names import titles
from farecard.pages.operations.proposals import MOST, due_days, grid_of, measures_grid, state_of
from farecard.pages.operations.shared import (
    CHANNEL,
    HOME,
    Column,
    Grid,
    Link,
    acts,
    file_of,
    for_staff,
    month_asked,
    month_text,
    must_see,
    page,
    propose,
    proposed,
    survey,
    why_not,
)
from farecard.pages.requests import Answer, Redirect, Request
from farecard.questions.preview import preview
from farecard.rules.grants import may_run
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.texts import explain

AT = f"{HOME}/grants"


def _about(month: str) -> str:
    return f"grants:{month}"


async def _months(house: House, speaker: Speaker) -> Grid:
    """Every month in which something can be granted by now, the newest first: what was granted in it, whoever ran it, and what was proposed for it last."""
    must_see(speaker, "proposals")
    now = month_of(day_of(house.now))

    def ask(store: Store) -> list[tuple[Any, ...]]:
        first = min(
            (month_of(day_of(one.first_at)) for campaign in load_campaigns(store).all for one in campaign.measures),
            default=now,
        )  # fmt: skip
        found: list[tuple[Any, ...]] = []
        granted: dict[int, int] = {}
        for day, points in store.rows("granted_days"):
            granted[month_of(day)] = granted.get(month_of(day), 0) + points
        for month in range(now, first, -1):
            text = month_text(month)
            points = granted.get(month)
            newest = next((proposals.Proposal(*row) for row in store.rows("proposals_of", about=_about(text))), None)  # fmt: skip
            if newest is None:
                found.append((Link(f"{AT}/{text}", text), points, "ops.grants.nobody", None))
                continue
            link = Link(f"{HOME}/proposals/{newest.number}", newest.number)
            found.append(
                (Link(f"{AT}/{text}", text), points, f"ops.state.{state_of(newest)}", link)
            )
        return found

    rows = await house.app.readers.ask(ask)
    columns = [Column("ops.col.month", "month"), Column("ops.col.granted", "points"), Column("ops.col.state", "word"), Column("ops.col.proposal")]  # fmt: skip
    return Grid("ops.grants.months", columns, rows, f"{AT}.csv")


@for_staff
async def months(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/grants``."""
    return page(speaker, "grants", "grants", listed=await _months(house, speaker))


@for_staff
async def months_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/grants.csv``."""
    return file_of(request, await _months(house, speaker), "grants")


def _run_since(store: Store, shown: tasks.Task | None) -> proposals.Proposal | None:
    """The run, of whatever month, that was done after something was counted: what was counted is no more what a run would grant."""
    approved = [] if shown is None else proposals.load(store, proposals.APPROVED, MOST)
    for one in approved:
        is_run = one.about.startswith(_about(""))
        if is_run and shown and state_of(one) == "done" and (one.decided_at or 0) >= shown.begun_at:
            return one
    return None


async def _month(
    house: House, request: Request, speaker: Speaker, reasons: Any = (), status: int = 200
) -> Answer:
    must_see(speaker, "proposals")
    month = month_asked(house, request.parts["month"])
    text = month_text(month)
    about = _about(text)

    def ask(store: Store) -> tuple[Any, Any, list[proposals.Proposal], Any, list[Any]]:
        found = [proposals.Proposal(*row) for row in store.rows("proposals_of", about=about)]
        newest = tasks.newest(store, "preview", about)
        shown = tasks.newest_done(store, "preview", about)
        return newest, shown, found, _run_since(store, shown), due_days(store, month)

    newest, shown, made, since, due = await house.app.readers.ask(ask)
    if since is not None:
        shown = None
    known = await titles(house)
    no = may_run(
        RunGrants(id="x", at=house.now, channel="operations", month=text), day_of(house.now)
    )
    grid = (
        None
        if shown is None
        else measures_grid(shown.answer["measures"], f"{AT}/{text}.csv", known)
    )
    return page(
        speaker, "grants", "month", status, month=text, since=since, due=due, today=iso_day(day_of(house.now)), listed=grid, task=newest, reasons=reasons, made=made,
        counted=None if shown is None else shown.answer["as_of"], proposals=grid_of(made, f"{HOME}/proposals.csv", known),
        no=None if no is None else explain(no.reasons[0]), proposes=acts(speaker, PROPOSE),
        pending=[one.number for one in made if one.state == proposals.PENDING],
    )  # fmt: skip


@for_staff
async def month(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/grants/2023-04``: what a run would grant, as it was counted last."""
    return await _month(house, request, speaker)


@for_staff
async def month_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/grants/2023-04.csv``."""
    must_see(speaker, "proposals")
    text = month_text(month_asked(house, request.parts["month"]))
    about = _about(text)

    def ask(store: Store) -> tasks.Task | None:
        shown = tasks.newest_done(store, "preview", about)
        return shown if _run_since(store, shown) is None else None

    shown = await house.app.readers.ask(ask)
    measures = [] if shown is None else shown.answer["measures"]
    return file_of(request, measures_grid(measures, "", await titles(house)), f"grants-{text}")


@for_staff
async def count(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/grants/2023-04/count``: look at everybody, in the background."""
    must_see(speaker, "proposals")
    number = month_asked(house, request.parts["month"])
    text, now = month_text(number), house.now

    def ask(store: Store) -> dict[str, Any]:
        return {"measures": preview(store, number, now), "as_of": iso_moment(now)}

    return await survey(house, request, speaker, "preview", _about(text), ask, f"{AT}/{text}")


@for_staff
async def ask_for(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/grants/2023-04``: propose the run."""
    text = month_text(month_asked(house, request.parts["month"]))
    command = {"do": "run_grants", "channel": CHANNEL, "month": text}
    task = await propose(house, request, speaker, {"command": command})
    to: Redirect | None = proposed(task)
    return to or await _month(house, request, speaker, why_not(task), 422)


PAGES = [
    ("GET", AT, months),
    ("GET", f"{AT}.csv", months_file),
    ("GET", f"{AT}/{{month}}.csv", month_file),
    ("GET", f"{AT}/{{month}}", month),
    ("POST", f"{AT}/{{month}}/count", count),
    ("POST", f"{AT}/{{month}}", ask_for),
]
