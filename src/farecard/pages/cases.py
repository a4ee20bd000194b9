"""Cases on pages: those that wait, whether somebody may close one here, and closing it, once."""

from typing import Any

from farecard.api import asking
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.commands import ResolveCase, name_of
from farecard.pages.house import House
from farecard.pages.requests import Request
from farecard.questions.referrals import OPEN, STATES
from farecard.rules.referral import AT_COUNTERS

SHOWN = (*STATES, "all")
OURS = (*AT_COUNTERS, "back-office")  # who decides a case in the house; of the others it is heard
MOST = 1_000  # in a table and its file
_CLOSE = name_of(ResolveCase)


async def listed(house: House, request: Request, speaker: Speaker, place: str | None = None) -> tuple[str, list[Any]]:  # fmt: skip
    """The state that is asked for, else open, and the newest cases in it, of a place or of all."""
    state = request.query.get("state", OPEN)
    state = state if state in SHOWN else OPEN
    wanted = state if state in STATES else None
    return state, await asking.cases(house.app.readers, speaker, wanted, place, MOST, None)


async def shown(house: House, request: Request, speaker: Speaker, channel: str) -> dict[str, Any]:
    """The case that the address names, and whether this speaker closes it at this channel."""
    one = await asking.case(house.app.readers, speaker, request.parts["case"], None)
    here = channel != "counter" or one["refer_to"] in AT_COUNTERS
    may = _CLOSE in (speaker.bound.only or ()) and channel in speaker.bound.channels
    return {"one": one, "closes": may and here, "why": request.said("why"), "reasons": []}


async def closed(
    house: House, request: Request, speaker: Speaker, channel: str, id: str
) -> tuple[list[Any], int]:
    """Close the case as the form says; gives why it was not, as reasons are explained, and the status of that answer."""
    said = {"case": request.parts["case"], "decision": request.said("decision"), "why": request.said("why")}  # fmt: skip
    try:
        answer = await house.send(speaker, id, {"do": _CLOSE, "channel": channel, **said})
    except ProblemError as problem:
        return [document(problem.status, problem.reason)], problem.status
    return answer["reasons"], 200 if answer["outcome"] == "accepted" else 422
