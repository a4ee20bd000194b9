"""What is exported: the tables, their columns with type, unit and meaning.

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
    """One exported table. ``by_month``: its files lie in a folder a month; ``order`` is that of its rows.

    ``query``: the named query that gives its rows as they are exported.
    """

    name: str
    row: str
    by_month: bool
    order: tuple[str, ...]
    columns: tuple[Column, ...]
    query: str | None = None

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
        Column(
            "of",
            WHOLE,
            "of a reversal: the `seq` of the event it reverses; of `resolve_case`: that of the event that was referred",
        ),
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
        Column("last_seq", WHOLE, "the account's last accepted event; null once replaced"),
        Column("last_at", MOMENT, "when that was; null once replaced"),
    ),
)

APPLICATIONS = Table(
    "applications",
    "one measure of a campaign that was applied for with a card",
    False,
    ("account", "seq", "measure"),
    (
        Column("account", WHOLE, "the card's account, as in `events`"),
        Column("seq", WHOLE, "the event that applied"),
        Column("campaign", TEXT, "the campaign's name", words=True),
        Column("measure", WHOLE, "the measure's number in it"),
        Column("at", MOMENT, "when it was applied for"),
        Column("counted_before", WHOLE, "yen that counted before it, of an earlier round"),
        Column("earns", WHOLE, "0: it was taken, and nothing will ever be granted for it"),
    ),
    "exported_applications",
)

NOTICES = Table(
    "notices",
    "one report that a procedure of the person who applied with a card is done",
    False,
    ("account", "seq"),
    (
        Column("account", WHOLE, "the card's account, as in `events`"),
        Column("seq", WHOLE, "the event that reported it"),
        Column("what", TEXT, "which procedure, as the command is called", words=True),
        Column("at", MOMENT, "when it was reported"),
    ),
    "exported_notices",
)

REVERSALS = Table(
    "reversals",
    "one event that was taken back",
    False,
    ("account", "seq"),
    (
        Column("of", WHOLE, "the event that was taken back"),
        Column("account", WHOLE, "the card's account, as in `events`"),
        Column("seq", WHOLE, "the event that took it back"),
        Column("at", MOMENT, "when it was taken back"),
    ),
    "exported_reversals",
)

GRANTS = Table(
    "grants",
    "one grant of points for a measure",
    False,
    ("account", "seq"),
    (
        Column("account", WHOLE, "the card's account, as in `events`"),
        Column("campaign", TEXT, "the campaign's name", words=True),
        Column("measure", WHOLE, "the measure's number in it"),
        Column("period", MONTH, "of a monthly measure the month, as year × 12 + month - 1; else 0"),
        Column("seq", WHOLE, "the event that granted them"),
        Column("points", WHOLE, "points"),
        Column("at", MOMENT, "when they were granted"),
    ),
    "exported_grants",
)

MEASURES = Table(
    "measures",
    "one measure of one loaded version of a campaign",
    False,
    ("version", "measure"),
    (
        Column("version", WHOLE, "of a name the highest holds"),
        Column("campaign", TEXT, "the campaign's name", words=True),
        Column("measure", WHOLE, "the measure's number in it"),
        Column("first_at", MOMENT, "from when yen count or the procedure can be applied for"),
        Column("past_at", MOMENT, "until when, itself no more"),
        Column("target", WHOLE, "yen to be reached; null: none"),
        Column("reward", WHOLE, "points for the target or the procedure"),
        Column("percent", WHOLE, "of the yen as points; null: no share"),
        Column("cap", WHOLE, "the most points of a share"),
        Column("monthly", WHOLE, "1: a share of each month"),
        Column("filed", TEXT, "the report that begins its procedure; null: none"),
        Column("filed_past", MOMENT, "by when it must have come, itself too late"),
        Column("done", TEXT, "the report that completes its procedure; null: yen count"),
        Column("done_past", MOMENT, "by when it must have come, itself too late"),
        Column("grant_day", WHOLE, "the day of the next month on which points are due"),
    ),
    "exported_measures",
)

COUNTED = Table(
    "counted",
    "one kind of place and of payment whose yen count for a measure",
    False,
    ("version", "measure", "do", "channel", "tender"),
    (
        Column("version", WHOLE, "as in `measures`"),
        Column("measure", WHOLE, "as in `measures`"),
        Column("do", TEXT, "which command", words=True),
        Column("channel", TEXT, "the kind of place it came from", words=True),
        Column(
            "tender", TEXT, "how it was paid; empty: the command says nothing of it", words=True
        ),
    ),
    "exported_counted",
)

CALENDAR = Table(
    "calendar",
    "one day that a campaign reaches over",
    False,
    ("day",),
    (
        Column("day", DAY, "the day"),
        Column("month_no", MONTH, "its month, as year × 12 + month - 1"),
        Column("first_day", DAY, "the first day of that month"),
    ),
    "exported_calendar",
)

TABLES = (
    EVENTS, TRANSFERS, CARDS, REVERSALS, APPLICATIONS, NOTICES, GRANTS, MEASURES, COUNTED, CALENDAR,
)  # fmt: skip
