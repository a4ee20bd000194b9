"""What a batch will write, gathered while it is decided; and the hash that chains it to the last."""

import hashlib
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from farecard.ledger import chart
from farecard.ledger.booking import Totals, Transfer
from farecard.ledger.subtotals import ending_with, parts_of
from farecard.model.account import Account, Event, Person
from farecard.model.moments import moment_now
from farecard.storage.rows import account_row
from farecard.storage.store import EVERYDAY, Ask, Writes

SEQS_PER_BATCH = 65_536  # an event's seq is its batch * this + its place in it
WRITERS = 256  # a batch's id is its writer's clock * this + the writer
_encode = msgspec.msgpack.Encoder().encode


def clock_of(seq: int) -> int:
    """The writer's clock when the event of this seq was decided."""
    return seq // (SEQS_PER_BATCH * WRITERS)


def writer_name(writer: int) -> str:
    """The name a writer's chain of batches goes by."""
    return f"desk-{writer}"


class Reads:
    """What a batch's decisions rest on, beside what never changes."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}  # every account looked at
        self.was: dict[int, int] = {}  # the ``last_seq`` each was found with
        self.absent_numbers: set[int] = set()
        self.absent_ids: set[tuple[str, str]] = set()
        self.names: dict[bytes, int] = {}  # name_key: how many cards there were
        self.persons: dict[str, Person] = {}  # every person looked at
        self.was_person: dict[str, int | None] = {}  # the ``last_seq`` each was found with

    def account(self, account: Account) -> None:
        """Note an account before anything is done to it."""
        id = account.account
        if id not in self.was:
            self.was[id] = account.last_seq
            self.accounts[id] = account

    def person(self, person: Person) -> None:
        """Note a person before anything is done to it."""
        if person.key not in self.was_person:
            self.was_person[person.key] = person.last_seq
            self.persons[person.key] = person


class Closing(NamedTuple):
    """What is needed to turn a decided batch into rows: its place in the writer's chain."""

    writer: int
    number: int
    prev: bytes
    versions: tuple[int, int, int, str]  # of tariff, network, campaign and code


_everyday = attrgetter("account", *EVERYDAY)


class Batch:
    """The rows of one commit."""

    def __init__(self, id: int) -> None:
        self.id = id
        self.reads = Reads()
        self.events: list[Event] = []
        self.transfers: list[tuple[int, int, int, str, str, int]] = []
        self.totals = Totals()
        self.new_accounts: set[int] = set()
        self.changed: set[int] = set()  # accounts of which more changed than on an everyday
        self.new_numbers: dict[int, tuple[Any, ...]] = {}
        self.ended_numbers: list[tuple[str, int, int, int, int]] = []
        self.reversals: list[tuple[int, int, int, int]] = []
        self.resolutions: list[tuple[int, int, int, int, str]] = []
        self.holders: list[tuple[int, bytes, bytes, bytes, bytes]] = []
        self.payees: list[tuple[int, int, bytes]] = []
        self.applications: list[tuple[Any, ...]] = []
        self.notices: list[tuple[Any, ...]] = []
        self.granted: list[tuple[Any, ...]] = []
        self.new_persons: dict[str, tuple[bytes, bytes]] = {}  # their sealed columns
        self.of_a_run: set[int] = set()  # events that have no id of their own: the run's is theirs
        self.draws: list[tuple[Any, ...]] = []
        self.entrants: list[tuple[Any, ...]] = []
        self.members: list[tuple[int, bytes, bytes, bytes]] = []
        self.namesakes: dict[bytes, int] = {}  # name_key: how many cards there are now
        self.hash = b""
        self._balances = self._deposits = self._points = 0

    def next_seq(self) -> int:
        """The seq of the event that comes next."""
        return self.id * SEQS_PER_BATCH + len(self.events)

    def take_transfers(self, event: Event, day: int, transfers: list[Transfer]) -> None:
        """Put an acceptance's transfers in: the first into its own row."""
        self._balances += event.amount
        self._deposits += event.deposit
        self._points += event.points
        if not transfers:
            return
        event.debit, event.credit, event.yen = transfers[0]
        add = self.totals.add
        for transfer in transfers:
            add(day, transfer)
        if len(transfers) > 1:
            self.transfers += [
                (event.seq, event.account, n, *transfer)
                for n, transfer in enumerate(transfers[1:], 1)
            ]

    def give_number(self, number: int, account: int, seq: int, at: int) -> None:
        """A number is given out."""
        self.new_numbers[number] = (number, account, seq, at, None, None, None, None)

    def end_number(self, number: int, cause: str, at: int, head: int, successor: int) -> None:
        """A number is replaced; it may be one that this batch gave out."""
        new = self.new_numbers.get(number)
        if new is None:
            self.ended_numbers.append((cause, at, head, successor, number))
        else:
            self.new_numbers[number] = (*new[:4], cause, at, head, successor)

    def check(self) -> None:
        """Money is neither made nor lost: what the books say moved is what the cards say."""
        stored_fare = self.totals.net_credit(chart.STORED_FARE)
        held = self.totals.net_credit(chart.DEPOSITS_HELD)
        assert stored_fare == self._balances, f"stored fare {stored_fare} != {self._balances}"
        assert held == self._deposits, f"deposits {held} != {self._deposits}"
        points = self.totals.net_credit(chart.POINTS)
        assert points == self._points, f"points {points} != {self._points}"

    def close(self, closing: Closing) -> Writes:
        """Turn the batch into rows and chain it to the writer's last one."""
        events = [astuple(event) for event in self.events]
        totals = [
            (self.id, day, account, debit, credit)
            for (day, account), (debit, credit) in sorted(self.totals.sums().items())
        ]
        ats = [event.at for event in self.events]
        header = (
            self.id, writer_name(closing.writer), closing.number, moment_now(), min(ats), max(ats),
            len(ats), *closing.versions,
        )  # fmt: skip
        self.applications.sort()
        self.granted.sort()
        self.hash = chain_hash(
            closing.prev, header, events, self.transfers, totals, self.applications, self.granted,
            self.draws,
        )  # fmt: skip
        writes = Writes(
            {
                "number": [self.new_numbers[number] for number in sorted(self.new_numbers)],
                "account": [
                    account_row(self.reads.accounts[id]) for id in sorted(self.new_accounts)
                ],
                "command": sorted(
                    (e.sender, e.id, e.account, e.seq)
                    for e in self.events
                    if e.seq not in self.of_a_run
                ),
                "reversal": sorted(self.reversals),
                "resolution": sorted(self.resolutions),
                "holder": self.holders,
                "payee": self.payees,
                "member": self.members,
                "application": self.applications,
                "notice": sorted(self.notices),
                "granted": self.granted,
                "draw": self.draws,
                "entrant": self.entrants,
                "person": [self._person_row(key) for key in sorted(self.new_persons)],
                "event": events,
                "transfer": self.transfers,
                "total": totals,
                "batch": [(*header, closing.prev, self.hash)],
            },
            inputs=closing.versions[:3],
            ended_numbers=self.ended_numbers,
            subtotals=summing_up(self.id, closing.writer, closing.number),
        )
        self._rest_on(writes)
        return writes

    def _person_row(self, key: str) -> tuple[Any, ...]:
        person = self.reads.persons[key]
        return key, person.account, person.measures, person.last_seq, *self.new_persons[key]

    def _rest_on(self, writes: Writes) -> None:
        """Add the accounts, and what must still be as it was read."""
        reads = self.reads
        accounts = reads.accounts
        for id in sorted(reads.was):
            if id in self.new_accounts:
                continue
            account = accounts[id]
            if id in self.changed:
                writes.changed.append((reads.was[id], *account_row(account)))
            else:
                writes.everyday.append((reads.was[id], *_everyday(account)))
        writes.absent_numbers = sorted(reads.absent_numbers - self.new_numbers.keys())
        if reads.absent_ids:
            taken = {(event.sender, event.id) for event in self.events}
            writes.absent_ids = sorted(reads.absent_ids - taken)
        for key in sorted(reads.was_person):
            person, last_seq = reads.persons[key], reads.was_person[key]
            if last_seq is not None:
                state = person.account, person.measures, person.last_seq
                writes.persons.append((last_seq, key, *state))
            elif key not in self.new_persons:
                writes.absent_persons.append(key)
        writes.namesakes = [
            (key, was, self.namesakes.get(key, was)) for key, was in sorted(reads.names.items())
        ]


def summing_up(batch: int, writer: int, number: int) -> list[Ask]:
    """The statements that sum up the spans of a writer's chain that end with the batch of this number."""
    chain = {"batch": batch, "writer": writer_name(writer)}
    return [
        (
            "subtotal_of_batches" if level == 1 else "subtotal_of_subtotals",
            chain | {"level": level, "numbers": parts_of(level, number)},
        )
        for level in ending_with(number)
    ]


def chain_hash(
    prev: bytes, header: tuple[Any, ...], events: list[Any], transfers: list[Any], totals: list[Any],
    *more: list[Any],
) -> bytes:  # fmt: skip
    """The hash of a batch over the writer's previous one. The same rows from the store give it again.

    SHA-256 over the previous hash and the parts as MessagePack, rows as arrays in their columns' order; then, where
    there are any, the applications, the grants and the draws.
    """
    state = hashlib.sha256(prev)
    for part in (header, events, transfers, totals):
        state.update(_encode(part))
    if any(more):
        state.update(_encode(more))
    return state.digest()
