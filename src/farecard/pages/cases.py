"""Cases on pages: those that wait, whether somebody may close one here, and closing it, once."""

from typing import Any, NamedTuple

from farecard.api import asking
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.commands import ApplyMynaPoint, ChangeAppliedCard, ResolveCase, name_of
from farecard.model.moments import day_of, iso_day
from farecard.model.verdict import Reason
from farecard.pages.house import House
from farecard.pages.programmes import apply_until
from farecard.pages.requests import Request
from farecard.questions.referrals import OPEN, STATES
from farecard.rules.referral import AT_COUNTERS
from farecard.texts import explain

SHOWN = (*STATES, "all")
OURS = (*AT_COUNTERS, "back-office")  # who decides a case in the house; of the others it is heard
MOST = 1_000  # in a table and its file
APPLY, CHANGE = name_of(ApplyMynaPoint), name_of(ChangeAppliedCard)  # what holders ask for
_CLOSE = name_of(ResolveCase)


class Listed(NamedTuple):
    """Cases of a state, and whether there are more than stand here."""

    state: str
    cases: list[Any]
    cut: bool


async def listed(house: House, request: Request, speaker: Speaker, place: str | None = None) -> Listed:  # fmt: skip
    """The newest cases in the state that is asked for, else the open ones; of a place or of all."""
    state = request.query.get("state", OPEN)
    state = state if state in SHOWN else OPEN
    wanted = state if state in STATES else None
    found = await asking.cases(house.app.readers, speaker, wanted, place, MOST + 1, None)
    return Listed(state, found[:MOST], len(found) > MOST)


def too_late(one: dict[str, Any], today: int, apply_until: str) -> dict[str, Any] | None:
    """Why nothing can come of a case any more, as a reason is explained: the enquiry line has closed (MYN-17), or Myna Point is over (MYN-18); None where something can."""
    params = one["reasons"][0]["params"]
    if one["state"] == OPEN and one["do"] == CHANGE and params["until"] < iso_day(today):
        return explain(Reason("MYN-17", "enquiry-line-closed", {"last_day": params["until"]}))
    if one["do"] == APPLY and apply_until < iso_day(today):
        return explain(Reason("MYN-18", "campaign-over", {"last_day": apply_until}))
    return None


async def shown(house: House, request: Request, speaker: Speaker, channel: str) -> dict[str, Any]:
    """The case that the address names, whether something can still come of it, and whether this speaker closes it at this channel."""
    one = await asking.case(house.app.readers, speaker, request.parts["case"], None)
    over = too_late(one, day_of(house.now), await apply_until(house))
    here = channel != "counter" or one["refer_to"] in AT_COUNTERS
    may = _CLOSE in (speaker.bound.only or ()) and channel in speaker.bound.channels
    return {
        "one": one,
        "over": over,
        "closes": may and here,
        "why": request.said("why"),
        "reasons": [],
    }


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
