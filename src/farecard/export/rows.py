"""From the store's rows to columns of the exported tables."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from farecard.desk.batch import SEQS_PER_BATCH
from farecard.export.columns import Table
from farecard.model.account import NO_ACCOUNT
from farecard.model.commands import format_number
from farecard.model.moments import day_of, month_of
from farecard.model.verdict import Reason
from farecard.questions.card import Number
from farecard.storage.sql import tables
from farecard.storage.store import Row, Store

Columns = dict[str, Sequence[Any]]

_EVENT = tuple(tables()["event"])
_SEQ, _ACCOUNT, _AT, _DEBIT, _CREDIT, _YEN = map(
    _EVENT.index, ("seq", "account", "at", "debit", "credit", "yen")
)
_NUMBER = tuple(tables()["account"]).index("number")


_reasons = msgspec.json.Decoder(list[Reason]).decode


def by_month(table: Table, columns: Columns) -> dict[int, pa.Table]:
    """Rows of a table with ``month_no``, month by month."""
    rows = as_table(table, columns)
    months = set(columns["month_no"])
    if len(months) == 1:
        return {months.pop(): rows}
    places: dict[int, list[int]] = {month: [] for month in sorted(months)}
    for place, month in enumerate(columns["month_no"]):
        places[month].append(place)
    return {month: rows.take(some) for month, some in places.items()}


def as_table(table: Table, columns: Columns) -> pa.Table:
    """Columns by name as a table of exactly those that are exported."""
    return pa.table(
        [pa.array(columns[column.name], column.type) for column in table.columns],
        schema=table.schema,
    )


def event_columns(store: Store, rows: list[Row], recorded: dict[int, int]) -> Columns:
    """Rows of ``event`` as columns of the exported table; ``recorded``: when each batch was."""
    columns: Columns = dict(zip(_EVENT, zip(*rows, strict=True), strict=True))
    seqs, accounts = columns["seq"], columns["account"]
    reasons = [None if text is None else _reasons(text) for text in columns["reasons"]]
    first = [some[0] if some else None for some in reasons]
    batches = [seq // SEQS_PER_BATCH for seq in seqs]
    days = [day_of(at) for at in columns["at"]]
    return columns | {
        "account": [None if account == NO_ACCOUNT else account for account in accounts],
        "number": _numbers(store, seqs, accounts, columns["number"]),
        "day": days,
        "month_no": [month_of(day) for day in days],
        "rule": [None if reason is None else reason.rule for reason in first],
        "code": [None if reason is None else reason.code for reason in first],
        "recorded_at": [recorded[batch] for batch in batches],
        "batch": batches,
    }


def transfer_columns(rows: list[Row], more: list[Row]) -> Columns:
    """Every double entry of some events: the first from its own row, ``more`` from ``transfer``."""
    entries: list[Row] = []
    ats = {}
    for row in rows:
        seq, at, yen = row[_SEQ], row[_AT], row[_YEN]
        ats[seq] = at
        if yen:
            entries.append((seq, row[_ACCOUNT], 0, row[_DEBIT], row[_CREDIT], yen))
    entries += more
    names = ("seq", "account", "n", "debit", "credit", "yen")
    columns: Columns = {name: [row[n] for row in entries] for n, name in enumerate(names)}
    when = [ats[seq] for seq in columns["seq"]]
    days = [day_of(at) for at in when]
    return columns | {"at": when, "day": days, "month_no": [month_of(day) for day in days]}


def _numbers(
    store: Store, seqs: Sequence[int], accounts: Sequence[int], numbers: Sequence[int | None]
) -> list[str | None]:
    """The card number of each event. An acceptance says it; of all others the account had it then."""
    asked = {
        account
        for account, number in zip(accounts, numbers, strict=True)
        if number is None and account != NO_ACCOUNT
    }
    replaced = {}
    if asked:
        for row in store.rows("accounts", ids=sorted(asked)):
            if row[_NUMBER] != row[0]:
                replaced[row[0]] = _succession(store, row[0])
    found: list[str | None] = []
    for seq, account, said in zip(seqs, accounts, numbers, strict=True):
        number = said
        if number is None and account != NO_ACCOUNT:
            number = account  # its first number, and mostly its only one
            for one in replaced.get(account, ()):
                if one.since_seq <= seq:
                    number = one.number
        found.append(None if number is None else format_number(number))
    return found


def _succession(store: Store, first: int) -> list[Number]:
    """An account's numbers, oldest first."""
    numbers = []
    number: int | None = first
    while number is not None:
        one = Number(*store.rows("number_of", number=number)[0])
        numbers.append(one)
        number = one.successor
    return numbers
