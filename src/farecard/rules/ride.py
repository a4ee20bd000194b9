"""Riding (乗車): in at a gate, out at a gate, the fare between, and what to do when it is not there."""

from farecard.model.account import Account
from farecard.model.commands import TapIn, TapOut
from farecard.model.fares import Fares
from farecard.model.moments import SECOND, day_of, iso_moment, ride_day_of
from farecard.model.rates import Rates
from farecard.model.verdict import INVALID, Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import FAQ, GUIDE, rule
from farecard.rules.places import PLACES
from farecard.rules.state import dead, late

_UNKNOWN_STATION = No([Reason(None, "unknown-station", {"field": "station"})], INVALID)
_NO_FARE = No([Reason(None, "no-fare", {"field": "station"})], INVALID)
_SAME_STATION = refuse(None, "same-station")


@rule(
    "CARD-7",
    source=FAQ,
    ja="こどもICOCAはこども運賃、その他のICOCAは、だれが使ってもおとな運賃です。",
)
def child_fare(kind: str) -> bool:
    """A child card rides at child fares (こども運賃); every other card at adult fares, whoever carries it."""
    return kind == "child"


@rule(
    "CARD-5",
    source=GUIDE,
    ja="定期券にも残高があり、区間外で使えます。有効期間内に区間の中で乗る分はかかりません。",
)
def fare_due(account: Account, entry: str, exit: str, fares: Fares) -> int | None:
    """A pass (ICOCA定期券) rides free inside its section while valid; outside it pays from the end nearer.

    Judged on the day of entry (``account.ride_at``). Touching the section nowhere, or passing
    right through it, pays in full. Yen; None where the table has no fare.
    """
    child = child_fare(account.kind)
    if account.pass_from is not None and account.ride_at is not None:
        assert account.pass_to and account.pass_since is not None and account.pass_until is not None
        if account.pass_since <= day_of(account.ride_at) <= account.pass_until:
            section = fares.section(account.pass_from, account.pass_to)
            if section is not None:
                inside = (entry in section.stations) + (exit in section.stations)
                if inside == 2:
                    return 0
                if inside == 1:
                    outside = exit if entry in section.stations else entry
                    one = fares.fare(section.ends[0], outside, child=child)
                    other = fares.fare(section.ends[1], outside, child=child)
                    return None if one is None or other is None else min(one, other)
    return fares.fare(entry, exit, child=child)


@rule(
    "RIDE-1",
    source=GUIDE,
    ja="乗ったカードで降りてください。別のカードでは出られず、2枚の残高は合わせられません。乗車中の払いもどしやモバイルへの移行もできません。",
)
def same_card_out(account: Account) -> No | None:
    """A ride ends on the card that began it; leaving with another card is refused, balances are never combined."""
    if account.ride_station is None:
        return refuse("RIDE-1", "no-ride-open")
    return None


def not_mid_ride(account: Account) -> No | None:
    """What would take the card away waits until its ride is over (RIDE-1)."""
    if account.ride_station is not None:
        assert account.ride_at is not None
        return refuse(
            "RIDE-1", "mid-ride", since=iso_moment(account.ride_at), station=account.ride_station
        )
    return None


@rule(
    "RIDE-2",
    source=GUIDE,
    ja="残高が運賃に足りないときは、同じカードにチャージして不足分を精算します（のりこし精算）。",
)
def fare_covered(balance: int, fare: int) -> No | None:
    """If the balance does not cover the fare, that same card is charged and the shortfall settled (のりこし精算)."""
    if fare > balance:
        figures = {"fare": fare, "balance": balance, "shortfall": fare - balance}
        return No(
            [Reason("RIDE-2", "fare-shortfall", figures)], result={"shortfall": fare - balance}
        )
    return None


@rule(
    "RIDE-3",
    source=GUIDE,
    ja="乗車中のカードでもう一度入ることはできません。",
)
def not_riding(account: Account) -> No | None:
    """A card that is in the middle of a ride cannot enter again."""
    if account.ride_station is not None:
        assert account.ride_at is not None
        return refuse(
            "RIDE-3",
            "already-riding",
            since=iso_moment(account.ride_at),
            station=account.ride_station,
        )
    return None


@rule(
    "PUB-13",
    source="issuer's guide; 03:00 ours",
    ja="入場はその日限り（翌朝3時まで）有効です。出場していない入場は、窓口かのりこし精算機で処理するまで次の乗車ができません。",
    tariff=("ride_day_ends",),
)
def ride_of_today(account: Account, at: int, rates: Rates) -> No | None:
    """An entry is good on its own day, to 03:00 the next morning; then a counter or fare-adjustment machine closes it."""
    if account.ride_at is not None and not is_of_its_day(account.ride_at, at, rates):
        return refuse(
            "PUB-13",
            "ride-left-open",
            since=iso_moment(account.ride_at),
            station=account.ride_station,
        )
    return None


def is_of_its_day(began: int, at: int, rates: Rates) -> bool:
    """Whether a ride that began at one moment is still of its own day at another (PUB-13)."""
    ends = rates.ride_day_ends * 60 * SECOND
    return ride_day_of(at, ends) == ride_day_of(began, ends)


def tap_in(c: TapIn, account: Account, day: int, rates: Rates, fares: Fares) -> Verdict:
    """Decide an entry. No minimum balance is asked for."""
    if not fares.knows(c.station):
        return _UNKNOWN_STATION
    no = late(c.at, account) or dead(account, day) or PLACES["tap_in", account.kind, c.channel]
    if no is None and account.ride_station is not None:
        no = ride_of_today(account, c.at, rates) or not_riding(account)
    return no or Effect({"balance": account.balance})


def tap_out(c: TapOut, account: Account, day: int, rates: Rates, fares: Fares) -> Verdict:
    """Decide an exit, at a gate or where staff and machines close a ride."""
    entry = account.ride_station
    if not fares.knows(c.station):
        return _UNKNOWN_STATION
    fare = 0
    if entry is not None:
        assert account.ride_at is not None
        day = day_of(account.ride_at)  # pass, fare and expiry are judged on the day of entry
        if entry != c.station:
            due = fare_due(account, entry, c.station, fares)
            if due is None:
                return _NO_FARE
            fare = due
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["tap_out", account.kind, c.channel]
        or same_card_out(account)
    )
    if no is None and c.channel == "gate":
        no = ride_of_today(account, c.at, rates)
        if no is None and entry == c.station:
            no = _SAME_STATION
    if no is None:
        no = fare_covered(account.balance, fare)
    if no is not None:
        return no
    return Effect(
        {"fare": fare, "balance": account.balance - fare},
        amount=-fare,
        payee=fares.company(c.station),
    )
