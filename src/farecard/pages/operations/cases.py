"""Cases: what a rule left to people, and closing one with a decision and why."""

from farecard.api.speakers import Speaker
from farecard.pages import cases
from farecard.pages.door import role_of
from farecard.pages.house import House
from farecard.pages.operations.shared import (
    CHANNEL,
    HOME,
    Column,
    Grid,
    Link,
    asked_id,
    file_of,
    for_staff,
    page,
)
from farecard.pages.requests import Answer, Redirect, Request, at
from farecard.questions.referrals import PLACES

AT = f"{HOME}/cases"


async def _listed(
    house: House, request: Request, speaker: Speaker
) -> tuple[dict[str, str], Grid, bool]:
    place = request.query.get("refer_to", "")
    place = place if place in PLACES else ""
    state, found, cut = await cases.listed(house, request, speaker, place or None)
    said = {"state": state, "refer_to": place}
    grid = Grid(
        "ops.cases.title",
        [Column("ops.col.case"), Column("ops.col.state", "word"), Column("ops.col.refer_to", "word"), Column("ops.col.at", "moment"),
         Column("ops.col.what", "word"), Column("ops.col.card", "card"), Column("ops.col.rule", "rule")],
        [
            (Link(f"{AT}/{one['case']}", one["case"]), f"cases.is.{one['state']}", f"cases.place.{one['refer_to']}", one["at"],
             f"do.{one['do']}", one["card"], one["reasons"][0]["rule"])
            for one in found
        ],
        at(f"{AT}.csv", **said), "ops.cases.none",
    )  # fmt: skip
    return said, grid, cut


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/cases``: those that are open, or all, of a place or of all."""
    said, grid, cut = await _listed(house, request, speaker)
    return page(
        speaker,
        "cases",
        "cases",
        listed=grid,
        said=said,
        states=cases.SHOWN,
        places=PLACES,
        most=cases.MOST,
        cut=cut,
    )


@for_staff
async def listed_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/cases.csv``."""
    return file_of(request, (await _listed(house, request, speaker))[1], "cases")


async def _shown(house: House, request: Request, speaker: Speaker, status: int = 200, **more: list[object]) -> Answer:  # fmt: skip
    figures = await cases.shown(house, request, speaker, CHANNEL)
    role = f"ops.role.{role_of(speaker)}"
    return page(speaker, "cases", "case", status, **{**figures, **more, "role_word": role})


@for_staff
async def case(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/cases/C…``."""
    return await _shown(house, request, speaker)


@for_staff
async def close(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/cases/C…``: close it, once."""
    no, status = await cases.closed(house, request, speaker, CHANNEL, asked_id(request))
    if not no:
        return Redirect(f"{AT}/{request.parts['case']}")
    return await _shown(house, request, speaker, status, reasons=no)


PAGES = [
    ("GET", AT, listed),
    ("GET", f"{AT}.csv", listed_file),
    ("GET", f"{AT}/{{case}}", case),
    ("POST", f"{AT}/{{case}}", close),
]
