"""What the pages of operations have in common: who sees what, tables with their files, proposing, and long work."""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from farecard.access.roles import PROPOSE, ROLES
from farecard.access.tasks import DONE, Task, new_number
from farecard.api.problems import ProblemError, document
from farecard.api.proposing import Propose, WouldNotBeTakenError
from farecard.api.speakers import Speaker
from farecard.api.tasks import Tell
from farecard.model.moments import (
    FIRST_MOMENT,
    PAST_MOMENT,
    day_of,
    first_day_of,
    first_moment,
    iso_day,
    month_of,
    parse_day,
)
from farecard.model.verdict import Reason
from farecard.pages import door
from farecard.pages.door import not_their_role, role_of
from farecard.pages.files import csv_file
from farecard.pages.house import House
from farecard.pages.language import Language, sentence
from farecard.pages.operations.names import Said
from farecard.pages.requests import TOKEN, Answer, File, Page, Redirect, Request, at
from farecard.pages.stretches import PAGE, Stretch, stretch
from farecard.wire.answer import encode_answer

HOME = "/operations"
CHANNEL = "operations"
SHORT = 2.0  # seconds that work may take for its answer to be the next page
# the parts of this window, and what one must be allowed to ask to see each
PARTS = (
    ("today", HOME, "trial-balance"),
    ("cases", f"{HOME}/cases", "cases"),
    ("proposals", f"{HOME}/proposals", "proposals"),
    ("grants", f"{HOME}/grants", "proposals"),
    ("campaigns", f"{HOME}/campaigns", "proposals"),
    ("draws", f"{HOME}/draws", "proposals"),
    ("books", f"{HOME}/books", "trial-balance"),
    ("audit", f"{HOME}/audit", "trail"),
)
_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")


# -- who sees what -------------------------------------------------------------------------------


def acts(speaker: Speaker, act: str) -> bool:
    """Whether a role proposes, or approves."""
    return act in ROLES[role_of(speaker)].acts


def sees(speaker: Speaker, question: str) -> bool:
    """Whether a role may ask this."""
    return question in speaker.bound.ask


def must_see(speaker: Speaker, question: str) -> None:
    """``ProblemError`` 403 that names the role, and those that may, where it may not ask this."""
    if not sees(speaker, question):
        raise not_their_role(speaker, roles_that_see(question))


def roles_that_see(question: str) -> list[str]:
    """The roles that may ask this."""
    return [name for name, role in ROLES.items() if question in role.ask]


def page(speaker: Speaker, here: str, template: str, status: int = 200, **figures: Any) -> Page:
    """A page of a part of this window, with the way to the other parts that this role sees."""
    parts = [(name, path) for name, path, question in PARTS if sees(speaker, question)]
    said = {"parts": parts, "here": here, "role": role_of(speaker), "who": speaker.who, "problem": None}  # fmt: skip
    return Page(f"operations/{template}.html", {**said, **figures}, status)


# -- tables --------------------------------------------------------------------------------------


class Column(NamedTuple):
    """A column: the key of its name, and what stands in it (text, word, yen, count, points, day, moment, month, rule, card, said).

    A ``code`` stands in the file alone; a card's number in full there, and on the page when it is asked for.
    """

    name: str
    kind: str = "text"


class Grid(NamedTuple):
    """A table: the key of its name, columns, rows, where its file is, and the key of what is said where it is empty.

    Of many rows a page has a ``part``. ``order``: the column that it is sorted by (-1: none), and whether downwards;
    ``heads``: where each column's head leads, so that it is sorted by that.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    file: str
    empty: str = "ops.nothing"
    order: tuple[int, bool] = (-1, False)
    heads: Sequence[str] = ()
    part: Stretch | None = None


class Link(NamedTuple):
    """A cell that leads somewhere; its text is said as its column is."""

    href: str
    text: str | Said | Mapping[str, str]


def file_of(request: Request, grid: Grid, name: str) -> File:
    """A table's file, in the order that is asked for: amounts as plain numbers, moments as they are written everywhere."""
    say = request.language
    grid = in_order(grid, request)
    head = [say.word(one.name) for one in grid.columns]
    return csv_file(name, head, (list(_plain(say, grid.columns, row)) for row in grid.rows))


def _plain(say: Language, columns: Sequence[Column], row: Sequence[Any]) -> Iterable[Any]:
    for column, cell in zip(columns, row, strict=True):
        value = cell.text if isinstance(cell, Link) else cell
        if isinstance(value, Said):
            yield value.plain
        elif isinstance(value, Mapping):  # in both languages
            yield say.said(dict(value))
        elif column.kind == "word" and value:
            yield say.word(value)
        else:
            yield "" if value is None else value


# -- their order ---------------------------------------------------------------------------------

SORT = "sort"  # ?sort=TABLE.COLUMN, with a hyphen in front downwards
_DIGITS = re.compile(r"\d+")


def in_order(grid: Grid, request: Request) -> Grid:
    """A table sorted as ``?sort=`` asks; where that names another table, or nothing, as it is."""
    names = [
        f"{grid.name}.{one.name}".replace("ops.", "").replace("col.", "") for one in grid.columns
    ]
    asked = request.query.get(SORT, "")
    downwards, wanted = asked.startswith("-"), asked.removeprefix("-")
    place = names.index(wanted) if wanted in names else -1
    if request.method == "GET":  # what a form sent has no address to come back to
        rest = request.all_but(SORT, PAGE)
        up = [
            name if (n, downwards) != (place, False) else f"-{name}" for n, name in enumerate(names)
        ]
        grid = grid._replace(
            heads=[f"{at(request.path, **rest, sort=one)}#{grid.name}" for one in up]
        )
    if place < 0:
        return grid
    say, column = request.language, grid.columns[place]
    filled = [row for row in grid.rows if row[place] not in (None, "")]
    filled.sort(key=lambda row: _order(say, column, row[place]), reverse=downwards)
    empty = [row for row in grid.rows if row[place] in (None, "")]  # last, whichever way
    file = f"{grid.file}{'&' if '?' in grid.file else '?'}{urlencode({SORT: asked})}"
    return grid._replace(
        rows=filled + empty, order=(place, downwards), file=file if grid.file else ""
    )


def _order(say: Language, column: Column, cell: Any) -> tuple[int, str]:
    """What a cell is sorted by: numbers by their size, also those within words; days by the calendar; words as they are read."""
    value = cell.text if isinstance(cell, Link) else cell
    if isinstance(value, int):
        return value, ""
    if isinstance(value, Said):
        value = value.order or value.both[say.name]
    elif isinstance(value, Mapping):
        value = say.said(dict(value))
    elif column.kind == "word":
        value = say.word(value)
    return 0, _DIGITS.sub(lambda found: f"{found[0]:0>18}", str(value)).casefold()


def _each_in_order(value: Any, request: Request) -> Any:
    """A page's figure: a table, or several by their names, sorted; anything else as it is."""
    if isinstance(value, Grid):
        grid = in_order(value, request)
        return grid._replace(part=stretch(request, grid.name, grid.rows))
    if isinstance(value, dict):
        return {name: _each_in_order(one, request) for name, one in value.items()}
    return value


def for_staff(show: door.Kept) -> door.Show:
    """Pages for whoever has signed in here, their tables in the order that is asked for."""

    async def shown(house: House, request: Request, speaker: Speaker) -> Answer:
        answer = await show(house, request, speaker)
        if isinstance(answer, Page):
            return answer._replace(figures=_each_in_order(dict(answer.figures), request))
        return answer

    return door.kept(HOME)(shown)


# -- days and months -----------------------------------------------------------------------------


def within(day: int) -> int:
    """The same day; ``ValueError`` where no command can be of it."""
    if not FIRST_MOMENT <= first_moment(day) < PAST_MOMENT:
        raise ValueError("before the first or after the last day")
    return day


def day_asked(house: House, request: Request, name: str = "day") -> int:
    """The day that is asked for, else today's. ``ProblemError`` 400 for none, and for one that no command can be of."""
    text = request.query.get(name, "").strip()
    if not text:
        return day_of(house.now)
    try:
        return within(parse_day(text))
    except ValueError:
        raise ProblemError(400, Reason(None, "bad-query")) from None


def month_asked(house: House, text: str) -> int:
    """The month ``2023-04``, else this one. ``ProblemError`` 400 for none."""
    if not text:
        return month_of(day_of(house.now))
    try:
        return month_of(within(parse_day(f"{text}-01")))
    except ValueError:
        raise ProblemError(400, Reason(None, "bad-query")) from None


def month_text(month: int) -> str:
    """A month as it stands in an address."""
    return iso_day(first_day_of(month))[:7]


def months_beside(month: int) -> tuple[str | None, str | None]:
    """The months before and after, as they stand in addresses; None where no command can be of one."""
    found: list[str | None] = []
    for one in (month - 1, month + 1):
        try:
            found.append(month_text(month_of(within(first_day_of(one)))))
        except ValueError:
            found.append(None)
    return found[0], found[1]


def days_of(month: int) -> tuple[int, int]:
    """The first day of a month, and the first after it."""
    return first_day_of(month), first_day_of(month + 1)


def short_month(text: str) -> str:
    """A month under a chart, which both languages read."""
    year, month = text.split("-")
    return f"{year}/{int(month)}"


# -- proposing, and long work --------------------------------------------------------------------


def asked_id(request: Request) -> str:
    """The number of the work that a form asks for: pressed twice it is the same; another form of that page, or another answer in it, is other work."""
    said = request.said("id")
    if not _ID.fullmatch(said):
        return new_number()
    asked = sorted((name, value) for name, value in request.form.items() if name != TOKEN)
    what = msgspec.json.encode([request.path, asked])
    return f"T-{said}-{sha256(what).hexdigest()[:12]}"


def struct_of(kind: type[Any], said: dict[str, Any]) -> Any:
    """What a form said, checked. ``ProblemError`` 400 that names what does not fit."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise ProblemError(400, Reason(None, "bad-body", {"why": str(error)})) from None


async def propose(house: House, request: Request, speaker: Speaker, said: dict[str, Any]) -> Task:
    """Put something before a second pair of eyes, in the background; gives the task that does it, as it is after a moment.

    Its answer is a ``proposal``, the ``decision`` that would not take it, or a ``problem``.
    """
    speaker.must(PROPOSE)
    body = struct_of(Propose, {**said, "why": request.said("why") or None})

    async def work(_tell: Tell) -> dict[str, Any]:
        try:
            made = await house.app.proposing.propose(speaker, body)
        except WouldNotBeTakenError as no:
            return {"decision": msgspec.json.decode(encode_answer(no.answer))}
        except ProblemError as problem:
            return {"problem": document(problem.status, problem.reason)}
        return {"proposal": made["proposal"]}

    number = asked_id(request)
    await house.app.tasks.begin(number, "propose", number, speaker.who, work)
    return await house.app.tasks.settled(number, SHORT)


def proposed(task: Task) -> Redirect | None:
    """Where to go after proposing: to the proposal, or to the task while that is being made; None where it is not taken."""
    if task.state != DONE:
        return Redirect(f"{HOME}/tasks/{task.task}")
    number = task.answer.get("proposal")
    return None if number is None else Redirect(f"{HOME}/proposals/{number}")


def why_not(task: Task) -> list[dict[str, Any]]:
    """Why something was not taken as a proposal: reasons as they are explained, never none."""
    answer = task.answer or {}
    if "problem" in answer:
        return [answer["problem"]]
    reasons = list(answer.get("decision", {}).get("reasons", ()))
    return reasons or [sentence("ops.proposal.nothing_came")]


async def survey(house: House, request: Request, speaker: Speaker, kind: str, about: str, ask: Any, then: str) -> Answer:  # fmt: skip
    """Have a question over all accounts answered in the background; then the page that shows its answer, or the task."""
    number = await house.app.tasks.survey(asked_id(request), kind, about, speaker.who, ask)
    task = await house.app.tasks.settled(number, SHORT)
    return Redirect(then if task.state == DONE else f"{HOME}/tasks/{number}")
