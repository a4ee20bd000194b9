"""What is kept apart from the journal: people, sealed under keys of their own, and what campaigns scan."""

from typing import Any

from farecard.desk.batch import Batch
from farecard.desk.entries import Entry
from farecard.desk.facts import Facts
from farecard.model.account import NO_ACCOUNT, Account, Event, Person
from farecard.model.commands import (
    ApplyMynaPoint,
    CommitDraw,
    DrawLottery,
    Issue,
    JoinCampaign,
    JoinMembership,
    JoinRally,
    Notice,
    RefundByPost,
    name_of,
)
from farecard.model.verdict import Effect
from farecard.rules.myna_point import NAME, is_second
from farecard.storage.vault import Vault
from farecard.wire.answer import encode


class Keeper:
    """Puts what an acceptance says of people into its batch, and into the facts for those that come after."""

    def __init__(self, vault: Vault, facts: Facts) -> None:
        self.vault = vault
        self.facts = facts

    def keep(
        self, batch: Batch, entry: Entry, event: Event, account: Account | None, effect: Effect
    ) -> None:  # fmt: skip
        """Keep what an accepted command says beyond the journal; most say nothing."""
        c: Any = entry.command
        kind = type(c)
        if kind is Issue:
            if entry.who is not None:
                self._holder(batch, c, entry.who)
        elif kind is RefundByPost:
            assert account is not None
            wrapped, sealed = self._seal(encode(c.bank_account))
            batch.payees.append((account.account, event.seq, wrapped + sealed))
        elif kind is JoinMembership:
            assert account is not None
            sealed_member = self._seal(c.member.encode())
            batch.members.append((account.account, self.vault.match(c.member), *sealed_member))
        elif kind is ApplyMynaPoint:
            assert account is not None and entry.person is not None
            self._application(batch, c, event, account, effect, entry.person)
        elif kind is JoinCampaign:
            assert account is not None
            batch.applications += [
                (account.account, event.seq, measure, c.campaign, "", c.at, 0, 1)
                for measure in effect.result["measures"]
            ]
        elif kind is CommitDraw or kind is DrawLottery:
            self._draw(batch, c, event)
        elif kind is JoinRally:
            assert account is not None
            name = effect.result["rally"]
            batch.applications.append((account.account, event.seq, 1, name, "", c.at, 0, 1))
        elif isinstance(c, Notice):
            assert entry.person is not None
            self._notice(batch, c, event, entry.person)

    def _draw(self, batch: Batch, c: CommitDraw | DrawLottery, event: Event) -> None:
        """Freeze the list, if it is not yet; and what was done with it."""
        listed = self.facts.listed
        assert listed is not None
        if not listed.committed:
            batch.entrants += sorted(
                (one.account, c.draw, place, one.number, one.leaf)
                for place, one in enumerate(listed.entrants)
            )
        what, said, winners = (
            ("commit", c.seed_source, 0)
            if isinstance(c, CommitDraw)
            else ("draw", c.seed, c.winners)
        )
        count = len(listed.entrants)
        batch.draws.append((c.draw, what, event.seq, c.at, listed.root, count, winners, said))
        self.facts.draws.setdefault(c.draw, set()).add(what)

    def _seal(self, plain: bytes) -> tuple[bytes, bytes]:
        """A subject's own key, wrapped, and what is sealed under it."""
        key, wrapped = self.vault.new_subject()
        return wrapped, self.vault.seal(key, plain)

    def _holder(self, batch: Batch, c: Issue, who: tuple[bytes, bytes]) -> None:
        name, phone = who
        batch.holders.append((c.card, name, phone, *self._seal(encode(c.holder))))
        self.facts.holders[name].append((c.card, phone))
        self.facts.namesakes[name] += 1
        batch.namesakes[name] = self.facts.namesakes[name]

    def _person(self, batch: Batch, key: str, id: str, seq: int) -> Person:
        """The person a command is about, changed by it."""
        person = self.facts.persons[key]
        batch.reads.person(person)
        if person.last_seq is None:
            batch.new_persons[key] = self._seal(id.encode())
        person.last_seq = seq
        return person

    def _application(
        self, batch: Batch, c: ApplyMynaPoint, event: Event, account: Account, effect: Effect, key: str
    ) -> None:  # fmt: skip
        person = self._person(batch, key, c.person, event.seq)
        if person.account == NO_ACCOUNT:  # from now on a run finds the notices under the account
            for what, at, seq in self.facts.notices[key]:
                batch.notices.append((account.account, key, seq, what, at))
        person.account = account.account
        earns = int(not is_second(person, account))
        for measure in effect.result["measures"]:
            person.measures |= 1 << measure
            before = account.counted_before if measure == 1 and earns else 0
            batch.applications.append(
                (account.account, event.seq, measure, NAME, key, c.at, before, earns)
            )

    def _notice(self, batch: Batch, c: Notice, event: Event, key: str) -> None:
        person = self._person(batch, key, c.person, event.seq)
        what = name_of(type(c))
        self.facts.notices[key].append((what, c.at, event.seq))
        batch.notices.append((NO_ACCOUNT, key, event.seq, what, c.at))
        if person.account != NO_ACCOUNT:
            batch.notices.append((person.account, key, event.seq, what, c.at))
