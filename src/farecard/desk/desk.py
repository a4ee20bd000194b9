"""The desk: lines in, decisions out, a batch at a time, each batch one commit.

read → load what they touch → decide one after the other → post → write → commit → answer.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from farecard.desk.batch import WRITERS, Batch, Closing, clock_of, writer_name
from farecard.desk.decide import Decider
from farecard.desk.drawing import Entrant, Listed, complete, frozen, listed
from farecard.desk.entries import Asked, Entry, cards_of, is_run, parts
from farecard.desk.facts import Ended, Facts, answer_again
from farecard.desk.keeping import Keeper
from farecard.desk.reading import Reader
from farecard.desk.runs import Due, GrantRun, handfuls
from farecard.ledger.booking import Transfer, book, mirror
from farecard.model.account import NO_ACCOUNT, Account, Event, post
from farecard.model.campaign import Rally
from farecard.model.commands import (
    COMMANDS,
    Command,
    CommitDraw,
    DrawLottery,
    Issue,
    JoinMembership,
    Purchase,
    ResolveCase,
    Reverse,
    Run,
    RunGrants,
    TapIn,
    TapOut,
    TopUp,
    name_of,
)
from farecard.model.moments import day_of
from farecard.model.verdict import ACCEPTED, INVALID, REFERRED, Effect, No, Reason
from farecard.rules import stamp_rally
from farecard.rules.grants import may_run
from farecard.rules.referral import Resolved, case_of
from farecard.storage.errors import StoreError
from farecard.storage.making import Inputs, load_inputs
from farecard.storage.rows import as_account
from farecard.storage.store import ConflictError, Store, Writes
from farecard.storage.vault import Vault
from farecard.wire.answer import Answer, encode

_log = logging.getLogger("farecard.desk")
MOST_A_BATCH = 32_768  # half the seqs of a batch
MOST_BETWEEN_PUMPS = 64  # commands decided at a stretch while another batch is under way
PIECES = 8  # a batch that collided is decided anew in so many
MOST_ATTEMPTS = 20
_NOTHING = msgspec.Raw(b"{}")
_NAMES = {one: name_of(one) for one in COMMANDS}
_EVERYDAY = frozenset((TapIn, TapOut, TopUp, Purchase))  # they change what EVERYDAY names


class Last(NamedTuple):
    """Where our chain of batches ends: its writer's clock, number and hash."""

    clock: int
    number: int
    hash: bytes


def _nobody() -> None:
    """Whom ``settle`` tells: it waits itself."""


def _unheard(count: int, seconds: float) -> None:
    """Whom it tells how long a commit took, unless somebody wants to know."""


def _no_details(c: Any, event: Event) -> None:
    """Most commands say nothing that needs a column of its own."""


def _tap_details(c: Any, event: Event) -> None:
    event.station = c.station


def _top_up_details(c: Any, event: Event) -> None:
    event.tender = c.tender
    event.station = c.station


def _purchase_details(c: Any, event: Event) -> None:
    event.merchant = c.merchant


def _resolve_details(c: Any, event: Event) -> None:
    event.why = c.why


def _reverse_details(c: Any, event: Event) -> None:
    event.why = c.why
    event.merchant = c.merchant


_DETAILS: dict[type[Command], Callable[[Any, Event], None]] = {
    **dict.fromkeys(COMMANDS, _no_details),
    TapIn: _tap_details,
    TapOut: _tap_details,
    TopUp: _top_up_details,
    Purchase: _purchase_details,
    Reverse: _reverse_details,
    ResolveCase: _resolve_details,
}


class Decided(NamedTuple):
    """A batch as it was decided: what to write, and the answers that leave once it is kept."""

    entries: list[Entry]
    writes: Writes | None  # None: nothing of it is to be remembered
    answers: list[Answer]


class Desk:
    """Decides journals against one store. Not thread-safe: one caller at a time."""

    def __init__(self, store: Store, vault: Vault, inputs: Inputs, code: str) -> None:
        self.store = store
        self.vault = vault
        self.inputs = inputs
        self.code = code
        self.last: Last | None = None
        self.clock = 0  # of the batch decided last
        self.facts = Facts(store)
        self.decider = Decider(self.facts, inputs)
        self.keeper = Keeper(vault, self.facts)
        self.reader = Reader(vault)
        self.kept: Callable[[int, float], None] = _unheard  # commands, and seconds until durable

    @property
    def overlaps(self) -> bool:
        """Whether a batch may be prepared while the one before it is kept."""
        return self.store.overlaps

    # -- a batch -----------------------------------------------------------------------------

    def run(self, lines: Sequence[tuple[str, bytes]]) -> list[Answer]:
        """Decide (sender, line) pairs in order and commit; the answers are durable."""
        return self.settle(self.read(lines))

    def read(self, lines: Sequence[tuple[str, bytes]]) -> list[Entry]:
        """Decode lines; needs no store."""
        read = self.reader.read
        entries: list[Entry] = []
        for sender, line in lines:
            if len(entries) % MOST_BETWEEN_PUMPS == 0:
                self.pump()
            entries.append(read(sender, line))
        return entries

    def settle(self, entries: list[Entry]) -> list[Answer]:
        """Decide what was read, keep it, and only then answer."""
        answers: list[Answer] = []
        for some in parts(entries):
            if is_run(some[0]):
                answers.append(self.run_alone(some[0]))
            else:
                answers += self._settle(some)
        return answers

    def _settle(self, entries: list[Entry]) -> list[Answer]:
        try:
            return self._attempt(entries, None)
        except ConflictError:
            return self.again(entries)

    def run_alone(self, entry: Entry) -> Answer:
        """A run: what it does to all cards, in batches; itself it is decided and remembered when that is done."""
        c = entry.command
        assert isinstance(c, Run)
        if self._is_new(entry.sender, c.id):
            if isinstance(c, RunGrants):
                self._grant_all(entry, c)
            else:
                assert isinstance(c, (CommitDraw, DrawLottery))
                self._list(c)
        return self._settle([entry])[0]

    def _is_new(self, sender: str, id: str) -> bool:
        """Whether a run was not decided before; takes note of campaigns loaded since."""
        self.forget()
        self.last = self._look()
        return not self.store.rows("commands", sender=sender, ids=[id])

    def _grant_all(self, entry: Entry, c: RunGrants) -> None:
        if may_run(c, day_of(c.at)) is None:
            for run in self._runs(entry, c):
                for some in handfuls(run.due(self.store)):
                    self._grant(run, some)
            ((count, points),) = self.store.rows("granted_by", sender=entry.sender, id=c.id)
            self.decider.granted = count, points

    def _list(self, c: CommitDraw | DrawLottery) -> None:
        """Have a draw's list at hand, and its winners."""
        rally = self.inputs.campaigns.rally(stamp_rally.NAME)
        done = self.decider.draws_done(c.draw)
        if stamp_rally.may_draw(c, day_of(c.at), rally, done) is not None:
            return
        committed = "commit" in done
        some = self._frozen(c.draw) if committed else self._new_list(c, rally)
        self.facts.listed = listing = Listed(some, committed)
        if isinstance(c, DrawLottery):
            self.decider.winners = self._numbers_of(listing.winners(c.draw, c.seed, c.winners))

    def _frozen(self, draw: int) -> list[Entrant]:
        return frozen(self.store, draw)

    def _new_list(self, c: CommitDraw | DrawLottery, rally: Rally) -> list[Entrant]:
        """A draw's list as it is now, without those on an earlier one, whatever became of their stamps since (STP-8)."""
        before = {one.account for earlier in range(1, c.draw) for one in self._frozen(earlier)}
        some = (one for one in self._complete(rally, c.at) if one[0] not in before)
        return listed(some, rally, c.draw, self.vault)

    def _complete(self, rally: Rally, until: int) -> Iterable[tuple[int, int, int]]:
        return complete(self.store, rally, until)

    def _numbers_of(self, accounts: list[int]) -> list[int]:
        """The present numbers of accounts."""
        rows = map(as_account, self.store.rows("accounts", ids=accounts))
        numbers = {account.account: account.number for account in rows}
        return [numbers[account] for account in accounts]

    def _runs(self, entry: Entry, c: RunGrants) -> list[GrantRun]:
        campaigns = self.inputs.campaigns
        return [
            GrantRun(entry, c, campaigns.of(name), campaigns.version(name))
            for name in campaigns.names
        ]

    def _grant(self, run: GrantRun, dues: list[Due]) -> None:
        """Grant to a range of accounts, in one batch; what collides is looked at again."""
        ids = [due.account for due in dues]
        for attempt in range(MOST_ATTEMPTS):
            try:
                self.store.begin(ids if attempt else None)
                self.forget()
                self._grant_once(run, dues, ids)
            except ConflictError as conflict:
                last = conflict
                self.give_up()
            except BaseException:
                self.give_up()
                raise
            else:
                return
        raise StoreError(f"{MOST_ATTEMPTS} times others were quicker ({last}); send the run again")

    def _grant_once(self, run: GrantRun, dues: list[Due], ids: list[int]) -> None:
        self.last = self._look()
        accounts = {row[0]: as_account(row) for row in self.store.rows("accounts", ids=ids)}
        newest = max(account.last_seq for account in accounts.values())
        self.clock = max(self.last.clock, clock_of(newest)) + 1
        batch = Batch(self.clock * WRITERS + self.store.writer)
        for due in dues:
            account = accounts[due.account]
            same = account.last_seq == due.last_seq
            owed = due.grants if same else run.due_again(self.store, account)
            if owed:
                run.put(batch, account, owed)
        batch.check()
        writes = self._close(batch)
        self.keep(Decided([], writes, []))
        self.forget()

    def again(self, entries: list[Entry]) -> list[Answer]:
        """Settle a batch that collided: another desk changed what it rested on.

        In smaller pieces, since the fewer cards in a piece, the rarer they meet; a piece that
        collides again locks its cards before it reads them.
        """
        _log.debug("a batch of %d commands collided and is decided anew", len(entries))
        size = max(1, len(entries) // PIECES)
        answers = []
        for start in range(0, len(entries), size):
            answers += self._insist(entries[start : start + size])
        return answers

    def _insist(self, entries: list[Entry]) -> list[Answer]:
        for attempt in range(MOST_ATTEMPTS):
            try:
                return self._attempt(entries, cards_of(entries) if attempt else None)
            except ConflictError as conflict:
                last = conflict
                if _log.isEnabledFor(logging.DEBUG):
                    names = [f"{one.sender} {one.command.id}" for one in entries if one.command]
                    _log.debug("collided: %s", conflict, extra={"commands": names})
        raise StoreError(
            f"{MOST_ATTEMPTS} times others were quicker ({last}); send the same lines again: what was kept is answered"
        )

    def _attempt(self, entries: list[Entry], lock: list[int] | None) -> list[Answer]:
        try:
            if self.store.begin(lock):
                self.forget()
            decided = self.prepare(entries)
            self.keep(decided)
        except BaseException:
            self.give_up()
            raise
        return decided.answers

    def prepare(self, entries: list[Entry]) -> Decided:
        """Decide a whole batch and lay out its rows."""
        return self.close(entries, *self.decide(entries))

    def close(self, entries: list[Entry], batch: Batch, answers: list[Answer]) -> Decided:
        """Lay out the rows of a decided batch. The next may be decided over it before it is kept."""
        self.facts.turn()
        return Decided(entries, self._close(batch), answers)

    def keep(self, decided: Decided) -> None:
        """Write and commit a prepared batch; when this returns its answers may leave."""
        if decided.writes is None:
            self.store.rollback()
            return
        started = perf_counter()
        self.store.start(decided.writes, _nobody)
        self.store.finish()
        self.kept(len(decided.entries), perf_counter() - started)

    def give_up(self) -> None:
        """Nothing that is decided and not committed counts any more."""
        self.forget()
        self.store.rollback()

    def forget(self) -> None:
        """Trust nothing in memory any more; the next batch looks at the store again."""
        self.facts.forget()
        self.last = None

    def take(self, asked: Asked) -> None:
        """Wait for the facts that were asked for."""
        self.facts.take(asked)

    def decide(
        self, entries: list[Entry], asked: Asked | None = None
    ) -> tuple[Batch, list[Answer]]:
        """Decide a batch over the facts that were asked for; nothing is written yet."""
        self.facts.take(asked or self.ask(entries))
        if self.last is None:
            self.last = self._look()
        self.clock = max(self.last.clock, clock_of(self.facts.newest)) + 1
        batch = Batch(self.clock * WRITERS + self.store.writer)
        self.decider.reads = batch.reads
        return batch, self._decide(batch, entries)

    def decide_more(self, batch: Batch, entries: list[Entry], asked: Asked) -> list[Answer] | None:
        """Decide further commands into the batch decided last.

        None, and nothing done, when one of their cards was written under a later clock than the
        batch's: along a card's history ids only rise, so they belong into the next batch.
        """
        self.facts.take(asked)
        if clock_of(self.facts.newest) >= self.clock:
            return None
        return self._decide(batch, entries)

    def _decide(self, batch: Batch, entries: list[Entry]) -> list[Answer]:
        answers: list[Answer] = []
        for start in range(0, len(entries), MOST_BETWEEN_PUMPS):
            self.pump()
            some = entries[start : start + MOST_BETWEEN_PUMPS]
            answers += [self._entry(batch, entry) for entry in some]
        batch.check()
        return answers

    def pump(self) -> None:
        """Let the batch under way go on, if there is one."""
        if self.overlaps:
            self.store.pump()

    def _close(self, batch: Batch) -> Writes | None:
        """The batch's rows, chained to our last ones."""
        if not batch.events:
            return None
        assert self.last is not None
        _, number, hash = self.last
        tariff, networks, campaigns = self.inputs
        versions = (tariff.version, networks.latest, campaigns.latest, self.code)
        writes = batch.close(Closing(self.store.writer, number + 1, hash, versions))
        self.last = Last(self.clock, number + 1, batch.hash)
        return writes

    def _look(self) -> Last:
        """The end of our chain, and whatever was loaded since we last looked."""
        (((tariff, network, newest, campaign),), ended) = self.store.ask(
            [("versions", {}), ("last_batch", {"writer": writer_name(self.store.writer)})]
        )
        inputs = self.inputs
        ours = inputs.tariff.version, inputs.networks.latest, inputs.campaigns.latest
        if any(new > old for new, old in zip((tariff, network, campaign), ours, strict=True)):
            self.inputs = load_inputs(self.store)
            self.decider = Decider(self.facts, self.inputs)
        clock = 0 if newest is None else newest // WRITERS
        return Last(clock, ended[0][1], ended[0][2]) if ended else Last(clock, 0, b"")

    def ask(self, entries: list[Entry]) -> Asked:
        """Ask the store for what the entries touch. One other batch may be decided before it answers."""
        return self.facts.ask(entries)

    # -- a command ---------------------------------------------------------------------------

    def _entry(self, batch: Batch, entry: Entry) -> Answer:
        c = entry.command
        if c is None:
            assert entry.broken is not None
            broken = entry.broken
            if broken.id is not None:
                if self.facts.stored.find((entry.sender, broken.id)) is not None:
                    return _no_answer(broken.id, "id-used")
                batch.reads.absent_ids.add((entry.sender, broken.id))
            return Answer(broken.id, INVALID, broken.reasons, [], _NOTHING)
        known = self.facts.stored.find((entry.sender, c.id))
        if known is not None:
            if known.digest != entry.digest:
                return _no_answer(c.id, "id-used")
            return _complete(c, answer_again(known))
        day = day_of(c.at)
        verdict, account, original = self.decider.decide(c, entry, day)
        seq = batch.next_seq()
        result = encode(verdict.result)
        event = Event(
            seq, NO_ACCOUNT if account is None else account.account, entry.sender, c.id, c.at,
            _NAMES[type(c)], c.channel, c.place, c.by, c.company, ACCEPTED, result.decode(),
            entry.digest,
        )  # fmt: skip
        _DETAILS[type(c)](c, event)
        if type(verdict) is No:
            event.outcome = verdict.outcome
            event.reasons = encode(verdict.reasons).decode()
            if account is not None and type(c) is Issue:
                event.account = NO_ACCOUNT  # a card that was not sold has no account
            answer = Answer(c.id, verdict.outcome, verdict.reasons, [], msgspec.Raw(result))
            if verdict.outcome == REFERRED:
                self._refer(event, account, answer)
        else:
            assert type(verdict) is Effect
            if account is not None:
                self._post(batch, c, event, account, verdict, original, day)
            else:
                if verdict.warnings:
                    event.warnings = encode(verdict.warnings).decode()
                if type(c) is ResolveCase:
                    self._close_case(batch, c, event, original)
            answer = Answer(c.id, ACCEPTED, [], verdict.warnings or [], msgspec.Raw(result))
            if type(c) not in _EVERYDAY:
                self.keeper.keep(batch, entry, event, account, verdict)
                _complete(c, answer)
        batch.events.append(event)
        self.facts.stored[entry.sender, c.id] = event
        return answer

    def _refer(self, event: Event, account: Account | None, answer: Answer) -> None:
        """What people are to decide is about a card: of a sale, the one that was to be sold."""
        assert account is not None
        event.number = account.number
        case = answer.case = case_of(event)
        assert case is not None
        self.facts.cases[case] = event, None

    def _close_case(
        self, batch: Batch, c: ResolveCase, event: Event, referred: Event | None
    ) -> None:
        assert referred is not None
        event.of = referred.seq
        batch.resolutions.append((referred.seq, referred.account, event.seq, event.at, c.decision))
        self.facts.cases[c.case] = referred, Resolved(c.decision, event.at)

    def _post(
        self, batch: Batch, c: Command, event: Event, account: Account, effect: Effect,
        original: Event | None, day: int,
    ) -> None:  # fmt: skip
        """Apply an acceptance to the account, the books and the rows to write."""
        seq = event.seq
        is_new = type(c) is Issue
        old_number = account.number
        event.prev = None if is_new else account.last_seq
        event.amount, event.deposit, event.points = effect.amount, effect.deposit, effect.points
        event.sets = effect.sets
        post(account, event)
        event.number = account.number
        event.balance = account.balance
        if event.sets is not None:
            event.sets = encode(event.sets).decode()
        if effect.warnings:
            event.warnings = encode(effect.warnings).decode()
        if original is not None:
            event.of = original.seq
            batch.reversals.append((original.seq, account.account, seq, event.at))
            self.facts.reversed[original.seq] = True
            transfers = mirror(self._transfers_of(original))
        else:
            transfers = book(c, effect)
        batch.take_transfers(event, day, transfers)
        if is_new:
            batch.new_accounts.add(account.account)
            batch.reads.account(account)
            batch.give_number(account.number, account.account, seq, c.at)
            self.facts.cards[account.number] = self.facts.accounts[account.account] = account
            return
        if type(c) not in _EVERYDAY or event.tender == "credit":
            batch.changed.add(account.account)
        if account.number != old_number:
            cause = account.stop_cause if event.do == "collect_reissue" else "moved"
            assert cause is not None and event.prev is not None
            batch.give_number(account.number, account.account, seq, c.at)
            batch.end_number(old_number, cause, c.at, event.prev, account.number)
            self.facts.cards[account.number] = account
            self.facts.cards[old_number] = Ended(account.account, cause, account.number)

    def _transfers_of(self, original: Event) -> list[Transfer]:
        """The transfers of an event that can be reversed: at most one, in its own row."""
        if original.yen == 0:
            return []
        assert original.debit is not None and original.credit is not None
        return [(original.debit, original.credit, original.yen)]


def _complete(c: Command, answer: Answer) -> Answer:
    """Put into an answer what its sender said and the journal does not keep."""
    if type(c) is JoinMembership and answer.outcome == ACCEPTED:
        kept = msgspec.json.decode(answer.result)
        answer.result = msgspec.Raw(encode({"member": c.member, **kept}))
    return answer


def _no_answer(id: str, code: str) -> Answer:
    return Answer(id, INVALID, [Reason(None, code, {"field": "id"})], [], _NOTHING)
