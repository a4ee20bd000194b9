"""Points at a station machine: onto the card, what became of them, registering for them."""

from typing import Any

from farecard.model.commands import PHONES
from farecard.model.moments import day_of, iso_day
from farecard.pages.machine.door import A_SCREEN, MOST, TICKETS, Machine, with_card
from farecard.pages.programmes import apply_until
from farecard.pages.requests import Answer, Page
from farecard.questions.card import point_lines
from farecard.rules.points import history_at

_MORE_THAN_FITS = 1_000_000  # the refusal of so many names the largest number that fits


@with_card
async def points(machine: Machine) -> Answer:
    """``GET /machine/points``: how many, and what can be done with them; at machines with one choice, that."""
    if machine.settings.kind != TICKETS:
        return await _top_up(machine)
    return machine.screen("points")


async def _top_up(machine: Machine) -> Page:
    most = await machine.try_out("top_up_from_points", points=_MORE_THAN_FITS)
    largest: int | None = most["result"].get("largest")
    wanted, no = machine.whole("points"), None
    if largest is None:  # not at this machine, not with this card
        no = most["reasons"][0]
    elif wanted:
        tried = await machine.try_out("top_up_from_points", points=wanted)
        no = None if tried["outcome"] == "accepted" else tried["reasons"][0]
    unit = machine.rates().points_unit
    too_few = machine.card["points"] < unit
    if largest == 0 and not too_few:  # the card has no room: its refusal says so
        tried = await machine.try_out("top_up_from_points", points=unit)
        no = tried["reasons"][0]
    figures: dict[str, Any] = {
        "largest": largest,
        "no": no,
        "wanted": 0 if no else wanted,
        "unit": unit,
        "too_few": too_few,
    }
    return machine.screen("points_top_up", **figures)


@with_card
async def top_up(machine: Machine) -> Answer:
    """``GET /machine/points/top-up``: how many to charge; ``points``: those chosen, with the arithmetic."""
    return await _top_up(machine)


@with_card
async def charge(machine: Machine) -> Answer:
    """``POST /machine/points/top-up``."""
    return await machine.deed("top_up_from_points", points=machine.whole("points"))


async def lines_of(machine: Machine) -> list[dict[str, Any]]:
    """The latest lines of a point history, as these machines show and print it (WST-7); none where they do not."""
    if machine.settings.kind not in history_at(machine.card["kind"], member=False):
        return []
    found: list[dict[str, Any]] = await machine.about(
        lambda store, card, when: point_lines(store, card, when, MOST)
    )
    return found


@with_card
async def history(machine: Machine) -> Answer:
    """``GET /machine/points/history``: points (returned, other)."""
    elsewhere = machine.settings.kind not in history_at(machine.card["kind"], member=False)
    lines = await lines_of(machine)
    last = max(0, (len(lines) - 1) // A_SCREEN)
    page = min(machine.whole("page"), last)
    shown = lines[page * A_SCREEN : (page + 1) * A_SCREEN]
    where = {"elsewhere": elsewhere, "phone": machine.card["kind"] in PHONES}
    return machine.screen("points_history", lines=shown, page=page, last=last, **where)


@with_card
async def register_form(machine: Machine) -> Answer:
    """``GET /machine/points/register``: from when one may apply, or why it cannot be done."""
    tried = await machine.try_out("register_for_points")
    today, until = (
        iso_day(day_of(machine.house.now)),
        await apply_until(machine.house, machine.card),
    )
    return machine.screen("register", tried=tried, apply_until=until, today=today)


@with_card
async def register(machine: Machine) -> Answer:
    """``POST /machine/points/register``."""
    return await machine.deed("register_for_points")
