"""A card without a name is sold by a ticket machine: the next of its stack, whose number is scanned as it comes out."""

from typing import Any
from urllib.parse import quote

from farecard.pages.door import VISIT
from farecard.pages.machine.door import (
    HOME,
    TICKETS,
    Machine,
    at_machine,
    card_in,
    typed_number,
    visit_of,
)
from farecard.pages.machine.money import offers
from farecard.pages.requests import Answer, Redirect

BUY = f"{HOME}/buy"
NEW = "new"  # what a visit remembers of a card that nobody has yet
_PRICES = ((1_000, 2_000, 3_000), (5_000, 10_000))  # which are good is for the rules to say


def _issue(machine: Machine, number: str, paid: int) -> dict[str, Any]:
    return {"do": "issue", "channel": machine.settings.kind, "card": number, "kind": "anonymous", "paid": paid}  # fmt: skip


@at_machine
async def buy(machine: Machine) -> Answer:
    """``GET /machine/buy``: the card that comes next."""
    return machine.screen("buy", no=None, sells=machine.settings.kind == TICKETS)


@at_machine
async def take(machine: Machine) -> Answer:
    """``POST /machine/buy``: its number; one that was given out before is none to be sold."""
    number = typed_number(machine.request.said("number"))
    tried = await machine.house.try_out(machine.speaker, _issue(machine, number, _PRICES[0][1]))
    if tried["outcome"] != "accepted":
        return machine.screen("buy", status=422, no=tried["reasons"][0], sells=True)
    return Redirect(f"{BUY}/price", visit_of(machine.house, number, NEW))


@at_machine
async def prices(machine: Machine) -> Answer:
    """``GET /machine/buy/price``: what it may cost, and what is on it then."""
    number = card_in(machine.house, machine.request, NEW)
    if number is None:
        return Redirect(BUY)
    page = min(machine.whole("page"), len(_PRICES) - 1)
    tried = [
        (paid, paid, await machine.house.try_out(machine.speaker, _issue(machine, number, paid)))
        for paid in _PRICES[page]
    ]
    found = offers(tried)
    for one, (_, _, decision) in zip(found["offers"], tried, strict=True):
        one["balance"] = decision["result"].get("balance")
    deposit = next((one["result"]["deposit"] for _, _, one in tried if "deposit" in one["result"]), 0)  # fmt: skip
    return machine.screen("prices", page=page, last=len(_PRICES) - 1, deposit=deposit, **found)


@at_machine
async def sell(machine: Machine) -> Answer:
    """``POST /machine/buy/price``: the card is sold and is in the machine."""
    number = card_in(machine.house, machine.request, NEW)
    id = machine.request.said("id")
    before = await machine.house.decided(machine.speaker, id)
    if number is None:  # pressed again after it was sold, or too late
        there = before is not None and before["card"] == card_in(machine.house, machine.request)
        return Redirect(f"{HOME}/done/{quote(id)}") if there else Redirect(BUY, {VISIT: None})
    command = _issue(machine, number, machine.whole("amount"))
    decision = await machine.house.send(machine.speaker, id, command)
    if decision["outcome"] != "accepted":
        return machine.screen("buy", status=422, no=decision["reasons"][0], sells=True)
    return Redirect(f"{HOME}/done/{quote(id)}", visit_of(machine.house, number))
