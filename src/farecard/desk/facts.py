"""The desk's working set: what a batch touches, loaded in a few statements and decided upon in memory."""

import msgspec

from farecard.model.account import Account, Event
from farecard.model.commands import CollectReissue, Command, MoveToPhone, Reverse
from farecard.model.verdict import Reason
from farecard.rules.refund import read_paper
from farecard.storage.rows import as_event
from farecard.storage.sqlite import SqliteStore
from farecard.wire.answer import Answer

KEEP_ACCOUNTS = 20_480
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


class Facts:
    """Cards, accounts, remembered commands and holders, as they stand after what was decided so far."""

    def __init__(self, store: SqliteStore | None) -> None:
        """``store`` is where facts come from; None: there is nothing but what is decided here."""
        self.store = store
        self.cards: dict[int, Account | Ended | None] = {}
        self.accounts: dict[int, Account] = {}
        self.stored: dict[tuple[str, str], Stored] = {}
        self.reversed: set[int] = set()
        self.holders: dict[bytes, list[tuple[int, bytes]]] = {}

    def forget(self) -> None:
        """Drop everything: someone else wrote, or a batch was given up."""
        self.cards.clear()
        self.accounts.clear()
        self._forget_batch()

    def after_commit(self) -> None:
        """Keep cards for the next batch, within bounds; the rest is read again when needed."""
        self._forget_batch()
        if len(self.accounts) > KEEP_ACCOUNTS or len(self.cards) > 2 * KEEP_ACCOUNTS:
            self.cards.clear()
            self.accounts.clear()

    def _forget_batch(self) -> None:
        self.stored.clear()
        self.reversed.clear()
        self.holders.clear()

    # -- loading -----------------------------------------------------------------------------

    def load(
        self, ids: dict[str, list[str]], commands: list[Command], name_keys: list[bytes]
    ) -> None:
        """Bring in what these commands touch. ``ids`` are the remembered ids to look for, by sender."""
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
                    accounts.add(paper[0])
        if self.store is None:
            self.cards.update({number: None for number in wanted if number not in self.cards})
            return
        for sender, some in ids.items():
            for row in self.store.rows("commands", sender=sender, ids=some):
                event = as_event(row)
                self.stored[sender, event.id] = Stored(event.digest, event, stored_answer(event))
                if event.account is not None:
                    accounts.add(event.account)
        reversals = [s.event.seq for s in self.stored.values() if s.event.do in _REVERSIBLE]
        if reversals and any(type(c) is Reverse for c in commands):
            self.reversed.update(of for (of,) in self.store.rows("reversed", ids=reversals))
        for name_key in name_keys:
            if name_key not in self.holders:
                rows = self.store.rows("holders", name_key=name_key)
                self.holders[name_key] = [(account, phone) for _, account, phone in rows]
                accounts.update(account for _, account, _ in rows)
        self._load_cards([n for n in wanted if n not in self.cards], accounts)

    def _load_cards(self, numbers: list[int], accounts: set[int]) -> None:
        """Cards by number. An account's first number is its id, so most need one look-up only."""
        self._load_accounts({*numbers, *accounts})
        rest = []
        for number in numbers:
            account = self.accounts.get(number)
            if account is not None and account.number == number:
                self.cards[number] = account
            else:
                rest.append(number)
        if not rest:
            return
        assert self.store is not None
        rows = self.store.rows("numbers", ids=rest)
        self._load_accounts({row[1] for row in rows})
        self.cards.update(dict.fromkeys(rest))
        for number, account, ended, successor in rows:
            self.cards[number] = (
                self.accounts[account] if ended is None else Ended(account, ended, successor)
            )

    def _load_accounts(self, ids: set[int]) -> None:
        missing = [one for one in ids if one not in self.accounts]
        if missing:
            assert self.store is not None
            for row in self.store.rows("accounts", ids=missing):
                self.accounts[row[0]] = Account(*row)

    # -- asking ------------------------------------------------------------------------------

    def same_name(self, name_key: bytes, phone_key: bytes) -> list[tuple[Account, bool]]:
        """The accounts of holders with this name and birthday, and whether the phone agrees."""
        return [
            (self.accounts[account], phone == phone_key)
            for account, phone in self.holders.get(name_key, ())
        ]


_REVERSIBLE = ("purchase", "top_up", "tap_out")
