"""What is exported: three tables, their columns with type, unit and meaning.

A column stands here because it is meant to leave the house. What is personal, free text or a clerk's
id (``by``) has no line here, so it cannot.
"""

from typing import NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

# The instants are UTC in the file, as Parquet keeps them; the zone says how to show them.
MOMENT = pa.timestamp("us", tz="Asia/Tokyo")
DAY = pa.date32()
WHOLE = pa.int64()
MONTH = pa.int32()
TEXT = pa.string()


class Column(NamedTuple):
    """One column. ``words``: few different values, so it is kept as a dictionary."""

    name: str
    type: pa.DataType
    what: str
    words: bool = False


class Table(NamedTuple):
    """One exported table. ``by_month``: its files lie in a folder a month; ``order`` is that of its rows."""

    name: str
    row: str
    by_month: bool
    order: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """What each file holds."""
        return pa.schema([(column.name, column.type) for column in self.columns])


EVENTS = Table(
    "events",
    "one decided command, whatever came of it",
    True,
    ("account", "seq"),
    (
        Column("seq", WHOLE, "its place in the journal; along a card's history it only rises"),
        Column(
            "account",
            WHOLE,
            "the card's account, the same through every reissue; null: no card was reached",
        ),
        Column("number", TEXT, "the card number of the account at that time, `JW` and 15 digits"),
        Column("sender", TEXT, "who sent it", words=True),
        Column("id", TEXT, "the sender's own id of it"),
        Column("at", MOMENT, "when it happened"),
        Column("day", DAY, "the day of `at` in Tokyo"),
        Column("month_no", MONTH, "the month of `day`, as year × 12 + month - 1"),
        Column("do", TEXT, "which command", words=True),
        Column("channel", TEXT, "the kind of place it came from", words=True),
        Column("place", TEXT, "the station, till or terminal", words=True),
        Column("company", TEXT, "which company, on other companies' channels", words=True),
        Column("outcome", TEXT, "`accepted`, `refused`, `referred` or `invalid`", words=True),
        Column("rule", TEXT, "of the first reason: the rule that speaks", words=True),
        Column("code", TEXT, "of the first reason: its code", words=True),
        Column("amount", WHOLE, "yen it put on the card's balance (below 0: took off)"),
        Column("balance", WHOLE, "yen on the card after it; null unless accepted"),
        Column("deposit", WHOLE, "yen it added to the card's deposit"),
        Column("points", WHOLE, "points it added to the card"),
        Column("station", TEXT, "where a gate was passed", words=True),
        Column("merchant", TEXT, "the shop of a purchase", words=True),
        Column("tender", TEXT, "how a top-up was paid: `cash`, `credit`, `change`", words=True),
        Column("of", WHOLE, "of a reversal: the `seq` of the event it reverses"),
        Column("recorded_at", MOMENT, "when its batch was recorded"),
        Column("batch", WHOLE, "the batch it was committed in"),
    ),
)

TRANSFERS = Table(
    "transfers",
    "one double entry of an accepted command",
    True,
    ("seq", "n"),
    (
        Column("seq", WHOLE, "the event it belongs to"),
        Column("n", MONTH, "its place among the event's entries, from 0"),
        Column("account", WHOLE, "the card's account, as in `events`"),
        Column("at", MOMENT, "when it happened"),
        Column("day", DAY, "the day of `at` in Tokyo"),
        Column("month_no", MONTH, "the month of `day`, as year × 12 + month - 1"),
        Column("debit", TEXT, "the ledger account debited", words=True),
        Column("credit", TEXT, "the ledger account credited", words=True),
        Column("yen", WHOLE, "yen, above 0"),
    ),
)

CARDS = Table(
    "cards",
    "one card number ever given out, as it stood at the export",
    False,
    ("number",),
    (
        Column("number", TEXT, "the card number, `JW` and 15 digits"),
        Column("account", WHOLE, "the account it leads to, as in `events`"),
        Column("kind", TEXT, "the kind of card it is or was", words=True),
        Column(
            "state",
            TEXT,
            "`active`, `riding`, `stopped`, `expired`, `refunded`, `replaced`",
            words=True,
        ),
        Column("balance", WHOLE, "yen on it; 0 once replaced"),
        Column("deposit", WHOLE, "yen of deposit held for it; 0 once replaced"),
        Column("points", WHOLE, "points on it; 0 once replaced"),
        Column("expires", DAY, "the last day it may be used; null: none"),
        Column("since", MOMENT, "when it was given out"),
        Column("ended", TEXT, "why another took its place: `damaged`, `lost`, `moved`", words=True),
        Column("ended_at", MOMENT, "when another took its place"),
        Column("successor", TEXT, "the number that took its place"),
    ),
)

TABLES = (EVENTS, TRANSFERS, CARDS)
