"""Pictures drawn on the server: where their parts lie. What they show stands in a table beside them, too."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

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


MOST_PARTS = 60


def apart(top_ups: Sequence[dict[str, Any]], target: int) -> list[tuple[dict[str, Any], Part]]:
    """Each top-up with its part of a bar to the target: those that count one after the other, the others so as well, below them."""
    counted = iter(bar((one["amount"] for one in top_ups if one["counts"]), target))
    others = iter(bar((one["amount"] for one in top_ups if not one["counts"]), target))
    found = [(one, next(counted if one["counts"] else others)) for one in top_ups]
    return found if len(found) <= MOST_PARTS else _joined(found)


def _joined(found: list[tuple[dict[str, Any], Part]]) -> list[tuple[dict[str, Any], Part]]:
    """The same with one part for all that count, and one for all others: so many cannot be told apart."""
    joined = []
    for counts in (True, False):
        some = [part for one, part in found if one["counts"] == counts]
        if some:
            whole = Part(some[0].x, some[-1].x + some[-1].width - some[0].x, sum(one.amount for one in some))  # fmt: skip
            joined.append(({"counts": counts}, whole))
    return joined


# -- charts with axes, in their own units: a little more than a phone is wide, so that their words are legible there ------

CHART_WIDTH, CHART_HEIGHT = 440, 280
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 14, 34  # what axes and their words take
ROW = 46  # of a chart of rows: a line of words, a bar
_MOST_WORDS = 6  # under a chart
_ACROSS, _DOWN = CHART_WIDTH - LEFT - RIGHT, CHART_HEIGHT - TOP - BOTTOM


class Tick(NamedTuple):
    """A mark of the axis at the side: where it lies, and how much it stands for."""

    y: int
    amount: int


class Word(NamedTuple):
    """A word under a chart, and where its middle lies."""

    x: int
    text: str


class Box(NamedTuple):
    """A column, or a part of one: where it lies, which series it is of (from 0), and how much it stands for."""

    x: int
    y: int
    width: int
    height: int
    series: int
    amount: int


class Row(NamedTuple):
    """A bar with its words above: where they lie, how long it is, and how much it stands for."""

    y: int
    width: int
    text: str
    amount: int


class Columns(NamedTuple):
    """Columns side by side, each of parts one above the other."""

    boxes: list[Box]
    ticks: list[Tick]
    words: list[Word]


class Curve(NamedTuple):
    """Lines that rise in steps: each as an SVG path, and where it ends."""

    paths: list[str]
    ends: list[tuple[int, int]]
    ticks: list[Tick]
    words: list[Word]


class Rows(NamedTuple):
    """Bars one under the other, and how high they are together."""

    rows: list[Row]
    height: int


def scale(most: int) -> list[int]:
    """Round amounts from 0 to at least ``most``, two to six of them, evenly apart."""
    step, rough = 1, max(most, 1) / 4
    while step < rough:
        step *= 10
    step = next((one for one in (step // 5, step // 2) if one >= max(rough, 1)), step)
    top = max(-(-most // step), 1) * step
    return list(range(0, top + 1, step))


def columns(groups: Sequence[tuple[str, Sequence[int]]]) -> Columns:
    """A column a group: its word, and the amounts of its parts from the ground up. Amounts are 0 or more."""
    amounts = scale(max((sum(parts) for _, parts in groups), default=0))
    boxes, words = [], []
    each = _ACROSS / max(len(groups), 1)
    width = max(1, round(min(each * 0.7, 60)))
    every = -(-len(groups) // _MOST_WORDS) or 1
    for place, (text, parts) in enumerate(groups):
        middle, so_far = round(LEFT + each * (place + 0.5)), 0
        for series, amount in enumerate(parts):
            low, so_far = _y(so_far, amounts), so_far + amount
            high = _y(so_far, amounts)
            if amount:
                boxes.append(Box(middle - width // 2, high, width, low - high, series, amount))
        if place % every == 0:
            words.append(Word(middle, text))
    return Columns(boxes, _ticks(amounts), words)


def curve(lines: Sequence[Sequence[tuple[int, int]]], words: Sequence[tuple[int, str]]) -> Curve:
    """Lines that stay as they are until they rise: of each its points (place, amount), by place; ``words`` at places below."""
    points = [point for line in lines for point in line]
    amounts = scale(max((amount for _, amount in points), default=0))
    places = [place for place, _ in points]
    first, last = min(places, default=0), max(places, default=0)

    def x(place: int) -> int:
        return LEFT + round(_ACROSS * (place - first) / max(last - first, 1))

    paths, ends = [], []
    for line in lines:
        path, at = f"M{LEFT} {_y(0, amounts)}", (LEFT, _y(0, amounts))
        for place, amount in line:
            at = x(place), _y(amount, amounts)
            path += f"H{at[0]}V{at[1]}"
        if line:
            at = x(last), at[1]
            path += f"H{at[0]}"
        paths.append(path)
        ends.append(at)
    below: list[Word] = []
    for place, text in words:
        if first <= place <= last and (
            not below or x(place) - below[-1].x >= _ACROSS // _MOST_WORDS
        ):
            below.append(Word(x(place), text))
    return Curve(paths, ends, _ticks(amounts), below)


def rows(some: Sequence[tuple[str, int]]) -> Rows:
    """A bar a row: its words and its amount, 0 or more; the longest goes all the way."""
    most = max((amount for _, amount in some), default=0) or 1
    found = [
        Row(place * ROW, max(1, CHART_WIDTH * amount // most) if amount else 0, text, amount)
        for place, (text, amount) in enumerate(some)
    ]
    return Rows(found, ROW * len(found))


def _y(amount: int, amounts: list[int]) -> int:
    return TOP + _DOWN - round(_DOWN * amount / amounts[-1])


def _ticks(amounts: list[int]) -> list[Tick]:
    return [Tick(_y(amount, amounts), amount) for amount in amounts]
