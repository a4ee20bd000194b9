"""Today at a glance, or another day: four figures, each with a picture and its table."""

import re
from typing import Any

from farecard.api.problems import ProblemError
from farecard.api.speakers import Speaker
from farecard.model.moments import FIRST_MOMENT, day_of, first_moment, iso_day
from farecard.model.verdict import Reason
from farecard.pages.charts import columns, rows
from farecard.pages.house import House
from farecard.pages.language import Language
from farecard.pages.operations.names import named, place
from farecard.pages.operations.shared import (
    HOME,
    PARTS,
    Column,
    Grid,
    day_asked,
    file_of,
    for_staff,
    must_see,
    page,
    roles_that_see,
    sees,
)
from farecard.pages.requests import Answer, Request, at
from farecard.questions import day as days
from farecard.rules.catalogue import RULES

TABLES = ("charges", "rides", "refusals", "cases")
MOST_BARS = 10
_BESIDE = {"ja": 22, "en": 42}  # letters that fit above a bar on a phone


async def _figures(house: House, request: Request) -> dict[str, Any]:
    """A day's figures, with what waits now."""
    day = day_asked(house, request)

    def ask(store: Any) -> dict[str, Any]:
        return days.of_day(store, day) | {"waiting": days.waiting(store)}

    found: dict[str, Any] = await house.app.readers.ask(ask)
    return found


def _grids(found: dict[str, Any]) -> dict[str, Grid]:
    """The tables behind the pictures, by their names in addresses."""
    day = found["day"]

    def file(name: str) -> str:
        return at(f"{HOME}/today/{name}.csv", day=day)

    return {
        "charges": Grid(
            "ops.today.charges",
            [Column("ops.col.what", "word"), Column("ops.col.channel", "word"), Column("ops.col.place"),
             Column("ops.col.times", "count"), Column("ops.col.yen", "yen")],
            [(f"do.{one['do']}", f"channel.{one['channel']}", named(one["channel"], one["place"]), one["times"], one["yen"]) for one in found["charges"]],
            file("charges"), "ops.today.no_charges",
        ),
        "rides": Grid(
            "ops.today.rides",
            [Column("ops.col.hour"), Column("ops.col.times", "count"), Column("ops.col.yen", "yen")],
            [(f"{one['hour']}:00", one["times"], one["yen"]) for one in found["rides"]],
            file("rides"),
        ),
        "refusals": Grid(
            "ops.today.refusals",
            [Column("ops.col.rule", "rule"), Column("ops.col.code", "code"), Column("ops.col.times", "count"), Column("ops.col.example", "said")],
            [(one["rule"], one["code"], one["times"], {name: one["example"][name] for name in ("code", "ja", "en", "params")}) for one in found["refusals"]],
            file("refusals"), "ops.today.no_refusals",
        ),
        "cases": Grid(
            "ops.today.cases",
            [Column("ops.col.refer_to", "word"), Column("ops.col.times", "count")],
            [(f"cases.place.{place}", times) for place, times in found["waiting"]["cases"].items()],
            file("cases"), "ops.today.no_cases",
        ),
    }  # fmt: skip


def _by_rule(say: Language, refusals: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """How often each rule said no, the most frequent first, with the beginning of the rule; what is of no rule by what was said."""
    times: dict[str, int] = {}
    for one in refusals:
        law = RULES.get(one["rule"] or "")
        said = say.said(one["example"]) if law is None else getattr(law, say.name)
        first = re.split(r"(?<=。)|(?<=[.;])\s", said, maxsplit=1)[0].rstrip(".;")
        most = _BESIDE[say.name]
        first = first if len(first) <= most else f"{first[: most - 1]}…"
        name = f"{one['rule'] or ''} {first}".strip()
        times[name] = times.get(name, 0) + one["times"]
    return sorted(times.items(), key=lambda one: -one[1])


@for_staff
async def home(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations``: a day at a glance; for a role that sees no figures, what it does here."""
    hidden = [
        (name, roles_that_see(question)) for name, _, question in PARTS if not sees(speaker, question)
    ]  # fmt: skip
    if not sees(speaker, "trial-balance"):
        waiting = await house.app.readers.ask(days.waiting)
        return page(speaker, "today", "start", hidden=hidden, waiting=waiting)
    found = await _figures(house, request)
    say, day = request.language, day_asked(house, request)
    today = day_of(house.now)
    charged = [
        (place(f"{one['channel']}:{one['place'] or '-'}").both[say.name], one["yen"])
        for one in found["charges"]
        if one["yen"] > 0
    ]
    figures = {
        "charged": sum(one["yen"] for one in found["charges"]),
        "charges": sum(one["times"] for one in found["charges"]),
        "rides": sum(one["times"] for one in found["rides"]),
        "fares": sum(one["yen"] for one in found["rides"]),
        "refused": found["decided"].get("refused", 0),
        "decided": sum(found["decided"].values()),
    }
    return page(
        speaker, "today", "today", hidden=hidden, figures=figures, waiting=found["waiting"], grids=_grids(found),
        day=found["day"], today=iso_day(today), before=iso_day(day - 1) if first_moment(day) > FIRST_MOMENT else None, after=iso_day(day + 1) if day < today else None,
        charts={
            "charges": rows(charged[:MOST_BARS]),
            "rides": columns([(f"{one['hour']}", [one["times"]]) for one in found["rides"]]),
            "refusals": rows(_by_rule(say, found["refusals"])[:MOST_BARS]),
        },
    )  # fmt: skip


@for_staff
async def file(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /operations/today/TABLE.csv``."""
    must_see(speaker, "trial-balance")
    found = await _figures(house, request)
    name = request.parts["table"]
    if name not in TABLES:
        raise ProblemError(404, Reason(None, "no-such-address"))
    return file_of(request, _grids(found)[name], f"{name}-{found['day']}")


PAGES = [
    ("GET", HOME, home),
    ("GET", f"{HOME}/today/{{table}}.csv", file),
]
