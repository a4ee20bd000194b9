"""WESTER points (チャージ専用): registering a card for them, and turning them into balance."""

from farecard.model.account import Account
from farecard.model.commands import PHONES, JoinMembership, RegisterForPoints, TopUpFromPoints
from farecard.model.moments import DAY, SECOND, TOKYO, day_of, first_moment, iso_day
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import FAQ, rule
from farecard.rules.places import PLACES
from farecard.rules.state import dead, late
from farecard.rules.top_up import over_ceiling


@rule(
    "WST-1",
    source=FAQ,
    ja="利用登録は無料です。マイナポイントを申し込む前日までに登録を済ませてください。",
)
def registered(account: Account, at: int, rates: Rates, last: int) -> No | None:
    """Use registration (利用登録) is free, and must be complete by the day before the Myna Point application.

    Whoever is not registered learns from when one could apply, by the way of registering, until the ``last`` day.
    """
    if account.apply_from is not None:
        return None
    machine = applies_from("ticket-machine", at, rates)
    online = max(applies_from(place, at, rates) for place in rates.registration_online_places)
    first = {"from": iso_day(machine)}
    if max(machine, online) <= last:
        return refuse("WST-1", "not-registered", **first, online=iso_day(online))
    code = "register-at-machine" if machine <= last else "too-late-to-register"
    return refuse("WST-1", code, **first, last_day=iso_day(last))


@rule(
    "WST-2",
    source=FAQ,
    ja="WESTERアプリ・会員メニューでの登録は、18時59分までなら翌日から、19時以降なら翌々日から申し込めます。駅の券売機での登録は翌日からです。",
    tariff=(
        "registration_online_places",
        "registration_evening",
        "registration_wait",
        "registration_evening_wait",
    ),
)
def applies_from(channel: str, at: int, rates: Rates) -> int:
    """Registered online by 18:59 or at a station machine: may apply from the next day; online at 19:00 or later: the day after it.

    Takes the moment of the registration, gives the first day.
    """
    day = day_of(at)
    evening = (at + TOKYO) % DAY >= rates.registration_evening * 60 * SECOND
    if evening and channel in rates.registration_online_places:
        return day + rates.registration_evening_wait
    return day + rates.registration_wait


def last_to_register(last: int, rates: Rates) -> tuple[int, int]:
    """The moment before which to register online, and the last day at a station machine, to apply on the ``last`` day (WST-2)."""
    machine = last - rates.registration_wait
    return first_moment(machine) + rates.registration_evening * 60 * SECOND, machine


def is_exempt(kind: str) -> bool:
    """Whether cards of a kind take part without being registered (WST-3)."""
    return kind in PHONES or kind == "smart"


@rule(
    "WST-3",
    source=FAQ,
    ja="SMART ICOCA・モバイルICOCA・Apple PayのICOCAと、2023年3月6日までにICOCAポイントサービスに登録したカードは、利用登録が要りません。",
    tariff=("points_service_last_registration",),
)
def needs_no_registration(account: Account) -> No | None:
    """SMART, Mobile and Apple Pay ICOCA need no registration, nor does a card of the old ICOCA Point service."""
    if is_exempt(account.kind):
        return refuse("WST-3", "kind-needs-no-registration")
    if account.registered_on is not None:
        return refuse("WST-3", "registered-before", day=iso_day(account.registered_on))
    return None


@rule(
    "WST-4",
    source=FAQ,
    ja="身体障害者割引・知的障害者割引で発売したICOCA定期券は、利用登録できません。",
)
def no_discount_pass(account: Account) -> No | None:
    """A commuter pass sold with a disability discount (physical or intellectual) cannot be registered."""
    return refuse("WST-4", "discount-pass-no-points") if account.pass_discount else None


@rule(
    "WST-6",
    source=FAQ,
    ja="2023年2月までに付与されたポイントは「ICOCAポイント」、3月からは「WESTERポイント（チャージ専用）」です。",
    tariff=("wester_points_since",),
)
def name_of_points(day: int, rates: Rates) -> str:
    """Points granted up to February 2023 are ICOCA points, from March 2023 WESTER points (charge-only).

    Gives ``icoca-points`` or ``wester-points`` for the day of a grant.
    """
    return "wester-points" if day >= rates.wester_points_since else "icoca-points"


@rule(
    "WST-7",
    source=FAQ,
    ja="ポイントの履歴は、紺色とピンク色の券売機の「ポイント数（ポイント還元・その他）」で確認・印字できます。SMART ICOCAと、WESTER会員のモバイルICOCA・Apple PayのICOCAは、WESTER会員ページで確認できます。",
)
def history_at(kind: str, member: bool) -> list[str]:
    """Point history: at navy and pink ticket machines, and on the member page for SMART ICOCA and members' phone cards.

    Gives the channels where the holder can read it.
    """
    on_page = kind == "smart" or (kind in PHONES and member)
    if kind in PHONES:
        return ["member-page"] if on_page else []
    return ["ticket-machine", "member-page"] if on_page else ["ticket-machine"]


@rule(
    "PUB-10",
    source="issuer's FAQ, blog",
    ja="ポイントは10ポイント単位でチャージできます。チャージ専用ポイントに有効期限はありません。",
    tariff=("points_unit",),
)
def whole_units(points: int, rates: Rates) -> No | None:
    """Points charge onto a card in units of 10; charge-only points do not expire."""
    if points % rates.points_unit:
        return refuse("PUB-10", "points-unit", unit=rates.points_unit)
    return None


def may_apply(account: Account, at: int, rates: Rates, last: int) -> No | None:
    """Whether a campaign may be applied for with this card at a moment (WST-1 to 4); ``last`` is its last day."""
    no = no_discount_pass(account)
    if no is not None:
        return no
    if is_exempt(account.kind):
        return None
    first = account.apply_from
    if first is None or day_of(at) >= first:
        return registered(account, at, rates, last)
    result = {"from": iso_day(first)}
    reason = Reason("WST-2", "too-early-to-apply", result)
    if first > last:
        figures = {**result, "last_day": iso_day(last)}
        reason = Reason("WST-2", "registered-too-late-to-apply", figures)
    return No([reason], result=result)


def register_for_points(c: RegisterForPoints, account: Account, day: int, rates: Rates) -> Verdict:
    """Decide a use registration; the first one stands."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["register_for_points", account.kind, c.channel]
        or no_discount_pass(account)
        or needs_no_registration(account)
    )
    if no is not None:
        return no
    if account.apply_from is not None:
        return refuse("WST-1", "registered-already", **{"from": iso_day(account.apply_from)})
    first = applies_from(c.channel, c.at, rates)
    return Effect({"may_apply_from": iso_day(first)}, sets={"apply_from": first})


def join_membership(c: JoinMembership, account: Account, day: int) -> Verdict:
    """Decide a membership; ``member`` itself is not in the result, it is put there as it leaves."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["join_membership", account.kind, c.channel]
    )
    if no is not None:
        return no
    if account.member:
        return refuse(None, "member-already")
    history = history_at(account.kind, member=True)
    return Effect({"point_history_at": history}, sets={"member": True})


def most_chargeable(account: Account, rates: Rates) -> int:
    """How many of a card's points can be charged onto it now: in whole units, and as far as its balance leaves room."""
    room = min(rates.balance_ceiling - account.balance, account.points)
    return max(0, room - room % rates.points_unit)


def top_up_from_points(c: TopUpFromPoints, account: Account, day: int, rates: Rates) -> Verdict:
    """Decide a top-up from points (ポイントチャージ), a yen a point."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["top_up_from_points", account.kind, c.channel]
        or whole_units(c.points, rates)
    )
    if no is not None:
        return no
    largest = most_chargeable(account, rates)
    no = over_ceiling(account.balance, c.points, largest, rates)
    if no is not None:
        return no
    if c.points > account.points:
        figures = {"points": account.points, "largest": largest}
        return No([Reason(None, "not-enough-points", figures)], result=figures)
    return Effect(
        {"balance": account.balance + c.points, "points": account.points - c.points},
        amount=c.points,
        points=-c.points,
    )
