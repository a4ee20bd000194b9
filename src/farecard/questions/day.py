"""A day at a glance: what was charged where, the rides, what was refused by which rule, what waits for people.

It costs what the day was, whatever the number of cards: the batches that touch the day are found by an index, their
events and totals by their keys.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from farecard.model.moments import first_moment, iso_day
from farecard.model.verdict import ACCEPTED, REFUSED, Reason
from farecard.questions.following import SEQS
from farecard.rules.referral import GOES_TO
from farecard.storage.rows import as_reasons
from farecard.storage.store import Row, Store
from farecard.texts import explain

HOURS = range(24)
GAP = (
    4 * 256 * SEQS
)  # between batches that follow each other: a writer's clock moves on by one, past others' a little more
CHARGES = ("top_up", "top_up_from_points")


def of_day(store: Store, day: int) -> dict[str, Any]:
    """The figures of a day: ``charges`` by place, ``rides`` by hour, ``refusals`` by rule, ``decided`` by outcome; yen."""
    span = {"first_at": first_moment(day), "past_at": first_moment(day + 1)}
    charges: dict[tuple[str, str, str], list[int]] = {}
    hours = {hour: [0, 0] for hour in HOURS}
    outcomes: dict[str, int] = {}
    runs = _runs(batches_of(store, day, day + 1))
    for do, outcome, channel, place, hour, times, yen in _rows(
        store, "decided_between", runs, span
    ):
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
        "refusals": _refusals(_rows(store, "refused_between", runs, span)) if outcomes.get(REFUSED) else [],
        "decided": outcomes,
    }  # fmt: skip


def batches_of(store: Store, first: int, past: int) -> list[int]:
    """The batches that touch the days from ``first`` to before ``past``, by their id: found by an index, whatever came after."""
    rows = store.rows("longest_batch")
    if not rows:
        return []
    past_at = first_moment(past)
    return sorted(
        id
        for (id,) in store.rows(
            "batches_of_days",
            first_at=first_moment(first),
            past_at=past_at,
            last_at=past_at + rows[0][0],
        )
    )


def _runs(batches: list[int]) -> list[tuple[int, int]]:
    """Where the events of batches lie: from which seq to before which. Batches that follow each other are one run."""
    found: list[tuple[int, int]] = []
    for id in batches:
        first, past = id * SEQS, (id + 1) * SEQS
        if found and first - found[-1][1] <= GAP:
            first = found.pop()[0]
        found.append((first, past))
    return found


def _rows(store: Store, name: str, runs: list[tuple[int, int]], span: dict[str, int]) -> Iterator[Row]:  # fmt: skip
    """The rows of a statement over each run."""
    for first, past in runs:
        yield from store.rows(name, first=first, past=past, **span)


def _refusals(refused: Iterable[Row]) -> list[dict[str, Any]]:
    """How often each rule said no, the most frequent first; each with one of its sentences."""
    times: dict[tuple[str | None, str], int] = {}
    example: dict[tuple[str | None, str], Reason] = {}
    for _, text in refused:
        for reason in as_reasons(text)[:1]:
            key = reason.rule, reason.code
            times[key] = times.get(key, 0) + 1
            example.setdefault(key, reason)
    return [
        {"rule": key[0], "code": key[1], "times": count, "example": explain(example[key])}
        for key, count in sorted(times.items(), key=lambda one: (-one[1], one[0][1]))
    ]


def waiting(store: Store) -> dict[str, Any]:
    """What waits for people: ``cases`` that are open by the place they go to, ``proposals`` that nobody has looked at."""
    cases: dict[str, int] = {}
    for (text,) in store.rows("open_cases"):
        place = GOES_TO[as_reasons(text)[0].code]
        cases[place] = cases.get(place, 0) + 1
    states: dict[str, int] = dict(store.rows("proposal_counts"))
    return {"cases": dict(sorted(cases.items())), "proposals": states.get("pending", 0)}
