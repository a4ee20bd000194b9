"""What a store holds, whichever engine and batches it came in: events are named by their sender's id, not by seq."""

import re
from typing import Any

from farecard.questions.audit import Audit
from farecard.questions.books import sums
from farecard.storage.opening import open_to_read
from farecard.storage.sql import tables
from farecard.storage.store import Row, Store

SEQS = {"seq", "prev", "of", "last_seq", "since_seq", "head"}  # columns that name an event
KEYED = {"digest"}  # another store has another key


def state(url: str, numbers: range | None = None) -> dict[str, Any]:
    """Decisions, cards, numbers, reversals and books; with ``numbers`` those of accounts among them alone."""
    store = open_to_read(url)
    store.begin_reading()
    try:
        events = [row for (id, *_) in store.rows("batches") for row in _events(store, id)]
        names: dict[int | None, Any] = {None: None, 0: None}
        names.update({row[0]: (row[2], row[3]) for row in events})
        found = {
            "event": sorted(_named("event", events, names), key=repr),
            "account": _named("account", store.rows("all_accounts"), names),
            "number": _named("number", store.rows("all_numbers"), names),
            "reversal": sorted(_named("reversal", store.rows("all_reversals"), names), key=repr),
        }
        if numbers is None:
            return {**found, "books": sums(store)}
        return {
            table: [row for row in rows if row["account"] in numbers] for table, rows in found.items()
        }
    finally:
        store.close()


def outcomes(url: str) -> dict[tuple[str, str], str]:
    """What a store holds: the outcome of each remembered command, by its sender and id."""
    store = open_to_read(url)
    store.begin_reading()
    try:
        return {
            (row[2], row[3]): row[10] for (id, *_) in store.rows("batches") for row in _events(store, id)
        }
    finally:
        store.close()


def _events(store: Store, batch: int) -> list[Row]:
    return store.rows("events_of_batch", first=batch * 65_536, past=(batch + 1) * 65_536)


def _named(table: str, rows: list[Row], names: dict[int | None, Any]) -> list[dict[str, Any]]:
    columns = [(column, column in SEQS) for column in tables()[table]]
    return [
        {
            column: names[value] if is_seq else _without_key(value)
            for (column, is_seq), value in zip(columns, row, strict=True)
            if column not in KEYED
        }
        for row in rows
    ]


def _without_key(value: Any) -> Any:
    """A value as it is under every store's key: people are named by a digest."""
    return re.sub(r'("applicant":)"[0-9a-f]{32}"', r"\1", value) if isinstance(value, str) else value


def problems(url: str) -> list[str]:
    """What ``farecard check`` finds wrong."""
    store = open_to_read(url)
    audit = Audit(store)
    for _ in audit.run():
        pass
    store.close()
    return audit.problems
