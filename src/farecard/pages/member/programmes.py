"""Points, Myna Point and the stamp rally of a card."""

from typing import Any

from farecard.api.speakers import Speaker
from farecard.model.campaign import Campaign, day_number
from farecard.model.commands import PHONES, parse_number
from farecard.model.moments import day_of, iso_day, month_of
from farecard.pages.applying import BY_ANYBODY, application, refusal
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.member.at import (
    CARD,
    command_of,
    does,
    done_once,
    for_members,
)
from farecard.pages.member.steps import steps
from farecard.pages.requests import Answer, Page, Request
from farecard.pages.stretches import stretch
from farecard.questions import draws
from farecard.questions.ahead import no_stamps
from farecard.rules import measures, myna_point, stamp_rally
from farecard.rules.measures import NOT_APPLIED
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.texts import explain


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
        "apply_until": (await house.ask(programme)).apply_until.isoformat(),
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
    campaign = await house.ask(programme)
    figures = {
        "card": status["card"], "myna": told, "no": no, "offered": NOT_APPLIED in states, "programme": campaign,
        "parts": {n: stretch(request, f"measure-{n}-top-ups", one.get("top_ups", ())) for n, one in measures.items()},
        "steps": lambda measure, one: steps(campaign.measure(int(measure)), campaign, one),
    }  # fmt: skip
    return Page("member/myna.html", figures)


def programme(store: Store) -> Campaign:
    """Myna Point, as it is in the store."""
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
    command = command_of("apply_myna_point", number) | application(request)
    if step == "do":
        return await done_once(house, request, speaker, command)
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
    tried = None if joined else await house.try_out(speaker, command_of("join_rally", number))
    mine = []
    if joined:
        mine = await house.ask(lambda store: draws.tickets(store, vault, parse_number(number)))
    figures = {"card": status["card"], "rally": joined, "tried": tried, "tickets": mine}
    if joined:
        figures |= await _no_stamps(house, speaker, number)
    today = day_of(house.now)
    return Page(
        "member/rally.html", figures | await house.ask(lambda store: course_of(store, today))
    )


async def _no_stamps(house: House, speaker: Speaker, number: str) -> dict[str, Any]:
    """Why stamps of a card that joined do not come (``no_stamps``, by stamp, as reasons are explained), and whether all still can."""
    tariff = house.app.queue.desk.inputs.tariff
    found = await house.about(
        speaker, number, lambda store, card, when: no_stamps(store, tariff, card, when)
    )
    why = {str(stamp): explain(one) for stamp, one in found["why"].items()}
    return {"no_stamps": why, "reachable": found["reachable"]}


def course_of(store: Store, today: int) -> dict[str, Any]:
    """How far the rally is on a day: its ``draws`` by number, those ``still`` to be qualified for, whether it is ``over``.

    ``points_on``: when points come for what is done this month; None where that is past the rally's end.
    """
    found, campaign = load_campaigns(store).rally(stamp_rally.NAME), programme(store)
    last = day_number(found.last_day)
    points_on = measures.pay_day(month_of(today) + 1, campaign)
    held = draws.draws(store, found, today)
    return {
        "draws": {one["number"]: one for one in held},
        "still": [one for one in held if iso_day(today) <= one["until"]],
        "over": last < today, "last_day": iso_day(last),
        "points_on": iso_day(points_on) if points_on <= last else None,
    }  # fmt: skip


join = does("join_rally")  # ``POST /member/cards/N/rally``


PAGES = [
    ("GET", f"{CARD}/points", points), ("POST", f"{CARD}/points", register),
    ("GET", f"{CARD}/points.csv", points_file),
    ("GET", f"{CARD}/myna", myna), ("GET", f"{CARD}/myna.csv", myna_file),
    ("GET", f"{CARD}/apply", apply_form), ("POST", f"{CARD}/apply", apply),
    ("GET", f"{CARD}/rally", rally), ("POST", f"{CARD}/rally", join),
]  # fmt: skip
