"""Money onto a card at a station machine: notes, and quick charges. What would be refused cannot be pressed, and says why."""

from collections.abc import Iterable
from typing import Any

from farecard.pages.machine.door import ADJUSTMENT, Machine, with_card
from farecard.pages.requests import Answer, Page

NOTES = (
    1_000,
    2_000,
    5_000,
    10_000,
)  # of yen, as they go in; how many and which fit is for the rules to say
_AT_GATES = (500, 1_000, 5_000, 10_000)  # fare adjustment machines take a coin, too


def offers(tried: Iterable[tuple[int, int, dict[str, Any]]]) -> dict[str, Any]:
    """Buttons of (label, amount, what a dry run said): which may be pressed, why the others not, the largest that fits.

    A reason that several share stands once; ``no`` leads to it.
    """
    found, reasons, largest = [], [], 0
    for label, amount, decision in tried:
        no = None
        if decision["outcome"] != "accepted":
            reason = decision["reasons"][0]
            if reason not in reasons:
                reasons.append(reason)
            no = reasons.index(reason)
            largest = max(largest, decision["result"].get("largest", 0))
        found.append({"label": label, "amount": amount, "no": no})
    if largest in [one["amount"] for one in found if one["no"] is None]:
        largest = 0  # there is a button for it already
    return {"offers": found, "reasons": reasons, "largest": largest}


def _refused(decision: dict[str, Any]) -> dict[str, Any] | None:
    """The first reason of a refusal; None of an acceptance."""
    found: list[dict[str, Any]] = decision["reasons"]
    return None if decision["outcome"] == "accepted" else found[0]


async def _chosen(machine: Machine, amount: int, tender: str) -> dict[str, Any]:
    """An amount as it was chosen, and why not."""
    if not amount:
        return {"amount": 0, "no": None}
    no = _refused(await machine.try_out("top_up", amount=amount, tender=tender))
    return {"amount": 0 if no else amount, "no": no}


@with_card
async def top_up(machine: Machine) -> Answer:
    """``GET /machine/top-up``: by credit card or with cash, where there is a choice; else with cash."""
    quote = await machine.about("quick-charge-quote")
    if "amounts" not in quote and machine.card["kind"] != "smart":
        return await _cash(machine)
    no = quote["reasons"][0] if "reasons" in quote else None
    if no is None:
        smallest = quote["amounts"][0]
        no = _refused(await machine.try_out("top_up", amount=smallest, tender="credit"))
    return machine.screen("ways", no=no)


async def _cash(machine: Machine) -> Page:
    """Notes go in one after the other; together they are one top-up."""
    gone_in = machine.whole("in")
    chosen = await _chosen(machine, gone_in, "cash")
    gone_in = chosen["amount"]
    notes = _AT_GATES if machine.settings.kind == ADJUSTMENT else NOTES
    tried = [
        (note, gone_in + note, await machine.try_out("top_up", amount=gone_in + note, tender="cash"))
        for note in notes
    ]  # fmt: skip
    return machine.screen("cash", chosen=chosen, **offers(tried))


@with_card
async def cash(machine: Machine) -> Answer:
    """``GET /machine/top-up/cash``: which notes still fit; ``in``: what went in already."""
    return await _cash(machine)


@with_card
async def cash_in(machine: Machine) -> Answer:
    """``POST /machine/top-up/cash``: what went in goes onto the card."""
    return await machine.deed("top_up", amount=machine.whole("amount"), tender="cash")


@with_card
async def quick(machine: Machine) -> Answer:
    """``GET /machine/top-up/quick``: the amounts, and what is left of the day's and the month's limit."""
    quote = await machine.about("quick-charge-quote")
    chosen = await _chosen(machine, machine.whole("amount"), "credit")
    tried = [
        (amount, amount, await machine.try_out("top_up", amount=amount, tender="credit"))
        for amount in quote.get("amounts", ())
    ]
    found = offers(tried)
    if "reasons" in quote:
        found["reasons"] = quote["reasons"][:1]
    return machine.screen("quick", quote=quote, chosen=chosen, **found)


@with_card
async def quick_charge(machine: Machine) -> Answer:
    """``POST /machine/top-up/quick``."""
    return await machine.deed("top_up", amount=machine.whole("amount"), tender="credit")
