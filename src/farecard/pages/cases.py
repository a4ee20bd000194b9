"""Cases on pages: those that wait, whether somebody may close one here, and closing it, once."""

from typing import Any

from farecard.api import asking
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.commands import ResolveCase, name_of
from farecard.model.moments import day_of, iso_day
from farecard.model.verdict import Reason
from farecard.pages.house import House
from farecard.pages.requests import Request
from farecard.questions.referrals import OPEN, STATES
from farecard.rules.referral import AT_COUNTERS
from farecard.texts import explain

SHOWN = (*STATES, "all")
OURS = (*AT_COUNTERS, "back-office")  # who decides a case in the house; of the others it is heard
MOST = 1_000  # in a table and its file
LINE_OPEN, LINE_CLOSED = "ask-the-enquiry-line", "enquiry-line-closed"  # what MYN-17 says
_CLOSE = name_of(ResolveCase)


async def listed(house: House, request: Request, speaker: Speaker, place: str | None = None) -> tuple[str, list[Any]]:  # fmt: skip
    """The state that is asked for, else open, and the newest cases in it, of a place or of all."""
    state = request.query.get("state", OPEN)
    state = state if state in SHOWN else OPEN
    wanted = state if state in STATES else None
    return state, await asking.cases(house.app.readers, speaker, wanted, place, MOST, None)


def as_it_stands(one: dict[str, Any], today: int) -> dict[str, Any]:
    """A case with what there is to say of it today: while it is open, an enquiry line that has closed since is asked no more (MYN-17)."""
    if one["state"] != OPEN:
        return one
    reasons = [
        explain(Reason("MYN-17", LINE_CLOSED, {"last_day": no["params"]["until"]}))
        if no["code"] == LINE_OPEN and no["params"]["until"] < iso_day(today)
        else no
        for no in one["reasons"]
    ]
    return one | {"reasons": reasons}


async def shown(house: House, request: Request, speaker: Speaker, channel: str) -> dict[str, Any]:
    """The case that the address names, as it stands today, and whether this speaker closes it at this channel."""
    one = await asking.case(house.app.readers, speaker, request.parts["case"], None)
    one = as_it_stands(one, day_of(house.now))
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
