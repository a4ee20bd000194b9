"""What a run for a month would grant, to how many, and why all others get nothing."""

from itertools import groupby
from operator import itemgetter
from typing import Any

from farecard.desk.runs import Surveyed, surveyed
from farecard.model.commands import RunGrants
from farecard.rules.grants import month_number

# which rule speaks where nothing is granted
RULE_OF = {
    "target-not-reached": "MYN-3",
    "still-counting": "MYN-4",
    "nothing-counted": "MYN-4",
    "procedure-missing": "MYN-5",
    "banks-review": "MYN-7",
    "not-filed-in-time": "MYN-6",
    "not-complete-in-time": "MYN-6",
    "not-reported-in-time": "MYN-18",
    "expires-before-grant": "MYN-15",
    "refunded-before-grant": "MYN-16",
    "never-granted": "MYN-10",
    "granted-already": None,
    "not-due-yet": None,
}


def preview(store: Surveyed, month: int, until: int) -> list[dict[str, Any]]:
    """A row a measure: ``grants`` and ``points`` of a run now, and ``others`` by the reason why they get nothing.

    ``store`` is one, or an export of one. ``month`` is the run's; commands up to ``until`` are seen.
    """
    found = []
    held = store.survey("campaigns_held")
    for (name, version), measures in groupby(held, key=itemgetter(0, 1)):
        kinds = list(
            surveyed(store, "judged_by_reason", name, version, month, until, granted_until=until)
        )
        for _, _, number in measures:
            why = {code: (times, points) for of, code, times, points in kinds if of == number}
            grants, points = why.pop(None, (0, 0))
            others = sorted((-times, code) for code, (times, _) in why.items())
            found.append(
                {
                    "campaign": name,
                    "measure": number,
                    "grants": grants,
                    "points": points,
                    "others": [
                        {"code": code, "rule": RULE_OF[code], "count": -less}
                        for less, code in others
                    ],
                }
            )
    return found


def of_run(store: Surveyed, c: RunGrants) -> list[dict[str, Any]]:
    """What a run would grant at its own moment."""
    return preview(store, month_number(c.month), c.at)
