"""Pictures drawn on the server: where their parts lie. What they show stands in a table beside them, too."""

from collections.abc import Iterable
from typing import NamedTuple

WIDTH = 1000  # of a bar, in its own units


class Part(NamedTuple):
    """A part of a bar: where it begins, how long it is, and of how much it tells."""

    x: int
    width: int
    amount: int


def bar(amounts: Iterable[int], target: int) -> list[Part]:
    """A bar filled up to a target by amounts one after the other; what goes past the target does not show."""
    parts: list[Part] = []
    total = 0
    for amount in amounts:
        before, total = total, total + amount
        x, end = (min(WIDTH, WIDTH * one // target) for one in (before, total))
        parts.append(Part(x, end - x, amount))
    return parts
