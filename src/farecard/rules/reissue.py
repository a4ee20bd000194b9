"""A new card for a damaged or lost one (障害再発行・紛失再発行)."""

from farecard.model.account import ISSUER, Account
from farecard.model.commands import (
    PHONES,
    CollectReissue,
    ReportDamaged,
    ReportLost,
    format_number,
)
from farecard.model.moments import iso_day
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import GUIDE, rule
from farecard.rules.places import PLACES
from farecard.rules.refund import paper
from farecard.rules.state import expired, late, refunded, slip_last_day, stopped


@rule(
    "RFD-7",
    source=GUIDE,
    ja="紛失した無記名式ICOCAは、払いもどしも再発行もできません。",
)
def lost_anonymous(kind: str) -> No | None:
    """A lost anonymous card is neither refunded nor reissued."""
    if kind == "anonymous":
        no = refuse("RFD-7", "lost-anonymous")
        no.reasons.append(Reason("RIS-5", "anonymous-never-reissued"))
        return no
    return None


@rule(
    "RIS-5",
    source=GUIDE,
    ja="無記名式ICOCAは再発行できません。破損のときは払いもどしになります。",
)
def damaged_anonymous(kind: str) -> No | None:
    """Anonymous cards are never reissued; a damaged one is refunded instead (RFD-6)."""
    return refuse("RIS-5", "anonymous-never-reissued") if kind == "anonymous" else None


@rule(
    "RIS-1",
    source=GUIDE,
    ja="破損した記名式ICOCAは、無料で新しいカードに交換します（障害再発行）。デポジットと残高は引き継がれます。",
    tariff=("damaged_reissue_fee",),
)
def due_if_damaged(rates: Rates) -> int:
    """Damaged named card (障害再発行): a new card free of charge; deposit and balance carry over.

    Gives the yen to pay.
    """
    return rates.damaged_reissue_fee


@rule(
    "RIS-2",
    source=GUIDE,
    ja="紛失再発行は、手数料520円と新しいデポジット500円の合計1,020円です。紛失したカードのデポジットは戻りません。残高は引き継がれます。",
    tariff=("lost_reissue_fee", "deposit"),
)
def due_if_lost(rates: Rates) -> int:
    """Lost named card (紛失再発行): 520 fee + 500 new deposit = 1,020 yen; the balance moves, the old deposit does not come back."""
    return rates.lost_reissue_fee + rates.deposit


def due_for(lost: bool, rates: Rates) -> int:
    """What the new card for a lost or a damaged one costs, in yen."""
    return due_if_lost(rates) if lost else due_if_damaged(rates)


@rule(
    "RIS-3",
    source=GUIDE,
    ja="再発行は当日にはできません。再発行整理券をお渡しし、新しいカードは翌日以降にお渡しします。",
    tariff=("reissue_wait",),
)
def not_the_same_day(slip_day: int, day: int, rates: Rates) -> No | None:
    """Never the same day: a slip (再発行整理券) is given, the new card is handed over from the next day on."""
    first = slip_day + rates.reissue_wait
    if day < first:
        return refuse("RIS-3", "collect-too-early", collect_from=iso_day(first))
    return None


@rule(
    "RIS-4",
    source=GUIDE,
    ja="当社で買ったICOCAは、当社のICOCAエリアのどの駅でも受け取れます。他社で買ったICOCA定期券は、その会社の窓口だけです。",
)
def at_the_seller(seller: str, channel: str, company: str | None) -> No | None:
    """A card bought at the issuer is collected at its stations, a pass bought at another company at that company's counters."""
    if seller == ISSUER:
        return None if channel == "counter" else refuse("RIS-4", "collect-at-issuer")
    if channel == "other-counter" and company == seller:
        return None
    return refuse("RIS-4", "collect-at-seller", seller=seller)


@rule(
    "PUB-11",
    source="weak",
    ja="再発行整理券は14日間有効です。過ぎたときは、もう一度申し出てください。",
    tariff=("slip_days",),
)
def slip_until(slip_day: int, rates: Rates) -> int:
    """A reissue slip is good for 14 days after the report; after that a new report gives a new slip.

    Gives the last day it is good for.
    """
    return slip_day + rates.slip_days


def slip_good(account: Account, day: int) -> No | None:
    """Whether the slip a stopped card waits with is still good."""
    last = slip_last_day(account)
    return refuse("PUB-11", "slip-over", until=iso_day(last)) if day > last else None


def reissuable(account: Account, day: int, lost: bool) -> No | None:
    """The state of a card that is reported: a stopped one again only once its slip is over, and one that was lost only as lost."""
    if account.state == "stopped":
        if slip_good(account, day) is None:
            return stopped(account)
        if account.stop_cause == "lost" and not lost:
            return refuse("RIS-2", "reported-as-lost")
    return refunded(account) or expired(account, day)


def right_kind(account: Account, lost: bool) -> No | None:
    """Reissue covers named, commuter, child and SMART cards."""
    if account.kind in PHONES:
        return refuse(None, "phone-never-reissued")
    return lost_anonymous(account.kind) if lost else damaged_anonymous(account.kind)


def report(c: ReportDamaged | ReportLost, account: Account, day: int, rates: Rates) -> Verdict:
    """Decide a report: the card is stopped, an open ride dropped, a slip given."""
    lost = isinstance(c, ReportLost)
    do = "report_lost" if lost else "report_damaged"
    no = (
        late(c.at, account)
        or reissuable(account, day, lost)
        or PLACES[do, account.kind, c.channel]
        or right_kind(account, lost)
    )
    if no is not None:
        return no
    count = account.slip + 1
    until = slip_until(day, rates)
    due = due_for(lost, rates)
    return Effect(
        {
            "slip": paper("S", account.account, count),
            "collect_from": iso_day(day + rates.reissue_wait),
            "collect_until": iso_day(until),
            "due": due,
            "fee": due - rates.deposit if lost else due,
            "collect_at": account.seller,
        },
        sets={
            "state": "stopped",
            "stop_cause": "lost" if lost else "damaged",
            "slip": count,
            "slip_day": day,
            "slip_until": until,
            "ride_station": None,
            "ride_at": None,
        },
    )


def collect_reissue(
    c: CollectReissue, account: Account, count: int, day: int, promised: Rates
) -> Verdict:
    """Decide a collection with slip number ``count``; ``promised`` are the rates of the report's day."""
    no = late(c.at, account) or refunded(account)
    if no is not None:
        return no
    if account.state != "stopped" or count != account.slip:
        code = "slip-replaced" if account.state == "stopped" else "slip-used"
        if code == "slip-replaced":
            return refuse("PUB-11", code)
        return refuse("RIS-2" if account.stop_cause == "lost" else "RIS-1", code)
    assert account.slip_day is not None
    no = (
        PLACES["collect_reissue", account.kind, c.channel]
        or at_the_seller(account.seller, c.channel, c.company)
        or not_the_same_day(account.slip_day, day, promised)
        or slip_good(account, day)
    )
    if no is not None:
        return no
    lost = account.stop_cause == "lost"
    due = due_for(lost, promised)
    if c.paid != due:
        reason = Reason("RIS-2" if lost else "RIS-1", "wrong-reissue-money", {"expected": due})
        return No([reason], result={"expected": due})
    deposit = promised.deposit if lost else account.deposit
    fee = due - deposit if lost else due
    return Effect(
        {
            "card": format_number(c.card),
            "deposit": deposit,
            "balance": account.balance,
            "points": account.points,
            "fee": fee,
        },
        deposit=deposit - account.deposit,
        fee=fee,
        forfeited=account.deposit if lost else 0,
        sets={"number": c.card, "state": "active", "slip_day": None, "slip_until": None},
    )
