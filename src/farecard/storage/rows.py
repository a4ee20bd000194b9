"""Rows of the store as the types everything else speaks."""

from typing import Any

import msgspec

from farecard.model.account import Event

_sets = msgspec.json.Decoder(dict[str, Any]).decode


def as_event(row: tuple[Any, ...]) -> Event:
    """An event as it stands in the store, its ``sets`` read."""
    event = Event(*row)
    if event.sets is not None:
        event.sets = _sets(event.sets)
    return event
