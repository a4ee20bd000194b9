"""An application for Myna Point as a form says it, wherever it is filled in."""

from typing import Any

from farecard.model.campaign import Campaign
from farecard.model.verdict import INVALID, REFUSED
from farecard.pages.language import sentence
from farecard.pages.requests import Request
from farecard.pages.typed import figure_typed

# an application by nobody yet, to be tried: what it is refused for holds for whoever applies with the card
BY_ANYBODY: dict[str, Any] = {"do": "apply_myna_point", "person": "-", "measures": [1, 2, 3]}
_OF_WHO_APPLIES = ("MYN-8", "MYN-9")


def refusal(tried: dict[str, Any]) -> list[dict[str, Any]]:
    """Why a thing is refused that was tried, whoever asks for it; nothing where that depends on who applies."""
    no: list[dict[str, Any]] = tried["reasons"] if tried["outcome"] == REFUSED else []
    return [one for one in no if one["rule"] not in _OF_WHO_APPLIES]


def too_much_before(asked: dict[str, Any], campaign: Campaign) -> dict[str, Any] | None:
    """An answer that an application cannot be taken so: more is said to have counted in the first round than can have; None where it can.

    Whoever reached the target there has received the points, and that is another answer of the form.
    """
    first = campaign.measure(1)
    most = None if first is None else first.target
    said = asked.get("history", {}).get("round_1_counted", 0)
    if most is None or not isinstance(said, int) or said <= most:
        return None
    no = sentence("apply.round_too_much", most=most)
    params = {"field": "history.round_1_counted"}
    return {"outcome": INVALID, "reasons": [no | {"params": params}], "warnings": [], "result": {}}


def application(request: Request) -> dict[str, Any]:
    """The fields of ``apply_myna_point`` that a form asks for; what was left out is not there."""
    history: dict[str, Any] = {}
    if request.said("round_1") not in ("", "none"):
        history["round_1"] = request.said("round_1")
        if request.said("round_1_counted"):
            history["round_1_counted"] = whole(request.said("round_1_counted"))
    if request.said("other_measure"):
        history["other_service"] = {
            "measure": whole(request.said("other_measure")),
            "ended": bool(request.said("other_ended")),
        }
        applied_on = request.said("other_applied_on")
        if applied_on:  # else it says that it is missing, not that it is no day
            history["other_service"]["applied_on"] = applied_on
    return {
        "person": request.said("person"),
        "measures": [n for n in (1, 2, 3) if request.said(f"measure_{n}")],
        "own_name": not request.said("other_name"),
        **({"history": history} if history else {}),
    }


def whole(text: str) -> int | str:
    """A figure that was typed; what is none stays as it is, and whoever reads the command tells of it."""
    found = figure_typed(text)
    return text if found is None else found
