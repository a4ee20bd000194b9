"""A procedure that points are given for as a list of steps: what is done, what comes next and by when, what was missed."""

from typing import Any, NamedTuple

from farecard.model.campaign import Campaign, Measure
from farecard.rules.measures import DUE, GRANTED, NOT_APPLIED, NOT_GRANTED

DONE, NEXT, LATER, MISSED = "done", "next", "later", "missed"
_FILED = ("banks-review", "not-complete-in-time")  # said only where the filing was heard of
_SOMETHING_ELSE = ("expires-before-grant", "refunded-before-grant")


def waits_for(told: dict[str, Any]) -> str:
    """Whose turn it is with a measure that waits: the applicant's ``own``, or the ``bank``'s."""
    return "bank" if told["reasons"][0]["code"] == "banks-review" else "own"


class Step(NamedTuple):
    """A step (``apply``, the command that reports it, or ``points``), how it stands, and its day: the last one to take it, or when points come; None without one."""

    name: str
    state: str
    day: str | None


def steps(measure: Measure | None, campaign: Campaign, told: dict[str, Any]) -> list[Step]:
    """The steps of a measure of the campaign, from applying to its points; ``told``: what its applicant is told of it.

    None where it counts yen, or is no measure of this edition.
    """
    if measure is None or measure.done is None:
        return []
    days = {"apply": campaign.apply_until.isoformat()}
    for report, until in ((measure.filed, measure.filed_until), (measure.done, measure.done_until)):
        if report is not None and until is not None:
            days[report] = until.isoformat()
    names = [*days, "points"]
    state, over = told["state"], told["state"] == NOT_GRANTED
    codes = [one["code"] for one in told["reasons"]]
    if over and any(code in _SOMETHING_ELSE for code in codes):
        return [Step("apply", DONE, None), Step("points", MISSED, None)]
    reached = 0 if state == NOT_APPLIED else 1
    if any(code in _FILED for code in codes):
        reached = 2
    elif state in (DUE, GRANTED):
        reached = len(names) - (state == DUE)
    found = []
    for n, name in enumerate(names):
        how = DONE if n < reached else MISSED if over else NEXT if n == reached else LATER
        day = None if how == DONE else told["grant_on"] if name == "points" else days[name]
        found.append(Step(name, how, day))
    return found
