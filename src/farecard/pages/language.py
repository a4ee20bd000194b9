"""How pages speak: their words in both languages, and money, days and numbers as people write them there."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from farecard.model.account import ISSUER
from farecard.texts import LANGUAGES, names, written

_CALLED = {
    "refer_to": "cases.place",
    "places": "channel",
    "kind": "kind",
    "role": "ops.role",
    "field": "field",
    "decision": "cases.is",
}  # figures that are names, and where their words are
_NAMED = {"places": "channel", "refer_to": "cases.place"}  # what texts/ names is said by these keys
_SHOWN = 4  # of a card's number, unless somebody asks for more


@cache
def words(language: str) -> dict[str, str]:
    """Every word of the pages by its key."""
    found = {
        f"{key}.{code}": called[language]
        for figure, key in _NAMED.items()
        for code, called in names()[figure].items()
    }
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

    @property
    def between(self) -> str:
        """What stands between two sentences."""
        return "" if self.name == "ja" else " "

    def word(self, key: str, **figures: Any) -> str:
        """The sentence of a key with its figures; a key that is not there is an error."""
        return words(self.name)[key].format_map(figures)

    def yen(self, amount: int) -> str:
        """An amount of money."""
        return written.yen(amount, self.name)

    def points(self, amount: int) -> str:
        """An amount of points."""
        return written.points(amount, self.name)

    def day(self, text: str) -> str:
        """A day, or the day of a moment in Tokyo, as people write it."""
        return written.day(text, self.name)

    def short_day(self, text: str) -> str:
        """A day under a chart."""
        return written.short_day(text, self.name)

    def moment(self, text: str) -> str:
        """A day and a time of it, in Tokyo."""
        return written.moment(text, self.name)

    def month(self, text: str) -> str:
        """A month of a year, from ``2023-07``."""
        return written.month(text, self.name)

    def collected_at(self, slip: dict[str, Any]) -> str:
        """Where a new card is collected, from what a report came to; one of old does not say it, and was for our own."""
        seller = slip.get("collect_at", ISSUER)
        if seller == ISSUER:
            return self.word("collected_at.issuer")
        return self.word("collected_at.seller", seller=seller)

    def titled(self, source: str) -> str:
        """Where a rule comes from, as people know it; ``farecard explain`` names the file."""
        return self.word(f"titled.{source}")

    def figure(self, name: str, value: Any) -> str:
        """A figure that a reason was decided by, with what it is."""
        said = words(self.name).get(f"figure.{name}", f"{name}: {{value}}")
        return said.format(value=self._called(name, value))

    def _called(self, name: str, value: Any) -> str:
        if isinstance(value, list):
            return written.figure([self._called(name, one) for one in value], self.name)
        called = words(self.name).get(f"{_CALLED.get(name)}.{value}")
        return called or written.figure(value, self.name)

    def _ours(self, both: dict[str, Any]) -> tuple[str, str] | None:
        """What pages say in place of a reason's own sentences, and next; None where those are for people."""
        code, known = both.get("code"), words(self.name)
        if f"says.{code}" not in known:
            return None
        figures = {name: self._called(name, value) for name, value in both["params"].items()}
        texts = known[f"says.{code}"], known.get(f"then.{code}", "")
        why, then = (text.format_map(figures) for text in texts)
        return why, then

    def then(self, both: dict[str, Any]) -> str:
        """What a reason says can be done next; the empty text where it says nothing."""
        ours = self._ours(both)
        return str(both.get("do_next", {}).get(self.name, "")) if ours is None else ours[1]

    def why(self, both: dict[str, Any]) -> str:
        """What a reason says, without what can be done next."""
        return self.said(both).removesuffix(self.then(both)).rstrip()

    def said(self, both: dict[str, Any]) -> str:
        """What a reason says: it has both languages. The name of a field in front is for machines and left out."""
        ours = self._ours(both)
        if ours is not None:
            return self.between.join(filter(None, ours))
        text = str(both[self.name])
        field = both.get("params", {}).get("field")
        if field and text.startswith(f"{field}: "):
            text = text.removeprefix(f"{field}: ")
            return text[:1].upper() + text[1:]
        return text

    def and_the_other(self) -> list["Language"]:
        """Both languages, this one first."""
        return [self, *(Language(name) for name in LANGUAGES if name != self.name)]

    @staticmethod
    def card(number: str) -> str:
        """A card's number in groups."""
        digits = number.removeprefix("JW")
        return f"JW {digits[:3]} {digits[3:7]} {digits[7:11]} {digits[11:]}"

    @staticmethod
    def end_of(number: str) -> str:
        """The last digits of a card's number, which tell one's own cards apart."""
        return number[-_SHOWN:]
