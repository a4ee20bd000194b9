"""Campaigns: reading and checking their data files, and what ships with farecard."""

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from farecard.model.campaign import Campaign, Measure, Rally
from farecard.model.commands import CHANNELS

T = TypeVar("T")


class CampaignError(ValueError):
    """A campaign file that cannot be used; the text names the field and what is wrong."""


def read_campaign(text: str) -> Campaign:
    """A checked campaign from its file's text."""
    campaign = _convert(text, Campaign, "measure", "campaign")
    numbers = [one.number for one in campaign.measures]
    if not numbers or len(set(numbers)) < len(numbers) or not all(0 < n < 63 for n in numbers):
        raise CampaignError("measure: one or more, each with a number of its own from 1 to 62")
    if not 1 <= campaign.grant_day <= 28:
        raise CampaignError("grant_day: a day that every month has, from 1 to 28")
    for one in campaign.measures:
        wrong = _wrong(one)
        if wrong:
            raise CampaignError(f"measure {one.number}: {wrong}")
    return campaign


def read_rally(text: str) -> Rally:
    """A checked rally from its file's text."""
    rally = _convert(text, Rally, "draw", "rally")
    untils = [draw.until for draw in rally.draws]
    if not untils or sorted(set(untils)) != untils or untils[-1] > rally.last_day:
        raise CampaignError("draw: one or more, each later than the one before, within the rally")
    if rally.first_day > rally.last_day:
        raise CampaignError("last_day: before first_day")
    return rally


def read_file(text: str) -> Campaign | Rally:
    """What a file describes: a rally has draws, a campaign grants points."""
    return read_rally(text) if "[[draw]]" in text else read_campaign(text)


def _convert(text: str, kind: type[T], table: str, name: str) -> T:
    """A file's text as a type; its ``[[table]]`` rows are the type's list of that name."""
    try:
        data = tomllib.loads(text)
        data[f"{table}s"] = data.pop(table, [])
        return msgspec.convert(data, kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CampaignError(f"this is no {name}: {error}") from None


def _wrong(one: Measure) -> str | None:
    """What does not fit together in a measure."""
    if bool(one.counts) == (one.done is not None):
        return "it either counts yen (counts) or waits for a procedure (done)"
    if one.done is not None:
        if one.done_until is None or (one.filed is None) != (one.filed_until is None):
            return "a procedure has its last day: done_until, and filed_until with filed"
        if one.reward < 1 or one.percent is not None or one.monthly or one.target is not None:
            return "a procedure is worth its reward, nothing is counted"
        return None
    if one.counts_until is None:
        return "counts_until: until when yen count"
    if one.percent is not None and not 0 < one.percent <= 100:
        return "percent: from 1 to 100"
    if one.monthly and (one.percent is None or one.target is not None):
        return "monthly: a percent and no target"
    if not one.monthly and (one.target is None or one.reward < 1) and one.percent is None:
        return "a target with its reward, or a percent"
    strange = set().union(*(some.channels for some in one.counts)) - set(CHANNELS)
    if strange:
        return f"channels: {min(strange)!r} is none"
    return None


def packaged_texts() -> list[str]:
    """The campaigns that ship with farecard, in the order of their names."""
    return [path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("*.toml"))]


class Campaigns:
    """The campaigns of a store: of each name the newest that was loaded."""

    def __init__(self, rows: list[tuple[int, str]]) -> None:
        """``rows`` are (version, text), oldest first."""
        self.latest = max((version for version, _ in rows), default=0)
        self._newest: dict[str, tuple[int, Campaign]] = {}
        self._rallies: dict[str, Rally] = {}
        for version, text in rows:
            read = read_file(text)
            if isinstance(read, Rally):
                self._rallies[read.name] = read
            else:
                self._newest[read.name] = version, read

    def of(self, name: str) -> Campaign:
        """The campaign of a name."""
        return self._newest[name][1]

    def rally(self, name: str) -> Rally:
        """The rally of a name."""
        return self._rallies[name]

    def joined_by_card(self, name: str) -> Campaign | None:
        """The campaign of a name, if a card takes part in it without a person's application."""
        found = self._newest.get(name)
        return found[1] if found is not None and found[1].applied_for_by == "card" else None

    def version(self, name: str) -> int:
        """The version that holds of it."""
        return self._newest[name][0]

    @property
    def all(self) -> list[Campaign]:
        """The campaigns, in the order of their names."""
        return [self.of(name) for name in self.names]

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return sorted(self._newest)
