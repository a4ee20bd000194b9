"""The station machine: a card is put in, and what can be done with it is shown, each on a screen of its own."""

from typing import Any

from farecard.api.membership import GiveCode
from farecard.api.problems import ProblemError, document
from farecard.model.verdict import Reason
from farecard.pages.door import DEVICE, VISIT, Window
from farecard.pages.machine import buy, money, paper, points, ride
from farecard.pages.machine import setup as setting
from farecard.pages.machine.door import (
    A_SCREEN,
    ADJUSTMENT,
    CARD,
    GONE,
    HOME,
    MOST,
    SETUP,
    TICKETS,
    Machine,
    at_machine,
    reader_at,
    typed_number,
    visit_of,
    with_card,
)
from farecard.pages.programmes import apply_until
from farecard.pages.requests import Answer, Page, Redirect
from farecard.rules.state import LIVING


@at_machine
async def home(machine: Machine) -> Answer:
    """``GET /machine``: a card is put in. Whatever was in it is forgotten."""
    if machine.request.cookies.get(VISIT):
        return Redirect(HOME, GONE)
    return _start(machine)


def _start(machine: Machine, *, status: int = 200, problem: Any = None) -> Page:
    return machine.screen(
        "home", status=status, problem=problem, sells=machine.settings.kind == TICKETS
    )


@at_machine
async def put_in(machine: Machine) -> Answer:
    """``POST /machine/card``: the number is typed, scanned, or read from the back of a card that lies on the reader."""
    try:
        number = typed_number(machine.request.said("number"))
        await machine.house.about(machine.speaker, number)  # somebody must have it
    except ProblemError as problem:
        if problem.status not in (400, 404):
            raise
        said = document(problem.status, problem.reason)
        return _start(machine, status=problem.status, problem=said)
    return Redirect(CARD, visit_of(machine.house, number))


@with_card
async def card(machine: Machine) -> Answer:
    """``GET /machine/card``: what can be done with it here; why nothing can, where that is so."""
    kind, tried = machine.settings.kind, None
    if machine.card["state"] not in LIVING:
        tried = await machine.try_out("top_up", amount=money.NOTES[0], tender="cash")
    fourth = "adjust" if kind == ADJUSTMENT else "code" if _gives_codes(machine) else ""
    no_code = (
        machine.card["kind"] != "anonymous"
    )  # a card with a name shows its holder at a counter
    return machine.screen("card", tried=tried, fourth=fourth, no_code=no_code)


@with_card
async def history(machine: Machine) -> Answer:
    """``GET /machine/history``: the latest entries, a screen at a time."""
    lines = await machine.latest(MOST)
    last = max(0, (len(lines) - 1) // A_SCREEN)
    page = min(machine.whole("page"), last)
    shown = lines[page * A_SCREEN : (page + 1) * A_SCREEN]
    return machine.screen("history", lines=shown, page=page, last=last)


@with_card
async def done(machine: Machine) -> Answer:
    """``GET /machine/done/ID``: what was done with the card that is in, and what comes next."""
    id = machine.request.parts["id"]
    decision = await machine.house.decided(machine.speaker, id)
    if decision is None or decision["card"] != machine.card["number"]:
        return Redirect(CARD)
    paid = await ride.paid_for(machine, id)
    registered = decision["do"] == "register_for_points"
    until = await apply_until(machine.house, machine.card) if registered else None
    return machine.screen("done", decision=decision, paid=paid, apply_until=until)


def _gives_codes(machine: Machine) -> bool:
    """Whether a code for the member's page is to be had here."""
    return machine.settings.kind == TICKETS and "codes" in machine.speaker.bound.ask


def _must_give_codes(machine: Machine) -> None:
    """``ProblemError`` 403 where codes are not to be had."""
    if not _gives_codes(machine):
        raise ProblemError(403, Reason(None, "may-not-ask", {"question": "codes"}))


@with_card
async def code_form(machine: Machine) -> Answer:
    """``GET /machine/code``: what the code is for, where it is to be had."""
    _must_give_codes(machine)
    return machine.screen("code", code=None)


@with_card
async def code(machine: Machine) -> Answer:
    """``POST /machine/code``: a code, shown once; another press gives another, and the one before is good no more."""
    _must_give_codes(machine)
    if machine.card["state"] not in LIVING:
        return Redirect(CARD)
    asked = GiveCode(channel="ticket-machine", purpose="owning")
    number = machine.card["number"]
    told = await machine.house.app.membership.give_code(machine.speaker, number, asked)
    return machine.screen("code", code=told["code"], until=told["until"])


WINDOW = Window(DEVICE, [
    ("GET", HOME, home), ("GET", f"{HOME}/end", setting.end),
    ("GET", SETUP, setting.setup_form), ("POST", SETUP, setting.setup),
    ("GET", f"{HOME}/out", setting.out_form), ("POST", f"{HOME}/out", setting.out),
    ("GET", CARD, card), ("POST", CARD, put_in),
    ("GET", f"{HOME}/top-up", money.top_up),
    ("GET", f"{HOME}/top-up/cash", money.cash), ("POST", f"{HOME}/top-up/cash", money.cash_in),
    ("GET", f"{HOME}/top-up/quick", money.quick), ("POST", f"{HOME}/top-up/quick", money.quick_charge),
    ("GET", f"{HOME}/points", points.points),
    ("GET", f"{HOME}/points/top-up", points.top_up), ("POST", f"{HOME}/points/top-up", points.charge),
    ("GET", f"{HOME}/points/history", points.history),
    ("GET", f"{HOME}/points/register", points.register_form), ("POST", f"{HOME}/points/register", points.register),
    ("GET", f"{HOME}/adjust", ride.adjust), ("POST", f"{HOME}/adjust", ride.leave),
    ("POST", f"{HOME}/adjust/pay", ride.pay),
    ("GET", f"{HOME}/history", history), ("GET", f"{HOME}/history.pdf", paper.history),
    ("GET", f"{HOME}/points/history.pdf", paper.printed_points),
    ("GET", f"{HOME}/code", code_form), ("POST", f"{HOME}/code", code),
    ("GET", f"{HOME}/done/{{id}}", done), ("GET", f"{HOME}/receipt/{{id}}.pdf", paper.receipt),
    ("GET", f"{HOME}/buy", buy.buy), ("POST", f"{HOME}/buy", buy.take),
    ("GET", f"{HOME}/buy/price", buy.prices), ("POST", f"{HOME}/buy/price", buy.sell),
], reader_at, CARD)  # fmt: skip
