"""What the blocks of a card of this family say: bytes in, small facts out, and nothing else.

A code that nobody knows stays the number it is, and a moment that cannot be is None: only a wrong length is an error.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import msgspec

ATTRIBUTES, HISTORY, GATES, OPEN_RIDE = 0x008B, 0x090F, 0x108F, 0x10CB
# each service that can be read without a key, and its blocks
SERVICES = {ATTRIBUTES: 1, HISTORY: 20, GATES: 3, OPEN_RIDE: 2}
BLOCK = 16  # bytes
BUS = {0x05}  # terminals whose entry names an operator and a stop
SALES = {0xC7, 0xC8}  # terminals whose entry names a time and a till


class BlockError(ValueError):
    """Blocks of another size or number than the card has; the text says which."""


class Station(msgspec.Struct, frozen=True):
    """A station as the card knows it: two codes, no name."""

    line: int
    station: int


class Rail(msgspec.Struct, frozen=True):
    """Between which stations, and in whose part of the country each lies; None where none is named."""

    entry: Station | None
    exit: Station | None
    entry_region: int
    exit_region: int


class Bus(msgspec.Struct, frozen=True):
    """At which stop of which operator."""

    operator: int
    stop: int


class Sale(msgspec.Struct, frozen=True):
    """When and at which till; the time is None where no clock shows it."""

    time: dt.time | None
    till: int


class Entry(msgspec.Struct, frozen=True):
    """One line of the history; yen in integers.

    ``amount`` is what it took off the card: above zero was spent, below zero was put on; None where the balance before is not known.
    """

    terminal: int
    process: int
    with_cash: bool
    payment: int
    passage: int
    date: dt.date | None
    where: Rail | Bus | Sale
    balance: int
    number: int
    amount: int | None = None


class Gate(msgspec.Struct, frozen=True):
    """One passage of a gate; the amount in yen."""

    entry: bool
    passage: int
    nature: int
    station: Station | None
    device: int
    date: dt.date | None
    time: dt.time | None
    amount: int


class Card(msgspec.Struct, frozen=True):
    """All that a card tells without a key; entries and gates newest first, the balance in yen."""

    kind: int
    region: int
    balance: int
    updates: int
    entries: tuple[Entry, ...]
    gates: tuple[Gate, ...]
    open_ride: Station | None


def decode(
    attributes: bytes, history: Sequence[bytes], gates: Sequence[bytes], ride: Sequence[bytes]
) -> Card:
    """A card from its blocks, each service's in their order; raises BlockError."""
    for service, blocks in ((ATTRIBUTES, [attributes]), (HISTORY, history), (GATES, gates), (OPEN_RIDE, ride)):  # fmt: skip
        if len(blocks) > SERVICES[service]:
            raise BlockError(
                f"service {service:04X} has {SERVICES[service]} blocks, not {len(blocks)}"
            )
        for number, block in enumerate(blocks):
            if len(block) != BLOCK:
                raise BlockError(
                    f"service {service:04X}, block {number}: a block has {BLOCK} bytes, not {len(block)}"
                )
    return Card(
        kind=attributes[8] >> 4,
        region=attributes[8] & 15,
        balance=_little(attributes[11:13]),
        updates=_big(attributes[14:16]),
        entries=_with_amounts([_entry(block) for block in history if _is_entry(block)]),
        gates=tuple(_gate(block) for block in gates if _big(block[6:8])),
        open_ride=_station(ride[0][:2]) if ride else None,
    )


def _big(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _little(part: bytes) -> int:
    return int.from_bytes(part, "little")


def _is_entry(block: bytes) -> bool:
    """Whether a history block was ever written."""
    return block[3] != 0x80 and _big(block[4:6]) != 0


def _entry(block: bytes) -> Entry:
    return Entry(
        terminal=block[0],
        process=block[1] & 0x7F,
        with_cash=bool(block[1] & 0x80),
        payment=block[2],
        passage=block[3],
        date=_date(block[4:6]),
        where=_where(block),
        balance=_little(block[10:12]),
        number=_big(block[12:15]),
    )


def _where(block: bytes) -> Rail | Bus | Sale:
    """Bytes 6 to 9, which each kind of terminal uses in its own way."""
    if block[0] in BUS:
        return Bus(_big(block[6:8]), _big(block[8:10]))
    if block[0] in SALES:
        return Sale(_time(block[6:8]), _big(block[8:10]))
    return Rail(_station(block[6:8]), _station(block[8:10]), block[15] >> 6, block[15] >> 4 & 3)


def _gate(block: bytes) -> Gate:
    return Gate(
        entry=bool(block[0] & 0x80),
        passage=block[0] >> 4 & 7,
        nature=block[0] & 15,
        station=_station(block[2:4]),
        device=_big(block[4:6]),
        date=_date(block[6:8]),
        time=_time_of_digits(block[8:10]),
        amount=_little(block[10:12]),
    )


def _station(pair: bytes) -> Station | None:
    return Station(*pair) if _big(pair) else None


def _date(pair: bytes) -> dt.date | None:
    """Seven bits of years since 2000, four of months, five of days."""
    bits = _big(pair)
    try:
        return dt.date(2000 + (bits >> 9), bits >> 5 & 15, bits & 31)
    except ValueError:
        return None


def _time(pair: bytes) -> dt.time | None:
    """Five bits of hours, six of minutes, five of every other second."""
    bits = _big(pair)
    try:
        return dt.time(bits >> 11, bits >> 5 & 63, 2 * (bits & 31))
    except ValueError:
        return None


def _time_of_digits(pair: bytes) -> dt.time | None:
    """A decimal digit every four bits: 09 11 is eleven minutes past nine."""
    digits = pair.hex()
    try:
        return dt.time(int(digits[:2]), int(digits[2:]))
    except ValueError:
        return None


def _with_amounts(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries, newest first, each with the older one's balance minus its own."""
    amounts = [older.balance - newer.balance for newer, older in pairwise(entries)]
    return tuple(
        msgspec.structs.replace(entry, amount=amount)
        for entry, amount in zip(entries, [*amounts, None][: len(entries)], strict=True)
    )
