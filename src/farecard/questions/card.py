"""What a card is and was: its state as of a moment, and its history."""

from typing import Any, NamedTuple

import msgspec

from farecard.model.account import Account, Event
from farecard.model.commands import format_number
from farecard.model.moments import PAST_MOMENT, day_of, iso_day, iso_moment
from farecard.questions.pending import pending
from farecard.rules.reversal import REVERSIBLE
from farecard.storage.history import account_at, besides_use, events_of, fold
from farecard.storage.rows import as_event
from farecard.storage.store import Store


class UnknownCardError(Exception):
    """The store has never given out this number, or not yet at the moment asked about."""


class AsOf(NamedTuple):
    """Until when commands count, and which moment a card's expiry is judged at.

    Without ``--as-of`` everything in the store counts, future-dated commands too.
    """

    until: int
    now: int

    def judged(self, account: Account) -> int:
        """The moment the question is about, for one account."""
        return max(self.now, account.last_at)


def everything(now: int) -> AsOf:
    """As the store stands."""
    return AsOf(PAST_MOMENT, now)


def moment(at: int) -> AsOf:
    """As it was at a moment."""
    return AsOf(at, at)


class Number(msgspec.Struct, frozen=True):
    """A number's row: the account it leads to, from when, and what ended it."""

    number: int
    account: int
    since_seq: int
    since_at: int
    ended: str | None
    ended_at: int | None
    head: int | None
    successor: int | None

    def is_replaced(self, at: int) -> bool:
        """Whether another number had taken over by then."""
        return self.ended_at is not None and self.ended_at <= at


def find(store: Store, number: int, at: int) -> Number:
    """The row of a number that was given out by ``at``."""
    rows = store.rows("number_of", number=number)
    if not rows or rows[0][3] > at:
        raise UnknownCardError(format_number(number))
    return Number(*rows[0])


def numbers_until(store: Store, found: Number, at: int) -> list[int]:
    """The numbers that a card has had up to this one, from its first, by which an account is known."""
    numbers = [found.account]
    while numbers[-1] != found.number:
        successor = find(store, numbers[-1], at).successor
        numbers.append(found.number if successor is None else successor)
    return numbers


def number_before(store: Store, found: Number, at: int) -> str | None:
    """The number that a card had before this one; None of its first."""
    before = numbers_until(store, found, at)[:-1]
    return format_number(before[-1]) if before else None


def state_of(account: Account, at: int) -> str:
    """The first that holds of refunded, stopped, expired, riding, active."""
    if account.state != "active":
        return account.state
    if account.expires is not None and day_of(at) > account.expires:
        return "expired"
    return "active" if account.ride_station is None else "riding"


def ride_of(account: Account) -> dict[str, str] | None:
    """The ride that is open: from which ``station``, ``since`` when; None without one."""
    if account.ride_station is None or account.ride_at is None:
        return None
    return {"station": account.ride_station, "since": iso_moment(account.ride_at)}


def status(store: Store, number: int, when: AsOf) -> dict[str, Any]:
    """The answer of ``farecard status``: yen, points, ``expires`` as a date. Reasons are values still."""
    found = find(store, number, when.until)
    account = account_at(store, found.account, when.until)
    told: dict[str, Any] = {"myna": None, "rally": None}
    card: dict[str, Any] = {"number": format_number(number), "kind": account.kind}
    expires = None if account.expires is None else iso_day(account.expires)
    if found.is_replaced(when.until):
        assert found.successor is not None
        kind = _kind_of_replaced(store, found)
        card |= {"kind": kind, "state": "replaced", "balance": 0, "deposit": 0, "points": 0}
        card |= {"expires": expires, "successor": format_number(found.successor), "ride": None}
    else:
        card |= {"state": state_of(account, when.judged(account)), "balance": account.balance}
        card |= {"deposit": account.deposit, "points": account.points}
        card |= {"expires": expires, "successor": None, "ride": ride_of(account)}
        if account.applied is not None or account.rally_at is not None:
            from farecard.questions import applications  # noqa: PLC0415  # most cards start without

            told = applications.told(store, account, when.until, when.judged(account))
    waiting = []
    if when.until == PAST_MOMENT:  # what is proposed now is nothing of how it was
        waiting = pending(store, f"card:{format_number(found.account)}")
    return {"card": card, **told, **({"proposals": waiting} if waiting else {})}


def _kind_of_replaced(store: Store, found: Number) -> str:
    """A moved card keeps being called what it was."""
    assert found.head is not None and found.ended_at is not None
    return fold(found.account, events_of(store, found.account, found.head)).kind


def history(store: Store, number: int, when: AsOf, most: int | None = None) -> list[dict[str, Any]]:
    """The answer of ``farecard history``: what was accepted under this number, newest first.

    ``most``: no more than these, and of all there is without reading the rest.
    """
    return [_line(event) for event in _newest(store, number, when, most)]


def entries(store: Store, number: int, when: AsOf, most: int | None = None) -> list[dict[str, Any]]:
    """The same with what an entry is named by where it is to be taken back: its ``sender``, and whether it is such that it can be (``reversible``)."""
    return [
        _line(event) | {"sender": event.sender, "reversible": event.do in REVERSIBLE}
        for event in _newest(store, number, when, most)
    ]


def point_lines(
    store: Store, number: int, when: AsOf, most: int | None = None
) -> list[dict[str, Any]]:
    """The newest lines of a history that moved points, without going through rides and purchases."""
    found = find(store, number, when.until)
    seqs = [
        one.seq
        for one in besides_use(store, found.account, when.until)
        if one.do != "top_up" and found.since_seq <= one.seq <= (found.head or one.seq)
    ]
    events = map(as_event, store.rows("events", seqs=seqs, accounts=[found.account]))
    lines = sorted((one for one in events if one.points), key=lambda one: -one.seq)
    return [_line(one) for one in lines[:most]]


def _newest(store: Store, number: int, when: AsOf, most: int | None) -> list[Event]:
    found = find(store, number, when.until)
    head = found.head
    if head is None:
        head = store.rows("accounts", ids=[found.account])[0][_LAST_SEQ]
    # as of a moment the newest that count are further down than the newest there are
    events = events_of(store, found.account, head, most if when.until == PAST_MOMENT else None)
    seen = [
        event
        for event in reversed(events)
        if event.seq >= found.since_seq and event.at <= when.until
    ]
    return seen[:most]


def _line(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": iso_moment(event.at),
        "do": event.do,
        "channel": event.channel,
        "amount": event.amount,
        "balance": event.balance,
        "points": event.points,
    }


_LAST_SEQ = Account.__struct_fields__.index("last_seq")
