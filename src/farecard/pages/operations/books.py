"""The books: the trial balance, settlement by place, merchant and company, a ledger account day by day, the unused balance."""

import re
from collections.abc import Sequence
from typing import Any

from farecard.api.problems import ProblemError
from farecard.api.speakers import Speaker
from farecard.model.account import ISSUER
from farecard.model.moments import (
    PAST_MOMENT,
    date_of,
    day_of,
    first_moment,
    iso_day,
    iso_moment,
    parse_as_of,
)
from farecard.model.verdict import Reason
from farecard.pages.charts import columns, rows
from farecard.pages.house import House
from farecard.pages.operations.names import Said, place, titles
from farecard.pages.operations.names import account as account_said
from farecard.pages.operations.shared import (
    HOME,
    Column,
    Grid,
    Link,
    day_asked,
    days_of,
    file_of,
    for_staff,
    month_asked,
    month_text,
    months_beside,
    must_see,
    page,
    within,
)
from farecard.pages.paper import Heading, Part, Sum, Table, Words, pdf
from farecard.pages.requests import Answer, Request, at
from farecard.questions import answers, books
from farecard.rules.catalogue import RULES
from farecard.rules.prepaid import is_report_day
from farecard.storage.making import load_tariff
from farecard.storage.store import Store

AT = f"{HOME}/books"
MOST_BARS = 10
_YEN = ("debit", "credit", "balance")
_SIDES = [Column(f"ops.col.{side}", "yen") for side in _YEN]
_REPORTS_SHOWN = 4  # half-years
_YEAR = 366
_PLAIN = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T]+(\d?\d:\d\d)", re.ASCII
)  # as people write a day and a time of it


def _as_of(text: str) -> int | None:
    """The moment that is asked for, of a day its end, a time without an offset in Tokyo; None where it is not said. ``ProblemError`` 400."""
    if not text:
        return None
    plain = _PLAIN.fullmatch(text)
    try:
        moment = parse_as_of(f"{plain[1]}T{plain[2]:0>5}:00+09:00" if plain else text)
        within(day_of(moment))
    except ValueError:
        raise ProblemError(400, Reason(None, "bad-query")) from None
    return moment


# -- the trial balance ---------------------------------------------------------------------------


async def _balance(house: House, request: Request, speaker: Speaker) -> tuple[dict[str, Any], Grid]:
    must_see(speaker, "trial-balance")
    text = request.query.get("as_of", "").strip()
    when, now = _as_of(text), house.now
    found = await house.app.readers.ask(lambda store: answers.trial_balance(store, when, now))
    known, kind = await titles(house), request.query.get("kind", "")
    month = month_text(month_asked(house, iso_day(day_of(now if when is None else when))[:7]))
    grid = Grid(
        "ops.books.balance",
        [Column("ops.col.account"), *_SIDES],
        [
            (Link(at(f"{AT}/account", name=one["account"], month=month), account_said(one["account"], known)), *(one[side] for side in _YEN))
            for one in found["accounts"]
            if not kind or _kind(one) == kind
        ],
        at(f"{AT}.csv", kind=kind, as_of=text), "ops.books.empty",
    )  # fmt: skip
    return found, grid


def _kind(account: dict[str, Any]) -> str:
    """What a ledger account is of: ``cash`` of every till's."""
    return str(account["account"]).partition(":")[0]


def _by_kind(found: dict[str, Any], every: Grid, as_of: str) -> Grid:
    """The ledger accounts of a kind in one line, which leads to them; of a kind with one, to that."""
    kinds: dict[str, list[Sequence[Any]]] = {}
    for one, row in zip(found["accounts"], every.rows, strict=True):
        kinds.setdefault(_kind(one), []).append(row)
    listed = []
    for kind, of_it in kinds.items():
        link = of_it[0][0]
        if len(of_it) > 1:
            link = Link(at(AT, kind=kind, as_of=as_of), account_said(kind, {}))
        sums = [sum(amounts) for amounts in zip(*(row[1:] for row in of_it), strict=True)]
        listed.append((link, len(of_it), *sums))
    columns = [Column("ops.col.account"), Column("ops.col.accounts", "count"), *_SIDES]
    return every._replace(columns=columns, rows=listed)


@for_staff
async def balance(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/books``: of now, or as of a day; by kind of ledger account, or with ``?kind=cash`` those of one kind."""
    found, grid = await _balance(house, request, speaker)
    as_of, kind = request.query.get("as_of", ""), request.query.get("kind", "")
    called = account_said(kind, {}).both[request.language.name] if kind else ""
    grid = grid if kind else _by_kind(found, grid, as_of)
    month = month_text(month_asked(house, ""))
    return page(
        speaker, "books", "books", listed=grid, found=found, as_of=as_of, kind=kind, called=called,
        month=month,
    )  # fmt: skip


@for_staff
async def balance_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/books.csv``."""
    _, grid = await _balance(house, request, speaker)
    return file_of(request, grid, "trial-balance")


# -- settlement ----------------------------------------------------------------------------------


def _is_own(by: str, one: dict[str, Any]) -> bool:
    """Whether fares are of the issuer's own lines: nobody pays himself."""
    return by == "company" and one["name"] == ISSUER


def _named(by: str, one: dict[str, Any]) -> Said | str:
    return place(one["name"]) if by == "place" else str(one["name"])


def _read(request: Request, name: Said | str) -> str:
    return name.both[request.language.name] if isinstance(name, Said) else name


async def _settled(
    house: House, request: Request, speaker: Speaker
) -> tuple[str, int, list[dict[str, Any]], Grid]:
    must_see(speaker, "trial-balance")
    by = request.parts["by"]
    if by not in books.HEADS:
        raise ProblemError(404, Reason(None, "no-such-address"))
    month = month_asked(house, request.query.get("month", ""))
    text, (first, past) = month_text(month), days_of(month)
    found = await house.app.readers.ask(lambda store: books.settlement(store, by, first, past))
    names = {
        "place": ("ops.col.taken_in", "ops.col.paid_out", "ops.col.net_cash"),
        "merchant": ("ops.col.purchases", "ops.col.taken_back", "ops.col.to_pay"),
        "company": ("ops.col.fares", "ops.col.taken_back", "ops.col.to_pay"),
    }[by]
    sides = ("debit", "credit") if by == "place" else ("credit", "debit")
    own = request.language.word("ops.settled.own")

    def row(one: dict[str, Any]) -> tuple[Any, ...]:
        link = at(f"{AT}/account", name=one["account"], month=text)
        amounts = (*(one[side] for side in sides), None if _is_own(by, one) else one["net"])
        return Link(link, own if _is_own(by, one) else _named(by, one)), *amounts

    grid = Grid(
        f"ops.settled.{by}",
        [Column(f"ops.col.{by}"), *(Column(name, "yen") for name in names)],
        [row(one) for one in found],
        at(f"{AT}/settlement/{by}.csv", month=text), "ops.settled.none",
    )  # fmt: skip
    return by, month, found, grid


@for_staff
async def settled(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/books/settlement/place``, ``merchant``, ``company``: of a month."""
    by, month, found, grid = await _settled(house, request, speaker)
    others = [one for one in found if not _is_own(by, one)]
    before, after = months_beside(month)
    largest = sorted((one for one in others if one["net"] > 0), key=lambda one: -one["net"])
    return page(
        speaker, "books", "settlement", by=by, kinds=list(books.HEADS), month=month_text(month), before=before,
        after=after, listed=grid, total=sum(one["net"] for one in others),
        chart=rows([(_read(request, _named(by, one)), one["net"]) for one in largest[:MOST_BARS]]),
    )  # fmt: skip


@for_staff
async def settled_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """The same as a file."""
    by, month, _, grid = await _settled(house, request, speaker)
    return file_of(request, grid, f"settlement-{by}-{month_text(month)}")


# -- a ledger account ----------------------------------------------------------------------------


async def _account(house: House, request: Request, speaker: Speaker) -> tuple[str, int, list[dict[str, Any]], Grid]:  # fmt: skip
    must_see(speaker, "trial-balance")
    name = request.query.get("name", "")
    month = month_asked(house, request.query.get("month", ""))
    text, (first, past) = month_text(month), days_of(month)
    found = await house.app.readers.ask(lambda store: books.account_days(store, name, first, past))
    grid = Grid(
        "ops.account.days",
        [Column("ops.col.day", "day"), Column("ops.col.debit", "yen"), Column("ops.col.credit", "yen")],
        [(Link(at(HOME, day=one["day"]), one["day"]), one["debit"], one["credit"]) for one in found],
        at(f"{AT}/account.csv", name=name, month=text), "ops.account.none",
    )  # fmt: skip
    return name, month, found, grid


@for_staff
async def account(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/books/account?name=…&month=…``: day by day; each day leads to its figures."""
    name, month, found, grid = await _account(house, request, speaker)
    chart = columns(
        [(request.language.short_day(one["day"]), [one["debit"] + one["credit"]]) for one in found]
    )
    called = _read(request, account_said(name, await titles(house)))
    before, after = months_beside(month)
    return page(
        speaker, "books", "account", name=name, called=called, month=month_text(month), before=before,
        after=after, listed=grid, chart=chart,
        debit=sum(one["debit"] for one in found), credit=sum(one["credit"] for one in found),
    )  # fmt: skip


@for_staff
async def account_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """The same as a file."""
    _, month, _, grid = await _account(house, request, speaker)
    return file_of(request, grid, f"account-{month_text(month)}")


# -- the unused balance --------------------------------------------------------------------------


def _report_days(store: Store, today: int) -> list[int]:
    """The last days on which the unused balance was to be reported, the newest first."""
    tariff, day = load_tariff(store), today
    found: list[int] = []
    while len(found) < _REPORTS_SHOWN and day > today - _YEAR * _REPORTS_SHOWN:
        if is_report_day(day, tariff.on(day)):
            found.append(day)
        day -= 1
    return found


async def _unused(house: House, request: Request, speaker: Speaker) -> tuple[dict[str, Any], list[int], Grid]:  # fmt: skip
    must_see(speaker, "trial-balance")
    today = day_of(house.now)
    days = await house.app.readers.ask(lambda store: _report_days(store, today))
    day = day_asked(house, request) if request.query.get("day") or not days else days[0]
    text = request.query.get("known", "").strip()
    known = _as_of(text)
    if known is None:
        known = first_moment(day + 1) - 1
    moment: int = min(known, PAST_MOMENT)

    found = await house.app.readers.ask(
        lambda store: books.unused_balance(store, load_tariff(store), day, moment)
    )
    late = found["now"]["balance"] - found["then"]["balance"]
    grid = Grid(
        "ops.unused.figures",
        [Column("ops.col.what", "word"), Column("ops.col.then", "yen"), Column("ops.col.now", "yen"), Column("ops.col.late", "yen")],
        [
            ("ops.unused.balance", found["then"]["balance"], found["now"]["balance"], late),
            ("ops.unused.to_secure", found["then"]["to_secure"], found["now"]["to_secure"], found["now"]["to_secure"] - found["then"]["to_secure"]),
        ],
        at(f"{AT}/unused.csv", day=iso_day(day), known=text),
    )  # fmt: skip
    return found, days, grid


@for_staff
async def unused(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/books/unused?day=2023-03-31&known=…``: as of its date and as known then, and as known now."""
    found, days, grid = await _unused(house, request, speaker)
    paper = at(f"{AT}/unused.pdf", day=found["day"], known=request.query.get("known", ""))
    return page(
        speaker, "books", "unused", found=found, days=[iso_day(day) for day in days], listed=grid, paper=paper,
        known=request.query.get("known", ""), early=found["recorded_from"] is not None and found["recorded_from"] > found["known"],
    )  # fmt: skip


@for_staff
async def unused_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/books/unused.csv``."""
    found, _, grid = await _unused(house, request, speaker)
    return file_of(request, grid, f"unused-{found['day']}")


@for_staff
async def unused_paper(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/books/unused.pdf``."""
    found, _, grid = await _unused(house, request, speaker)
    say, t = request.language, request.language.word
    law = RULES["PUB-15"]
    balance = found["now"]["balance"]
    half = t("ops.unused.share", percent=found["percent"])
    parts: list[Part] = [
        Heading(t("ops.unused.title")),
        Words(t("ops.unused.of", day=say.day(found["day"]))),
        Table(
            [t(one.name) for one in grid.columns],
            [[t(row[0]), *(say.yen(amount) for amount in row[1:])] for row in grid.rows],
            (1, 2, 3),
        ),
        Words(t("ops.unused.known_at", moment=say.moment(found["known"]))),
        Heading(t("ops.unused.secure")),
        Sum(
            [(t("ops.unused.balance"), say.yen(balance)), (t("ops.unused.threshold"), say.yen(found["threshold"]))],
            (half if balance > found["threshold"] else t("ops.unused.nothing"), say.yen(found["now"]["to_secure"])),
        ),
        Words(f"PUB-15 {law.ja if say.name == 'ja' else law.en}"),
        Words(t("ops.unused.printed", moment=say.moment(iso_moment(house.now)), who=speaker.who)),
    ]  # fmt: skip
    return pdf(f"unused-{date_of(day_of(parse_as_of(found['day'])))}", t("ops.unused.title"), parts)


PAGES = [
    ("GET", AT, balance),
    ("GET", f"{AT}.csv", balance_file),
    ("GET", f"{AT}/settlement/{{by}}.csv", settled_file),
    ("GET", f"{AT}/settlement/{{by}}", settled),
    ("GET", f"{AT}/account", account),
    ("GET", f"{AT}/account.csv", account_file),
    ("GET", f"{AT}/unused", unused),
    ("GET", f"{AT}/unused.csv", unused_file),
    ("GET", f"{AT}/unused.pdf", unused_paper),
]
