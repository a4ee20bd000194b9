"""The member's page: signing in, one's cards, what each is worth, what happened with it, and what can be done."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from farecard.access.sessions import MEMBER
from farecard.api.membership import Claim, Confirm, Recover
from farecard.api.problems import ProblemError, document
from farecard.api.sessions import MemberSignIn
from farecard.api.speakers import Speaker
from farecard.model.campaign import Campaign, day_number
from farecard.model.commands import PHONES, parse_number
from farecard.model.moments import day_of, iso_day, iso_moment, month_of, parse_day, parse_moment
from farecard.model.verdict import Reason
from farecard.pages import door, paper
from farecard.pages.ahead import attention, dates, notes
from farecard.pages.applying import application
from farecard.pages.door import Window, again, then_to
from farecard.pages.files import csv_file, history_csv
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.typed import card_typed
from farecard.questions import draws
from farecard.questions.ahead import ahead
from farecard.rules import measures, myna_point, stamp_rally
from farecard.rules.measures import NOT_APPLIED
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.texts import explain

HOME, SIGN_IN = "/member", "/member/sign-in"
CHANNEL = "member-page"
LATEST = 5  # lines of a history on a card's own page
_FOR_A_TRIAL = "-"  # a person who has applied for nothing yet
ONE_PERSON_A_CARD = "MYN-9"  # of whoever is not the card's applicant: the trial's person never is
MOST_PRINTED = 2_000  # lines of a history, the newest; a file has them all
for_members = door.kept(HOME)


# -- what is done about a card -------------------------------------------------------------------


def _command(do: str, number: str) -> dict[str, Any]:
    """A command about a card, as it is sent from here."""
    return {"do": do, "channel": CHANNEL, "card": number}


async def _done(
    house: House, request: Request, speaker: Speaker, command: dict[str, Any]
) -> Answer:
    """Do it once, whatever is pressed how often, and go to the page that tells what came of it."""
    id = request.said("id")
    answer = await house.send(speaker, id, command)
    if answer["outcome"] == "invalid":
        return Page("member/done.html", {"decision": answer, "card": command["card"]}, 422)
    return Redirect(f"{HOME}/cards/{command['card']}/done/{id}")


def _does(do: str) -> Callable[[House, Request], Awaitable[Answer]]:
    """A deed about the card of the address."""

    @for_members
    async def deed(house: House, request: Request, speaker: Speaker) -> Answer:
        return await _done(house, request, speaker, _command(do, request.parts["number"]))

    return deed


# -- signing in ----------------------------------------------------------------------------------


async def sign_in_form(_house: House, request: Request) -> Answer:
    """``GET /member/sign-in``."""
    return Page(
        "member/sign_in.html", {"login": "", "then": then_to(HOME, request.query.get("then", ""))}
    )


async def sign_in(house: House, request: Request) -> Answer:
    """``POST /member/sign-in``."""
    login, then = request.said("login"), then_to(HOME, request.said("then"))
    said = MemberSignIn(login, request.form.get("password", ""))
    try:
        told = await house.app.sessions.sign_in_member(said)
    except ProblemError as problem:
        return again("member/sign_in.html", problem, login=login, then=then)
    return Redirect(then, {MEMBER: told["token"]})


async def sign_out(house: House, _request: Request) -> Answer:
    """``POST /member/sign-out``."""
    if house.speaker is not None:
        await house.app.sessions.sign_out(house.speaker)
    return Redirect(SIGN_IN, {MEMBER: None})


async def enrol_form(_house: House, _request: Request) -> Answer:
    """``GET /member/enrol``."""
    return Page("member/enrol.html", {"login": ""})


async def enrol(house: House, request: Request) -> Answer:
    """``POST /member/enrol``: the recovery codes are shown once, as the answer."""
    login, password = request.said("login"), request.form.get("password", "")
    try:
        told = await house.app.membership.enrol(MemberSignIn(login, password))
    except ProblemError as problem:
        return again("member/enrol.html", problem, login=login)
    return Page("member/codes.html", {"codes": told["recovery_codes"], "login": login})


async def recover_form(_house: House, _request: Request) -> Answer:
    """``GET /member/recover``."""
    return Page("member/recover.html", {"login": "", "card": ""})


async def recover(house: House, request: Request) -> Answer:
    """``POST /member/recover``."""
    login, card = request.said("login"), card_typed(request.said("card"))
    said = Recover(
        request.said("code"), request.form.get("password", ""), login or None, card or None
    )
    try:
        told = await house.app.membership.recover(said)
    except ProblemError as problem:
        return again("member/recover.html", problem, login=login, card=card)
    return Page("member/codes.html", {"codes": told["recovery_codes"], "login": told["login"]})


# -- cards ---------------------------------------------------------------------------------------


@for_members
async def home(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member``: each card with its balance, points and state, and what needs attention."""
    mine = await house.app.membership.cards(speaker)
    cards = []
    for one in mine["cards"]:
        status = await house.about(speaker, one["card"])
        held = await _ahead(house, speaker, one["card"])
        said = attention(request.language, status, held, day_of(house.now))
        cards.append({**status["card"], **one, "notes": said})
    return Page("member/home.html", {"cards": cards, "codes_left": mine["recovery_codes_left"]})


async def _ahead(house: House, speaker: Speaker, number: str) -> dict[str, Any]:
    """What lies ahead of a card of theirs."""
    tariff = house.app.queue.desk.inputs.tariff
    found: dict[str, Any] = await house.about(
        speaker, number, lambda store, card, when: ahead(store, tariff, card, when)
    )
    return found


@for_members
async def add_form(_house: House, _request: Request, _speaker: Speaker) -> Answer:
    """``GET /member/add``."""
    return Page("member/add.html", {"said": {}})


@for_members
async def add(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/add``: by a code, or by what the holder said."""
    fields = ("card", "code", "kana", "born", "phone")
    said = {name: request.said(name) for name in fields}
    said["card"] = card_typed(said["card"])
    by_code = request.form.get("by") == "code"
    used = ("code",) if by_code else ("kana", "born", "phone")
    if not all(said[name] for name in used):
        missing = sentence("add.missing_code" if by_code else "add.missing_words")
        return Page("member/add.html", {"problem": missing, "said": said}, 400)
    if not by_code and not _is_day(said["born"]):
        wrong = explain(Reason(None, "want-date", {"field": "holder.born"}))
        return Page("member/add.html", {"problem": wrong, "said": said}, 400)
    claim = Claim(said["card"], **{name: said[name] or None for name in used})
    try:
        told = await house.app.membership.claim(speaker, claim)
    except ProblemError as problem:
        return again("member/add.html", problem, said=said)
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
    held, today = await _ahead(house, speaker, number), day_of(house.now)
    course = await house.ask(lambda store: _course(store, today))
    figures = {
        "card": status["card"], "quote": quote, "reissue": reissue, "latest": latest, "held": held,
        "dates": dates(request.language, status, held, course["still"], today),
        "notes": notes(request.language, status["card"], held, today),
    }  # fmt: skip
    return Page("member/card.html", figures)


@for_members
async def history(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/history``: month by month, by kind, and by words."""
    number = request.parts["number"]
    found = await house.about(speaker, number, "history")
    months = list(dict.fromkeys(one["at"][:7] for one in found))
    kinds = sorted({one["do"] for one in found})
    said = {name: request.query.get(name, "").strip() for name in ("month", "kind", "q")}
    figures = {
        "card": (await house.about(speaker, number))["card"], "lines": _shown(request, found),
        "months": months, "kinds": kinds, "said": said, "asked": urlencode(said),
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
    head = [t(f"history.{name}") for name in ("at", "what", "where", "amount", "balance", "points")]
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
async def lost_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/lost``: what it costs, what becomes of what, from when and where; then a confirmation."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    tried = await house.try_out(speaker, _command("report_lost", number))
    reissue = await house.about(speaker, number, "reissue-quote")
    figures = {
        "card": status["card"],
        "tried": tried,
        "reissue": reissue,
        "rally": status["rally"],
        "myna": status["myna"],
        "until": _slip_until(house, house.now),
    }
    return Page("member/lost.html", figures)


def _slip_until(house: House, at: int) -> str:
    """The last day of a slip that is given at a moment."""
    day = day_of(at)
    return iso_day(day + house.app.queue.desk.inputs.tariff.on(day).slip_days)


lost = _does("report_lost")  # ``POST /member/cards/N/lost``: stop the card


@for_members
async def refund_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/refund``: by kind of card, where and how; what is done here is offered here."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    quote = await house.about(speaker, number, "refund-quote")
    kind = status["card"]["kind"]
    way = "phone" if kind in PHONES else "post" if kind == "smart" else "counter"
    tried = None
    if way != "counter":
        try:
            tried = await house.try_out(speaker, _refund(number, way))
        except (
            ProblemError
        ) as problem:  # it takes a card that was shown: said on the page, with the way out
            tried = {"outcome": "refused", "reasons": [document(problem.status, problem.reason)]}
    figures = {
        "card": status["card"], "status": status, "quote": quote, "way": way, "tried": tried,
    }  # fmt: skip
    return Page("member/refund.html", figures)


def _refund(number: str, way: str) -> dict[str, Any]:
    return _command("refund" if way == "phone" else "request_refund_form", number)


@for_members
async def refund(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/cards/N/refund``."""
    way = "post" if request.form.get("way") == "post" else "phone"
    return await _done(house, request, speaker, _refund(request.parts["number"], way))


@for_members
async def done(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/done/ID``: what was decided, and what comes next."""
    decision = await house.decided(speaker, request.parts["id"])
    if decision is None:
        return Redirect(f"{HOME}/cards/{request.parts['number']}")
    until = _slip_until(house, parse_moment(decision["at"]))
    apply_until = (await house.ask(_programme)).apply_until.isoformat()
    figures = {"decision": decision, "card": request.parts["number"], "until": until}
    return Page("member/done.html", figures | {"apply_until": apply_until})


@for_members
async def points(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/points``: how many, what became of them and why, and registering for them."""
    number = request.parts["number"]
    shown = (await house.about(speaker, number))["card"]
    figures = {
        "card": shown,
        "in_phone": shown["kind"] in PHONES,
        "told": await house.about(speaker, number, "points"),
        "lines": await _moves_of_points(house, speaker, number),
        "tried": await house.try_out(speaker, _command("register_for_points", number)),
        "apply_until": (await house.ask(_programme)).apply_until.isoformat(),
    }
    return Page("member/points.html", figures)


async def _moves_of_points(house: House, speaker: Speaker, number: str) -> list[dict[str, Any]]:
    return [one for one in await house.about(speaker, number, "history") if one["points"]]


@for_members
async def points_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/points.csv``: what became of the points, for a spreadsheet."""
    number, say = request.parts["number"], request.language
    lines = await _moves_of_points(house, speaker, number)
    head = [say.word(name) for name in ("history.at", "history.what", "points.title")]
    rows = ([one["at"], say.word(f"do.{one['do']}"), one["points"]] for one in lines)
    return csv_file(f"points-{say.end_of(number)}", head, rows)


register = _does("register_for_points")  # ``POST /member/cards/N/points``


async def _no_application(house: House, speaker: Speaker, number: str) -> list[dict[str, Any]]:
    """Why nobody may apply for Myna Point with a card now; empty where it depends on who applies for what."""
    asked = {"person": _FOR_A_TRIAL, "measures": [1, 2, 3], "own_name": True}
    tried = await house.try_out(speaker, _command("apply_myna_point", number) | asked)
    if tried["outcome"] != "refused":
        return []
    return [one for one in tried["reasons"] if one["rule"] != ONE_PERSON_A_CARD]


@for_members
async def myna(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/myna``: what counted and what did not, what is missing, when the points come."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    told = status["myna"]
    states = [one["state"] for one in told["measures"].values()] if told else [NOT_APPLIED]
    no = await _no_application(house, speaker, number) if NOT_APPLIED in states else []
    figures = {
        "card": status["card"], "myna": told, "no": no, "offered": NOT_APPLIED in states,
        "programme": await house.ask(_programme),
    }  # fmt: skip
    return Page("member/myna.html", figures)


def _programme(store: Store) -> Campaign:
    return load_campaigns(store).of(myna_point.NAME)


@for_members
async def myna_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/myna.csv``: each top-up, whether it counted, and why not."""
    number, say = request.parts["number"], request.language
    t = say.word
    measures = ((await house.about(speaker, number))["myna"] or {"measures": {}})["measures"]
    head = ["myna.title", "history.at", "history.where", "history.amount", "myna.counts", "rule"]
    rows = (
        [
            t(f"myna.measure.{name}"), one["at"], t(f"channel.{one['channel']}"), one["amount"],
            t("myna.yes") if one["counts"] else " ".join(map(say.said, one["reasons"])),
            " ".join(no["rule"] or "" for no in one["reasons"]),
        ]
        for name, measure in measures.items()
        for one in measure.get("top_ups", ())
    )  # fmt: skip
    return csv_file(f"myna-{say.end_of(number)}", [t(name) for name in head], rows)


@for_members
async def apply_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/apply``: what an application needs."""
    number = request.parts["number"]
    status, no = await house.about(speaker, number), await _no_application(house, speaker, number)
    return Page("member/apply.html", {"card": status["card"], "tried": None, "said": {}, "no": no})


@for_members
async def apply(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/cards/N/apply``: what would be taken; then it is applied for."""
    number, step = request.parts["number"], request.said("step")
    command = _command("apply_myna_point", number) | application(request)
    if step == "do":
        return await _done(house, request, speaker, command)
    status = await house.about(speaker, number)
    tried = None if step == "change" else await house.try_out(speaker, command)
    figures = {"card": status["card"], "tried": tried, "said": request.answers(), "no": []}
    return Page("member/apply.html", figures)


@for_members
async def rally(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/rally``: the stamp card, or joining."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    joined, vault = status["rally"], house.app.queue.desk.vault
    tried = None if joined else await house.try_out(speaker, _command("join_rally", number))
    mine = []
    if joined:
        mine = await house.ask(lambda store: draws.tickets(store, vault, parse_number(number)))
    figures = {"card": status["card"], "rally": joined, "tried": tried, "tickets": mine}
    today = day_of(house.now)
    return Page("member/rally.html", figures | await house.ask(lambda store: _course(store, today)))


def _course(store: Store, today: int) -> dict[str, Any]:
    """How far the rally is on a day: its ``draws`` by number, those ``still`` to be qualified for, whether it is ``over``.

    ``points_on``: when points come for what is done this month; None where that is past the rally's end.
    """
    found, campaign = load_campaigns(store).rally(stamp_rally.NAME), _programme(store)
    last = day_number(found.last_day)
    points_on = measures.pay_day(month_of(today) + 1, campaign)
    held = draws.draws(store, found, today)
    return {
        "draws": {one["number"]: one for one in held},
        "still": [one for one in held if iso_day(today) <= one["until"]],
        "over": last < today, "last_day": iso_day(last),
        "points_on": iso_day(points_on) if points_on <= last else None,
    }  # fmt: skip


join = _does("join_rally")  # ``POST /member/cards/N/rally``


@for_members
async def give_up(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/cards/N/give-up``."""
    await house.app.membership.give_up(speaker, request.parts["number"])
    return Redirect(HOME)


@for_members
async def account_form(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /member/account``."""
    return Page("member/account.html", {"codes_left": await _codes_left(house, speaker)})


async def _codes_left(house: House, speaker: Speaker) -> int:
    left: int = (await house.app.membership.cards(speaker))["recovery_codes_left"]
    return left


@for_members
async def new_codes(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/account/codes``."""
    try:
        told = await house.app.membership.new_codes(
            speaker, Confirm(request.form.get("password", ""))
        )
    except ProblemError as problem:
        left = await _codes_left(house, speaker)
        return again("member/account.html", problem, codes_left=left)
    return Page("member/codes.html", {"codes": told["recovery_codes"], "login": None})


@for_members
async def leave(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/account/end``."""
    try:
        await house.app.membership.end(speaker, Confirm(request.form.get("password", "")))
    except ProblemError as problem:
        left = await _codes_left(house, speaker)
        return again("member/account.html", problem, codes_left=left)
    house.speaker = None
    return Redirect(SIGN_IN, {MEMBER: None})


_CARD = f"{HOME}/cards/{{number}}"
WINDOW = Window(MEMBER, [
    ("GET", SIGN_IN, sign_in_form), ("POST", SIGN_IN, sign_in),
    ("POST", f"{HOME}/sign-out", sign_out),
    ("GET", f"{HOME}/enrol", enrol_form), ("POST", f"{HOME}/enrol", enrol),
    ("GET", f"{HOME}/recover", recover_form), ("POST", f"{HOME}/recover", recover),
    ("GET", HOME, home),
    ("GET", f"{HOME}/add", add_form), ("POST", f"{HOME}/add", add),
    ("GET", _CARD, card),
    ("GET", f"{_CARD}/history", history), ("GET", f"{_CARD}/history.csv", history_file),
    ("GET", f"{_CARD}/history.pdf", history_paper),
    ("GET", f"{_CARD}/lost", lost_form), ("POST", f"{_CARD}/lost", lost),
    ("GET", f"{_CARD}/refund", refund_form), ("POST", f"{_CARD}/refund", refund),
    ("GET", f"{_CARD}/points", points), ("POST", f"{_CARD}/points", register),
    ("GET", f"{_CARD}/points.csv", points_file),
    ("GET", f"{_CARD}/myna", myna), ("GET", f"{_CARD}/myna.csv", myna_file),
    ("GET", f"{_CARD}/apply", apply_form), ("POST", f"{_CARD}/apply", apply),
    ("GET", f"{_CARD}/rally", rally), ("POST", f"{_CARD}/rally", join),
    ("GET", f"{_CARD}/done/{{id}}", done),
    ("POST", f"{_CARD}/give-up", give_up),
    ("GET", f"{HOME}/account", account_form),
    ("POST", f"{HOME}/account/codes", new_codes), ("POST", f"{HOME}/account/end", leave),
])  # fmt: skip
