"""The monthly run: what is due is granted, in ranges of accounts, a batch each; never twice, wherever it was stopped.

The set-based text says who gets what in one state of the store. A card that has changed since is judged
again, alone, by the rules that the text must agree with.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from farecard.desk.batch import Batch
from farecard.desk.cases import case_at
from farecard.desk.entries import Entry
from farecard.ledger import chart
from farecard.model.account import PAST_ACCOUNT, Account, Event, grant_key, post
from farecard.model.campaign import Campaign
from farecard.model.commands import RunGrants
from farecard.model.moments import PAST_MOMENT, day_of, first_day_of, first_moment, month_of
from farecard.model.verdict import ACCEPTED
from farecard.rules import measures
from farecard.rules.grants import month_number
from farecard.rules.measures import Case
from farecard.storage.history import account_at
from farecard.storage.store import Row, Store
from farecard.wire.answer import encode

GRANTS_A_BATCH = 4096

Owed = tuple[int, int, int]  # measure, period, points


class Due(NamedTuple):
    """What an account is to be granted, as ``last_seq`` stood when it was found out."""

    account: int
    last_seq: int
    grants: list[Owed]


class Surveyed(Protocol):
    """What can be asked for everybody at once: a store, or an export of one."""

    def survey(self, name: str, **values: Any) -> Iterable[Row]:
        """The rows of a statement over all accounts."""


def surveyed(
    store: Surveyed,
    asked: str,
    name: str,
    version: int,
    month: int,
    until: int,
    granted_until: int = PAST_MOMENT,
) -> Iterable[Row]:
    """What a run of a campaign for ``month`` makes of everybody's applications, seen at ``until``.

    ``asked`` is a statement of grants.sql: ``judged`` gives (account, its last event, measure, period, points, why
    nothing is granted or None, the share at the end), ``owed`` the first five where something is, ``judged_by_reason``
    (measure, why nothing is granted or None, how many, points), ``outlook_by_reason`` of outlook.sql the same and shares.
    """
    return store.survey(
        asked,
        campaign=name,
        version=version,
        until=until,
        granted_until=granted_until,
        month=month,
        begins=first_moment(first_day_of(month)),
        low=0,
        high=PAST_ACCOUNT,
        this_month=month_of(day_of(until)),
    )


class GrantRun(NamedTuple):
    """A run's command, its campaign and what it looks at."""

    entry: Entry
    command: RunGrants
    campaign: Campaign
    version: int

    @property
    def month(self) -> int:
        """The month granted for."""
        return month_number(self.command.month)

    def due(self, store: Store) -> Iterator[Due]:
        """Everybody to whom something is due, in the order of their accounts.

        The whole answer is taken in first: a survey that stayed open while its grants are written would keep the
        store from clearing away what they replace.
        """
        name, until = self.campaign.name, self.command.at
        owed = list(surveyed(store, "owed", name, self.version, self.month, until))
        for (account, last_seq), some in groupby(owed, key=itemgetter(0, 1)):
            yield Due(account, last_seq, [row[2:] for row in some])

    def owed_to(self, case: Case) -> list[Owed]:
        """What one applicant is due, by the rules."""
        return [
            (measure.number, grant.period, grant.points)
            for measure in self.campaign.measures
            for grant in measures.owed(measure, case, self.campaign, self.month)
        ]

    def due_again(self, store: Store, account: Account) -> list[Owed]:
        """What an account is due that has changed since the survey; it is given as it is now."""
        until = self.command.at
        then = account_at(store, account.account, until)
        then.granted = account.granted  # what was granted is granted, whenever
        return self.owed_to(case_at(store, self.campaign.name, then, until, until))

    def event(self, seq: int, account: Account, measure: int, period: int, points: int) -> Event:
        """The grant as an event of the card."""
        c = self.command
        key = grant_key(self.campaign.name, measure, period)
        event = Event(
            seq, account.account, self.entry.sender, c.id, max(c.at, account.last_at), "run_grants",
            c.channel, c.place, c.by, c.company, ACCEPTED,
            encode({"campaign": self.campaign.name, "measure": measure, "points": points}).decode(),
            self.entry.digest,
        )  # fmt: skip
        event.prev = account.last_seq
        event.points = points
        event.number = account.number
        event.sets = {"granted": {**(account.granted or {}), key: points}}
        post(account, event)
        event.balance = account.balance
        event.sets = encode(event.sets).decode()
        return event

    def put(self, batch: Batch, account: Account, owed: list[Owed]) -> None:
        """Grant an account what it is owed."""
        batch.reads.account(account)
        batch.changed.add(account.account)
        sender, id = self.entry.sender, self.command.id
        for measure, period, points in owed:
            event = self.event(batch.next_seq(), account, measure, period, points)
            transfer = chart.programme(self.campaign.owes), chart.POINTS, points
            batch.take_transfers(event, day_of(event.at), [transfer])
            batch.events.append(event)
            batch.of_a_run.add(event.seq)
            name = self.campaign.name
            batch.granted.append(
                (account.account, name, measure, period, event.seq, points, event.at, sender, id)
            )


def handfuls(dues: Iterable[Due]) -> Iterator[list[Due]]:
    """Ranges of accounts with about as many grants as a batch should hold."""
    some: list[Due] = []
    count = 0
    for due in dues:
        some.append(due)
        count += len(due.grants)
        if count >= GRANTS_A_BATCH:
            yield some
            some, count = [], 0
    if some:
        yield some
