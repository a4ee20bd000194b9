"""What the rules ask of a network of stations and fares."""

from typing import NamedTuple, Protocol


class Section(NamedTuple):
    """A pass's section (定期券の区間): every station of it, and its two ends."""

    stations: frozenset[str]
    ends: tuple[str, str]


class Fares(Protocol):
    """One version of the network, as it holds on a day."""

    def knows(self, station: str) -> bool:
        """Whether the network has this station."""

    def fare(self, one: str, other: str, *, child: bool) -> int | None:
        """The fare between two stations in yen, either way; None where the table has no pair."""

    def section(self, one: str, other: str) -> Section | None:
        """The stations from one to the other on one line; None where no line has both."""

    def company(self, station: str) -> str:
        """Whose station it is: fares paid there are owed to that company."""
