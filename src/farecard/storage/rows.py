"""Rows of the store as the types everything else speaks, and back."""

from sys import intern
from typing import Any

import msgspec

from farecard.model.account import Account, Event, Happened
from farecard.model.verdict import Reason

_sets = msgspec.json.Decoder(dict[str, Any]).decode
_reasons = msgspec.json.Decoder(list[Reason]).decode
_encode = msgspec.json.Encoder().encode

_COLUMNS = Account.__struct_fields__.index("quick_day")  # from here on they share ``details``
_DETAILS = list(
    zip(
        Account.__struct_fields__[_COLUMNS:],
        msgspec.structs.astuple(Account(0, 0, ""))[_COLUMNS:],
        strict=True,
    )
)


def as_event(row: tuple[Any, ...]) -> Event:
    """An event as it stands in the store, its ``sets`` read."""
    event = Event(*row)
    if event.sets is not None:
        event.sets = _sets(event.sets)
    return event


def as_happened(row: tuple[Any, ...]) -> Happened:
    """A row of ``besides_use``, its ``sets`` read."""
    happened = Happened(*row)
    return happened if happened.sets is None else happened._replace(sets=_sets(happened.sets))


def as_reasons(text: str | None) -> list[Reason]:
    """An event's reasons or warnings."""
    return [] if text is None else _reasons(text)


def as_account(row: tuple[Any, ...]) -> Account:
    """An account as it stands in the store."""
    details = row[_COLUMNS]
    # most cards are of few kinds and states: they share those words
    words = *row[:2], intern(row[2]), intern(row[3]), *row[4:_COLUMNS]
    return Account(*words) if details is None else Account(*words, **_sets(details))


def account_row(account: Account) -> tuple[Any, ...]:
    """The row of an account: of its details only those that are not as on any new card."""
    values = msgspec.structs.astuple(account)
    details = {
        name: value
        for (name, usual), value in zip(_DETAILS, values[_COLUMNS:], strict=True)
        if value != usual
    }
    return *values[:_COLUMNS], _encode(details).decode() if details else None
