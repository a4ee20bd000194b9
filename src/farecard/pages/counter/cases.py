"""Cases at the counter: what a rule left to people, where each goes; a supervisor closes those of the counter."""

from farecard.api.speakers import Speaker
from farecard.pages import cases
from farecard.pages.counter.at import CHANNEL, HOME, for_staff
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Redirect, Request


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cases``."""
    state, found = await cases.listed(house, request, speaker)
    return Page("counter/cases.html", {"cases": found, "state": state, "states": cases.SHOWN})


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
    return Page("counter/case.html", await cases.shown(house, request, speaker, CHANNEL))


@for_staff
async def close(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /counter/cases/C``: granted or declined, and why."""
    no, status = await cases.closed(house, request, speaker, CHANNEL, request.said("id"))
    if not no:
        return Redirect(f"{HOME}/cases/{request.parts['case']}")
    figures = await cases.shown(house, request, speaker, CHANNEL)
    return Page("counter/case.html", figures | {"reasons": no}, status)


PAGES = [
    ("GET", f"{HOME}/cases", listed),
    ("GET", f"{HOME}/cases.csv", listed_file),
    ("GET", f"{HOME}/cases/{{case}}", case),
    ("POST", f"{HOME}/cases/{{case}}", close),
]
