"""Draws, from the frozen list to the published file: each step, who takes it, and what the public sees of it."""

from typing import Any

from farecard.access import proposals, tasks
from farecard.access.roles import PROPOSE
from farecard.api.problems import ProblemError
from farecard.api.speakers import Speaker
from farecard.model.moments import day_of
from farecard.model.verdict import Reason
from farecard.pages.house import House
from farecard.pages.operations.names import titles
from farecard.pages.operations.proposals import grid_of
from farecard.pages.operations.shared import (
    CHANNEL,
    HOME,
    Column,
    Grid,
    Link,
    acts,
    file_of,
    for_staff,
    must_see,
    page,
    propose,
    proposed,
    survey,
    why_not,
)
from farecard.pages.requests import Answer, Redirect, Request
from farecard.questions import draws
from farecard.rules import stamp_rally
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.texts import explain

AT = f"{HOME}/draws"
STEPS = {"commit": "commit_draw", "draw": "draw_lottery"}


def draws_of(store: Store, now: int) -> list[dict[str, Any]]:
    """The rally's draws, as they stand on a day."""
    return draws.draws(store, load_campaigns(store).rally(stamp_rally.NAME), day_of(now))


def stage_word(one: dict[str, Any]) -> str:
    """How far a draw is, as a key."""
    stage = one["stage"]
    if stage is None:
        return "ops.draw.stage.collecting" if one["no"]["commit_draw"] else "ops.draw.stage.ready"
    return "ops.draw.stage.frozen" if stage["drawn_at"] is None else "ops.draw.stage.held"


async def _list(house: House, speaker: Speaker) -> Grid:
    must_see(speaker, "proposals")
    found = await house.app.readers.ask(lambda store: draws_of(store, house.now))
    return Grid(
        "ops.draws.title",
        [Column("ops.col.draw"), Column("ops.col.until", "day"), Column("ops.col.state", "word"), Column("ops.col.entrants", "count")],
        [
            (Link(f"{AT}/{one['number']}", str(one["number"])), one["until"], stage_word(one), one["stage"] and one["stage"]["entrants"])
            for one in found
        ],
        f"{AT}.csv",
    )  # fmt: skip


@for_staff
async def listed(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/draws``."""
    return page(speaker, "draws", "draws", listed=await _list(house, speaker))


@for_staff
async def listed_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/draws.csv``."""
    return file_of(request, await _list(house, speaker), "draws")


async def _shown(
    house: House, request: Request, speaker: Speaker, reasons: Any = (), status: int = 200
) -> Answer:
    must_see(speaker, "proposals")
    number = _number(request)
    about = f"draw:{number}"

    def ask(store: Store) -> dict[str, Any] | None:
        one = next((one for one in draws_of(store, house.now) if one["number"] == number), None)
        return one and one | {
            "made": [proposals.Proposal(*row) for row in store.rows("proposals_of", about=about)],
            "task": tasks.newest(store, "verify", about),
            "verified": tasks.newest_done(store, "verify", about),
        }

    one = await house.app.readers.ask(ask)
    if one is None:
        raise ProblemError(404, Reason(None, "no-such-address"))
    no = {name: None if reason is None else explain(reason) for name, reason in one["no"].items()}
    checked = None if one["verified"] is None else one["verified"].answer
    if checked is not None and checked["drawn"] != (one["stage"]["drawn_at"] is not None):
        checked = None  # it was looked at before the last step
    said = {name: request.said(name) for name in ("seed_source", "seed", "winners")}
    return page(
        speaker, "draws", "draw", status, number=number, until=one["until"], stage=one["stage"], no=no, said=said,
        reasons=reasons, task=one["task"], checked=checked, proposes=acts(speaker, PROPOSE), made=one["made"],
        proposals=grid_of(one["made"], f"{HOME}/proposals.csv", await titles(house)), stage_word=stage_word(one),
        pending=[each.number for each in one["made"] if each.state == proposals.PENDING],
    )  # fmt: skip


def _number(request: Request) -> int:
    text = request.parts["number"]
    if not text.isdecimal() or len(text) > 3:
        raise ProblemError(404, Reason(None, "no-such-address"))
    return int(text)


@for_staff
async def draw(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/draws/N``."""
    return await _shown(house, request, speaker)


@for_staff
async def ask_for(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/draws/N``: propose freezing the list, or drawing by the public value."""
    number, step = _number(request), request.said("step")
    command: dict[str, Any] = {
        "do": STEPS.get(step, "commit_draw"),
        "channel": CHANNEL,
        "draw": number,
    }
    if step == "draw":
        winners = request.said("winners")
        command |= {"seed": request.said("seed"), "winners": int(winners) if winners.isdecimal() and len(winners) < 10 else winners}  # fmt: skip
    else:
        command |= {"seed_source": request.said("seed_source")}
    task = await propose(house, request, speaker, {"command": command})
    to: Redirect | None = proposed(task)
    return to or await _shown(house, request, speaker, why_not(task), 422)


@for_staff
async def check(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/draws/N/verify``: do all of it again from the published file, in the background."""
    must_see(speaker, "proposals")
    number = _number(request)
    if await house.app.readers.ask(lambda store: draws.stage(store, number)) is None:
        return await _shown(
            house, request, speaker, status=409
        )  # it says that there is nothing yet

    def ask(store: Store) -> dict[str, Any]:
        found = draws.published(store, number)
        assert found is not None, "what is frozen stays"
        _, wrong = draws.verify(draws.text_of(found).decode())
        return {
            "ok": not wrong, "problems": wrong,
            "entrants": found["entrants"], "winners": len(found["winners"]), "drawn": found["drawn_at"] is not None,
        }  # fmt: skip

    return await survey(house, request, speaker, "verify", f"draw:{number}", ask, f"{AT}/{number}")


PAGES = [
    ("GET", AT, listed),
    ("GET", f"{AT}.csv", listed_file),
    ("GET", f"{AT}/{{number}}", draw),
    ("POST", f"{AT}/{{number}}", ask_for),
    ("POST", f"{AT}/{{number}}/verify", check),
]
