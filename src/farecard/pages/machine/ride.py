"""Fare adjustment (のりこし精算): what a ride costs up to here, what is short, and closing it."""

from typing import Any
from urllib.parse import urlencode

from farecard.pages.machine.door import HOME, Machine, visit_of, with_card
from farecard.pages.machine.money import offers
from farecard.pages.requests import Answer, Redirect

ADJUST = f"{HOME}/adjust"
_NOTES = (1_000, 5_000, 10_000)
_OUT = ".out"  # at the end of a payment's id: the exit that follows it


def _station(machine: Machine) -> str:
    """Where one leaves: as it was chosen, else where the machine stands; the empty text where it must be chosen."""
    wanted = machine.request.query.get("station", machine.settings.station)
    return wanted if wanted in machine.house.stations() else ""


@with_card
async def adjust(machine: Machine) -> Answer:
    """``GET /machine/adjust``: the fare to a station, what is short, how to pay it."""
    ride = machine.card["ride"]
    figures: dict[str, Any] = {
        "ride": ride,
        "old": ride is not None and machine.is_over(ride["since"]),
        "station": _station(machine),
        "no": None,
        "fare": 0,
        "short": 0,
    }
    if ride is not None and not figures["station"]:
        return machine.screen("station", stations=machine.house.stations(), **figures)
    tried = await machine.try_out(
        "tap_out", station=figures["station"] or machine.house.stations()[0]
    )
    short = figures["short"] = tried["result"].get("shortfall", 0)
    if short:
        figures["fare"] = tried["reasons"][0]["params"]["fare"]
        amounts = [short, *(note for note in _NOTES if note != short)]
        paying = [
            (one, one, await machine.try_out("top_up", amount=one, tender="cash", station=figures["station"]))
            for one in amounts
        ]  # fmt: skip
        return machine.screen("short", **figures, **offers(paying))
    if tried["outcome"] == "accepted":
        figures["fare"] = tried["result"]["fare"]
    else:
        figures["no"] = tried["reasons"][0]
    return machine.screen("adjust", **figures)


@with_card
async def leave(machine: Machine) -> Answer:
    """``POST /machine/adjust``: the balance covers it; the ride is closed."""
    return await machine.deed("tap_out", station=machine.request.said("station"))


@with_card
async def pay(machine: Machine) -> Answer:
    """``POST /machine/adjust/pay``: what is short is paid, and the ride closed where that is enough."""
    id, station = machine.request.said("id"), machine.request.said("station")
    amount = machine.whole("amount")
    paid = await machine.send(id, "top_up", amount=amount, tender="cash", station=station)
    if paid["outcome"] != "accepted":
        return machine.refused(paid)
    left = await machine.send(f"{id}{_OUT}", "tap_out", station=station)
    if left["result"].get("shortfall"):  # a note that was not enough: what is short still
        visit = visit_of(machine.house, machine.card["number"])
        return Redirect(f"{ADJUST}?{urlencode({'station': station})}", visit)
    return machine.told(f"{id}{_OUT}") if left["outcome"] == "accepted" else machine.refused(left)


async def paid_for(machine: Machine, id: str) -> dict[str, Any] | None:
    """What was paid so that a ride could be closed; None where nothing was."""
    if not id.endswith(_OUT):
        return None
    return await machine.house.decided(machine.speaker, id.removesuffix(_OUT))
