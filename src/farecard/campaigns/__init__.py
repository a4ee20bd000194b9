"""Campaigns: what points are given for, and until when; those that ship with farecard, and those of a store."""

from pathlib import Path

from farecard.campaigns.reading import CampaignError, read_file
from farecard.model.campaign import Campaign, Rally

__all__ = ["CampaignError", "Campaigns", "packaged_texts", "read_file"]


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
