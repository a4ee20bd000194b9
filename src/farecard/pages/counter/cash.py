"""Cash brought to a clerk's till during a shift, or taken out of it: entered with a reason, never edited."""

from typing import Any

from farecard.access import shifts
from farecard.access.shifts import Moved, NotInTillError, Shift
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.api.written import must_be_fit
from farecard.model.verdict import Reason
from farecard.pages.counter.at import HOME, drawer, in_a_shift
from farecard.pages.counter.shifts import whole
from farecard.pages.door import then_to
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.requests import Answer, Page, Redirect, Request

_WAYS = {"in": 1, "out": -1}


async def _page(house: House, shift: Shift, then: str, said: dict[str, str], problem: Any = None, status: int = 200) -> Page:  # fmt: skip
    has = await house.ask(lambda store: shifts.expected(store, shift))
    figures = {"shift": shift, "has": has, "then": then, "said": said, "problem": problem}
    return Page("counter/cash.html", figures, status)


def _then(shift: Shift, wanted: str) -> str:
    """Where one goes on: where one came from, else the shift's page."""
    return then_to(HOME, wanted or f"{HOME}/shifts/{shift.shift}")


@in_a_shift
async def form(house: House, request: Request, _speaker: Speaker, shift: Shift) -> Answer:
    """``GET /counter/cash``; ``yen``: what is missing for what was to be paid out, ``then``: where that was."""
    missing = request.query.get("yen", "")
    said = {"way": "in", "yen": missing} if missing else {}
    return await _page(house, shift, _then(shift, request.query.get("then", "")), said)


@in_a_shift
async def move(house: House, request: Request, speaker: Speaker, shift: Shift) -> Answer:
    """``POST /counter/cash``: once, however often it is pressed."""
    said = {name: request.said(name) for name in ("way", "yen", "why")}
    then, id, at = _then(shift, request.said("then")), request.said("id"), house.now
    way = _WAYS.get(said["way"])
    if way is None:
        no = Reason(None, "want-choice", {"field": "way", "choices": [*_WAYS]})
        return await _page(house, shift, then, said, document(400, no), 400)
    try:
        must_be_fit(why=said["why"])
        yen = way * whole(said["yen"], shifts.bad_amount())
        moved = Moved(shift.shift, id, at, speaker.who, yen, said["why"])
        async with drawer(house, speaker.who):
            await house.write(lambda store: shifts.move_cash(store, moved))
    except NotInTillError as no:
        says = sentence("cash.not_there", has=no.yen) | {"params": {"field": "yen"}}
        return await _page(house, shift, then, said, says, 409)
    except ProblemError as problem:
        told = document(problem.status, problem.reason)
        return await _page(house, shift, then, said, told, problem.status)
    return Redirect(then)


PAGES = [("GET", f"{HOME}/cash", form), ("POST", f"{HOME}/cash", move)]
