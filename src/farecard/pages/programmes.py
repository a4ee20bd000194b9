"""How a card stands in Myna Point and the stamp rally, for every page that shows it."""

from collections.abc import Callable
from datetime import date
from typing import Any

from msgspec import structs

from farecard.api.speakers import Speaker
from farecard.model.campaign import Campaign, day_number
from farecard.model.moments import SECOND, date_of, day_of, iso_day, iso_moment, month_of, parse_day
from farecard.model.verdict import REFUSED, Reason
from farecard.pages.house import House
from farecard.pages.steps import Step, steps
from farecard.questions import draws
from farecard.questions.ahead import no_stamps
from farecard.rules import measures, myna_point, stamp_rally
from farecard.rules.points import last_to_register
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.texts import explain


def programme(store: Store) -> Campaign:
    """Myna Point, as it is in the store."""
    return load_campaigns(store).of(myna_point.NAME)


async def apply_until(house: House, card: dict[str, Any] | None = None) -> str:
    """The last day to apply for Myna Point (``YYYY-MM-DD``), with a card or at all: what is registered for later is of no use to it."""
    campaign = await house.ask(programme)
    return (campaign if card is None else as_it_is_to(card, campaign)).apply_until.isoformat()


def as_it_is_to(card: dict[str, Any], campaign: Campaign) -> Campaign:
    """The campaign with the days that hold for a card: of one that expires nothing done later brings points in time (MYN-15)."""
    if card["expires"] is None:
        return campaign
    last = date_of(measures.last_in_time(parse_day(card["expires"]), campaign))

    def sooner(day: date | None) -> date | None:
        return None if day is None else min(day, last)

    own = [
        structs.replace(
            one, counts_until=sooner(one.counts_until), filed_until=sooner(one.filed_until), done_until=sooner(one.done_until),
            percent=one.percent if one.counts_until in (None, sooner(one.counts_until)) else None,  # the share comes after the end
        )
        for one in campaign.measures
    ]  # fmt: skip
    return structs.replace(campaign, apply_until=min(campaign.apply_until, last), measures=own)


def brings_nothing(card: dict[str, Any], campaign: Campaign, today: int) -> dict[str, Any] | None:
    """Why nothing that is applied for with a card from today on brings points, as a reason is explained; None where it can (MYN-15)."""
    if card["expires"] is None or today <= measures.last_in_time(
        parse_day(card["expires"]), campaign
    ):
        return None
    return explain(Reason("MYN-15", "expires-before-grant", {"expires": card["expires"]}))


async def nothing_comes(house: House, card: dict[str, Any]) -> dict[str, Any] | None:
    """The same of today."""
    return brings_nothing(card, await house.ask(programme), day_of(house.now))


async def register_by(house: House, card: dict[str, Any]) -> dict[str, Any]:
    """``today``, the last day to apply for Myna Point with a card (``apply_until``), and by when to register for that: ``online`` (a moment), whether that is still to come (``in_time``), ``machine`` (a day)."""
    last, today = parse_day(await apply_until(house, card)), day_of(house.now)
    online, machine = last_to_register(last, house.rates(today))
    return {
        "today": iso_day(today), "apply_until": iso_day(last), "machine": iso_day(machine),
        "online": iso_moment(online - 60 * SECOND), "in_time": house.now < online,
    }  # fmt: skip


def steps_of(campaign: Campaign) -> Callable[[str, dict[str, Any]], list[Step]]:
    """What gives the steps of a measure by its number and what its applicant is told of it."""
    return lambda number, told: steps(campaign.measure(int(number)), campaign, told)


async def another_card(house: House) -> dict[str, Any]:
    """Another card in place of one that was applied with (MYN-17): ``who`` looks into it, as reasons are explained, and whether that is still ``open``."""
    campaign = await house.ask(programme)
    asked = myna_point.enquiries(day_of(house.now), campaign)
    return {"who": [explain(one) for one in asked.reasons], "open": asked.outcome != REFUSED}


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


async def standing(
    house: House, speaker: Speaker, number: str, joined: dict[str, Any] | None
) -> dict[str, Any]:
    """How far the rally is today (``course_of``); of a card that ``joined`` why stamps do not come (``no_stamps``, by stamp), and whether all still can (``reachable``)."""
    today, tariff = day_of(house.now), house.app.queue.desk.inputs.tariff
    course = await house.ask(lambda store: course_of(store, today))
    if not joined:
        return course | {"no_stamps": {}, "reachable": True}
    found = await house.about(
        speaker, number, lambda store, card, when: no_stamps(store, tariff, card, when)
    )
    why = {str(stamp): explain(one) for stamp, one in found["why"].items()}
    return course | {"no_stamps": why, "reachable": found["reachable"]}
