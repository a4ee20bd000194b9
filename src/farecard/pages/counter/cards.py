"""Finding a card, and what a clerk sees of it: what it is, what depends on it, what can be done and what cannot."""

import asyncio
from typing import Any
from urllib.parse import quote

from farecard.access.trail import note
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.commands import format_number
from farecard.model.moments import day_of
from farecard.model.verdict import Reason
from farecard.pages.applying import BY_ANYBODY, refusal
from farecard.pages.counter.at import HOME, command, for_staff, is_clerk, shift_of, supervises
from farecard.pages.counter.flows import (
    NUMBER_FOR_A_TRIAL,
    charged_where,
    collecting,
    elsewhere,
    priced,
)
from farecard.pages.door import not_their_role
from farecard.pages.files import history_csv
from farecard.pages.house import House
from farecard.pages.programmes import (
    another_card,
    as_it_is_to,
    brings_nothing,
    programme,
    register_by,
    standing,
    steps_of,
)
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.typed import card_typed, paper_typed
from farecard.questions import finding
from farecard.rules.referral import card_of_case
from farecard.rules.state import LIVING
from farecard.storage.making import adding
from farecard.storage.store import Store
from farecard.texts import explain

LATEST = 5  # lines of a history on a card's page
# what is offered for every card, in this order: its name and address, and what is tried to know whether it can be done
_TRIED: dict[str, dict[str, Any]] = {
    "refund": {"do": "refund"},
    "damaged": {"do": "report_damaged"},
    "lost": {"do": "report_lost"},
    "rally": {"do": "join_rally"},
    "myna": BY_ANYBODY,
    "membership": {"do": "join_membership", "member": "-"},
}


@for_staff
async def home(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter``: one search, and the shift."""
    sought = request.query.get("q", "").strip()
    if sought:
        return await _found(house, speaker, sought)
    return await _home(house, speaker)


async def _home(house: House, speaker: Speaker, **more: Any) -> Page:
    shift = await shift_of(house, speaker)
    figures = {"shift": shift, "sought": "", "cards": None, "problem": None, "said": {}, **more}
    figures["finds"] = is_clerk(speaker) or supervises(speaker)
    return Page("counter/home.html", {"serves": is_clerk(speaker), **figures})


async def _found(house: House, speaker: Speaker, sought: str) -> Answer:
    """The page of what somebody searched for by its number: a card, a slip, a form, a case."""
    text = paper_typed(sought)
    if card_of_case(text) is not None:
        return Redirect(f"{HOME}/cases/{text}")
    account = finding.account_of_paper(text)
    if account is not None:
        speaker.must_ask("cards")
        number = await house.ask(lambda store: finding.number_of(store, account))
        if number is not None and text.startswith("S") and is_clerk(speaker):
            return Redirect(f"{HOME}/collect?slip={text}")
        text = sought if number is None else number
    number_text = card_typed(text)
    try:
        await house.about(speaker, number_text)
    except ProblemError as problem:
        return await _home(
            house, speaker, sought=sought, problem=document(problem.status, problem.reason)
        )
    return Redirect(f"{HOME}/cards/{number_text}")


@for_staff
async def find(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /counter/find``: cards by their holder. What was typed stands in no address; that somebody searched stands in the trail."""
    if not is_clerk(speaker) and not supervises(speaker):
        raise not_their_role(speaker)
    await house.write(lambda store: _noted(store, speaker.who))
    said = {name: request.said(name) for name in ("kana", "born", "phone")}
    vault = house.app.queue.desk.vault
    found = await house.ask(lambda store: finding.by_holder(store, vault, **said))
    cards = [(await house.about(speaker, format_number(one)))["card"] for one in found]
    return await _home(house, speaker, cards=cards, said=said)


def _noted(store: Store, who: str) -> None:
    with adding(store):
        note(store, who, "holder-searched", "", "")


@for_staff
async def search(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /counter``: the same search; what is typed there may be a name, and then it stands in no address either."""
    sought = request.said("q")
    return await _found(house, speaker, sought) if sought else Redirect(HOME)


@for_staff
async def card(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cards/N``."""
    number = request.parts["number"]
    status, refund, latest = await asyncio.gather(
        *(house.about(speaker, number, what) for what in ("", "refund-quote")),
        house.latest(speaker, number, LATEST),
    )
    state = await house.ask(lambda store: finding.at_hand(store, number))
    shift = await shift_of(house, speaker)
    shown, today = status["card"], day_of(house.now)
    whole = await house.ask(programme)
    campaign, nothing = as_it_is_to(shown, whole), brings_nothing(shown, whole, today)
    actions = await _actions(house, speaker, number, status, state) if is_clerk(speaker) else []
    alive, by = shown["state"] in LIVING, await register_by(house, shown)
    no = any(one["name"] == "myna" and one["reasons"] for one in actions)
    figures = {
        "card": shown, "status": status, "quote": refund, "latest": latest, "at_hand": state, "alive": alive,
        "slip_paper": _slip_paper(state), "shift": shift, "serves": is_clerk(speaker), "steps": steps_of(campaign), "programme": campaign,
        "course": await standing(house, speaker, number, status["rally"]), "today": by["today"], "by": by, "actions": actions,
        "nothing": nothing, "over": by["today"] > whole.apply_until.isoformat(), "applies": alive and bool(actions) and not no and nothing is None and by["today"] <= by["apply_until"],
    }  # fmt: skip
    return Page("counter/card.html", figures)


def _slip_paper(state: dict[str, Any]) -> str | None:
    """Where the slip that a card waits with can be printed again; None where it was not given at a counter."""
    sender, id = (state["slip"] or {}).get("reported") or ("", "")
    realm, _, clerk = sender.partition(":")
    return f"{HOME}/done/{quote(clerk)}/{quote(id)}.pdf" if realm == "staff" else None


@for_staff
async def history_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/cards/N/history.csv``: all that was done with it."""
    number = request.parts["number"]
    return history_csv(request.language, number, await house.about(speaker, number, "history"))


async def _actions(
    house: House, speaker: Speaker, number: str, status: dict[str, Any], state: dict[str, Any]
) -> list[dict[str, Any]]:
    """What can be done for this card: (name, what would come of it); what would be refused says why."""
    said = [command(None, card=number, **fields) for fields in _TRIED.values()]
    tried = await asyncio.gather(*(house.try_out(speaker, one) for one in said))
    why = {name: refusal(one) for name, one in zip(_TRIED, tried, strict=True)}
    first: dict[str, list[dict[str, Any]]] = {}
    if state["slip"] is not None:
        collected = collecting(None, state["slip"]["slip"], NUMBER_FOR_A_TRIAL)
        first["collect"] = refusal((await priced(house, speaker, collected))[1])
    if status["card"]["ride"] is not None:
        first["leave"] = []
    alive = status["card"]["state"] in LIVING
    no_longer = [] if alive else next((no[:1] for no in why.values() if no), [])
    # whoever asks for another card has lost the use of this one, so its state says nothing about that
    another = await another_card(house)
    closed = [] if another["open"] else another["who"]
    charge_back = [explain(Reason("CHG-8", "charge-not-paid-back"))]
    # what machines do and a counter does not: asked for here often enough
    at_machines = {
        "top_up": [charged_where(status["card"]["kind"])],
        "points": [explain(Reason("WST-5", "points-elsewhere"))],
        "register": _no_registration(state),
    }
    every = {**first, **why, "change": closed, "code": no_longer, "charge_back": charge_back}
    every |= {name: no_longer or no for name, no in at_machines.items()}
    return [{"name": name, "reasons": no} for name, no in every.items()]


def _no_registration(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Why a card is not registered for points at a counter: it needs none, cannot be, is already, or it is done elsewhere."""
    told, section = state["registered"], state["pass"]
    if told["exempt"]:
        return [explain(Reason("WST-3", "kind-needs-no-registration"))]
    if section and section["discount"]:
        return [explain(Reason("WST-4", "discount-pass-no-points"))]
    if told["before"]:
        return [explain(Reason("WST-3", "registered-before", {"day": told["before"]}))]
    if told["apply_from"]:
        return [explain(Reason("WST-1", "registered-already", {"from": told["apply_from"]}))]
    return [elsewhere("counter.register_where", "WST-1")]


PAGES = [
    ("GET", HOME, home),
    ("POST", HOME, search),
    ("POST", f"{HOME}/find", find),
    ("GET", f"{HOME}/cards/{{number}}", card),
    ("GET", f"{HOME}/cards/{{number}}/history.csv", history_file),
]
