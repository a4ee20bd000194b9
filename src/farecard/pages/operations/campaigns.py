"""Campaigns: who reaches the target when, what is still to come, what it has cost; new editions, and new tariffs."""

from typing import Any

from farecard.access import proposals, tasks
from farecard.access.roles import PROPOSE
from farecard.api.problems import ProblemError
from farecard.api.speakers import Speaker
from farecard.model.moments import day_of, iso_day, iso_moment, parse_day
from farecard.model.verdict import Reason
from farecard.pages.charts import columns, curve
from farecard.pages.house import House
from farecard.pages.operations.names import campaign as campaign_said
from farecard.pages.operations.names import titles
from farecard.pages.operations.proposals import grid_of
from farecard.pages.operations.shared import (
    HOME,
    Column,
    Grid,
    Link,
    acts,
    file_of,
    for_staff,
    must_see,
    page,
    propose,
    proposed,
    short_month,
    survey,
    why_not,
)
from farecard.pages.requests import Answer, Redirect, Request
from farecard.questions import outlook
from farecard.storage.making import load_campaigns, load_tariff
from farecard.storage.store import Store

AT, TARIFF = f"{HOME}/campaigns", f"{HOME}/tariff"


async def _list(house: House, speaker: Speaker) -> Grid:
    must_see(speaker, "proposals")
    found = await house.app.readers.ask(lambda store: outlook.titles(load_campaigns(store).all))
    return Grid(
        "ops.campaigns.title",
        [Column("ops.col.campaign", "code"), Column("ops.col.title", "said"), Column("ops.col.edition", "count"),
         Column("ops.col.measures", "count"), Column("ops.col.apply_until", "day")],
        [(one["campaign"], Link(f"{AT}/{one['campaign']}", one["title"]), one["edition"], one["measures"], one["apply_until"]) for one in found],
        f"{AT}.csv",
    )  # fmt: skip


@for_staff
async def listed(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/campaigns``."""
    grid = await _list(house, speaker)
    return page(speaker, "campaigns", "campaigns", listed=grid, proposes=acts(speaker, PROPOSE))


@for_staff
async def listed_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/campaigns.csv``."""
    return file_of(request, await _list(house, speaker), "campaigns")


async def _shown(house: House, request: Request, speaker: Speaker) -> tuple[str, dict[str, Any]]:
    """A campaign's name, and what is known of how it goes: the newest task and the newest answer."""
    must_see(speaker, "proposals")
    name = request.parts["name"]

    def ask(store: Store) -> dict[str, Any] | None:
        campaigns = load_campaigns(store)
        if name not in campaigns.names:
            return None
        about = f"campaign:{name}"
        one = campaigns.of(name)
        return {
            "title": {"ja": one.title.ja, "en": one.title.en},
            "edition": one.edition,
            "task": tasks.newest(store, "outlook", about),
            "shown": tasks.newest_done(store, "outlook", about),
            "made": [proposals.Proposal(*row) for row in store.rows("proposals_of", about=about)],
        }

    found = await house.app.readers.ask(ask)
    if found is None:
        raise ProblemError(404, Reason(None, "no-such-address"))
    return name, found


def _days_grid(name: str, measures: list[dict[str, Any]]) -> Grid:
    """Who applied and who got there, day by day."""
    return Grid(
        "ops.campaign.days",
        [Column("ops.col.measure", "count"), Column("ops.col.day", "day"), Column("ops.col.applied", "count"),
         Column("ops.col.applied_so_far", "count"), Column("ops.col.reached", "count"), Column("ops.col.reached_so_far", "count")],
        [
            (one["measure"], day["day"], day["applied"], day["applied_so_far"], day["reached"], day["reached_so_far"])
            for one in measures
            for day in one["days"]
        ],
        f"{AT}/{name}/days.csv", "ops.campaign.nobody",
    )  # fmt: skip


def _months_grid(name: str, months: list[dict[str, Any]]) -> Grid:
    """Points by month."""
    return Grid(
        "ops.campaign.months",
        [Column("ops.col.month", "month"), Column("ops.col.granted", "points"), Column("ops.col.due", "points"), Column("ops.col.expected", "points")],
        [(one["month"], one["granted"], one["due"], one["expected"]) for one in months],
        f"{AT}/{name}/months.csv", "ops.campaign.no_points",
    )  # fmt: skip


def _curve(one: dict[str, Any], today: int) -> Any:
    """Those who applied and those who got there, so far, over the days until today."""
    days = [(parse_day(day["day"]), day) for day in one["days"]]
    days.append((today, {**days[-1][1], "day": iso_day(today)}))
    firsts = [(place, short_month(day["day"][:7])) for place, day in days]
    lines = [[(place, day[f"{what}_so_far"]) for place, day in days] for what in ("applied", "reached")]  # fmt: skip
    return curve(lines, firsts)


@for_staff
async def campaign(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/campaigns/NAME``: as it was worked out last."""
    name, found = await _shown(house, request, speaker)
    shown, known = found["shown"], await titles(house)
    answer = None if shown is None else shown.answer
    figures: dict[str, Any] = {"answer": answer}
    if answer is not None:
        figures |= {
            "owes": campaign_said(answer["cost"]["owes"], known).both[request.language.name],
            "as_of": iso_moment(answer["as_of"]),
            "curves": [(one, _curve(one, day_of(answer["as_of"]))) for one in answer["measures"] if one["days"]],
            "chart": columns(
                [(short_month(one["month"]), [one["granted"], one["due"], one["expected"]]) for one in answer["months"]]
            ),
            "days": _days_grid(name, answer["measures"]),
            "months": _months_grid(name, answer["months"]),
        }  # fmt: skip
    return page(
        speaker, "campaigns", "campaign", name=name, title=found["title"], edition=found["edition"], task=found["task"],
        made=found["made"], proposals=grid_of(found["made"], f"{HOME}/proposals.csv", known), **figures,
    )  # fmt: skip


@for_staff
async def campaign_file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/campaigns/NAME/days.csv`` and ``months.csv``."""
    name, found = await _shown(house, request, speaker)
    what = request.parts["table"]
    if what not in ("days", "months"):
        raise ProblemError(404, Reason(None, "no-such-address"))
    answer = {"measures": [], "months": []} if found["shown"] is None else found["shown"].answer
    grid = _days_grid(name, answer["measures"]) if what == "days" else _months_grid(name, answer["months"])  # fmt: skip
    return file_of(request, grid, f"{name}-{what}")


@for_staff
async def work_out(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/campaigns/NAME``: look at every applicant, in the background."""
    name, _ = await _shown(house, request, speaker)
    now = house.now

    def ask(store: Store) -> dict[str, Any]:
        return outlook.of_campaign(store, name, now)

    return await survey(house, request, speaker, "outlook", f"campaign:{name}", ask, f"{AT}/{name}")


# -- new editions --------------------------------------------------------------------------------


async def _texts(house: House, what: str) -> list[tuple[str, str]]:
    """What is in the store, to begin from: the newest of each name with its text."""

    def ask(store: Store) -> list[tuple[str, str]]:
        if what == "tariff":
            return [("tariff", load_tariff(store).text)]
        return sorted({name: text for _, name, text in store.rows("campaigns")}.items())

    return await house.app.readers.ask(ask)


async def _form(
    house: House, speaker: Speaker, what: str, text: str = "", reasons: Any = (), status: int = 200
) -> Answer:
    must_see(speaker, "proposals")
    known = await titles(house)
    return page(
        speaker, "campaigns", "edition", status, what=what, text=text, reasons=reasons, texts=await _texts(house, what), called=lambda name: campaign_said(name, known).both,
        proposes=acts(speaker, PROPOSE), action=TARIFF if what == "tariff" else f"{AT}/new",
    )  # fmt: skip


@for_staff
async def campaign_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/campaigns/new``; ``?from=NAME``: beginning with what holds."""
    found = dict(await _texts(house, "campaign"))
    return await _form(house, speaker, "campaign", found.get(request.query.get("from", ""), ""))


@for_staff
async def tariff_form(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/tariff``: beginning with what holds."""
    return await _form(house, speaker, "tariff", (await _texts(house, "tariff"))[0][1])


async def _propose(house: House, request: Request, speaker: Speaker, what: str) -> Answer:
    text = request.form.get("text", "").replace("\r\n", "\n")
    task = await propose(house, request, speaker, {what: text})
    to: Redirect | None = proposed(task)
    return to or await _form(house, speaker, what, text, why_not(task), 422)


@for_staff
async def new_campaign(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/campaigns/new``."""
    return await _propose(house, request, speaker, "campaign")


@for_staff
async def new_tariff(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /operations/tariff``."""
    return await _propose(house, request, speaker, "tariff")


PAGES = [
    ("GET", AT, listed),
    ("GET", f"{AT}.csv", listed_file),
    ("GET", f"{AT}/new", campaign_form),
    ("POST", f"{AT}/new", new_campaign),
    ("GET", TARIFF, tariff_form),
    ("POST", TARIFF, new_tariff),
    ("GET", f"{AT}/{{name}}/{{table}}.csv", campaign_file),
    ("GET", f"{AT}/{{name}}", campaign),
    ("POST", f"{AT}/{{name}}", work_out),
]
