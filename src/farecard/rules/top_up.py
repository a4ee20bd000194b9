"""Putting money on a card (チャージ): with what, where, how much."""

from farecard.model.account import Account
from farecard.model.commands import PHONES, TopUp
from farecard.model.fares import Fares
from farecard.model.moments import iso_day, month_of
from farecard.model.rates import Rates
from farecard.model.verdict import INVALID, Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import FAQ, GUIDE, rule
from farecard.rules.ride import fare_due
from farecard.rules.state import dead, late


@rule(
    "CHG-1",
    source=GUIDE,
    ja="無記名式・記名式・定期券・こどものICOCAのチャージは現金だけです。",
)
def cash_only(kind: str, tender: str) -> No | None:
    """Anonymous and named cards (commuter and child cards with them) charge with cash only."""
    if tender == "credit" and kind not in PHONES and kind != "smart":
        return refuse("CHG-1", "cash-only")
    return None


@rule(
    "CHG-2",
    source=GUIDE,
    ja="SMART ICOCAは、自動券売機と入金機で、登録したクレジットカードでチャージ（クイックチャージ）できます。現金でもチャージできます。",
    tariff=("quick_charge_places",),
)
def quick_charge_place(kind: str, tender: str, channel: str, rates: Rates) -> No | None:
    """SMART ICOCA charges by its credit card (クイックチャージ) at ticket and charge machines, and also with cash."""
    if kind == "smart" and tender == "credit" and channel not in rates.quick_charge_places:
        return refuse("CHG-2", "quick-charge-place")
    return None


@rule(
    "CHG-3",
    source=GUIDE,
    ja="クイックチャージは3,000円・5,000円・10,000円のいずれかです。",
    tariff=("quick_charge_amounts",),
)
def quick_charge_amount(amount: int, rates: Rates) -> No | None:
    """A quick charge is 3,000, 5,000 or 10,000 yen."""
    if amount not in rates.quick_charge_amounts:
        return refuse("CHG-3", "quick-charge-amount", amounts=sorted(rates.quick_charge_amounts))
    return None


@rule(
    "CHG-4",
    source=GUIDE,
    ja="クイックチャージは1日20,000円、1か月40,000円までです。",
    tariff=("quick_charge_day_limit", "quick_charge_month_limit"),
)
def quick_charge_limits(account: Account, day: int, amount: int, rates: Rates) -> No | None:
    """Quick charges: at most 20,000 yen in one day and 40,000 yen in one calendar month, per card."""
    left = left_of_quick_charges(account, day, rates)
    if amount > left["left_today"]:
        return No([Reason("CHG-4", "quick-charge-day", left)], result=left)
    if amount > left["left_this_month"]:
        return No([Reason("CHG-4", "quick-charge-month", left)], result=left)
    return None


def left_of_quick_charges(account: Account, day: int, rates: Rates) -> dict[str, int]:
    """What is left of the day's and the month's limit, in yen: ``left_today``, ``left_this_month``."""
    last = account.quick_day
    if last is None or month_of(last) != month_of(day):
        today = this_month = 0
    else:
        today = account.quick_day_yen if last == day else 0
        this_month = account.quick_month_yen
    return {
        "left_today": max(0, rates.quick_charge_day_limit - today),
        "left_this_month": max(0, rates.quick_charge_month_limit - this_month),
    }


@rule(
    "CHG-5",
    source=GUIDE,
    ja="クイックチャージは2026年度に終了する予定です。最終日が決まりしだい、その翌日からお断りします。",
    tariff=("quick_charge_last_day",),
)
def quick_charge_ended(day: int, rates: Rates) -> No | None:
    """Quick charge is to end in fiscal 2026; once its last day is set, later ones are refused."""
    last = rates.quick_charge_last_day
    if last is not None and day > last:
        return refuse("CHG-5", "quick-charge-ended", last_day=iso_day(last))
    return None


@rule(
    "CHG-6",
    source=FAQ,
    ja="モバイルICOCA・Apple PayのICOCAはICOCAアプリでチャージします。コンビニとセブン銀行ATMでは現金も使えます。",
    tariff=("phone_cash_places", "phone_credit_places"),
)
def phone_tender(kind: str, tender: str, channel: str, rates: Rates) -> No | None:
    """Phone kinds charge in the ICOCA app by credit, and with cash at convenience stores and Seven Bank ATMs only."""
    if kind not in PHONES:
        return None
    places = {"credit": rates.phone_credit_places, "cash": rates.phone_cash_places}
    if channel not in places.get(tender, ()):
        return refuse("CHG-6", "phone-top-up")
    return None


@rule(
    "CHG-7",
    source=FAQ,
    ja="チャージできるのは、券売機・入金機・のりこし精算機、他社の券売機、コンビニ、セブン銀行ATM、店舗のチャージ機、ガソリンスタンド、ICOCAアプリ（モバイル）です。",
    tariff=("top_up_places", "change_places"),
)
def top_up_place(kind: str, tender: str, channel: str, rates: Rates) -> No | None:
    """Where a card can be charged: ticket, charging and fare adjustment machines, other railways' ticket machines, convenience stores, Seven Bank ATMs, charging machines in shops, petrol stations; the app for phone kinds only."""
    if (
        channel not in rates.top_up_places
        or (tender == "change" and channel not in rates.change_places)
        or (channel in rates.phone_credit_places and kind not in PHONES)
    ):
        return refuse("CHG-7", "no-top-up-here")
    return None


@rule(
    "PUB-3",
    source="issuer's guide, blogs",
    ja="現金のチャージは1,000円単位で、1回10,000円までです。のりこし精算機では500円と不足額ちょうども使えます。つり銭は1円単位です。",
    tariff=("cash_step", "cash_most", "fare_adjustment_amounts"),
)
def cash_amount(channel: str, amount: int, exact: int | None, rates: Rates) -> No | None:
    """Cash comes in steps of 1,000 yen, at most 10,000 at once; fare-adjustment machines also take 500, or the exact shortfall."""
    if amount % rates.cash_step == 0 and amount <= rates.cash_most:
        return None
    if channel == "fare-adjustment" and (
        amount in rates.fare_adjustment_amounts or amount == exact
    ):
        return None
    return refuse("PUB-3", "cash-amount", step=rates.cash_step, most=rates.cash_most)


@rule(
    "PUB-1",
    source="issuer's guide",
    ja="残高は20,000円までです。超えるチャージはできません。",
    tariff=("balance_ceiling",),
)
def over_ceiling(balance: int, amount: int, largest: int, rates: Rates) -> No | None:
    """The balance never exceeds 20,000 yen; what would is refused, naming the largest amount that fits."""
    if balance + amount > rates.balance_ceiling:
        figures = {"balance": balance, "ceiling": rates.balance_ceiling, "largest": largest}
        code = "over-ceiling" if largest else "over-ceiling-none"
        return No([Reason("PUB-1", code, figures)], result={"largest": largest})
    return None


def largest_that_fits(
    room: int, kind: str, tender: str, channel: str, exact: int | None, rates: Rates
) -> int:
    """The largest amount this tender and place would take into ``room`` yen; 0 if none."""
    if tender == "credit" and kind == "smart":
        return max((a for a in rates.quick_charge_amounts if a <= room), default=0)
    if tender != "cash":
        return max(0, room)
    notes = min(room, rates.cash_most)
    steps = [notes - notes % rates.cash_step]
    if channel == "fare-adjustment":
        steps += [a for a in (*rates.fare_adjustment_amounts, exact or 0) if a <= room]
    return max(0, *steps)


def top_up(c: TopUp, account: Account, day: int, rates: Rates, fares: Fares) -> Verdict:
    """Decide a top-up, in the order: state, tender, place, amount, CHG-5, CHG-4, PUB-1."""
    kind, tender, channel, amount = account.kind, c.tender, c.channel, c.amount
    exact = None
    if c.station is not None:
        fare = _fare_to(c.station, account, fares)
        if isinstance(fare, No):
            return fare
        exact = None if fare is None else fare - account.balance
    no = (
        late(c.at, account)
        or dead(account, day)
        or cash_only(kind, tender)
        or quick_charge_place(kind, tender, channel, rates)
        or phone_tender(kind, tender, channel, rates)
        or top_up_place(kind, tender, channel, rates)
    )
    if no is not None:
        return no
    if tender == "cash":
        no = cash_amount(channel, amount, exact, rates)
    elif tender == "credit" and kind == "smart":
        no = (
            quick_charge_amount(amount, rates)
            or quick_charge_ended(day, rates)
            or quick_charge_limits(account, day, amount, rates)
        )
    if no is not None:
        return no
    balance = account.balance + amount
    if balance > rates.balance_ceiling:
        room = rates.balance_ceiling - account.balance
        largest = largest_that_fits(room, kind, tender, channel, exact, rates)
        no = over_ceiling(account.balance, amount, largest, rates)
        assert no is not None
        return no
    return Effect({"balance": balance}, amount=amount)


def _fare_to(station: str, account: Account, fares: Fares) -> No | int | None:
    """The fare of the open ride to a station; None without a ride."""
    if not fares.knows(station):
        return No([Reason(None, "unknown-station", {"field": "station"})], INVALID)
    if account.ride_station is None:
        return None
    if account.ride_station == station:
        return 0
    fare = fare_due(account, account.ride_station, station, fares)
    if fare is None:
        return No([Reason(None, "no-fare", {"field": "station"})], INVALID)
    return fare
