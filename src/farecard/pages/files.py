"""Tables as files that a spreadsheet opens."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from farecard.pages.language import Language
from farecard.pages.requests import File

_FORMULA, _GAPS = ("=", "+", "-", "@"), ("\t", "\r", "\n")
HISTORY = ("at", "what", "where", "amount", "balance", "points")  # the columns of a card's history


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> File:
    """A table as CSV, under a name without its ending."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(head)
    lines.writerows([_plain(one) for one in row] for row in rows)
    # a mark in front, so that a spreadsheet takes it for what it is
    return File(("\ufeff" + text.getvalue()).encode(), "text/csv; charset=utf-8", f"{name}.csv")


def history_csv(say: Language, number: str, lines: Iterable[dict[str, Any]]) -> File:
    """A card's history, or what is shown of it, with amounts as plain numbers."""
    rows = (
        [one["at"], say.word(f"do.{one['do']}"), say.word(f"channel.{one['channel']}"), one["amount"], one["balance"], one["points"]]
        for one in lines
    )  # fmt: skip
    return csv_file(
        f"history-{say.end_of(number)}", [say.word(f"history.{name}") for name in HISTORY], rows
    )


def _plain(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: somebody may have typed it for that, in full width, too."""
    if not isinstance(value, str) or not value:
        return value
    begins = unicodedata.normalize("NFKC", value).lstrip()[:1]
    return f"'{value}" if begins in _FORMULA or value[0] in _GAPS else value
