"""The trail: who did what to keys, people and proposals. Appended only, nothing personal in it."""

from farecard.model.moments import moment_now
from farecard.storage.store import Store


def note(store: Store, who: str, did: str, about: str, said: str) -> None:
    """Add a line, within the open ``adding`` of what it tells of."""
    ((last,),) = store.rows("trail_end")
    store.append("trail", [(last + 1, moment_now(), who, did, about, said)])
