"""What an applicant is told of each measure: its state, what counted, what is missing, when the points come."""

from typing import Any

from farecard.campaigns import Campaigns
from farecard.desk.cases import Applicant
from farecard.model.account import Account, read_key
from farecard.model.campaign import Campaign, Measure
from farecard.model.moments import first_day_of, iso_day, iso_moment
from farecard.rules import measures, myna_point, stamp_rally
from farecard.rules.measures import Case, Progress
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store


def told(store: Store, account: Account, until: int, now: int) -> dict[str, Any]:
    """The parts of a status that a card's applications give: ``myna``, ``rally``, and ``campaigns`` if it joined any.

    Reasons are values still.
    """
    campaigns = load_campaigns(store)
    names = {read_key(key)[0] for key in account.applied or {}} & set(campaigns.names)
    purchases = account.rally_at is not None or any(
        campaigns.of(name).counts_purchases for name in names
    )
    applicant = Applicant(store, account, until, now, purchases=purchases)
    answer: dict[str, Any] = {"myna": None, "rally": None}
    if account.applicant is not None:
        answer["myna"] = _myna(applicant, campaigns)
    if account.rally_at is not None:
        answer["rally"] = _rally(applicant, campaigns)
    joined = _joined(applicant, campaigns, names)
    return {**answer, "campaigns": joined} if joined else answer


def _myna(applicant: Applicant, campaigns: Campaigns) -> dict[str, Any]:
    """A card that was applied with."""
    campaign = campaigns.of(myna_point.NAME)
    case = applicant.case(myna_point.NAME)
    return {
        "applied_at": iso_moment(min(at for at, _ in case.applied.values())),
        "measures": {str(one.number): _told(one, case, campaign) for one in campaign.measures},
    }


def _rally(applicant: Applicant, campaigns: Campaigns) -> dict[str, Any]:
    """A card that joined: its stamps, and the draw they qualify for."""
    case = applicant.case(myna_point.NAME)
    found = campaigns.rally(stamp_rally.NAME)
    stamps = stamp_rally.stamps(case, found)
    return {
        "stamps": {
            str(number): None
            if stamp is None
            else {"achieved_at": iso_moment(stamp.achieved_at), "shows_by": iso_day(stamp.shows_by)}
            for number, stamp in stamps.items()
        },
        "draw": stamp_rally.draw_of(stamps, found),
    }


def _joined(applicant: Applicant, campaigns: Campaigns, names: set[str]) -> dict[str, Any]:
    """The campaigns that a card joined: by name, their measures, a monthly one month by month."""
    found: dict[str, Any] = {}
    for name in sorted(names):
        campaign = campaigns.joined_by_card(name)
        if campaign is None:
            continue
        case = applicant.case(name)
        found[name] = {
            "title": {"ja": campaign.title.ja, "en": campaign.title.en},
            "joined_at": iso_moment(min(at for at, _ in case.applied.values())),
            "measures": {
                str(one.number): _months(one, case, campaign)
                if one.monthly
                else _told(one, case, campaign)
                for one in campaign.measures
            },
        }
    return found


def _months(measure: Measure, case: Case, campaign: Campaign) -> dict[str, Any]:
    found = measures.monthly_progress(measure, case, campaign)
    months = [
        {
            "month": iso_day(first_day_of(one.measure))[:7],
            "state": one.state,
            "points": one.points,
            "grant_on": None if one.grant_on is None else iso_day(one.grant_on),
            "reasons": list(one.reasons),
        }
        for one in found
    ]
    return {"counted": measures.counted_yen(measure, case), "months": months}


def _told(measure: Measure, case: Case, campaign: Campaign) -> dict[str, Any]:
    found: Progress = measures.progress(measure, case, campaign)
    grant_on = None if found.grant_on is None else iso_day(found.grant_on)
    told: dict[str, Any] = {
        "state": found.state,
        "points": found.points,
        "grant_on": grant_on,
        "reasons": list(found.reasons),
    }
    if measure.target is not None:
        told["target"] = measure.target
        told["counted"] = found.counted
        told["remaining"] = max(0, measure.target - found.counted)
        told["outlook"] = {
            name: {"points": one.points, "grant_on": iso_day(one.due)}
            for name, one in measures.outlook(measure, case, campaign).items()
        }
        told["top_ups"] = _top_ups(measure, case) if found.state != measures.NOT_APPLIED else []
    return told


def _top_ups(measure: Measure, case: Case) -> list[dict[str, Any]]:
    """Each top-up: whether it counts, or which rule says that it does not."""
    told = []
    for charge in case.charges:
        if charge.do == "purchase":
            continue
        no = measures.why_not(measure, case, charge)
        told.append(
            {
                "at": iso_moment(charge.at),
                "channel": charge.channel,
                "amount": charge.yen,
                "counts": no is None,
                "reasons": [] if no is None else [no],
            }
        )
    return told
