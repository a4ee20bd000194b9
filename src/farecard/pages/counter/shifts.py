"""A clerk's shift: opened with a float, what should be in the till as it grows, counted and closed; its receipt."""

from typing import Any, NamedTuple

from farecard.access import shifts
from farecard.access.shifts import PIECES, Moved, Shift, ShiftError
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.api.written import must_be_fit
from farecard.model.moments import iso_moment
from farecard.model.verdict import Reason
from farecard.pages import paper
from farecard.pages.counter.at import HOME, closing, for_staff, is_clerk, shift_of, supervises
from farecard.pages.door import not_their_role, then_to
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.language import Language
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.stretches import stretch
from farecard.pages.typed import figure_typed, till_typed
from farecard.storage.store import Store

MOST = 200
_AT = f"{HOME}/shifts"


def whole(text: str, no: ShiftError) -> int:
    """A whole number of yen or pieces; nothing written is 0. ``no``: what is said of anything else."""
    found = figure_typed(text) if text.strip() else 0
    if found is None:
        raise ProblemError(400, Reason(None, no.code, no.params))
    return found


@for_staff
async def now(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/shift``: the shift somebody is in, or opening one; who does not serve sees all of them."""
    if not is_clerk(speaker):
        return Redirect(_AT)
    shift = await shift_of(house, speaker)
    if shift is not None:
        return Redirect(f"{_AT}/{shift.shift}")
    then = then_to(HOME, request.query.get("then", ""))
    return Page("counter/open.html", {"problem": None, "said": {}, "then": then})


@for_staff
async def begin(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /counter/shift``: open one."""
    if not is_clerk(speaker):
        raise not_their_role(speaker)
    said = {"till": request.said("till"), "brought": request.said("brought")}
    then, who, at = then_to(HOME, request.said("then")), speaker.who, house.now
    till = till_typed(said["till"])
    try:
        must_be_fit(till=till)
        brought = whole(said["brought"], shifts.bad_float())
        await house.write(lambda store: shifts.open_shift(store, who, till, brought, at))
    except ProblemError as problem:
        told = document(problem.status, problem.reason)
        figures = {"problem": told, "said": said, "then": then}
        return Page("counter/open.html", figures, problem.status)
    return Redirect(then)


class Seen(NamedTuple):
    """A shift, what should be in its till, and the cash that was brought and taken out meanwhile."""

    shift: Shift
    should: int
    moves: list[Moved]

    @property
    def added(self) -> int:
        """Yen that were brought during the shift."""
        return sum(one.yen for one in self.moves if one.yen > 0)

    @property
    def removed(self) -> int:
        """Yen that were taken out during the shift."""
        return -sum(one.yen for one in self.moves if one.yen < 0)

    @property
    def took(self) -> int:
        """What customers paid, less what they were paid."""
        return self.should - self.shift.brought - self.added + self.removed


def _looked_at(store: Store, found: list[Shift]) -> list[Seen]:
    moves = shifts.moves(store, *found)
    return [
        Seen(one, shifts.expected(store, one), [two for two in moves if two.shift == one.shift])
        for one in found
    ]


async def _seen(house: House, request: Request, speaker: Speaker) -> Seen:
    """The shift of the address: one's own, or seen by who does not serve. ``ProblemError`` 404."""
    speaker.must_ask("cards")
    number, mine = request.parts["shift"], speaker.who if is_clerk(speaker) else None

    def ask(store: Store) -> Seen:
        found = shifts.find(store, number)
        if mine not in (None, found.clerk):
            raise shifts.ShiftError("not-your-shift", clerk=found.clerk)
        return _looked_at(store, [found])[0]

    return await house.ask(ask)


def _shown(seen: Seen) -> dict[str, Any]:
    shift = seen.shift
    closed = None if shift.closed_at is None else iso_moment(shift.closed_at)
    return {
        "shift": shift, "opened": iso_moment(shift.opened_at), "closed": closed, "expected": seen.should,
        "took": seen.took, "added": seen.added, "removed": seen.removed,
        "moves": [(iso_moment(one.at), one) for one in seen.moves], "between": shift.between, "pieces": shifts.pieces_of(shift), "all_pieces": PIECES,
    }  # fmt: skip


@for_staff
async def one(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/shifts/H``: what should be in the till, and closing; of one that is closed its receipt."""
    seen = await _seen(house, request, speaker)
    figures = _shown(seen) | {"problem": None, "said": {}}
    return Page("counter/shift.html", figures | _whose(seen.shift, speaker))


def _whose(shift: Shift, speaker: Speaker) -> dict[str, Any]:
    """Whether one's own, and whether one may close it in the clerk's place."""
    mine = shift.clerk == speaker.who
    return {"mine": mine, "instead": not mine and supervises(speaker)}


@for_staff
async def close(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /counter/shifts/H``: what was counted, and why it differs where it does."""
    seen = await _seen(house, request, speaker)
    shift = seen.shift
    said = {name: value.strip() for name, value in request.form.items()}
    who, why, at = speaker.who, request.said("why"), house.now
    whose = _whose(shift, speaker)
    try:
        must_be_fit(why=why)
        pieces = {
            piece: whole(said.get(f"piece_{piece}", ""), shifts.bad_count(piece))
            for piece in PIECES
        }
        async with closing(house, shift.clerk):
            await house.write(
                lambda store: shifts.close_shift(
                    store, shift.shift, who, pieces, why, at, instead=whose["instead"]
                )
            )
    except ProblemError as problem:
        told = document(problem.status, problem.reason)
        figures = _shown(seen) | {"problem": told, "said": said} | whose
        return Page("counter/shift.html", figures, problem.status)
    return Redirect(f"{_AT}/{shift.shift}")


@for_staff
async def receipt(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/shifts/H.pdf``: of a shift that is closed. ``ProblemError`` 404."""
    seen = await _seen(house, request, speaker)
    shift, should = seen.shift, seen.should
    if shift.closed_at is None or shift.counted is None:
        raise ProblemError(404, Reason(None, "no-such-address"))
    say = request.language
    t = say.word
    rows = [(say.yen(piece), f"{many:,}", say.yen(piece * many)) for piece, many in shifts.pieces_of(shift).items()]  # fmt: skip
    parts: list[paper.Part] = [
        paper.Heading(t("shift.title")),
        paper.Sum([
            (t("shift.till"), shift.till), (t("shift.clerk"), shift.clerk),
            (t("shift.opened"), say.moment(iso_moment(shift.opened_at))),
            (t("shift.closed"), say.moment(iso_moment(shift.closed_at))),
        ]),
        paper.Table([t("shift.piece"), t("shift.many"), t("shift.worth")], rows, right=(1, 2)),
        paper.Sum(
            [
                (t("shift.brought"), say.yen(shift.brought)), *_moved_rows(say, seen), (t("shift.took"), say.yen(seen.took)),
                (t("shift.expected"), say.yen(should)), (t("shift.counted"), say.yen(shift.counted)),
            ],
            (t("shift.difference"), say.yen(shift.counted - should)),
        ),
        *([paper.Words(f"{t('shift.why')}: {shift.why}")] if shift.why else []),
        paper.Words(t("shift.signed")),
    ]  # fmt: skip
    return await paper.printed(f"shift-{shift.shift}", t("shift.title"), parts)


def _moved_rows(say: Language, seen: Seen) -> list[tuple[str, str]]:
    """Each time cash was brought or taken out, as the receipt has it."""
    return [
        (
            f"{say.word('shift.added' if one.yen > 0 else 'shift.removed')}: {say.moment(iso_moment(one.at))}, {one.why}",
            say.yen(one.yen),
        )
        for one in seen.moves
    ]


async def _listed(house: House, speaker: Speaker) -> list[dict[str, Any]]:
    speaker.must_ask("cards")
    mine = speaker.who if is_clerk(speaker) else None

    def ask(store: Store) -> list[dict[str, Any]]:
        return [_shown(one) for one in _looked_at(store, shifts.load(store, mine, MOST))]

    return await house.ask(ask)


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/shifts``: one's own; of all for who looks after the counters."""
    found = await _listed(house, speaker)
    return Page("counter/shifts.html", {"part": stretch(request, "shifts", found)})


@for_staff
async def file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/shifts.csv``."""
    names = ("till", "clerk", "opened", "closed", "brought", "between", "added", "removed", "took", "expected", "counted", "difference", "why")  # fmt: skip
    rows = []
    for seen in await _listed(house, speaker):
        shift: Shift = seen["shift"]
        differs = None if shift.counted is None else shift.counted - seen["expected"]
        rows.append([
            shift.till, shift.clerk, seen["opened"], seen["closed"], shift.brought, shift.between, seen["added"], seen["removed"], seen["took"],
            seen["expected"], shift.counted, differs, shift.why,
        ])  # fmt: skip
    return csv_file("shifts", [request.language.word(f"shift.{name}") for name in names], rows)


PAGES = [
    ("GET", f"{HOME}/shift", now), ("POST", f"{HOME}/shift", begin),
    ("GET", _AT, listed), ("GET", f"{_AT}.csv", file),
    ("GET", f"{_AT}/{{shift}}.pdf", receipt),
    ("GET", f"{_AT}/{{shift}}", one), ("POST", f"{_AT}/{{shift}}", close),
]  # fmt: skip
