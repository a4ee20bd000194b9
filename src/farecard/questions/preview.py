"""What a run for a month would grant, to how many, and why all others get nothing."""

from collections import Counter
from typing import Any

from farecard.storage.making import load_campaigns
from farecard.storage.store import Store

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


def preview(store: Store, month: int, until: int) -> list[dict[str, Any]]:
    """A row a measure: ``grants`` and ``points`` of a run now, and ``others`` by the reason why they get nothing.

    ``month`` is the run's; commands up to ``until`` are seen.
    """
    campaigns = load_campaigns(store)
    found = []
    for campaign in campaigns.all:
        version = campaigns.version(campaign.name)
        grants: Counter[int] = Counter()
        points: Counter[int] = Counter()
        others: dict[int, Counter[str]] = {}
        rows = store.survey(
            "judged",
            campaign=campaign.name,
            version=version,
            until=until,
            granted_until=until,
            month=month,
        )
        for _, _, measure, _, worth, _, _, code in rows:
            if code is None:
                grants[measure] += 1
                points[measure] += worth
            else:
                others.setdefault(measure, Counter())[code] += 1
        for one in campaign.measures:
            why = others.get(one.number, Counter())
            found.append(
                {
                    "campaign": campaign.name,
                    "measure": one.number,
                    "grants": grants[one.number],
                    "points": points[one.number],
                    "others": [
                        {"code": code, "rule": RULE_OF[code], "count": count}
                        for code, count in sorted(why.items(), key=lambda one: (-one[1], one[0]))
                    ],
                }
            )
    return found
