"""Long tables, a stretch of rows at a time: those that an address asks for, and the ways to the ones before and after."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from farecard.pages.requests import Request, at

ROWS = 50  # rows at a time; a table's file has them all
PAGE = "page"  # ?page=TABLE.2, the second fifty of it
_NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)


class Stretch(NamedTuple):
    """Some rows of a table, from ``first`` on, of ``all``; where those before (``back``) and after (``on``) are."""

    rows: Sequence[Any]
    first: int
    all: int
    back: str = ""
    on: str = ""


def stretch(request: Request, table: str, rows: Sequence[Any]) -> Stretch:
    """The rows of a table that ``?page=`` asks for; the first where it names another table, or rows that are not there.

    ``table`` is what the table is known by on its page. What a form sent has no address, so it leads nowhere.
    """
    asked, _, number = request.query.get(PAGE, "").rpartition(".")
    last = max(0, len(rows) - 1) // ROWS
    here = int(number) - 1 if asked == table and _NUMBER.fullmatch(number) else 0
    here = here if here <= last else 0
    some = Stretch(rows[here * ROWS : (here + 1) * ROWS], here * ROWS, len(rows))
    if request.method != "GET":
        return some
    rest = request.all_but(PAGE)

    def way(to: int) -> str:
        return f"{at(request.path, **rest, **({PAGE: f'{table}.{to + 1}'} if to else {}))}#{table}"

    back, on = way(here - 1) if here else "", way(here + 1) if here < last else ""
    return some._replace(back=back, on=on)
