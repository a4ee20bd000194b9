"""Points, Myna Point and the stamp rally of a card."""

from typing import Any

from farecard.api.speakers import Speaker
from farecard.model.commands import PHONES, parse_number
from farecard.model.moments import day_of, iso_day
from farecard.model.verdict import INVALID
from farecard.pages.applying import BY_ANYBODY, application, refusal, too_much_before
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.member.at import (
    CARD,
    HOME,
    command_of,
    does,
    done_once,
    for_members,
)
from farecard.pages.programmes import (
    another_card,
    as_it_is_to,
    brings_nothing,
    nothing_comes,
    programme,
    register_by,
    standing,
    steps_of,
)
from farecard.pages.requests import Answer, Page, Request
from farecard.pages.stretches import stretch
from farecard.pages.typed import card_typed
from farecard.questions import draws
from farecard.questions.card import point_lines
from farecard.rules.measures import NOT_APPLIED
from farecard.rules.state import LIVING


@for_members
async def points(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/points``: how many, what became of them and why, and registering for them."""
    number = request.parts["number"]
    shown = (await house.about(speaker, number))["card"]
    figures = {
        "card": shown,
        "in_phone": shown["kind"] in PHONES,
        "told": await house.about(speaker, number, "points"),
        "part": stretch(request, "points", await _moves_of_points(house, speaker, number)),
        "tried": await house.try_out(speaker, command_of("register_for_points", number)),
        **await register_by(house, shown),
    }
    return Page("member/points.html", figures)


async def _moves_of_points(house: House, speaker: Speaker, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await house.about(speaker, number, point_lines)
    return found


@for_members
async def points_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/points.csv``: what became of the points, for a spreadsheet."""
    number, say = request.parts["number"], request.language
    lines = await _moves_of_points(house, speaker, number)
    head = [say.word(name) for name in ("history.at", "history.what", "points.title")]
    rows = ([one["at"], say.word(f"do.{one['do']}"), one["points"]] for one in lines)
    return csv_file(f"points-{say.end_of(number)}", head, rows)


register = does("register_for_points")  # ``POST /member/cards/N/points``


async def _no_application(house: House, speaker: Speaker, number: str) -> list[dict[str, Any]]:
    """Why nobody may apply for Myna Point with a card now; empty where it depends on who applies for what."""
    asked = command_of(BY_ANYBODY["do"], number) | BY_ANYBODY
    return refusal(await house.try_out(speaker, asked))


@for_members
async def myna(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/myna``: what counted and what did not, what is missing, when the points come."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    told = status["myna"]
    measures = told["measures"] if told else {}
    states = [one["state"] for one in measures.values()] or [NOT_APPLIED]
    no = await _no_application(house, speaker, number) if NOT_APPLIED in states else []
    whole, today = await house.ask(programme), day_of(house.now)
    campaign = as_it_is_to(status["card"], whole)
    figures = {
        "card": status["card"], "myna": told, "today": iso_day(today), "nothing": brings_nothing(status["card"], whole, today), "no": no, "another": await another_card(house),
        "over": iso_day(today) > whole.apply_until.isoformat(), "offered": NOT_APPLIED in states, "programme": campaign,
        "parts": {n: stretch(request, f"measure-{n}-top-ups", one.get("top_ups", ())) for n, one in measures.items()},
        "steps": steps_of(campaign),
    }  # fmt: skip
    return Page("member/myna.html", figures)


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
    figures = {"card": status["card"], "tried": None, "said": {}, "no": no}
    nothing = await nothing_comes(house, status["card"])
    return Page("member/apply.html", figures | {"nothing": nothing})


@for_members
async def apply(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/cards/N/apply``: what would be taken; then it is applied for."""
    number, step = request.parts["number"], request.said("step")
    command = command_of("apply_myna_point", number) | application(request)
    tried = too_much_before(command, await house.ask(programme))
    if step == "do" and tried is None:
        return await done_once(house, request, speaker, command)
    status = await house.about(speaker, number)
    if step == "change":
        tried = None
    elif tried is None:
        tried = await house.try_out(speaker, command)
    figures = {"card": status["card"], "tried": tried, "said": request.answers(), "no": [], "asked": command}  # fmt: skip
    nothing = await nothing_comes(house, status["card"])
    return Page("member/apply.html", figures | {"nothing": nothing})


@for_members
async def change_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/change``, ``?card=N``: who looks into another card in place of the one applied with, and asking for one of one's own."""
    return await _change(house, speaker, request.query.get("card", ""))


async def _change(
    house: House, speaker: Speaker, chosen: str, person: str = "", wrong: Any = (), status: int = 200
) -> Page:  # fmt: skip
    mine = (await house.app.membership.cards(speaker))["cards"]
    found = [await house.about(speaker, one["card"]) for one in mine]
    cards = [
        one for one, status in zip(mine, found, strict=True)
        if status["card"]["state"] in LIVING and status["myna"] is None  # none that was applied with itself
    ]  # fmt: skip
    figures = {"cards": cards, "chosen": chosen, "person": person, "wrong": wrong}
    another = await another_card(house)
    return Page("member/change.html", figures | {"another": another}, status)


@for_members
async def change(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/change``."""
    number, person = card_typed(request.said("card")), request.said("person")
    asked = command_of("change_applied_card", number) | {"person": person}
    tried = await house.try_out(speaker, asked)
    if tried["outcome"] == INVALID:  # said with the form, to be mended
        return await _change(house, speaker, number, person, tried["reasons"], 422)
    return await done_once(house, request, speaker, asked)


@for_members
async def rally(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/rally``: the stamp card, or joining."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    joined, vault = status["rally"], house.app.queue.desk.vault
    tried = None if joined else await house.try_out(speaker, command_of("join_rally", number))
    mine = []
    if joined:
        mine = await house.ask(lambda store: draws.tickets(store, vault, parse_number(number)))
    figures = {"card": status["card"], "rally": joined, "tried": tried, "tickets": mine}
    return Page(
        "member/rally.html", figures | {"course": await standing(house, speaker, number, joined)}
    )


join = does("join_rally")  # ``POST /member/cards/N/rally``


PAGES = [
    ("GET", f"{CARD}/points", points), ("POST", f"{CARD}/points", register),
    ("GET", f"{CARD}/points.csv", points_file),
    ("GET", f"{CARD}/myna", myna), ("GET", f"{CARD}/myna.csv", myna_file),
    ("GET", f"{CARD}/apply", apply_form), ("POST", f"{CARD}/apply", apply),
    ("GET", f"{HOME}/change", change_form), ("POST", f"{HOME}/change", change),
    ("GET", f"{CARD}/rally", rally), ("POST", f"{CARD}/rally", join),
]  # fmt: skip
