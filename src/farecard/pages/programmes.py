"""How a card stands in Myna Point and the stamp rally, for every page that shows it."""

from collections.abc import Callable
from typing import Any

from farecard.api.speakers import Speaker
from farecard.model.campaign import Campaign, day_number
from farecard.model.moments import day_of, iso_day, month_of
from farecard.model.verdict import REFUSED
from farecard.pages.house import House
from farecard.pages.steps import Step, steps
from farecard.questions import draws
from farecard.questions.ahead import no_stamps
from farecard.rules import measures, myna_point, stamp_rally
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.texts import explain


def programme(store: Store) -> Campaign:
    """Myna Point, as it is in the store."""
    return load_campaigns(store).of(myna_point.NAME)


async def apply_until(house: House) -> str:
    """The last day to apply for Myna Point (``YYYY-MM-DD``): what is registered for later is of no use to it."""
    return (await house.ask(programme)).apply_until.isoformat()


def steps_of(
    campaign: Campaign, card: dict[str, Any]
) -> Callable[[str, dict[str, Any]], list[Step]]:
    """What gives the steps of a measure by its number and what the card's applicant is told of it."""
    return lambda number, told: steps(
        campaign.measure(int(number)), campaign, told, card["expires"]
    )


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
