"""The dated, cited tariff: reading it, checking it, and the rates that hold on a day."""

import tomllib
from bisect import bisect_right
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from farecard.model.moments import EPOCH_ORDINAL
from farecard.model.rates import Rates

ALWAYS = -(10**6)
FOR_EVER = 10**6


class TariffError(ValueError):
    """A tariff file that cannot be used; the text names the row and what is wrong."""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value for a span of days (days since 1970-01-01, both included)."""

    name: str
    value: Any
    unit: str
    rules: list[str]
    source: str
    checked_on: date
    from_: date | None = msgspec.field(default=None, name="from")
    until: date | None = None

    @property
    def first_day(self) -> int:
        """The first day it holds."""
        return ALWAYS if self.from_ is None else _day(self.from_)

    @property
    def last_day(self) -> int:
        """The last day it holds."""
        return FOR_EVER if self.until is None else _day(self.until)


def _day(when: date) -> int:
    return when.toordinal() - EPOCH_ORDINAL


class Tariff:
    """A checked tariff. ``on(day)`` gives the rates of that day."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.version, self.rows, self._starts, self._rates = _read(text)
        self._days: dict[int, Rates] = {}

    def on(self, day: int) -> Rates:
        """The rates that hold on a day."""
        rates = self._days.get(day)
        if rates is None:
            if len(self._days) > 10_000:
                self._days.clear()
            rates = self._days[day] = self._rates[bisect_right(self._starts, day) - 1]
        return rates


@lru_cache(maxsize=16)  # a store's tariff is read for every question, and stays as it is
def _read(text: str) -> tuple[int, tuple[Row, ...], list[int], list[Rates]]:
    try:
        data = tomllib.loads(text)
        version = msgspec.convert(data.get("version"), int)
        rows = msgspec.convert(data.get("row", []), tuple[Row, ...])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise TariffError(f"this is no tariff: {error}") from None
    return version, rows, *_spans(rows)


def _spans(rows: tuple[Row, ...]) -> tuple[list[int], list[Rates]]:
    """Cut the rows at every day something changes; one ``Rates`` for each span."""
    fields = {field.name: field for field in msgspec.structs.fields(Rates)}
    for row in rows:
        if row.name not in fields:
            raise TariffError(f"row {row.name!r}: no rule reads a value of this name")
        if row.first_day > row.last_day:
            raise TariffError(f"row {row.name!r}: ends before it begins")
    cuts = {ALWAYS, *(r.first_day for r in rows), *(r.last_day + 1 for r in rows)}
    starts = sorted(cut for cut in cuts if cut <= FOR_EVER)
    spans = []
    for start in starts:
        values: dict[str, Any] = {}
        for row in rows:
            if row.first_day <= start <= row.last_day:
                if row.name in values:
                    raise TariffError(f"row {row.name!r}: two values hold on the same day")
                value = row.value
                values[row.name] = _day(value) if isinstance(value, date) else value
        try:
            spans.append(msgspec.convert(values, Rates, strict=True))
        except msgspec.ValidationError as error:
            raise TariffError(f"the tariff is not whole: {error}") from None
    return starts, spans


def packaged_text() -> str:
    """The tariff that ships with farecard."""
    return (Path(__file__).parent / "tariff.toml").read_text("utf-8")
