"""How a campaign goes: who reached what on which day, what it has cost, and what is still to come.

The forecast is plain: what is due already comes in the next runs; of those who are on their way, as many a day get there as
on an average day of the last four weeks, until nothing counts any more or nobody is left. Of the others the percentage of their sums as they are now comes at the end.
"""

from typing import Any

from farecard.desk.runs import surveyed
from farecard.ledger.chart import programme
from farecard.model.campaign import Campaign, Measure
from farecard.model.moments import day_of, first_day_of, iso_day, month_of
from farecard.questions.books import sums
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store

PACE_DAYS = 28
# on their way: what keeps them from it is still to come
_ON_THEIR_WAY = ("target-not-reached", "procedure-missing", "banks-review")
_NOBODY = (0, 0, 0)
_COUNTING = ("target-not-reached", "still-counting")  # sums of which a share comes at the end


def of_campaign(store: Store, name: str, until: int) -> dict[str, Any]:
    """A campaign's ``measures`` day by day, its points by ``months``, and ``cost``; commands up to ``until`` are seen.

    It looks at every applicant. Raises ``KeyError`` for a campaign that is not there.
    """
    campaigns = load_campaigns(store)
    campaign, version = campaigns.of(name), campaigns.version(name)
    today = day_of(until)
    month = month_of(today)
    asked = {"campaign": name, "version": version, "until": until}
    reached = _by_measure(store.survey("reached", **asked))
    applied = _by_measure(store.survey("applied_by_day", **asked))
    granted = list(store.survey("granted_by_day", **asked))
    judged = list(
        surveyed(store, "outlook_by_reason", name, version, month, until, granted_until=until)
    )
    months: dict[int, dict[str, int]] = {}

    def add(of: int, what: str, points: int) -> None:
        if points:
            row = months.setdefault(of, {"granted": 0, "due": 0, "expected": 0})
            row[what] += points

    for _, day, _, points in granted:
        add(month_of(day), "granted", points)
    measures = []
    for one in campaign.measures:
        codes = {code: figures for of, code, *figures in judged if of == one.number}
        add(month, "due", codes.get(None, _NOBODY)[1])
        add(_late(one, month), "due", codes.get("not-due-yet", _NOBODY)[1])
        on_way = sum(codes.get(code, _NOBODY)[0] for code in _ON_THEIR_WAY)
        days = reached.get(one.number, {})
        recent = sum(times for day, times in days.items() if today - PACE_DAYS < day <= today)
        expected = _expected(one, today, recent, on_way)
        for of, people in expected.items():
            add(of + 1, "expected", people * one.reward)
        counting = [codes[code] for code in _COUNTING if code in codes]
        share = _share(
            sum(row[0] for row in counting), sum(row[2] for row in counting), sum(expected.values())
        )
        add(_after_the_end(one), "expected", share)
        measures.append(
            {
                "measure": one.number,
                "title": {"ja": one.title.ja, "en": one.title.en},
                "target": one.target,
                "reward": one.reward,
                "applied": sum(applied.get(one.number, {}).values()),
                "reached": sum(days.values()),
                "on_their_way": on_way,
                "recent": recent,
                "expected": sum(expected.values()),
                "share": share,
                "days": _rows(applied.get(one.number, {}), days),
            }
        )
    receivable = programme(campaign.owes)
    debit, credit = sums(store).get(receivable, (0, 0))
    return {
        "campaign": name,
        "as_of": until,
        "pace_days": PACE_DAYS,
        "measures": measures,
        "months": [{"month": iso_day(first_day_of(of))[:7], **row} for of, row in sorted(months.items())],
        "cost": {"granted": sum(row[3] for row in granted), "owes": campaign.owes, "in_the_books": debit - credit}
        | {what: sum(row[what] for row in months.values()) for what in ("due", "expected")},
    }  # fmt: skip


def _by_measure(rows: Any) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for measure, day, times in rows:
        found.setdefault(measure, {})[day] = times
    return found


def _rows(applied: dict[int, int], reached: dict[int, int]) -> list[dict[str, Any]]:
    """Each day on which something happened: how many applied and got there on it, and until then."""
    rows, so_far, there = [], 0, 0
    for day in sorted(applied.keys() | reached.keys()):
        so_far += applied.get(day, 0)
        there += reached.get(day, 0)
        rows.append(
            {"day": iso_day(day), "applied": applied.get(day, 0), "applied_so_far": so_far,
             "reached": reached.get(day, 0), "reached_so_far": there}
        )  # fmt: skip
    return rows


def _after_the_end(measure: Measure) -> int:
    """The month after the one in which the last yen count."""
    return month_of(day_of(measure.past_at - 1)) + 1


def _share(people: int, points: int, expected: int) -> int:
    """Of the shares of so many people's sums those that are left when some get to the target: nobody knows who, so as many as on average."""
    return points * max(people - expected, 0) // people if people else 0


def _late(measure: Measure, month: int) -> int:
    """The month in which what is earned and not due yet will be: the next, or where it ends with the campaign the one after that."""
    if measure.target is None and measure.percent is not None and not measure.monthly:
        return max(month + 1, _after_the_end(measure))
    return month + 1


def _expected(measure: Measure, today: int, recent: int, on_way: int) -> dict[int, int]:
    """How many more get there in each month, at the pace of the last four weeks."""
    if measure.monthly or not measure.reward:
        return {}
    found: dict[int, int] = {}
    last, before = day_of(measure.past_at - 1), 0
    for day in range(today + 1, last + 1):
        so_far = min(on_way, recent * (day - today) // PACE_DAYS)
        if so_far > before:
            found[month_of(day)] = found.get(month_of(day), 0) + so_far - before
        before = so_far
    return found


def titles(campaigns: list[Campaign]) -> list[dict[str, Any]]:
    """Campaigns as a list shows them."""
    return [
        {
            "campaign": one.name, "edition": one.edition, "title": {"ja": one.title.ja, "en": one.title.en},
            "apply_until": one.apply_until.isoformat(), "measures": len(one.measures),
        }
        for one in campaigns
    ]  # fmt: skip
