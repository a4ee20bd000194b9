"""An applicant's case, put together from the store: what one is told, and what a run looks at again."""

from collections.abc import Sequence

from farecard.model.account import Account, Event, Happened
from farecard.rules import measures
from farecard.rules.measures import Case
from farecard.storage.history import besides_use, events_of
from farecard.storage.store import Store


class Applicant:
    """What the store knows of a card's applicant at a moment, read once for whatever is asked of it.

    ``account`` is as it was at ``until``: commands up to then count; ``now`` is when it is judged. Without
    ``purchases`` what was spent is left out: most of a card's history, and nothing to most campaigns.
    """

    def __init__(
        self, store: Store, account: Account, until: int, now: int, *, purchases: bool
    ) -> None:
        self.account = account
        self.now = now
        self.events: Sequence[Event | Happened]
        if purchases:
            events = events_of(store, account.account, account.last_seq)
            self.events = [event for event in events if event.at <= until]
        else:
            self.events = besides_use(store, account.account, until)
        self.notices: dict[str, int] = {}
        if account.applicant is not None:
            values = {"account": account.account, "person": account.applicant, "at": until}
            self.notices = dict(store.rows("notices_of", **values))

    def case(self, name: str) -> Case:
        """The case in a campaign."""
        return measures.case_of(name, self.account, self.events, self.notices, self.now)


def case_at(store: Store, name: str, account: Account, until: int, now: int) -> Case:
    """The case of an account's applicant in one campaign, or the rally."""
    return Applicant(store, account, until, now, purchases=True).case(name)
