"""Cases at the counter: what a rule left to people, where each goes; a supervisor closes those of the counter."""

from typing import Any

from farecard.api.speakers import Speaker
from farecard.model.moments import PAST_MOMENT
from farecard.pages import cases
from farecard.pages.counter.at import CHANNEL, HOME, for_staff, is_clerk
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.stretches import stretch
from farecard.questions.referrals import is_done


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases``."""
    state, found = await cases.listed(house, request, speaker)
    return Page(
        "counter/cases.html",
        {
            "part": stretch(request, "cases", found),
            "state": state,
            "states": cases.SHOWN,
            "most": cases.MOST,
        },
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
    used = await _is_used(house, figures["one"])
    return figures | {"serves": is_clerk(speaker), "used": used}


async def _is_used(house: House, one: dict[str, Any]) -> bool:
    if one["state"] != "granted":
        return False
    return await house.ask(lambda store: is_done(store, one, PAST_MOMENT))


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
