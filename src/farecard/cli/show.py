"""Answers for people: tables that line up in Japanese too, and the bar of long work."""

import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec


def print_json(value: Any) -> None:
    """One JSON value and a line end on standard output."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def width(text: str) -> int:
    """Columns a text takes on a terminal: Japanese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "") -> None:
    """Print a table; numbers to the right, everything else to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        print(empty)
        return
    numeric = [
        all(cell == "" or cell.lstrip("-+").replace(",", "").isdigit() for cell in column)
        for column in zip(*cells, strict=True)
    ]
    widths = [max(map(width, column)) for column in zip(head, *cells, strict=True)]
    for line in ([*head], ["-" * w for w in widths], *cells):
        parts = [
            " " * (w - width(text)) + text if right else text + " " * (w - width(text))
            for text, w, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(parts).rstrip())


def pairs(values: Mapping[str, Any]) -> None:
    """Print names and values, one a line; what is not set is left out."""
    widest = max(map(len, values), default=0)
    for name, value in values.items():
        if value is not None:
            print(f"{name:<{widest}}  {_cell(value)}")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if type(value) is int else str(value)


def say(text: str) -> None:
    """A line for people on standard error."""
    print(text, file=sys.stderr)


class Progress:
    """A bar on standard error, shown once the work has taken over a second; silent elsewhere."""

    def __init__(self, total: int | None, unit: str) -> None:
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm  # type: ignore[import-untyped]  # it ships no types

            self._bar = tqdm(total=total, unit=unit, unit_scale=True, delay=1, leave=False)

    def advance(self, steps: int) -> None:
        """So much more is done."""
        if self._bar is not None:
            self._bar.update(steps)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
