"""What a rule leaves to people: a case with a number and a place it goes to, and the decision that closes it."""

import hashlib
import re
from typing import NamedTuple

from farecard.model.account import Event
from farecard.model.commands import LETTERS, ResolveCase
from farecard.model.moments import iso_moment
from farecard.model.verdict import INVALID, REFERRED, Effect, No, Reason, Verdict, refuse
from farecard.rules.places import elsewhere

# who decides what was referred with this code
GOES_TO = {
    "maybe-same-person": "counter-supervisor",
    "counted-for-points": "back-office",
    "ask-the-ministry": "ministry",
    "ask-whether-possible": "programme-office",
    "ask-the-enquiry-line": "enquiry-line",
}
AT_COUNTERS = ("counter-supervisor",)  # the others are heard of by the back office
_LENGTH = 8
_NUMBER = re.compile(rf"C([0-9]{{15}})-[{LETTERS}]{{{_LENGTH}}}")


class Resolved(NamedTuple):
    """How a case was closed: ``granted`` or ``declined``, and the moment."""

    decision: str
    at: int


def case_number(number: int, sender: str, id: str) -> str:
    """The number of the case that a command about a card was referred as: the same in every store.

    It carries the card, so that it can be found, and letters that stand for the command.
    """
    digest = int.from_bytes(hashlib.sha256(f"{sender}\0{id}".encode()).digest()[:8])
    letters = "".join(LETTERS[digest >> 5 * place & 31] for place in range(_LENGTH))
    return f"C{number:015d}-{letters}"


def case_of(event: Event) -> str | None:
    """The number of the case that an event is; None when it is none."""
    if event.outcome != REFERRED or event.number is None:
        return None
    return case_number(event.number, event.sender, event.id)


def card_of_case(text: str) -> int | None:
    """The card that a case number carries; None when it is no such number."""
    found = _NUMBER.fullmatch(text)
    return None if found is None else int(found[1])


def refer(rule_id: str, code: str, **params: object) -> No:
    """Referred: nothing changes, and a person decides."""
    return No([Reason(rule_id, code, {**params, "refer_to": GOES_TO[code]})], REFERRED)


def unless_granted(no: No | None, granted: Reason | None) -> No | None:
    """A rule's no; none where it refers, and people have granted just that: the same, with the same figures."""
    if no is not None and no.outcome == REFERRED and no.reasons[0] == granted:
        return None
    return no


def resolve(c: ResolveCase, code: str, referred: Event, resolved: Resolved | None) -> Verdict:
    """Decide the closing of a case that was ``referred`` with a code."""
    if c.at < referred.at:
        latest = iso_moment(referred.at)
        reason = Reason(None, "before-its-case", {"field": "at", "latest": latest})
        return No([reason], INVALID, {"latest": latest})
    if c.channel not in ("counter", "operations"):
        return elsewhere(None, "counter", "operations")
    if c.channel == "counter" and GOES_TO[code] not in AT_COUNTERS:
        return refuse(None, "case-goes-elsewhere", refer_to=GOES_TO[code])
    if resolved is not None:
        return refuse(
            None, "case-closed", decision=resolved.decision, closed_at=iso_moment(resolved.at)
        )
    return Effect({"case": c.case, "decision": c.decision})


def may_rest_on(c_case: str, code: str, resolved: Resolved | None) -> No | None:
    """Whether a command may rest on a case: only on one that was granted."""
    if resolved is None:
        return refuse(None, "case-open", case=c_case, refer_to=GOES_TO[code])
    if resolved.decision != "granted":
        return refuse(None, "case-declined", case=c_case)
    return None
