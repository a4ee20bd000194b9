"""What a holder should know of his cards without asking: the days that lie ahead, and what needs attention."""

from typing import Any, NamedTuple

from farecard.model.commands import PHONES
from farecard.model.moments import day_of, iso_day, parse_day, parse_moment
from farecard.pages.cases import APPLY, CHANGE, too_late
from farecard.pages.language import Language
from farecard.pages.steps import waits_for
from farecard.questions.referrals import GRANTED
from farecard.rules.measures import COUNTING, DUE, WAITING
from farecard.rules.state import LIVING

SOON = 60  # days before a card's last one in which it needs attention; and after a decision
MOST_CASES = 5


class Date(NamedTuple):
    """A day that lies ahead (``YYYY-MM-DD``), what it is, and whether something must be done by then."""

    day: str
    what: str
    urgent: bool = False


def dates(
    say: Language, status: dict[str, Any], held: dict[str, Any], draws: list[dict[str, Any]], today: int
) -> list[Date]:  # fmt: skip
    """The days that lie ahead of a card, the first of them first; ``draws``: those still to be qualified for."""
    found = [*_of_card(say, status["card"], held, today), *_of_myna(say, status["myna"])]
    state = status["card"]["state"]
    if status["myna"] is None and held["apply_from"] and state in LIVING:
        found.append(Date(held["apply_from"], say.word("ahead.apply_from")))
    if (
        status["rally"]
        and status["rally"]["draw"] is None
        and draws
        and state in (*LIVING, "stopped")
    ):
        words = say.word("ahead.rally", draw=draws[0]["number"])
        found.append(Date(draws[0]["until"], words))
    return sorted(one for one in found if one.day >= iso_day(today))


def _of_card(say: Language, card: dict[str, Any], held: dict[str, Any], today: int) -> list[Date]:
    found = []
    slip, expires = held["slip"], card["expires"]
    if slip:
        where = say.collected_at(slip)
        found.append(Date(slip["collect_from"], say.word("ahead.collect_from", where=where)))
        found.append(Date(slip["until"], say.word("ahead.collect_until", where=where)))
    if held["pass_until"] and card["state"] != "refunded":
        found.append(Date(held["pass_until"], say.word("ahead.pass_until")))
    if expires and card["state"] in LIVING:
        soon = parse_day(expires) - today <= SOON
        found.append(Date(expires, say.word("ahead.expires"), soon))
    return found


def _of_myna(say: Language, myna: dict[str, Any] | None) -> list[Date]:
    found = []
    for number, one in ({} if myna is None else myna["measures"]).items():
        called, due = say.word(f"myna.measure.{number}"), one["grant_on"]
        if one["state"] == DUE:
            points = say.points(one["points"])
            found.append(Date(due, say.word("ahead.points", measure=called, points=points)))
        elif one["state"] == COUNTING and one.get("remaining"):
            left = say.yen(one["remaining"])
            words = say.word("ahead.to_go", measure=called, left=left)
            found.append(Date(one["reasons"][0]["params"]["until"], words, urgent=True))
        elif one["state"] == WAITING:
            no = one["reasons"][0]
            theirs = waits_for(one) == "bank"  # nothing is left for the holder to do
            words = say.word("ahead.review" if theirs else "ahead.procedure", measure=called)
            found.append(Date(no["params"]["until"], words, urgent=not theirs))
    return found


def notes(say: Language, card: dict[str, Any], held: dict[str, Any], today: int) -> list[str]:
    """What needs attention of a card now, each a sentence: a slip, an open ride, its end, unused points, what others still decide."""
    slip, said = held["slip"], []
    if slip and slip["until"] < iso_day(today):
        over = "home.slip_over_damaged" if slip["cause"] == "damaged" else "home.slip_over"
        said.append(say.word(over, day=say.day(slip["until"])))
    elif slip:
        days = {name: say.day(slip[name]) for name in ("collect_from", "until")}
        said.append(say.word("home.stopped", where=say.collected_at(slip), **days))
        said.append(say.word("home.bring", due=say.yen(slip["due"])))
    if card["ride"]:
        since = say.moment(card["ride"]["since"])
        said.append(say.word("home.ride", station=card["ride"]["station"], since=since))
    if card["state"] == "expired":
        said.append(say.word("home.expired"))
    if card["state"] in LIVING and card["points"] >= held["points_unit"]:  # fewer cannot be charged
        points = say.points(card["points"])
        phone = card["kind"] in PHONES
        said.append(say.word("home.points_phone" if phone else "home.points", points=points))
    told = (_of_case(say, case, today, held["apply_until"]) for case in held["cases"])
    return said + [one for one in told if one][:MOST_CASES]


def _of_case(say: Language, case: dict[str, Any], today: int, apply_until: str) -> str:
    """What is to know of a case: who decides it and how they are asked, or what they decided of late; of one that is done with nothing."""
    if case["do"] not in (APPLY, CHANGE) or case["done"]:
        return ""
    figures = {
        "place": say.word(f"cases.place.{case['refer_to']}"),
        "what": say.word(f"home.asked.{case['do']}"),
        "case": case["case"],
    }
    over, closed = too_late(case, today, apply_until), case["closed"]
    last = parse_day(over["params"]["last_day"]) if over else today
    if today - (last if closed is None else day_of(parse_moment(closed["at"]))) > SOON:
        return ""
    if closed is not None:
        figures["day"] = say.day(closed["at"])
        if case["state"] != GRANTED:
            return say.word("home.case.declined", **figures)
    if over is not None:
        late = "over" if closed is None else "granted_late"
        return say.between.join((say.word(f"home.case.{late}", **figures), say.said(over)))
    if closed is not None:
        return say.word(f"home.granted.{case['do']}", **figures)
    how = say.then(case["reasons"][0]) if case["do"] == CHANGE else ""
    return say.between.join(filter(None, (say.word("home.case.open", **figures), how)))


def attention(say: Language, status: dict[str, Any], held: dict[str, Any], today: int) -> list[str]:
    """All that needs attention of a card: also what must be done by a day that is among its dates."""
    by_a_day = (one for one in dates(say, status, held, [], today) if one.urgent)
    return [
        *notes(say, status["card"], held, today),
        *(say.word("home.by", day=say.day(one.day), what=one.what) for one in by_a_day),
    ]
