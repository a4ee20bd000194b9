"""The desk: lines in, decisions out, a batch at a time, each batch one commit.

read → load what they touch → decide one after the other → post → write → commit → answer.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from farecard.desk.batch import Batch, chain_hash
from farecard.desk.decide import Decider
from farecard.desk.facts import Ended, Facts, Stored
from farecard.ledger.booking import Transfer, book, mirror
from farecard.model.account import Account, Event, post
from farecard.model.commands import (
    COMMANDS,
    Command,
    Issue,
    Purchase,
    RefundByPost,
    Reverse,
    TapIn,
    TapOut,
    TopUp,
    name_of,
)
from farecard.model.moments import day_of, moment_now
from farecard.model.verdict import ACCEPTED, INVALID, Effect, No, Reason
from farecard.network import Networks
from farecard.rules.issue import counts_as_named
from farecard.storage.sqlite import SqliteStore
from farecard.storage.vault import Vault
from farecard.tariff import Tariff
from farecard.wire.answer import Answer, encode
from farecard.wire.diagnose import Broken
from farecard.wire.line import read_line

MOST_A_BATCH = 4096
_NOTHING = msgspec.Raw(b"{}")
_NAMES = {one: name_of(one) for one in COMMANDS}


def _no_details(c: Any, event: Event) -> None:
    """Most commands say nothing that needs a column of its own."""


def _tap_details(c: Any, event: Event) -> None:
    event.station = c.station


def _top_up_details(c: Any, event: Event) -> None:
    event.tender = c.tender
    event.station = c.station


def _purchase_details(c: Any, event: Event) -> None:
    event.merchant = c.merchant


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
}


class Entry(msgspec.Struct, gc=False):
    """One line as it was read: a command with its digest, or what is wrong with it."""

    sender: str
    command: Command | None
    digest: bytes
    broken: Broken | None = None


class Desk:
    """Decides journals against one store. Not thread-safe: one caller at a time."""

    def __init__(
        self, store: SqliteStore, vault: Vault, tariff: Tariff, networks: Networks, code: str
    ) -> None:
        self.store = store
        self.vault = vault
        self.tariff = tariff
        self.networks = networks
        self.code = code
        self.facts = Facts(store)
        self.decider = Decider(self.facts, tariff, networks)

    # -- a batch -----------------------------------------------------------------------------

    def run(self, lines: Sequence[tuple[str, bytes]]) -> list[Answer]:
        """Decide (sender, line) pairs in order and commit; the answers are durable."""
        return self.settle(self.read(lines))

    def read(self, lines: Sequence[tuple[str, bytes]]) -> list[Entry]:
        """Decode lines; needs no store."""
        digest = self.vault.digest
        entries = []
        for sender, line in lines:
            command, canonical = read_line(line)
            if isinstance(command, Broken):
                entries.append(Entry(sender, None, b"", command))
            else:
                entries.append(Entry(sender, command, digest(canonical)))
        return entries

    def settle(self, entries: list[Entry]) -> list[Answer]:
        """Decide what was read, and commit."""
        try:
            if self.store.begin():
                self.facts.forget()
            batch, answers, prev = self.decide(entries)
            if batch.events:
                self._write(batch, prev)
                self.store.commit()
            else:
                self.store.rollback()
        except BaseException:
            self.facts.forget()
            self.store.rollback()
            raise
        self.facts.after_commit()
        return answers

    def decide(self, entries: list[Entry]) -> tuple[Batch, list[Answer], tuple[int, bytes]]:
        """Decide a batch over the facts; nothing is written yet."""
        id, number, prev = self._last_batch()
        batch = Batch(id + 1)
        keys = self._load(entries)
        answers = [self._entry(batch, entry, keys) for entry in entries]
        batch.check()
        return batch, answers, (number + 1, prev)

    def _last_batch(self) -> tuple[int, int, bytes]:
        rows = self.store.rows("last_batch")
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else (0, 0, b"")

    def _load(self, entries: list[Entry]) -> dict[str, tuple[bytes, bytes]]:
        """Load what the entries touch; gives each named holder's digests by command id."""
        ids: dict[str, list[str]] = {}
        commands = []
        keys: dict[str, tuple[bytes, bytes]] = {}
        for entry in entries:
            c = entry.command
            if c is None:
                assert entry.broken is not None
                if entry.broken.id is not None:
                    ids.setdefault(entry.sender, []).append(entry.broken.id)
                continue
            commands.append(c)
            some = ids.get(entry.sender)
            if some is None:
                some = ids[entry.sender] = []
            some.append(c.id)
            if type(c) is Reverse:
                some.append(c.of)
            elif type(c) is Issue and c.holder is not None and counts_as_named(c.kind):
                holder = c.holder
                match = self.vault.match
                keys[c.id] = match(holder.kana, holder.born), match(holder.phone)
        self.facts.load(ids, commands, [name for name, _ in keys.values()])
        return keys

    # -- a command ---------------------------------------------------------------------------

    def _entry(self, batch: Batch, entry: Entry, keys: dict[str, tuple[bytes, bytes]]) -> Answer:
        c = entry.command
        if c is None:
            assert entry.broken is not None
            broken = entry.broken
            if broken.id is not None and (entry.sender, broken.id) in self.facts.stored:
                return _no_answer(broken.id, "id-used")
            return Answer(broken.id, INVALID, broken.reasons, [], _NOTHING)
        known = self.facts.stored.get((entry.sender, c.id))
        if known is not None:
            if known.digest != entry.digest:
                return _no_answer(c.id, "id-used")
            answer = known.answer
            return Answer(
                answer.id, answer.outcome, answer.reasons, answer.warnings, answer.result, True
            )
        day = day_of(c.at)
        who = keys.get(c.id)
        verdict, account, original = self.decider.decide(c, entry.sender, day, who)
        seq = batch.next_seq()
        result = encode(verdict.result)
        event = Event(
            seq, None if account is None else account.account, None, None, entry.sender, c.id,
            c.at, _NAMES[type(c)], c.channel, c.place, c.by, c.company, ACCEPTED, 0, None, 0, 0,
            None, None, 0, None, None, None, None, None, None, None, None,
            result.decode(), entry.digest,
        )  # fmt: skip
        _DETAILS[type(c)](c, event)
        if type(verdict) is No:
            event.outcome = verdict.outcome
            event.reasons = encode(verdict.reasons).decode()
            if account is not None and type(c) is Issue:
                event.account = None  # a card that was not sold has no account
            answer = Answer(c.id, verdict.outcome, verdict.reasons, [], msgspec.Raw(result))
        else:
            assert type(verdict) is Effect and account is not None
            self._post(batch, c, event, account, verdict, original, day)
            if type(c) is Issue and c.holder is not None:
                self._keep_holder(batch, c, who)
            answer = Answer(c.id, ACCEPTED, [], verdict.warnings or [], msgspec.Raw(result))
        batch.events.append(event)
        self.facts.stored[entry.sender, c.id] = Stored(entry.digest, event, answer)
        return answer

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
            batch.reversals.append((original.seq, account.account, seq))
            self.facts.reversed.add(original.seq)
            transfers = mirror(self._transfers_of(original))
        else:
            transfers = book(c, effect)
        batch.take_transfers(event, day, transfers)
        if is_new:
            batch.new_accounts[account.account] = account
            batch.new_numbers.append((account.number, account.account, seq, c.at))
            self.facts.cards[account.number] = self.facts.accounts[account.account] = account
            return
        if account.account not in batch.new_accounts:
            batch.changed[account.account] = account
        if account.number != old_number:
            cause = account.stop_cause if event.do == "collect_reissue" else "moved"
            assert cause is not None and event.prev is not None
            batch.new_numbers.append((account.number, account.account, seq, c.at))
            batch.ended_numbers.append((cause, c.at, event.prev, account.number, old_number))
            self.facts.cards[account.number] = account
            self.facts.cards[old_number] = Ended(account.account, cause, account.number)
        if type(c) is RefundByPost:
            self._keep_payee(batch, c, account, seq)

    def _transfers_of(self, original: Event) -> list[Transfer]:
        """The transfers of an event that can be reversed: at most one, in its own row."""
        if original.yen == 0:
            return []
        assert original.debit is not None and original.credit is not None
        return [Transfer(original.debit, original.credit, original.yen)]

    # -- personal data -----------------------------------------------------------------------

    def _keep_holder(self, batch: Batch, c: Issue, keys: tuple[bytes, bytes] | None) -> None:
        holder = c.holder
        assert holder is not None
        key, wrapped = self.vault.new_subject()
        sealed = self.vault.seal(key, encode(holder))
        if keys is None:
            match = self.vault.match
            keys = match(holder.kana, holder.born), match(holder.phone)
        batch.holders.append((c.card, *keys, wrapped, sealed))
        if counts_as_named(c.kind):
            self.facts.holders.setdefault(keys[0], []).append((c.card, keys[1]))

    def _keep_payee(self, batch: Batch, c: RefundByPost, account: Account, seq: int) -> None:
        key, wrapped = self.vault.new_subject()
        sealed = self.vault.seal(key, encode(c.bank_account))
        batch.payees.append((account.account, seq, wrapped + sealed))

    # -- writing -----------------------------------------------------------------------------

    def _write(self, batch: Batch, chain: tuple[int, bytes]) -> None:
        number, prev = chain
        write = self.store.write
        events = batch.event_rows()
        totals = batch.total_rows()
        ats = [event.at for event in batch.events]
        header = (
            batch.id, "desk", number, moment_now(), min(ats), max(ats), len(events),
            self.tariff.version, self.networks.latest, 0, self.code,
        )  # fmt: skip
        write("event", events)
        write("command", [(e.sender, e.id, e.digest, e.seq) for e in batch.events])
        write("transfer", batch.transfers)
        write("total", totals)
        astuple = msgspec.structs.astuple
        write("new_account", [astuple(a) for a in batch.new_accounts.values()])
        changed = [astuple(a) for a in batch.changed.values()]
        write("account", [(*row[1:], row[0]) for row in changed])
        write("new_number", batch.new_numbers)
        write("number", batch.ended_numbers)
        write("reversal", batch.reversals)
        write("holder", batch.holders)
        write("payee", batch.payees)
        hash = chain_hash(prev, header, events, batch.transfers, totals)
        write("batch", [(*header, prev, hash)])


class DryDesk(Desk):
    """The same desk, keeping nothing: what it decided lives in its facts alone (``farecard try``)."""

    def __init__(
        self,
        store: SqliteStore | None,
        vault: Vault,
        tariff: Tariff,
        networks: Networks,
    ) -> None:
        """``store`` is read and never written; None: an empty one."""
        self.vault = vault
        self.facts = Facts(store)
        self.decider = Decider(self.facts, tariff, networks)
        self._batches = 0
        if store is not None:
            store.begin_reading()
            self.store = store
            self._batches = super()._last_batch()[0]

    def settle(self, entries: list[Entry]) -> list[Answer]:
        """Decide what was read; nothing is written."""
        return self.decide(entries)[1]

    def _last_batch(self) -> tuple[int, int, bytes]:
        self._batches += 1
        return self._batches, 0, b""


def _no_answer(id: str, code: str) -> Answer:
    return Answer(id, INVALID, [Reason(None, code, {"field": "id"})], [], _NOTHING)
