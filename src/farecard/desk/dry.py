"""A desk that keeps nothing: the same path, over a store or none (``farecard try``)."""

from collections.abc import Iterator

from msgspec.structs import astuple

from farecard.desk.batch import WRITERS, Batch
from farecard.desk.decide import Decider
from farecard.desk.desk import Desk, Last
from farecard.desk.drawing import Entrant, complete, frozen
from farecard.desk.entries import Asked, Entry
from farecard.desk.facts import Facts
from farecard.desk.keeping import Keeper
from farecard.desk.reading import Reader
from farecard.desk.runs import GrantRun, Owed
from farecard.model.account import NO_ACCOUNT, Account, Event
from farecard.model.campaign import Rally
from farecard.model.commands import CommitDraw, DrawLottery, RunGrants
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
        """``store`` is read, within its open ``begin_reading``, and never written; None: an empty one."""
        self.vault = vault
        self.inputs = inputs
        self.code = "dry run"
        self.facts = Facts(store)
        self.decider = Decider(self.facts, inputs)
        self.keeper = Keeper(vault, self.facts)
        self.reader = Reader(vault)
        self.batches: list[Batch] = []  # what was decided here
        self.histories: dict[
            int, list[Event]
        ] = {}  # what of it was accepted, by account, for a run
        self.lists: dict[int, list[Entrant]] = {}  # of draws frozen here
        self.last = Last(0, 0, b"")
        self.clock = 0
        if store is not None:
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
        self.batches.append(batch)
        return batch, answers

    def _settle(self, entries: list[Entry]) -> list[Answer]:
        return self.decide(entries)[1]

    def _is_new(self, sender: str, id: str) -> bool:
        """Cards that were decided on here are judged by the rules, all others by the survey."""
        self.histories = {}
        for batch in self.batches:
            for event in batch.events:
                if event.account != NO_ACCOUNT and event.outcome == ACCEPTED:
                    self.histories.setdefault(event.account, []).append(event)
            for account, *_ in batch.notices:
                if account != NO_ACCOUNT:
                    self.histories.setdefault(account, [])
        store = self.facts.store
        known = store is not None and store.rows("commands", sender=sender, ids=[id])
        return not known and self.facts.stored.find((sender, id)) is None

    def _grant_all(self, entry: Entry, c: RunGrants) -> None:
        if may_run(c, day_of(c.at)) is None:
            self.clock += 1
            batch = Batch(self.clock * WRITERS)
            for run in self._runs(entry, c):
                for account, owed in self._owed(run):
                    run.put(batch, account, owed)
            self.batches.append(batch)
            self.decider.granted = len(batch.granted), sum(row[5] for row in batch.granted)

    def _frozen(self, draw: int) -> list[Entrant]:
        if draw in self.lists or self.facts.store is None:
            return self.lists.get(draw, [])
        return frozen(self.facts.store, draw)

    def _new_list(self, c: CommitDraw | DrawLottery, rally: Rally) -> list[Entrant]:
        self.lists[c.draw] = found = super()._new_list(c, rally)
        return found

    def _complete(self, rally: Rally, until: int) -> Iterator[tuple[int, int, int]]:
        store = self.facts.store
        if store is not None:
            for one in complete(store, rally, until):
                if one[0] not in self.histories:
                    yield one
        for id in self.histories:
            case = self._case(myna_point.NAME, self.facts.accounts[id], until)
            held = stamp_rally.stamps(case, rally).values()
            if all(held):
                at = max(stamp.achieved_at for stamp in held if stamp is not None)
                yield id, self.facts.accounts[id].number, at

    def _numbers_of(self, accounts: list[int]) -> list[int]:
        numbers = {
            id: self.facts.accounts[id].number for id in accounts if id in self.facts.accounts
        }
        rest = [id for id in accounts if id not in numbers]
        store = self.facts.store
        if store is not None and rest:
            rows = map(as_account, store.rows("accounts", ids=rest))
            numbers.update((account.account, account.number) for account in rows)
        return [numbers[id] for id in accounts]

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
