"""A clerk's shift at a till: opened with a float, closed with a count. Yen; times are moments.

What should be in the till is not counted a second time: it is the float, what the books took in at that till since, and
the cash that was brought to it or taken out of it meanwhile.
"""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from farecard.access.errors import CodedError
from farecard.access.trail import note
from farecard.ledger.chart import cash
from farecard.model.commands import LETTERS
from farecard.model.moments import iso_moment
from farecard.storage.making import adding
from farecard.storage.store import Store

PIECES = (10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10, 5, 1)  # notes and coins
MOST_BROUGHT = 10_000_000  # as a float, or at once during a shift
_MOST_PIECES = 100_000
_LONGEST = 64  # of a till's name, as of any place
_NOWHERE = "-"  # the cash account of commands that name no place
LONGEST_WHY = 500


class Shift(NamedTuple):
    """A shift. ``booked``: what the books had in the till when it was opened; ``between``: what of it came since the shift before; the last five when it was closed."""

    shift: str
    till: str
    clerk: str
    opened_at: int
    brought: int
    booked: int
    between: int = 0
    closed_at: int | None = None
    expected: int | None = None
    counted: int | None = None
    pieces: str | None = None
    why: str | None = None


class Moved(NamedTuple):
    """Cash that was brought to a till during a shift; ``yen`` below 0: taken out of it."""

    shift: str
    id: str
    at: int
    who: str
    yen: int
    why: str


class ShiftError(CodedError):
    """Why a shift is not opened or closed."""


class NotInTillError(Exception):
    """More was to be taken out of a till than should be in it: ``yen``."""

    def __init__(self, yen: int) -> None:
        super().__init__(yen)
        self.yen = yen


def booked(store: Store, till: str) -> int:
    """What the books have in the cash account of a counter's till."""
    ((yen,),) = store.rows("booked_in_till", account=cash("counter", till, None))
    found: int = yen
    return found


def open_shift(store: Store, clerk: str, till: str, brought: int, at: int) -> Shift:
    """Begin a shift. ``ShiftError`` when the clerk has one, or somebody has one at this till."""
    if not (till.isprintable() and 0 < len(till) <= _LONGEST and till != _NOWHERE):
        raise ShiftError("bad-till", field="till", longest=_LONGEST)
    if not 0 <= brought <= MOST_BROUGHT:
        raise bad_float()
    made = Shift(_new_number(), till, clerk, at, brought, 0)
    with adding(store):
        own = of_clerk(store, clerk)
        if own is not None:
            raise ShiftError("shift-is-open", shift=own.shift, till=own.till)
        has = booked(store, till)
        made = made._replace(booked=has)
        for before in map(Shift._make, store.rows("shift_at_till", till=till)):
            if before.closed_at is None or before.expected is None:
                raise ShiftError("till-is-taken", till=till, clerk=before.clerk)
            at_its_end = before.booked + before.expected - before.brought - moved_in(store, before)
            made = made._replace(between=has - at_its_end)
        store.append("shift", [tuple(made)])
        note(store, clerk, "shift-opened", made.shift, till)
    return made


def of_clerk(store: Store, clerk: str) -> Shift | None:
    """The shift a clerk is in; None when in none."""
    for row in store.rows("shifts_of", clerk=clerk, most=1):
        found = Shift(*row)
        return found if found.closed_at is None else None
    return None


def find(store: Store, number: str) -> Shift:
    """One shift. ``ShiftError`` ``unknown-shift``."""
    for row in store.rows("shift", shift=number):
        return Shift(*row)
    raise ShiftError("unknown-shift", field="shift")


def load(store: Store, clerk: str | None, most: int) -> list[Shift]:
    """The newest shifts, of one clerk or (None) of all."""
    if clerk is None:
        return [Shift(*row) for row in store.rows("shifts", most=most)]
    return [Shift(*row) for row in store.rows("shifts_of", clerk=clerk, most=most)]


def expected(store: Store, shift: Shift) -> int:
    """What should be in the till: of a shift that is closed, what should have been then."""
    if shift.expected is not None:
        return shift.expected
    return shift.brought + booked(store, shift.till) - shift.booked + moved_in(store, shift)


def moves(store: Store, *found: Shift) -> list[Moved]:
    """Cash that was brought and taken out during these shifts, the first of it first."""
    names = [one.shift for one in found]
    return [Moved(*row) for row in store.rows("cash_moved", shifts=names)] if names else []


def moved_in(store: Store, shift: Shift) -> int:
    """What it comes to."""
    return sum(one.yen for one in moves(store, shift))


def move_cash(store: Store, moved: Moved) -> None:
    """Bring cash to a till, or take it out, while its shift is open; of one ``id`` once.

    ``ShiftError``: no such shift, not one's own, closed, no amount, no reason. ``NotInTillError`` when it is not there.
    """
    if not 0 < abs(moved.yen) <= MOST_BROUGHT:
        raise bad_amount()
    for field, text, most in (("id", moved.id, _LONGEST), ("why", moved.why, LONGEST_WHY)):
        if not 0 < len(text) <= most:
            raise ShiftError("want-text", field=field, most=most)
    with adding(store):
        found = find(store, moved.shift)
        if found.clerk != moved.who:
            raise ShiftError("not-your-shift", clerk=found.clerk)
        if any(one.id == moved.id for one in moves(store, found)):
            return
        if found.closed_at is not None:
            raise ShiftError("shift-is-closed", closed_at=iso_moment(found.closed_at))
        has = expected(store, found)
        if has + moved.yen < 0:
            raise NotInTillError(has)
        store.append("cash_moved", [tuple(moved)])
        if moved.yen > 0:
            note(store, moved.who, "cash-brought", moved.shift, f"{moved.yen:+d}")
        else:
            note(store, moved.who, "cash-taken-out", moved.shift, f"{moved.yen:+d}")


def bad_amount() -> ShiftError:
    """Of cash to be brought or taken out that is no amount."""
    return ShiftError("want-whole-yen", field="yen")


def bad_float() -> ShiftError:
    """Of a float that is none."""
    return ShiftError("bad-float", field="brought", most=MOST_BROUGHT)


def bad_count(piece: int) -> ShiftError:
    """Of so many of a note or coin that it is no count."""
    return ShiftError("bad-count", field=f"piece_{piece}", most=_MOST_PIECES)


def worth(pieces: Mapping[int, int]) -> int:
    """What notes and coins come to. ``ShiftError`` ``bad-count``."""
    for piece, many in pieces.items():
        if piece not in PIECES or not 0 <= many <= _MOST_PIECES:
            raise bad_count(piece)
    return sum(piece * many for piece, many in pieces.items())


def close_shift(
    store: Store, number: str, who: str, pieces: Mapping[int, int], why: str, at: int, *, instead: bool = False
) -> Shift:  # fmt: skip
    """End a shift with what was counted; a difference needs a reason. ``ShiftError`` when it does not have one.

    ``instead``: a supervisor closes it in place of its clerk, and says why whatever was counted.
    """
    counted = worth(pieces)
    with adding(store):
        found = find(store, number)
        if found.clerk != who and not instead:
            raise ShiftError("not-your-shift", clerk=found.clerk)
        if found.closed_at is not None:
            raise ShiftError("shift-is-closed", closed_at=iso_moment(found.closed_at))
        should = expected(store, found)
        if (counted != should or instead) and not 0 < len(why) <= LONGEST_WHY:
            raise ShiftError(
                "till-differs", field="why", expected=should, counted=counted,
                difference=counted - should, longest=LONGEST_WHY,
            )  # fmt: skip
        text = msgspec.json.encode({str(one): many for one, many in pieces.items() if many})
        closing: dict[str, Any] = {
            "closed_at": at, "expected": should, "counted": counted, "pieces": text.decode(),
            "why": why if counted != should or instead else None,
        }  # fmt: skip
        store.change("close_shift", shift=number, **closing)
        note(store, who, "shift-closed", number, f"{counted - should:+d}")
    return found._replace(**closing)


def pieces_of(shift: Shift) -> dict[int, int]:
    """Notes and coins that were counted, largest first."""
    kept = msgspec.json.decode(shift.pieces or "{}", type=dict[str, int])
    return {one: kept[str(one)] for one in PIECES if str(one) in kept}


def _new_number() -> str:
    return "H-" + "".join(secrets.choice(LETTERS) for _ in range(10))
