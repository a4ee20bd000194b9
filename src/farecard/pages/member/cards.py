"""One's cards: what each is worth, what lies ahead of it, what happened with it; adding one, and giving it up."""

from typing import Any
from urllib.parse import urlencode

from farecard.api.membership import Claim
from farecard.api.problems import ProblemError
from farecard.api.speakers import Speaker
from farecard.model.commands import PHONES
from farecard.model.moments import day_of, iso_moment, parse_day
from farecard.model.verdict import Reason
from farecard.pages import paper
from farecard.pages.door import again
from farecard.pages.files import HISTORY, history_csv
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.member.ahead import attention, dates, notes
from farecard.pages.member.at import CARD, HOME, for_members, lost_due, what_lies_ahead
from farecard.pages.programmes import standing
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.stretches import stretch
from farecard.pages.typed import card_typed
from farecard.rules.state import LIVING
from farecard.texts import explain

LATEST = 5  # lines of a history on a card's own page
MOST_PRINTED = 2_000  # lines of a history, the newest; a file has them all


@for_members
async def home(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member``: each card with its balance, points and state, and what needs attention."""
    mine = await house.app.membership.cards(speaker)
    cards = []
    for one in mine["cards"]:
        status = await house.about(speaker, one["card"])
        held = await what_lies_ahead(house, speaker, one["card"])
        said = attention(request.language, status, held, day_of(house.now))
        cards.append({**status["card"], **one, "notes": said})
    return Page("member/home.html", {"cards": cards, "codes_left": mine["recovery_codes_left"]})


@for_members
async def add_form(house: House, _request: Request, _speaker: Speaker) -> Answer:
    """``GET /member/add``."""
    return Page("member/add.html", {"said": {}, "lost_due": lost_due(house)})


@for_members
async def add(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/add``: by a code, or by what the holder said."""
    fields = ("card", "code", "kana", "born", "phone")
    said = {name: request.said(name) for name in fields}
    said["card"] = card_typed(said["card"])
    by_code = request.form.get("by") == "code"
    due = lost_due(house)
    used = ("code",) if by_code else ("kana", "born", "phone")
    if not all(said[name] for name in used):
        missing = sentence("add.missing_code" if by_code else "add.missing_words")
        return Page("member/add.html", {"problem": missing, "said": said, "lost_due": due}, 400)
    if not by_code and not _is_day(said["born"]):
        wrong = explain(Reason(None, "want-date", {"field": "holder.born"}))
        return Page("member/add.html", {"problem": wrong, "said": said, "lost_due": due}, 400)
    claim = Claim(said["card"], **{name: said[name] or None for name in used})
    try:
        told = await house.app.membership.claim(speaker, claim)
    except ProblemError as problem:
        return again("member/add.html", problem, said=said, lost_due=due)
    return Redirect(f"{HOME}/cards/{told['card']}")


def _is_day(text: str) -> bool:
    try:
        parse_day(text)
    except ValueError:
        return False
    return True


@for_members
async def card(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N``: what it is worth, and what can be done."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    quote = await house.about(speaker, number, "refund-quote")
    reissue = await house.about(speaker, number, "reissue-quote")
    latest = await house.latest(speaker, number, LATEST)
    held, today = await what_lies_ahead(house, speaker, number), day_of(house.now)
    course = await standing(house, speaker, number, status["rally"])
    figures = {
        "card": status["card"], "phones": PHONES, "charging": _charging(status["card"]),
        "quick": await _quick(house, speaker, status["card"]), "quote": quote, "reissue": reissue, "latest": latest, "held": held,
        "dates": dates(request.language, status, held, course["still"] if course["reachable"] else [], today),
        "notes": notes(request.language, status["card"], held, today),
    }  # fmt: skip
    return Page("member/card.html", figures)


# which rules say how cards of a kind are charged
_CHARGED = {
    "smart": ("CHG-2", "CHG-3", "CHG-4", "CHG-5", "CHG-7"),
    **dict.fromkeys(PHONES, ("CHG-6", "CHG-7")),
}


def _charging(card: dict[str, Any]) -> tuple[str, ...]:
    """The rules of charging it; none of a card that is no longer used."""
    if card["state"] not in LIVING:
        return ()
    return (*_CHARGED.get(card["kind"], ("CHG-1", "CHG-7")), "PUB-3", "PUB-1")


async def _quick(house: House, speaker: Speaker, card: dict[str, Any]) -> dict[str, Any]:
    """What is left of a SMART card's quick charges; of another kind nothing."""
    if card["kind"] != "smart":
        return {}
    found: dict[str, Any] = await house.about(speaker, card["number"], "quick-charge-quote")
    return found


@for_members
async def history(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/history``: month by month, by kind, and by words."""
    number = request.parts["number"]
    found = await house.about(speaker, number, "history")
    months = list(dict.fromkeys(one["at"][:7] for one in found))
    kinds = sorted({one["do"] for one in found})
    said = {name: request.query.get(name, "").strip() for name in ("month", "kind", "q")}
    figures = {
        "card": (await house.about(speaker, number))["card"], "part": stretch(request, "history", _shown(request, found)),
        "before": (await what_lies_ahead(house, speaker, number))["before"], "months": months, "kinds": kinds, "said": said, "asked": urlencode(said),
    }  # fmt: skip
    return Page("member/history.html", figures)


def _shown(request: Request, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a history that a month, a kind and words leave."""
    month, kind = request.query.get("month", ""), request.query.get("kind", "")
    sought = request.query.get("q", "").strip().casefold()
    return [
        one
        for one in found
        if (not month or one["at"].startswith(month))
        and (not kind or one["do"] == kind)
        and (not sought or sought in _written(request, one))
    ]


def _written(request: Request, line: dict[str, Any]) -> str:
    """A line of a history as it stands on the page, to be searched."""
    say = request.language
    what, where = say.word(f"do.{line['do']}"), say.word(f"channel.{line['channel']}")
    figures = f"{say.yen(line['amount'])} {line['amount']} {say.yen(line['balance'])}"
    return f"{say.moment(line['at'])} {what} {where} {figures}".casefold()


@for_members
async def history_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/history.csv``: all of it, for a spreadsheet."""
    number = request.parts["number"]
    found = await house.about(speaker, number, "history")
    return history_csv(request.language, number, _shown(request, found))


@for_members
async def history_paper(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/history.pdf``: what the page shows, to be printed."""
    number, say = request.parts["number"], request.language
    t = say.word
    card = (await house.about(speaker, number))["card"]
    found = await house.about(speaker, number, "history")
    head = [t(f"history.{name}") for name in HISTORY]
    rows = [
        [
            say.moment(one["at"]), t(f"do.{one['do']}"), t(f"channel.{one['channel']}"),
            say.yen(one["amount"]), "" if one["balance"] is None else say.yen(one["balance"]), str(one["points"]),
        ]
        for one in _shown(request, found)[:MOST_PRINTED]
    ]  # fmt: skip
    title = t("history.title")
    parts: list[paper.Part] = [
        paper.Heading(title),
        paper.Words(f"{t('kind.' + card['kind'])} …{say.end_of(number)} · {say.day(iso_moment(house.now))}"),
        paper.Table(head, rows, right=(3, 4, 5), widths=(3, 2, 2, 1.5, 1.5, 1)),
    ]  # fmt: skip
    return await paper.printed(f"history-{say.end_of(number)}", title, parts)


@for_members
async def give_up(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/cards/N/give-up``."""
    await house.app.membership.give_up(speaker, request.parts["number"])
    return Redirect(HOME)


PAGES = [
    ("GET", HOME, home),
    ("GET", f"{HOME}/add", add_form), ("POST", f"{HOME}/add", add),
    ("GET", CARD, card),
    ("GET", f"{CARD}/history", history), ("GET", f"{CARD}/history.csv", history_file),
    ("GET", f"{CARD}/history.pdf", history_paper),
    ("POST", f"{CARD}/give-up", give_up),
]  # fmt: skip
