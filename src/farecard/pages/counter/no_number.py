"""What can be said to somebody who has no card's number at hand: what a lost or damaged card of each kind comes to today."""

from farecard.api.speakers import Speaker
from farecard.model.account import Account
from farecard.model.commands import KINDS
from farecard.model.moments import day_of
from farecard.model.verdict import Reason
from farecard.pages.counter.at import HOME, for_staff, is_clerk, supervises
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.requests import Answer, Page, Request
from farecard.rules import refund, reissue
from farecard.texts import explain

Told = list[tuple[list[str], list[dict[str, object]]]]


def _by_answer(lost: bool) -> Told:
    """The kinds that get the same answer, and why no new card is made for them; nothing where one is."""
    found: dict[str, tuple[list[str], list[Reason]]] = {}
    for kind in KINDS:
        no = reissue.right_kind(Account(0, 0, kind), lost)
        reasons = [] if no is None else no.reasons
        found.setdefault(repr(reasons), ([], reasons))[0].append(kind)
    return [(kinds, [explain(one) for one in reasons]) for kinds, reasons in found.values()]


def _illegible() -> dict[str, list[dict[str, object]]]:
    """The kinds that are not refunded where the number on their back cannot be read, and why."""
    tried = {kind: refund.number_readable(kind, legible=False) for kind in KINDS}
    return {
        kind: [explain(one) for one in no.reasons] for kind, no in tried.items() if no is not None
    }


@for_staff
async def no_number(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/no-number``."""
    today = day_of(house.now)
    rates = house.rates(today)
    due = reissue.due_if_lost(rates)
    figures = {"fee": rates.lost_reissue_fee, "deposit": rates.deposit, "due": due}
    lost_costs = sentence("no_number.lost_costs", **figures)
    damaged_costs = sentence("no_number.damaged_costs")
    return Page(
        "counter/no_number.html",
        {
            "lost": _by_answer(lost=True), "damaged": _by_answer(lost=False),
            "illegible": _illegible(), "lost_due": due, "fee": rates.lost_reissue_fee,
            "damaged_due": reissue.due_if_damaged(rates),
            "lost_costs": lost_costs | {"rule": "RIS-2", "params": {}},
            "damaged_costs": damaged_costs | {"rule": "RIS-1", "params": {}},
            "finds": is_clerk(speaker) or supervises(speaker),
        },
    )  # fmt: skip


PAGES = [("GET", f"{HOME}/no-number", no_number)]
