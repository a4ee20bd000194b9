"""Cases: what a rule left to people, and closing one with a decision and why."""

from typing import Any

from farecard.api import asking
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.pages.door import role_of
from farecard.pages.house import House
from farecard.pages.operations.shared import (
    CHANNEL,
    HOME,
    Column,
    Grid,
    Link,
    asked_id,
    at,
    file_of,
    for_staff,
    page,
)
from farecard.pages.requests import Answer, Redirect, Request
from farecard.questions import referrals

AT = f"{HOME}/cases"
MOST = 1_000


async def _listed(house: House, request: Request, speaker: Speaker) -> tuple[dict[str, str], Grid]:
    said = {name: request.query.get(name, "") for name in ("state", "refer_to")}
    said["state"] = said["state"] if said["state"] in (*referrals.STATES, "all") else referrals.OPEN
    said["refer_to"] = said["refer_to"] if said["refer_to"] in referrals.PLACES else ""
    state = None if said["state"] == "all" else said["state"]
    found = await asking.cases(house.app.readers, speaker, state, said["refer_to"] or None, MOST, None)  # fmt: skip
    grid = Grid(
        "ops.cases.title",
        [Column("ops.col.case", "link"), Column("ops.col.state", "word"), Column("ops.col.refer_to", "word"), Column("ops.col.at", "moment"),
         Column("ops.col.what", "word"), Column("ops.col.card"), Column("ops.col.rule", "rule")],
        [
            (Link(f"{AT}/{one['case']}", one["case"]), f"ops.case.state.{one['state']}", f"cases.place.{one['refer_to']}", one["at"],
             f"do.{one['do']}", one["card"], one["reasons"][0]["rule"])
            for one in found
        ],
        at(f"{AT}.csv", **said), "ops.cases.none",
    )  # fmt: skip
    return said, grid


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/cases``: those that are open, or all, of a place or of all."""
    said, grid = await _listed(house, request, speaker)
    return page(
        speaker, "cases", "cases", listed=grid, said=said, states=[*referrals.STATES, "all"], places=referrals.PLACES
    )  # fmt: skip


@for_staff
async def listed_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/cases.csv``."""
    return file_of(request, (await _listed(house, request, speaker))[1], "cases")


async def _shown(
    house: House, request: Request, speaker: Speaker, reasons: Any = (), status: int = 200
) -> Answer:
    one = await asking.case(house.app.readers, speaker, request.parts["case"], None)
    only = speaker.bound.only or frozenset()
    may = "resolve_case" in only and CHANNEL in speaker.bound.channels
    return page(
        speaker, "cases", "case", status, one=one, closes=may, reasons=reasons, why=request.said("why"),
        role_word=f"ops.role.{role_of(speaker)}",
    )  # fmt: skip


@for_staff
async def case(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/cases/C…``."""
    return await _shown(house, request, speaker)


@for_staff
async def close(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/cases/C…``: close it, once."""
    number = request.parts["case"]
    command = {
        "do": "resolve_case", "channel": CHANNEL, "case": number,
        "decision": request.said("decision"), "why": request.said("why"),
    }  # fmt: skip
    try:
        answer = await house.send(speaker, asked_id(request), command)
    except ProblemError as problem:
        told = [document(problem.status, problem.reason)]
        return await _shown(house, request, speaker, told, problem.status)
    if answer["outcome"] != "accepted":
        return await _shown(house, request, speaker, answer["reasons"], 422)
    return Redirect(f"{AT}/{number}")


PAGES = [
    ("GET", AT, listed),
    ("GET", f"{AT}.csv", listed_file),
    ("GET", f"{AT}/{{case}}", case),
    ("POST", f"{AT}/{{case}}", close),
]
