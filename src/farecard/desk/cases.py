"""An applicant's case, put together from the store: what one is told, and what a run looks at again."""

from farecard.model.account import Account
from farecard.rules import measures
from farecard.rules.measures import Case
from farecard.storage.history import events_of
from farecard.storage.store import Store


def case_at(store: Store, name: str, account: Account, until: int, now: int) -> Case:
    """The case of an account's applicant in a campaign.

    ``account`` is as it was at ``until``: commands up to then count; ``now`` is when it is judged.
    """
    events = [one for one in events_of(store, account.account, account.last_seq) if one.at <= until]
    notices: dict[str, int] = {}
    if account.applicant is not None:
        rows = store.rows("notices_of", account=account.account, person=account.applicant, at=until)
        notices = dict(rows)
    return measures.case_of(name, account, events, notices, now)
