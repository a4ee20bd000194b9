"""Taking part in a campaign by card (キャンペーンへの参加), whoever holds it."""

from farecard.model.account import Account, measure_key
from farecard.model.campaign import Campaign, day_number
from farecard.model.commands import JoinCampaign
from farecard.model.moments import iso_day
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, Verdict, refuse
from farecard.rules.places import PLACES
from farecard.rules.points import may_apply
from farecard.rules.state import dead, late


def join_campaign(
    c: JoinCampaign, account: Account, day: int, rates: Rates, campaign: Campaign
) -> Verdict:
    """Decide a participation; all measures of the campaign at once."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["join_campaign", account.kind, c.channel]
    )
    if no is not None:
        return no
    first = day_number(min(one.apply_from for one in campaign.measures))
    last = day_number(campaign.apply_until)
    if day < first:
        return refuse(None, "campaign-not-begun", **{"from": iso_day(first)})
    if day > last:
        return refuse(None, "campaign-over", last_day=iso_day(last))
    no = may_apply(account, c.at, rates, last)
    if no is not None:
        return no
    keys = [measure_key(campaign.name, one.number) for one in campaign.measures]
    applied = account.applied or {}
    if any(key in applied for key in keys):
        return refuse(None, "joined-already")
    return Effect(
        {"campaign": campaign.name, "measures": [one.number for one in campaign.measures]},
        sets={"applied": {**applied, **dict.fromkeys(keys, c.at)}},
    )
