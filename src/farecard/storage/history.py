"""An account's history: its accepted events, and the account as they leave it."""

from farecard.model.account import Account, Event, Happened, post
from farecard.storage.rows import as_account, as_event, as_happened
from farecard.storage.store import Store

_ALL = (1 << 31) - 1


def events_of(store: Store, account: int, head: int, most: int | None = None) -> list[Event]:
    """An account's accepted events up to ``head``, oldest first; of many the newest ``most``."""
    rows = store.rows("chain", account=account, head=head, most=_ALL if most is None else most)
    return [as_event(row) for row in rows]


def besides_use(store: Store, account: int, until: int) -> list[Happened]:
    """An account's accepted events up to a moment but for rides and purchases, oldest first.

    They are few, and are found without going through a card's whole history.
    """
    return [as_happened(row) for row in store.rows("besides_use", account=account, until=until)]


def account_at(store: Store, id: int, at: int) -> Account:
    """An account as it stood at a moment: as stored, or folded from its events."""
    account = as_account(store.rows("accounts", ids=[id])[0])
    if account.last_at <= at:
        return account
    return fold(id, [event for event in events_of(store, id, account.last_seq) if event.at <= at])


def fold(id: int, events: list[Event]) -> Account:
    """An account rebuilt from its accepted events."""
    account = Account(id, id, "")
    for event in events:
        post(account, event)
    return account
