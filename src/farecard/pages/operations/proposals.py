"""Proposals, and each as the task it is: what it would do, who must look, how far it is, what came of it."""

import asyncio
from typing import Any

import msgspec

from farecard.access import proposals
from farecard.access.proposals import APPROVED, PENDING, SENDER, STATES, Proposal
from farecard.access.roles import APPROVE, PROPOSE
from farecard.api.problems import ProblemError, document
from farecard.api.proposing import STATE_OF, Judge
from farecard.api.speakers import Speaker
from farecard.model.commands import format_number
from farecard.model.moments import SECOND, day_of, iso_day, iso_moment, moment_now, month_of
from farecard.model.verdict import ACCEPTED, Reason
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.operations.names import (
    Said,
    Titles,
    about,
    campaign,
    in_each,
    titles,
    word_in_each,
)
from farecard.pages.operations.shared import (
    HOME,
    Column,
    Grid,
    Link,
    acts,
    file_of,
    for_staff,
    month_asked,
    must_see,
    page,
    propose,
    proposed,
    struct_of,
    why_not,
)
from farecard.pages.requests import Answer, Redirect, Request, at
from farecard.pages.stretches import ROWS
from farecard.pages.typed import card_typed
from farecard.questions import answers
from farecard.questions.progress import Granted, granted_so_far
from farecard.rules.measures import pay_day
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store

MOST = 1_000
_PERIOD = 3  # column of the file of who got what
STALLED = 120 * SECOND  # without anything moving: who did it may be gone


def told(one: Proposal) -> dict[str, Any]:
    """A proposal as the API tells it, its parts read."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(proposals.told(one)))
    return found


async def _find(house: House, number: str) -> Proposal:
    """One proposal. ``ProblemError`` 404."""
    try:
        return await house.app.readers.ask(lambda store: proposals.find(store, number))
    except proposals.ProposalError as no:
        raise ProblemError(404, Reason(None, no.code, no.params)) from None


# -- the list ------------------------------------------------------------------------------------


def grid_of(found: list[Proposal], file: str, known: Titles) -> Grid:
    """Proposals as a table."""
    return Grid(
        "ops.proposals.title",
        [Column("ops.col.proposal"), Column("ops.col.about", "card"), Column("ops.col.state", "word"),
         Column("ops.col.proposed_by"), Column("ops.col.proposed_at", "moment"), Column("ops.col.decided_by")],
        [
            (Link(f"{HOME}/proposals/{one.number}", one.number), _subject(one, known), f"ops.state.{state_of(one)}",
             one.proposed_by, iso_moment(one.proposed_at), one.decided_by or "")
            for one in found
        ],
        file, "ops.proposals.none",
    )  # fmt: skip


def _subject(one: Proposal, known: Titles) -> Said | str:
    """What it is about; of a draw which step of it, since there are two."""
    found = about(one.about, known)
    do = msgspec.json.decode(one.line).get("command", {}).get("do")
    if isinstance(found, str) or not one.about.startswith("draw:"):
        return found
    return in_each("ops.about.step", found.plain, found.order, draw=found.both, step=word_in_each(f"ops.does.{do}"))  # fmt: skip


def state_of(one: Proposal) -> str:
    """Its state; of what was approved whether it is done, or could not be done any more."""
    if one.state != APPROVED:
        return one.state
    if one.answer is None:
        return "doing"
    outcome = msgspec.json.decode(one.answer).get("outcome", ACCEPTED)
    return "done" if outcome == ACCEPTED else "not-taken"


async def _listed(house: House, request: Request, speaker: Speaker) -> tuple[str, Grid]:
    must_see(speaker, "proposals")
    state = request.query.get("state", "")
    state = state if state in STATES else ""
    found = await house.app.readers.ask(lambda store: proposals.load(store, state or None, MOST))
    return state, grid_of(found, at(f"{HOME}/proposals.csv", state=state), await titles(house))


@for_staff
async def listed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/proposals``: the newest first, of a state or all."""
    state, grid = await _listed(house, request, speaker)
    return page(speaker, "proposals", "proposals", listed=grid, state=state, states=STATES)


@for_staff
async def listed_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/proposals.csv``."""
    return file_of(request, (await _listed(house, request, speaker))[1], "proposals")


# -- one of them ---------------------------------------------------------------------------------


def _where_to_propose(said: dict[str, Any]) -> str:
    """Where a command is proposed (again), filled in as far as that goes."""
    c = said.get("command", {})
    if "month" in c:
        return f"{HOME}/grants/{c['month']}"
    if "draw" in c:
        return f"{HOME}/draws/{c['draw']}"
    return at(f"{HOME}/reverse", of=c.get("of"), of_sender=c.get("of_sender"))


def _is_run(said: dict[str, Any]) -> bool:
    return bool(said.get("command", {}).get("do") == "run_grants")


async def _progress(house: House, one: Proposal) -> Granted | None:
    """How far the run is that was approved and is not over; None for what is over at once."""
    if one.state != APPROVED or one.answer is not None or not _is_run(told(one)):
        return None
    since = one.decided_at or 0
    return await house.app.readers.ask(
        lambda store: granted_so_far(store, SENDER, one.number, since)
    )


def due_days(store: Store, month: int) -> list[tuple[dict[str, str], str]]:
    """The days of a month on which each campaign's points are due that something counted for before it: (title, day)."""
    return [
        ({"ja": one.title.ja, "en": one.title.en}, iso_day(pay_day(month, one)))
        for one in load_campaigns(store).all
        if any(month_of(day_of(each.first_at)) < month for each in one.measures)
    ]


async def _due(house: House, said: dict[str, Any]) -> list[tuple[dict[str, str], str]]:
    """The same of the month that a run is proposed for; of anything else nothing."""
    if not _is_run(said):
        return []
    month = month_asked(house, said["command"]["month"])
    return await house.app.readers.ask(lambda store: due_days(store, month))


async def _shown(
    house: House, speaker: Speaker, number: str, problem: dict[str, Any] | None = None, status: int = 200
) -> Answer:  # fmt: skip
    must_see(speaker, "proposals")
    one = await _find(house, number)
    said = told(one)
    progress = await _progress(house, one)
    target = said["preview"]["decision"]["result"]["grants"] if progress is not None else 0
    last = max(one.decided_at or 0, 0 if progress is None else progress.last_at)
    stalled = state_of(one) == "doing" and moment_now() - last > STALLED
    own = one.proposed_by == speaker.who
    approves = acts(speaker, APPROVE)
    return page(
        speaker, "proposals", "proposal", status, one=said, state=state_of(one), own=own, approves=approves, stalled=stalled,
        pending=one.state == PENDING, problem=problem, progress=progress, target=target,
        left=None if progress is None else progress.seconds_left(target), grids=_grids(said, await titles(house)),
        again=_where_to_propose(said), due=await _due(house, said), today=iso_day(day_of(house.now)),
    )  # fmt: skip


def _grids(said: dict[str, Any], known: Titles) -> dict[str, Grid]:
    """What it would do, as tables."""
    file, preview = f"{HOME}/proposals/{said['proposal']}/preview.csv", said["preview"]
    if "measures" in preview and "decision" in preview:
        return {"measures": measures_grid(preview["measures"], file, known)}
    if "added" in preview:
        kinds = (("ops.tariff.new", preview["added"]), ("ops.tariff.gone", preview["removed"]))
        rows = [
            (word, one["name"], str(one["value"]), one["unit"], one["from"] or "", one["until"] or "", ", ".join(one["rules"]))
            for word, some in kinds
            for one in some
        ]  # fmt: skip
        names = ("ops.col.name", "ops.col.value", "ops.col.unit", "ops.col.from", "ops.col.until", "ops.col.rules")  # fmt: skip
        head = [Column("ops.col.change", "word"), *map(Column, names)]
        return {"tariff": Grid("ops.tariff.changes", head, rows, file)}
    return {}


def measures_grid(measures: list[dict[str, Any]], file: str, known: Titles) -> Grid:
    """What a run would grant by measure, and why all others get nothing."""
    rows: list[tuple[Any, ...]] = []
    for one in measures:
        name = campaign(one["campaign"], known)
        rows.append((name, one["measure"], "ops.why.granted", None, one["grants"], one["points"]))
        rows += [
            (name, one["measure"], f"ops.why.{other['code']}", other["rule"], other["count"], None)
            for other in one["others"]
        ]  # fmt: skip
    return Grid(
        "ops.grants.by_reason",
        [Column("ops.col.campaign"), Column("ops.col.measure", "count"), Column("ops.col.why", "word"),
         Column("ops.col.rule", "rule"), Column("ops.col.how_many", "count"), Column("ops.col.points", "points")],
        rows, file,
    )  # fmt: skip


@for_staff
async def one(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/proposals/P``."""
    return await _shown(house, speaker, request.parts["number"])


@for_staff
async def judge(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/proposals/P``: approve, decline or withdraw. What is approved goes on while the page is there already."""
    number, decision = request.parts["number"], request.said("decision")
    try:
        said = struct_of(Judge, {"decision": decision, "why": request.said("why") or None})
        decided = await house.app.proposing.decide_on(speaker, number, said)
    except ProblemError as problem:
        found = await _find(house, number)
        again = (found.state, found.decided_by) == (STATE_OF.get(decision), speaker.who)
        if problem.reason.code == "proposal-decided" and again:  # pressed twice
            return Redirect(f"{HOME}/proposals/{number}")
        said_no = document(problem.status, problem.reason)
        return await _shown(house, speaker, number, said_no, problem.status)
    if decided.state == APPROVED and decided.answer is None:
        house.app.soon(house.app.proposing.finish(decided))
    return Redirect(f"{HOME}/proposals/{number}")


@for_staff
async def preview_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/proposals/P/preview.csv``."""
    must_see(speaker, "proposals")
    number = request.parts["number"]
    for grid in _grids(told(await _find(house, number)), await titles(house)).values():
        return file_of(request, grid, f"{number}-preview")
    raise ProblemError(404, Reason(None, "no-such-address"))


@for_staff
async def result_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/proposals/P.csv``: of a run who got what, of a draw who has won."""
    must_see(speaker, "proposals")
    number = request.parts["number"]
    said = told(await _find(house, number))
    if said.get("command", {}).get("do") == "draw_lottery" and said["answer"]:
        winners = (said["answer"].get("result") or {}).get("winners", ())
        return await asyncio.to_thread(file_of, request, _winners(winners), number)
    if not _is_run(said):
        raise ProblemError(404, Reason(None, "no-such-address"))

    def ask(store: Store) -> list[tuple[Any, ...]]:
        return [
            (format_number(card), campaign, measure, period_text(period), points, iso_moment(when))
            for card, campaign, measure, period, points, when in store.rows(
                "granted_of_run", sender=SENDER, id=number
            )
        ]

    columns = [
        Column("ops.col.card", "card"), Column("ops.col.campaign"), Column("ops.col.measure", "count"),
        Column("ops.col.period", "month"), Column("ops.col.points", "points"), Column("ops.col.at", "moment"),
    ]  # fmt: skip
    rows = await house.app.surveyors.ask(ask)
    if not any(row[_PERIOD] for row in rows):  # nothing in it is paid by the month
        columns.pop(_PERIOD)
        rows = [row[:_PERIOD] + row[_PERIOD + 1 :] for row in rows]
    grid = Grid("ops.grants.who", columns, rows, "")
    # of half a million it takes seconds, in which others are served
    return await asyncio.to_thread(file_of, request, grid, number)


def _winners(cards: list[str]) -> Grid:
    """Who has won, in the order they were drawn."""
    columns = [Column("ops.col.turn", "count"), Column("ops.col.card", "card")]
    return Grid("ops.draw.winners", columns, list(enumerate(cards, 1)), "")


def period_text(period: int) -> str:
    """The month a monthly grant is for; of any other nothing."""
    return f"{period // 12}-{period % 12 + 1:02}" if period else ""


# -- reversals -----------------------------------------------------------------------------------


async def _to_take_back(house: House, speaker: Speaker, number: str) -> Grid:
    """The newest entries of a card; those that can be taken back lead to where that is proposed. ``ProblemError`` 400 or 404."""
    found: list[dict[str, Any]] = await house.about(
        speaker, number, lambda store, card, when: answers.entries(store, card, when, ROWS)
    )

    def row(one: dict[str, Any]) -> tuple[Any, ...]:
        to = at(f"{HOME}/reverse", of=one["id"], of_sender=one["sender"])
        way = Link(f"{to}#of", sentence("ops.reverse.this")) if one["reversible"] else None
        return one["at"], f"do.{one['do']}", f"channel.{one['channel']}", one["amount"], one["balance"], one["sender"], one["id"], way  # fmt: skip

    return Grid(
        "ops.reverse.entries",
        [Column("ops.col.at", "moment"), Column("ops.col.what", "word"), Column("ops.col.channel", "word"), Column("ops.col.yen", "yen"),
         Column("ops.col.balance", "yen"), Column("ops.reverse.sender"), Column("ops.reverse.of"), Column("ops.reverse.way", "said")],
        [row(one) for one in found], "",
    )  # fmt: skip


@for_staff
async def reverse_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/reverse``: taking back what another sender sent; ``?card=…``: found among what was done with a card."""
    must_see(speaker, "proposals")
    said = {name: request.query.get(name, "") for name in ("of", "of_sender")} | {"reason": ""}
    typed = request.query.get("card", "").strip()
    entries, problem, status = None, None, 200
    try:
        entries = await _to_take_back(house, speaker, card_typed(typed)) if typed else None
    except ProblemError as no:
        problem, status = document(no.status, no.reason), no.status
    return page(
        speaker, "proposals", "reverse", status, said=said, reasons=[], proposes=acts(speaker, PROPOSE), typed=typed,
        entries=entries, problem=problem,
    )  # fmt: skip


@for_staff
async def reverse(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/reverse``."""
    said = {name: request.said(name) for name in ("of", "of_sender", "reason")}
    command = {"do": "reverse", "of": said["of"], "of_sender": said["of_sender"] or None, "why": said["reason"]}  # fmt: skip
    command = {name: value for name, value in command.items() if value is not None}
    task = await propose(house, request, speaker, {"command": command})
    return proposed(task) or page(
        speaker,
        "proposals",
        "reverse",
        422,
        said=said,
        reasons=why_not(task),
        proposes=True,
        typed="",
        entries=None,
    )


# -- tasks ---------------------------------------------------------------------------------------

_SHOWN_AT = {
    "preview": f"{HOME}/grants/{{}}",
    "outlook": f"{HOME}/campaigns/{{}}",
    "verify": f"{HOME}/draws/{{}}",
}


@for_staff
async def task(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/tasks/T``: long work, to be left and come back to."""
    found = await house.app.tasks.find(request.parts["number"])
    if found is None:
        raise ProblemError(404, Reason(None, "no-such-address"))
    must_see(speaker, "trail" if found.kind == "check" else "proposals")
    if found.kind == "check":
        return Redirect(f"{HOME}/audit")
    to = _SHOWN_AT.get(found.kind, f"{HOME}/proposals").format(found.about.partition(":")[2])
    is_over = found.kind == "propose" and found.answer
    to_proposal = proposed(found) if is_over else None
    return page(
        speaker, "proposals", "task", task=found, reasons=why_not(found) if is_over and to_proposal is None else [],
        then=to if to_proposal is None else to_proposal.to,
    )  # fmt: skip


PAGES = [
    ("GET", f"{HOME}/proposals", listed),
    ("GET", f"{HOME}/proposals.csv", listed_file),
    ("GET", f"{HOME}/proposals/{{number}}/preview.csv", preview_file),
    ("GET", f"{HOME}/proposals/{{number}}.csv", result_file),
    ("GET", f"{HOME}/proposals/{{number}}", one),
    ("POST", f"{HOME}/proposals/{{number}}", judge),
    ("GET", f"{HOME}/reverse", reverse_form),
    ("POST", f"{HOME}/reverse", reverse),
    ("GET", f"{HOME}/tasks/{{number}}", task),
]
