"""``why``: what became of a card's points, in a few plain sentences a clerk can read aloud.

Each sentence is a reason (rule, code, figures), so that it can be told in either language and counted by a machine.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from farecard.campaigns import Campaigns
from farecard.desk.cases import Applicant
from farecard.model.account import Account, Event, Happened, read_key
from farecard.model.campaign import Campaign, Measure, Title, day_number
from farecard.model.commands import PHONES
from farecard.model.moments import day_of, first_day_of, iso_day, iso_moment
from farecard.model.verdict import Reason
from farecard.questions.card import AsOf, find
from farecard.rules import measures, myna_point, points, state
from farecard.rules.measures import Case, Progress
from farecard.storage.history import account_at
from farecard.storage.making import load_campaigns, load_tariff
from farecard.storage.rows import as_reasons
from farecard.storage.store import Store
from farecard.tariff import Tariff

MOST_TOP_UPS = 20  # of those that do not count the latest are told


class Sentence(NamedTuple):
    """What is said, and of which measure (None: of the card), of Myna Point or of the ``campaign`` the card joined."""

    measure: int | None
    reason: Reason
    campaign: str | None = None
    title: Title | None = None  # the measure's name for people


def why(store: Store, number: int, when: AsOf) -> list[Sentence]:
    """Everything there is to say of a card's points."""
    found = find(store, number, when.until)
    if found.is_replaced(when.until):
        assert found.successor is not None
        ends = f"{found.successor:015d}"[-4:]
        return [Sentence(None, Reason(None, "goes-on-as", {"successor_ends": ends}))]
    account = account_at(store, found.account, when.until)
    now = when.judged(account)
    campaigns = load_campaigns(store)
    campaign = campaigns.of(myna_point.NAME)
    joined = _joined(account, campaigns)
    purchases = any(one.counts_purchases for one in (campaign, *joined))
    applicant = Applicant(store, account, when.until, now, purchases=purchases)
    said: list[Sentence] = []
    if account.applicant is None:
        said += _no_application(account, now, campaign, load_tariff(store))
    else:
        case = applicant.case(myna_point.NAME)
        at = min(at for at, _ in case.applied.values())
        said.append(Sentence(None, Reason(None, "applied-on", {"at": iso_moment(at)})))
        left = _left_out(applicant.events)
        for measure in campaign.measures:
            said += _of_measure(measure, case, campaign, left.get(measure.number))
    for one in joined:
        said += _of_joined(one, applicant.case(one.name))
    said += _on_the_card(store, account, now)
    return said


def _joined(account: Account, campaigns: Campaigns) -> list[Campaign]:
    """The campaigns that a card joined, in the order of their names."""
    names = sorted({read_key(key)[0] for key in account.applied or {}})
    found = (campaigns.joined_by_card(name) for name in names)
    return [one for one in found if one is not None]


def _of_joined(campaign: Campaign, case: Case) -> list[Sentence]:
    """What there is to say of a campaign that the card itself takes part in."""
    at = iso_moment(min(at for at, _ in case.applied.values()))
    said = [Sentence(None, Reason(None, "joined-on", {"campaign": campaign.name, "at": at}))]
    for measure in campaign.measures:
        if measure.monthly:
            said += _of(measure, _months(measure, case, campaign))
        else:
            said += _of_measure(measure, case, campaign, None)
    return [one._replace(campaign=campaign.name) for one in said]


def _months(measure: Measure, case: Case, campaign: Campaign) -> list[Reason]:
    """What each month of a monthly measure came to."""
    said: list[Reason] = []
    for one in measures.monthly_progress(measure, case, campaign):
        figures = {"month": iso_day(first_day_of(one.measure))[:7], "points": one.points}
        if one.grant_on is not None:
            figures["grant_on"] = iso_day(one.grant_on)
        if one.state == measures.GRANTED:
            said.append(Reason(None, "month-granted", figures))
        elif one.state == measures.NOT_GRANTED:
            said += one.reasons
        elif _is_overdue(one, case):
            said.append(Reason(None, "month-overdue", figures))
        else:
            said.append(Reason(None, "month-too-early", figures))
    return said or list(measures.progress(measure, case, campaign).reasons)


def _is_overdue(one: Progress, case: Case) -> bool:
    """Whether the day that points were due on is over."""
    return one.grant_on is not None and day_of(case.now) > one.grant_on


def _no_application(
    account: Account, now: int, campaign: Campaign, tariff: Tariff
) -> list[Sentence]:
    """Nobody applied with it: whether somebody still can, and what is missing."""
    day = day_of(now)
    no = myna_point.programme_open(day, campaign) or state.refunded(account)
    if no is None:
        last = day_number(campaign.apply_until)
        no = points.may_apply(account, now, tariff.on(day), last)
    said = [Sentence(None, Reason(None, "nobody-applied"))]
    if no is not None:
        said += [Sentence(None, reason) for reason in no.reasons]
    return said


def _left_out(events: Sequence[Event | Happened]) -> dict[int, Reason]:
    """Measures that were asked for and could not be taken, and why."""
    found: dict[int, Reason] = {}
    for event in events:
        if event.do == "apply_myna_point" and event.sets is not None:
            for reason in as_reasons(event.warnings):
                if "measure" in reason.params and reason.rule is not None:
                    found[reason.params["measure"]] = reason
    return found


def _of_measure(
    measure: Measure, case: Case, campaign: Campaign, left_out: Reason | None
) -> list[Sentence]:
    number = measure.number
    one = measures.progress(measure, case, campaign)
    if one.state == measures.NOT_APPLIED:
        return _of(measure, [left_out or Reason(None, "not-applied-for", {"measure": number})])
    figures: dict[str, Any] = {"measure": number, "points": one.points}
    if one.grant_on is not None:
        figures["grant_on"] = iso_day(one.grant_on)
    rule_id = "MYN-5"
    if measure.done is None:  # less than the whole reward is the share of a sum that fell short
        whole = measure.target is not None and one.points == measure.reward
        rule_id = "MYN-3" if whole else "MYN-4"
    if one.state == measures.GRANTED:
        said = [Reason(rule_id, "points-granted", figures)]
    elif one.state == measures.DUE and _is_overdue(one, case):
        said = [Reason(rule_id, "overdue", figures)]
    elif one.state == measures.DUE:
        said = [Reason(rule_id, "too-early", figures)]
    else:
        said = list(one.reasons)
    counts_charges = any(some.do == "top_up" for some in measure.counts)
    if counts_charges and one.state not in (measures.GRANTED, measures.DUE):
        said += _not_counted(measure, case)
    return _of(measure, said)


def _of(measure: Measure, said: Sequence[Reason]) -> list[Sentence]:
    return [Sentence(measure.number, reason, title=measure.title) for reason in said]


def _not_counted(measure: Measure, case: Case) -> list[Reason]:
    """The latest top-ups that do not count, each with the reason."""
    found = []
    for charge in case.charges:
        if charge.do == "purchase":
            continue
        no = measures.why_not(measure, case, charge)
        if no is not None:
            figures = {"day": iso_day(day_of(charge.at)), "amount": charge.yen, **no.params}
            found.append(Reason(no.rule, no.code, figures))
    return found[-MOST_TOP_UPS:]


def _on_the_card(store: Store, account: Account, now: int) -> list[Sentence]:
    """Points that are there and have not been charged."""
    if account.points == 0 or account.state == "refunded":
        return []
    if account.state == "stopped":
        return [
            Sentence(None, Reason("WST-5", "not-collected-stopped", {"points": account.points}))
        ]
    if account.expires is not None and day_of(now) > account.expires:
        gone = {"points": account.points, "expires": iso_day(account.expires)}
        return [Sentence(None, Reason("MYN-15", "points-expired", gone))]
    largest = points.most_chargeable(account, load_tariff(store).on(day_of(now)))
    code = "not-collected-phone" if account.kind in PHONES else "not-collected"
    if not largest:
        code = "not-collected-now"
    return [Sentence(None, Reason("WST-5", code, {"points": account.points, "largest": largest}))]
