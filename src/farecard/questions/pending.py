"""Proposals that wait for a second pair of eyes, as they show on the record they are about."""

from typing import Any

from farecard.model.moments import iso_moment
from farecard.storage.store import Store


def pending(store: Store, about: str) -> list[dict[str, Any]]:
    """The proposals about something: a ``card:NUMBER`` (the first of its numbers), ``grants:MONTH``, ``draw:N``, ``campaign:NAME``, ``tariff``."""
    return [
        {"proposal": number, "proposed_by": who, "proposed_at": iso_moment(at)}
        for number, who, at in store.rows("proposals_about", about=about)
    ]
