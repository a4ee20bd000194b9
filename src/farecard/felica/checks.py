"""What always held between the blocks of a card, looked at: a doubt is told with the answer, it is no error.

Every write takes one number. A gate entry takes one, too, and leaves no entry in the history, so a ride moves the number by
two, and so does a purchase behind the gates together with the entry before it.
"""

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from farecard.felica.blocks import Bus, Card, Entry, Sale

GATE_EXITS = {0x01, 0x06}  # processes that end a ride: at a gate, at a counter
SHINKANSEN = 0x13
_NUMBERS = 1 << 16  # the attributes hold the lower half of an entry's number


class Doubt(msgspec.Struct, frozen=True):
    """What does not fit together: a code of ``words/``, and its figures."""

    code: str
    figures: dict[str, int]


def doubts(card: Card) -> list[Doubt]:
    """All that a card's blocks contradict each other in."""
    return [*_newest(card), *_moments(card), *_numbers(card.entries)]


def _newest(card: Card) -> Iterator[Doubt]:
    """The attributes say the balance and number of the newest entry; inside the gates the entry there has one more."""
    if not card.entries:
        return
    newest = card.entries[0]
    if card.balance != newest.balance:
        yield Doubt("balance-differs", {"balance": card.balance, "newest": newest.balance})
    is_inside = bool(card.gates) and card.gates[0].entry
    ahead = (card.updates - newest.number) % _NUMBERS
    if ahead != 0 and not (ahead == 1 and is_inside):
        yield Doubt("number-differs", {"updates": card.updates, "newest": newest.number})


def _moments(card: Card) -> Iterator[Doubt]:
    for entry in card.entries:
        if entry.date is None:
            yield Doubt("date-unreadable", {"number": entry.number})
        if isinstance(entry.where, Sale) and entry.where.time is None:
            yield Doubt("time-unreadable", {"number": entry.number})
    for place, gate in enumerate(card.gates, start=1):
        if gate.date is None or gate.time is None:
            yield Doubt("gate-unreadable", {"place": place})


def _numbers(entries: tuple[Entry, ...]) -> Iterator[Doubt]:
    """From the oldest on: numbers rise, and what is missing between two is one gate entry before each exit."""
    # whether a gate was entered and not left since; None while nothing tells
    inside = False if entries and entries[-1].process in GATE_EXITS else None
    for older, newer in pairwise(reversed(entries)):
        missing = newer.number - older.number - 1
        figures = {"older": older.number, "newer": newer.number}
        if missing < 0:
            yield Doubt("number-falls", figures)
            inside = None
            continue
        if isinstance(newer.where, Bus) or newer.process == SHINKANSEN:
            inside = None  # it is not known how often these write
            continue
        entered = missing + (inside is True)
        if entered > 1:
            yield Doubt("writes-missing", figures | {"missing": missing})
        elif newer.process in GATE_EXITS and entered == 0 and inside is False:
            yield Doubt("exit-without-entry", figures)
        if newer.process in GATE_EXITS:
            inside = False
        elif entered:
            inside = True
