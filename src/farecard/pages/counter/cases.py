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
from farecard.questions import finding
from farecard.questions.referrals import GRANTED, is_done
from farecard.storage.store import Store


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases``."""
    state, found, cut = await cases.listed(house, request, speaker)
    figures = {"state": state, "states": cases.SHOWN, "most": cases.MOST, "cut": cut}
    return Page("counter/cases.html", {"part": stretch(request, "cases", found), **figures})


@for_staff
async def listed_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases.csv``."""
    found = (await cases.listed(house, request, speaker)).cases
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
    one = figures["one"]

    def ask(store: Store) -> tuple[bool, str]:
        """Whether it is done, and the number that its card has now: its own where it was never sold."""
        done = one["state"] == GRANTED and is_done(store, one, PAST_MOMENT)
        return done, finding.number_now(store, one["card"])

    used, number = await house.ask(ask)
    return figures | {"serves": is_clerk(speaker), "used": used, "card_now": number}


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
