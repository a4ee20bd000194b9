"""What a batch will write, gathered while it is decided; and the hash that chains it to the last."""

import hashlib
from typing import Any

import msgspec
from msgspec.structs import astuple

from farecard.ledger import chart
from farecard.ledger.booking import Totals, Transfer
from farecard.model.account import Account, Event
from farecard.model.moments import moment_now

SEQS_PER_BATCH = 65_536  # an event's seq is its batch * this + its place in it
_encode = msgspec.json.Encoder().encode
WRITER = "desk"


class Batch:
    """The rows of one commit."""

    def __init__(self, id: int) -> None:
        self.id = id
        self.events: list[Event] = []
        self.transfers: list[tuple[int, int, str, str, int]] = []
        self.totals = Totals()
        self.accounts: dict[int, Account] = {}
        self.new_numbers: list[tuple[Any, ...]] = []
        self.ended_numbers: list[tuple[str, int, int, int, int]] = []
        self.reversals: list[tuple[int, int, int]] = []
        self.holders: list[tuple[int, bytes, bytes, bytes, bytes]] = []
        self.payees: list[tuple[int, int, bytes]] = []
        self.rows: dict[str, list[Any]] = {}
        self._balances = self._deposits = 0

    def next_seq(self) -> int:
        """The seq of the event that comes next."""
        return self.id * SEQS_PER_BATCH + len(self.events)

    def take_transfers(self, event: Event, day: int, transfers: list[Transfer]) -> None:
        """Put an acceptance's transfers in: the first into its own row."""
        self._balances += event.amount
        self._deposits += event.deposit
        if not transfers:
            return
        event.debit, event.credit, event.yen = transfers[0]
        add = self.totals.add
        for transfer in transfers:
            add(day, transfer)
        if len(transfers) > 1:
            self.transfers += [
                (event.seq, n, *transfer) for n, transfer in enumerate(transfers[1:], 1)
            ]

    def check(self) -> None:
        """Money is neither made nor lost: what the books say moved is what the cards say."""
        stored_fare = self.totals.net_credit(chart.STORED_FARE)
        held = self.totals.net_credit(chart.DEPOSITS_HELD)
        assert stored_fare == self._balances, f"stored fare {stored_fare} != {self._balances}"
        assert held == self._deposits, f"deposits {held} != {self._deposits}"

    def freeze(self) -> None:
        """Turn the batch into rows."""
        self.rows = {
            "event": [astuple(event) for event in self.events],
            "command": [(e.sender, e.id, e.digest, e.seq) for e in self.events],
            "transfer": self.transfers,
            "total": [
                (self.id, day, account, debit, credit)
                for (day, account), (debit, credit) in sorted(self.totals.sums.items())
            ],
            "account": [astuple(account) for account in self.accounts.values()],
            "number": self.new_numbers,
            "reversal": self.reversals,
            "holder": self.holders,
            "payee": self.payees,
        }

    def header(self, number: int, versions: tuple[int, int, int, str]) -> tuple[Any, ...]:
        """The batch's own row without its hashes."""
        ats = [event.at for event in self.events]
        first, last = min(ats), max(ats)
        return (self.id, WRITER, number, moment_now(), first, last, len(ats), *versions)

    def seal(self, prev: bytes, header: tuple[Any, ...]) -> bytes:
        """Chain the batch to the one before; gives its hash."""
        rows = self.rows
        hash = chain_hash(prev, header, rows["event"], rows["transfer"], rows["total"])
        rows["batch"] = [(*header, prev, hash)]
        return hash


def chain_hash(
    prev: bytes, header: tuple[Any, ...], events: list[Any], transfers: list[Any], totals: list[Any]
) -> bytes:
    """The hash of a batch over the writer's previous one. The same rows from the store give it again."""
    state = hashlib.sha256(prev)
    for part in (header, events, transfers, totals):
        state.update(_encode(part))
    return state.digest()
