"""When a run may grant (付与), and what its points are called."""

from farecard.model.commands import RunGrants
from farecard.model.moments import first_day_of, iso_day
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Verdict, refuse
from farecard.rules.places import elsewhere
from farecard.rules.points import name_of_points


def month_number(text: str) -> int:
    """The month ``YYYY-MM`` says."""
    return int(text[:4]) * 12 + int(text[5:]) - 1


def may_run(c: RunGrants, day: int) -> No | None:
    """By operations, from the first day of its month on."""
    if c.channel != "operations":
        return elsewhere(None, "operations")
    first = first_day_of(month_number(c.month))
    if day < first:
        return refuse(None, "month-not-begun", **{"from": iso_day(first)})
    return None


def run_grants(c: RunGrants, day: int, rates: Rates, granted: tuple[int, int]) -> Verdict:
    """Decide a run once it is over; ``granted`` is how often it granted, and how many points."""
    count, points = granted
    return may_run(c, day) or Effect(
        {"grants": count, "points": points, "points_name": name_of_points(day, rates)}
    )
