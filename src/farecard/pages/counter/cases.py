"""Cases at the counter: what a rule left to people, where each goes; a supervisor closes those of the counter."""

from http import HTTPStatus
from typing import Any

from farecard.api.problems import ProblemError
from farecard.api.speakers import Speaker
from farecard.pages import cases
from farecard.pages.counter.at import CHANNEL, HOME, for_staff, is_clerk
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.stretches import stretch


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases``."""
    state, found = await cases.listed(house, request, speaker)
    return Page(
        "counter/cases.html",
        {"part": stretch(request, "cases", found), "state": state, "states": cases.SHOWN},
    )


@for_staff
async def listed_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases.csv``."""
    _, found = await cases.listed(house, request, speaker)
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
    return Page("counter/case.html", await _shown(house, request, speaker))


async def _shown(house: House, request: Request, speaker: Speaker) -> dict[str, Any]:
    """The case that the address names, who looks at it, and whether what was granted has been done."""
    figures = await cases.shown(house, request, speaker, CHANNEL)
    used = await _is_used(house, speaker, figures["one"])
    return figures | {"serves": is_clerk(speaker), "used": used}


async def _is_used(house: House, speaker: Speaker, one: dict[str, Any]) -> bool:
    """Whether the card has had done with it what was granted, since it was; a card that was never sold has not."""
    if one["state"] != "granted":
        return False
    try:
        lines = await house.about(speaker, one["card"], "history")
    except ProblemError as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        return False
    return any(line["do"] == one["do"] and line["at"] >= one["closed"]["at"] for line in lines)


@for_staff
async def close(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /counter/cases/C``: granted or declined, and why."""
    no, status = await cases.closed(house, request, speaker, CHANNEL, request.said("id"))
    if not no:
        return Redirect(f"{HOME}/cases/{request.parts['case']}")
    figures = await _shown(house, request, speaker)
    return Page("counter/case.html", figures | {"reasons": no}, status)


PAGES = [
    ("GET", f"{HOME}/cases", listed),
    ("GET", f"{HOME}/cases.csv", listed_file),
    ("GET", f"{HOME}/cases/{{case}}", case),
    ("POST", f"{HOME}/cases/{{case}}", close),
]
