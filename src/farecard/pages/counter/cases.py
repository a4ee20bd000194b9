"""Cases at the counter: what a rule left to people, where each goes; a supervisor closes those of the counter."""

from typing import Any

from farecard.api import asking
from farecard.api.speakers import Speaker
from farecard.model.commands import ResolveCase, name_of
from farecard.pages.counter.at import HOME, command, for_staff
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.questions.referrals import STATES
from farecard.rules.referral import AT_COUNTERS

MOST = 200
_CLOSE = name_of(ResolveCase)


async def _listed(house: House, request: Request, speaker: Speaker) -> tuple[str, list[Any]]:
    state = request.query.get("state", STATES[0])
    wanted = state if state in STATES else None
    found = await asking.cases(house.app.readers, speaker, wanted, None, MOST, None)
    return state, found


@for_staff
async def cases(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases``."""
    state, found = await _listed(house, request, speaker)
    return Page("counter/cases.html", {"cases": found, "state": state, "states": STATES})


@for_staff
async def cases_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases.csv``."""
    _, found = await _listed(house, request, speaker)
    t, head = request.language.word, ("case", "state", "goes_to", "at", "what", "card", "rule")
    rows = [
        [
            one["case"], t(f"cases.is.{one['state']}"), t(f"cases.place.{one['refer_to']}"), one["at"],
            t(f"do.{one['do']}"), one["card"], one["reasons"][0]["rule"],
        ]
        for one in found
    ]  # fmt: skip
    return csv_file("cases", [t(f"cases.{name}") for name in head], rows)


@for_staff
async def case(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases/C``."""
    return await _case(house, request, speaker, [])


async def _case(house: House, request: Request, speaker: Speaker, no: list[Any]) -> Page:
    one = await asking.case(house.app.readers, speaker, request.parts["case"], None)
    only = speaker.bound.only or frozenset()
    closes = _CLOSE in only and "counter" in speaker.bound.channels
    figures = {"one": one, "closes": closes and one["refer_to"] in AT_COUNTERS, "reasons": no}
    return Page("counter/case.html", figures)


@for_staff
async def close(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /counter/cases/C``: granted or declined, and why."""
    number = request.parts["case"]
    said = command(
        None, _CLOSE, case=number, decision=request.said("decision"), why=request.said("why")
    )
    answer = await house.send(speaker, request.said("id"), said)
    if answer["outcome"] != "accepted":
        return await _case(house, request, speaker, answer["reasons"])
    return Redirect(f"{HOME}/cases/{number}")


PAGES = [
    ("GET", f"{HOME}/cases", cases),
    ("GET", f"{HOME}/cases.csv", cases_file),
    ("GET", f"{HOME}/cases/{{case}}", case),
    ("POST", f"{HOME}/cases/{{case}}", close),
]
