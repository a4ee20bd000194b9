"""What is done for a customer, each a short talk: questions, then the sum and what to know, then the deed.

A flow is a template and what makes the command of its answers. The questions are tried dry, so whatever would be refused is
said before anything is pressed; the deed is sent once, with the id of the page it was confirmed on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from msgspec import json

from farecard.access import owning, shifts
from farecard.access.owning import Papers
from farecard.access.shifts import Shift
from farecard.api.membership import GiveCode
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.commands import KINDS, PHONES, parse_number
from farecard.model.moments import day_of, iso_day, parse_day
from farecard.model.verdict import INVALID, REFUSED, Reason
from farecard.pages.applying import application, too_much_before
from farecard.pages.counter.at import HOME, command, drawer, in_a_shift
from farecard.pages.door import Show
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.programmes import nothing_comes, programme
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.typed import card_typed, paper_typed
from farecard.questions import finding
from farecard.rules.issue import child_card_expires
from farecard.texts import explain

Figures = dict[str, Any]
_FOR_A_TRIAL = {"name": "-", "kana": "-", "born": "2000-01-01", "phone": "-"}
NUMBER_FOR_A_TRIAL = "JW999999999999999"


class Flow(NamedTuple):
    """A talk: its template, the command its answers make, and what its page shows besides."""

    template: str
    make: Callable[[Request, Shift], Figures]
    more: Callable[[House, Request, Speaker], Awaitable[Figures]]
    looks_at_papers: bool = False
    priced: bool = False  # what is to be paid is found out by asking the desk
    wrong: Callable[[House, Figures], Awaitable[Figures | None]] | None = (
        None  # an answer before the desk is asked
    )
    settled: bool = False  # nothing that is asked changes whether it can be done
    know: Callable[[House, Figures], Figures] | None = (
        None  # what the last page before the deed shows besides
    )


async def _of_card(house: House, request: Request, speaker: Speaker) -> Figures:
    """The card that the address names, and what depends on it."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    state = await house.ask(lambda store: finding.at_hand(store, number))
    return {"card": status["card"], "status": status, "at_hand": state}


# what a talk's page shows before anything is answered
_BLANK: Figures = {
    "tried": None,
    "problem": None,
    "command": {},
    "changed": False,
    "short": 0,
    "asks": True,
}


def _pages(path: str, flow: Flow) -> list[tuple[str, str, Show]]:
    """A flow's two addresses: the questions, and what is answered there."""

    @in_a_shift
    async def form(house: House, request: Request, speaker: Speaker, shift: Shift) -> Answer:
        more = await flow.more(house, request, speaker)
        figures = _BLANK | {"said": dict(request.query)} | more
        if flow.settled:  # who cannot have it anyway is not asked for papers first
            tried = await house.try_out(speaker, flow.make(request, shift))
            if tried["outcome"] == REFUSED:
                figures |= {"tried": tried, "asks": False}
        return Page(flow.template, figures)

    @in_a_shift
    async def answered(house: House, request: Request, speaker: Speaker, shift: Shift) -> Answer:
        more = await flow.more(house, request, speaker)
        figures = _BLANK | {"said": request.answers()} | more
        if request.said("step") == "change":
            return Page(flow.template, figures)
        id = request.said("id")
        done = Redirect(f"{HOME}/done/{quote(speaker.who, safe='')}/{quote(id, safe='')}")
        if request.said("step") == "do" and await house.decided(speaker, id) is not None:
            return done  # pressed again
        if flow.looks_at_papers and more["at_hand"] and more["at_hand"]["named"]:
            no = await _papers(house, request, more["card"]["number"])
            if no is not None:
                return Page(flow.template, figures | {"problem": no}, 403)
        asked = flow.make(request, shift)
        wrong = None if flow.wrong is None else await flow.wrong(house, asked)
        if wrong is not None:
            tried = wrong
        elif flow.priced:
            asked, tried = await priced(house, speaker, asked)
        else:
            tried = await house.try_out(speaker, asked)
        shown = _shown(asked, tried)
        doing, failed = request.said("step") == "do", False
        has, short = await _short(house, shift, tried)
        if doing and not short and request.form.get("shown", "") == shown:
            async with drawer(house, speaker.who):
                has, short = await _short(house, shift, tried)
                if not short:
                    sent = await house.send(speaker, id, asked)
                    if sent["outcome"] != INVALID:
                        return done
                    tried, failed = sent, True
        figures |= {
            "tried": tried,
            "command": asked,
            "shown": shown,
            "changed": doing and not short and not failed,
        }
        if flow.know is not None and tried["outcome"] == "accepted":
            figures |= flow.know(house, asked)
        figures |= {"till_has": has, "short": short, "here": request.path}
        return Page(flow.template, figures)

    return [("GET", path, form), ("POST", path, answered)]


async def _short(house: House, shift: Shift, tried: Figures) -> tuple[int, int]:
    """What should be in the till, and how many yen more it needs to pay out what this comes to; 0 and 0 where it pays nothing."""
    pays = tried["result"].get("payout", {}).get("total", 0)
    if not pays or tried["outcome"] != "accepted":
        return 0, 0
    has = await house.ask(lambda store: shifts.expected(store, shift))
    return has, max(0, pays - has)


def _shown(asked: Figures, tried: Figures) -> str:
    """What a page shows before the deed: that and nothing else is done."""
    return json.encode([asked.get("paid"), tried["outcome"], tried["result"]]).decode()


async def _papers(house: House, request: Request, text: str) -> Figures | None:
    """What is wrong with the papers that a clerk looked at; None when they are the holder's."""
    kana, born = request.said("kana"), request.said("born")
    if not kana or not born:
        return explain(Reason(None, "papers-needed", {"field": "born"}))
    vault, number = house.app.queue.desk.vault, parse_number(text)
    try:
        fits = await house.write(
            lambda store: owning.papers_fit(store, vault, number, Papers(kana, born))
        )
    except ProblemError as problem:
        return document(problem.status, problem.reason)
    return None if fits else explain(Reason(None, "not-the-holder", {"field": "born"}))


async def priced(house: House, speaker: Speaker, asked: Figures) -> tuple[Figures, Figures]:
    """The command with what is to be paid, and what would come of it: the desk says what it expects."""
    free = asked | {"paid": 0}
    tried = await house.try_out(speaker, free)
    owed = tried["result"].get("expected") if tried["outcome"] == "refused" else None
    if owed is None:
        return free, tried
    paid = asked | {"paid": owed}
    return paid, await house.try_out(speaker, paid)


# -- selling -------------------------------------------------------------------------------------


@in_a_shift
async def sell(house: House, request: Request, speaker: Speaker, shift: Shift) -> Answer:
    """``GET /counter/sell``: every kind; what is not sold here says why."""
    kinds = [one for one in KINDS if one != "commuter"]
    said = [
        command(shift, "issue", card=NUMBER_FOR_A_TRIAL, kind=kind, paid=2000, holder=None if kind == "anonymous" else _holder_for_a_trial(kind))
        for kind in kinds
    ]  # fmt: skip
    tried = await asyncio.gather(*(house.try_out(speaker, one) for one in said))
    no = {
        kind: one["reasons"]
        for kind, one in zip(kinds, tried, strict=True)
        if one["outcome"] == "refused" and one["reasons"][0]["rule"] not in ("CARD-4", "PUB-2")
    }
    kinds_and_why = [(kind, no.get(kind, [])) for kind in KINDS]
    resting = {name: request.query.get(name, "") for name in ("case", "card")}
    return Page("counter/sell.html", {"kinds": kinds_and_why, **resting})


def _holder_for_a_trial(kind: str) -> Figures:
    return _FOR_A_TRIAL | ({"born": "2020-01-01"} if kind == "child" else {})


async def _kind(house: House, request: Request, _speaker: Speaker) -> Figures:
    kind = request.parts["kind"]
    if kind not in KINDS:
        raise ProblemError(404, Reason(None, "no-such-address"))
    return {"kind": kind, "stations": house.stations() if kind == "commuter" else []}


def _issue(request: Request, shift: Shift) -> Figures:
    kind = request.parts["kind"]
    holder = section = None
    if kind != "anonymous":
        holder = {name: request.said(name) for name in ("name", "kana", "born", "phone")}
    if kind == "commuter":
        section = {
            "from": request.said("from"), "to": request.said("to"),
            "valid_from": request.said("valid_from"), "valid_until": request.said("valid_until"),
            "disability_discount": bool(request.said("disability_discount")),
        }  # fmt: skip
    return command(
        shift, "issue", card=card_typed(request.said("card")), kind=kind, paid=0, holder=holder,
        **{"pass": section}, points_registered_on=request.said("points_registered_on") or None,
        case=paper_typed(request.said("case")) or None,
    )  # fmt: skip


def _know_of_sale(house: House, asked: Figures) -> Figures:
    """The card's last day, where it has one; whether the pass is over already; what holds for such cards, as reasons."""
    today = day_of(house.now)
    section: Figures = asked.get("pass", {})
    expires, hints = None, []
    if asked["kind"] == "child":
        last = child_card_expires(parse_day(asked["holder"]["born"]), house.rates(today))
        expires = iso_day(last)
        hints.append(explain(Reason("MYN-15", "expires-before-grant", {"expires": expires})))
    if section.get("disability_discount"):
        hints.append(explain(Reason("WST-4", "discount-pass-no-points")))
    over = bool(section) and parse_day(section["valid_until"]) < today
    return {"expires": expires, "over": over, "hints": hints}


# -- refund, damaged, lost, collected ------------------------------------------------------------


def _refund(request: Request, shift: Shift) -> Figures:
    legible = request.said("legible") != "no"
    return command(shift, "refund", card=request.parts["number"], number_legible=legible)


def _about_card(do: str) -> Callable[[Request, Shift], Figures]:
    def make(request: Request, shift: Shift) -> Figures:
        return command(shift, do, card=request.parts["number"])

    return make


async def _slip(house: House, request: Request, speaker: Speaker) -> Figures:
    """The card that a slip is for; None where the slip is none, which the desk tells of."""
    text = request.said("slip") or request.query.get("slip", "")
    account = finding.account_of_paper(paper_typed(text))
    speaker.must_ask("cards")
    number = None if account is None else await house.ask(lambda store: finding.number_of(store, account))  # fmt: skip
    if number is None:
        return {"card": None, "at_hand": None, "status": None}
    status = await house.about(speaker, number)
    state = await house.ask(lambda store: finding.at_hand(store, number))
    return {"card": status["card"], "at_hand": state, "status": status}


def _collect(request: Request, shift: Shift) -> Figures:
    return collecting(shift, paper_typed(request.said("slip")), card_typed(request.said("card")))


def collecting(shift: Shift | None, slip: str, card: str) -> Figures:
    """The command that collects the new card of a slip; what is to be paid is found out by asking."""
    return command(shift, "collect_reissue", slip=slip, card=card, paid=0)


def elsewhere(key: str, rule: str) -> Figures:
    """A sentence of ours that something is not done at a counter but where, as a reason by its rule."""
    return sentence(key) | {"rule": rule, "params": {}}


def charged_where(kind: str) -> Figures:
    """Where a card of this kind is charged, since it is not at a counter."""
    if kind in PHONES:
        return explain(Reason("CHG-6", "phone-top-up"))
    return elsewhere("counter.charge_where", "CHG-7")


async def _ride(house: House, request: Request, speaker: Speaker) -> Figures:
    shown = await _of_card(house, request, speaker)
    charge = charged_where(shown["card"]["kind"])
    return {**shown, "stations": house.stations(), "charge": charge}


def _leave(request: Request, shift: Shift) -> Figures:
    return command(shift, "tap_out", card=request.parts["number"], station=request.said("station"))


# -- points and programmes -----------------------------------------------------------------------


def _apply(request: Request, shift: Shift) -> Figures:
    case = paper_typed(request.said("case")) or None
    number = request.parts["number"]
    return command(shift, "apply_myna_point", card=number, case=case, **application(request))


async def _of_applicant(house: House, request: Request, speaker: Speaker) -> Figures:
    """The same, and what whoever applies with a card that expires too soon should know."""
    shown = await _of_card(house, request, speaker)
    return shown | {"nothing": await nothing_comes(house, shown["card"])}


async def _unlikely(house: House, asked: Figures) -> Figures | None:
    return too_much_before(asked, await house.ask(programme))


def _membership(request: Request, shift: Shift) -> Figures:
    number, member = request.parts["number"], request.said("member")
    return command(shift, "join_membership", card=number, member=member)


def _change(request: Request, shift: Shift) -> Figures:
    person, other = request.said("person"), card_typed(request.said("other"))
    return command(shift, "change_applied_card", person=person, card=other)


# -- a code for the member's page ----------------------------------------------------------------


@in_a_shift
async def code_form(house: House, request: Request, speaker: Speaker, _shift: Shift) -> Answer:
    """``GET /counter/cards/N/code``."""
    more = await _of_card(house, request, speaker)
    return Page("counter/code.html", {"given": None, "problem": None, "said": {}, **more})


@in_a_shift
async def give_code(house: House, request: Request, speaker: Speaker, _shift: Shift) -> Answer:
    """``POST /counter/cards/N/code``: it is shown once, as the answer."""
    more = await _of_card(house, request, speaker)
    said = {name: request.said(name) for name in ("kana", "born", "for")}
    figures = {"given": None, "problem": None, "said": said, **more}
    purpose: Any = "recovery" if said["for"] == "recovery" else "owning"
    shown = GiveCode(
        channel="counter", kana=said["kana"] or None, born=said["born"] or None, purpose=purpose
    )
    try:
        given = await house.app.membership.give_code(speaker, request.parts["number"], shown)
    except ProblemError as problem:
        told = document(problem.status, problem.reason)
        return Page("counter/code.html", figures | {"problem": told}, problem.status)
    return Page("counter/code.html", figures | {"given": given})


_CARD = f"{HOME}/cards/{{number}}"
PAGES = [
    ("GET", f"{HOME}/sell", sell),
    *_pages(f"{HOME}/sell/{{kind}}", Flow("counter/issue.html", _issue, _kind, priced=True, know=_know_of_sale)),
    *_pages(f"{_CARD}/refund", Flow("counter/refund.html", _refund, _of_card, looks_at_papers=True)),
    *_pages(f"{_CARD}/damaged", Flow("counter/damaged.html", _about_card("report_damaged"), _of_card, settled=True)),
    *_pages(f"{_CARD}/lost", Flow("counter/lost.html", _about_card("report_lost"), _of_card, looks_at_papers=True, settled=True)),
    *_pages(f"{HOME}/collect", Flow("counter/collect.html", _collect, _slip, looks_at_papers=True, priced=True)),
    *_pages(f"{_CARD}/leave", Flow("counter/leave.html", _leave, _ride)),
    *_pages(f"{_CARD}/rally", Flow("counter/rally.html", _about_card("join_rally"), _of_card)),
    *_pages(f"{_CARD}/myna", Flow("counter/myna.html", _apply, _of_applicant, wrong=_unlikely)),
    *_pages(f"{_CARD}/change", Flow("counter/change.html", _change, _of_card)),
    *_pages(f"{_CARD}/membership", Flow("counter/membership.html", _membership, _of_card)),
    ("GET", f"{_CARD}/code", code_form), ("POST", f"{_CARD}/code", give_code),
]  # fmt: skip
