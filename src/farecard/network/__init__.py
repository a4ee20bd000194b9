"""Stations, lines and fares: one version of a network in memory, and which holds on which day."""

from array import array
from bisect import bisect_right
from functools import lru_cache

from farecard.model.fares import Section
from farecard.network.tables import Tables

_NO_FARE = 0xFFFFFFFF


class Network:
    """One version of the network. Fares stand in a square table: 4 bytes a pair and kind."""

    def __init__(self, version: int, tables: Tables) -> None:
        self.version = version
        self._lines = tables.lines
        names: dict[str, None] = {}
        self._company: dict[str, str] = {}
        for stations in tables.lines.values():
            for station, company in stations:
                names.setdefault(station)
                self._company.setdefault(station, company)
        for one, other, _, _ in tables.fares:
            names.setdefault(one)
            names.setdefault(other)
        self._at = {name: n for n, name in enumerate(names)}
        self._size = size = len(names)
        empty = array("I", [_NO_FARE]) * (size * size)
        self._adult, self._child = empty, array("I", empty)
        for one, other, adult, child in tables.fares:
            a, b = self._at[one], self._at[other]
            for spot in (a * size + b, b * size + a):
                self._adult[spot] = adult
                self._child[spot] = child
        self.section = lru_cache(maxsize=65_536)(self._section)

    def knows(self, station: str) -> bool:
        """Whether the network has this station."""
        return station in self._at

    def fare(self, one: str, other: str, *, child: bool) -> int | None:
        """The fare between two stations in yen, either way; None where the table has no pair.

        A station of another version of the network (a ride may have begun there) has no pair.
        """
        a, b = self._at.get(one), self._at.get(other)
        if a is None or b is None:
            return None
        spot = a * self._size + b
        fare = (self._child if child else self._adult)[spot]
        return None if fare == _NO_FARE else fare

    def company(self, station: str) -> str:
        """Whose station it is."""
        return self._company.get(station, "issuer")

    def stations(self) -> list[str]:
        """Every station's name."""
        return list(self._at)

    def _section(self, one: str, other: str) -> Section | None:
        """The stations from one to the other on one line, the shortest way; None without a line."""
        best: list[str] | None = None
        for stations in self._lines.values():
            names = [name for name, _ in stations]
            if one in names and other in names:
                low, high = sorted((names.index(one), names.index(other)))
                if best is None or high - low + 1 < len(best):
                    best = names[low : high + 1]
        return None if best is None else Section(frozenset(best), (one, other))


class Networks:
    """The versions of a store, and which holds on a day: the newest that has begun."""

    def __init__(self, versions: list[tuple[int, Network]]) -> None:
        """``versions`` are (first day, network), in the order they were loaded."""
        starts = sorted({since for since, _ in versions})
        self._starts = starts
        self._held = [
            max((n for s, n in versions if s <= start), key=lambda n: n.version) for start in starts
        ]
        self.latest = max((n.version for _, n in versions), default=0)

    def on(self, day: int) -> Network:
        """The network that holds on a day; before the first, the first."""
        return self._held[max(0, bisect_right(self._starts, day) - 1)]
