"""Putting a mistake right (取消), and why a top-up is not simply given back."""

from collections.abc import Iterable
from typing import Any

from farecard.model.account import Account, Event, measure_key, read_key
from farecard.model.campaign import Campaign, past
from farecard.model.commands import Reverse
from farecard.model.moments import day_of, month_of
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import FAQ, rule
from farecard.rules.referral import refer, unless_granted
from farecard.rules.state import dead, late
from farecard.rules.top_up import over_ceiling

REVERSIBLE = ("purchase", "top_up", "tap_out")


@rule(
    "CHG-8",
    source=FAQ,
    ja="一度チャージした額だけの払いもどしはできません。カードごと払いもどすことになります。",
)
def charge_not_paid_back(do: str, channel: str) -> No | None:
    """A charge is not paid back on its own; the only way back is to refund the card. Operations put mistakes right."""
    if do == "top_up" and channel != "operations":
        return refuse("CHG-8", "charge-not-paid-back")
    return None


def right_place(c: Reverse, original: Event) -> No | None:
    """A purchase on the channel that made it, on the same Tokyo day, or by operations; all else by operations."""
    if c.channel == "operations":
        return None
    no = charge_not_paid_back(original.do, c.channel)
    if no is not None:
        return no
    if original.do == "purchase" and c.channel == original.channel:
        if day_of(c.at) == day_of(original.at):
            return None
        return refuse(None, "reverse-next-day")
    return refuse(None, "reverse-elsewhere")


def granted_for(account: Account, original: Event, campaigns: Iterable[Campaign]) -> No | None:
    """Yen that counted for points already granted are taken back by people, not by a rule."""
    for key in account.granted or {}:
        name, (number, _) = read_key(key)
        campaign = next((one for one in campaigns if one.name == name), None)
        measure = None if campaign is None else campaign.measure(number)
        if measure is None or measure.counts_until is None:
            continue
        applied_at = (account.applied or {})[measure_key(name, number)]
        in_time = applied_at <= original.at < past(measure.counts_until)
        if in_time and measure.counts_yen(original.do, original.channel, original.tender):
            return refer("CHG-8", "counted-for-points", measure=number)
    return None


def reverse(
    c: Reverse, account: Account, original: Event, reversed_already: bool, day: int, rates: Rates,
    campaigns: Iterable[Campaign] = (), granted: Reason | None = None,
) -> Verdict:  # fmt: skip
    """Decide a reversal; it applies to the card's current number and reopens no ride.

    ``granted`` is what was referred and people have granted for this card.
    """
    no = (
        late(c.at, account)
        or dead(account, day)
        or right_place(c, original)
        or (refuse(None, "reversed-already") if reversed_already else None)
        or unless_granted(granted_for(account, original, campaigns), granted)
    )
    if no is not None:
        return no
    amount = -original.amount
    if account.balance + amount < 0:
        shortfall = -amount - account.balance
        reason = Reason(
            "CHG-8", "charge-spent", {"balance": account.balance, "shortfall": shortfall}
        )
        return No([reason], result={"shortfall": shortfall})
    return over_ceiling(account.balance, amount, 0, rates) or Effect(
        {"balance": account.balance + amount},
        amount=amount,
        sets=_freed_limit(account, original),
    )


def _freed_limit(account: Account, original: Event) -> dict[str, Any] | None:
    """A reversed quick charge frees its limit (CHG-4), while its day or month is still counted."""
    quick = original.do == "top_up" and original.tender == "credit"
    if not quick or account.quick_day is None:
        return None
    day = day_of(original.at)
    if month_of(day) != month_of(account.quick_day):
        return None
    sets = {"quick_month_yen": account.quick_month_yen - original.amount}
    if day == account.quick_day:
        sets["quick_day_yen"] = account.quick_day_yen - original.amount
    return sets
