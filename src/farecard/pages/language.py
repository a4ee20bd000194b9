"""How pages speak: their words in both languages, and money, days and numbers as people write them there."""

import tomllib
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from farecard.texts import LANGUAGES

_TOKYO = timezone(timedelta(hours=9))
_DAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SHOWN = 4  # of a card's number, unless somebody asks for more


@cache
def words(language: str) -> dict[str, str]:
    """Every word of the pages by its key."""
    found: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / "words" / language).glob("*.toml")):
        here = dict(_flat("", tomllib.loads(path.read_text("utf-8"))))
        assert not here.keys() & found.keys(), f"{path}: said twice"
        found |= here
    return found


def _flat(start: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        key = f"{start}.{name}" if start else name
        found += _flat(key, value) if isinstance(value, dict) else [(key, value)]
    return found


def sentence(key: str, **figures: Any) -> dict[str, str]:
    """A sentence of ours as a reason has it: in both languages."""
    return {name: words(name)[key].format_map(figures) for name in LANGUAGES}


class Language:
    """One language: what a template says in it."""

    def __init__(self, name: str) -> None:
        assert name in LANGUAGES
        self.name = name

    def word(self, key: str, **figures: Any) -> str:
        """The sentence of a key with its figures; a key that is not there is an error."""
        return words(self.name)[key].format_map(figures)

    def yen(self, amount: int) -> str:
        """An amount of money."""
        minus = "−" if amount < 0 else ""  # the sign of a figure, not a hyphen
        if self.name == "ja":
            return f"{minus}{abs(amount):,}円"
        return f"{minus}¥{abs(amount):,}"

    def points(self, amount: int) -> str:
        """An amount of points."""
        if self.name == "ja":
            return f"{amount:,}ポイント"
        return f"{amount:,} {'point' if amount == 1 else 'points'}"

    def day(self, text: str) -> str:
        """A day, or the day of a moment in Tokyo, as people write it."""
        when = datetime.fromisoformat(text)
        if when.tzinfo is not None:
            when = when.astimezone(_TOKYO)
        name = _DAYS[self.name][when.weekday()]
        if self.name == "ja":
            return f"{when.year}年{when.month}月{when.day}日（{name}）"
        return f"{name} {when.day} {_MONTHS[when.month - 1]} {when.year}"

    def moment(self, text: str) -> str:
        """A day and a time of it, in Tokyo."""
        when = datetime.fromisoformat(text).astimezone(_TOKYO)
        return f"{self.day(text)} {when.hour}:{when.minute:02}"

    def month(self, text: str) -> str:
        """A month of a year, from ``2023-07``."""
        year, month = text.split("-")
        if self.name == "ja":
            return f"{year}年{int(month)}月"
        return f"{_MONTHS[int(month) - 1]} {year}"

    def then(self, both: dict[str, Any]) -> str:
        """What a reason says can be done next; the empty text where it says nothing."""
        return str(both.get("do_next", {}).get(self.name, ""))

    def why(self, both: dict[str, Any]) -> str:
        """What a reason says, without what can be done next."""
        return self.said(both).removesuffix(self.then(both)).rstrip()

    def said(self, both: dict[str, Any]) -> str:
        """What a reason says: it has both languages. The name of a field in front is for machines and left out."""
        text = str(both[self.name])
        field = both.get("params", {}).get("field")
        if field and text.startswith(f"{field}: "):
            text = text.removeprefix(f"{field}: ")
            return text[:1].upper() + text[1:]
        return text

    @staticmethod
    def card(number: str) -> str:
        """A card's number in groups."""
        digits = number.removeprefix("JW")
        return f"JW {digits[:3]} {digits[3:7]} {digits[7:11]} {digits[11:]}"

    @staticmethod
    def end_of(number: str) -> str:
        """The last digits of a card's number, which tell one's own cards apart."""
        return number[-_SHOWN:]
