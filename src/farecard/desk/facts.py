"""The desk's working set: what a batch touches, loaded in a few statements and decided upon in memory."""

from typing import Generic, TypeVar

import msgspec

from farecard.model.account import NO_ACCOUNT, Account, Event
from farecard.model.commands import CollectReissue, Command, MoveToPhone, Reverse
from farecard.model.verdict import Reason
from farecard.rules.refund import read_paper
from farecard.storage.rows import as_account, as_event
from farecard.storage.store import Ask, Row, Store
from farecard.wire.answer import Answer

KEEP_ACCOUNTS = 10_240  # twice: those of the newest batches, and those of the ones before
_reasons = msgspec.json.Decoder(list[Reason]).decode


class Ended(msgspec.Struct, gc=False):
    """A number that was replaced."""

    account: int
    cause: str
    successor: int


class Stored(msgspec.Struct, gc=False):
    """A remembered command: the digest of its body, its event and its decision."""

    digest: bytes
    event: Event
    answer: Answer


def stored_answer(event: Event) -> Answer:
    """The decision a remembered command got."""
    return Answer(
        event.id,
        event.outcome,
        [] if event.reasons is None else _reasons(event.reasons),
        [] if event.warnings is None else _reasons(event.warnings),
        msgspec.Raw(event.result.encode()),
    )


K = TypeVar("K")
V = TypeVar("V")


class Recent(dict[K, V], Generic[K, V]):
    """What was met lately: by the batch being decided, and by those before it until they are kept."""

    def __init__(self) -> None:
        self.before: dict[K, V] = {}

    def recall(self, key: K) -> bool:
        """Whether it is here, brought forward if it was met before."""
        if key in self:
            return True
        if key in self.before:
            self[key] = self.before[key]
            return True
        return False

    def turn(self) -> None:
        """Another batch begins: what the last one met becomes what was met before."""
        self.before = dict(self)
        self.clear()

    def forget(self) -> None:
        """Know nothing any more."""
        self.before = {}
        self.clear()


class Facts:
    """Cards, accounts, remembered commands and holders, as they stand after what was decided so far.

    Also over batches that are decided and not yet kept: there is at most one of them.
    """

    def __init__(self, store: Store | None) -> None:
        """``store`` is where facts come from; None: there is nothing but what is decided here."""
        self.store = store
        self.cards: Recent[int, Account | Ended | None] = Recent()
        self.accounts: Recent[int, Account] = Recent()
        self.stored: Recent[tuple[str, str], Stored] = Recent()
        self.reversed: Recent[int, bool] = Recent()
        self.holders: Recent[bytes, list[tuple[int, bytes]]] = Recent()
        self.namesakes: Recent[bytes, int] = Recent()
        self.newest = 0  # the largest seq that an account was found with
        self.newest_network = 0

    def forget(self) -> None:
        """Drop everything: someone else wrote, or a batch was given up."""
        for one in (
            self.cards,
            self.accounts,
            self.stored,
            self.reversed,
            self.holders,
            self.namesakes,
        ):
            one.forget()

    def turn(self) -> None:
        """A batch is decided. Keep its cards at hand, within bounds; the rest until it is kept."""
        self.stored.turn()
        self.reversed.turn()
        self.holders.turn()
        self.namesakes.turn()
        if len(self.accounts) > KEEP_ACCOUNTS or len(self.cards) > KEEP_ACCOUNTS:
            self.accounts.turn()
            self.cards.turn()

    # -- loading -----------------------------------------------------------------------------

    def load(self, ids: dict[str, list[str]], commands: list[Command], names: list[bytes]) -> None:
        """Bring in what these commands touch.

        ``ids`` are the remembered ids to look for, by sender; ``names`` the name keys of new holders.
        """
        wanted: set[int] = set()
        accounts: set[int] = set()
        for c in commands:
            kind = type(c)
            if kind is Reverse:
                continue
            wanted.add(c.card)  # type: ignore[attr-defined]  # every other command names a card
            if kind is MoveToPhone:
                wanted.add(c.to)  # type: ignore[attr-defined]
            elif kind is CollectReissue:
                paper = read_paper("S", c.slip)  # type: ignore[attr-defined]
                if paper is not None:
                    wanted.add(paper[0])
                    accounts.add(paper[0])
        numbers = []
        for number in wanted:
            if not self.cards.recall(number):
                numbers.append(number)
                continue
            card = self.cards[number]
            if type(card) is Account:
                self.accounts[card.account] = card  # one card, one object
            elif type(card) is Ended:
                accounts.add(card.account)
        if self.store is None:
            self.cards.update(dict.fromkeys(numbers))
            for sender, some in ids.items():
                for id in some:
                    self.stored.recall((sender, id))
            for key in names:
                if not self.namesakes.recall(key):
                    self.namesakes[key], self.holders[key] = 0, []
            return
        self._load(ids, names, numbers, accounts)

    def _load(
        self, ids: dict[str, list[str]], names: list[bytes], numbers: list[int], accounts: set[int]
    ) -> None:  # fmt: skip
        """One round trip for what most batches need, more for what turns up in it."""
        assert self.store is not None
        asks: list[Ask] = []
        senders = []
        for sender, some in ids.items():
            new = []
            for id in some:
                if self.stored.recall((sender, id)):
                    accounts.add(self.stored[sender, id].event.account)
                else:
                    new.append(id)
            if new:
                senders.append(sender)
                asks.append(("commands", {"sender": sender, "ids": new}))
        keys = []
        for key in dict.fromkeys(names):
            if self.namesakes.recall(key) and self.holders.recall(key):
                accounts.update(account for account, _ in self.holders[key])
            else:
                keys.append(key)
        for key in keys:
            asks.append(("namesakes", {"name_key": key}))
            asks.append(("holders", {"name_key": key}))
        # an account's first number is its id, so most cards need one look-up only
        accounts.discard(NO_ACCOUNT)
        first = self._missing({*numbers, *accounts})
        if first:
            asks.append(("accounts", {"ids": first}))
        if self.store.overlaps:  # others write too, and we hold no lock: look for a new network
            asks.append(("newest_network", {}))
        if not asks:
            return
        found = iter(self.store.ask(asks))
        met = [(sender, next(found)) for sender in senders]
        more: set[int] = set()
        for key in keys:
            cards, holders = next(found), next(found)
            self.namesakes[key] = cards[0][1] if cards else 0
            self.holders[key] = [(account, phone) for _, account, phone in holders]
            more.update(account for _, account, _ in holders)
        if first:
            self._take_accounts(next(found))
        if self.store.overlaps:
            self.newest_network = next(found)[0][0]
        self._take_stored(met, more)
        self._load_cards(numbers, more)

    def _take_stored(self, met: list[tuple[str, list[Row]]], accounts: set[int]) -> None:
        """Remembered commands that came again or are to be reversed: their events and accounts."""
        assert self.store is not None
        seqs = [row[2] for _, rows in met for row in rows]
        if not seqs:
            return
        owners = sorted({row[1] for _, rows in met for row in rows})
        reversible = []
        for row in self.store.rows("events", seqs=seqs, accounts=owners):
            event = as_event(row)
            self.stored[event.sender, event.id] = Stored(event.digest, event, stored_answer(event))
            if event.account != NO_ACCOUNT:
                accounts.add(event.account)
            if event.do in _REVERSIBLE:
                reversible.append(event.seq)
        if reversible:
            for (of,) in self.store.rows("reversed", ids=reversible, accounts=owners):
                self.reversed[of] = True

    def _load_cards(self, numbers: list[int], accounts: set[int]) -> None:
        """Turn numbers into cards, and bring in the accounts that turned up on the way."""
        rest = []
        for number in numbers:
            account = self.accounts.get(number)
            if account is not None and account.number == number:
                self.cards[number] = account
            else:
                rest.append(number)
        assert self.store is not None
        rows = self.store.rows("numbers", ids=rest) if rest else []
        missing = self._missing({*accounts, *(row[1] for row in rows)})
        if missing:
            self._take_accounts(self.store.rows("accounts", ids=missing))
        self.cards.update(dict.fromkeys(rest))
        for number, account, ended, successor in rows:
            self.cards[number] = (
                self.accounts[account] if ended is None else Ended(account, ended, successor)
            )

    def _missing(self, ids: set[int]) -> list[int]:
        return sorted(id for id in ids if not self.accounts.recall(id))

    def _take_accounts(self, rows: list[Row]) -> None:
        newest = self.newest
        for row in rows:
            account = self.accounts[row[0]] = as_account(row)
            newest = max(newest, account.last_seq)
        self.newest = newest

    # -- asking ------------------------------------------------------------------------------

    def same_name(self, name_key: bytes, phone_key: bytes) -> list[tuple[Account, bool]]:
        """The accounts of holders with this name and birthday, and whether the phone agrees."""
        return [
            (self.accounts[account], phone == phone_key)
            for account, phone in self.holders.get(name_key, ())
        ]


_REVERSIBLE = ("purchase", "top_up", "tap_out")
