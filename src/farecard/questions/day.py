"""A day at a glance: what was charged where, the rides, what was refused by which rule, what waits for people.

It costs what the day was, whatever the number of cards: the batches that touch the day are found by an index, their
events and totals by their keys.
"""

from typing import Any

from farecard.model.moments import first_moment, iso_day
from farecard.model.verdict import ACCEPTED, REFUSED, Reason
from farecard.storage.rows import as_reasons
from farecard.storage.store import Store
from farecard.texts import explain

HOURS = range(24)
CHARGES = ("top_up", "top_up_from_points")


def of_day(store: Store, day: int) -> dict[str, Any]:
    """The figures of a day: ``charges`` by place, ``rides`` by hour, ``refusals`` by rule, ``decided`` by outcome; yen."""
    span = {"first_at": first_moment(day), "past_at": first_moment(day + 1)}
    charges: dict[tuple[str, str, str], list[int]] = {}
    hours = {hour: [0, 0] for hour in HOURS}
    outcomes: dict[str, int] = {}
    for do, outcome, channel, place, hour, times, yen in store.rows("decided_on_day", **span):
        outcomes[outcome] = outcomes.get(outcome, 0) + times
        if outcome != ACCEPTED:
            continue
        if do in CHARGES:
            side = charges.setdefault((do, channel, place or ""), [0, 0])
            side[0] += times
            side[1] += yen
        elif do == "tap_out":
            hours[hour][0] += times
            hours[hour][1] -= yen
    return {
        "day": iso_day(day),
        "charges": [
            {"do": do, "channel": channel, "place": place, "times": times, "yen": yen}
            for (do, channel, place), (times, yen) in sorted(
                charges.items(), key=lambda one: (-one[1][1], one[0])
            )
        ],
        "rides": [{"hour": hour, "times": times, "yen": yen} for hour, (times, yen) in hours.items()],
        "refusals": _refusals(store, span) if outcomes.get(REFUSED) else [],
        "decided": outcomes,
    }  # fmt: skip


def _refusals(store: Store, span: dict[str, int]) -> list[dict[str, Any]]:
    """How often each rule said no, the most frequent first; each with one of its sentences."""
    times: dict[tuple[str | None, str], int] = {}
    example: dict[tuple[str | None, str], Reason] = {}
    for _, text in store.rows("refused_on_day", **span):
        for reason in as_reasons(text)[:1]:
            key = reason.rule, reason.code
            times[key] = times.get(key, 0) + 1
            example.setdefault(key, reason)
    return [
        {"rule": key[0], "code": key[1], "times": count, "example": explain(example[key])}
        for key, count in sorted(times.items(), key=lambda one: (-one[1], one[0][1]))
    ]


def waiting(store: Store) -> dict[str, int]:
    """How much waits for people: ``cases`` that are open, ``proposals`` that nobody has looked at."""
    ((referred,),) = store.rows("referred_count")
    ((closed,),) = store.rows("resolution_count")
    states: dict[str, int] = dict(store.rows("proposal_counts"))
    return {"cases": referred - closed, "proposals": states.get("pending", 0)}
