"""A campaign as its data file describes it: what counts, what it is worth, and by when."""

from datetime import date
from functools import cached_property
from typing import Literal

import msgspec

from farecard.model.moments import EPOCH_ORDINAL, first_moment

# the one campaign that people apply for, with a command of its own; every other is joined with a card
MYNA_POINT = "myna-point"
STAMP_RALLY = "stamp-rally"


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name for people."""

    ja: str
    en: str


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Commands whose yen count: which, paid how, where."""

    do: Literal["top_up", "purchase"]
    channels: frozenset[str]
    tenders: frozenset[str] = frozenset([""])  # purchases have none


class Measure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One thing points are given for (施策).

    Either yen are counted (``counts``, ``counts_until``): ``reward`` points once they reach ``target``, else ``percent`` of
    them at the end, fractions dropped; or ``percent`` a month when ``monthly``; at most ``cap`` each time. Or a
    procedure is reported (``done`` by ``done_until``, and before it ``filed`` by ``filed_until``): ``reward`` points.
    """

    number: int
    title: Title
    source: str
    checked_on: date
    apply_from: date
    counts: list[Counts] = []
    counts_from: date | None = None
    counts_until: date | None = None
    target: int | None = None
    reward: int = 0
    percent: int | None = None
    cap: int | None = None
    monthly: bool = False
    filed: str | None = None
    filed_until: date | None = None
    done: str | None = None
    done_until: date | None = None

    @cached_property
    def kinds(self) -> frozenset[tuple[str, str, str]]:
        """The commands whose yen count: do, channel and tender."""
        return frozenset(
            (one.do, channel, tender)
            for one in self.counts
            for channel in one.channels
            for tender in one.tenders
        )

    @cached_property
    def first_at(self) -> int:
        """The first moment in which yen count or the procedure can be applied for."""
        return begin_of(self.counts_from or self.apply_from)

    @cached_property
    def past_at(self) -> int:
        """The first moment in which nothing counts any more."""
        until = self.counts_until or self.done_until
        assert until is not None
        return past(until)

    def counts_yen(self, do: str, channel: str, tender: str | None) -> bool:
        """Whether yen of such a command count."""
        return (do, channel, tender or "") in self.kinds


class Campaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign that grants points. Days are calendar dates in Tokyo, both ends included."""

    name: str
    edition: int
    title: Title
    applied_for_by: Literal["person", "card"] = "card"
    owes: str  # who owes the points: the ledger's programme-receivable account
    apply_until: date
    grant_day: int  # of the month after
    measures: list[Measure]
    other_service_until: date | None = None
    enquiries_until: date | None = None

    @property
    def counts_purchases(self) -> bool:
        """Whether yen that are spent count, not only yen that are put on."""
        return any(some.do == "purchase" for one in self.measures for some in one.counts)

    def measure(self, number: int) -> Measure | None:
        """The measure of a number."""
        return next((one for one in self.measures if one.number == number), None)


class Draw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draw: all stamps by then."""

    number: int
    until: date


class Rally(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stamp rally: the days its conditions count in, and its draws, the earliest first."""

    name: str
    edition: int
    title: Title
    source: str
    checked_on: date
    first_day: date
    last_day: date
    shows_within: int
    draws: list[Draw]


def day_number(when: date) -> int:
    """A date as a day."""
    return when.toordinal() - EPOCH_ORDINAL


def begin_of(when: date) -> int:
    """The first moment of a date in Tokyo."""
    return first_moment(day_number(when))


def past(when: date) -> int:
    """The first moment after a date in Tokyo: what is "until" a date is before it."""
    return first_moment(day_number(when) + 1)
