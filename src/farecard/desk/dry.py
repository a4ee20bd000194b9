"""A desk that keeps nothing: the same path, over a store or none (``farecard try``)."""

from collections.abc import Iterator

from msgspec.structs import astuple

from farecard.desk.batch import WRITERS, Batch
from farecard.desk.decide import Decider
from farecard.desk.desk import Desk, Last
from farecard.desk.drawing import Entrant, complete, frozen, listed
from farecard.desk.entries import Asked, Entry
from farecard.desk.facts import Facts
from farecard.desk.keeping import Keeper
from farecard.desk.runs import GrantRun, Owed
from farecard.model.account import NO_ACCOUNT, Account, Event
from farecard.model.campaign import Rally
from farecard.model.commands import CommitDraw, DrawLottery, Run, RunGrants
from farecard.model.moments import day_of
from farecard.model.verdict import ACCEPTED
from farecard.rules import myna_point, stamp_rally
from farecard.rules.grants import may_run
from farecard.rules.measures import Case, case_of
from farecard.storage.history import events_of, fold
from farecard.storage.making import Inputs
from farecard.storage.rows import as_account, as_event
from farecard.storage.store import Store
from farecard.storage.vault import Vault
from farecard.wire.answer import Answer


class DryDesk(Desk):
    """The same desk, keeping nothing: what it decided lives in its facts alone (``farecard try``)."""

    def __init__(
        self,
        store: Store | None,
        vault: Vault,
        inputs: Inputs,
    ) -> None:
        """``store`` is read and never written; None: an empty one."""
        self.vault = vault
        self.inputs = inputs
        self.code = "dry run"
        self.facts = Facts(store)
        self.decider = Decider(self.facts, inputs)
        self.keeper = Keeper(vault, self.facts)
        self.histories: dict[int, list[Event]] = {}  # what was accepted here, by account
        self.lists: dict[int, list[Entrant]] = {}  # of draws frozen here
        self.last = Last(0, 0, b"")
        self.clock = 0
        if store is not None:
            store.begin_reading()
            self.clock = (store.rows("versions")[0][2] or 0) // WRITERS

    @property
    def overlaps(self) -> bool:
        """Nothing is kept."""
        return False

    def decide(
        self, entries: list[Entry], asked: Asked | None = None
    ) -> tuple[Batch, list[Answer]]:
        """Decide over the facts; what is decided stays in them."""
        self.facts.take(asked or self.ask(entries))
        self.clock += 1  # no event has the seq of another, be it kept or not: reversals go by it
        batch = Batch(self.clock * WRITERS)
        self.decider.reads = batch.reads
        answers = [self._entry(batch, entry) for entry in entries]
        self._remember(batch)
        return batch, answers

    def _remember(self, batch: Batch) -> None:
        """Keep the histories of cards in mind: a run looks at them."""
        for event in batch.events:
            if event.account != NO_ACCOUNT and event.outcome == ACCEPTED:
                self.histories.setdefault(event.account, []).append(event)
        for account, *_ in batch.notices:
            if account != NO_ACCOUNT:
                self.histories.setdefault(account, [])

    def _settle(self, entries: list[Entry]) -> list[Answer]:
        return self.decide(entries)[1]

    def run_alone(self, entry: Entry) -> Answer:
        """The same run: cards that were decided on here are judged by the rules, all others by the survey."""
        c = entry.command
        assert isinstance(c, Run)
        self.facts.take(self.ask([entry]))
        if self.facts.stored.find((entry.sender, c.id)) is None:
            if isinstance(c, RunGrants):
                self._grant_all(entry, c)
            else:
                assert isinstance(c, (CommitDraw, DrawLottery))
                self._list(c)
        return self._settle([entry])[0]

    def _grant_all(self, entry: Entry, c: RunGrants) -> None:
        if may_run(c, day_of(c.at)) is None:
            self.clock += 1
            batch = Batch(self.clock * WRITERS)
            for run in self._runs(entry, c):
                for account, owed in self._owed(run):
                    run.put(batch, account, owed)
            self._remember(batch)
            self.decider.granted = len(batch.granted), sum(row[5] for row in batch.granted)

    def _frozen(self, draw: int) -> list[Entrant]:
        if draw in self.lists or self.facts.store is None:
            return self.lists.get(draw, [])
        return frozen(self.facts.store, draw)

    def _complete(self, c: CommitDraw | DrawLottery, rally: Rally) -> list[Entrant]:
        some: list[tuple[int, int, int]] = []
        store = self.facts.store
        if store is not None:
            some = [one for one in complete(store, rally, c.at) if one[0] not in self.histories]
        for id in self.histories:
            case = self._case(myna_point.NAME, self.facts.accounts[id], c.at)
            held = stamp_rally.stamps(case, rally).values()
            if all(held):
                at = max(stamp.achieved_at for stamp in held if stamp is not None)
                some.append((id, self.facts.accounts[id].number, at))
        before = self._drawn_before(c.draw)
        some = [one for one in some if one[0] not in before]
        self.lists[c.draw] = found = listed(some, rally, c.draw, self.vault)
        return found

    def _number_of(self, account: int) -> int:
        known = self.facts.accounts.get(account)
        if known is not None:
            return known.number
        assert self.facts.store is not None
        return as_account(self.facts.store.rows("accounts", ids=[account])[0]).number

    def _owed(self, run: GrantRun) -> Iterator[tuple[Account, list[Owed]]]:
        """Everybody to whom something is due."""
        changed = {id: self.facts.accounts[id] for id in self.histories}
        store = self.facts.store
        if store is not None:
            for due in list(run.due(store)):
                if due.account not in changed:
                    missing = [] if due.account in self.facts.accounts else [due.account]
                    for row in store.rows("accounts", ids=missing):
                        self.facts.accounts[due.account] = as_account(row)
                    yield self.facts.accounts[due.account], due.grants
        for id, account in sorted(changed.items()):
            case = self._case(run.campaign.name, account, run.command.at)
            owed = run.owed_to(case)
            if owed:
                yield self.facts.accounts[id], owed

    def _case(self, name: str, account: Account, until: int) -> Case:
        """The case of a card that was decided on here."""
        events: list[Event] = []
        store = self.facts.store
        if store is not None:
            for row in store.rows("accounts", ids=[account.account]):
                events = events_of(store, account.account, as_account(row).last_seq)
        events += [as_event(astuple(event)) for event in self.histories[account.account]]
        events = [event for event in events if event.at <= until]
        then = fold(account.account, events)
        then.granted = account.granted
        return case_of(name, then, events, self._notices(then, until), until)

    def _notices(self, account: Account, until: int) -> dict[str, int]:
        """What was reported of an applicant, here or before."""
        found: dict[str, int] = {}
        person = account.applicant
        if person is None:
            return found
        heard = self.facts.notices.find(person)
        if heard is None:
            assert self.facts.store is not None
            values = {"account": account.account, "person": person, "at": until}
            return dict(self.facts.store.rows("notices_of", **values))
        for what, at, _ in heard:
            if at <= until:
                found[what] = min(at, found.get(what, at))
        return found
