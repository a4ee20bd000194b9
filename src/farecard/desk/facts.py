"""The desk's working set: what a batch touches, loaded in a few statements and decided upon in memory."""

from typing import Generic, TypeVar

import msgspec

from farecard.desk.drawing import Listed
from farecard.desk.entries import Asked, Entry, touched
from farecard.model.account import NO_ACCOUNT, Account, Event, Person
from farecard.model.verdict import Reason
from farecard.rules.referral import Resolved, card_of_case, case_of
from farecard.storage.rows import as_account, as_event
from farecard.storage.store import Ask, Row, Store
from farecard.wire.answer import Answer

KEEP_ACCOUNTS = (
    2_048  # of the newest batches, and those of the ones before: few enough for a processor's cache
)
_reasons = msgspec.json.Decoder(list[Reason]).decode


class Ended(msgspec.Struct, gc=False):
    """A number that was replaced."""

    account: int
    cause: str
    successor: int


def answer_again(event: Event) -> Answer:
    """The decision a remembered command got."""
    return Answer(
        event.id,
        event.outcome,
        [] if event.reasons is None else _reasons(event.reasons),
        [] if event.warnings is None else _reasons(event.warnings),
        msgspec.Raw(event.result.encode()),
        repeated=True,
        case=case_of(event),
    )


Case = tuple[Event, Resolved | None]  # what was referred, and how it was closed
K = TypeVar("K")
V = TypeVar("V")


class Recent(dict[K, V], Generic[K, V]):
    """What was met lately: by the batch being decided, and by those before it until they are kept."""

    def __init__(self, before: "Recent[K, V] | None" = None) -> None:
        self.before: dict[K, V] = {} if before is None else before

    def recall(self, key: K) -> bool:
        """Whether it is here, brought forward if it was met before."""
        if key in self:
            return True
        if key in self.before:
            self[key] = self.before[key]
            return True
        return False

    def find(self, key: K) -> V | None:
        """What it is, wherever it was met; None when it was not."""
        found = self.get(key)
        return self.before.get(key) if found is None else found

    def turned(self) -> "Recent[K, V]":
        """Another batch begins: what the last one met is what was met before."""
        self.before = {}
        return Recent(self)


class Facts:
    """Cards, accounts, remembered commands and holders, as they stand after what was decided so far.

    Also over batches that are decided and not yet kept: there is at most one of them. What is in
    memory is always newer than what the store answers.
    """

    def __init__(self, store: Store | None) -> None:
        """``store`` is where facts come from; None: there is nothing but what is decided here."""
        self.store = store
        self.newest = 0  # the largest seq that an account was found with
        self.epoch = 0  # how often all was forgotten
        self.listed: Listed | None = None  # of the draw that is being decided
        self.turns = 0  # how often what was met became what was met before
        self.forget()

    def forget(self) -> None:
        """Drop everything: someone else wrote, or a batch was given up."""
        self.epoch += 1
        self.turns += 1
        self.cards: Recent[int, Account | Ended | None] = Recent()
        self.accounts: Recent[int, Account] = Recent()
        self.stored: Recent[tuple[str, str], Event] = Recent()  # remembered commands
        self.reversed: Recent[int, bool] = Recent()
        self.cases: Recent[str, Case] = Recent()  # that came up or were closed
        self.asked_cases: dict[str, Case] = {}  # as the store has them
        self.holders: Recent[bytes, list[tuple[int, bytes]]] = Recent()
        self.namesakes: Recent[bytes, int] = Recent()
        self.persons: Recent[str, Person] = Recent()
        self.draws: dict[int, set[str]] = {}  # what of each draw was done and is not kept yet
        self.notices: Recent[str, list[tuple[str, int, int]]] = Recent()  # what, at, seq

    def turn(self) -> None:
        """A batch is decided. Keep its cards at hand, within bounds; the rest until it is kept."""
        self.turns += 1
        self.stored = self.stored.turned()
        self.reversed = self.reversed.turned()
        self.cases = self.cases.turned()
        self.asked_cases = {}  # others may close them
        self.holders = self.holders.turned()
        self.namesakes = self.namesakes.turned()
        self.persons = self.persons.turned()
        self.notices = self.notices.turned()
        if len(self.accounts) > KEEP_ACCOUNTS or len(self.cards) > KEEP_ACCOUNTS:
            self.accounts = self.accounts.turned()
            self.cards = self.cards.turned()

    # -- loading -----------------------------------------------------------------------------

    def ask(self, entries: list[Entry]) -> Asked:
        """Ask the store for what these touch; ``take`` waits for what it says.

        Between the two one other batch may be decided.
        """
        asked = touched(entries)
        self._send(asked)
        return asked

    def _send(self, asked: Asked) -> None:
        """One round trip for what most batches need; ``take`` sees to what turns up in it."""
        asked.epoch = self.epoch
        asked.answered = False
        if self.store is None:
            return
        near, far = self.cards, self.cards.before
        # an account's first number is its id, so most cards need one look-up only
        first = {number for number in asked.numbers if number not in near and number not in far}
        first.update(self._missing(asked.accounts))
        asked.first = sorted(first)
        asked.keys = [key for key in asked.names if not self._knows_name(key)]
        asks: list[Ask] = [
            ("commands", {"sender": sender, "ids": ids}) for sender, ids in asked.ids.items()
        ]
        for key in asked.keys:
            asks.append(("namesakes", {"name_key": key}))
            asks.append(("holders", {"name_key": key}))
        asked.people = [key for key in asked.persons if not self._knows_person(key)]
        if asked.people:
            asks.append(("persons", {"people": asked.people}))
            asks.append(("notices", {"people": asked.people}))
        if first:
            asks.append(("accounts", {"ids": asked.first}))
        self.store.send(asks)

    def take(self, asked: Asked) -> None:
        """Bring in what was asked for, and what turns up on the way."""
        if asked.taken == self.turns:
            return
        dropped = asked.answered and not (
            all(map(self._knows_name, asked.names)) and all(map(self._knows_person, asked.persons))
        )
        if dropped or asked.epoch != self.epoch:  # it, or all, was forgotten since
            self._send(asked)
        asked.taken = self.turns
        met: list[tuple[str, list[Row]]] = []
        accounts = set(asked.accounts)
        if self.store is not None and not asked.answered:
            met = self._receive(self.store, asked)
        asked.answered = True
        for key in asked.names:
            if not self._knows_name(key):
                self.namesakes[key], self.holders[key] = 0, []
            accounts.update(account for account, _ in self.holders[key])
        for person in asked.persons:
            if not self._knows_person(person):
                self.persons[person], self.notices[person] = Person(person), []
            owner = self.persons[person].account
            if owner != NO_ACCOUNT:
                accounts.add(owner)
        self._take_stored(met)
        for original in asked.originals:
            event = self.stored.find(original)
            if event is not None:
                accounts.add(event.account)
                self.reversed.recall(event.seq)
        for case in asked.cases:
            self._take_case(case)
        self._take_cards(asked.numbers, accounts)

    def _receive(self, store: Store, asked: Asked) -> list[tuple[str, list[Row]]]:
        """What the store says; gives the commands it remembers, by sender."""
        found = iter(store.receive())
        met = [(sender, next(found)) for sender in asked.ids]
        for key in asked.keys:
            cards, holders = next(found), next(found)
            if not self._knows_name(key):
                self.namesakes[key] = cards[0][1] if cards else 0
                self.holders[key] = [(account, phone) for _, account, phone in holders]
        if asked.people:
            self._take_persons(asked.people, next(found), next(found))
        if asked.first:
            self._take_accounts(next(found))
        return met

    def _take_persons(self, people: list[str], rows: list[Row], notices: list[Row]) -> None:
        new = {key for key in people if not self._knows_person(key)}
        for row in rows:
            if row[0] in new:
                self.persons[row[0]], self.notices[row[0]] = Person(*row), []
        for key, *notice in notices:
            if key in new:
                self.notices[key].append(tuple(notice))

    def _knows_person(self, key: str) -> bool:
        return self.persons.recall(key) and self.notices.recall(key)

    def _knows_name(self, key: bytes) -> bool:
        return self.namesakes.recall(key) and self.holders.recall(key)

    def _take_stored(self, met: list[tuple[str, list[Row]]]) -> None:
        """Remembered commands that came again or are to be reversed: their events."""
        find = self.stored.find
        rows = [row for sender, rows in met for row in rows if find((sender, row[0])) is None]
        if not rows:
            return
        assert self.store is not None
        seqs = [seq for _, _, seq in rows]
        owners = sorted({account for _, account, _ in rows})
        reversible = []
        for row in self.store.rows("events", seqs=seqs, accounts=owners):
            event = self.stored[row[2], row[3]] = as_event(row)
            if event.do in _REVERSIBLE and not self.reversed.recall(event.seq):
                reversible.append(event.seq)
        if reversible:
            for (of,) in self.store.rows("reversed", ids=reversible, accounts=owners):
                self.reversed[of] = True

    def _take_case(self, case: str) -> None:
        """A case and how it was closed; nothing where there is no such case. Few commands name one."""
        number = card_of_case(case)
        known = self.cases.find(case)
        if self.store is None or number is None or (known is not None and known[1] is not None):
            return
        for event in map(as_event, self.store.rows("referred_of_card", number=number)):
            if case_of(event) == case:
                of_it = {"ids": [event.seq], "accounts": [event.account]}
                closed = self.store.rows("resolutions", **of_it)
                resolved = [Resolved(decision, at) for *_, at, decision in closed]
                self.asked_cases[case] = event, resolved[0] if resolved else None

    def _take_cards(self, numbers: set[int], accounts: set[int]) -> None:
        """Turn numbers into cards, and bring in the accounts that turned up on the way."""
        rest = []
        cards, held = self.cards, self.accounts
        for number in numbers:
            if cards.recall(number):
                card = cards[number]
                if type(card) is Account:
                    held[card.account] = card  # one card, one object
                elif type(card) is Ended:
                    accounts.add(card.account)
                continue
            if held.recall(number) and held[number].number == number:
                cards[number] = held[number]
            else:
                rest.append(number)
        if self.store is None:
            cards.update(dict.fromkeys(rest))
            return
        rows = self.store.rows("numbers", ids=rest) if rest else []
        accounts.update(row[1] for row in rows)
        accounts.discard(NO_ACCOUNT)
        missing = self._missing(accounts)
        if missing:
            self._take_accounts(self.store.rows("accounts", ids=missing))
        # replaced between the two questions: its account is right, and proven, but under another number
        moved = [row[0] for row in rows if row[2] is None and held[row[1]].number != row[0]]
        if moved:
            rows = [row for row in rows if row[0] not in moved]
            rows += self.store.rows("numbers", ids=moved)
        cards.update(dict.fromkeys(rest))
        for number, account, ended, successor in rows:
            cards[number] = held[account] if ended is None else Ended(account, ended, successor)

    def _missing(self, ids: set[int]) -> list[int]:
        return sorted(id for id in ids if not self.accounts.recall(id))

    def _take_accounts(self, rows: list[Row]) -> None:
        newest = self.newest
        held, before = self.accounts, self.accounts.before
        for row in rows:
            id = row[0]
            if id not in held and id not in before:
                account = held[id] = as_account(row)
                newest = max(newest, account.last_seq)
        self.newest = newest

    # -- asking ------------------------------------------------------------------------------

    def case(self, number: str) -> Case | None:
        """What was referred under a number, and how it was closed."""
        known = self.cases.find(number)
        return (
            known
            if known is not None and known[1] is not None
            else self.asked_cases.get(number, known)
        )

    def same_name(self, name_key: bytes, phone_key: bytes) -> list[tuple[Account, bool]]:
        """The accounts of holders with this name and birthday, and whether the phone agrees."""
        return [
            (self.accounts[account], phone == phone_key)
            for account, phone in self.holders.get(name_key, ())
        ]


_REVERSIBLE = ("purchase", "top_up", "tap_out")
