"""The trail: who did what to keys, people and proposals. Appended only, nothing personal in it."""

from typing import Any

from farecard.model.moments import iso_moment, moment_now
from farecard.storage.store import Store


def note(store: Store, who: str, did: str, about: str, said: str) -> None:
    """Add a line, within the open ``adding`` of what it tells of."""
    ((last,),) = store.rows("trail_end")
    store.append("trail", [(last + 1, moment_now(), who, did, about, said)])


def lines(store: Store, before: int, most: int) -> list[dict[str, Any]]:
    """The newest ``most`` lines before line ``before``."""
    return [
        {"n": n, "at": iso_moment(at), "who": who, "did": did, "about": about, "said": said}
        for n, at, who, did, about, said in store.rows("trail", before=before, most=most)
    ]
