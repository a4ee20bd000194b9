"""A day at a glance: what was charged where, the rides, what was refused by which rule, what waits for people.

It costs what the day was, whatever the number of cards, and the second look only what was committed since the first: the
batches that touch the day are found by an index, their events by their keys.
"""

from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

from farecard.model.moments import first_moment, iso_day
from farecard.model.verdict import ACCEPTED, REFUSED, Reason
from farecard.questions.following import SEQS
from farecard.rules.referral import GOES_TO
from farecard.storage.rows import as_reasons
from farecard.storage.store import Row, Store
from farecard.texts import explain

Ends = dict[
    str, tuple[int, int, bytes]
]  # of each writer's chain its last batch: id, number and hash

HOURS = range(24)
GAP = (
    4 * 256 * SEQS
)  # between batches that follow each other: a writer's clock moves on by one, past others' a little more
DAYS_KEPT = 64  # whose figures a process remembers
MOST_NEW = 50_000  # batches of any day, and those among them that are older than the newest read:
MOST_LATE = 100  # where there are more, the day's own are looked up again
NOBODY = 0, 0, b""
CHARGES = ("top_up", "top_up_from_points")


def of_day(store: Store, day: int) -> dict[str, Any]:
    """The figures of a day: ``charges`` by place, ``rides`` by hour, ``refusals`` by rule, ``decided`` by outcome; yen.

    Asked within ``begin_reading``. The first look at a day reads its events, each after it in this process those of
    the batches that were committed since.
    """
    figures = _of_process(store.url, day)
    with figures.lock:
        figures.go_on(store)
        return figures.told()


@lru_cache(DAYS_KEPT)
def _of_process(_url: str, day: int) -> "Figures":
    return Figures(day)


class Figures:
    """What a day's events came to, as far as ``seen``: the end of each writer's chain then.

    A batch never changes and a chain only grows, so no event is read twice.
    """

    def __init__(self, day: int) -> None:
        self.day = day
        self.lock = Lock()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.seen: Ends = {}
        self._charges: dict[tuple[str, str, str], list[int]] = {}  # times and yen
        self._hours = {hour: [0, 0] for hour in HOURS}
        self._outcomes: dict[str, int] = {}
        self._refused: dict[tuple[str | None, str], int] = {}
        self._example: dict[tuple[str | None, str], Reason] = {}

    def _fit(self, store: Store) -> bool:
        """Whether the store, as it is seen now, goes on from here: it may be another's, or be looked at as it was before."""
        return all(
            store.rows("batch_hash", writer=writer, number=number) == [(hash,)]
            for writer, (_, number, hash) in self.seen.items()
        )

    def go_on(self, store: Store) -> None:
        """Read what was committed since; where that fails half-way nothing is kept."""
        try:
            self._go_on(store)
        except BaseException:
            self._begin_anew()
            raise

    def _go_on(self, store: Store) -> None:
        ends = {
            writer: store.rows("last_batch", writer=writer)[0]
            for (writer,) in store.rows("writers")
        }
        runs = self._new(store, ends)
        if runs is None:
            self._begin_anew()
            runs = _runs(batches_of(store, self.day, self.day + 1))
        span = {"first_at": first_moment(self.day), "past_at": first_moment(self.day + 1)}
        for row in _rows(store, "decided_between", runs, span):
            self._decided(*row)
        for _, text in _rows(
            store, "refused_between", runs if REFUSED in self._outcomes else [], span
        ):
            for reason in as_reasons(text)[:1]:
                key = reason.rule, reason.code
                self._refused[key] = self._refused.get(key, 0) + 1
                self._example.setdefault(key, reason)
        self.seen = ends

    def _decided(self, do: str, outcome: str, channel: str, place: str | None, hour: int, times: int, yen: int) -> None:  # fmt: skip
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + times
        if outcome != ACCEPTED:
            return
        if do in CHARGES:
            side = self._charges.setdefault((do, channel, place or ""), [0, 0])
            side[0] += times
            side[1] += yen
        elif do == "tap_out":
            self._hours[hour][0] += times
            self._hours[hour][1] -= yen

    def _new(self, store: Store, ends: Ends) -> list[tuple[int, int]] | None:
        """Where the events lie that were not read yet; None: nothing was read, or of another store, or it is quicker to begin anew."""
        if not self.seen or not self._fit(store):
            return None
        grown = sum(
            number - self.seen.get(writer, NOBODY)[1] for writer, (_, number, _) in ends.items()
        )
        if grown > MOST_NEW:
            return None
        newest = max(id for id, _, _ in self.seen.values())
        new = self._since(store, ends)
        # between two that are newer than all that was read lies nothing that was; others are read one by one
        late = [(id * SEQS, (id + 1) * SEQS) for id in new if id <= newest]
        return None if len(late) > MOST_LATE else late + _runs([id for id in new if id > newest])

    def _since(self, store: Store, ends: Ends) -> list[int]:
        """The batches past those seen that touch the day, in order."""
        first, past = first_moment(self.day), first_moment(self.day + 1)
        found = []
        for writer, (_, number, _) in ends.items():
            _, seen, _ = self.seen.get(writer, NOBODY)
            if number > seen:
                rows = store.rows("batches_past", writer=writer, number=seen)
                found += [id for id, begun, over in rows if begun < past and over >= first]
        return sorted(found)

    def told(self) -> dict[str, Any]:
        """The answer of ``of_day``."""
        return {
            "day": iso_day(self.day),
            "charges": [
                {"do": do, "channel": channel, "place": place, "times": times, "yen": yen}
                for (do, channel, place), (times, yen) in sorted(
                    self._charges.items(), key=lambda one: (-one[1][1], one[0])
                )
            ],
            "rides": [{"hour": hour, "times": times, "yen": yen} for hour, (times, yen) in self._hours.items()],
            "refusals": self._refusals(),
            "decided": dict(self._outcomes),
        }  # fmt: skip

    def _refusals(self) -> list[dict[str, Any]]:
        """How often each rule said no, the most frequent first; each with one of its sentences."""
        return [
            {"rule": key[0], "code": key[1], "times": count, "example": explain(self._example[key])}
            for key, count in sorted(self._refused.items(), key=lambda one: (-one[1], one[0][1]))
        ]


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


def waiting(store: Store) -> dict[str, Any]:
    """What waits for people: ``cases`` that are open by the place they go to, ``proposals`` that nobody has looked at."""
    cases: dict[str, int] = {}
    for (text,) in store.rows("open_cases"):
        place = GOES_TO[as_reasons(text)[0].code]
        cases[place] = cases.get(place, 0) + 1
    states: dict[str, int] = dict(store.rows("proposal_counts"))
    return {"cases": dict(sorted(cases.items())), "proposals": states.get("pending", 0)}
