"""What an applicant's measures have come to (施策の状況): what counted, what is due and when, or why nothing comes.

For one applicant, from the account, its history and what was reported. The run for everybody at once
(``storage/grants.sql``) must say the same; tests hold the two together.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from farecard.model.account import Account, Event, Happened, read_key
from farecard.model.campaign import MYNA_POINT, Campaign, Measure, day_number, past
from farecard.model.moments import date_of, day_of, first_day_of, first_moment, iso_day, month_of
from farecard.model.verdict import Reason
from farecard.rules.catalogue import FAQ, rule

NOT_APPLIED, COUNTING, WAITING, DUE, GRANTED, NOT_GRANTED = (
    "not-applied", "counting", "waiting", "due", "granted", "not-granted",
)  # fmt: skip


class Charge(NamedTuple):
    """Yen that were put on or spent: an accepted top-up, purchase or top-up from points."""

    seq: int
    at: int
    do: str
    channel: str
    tender: str | None
    yen: int
    taken_back: bool  # by a reversal


class Case(NamedTuple):
    """All that is known of an account's applicant at the moment ``now``."""

    now: int
    account: Account
    applied: dict[int, tuple[int, int]]  # by measure: when, and the event's seq
    charges: list[Charge]  # oldest first
    notices: dict[str, int]  # what was reported of the applicant: when first
    granted: dict[tuple[int, int], int]  # by measure and period: points
    refunded_at: int | None
    left_rally: int | None  # the event that moved it into a phone after it had joined the rally
    counted_before: (
        int  # yen that counted in an earlier round; they go with measure 1 of Myna Point alone
    )


class Grant(NamedTuple):
    """Points that an applicant has earned: for which ``period``, since when, and the day they are due."""

    period: int  # 0, or the month of a monthly measure
    points: int
    ready_at: int
    due: int


class Progress(NamedTuple):
    """One measure: its state, the points and the day they come, what counted, and what there is to say."""

    measure: int
    state: str
    points: int = 0
    grant_on: int | None = None
    counted: int = 0
    reasons: tuple[Reason, ...] = ()


def case_of(
    name: str,
    account: Account,
    events: Sequence[Event | Happened],
    notices: dict[str, int],
    now: int,
) -> Case:
    """The case of an account's applicant in a campaign, from its accepted events up to ``now``, oldest first.

    Rides are not looked at; purchases only if yen spent count (``Campaign.counts_purchases``), or for the rally.
    """
    taken_back = {event.of for event in events if event.do == "reverse"}
    applied: dict[int, tuple[int, int]] = {}
    charges = []
    refunded_at = left_rally = None
    has_joined = False
    for event in events:
        if event.do in _CHARGES:
            charges.append(
                Charge(
                    event.seq, event.at, event.do, event.channel, event.tender,
                    abs(event.amount), event.seq in taken_back,
                )
            )  # fmt: skip
        elif event.do in ("refund", "refund_by_post"):
            refunded_at = event.at
        elif event.do == "join_rally":
            has_joined = True
        elif event.do == "move_to_phone":
            left_rally = event.seq if has_joined else None
        elif event.sets is not None and "applied" in event.sets:
            for key, at in event.sets["applied"].items():
                campaign, (measure,) = read_key(key)
                if campaign == name:
                    applied.setdefault(measure, (at, event.seq))
    granted = {}
    for key, points in (account.granted or {}).items():
        campaign, (measure, period) = read_key(key)
        if campaign == name:
            granted[measure, period] = points
    before = account.counted_before if name == MYNA_POINT else 0
    return Case(now, account, applied, charges, notices, granted, refunded_at, left_rally, before)


_CHARGES = ("top_up", "purchase", "top_up_from_points")


# -- what counts ---------------------------------------------------------------------------------


@rule(
    "MYN-1",
    source=FAQ,
    ja="現金のチャージ（ガソリンスタンドを除く）、クイックチャージ、アプリのチャージが対象です。ポイントチャージとガソリンスタンドでのチャージ（釣銭を含む）は対象外です。",
)
def kind_counts(measure: Measure, charge: Charge) -> Reason | None:
    """Cash (anywhere but petrol stations), quick charges and app charges count; point charges and petrol stations do not."""
    if measure.counts_yen(charge.do, charge.channel, charge.tender):
        return None
    if charge.do == "top_up_from_points":
        return Reason("MYN-1", "points-do-not-count")
    if charge.channel == "petrol-station":
        return Reason("MYN-1", "petrol-does-not-count")
    return Reason("MYN-1", "place-does-not-count")


@rule(
    "MYN-2",
    source=FAQ,
    ja="申込みを済ませてからのチャージが対象です。申込み前のチャージは対象になりません。",
)
def after_applying(charge: Charge, applied_seq: int) -> Reason | None:
    """Only charges made after the application count."""
    return None if charge.seq > applied_seq else Reason("MYN-2", "before-applying")


def why_not(measure: Measure, case: Case, charge: Charge) -> Reason | None:
    """Why yen do not count for a measure; None when they do."""
    no = kind_counts(measure, charge)
    if no is not None:
        return no
    if charge.taken_back:
        return Reason("MYN-1", "taken-back")
    no = after_applying(charge, case.applied[measure.number][1])
    if no is not None:
        return no
    if charge.at >= measure.past_at:
        return Reason("MYN-4", "after-the-end", {"last_day": iso_day(day_of(measure.past_at) - 1)})
    if charge.at < measure.first_at:
        first = iso_day(day_of(measure.first_at))
        return Reason("MYN-2", "before-the-beginning", {"from": first})
    return None


def counted(measure: Measure, case: Case) -> Iterable[Charge]:
    """The charges that count."""
    return (charge for charge in case.charges if why_not(measure, case, charge) is None)


# -- what is earned ------------------------------------------------------------------------------


def pay_day(month: int, campaign: Campaign) -> int:
    """The day of a month on which points are granted."""
    return first_day_of(month) + campaign.grant_day - 1


@rule(
    "MYN-3",
    source=FAQ,
    ja="第1弾と第2弾のチャージを合算し、20,000円に達した月の翌月18日頃に5,000ポイントを付与します。",
)
def reached(measure: Measure, case: Case, campaign: Campaign) -> Grant | None:
    """Charges of both rounds are summed; when they reach 20,000 yen: 5,000 points, around the 18th of the month after."""
    if measure.target is None:
        return None
    total, at = _before(measure, case), case.applied[measure.number][0]
    if total < measure.target:
        for charge in counted(measure, case):
            total += charge.yen
            at = charge.at
            if total >= measure.target:
                break
        else:
            return None
    return Grant(0, measure.reward, at, pay_day(month_of(day_of(at)) + 1, campaign))


@rule(
    "MYN-4",
    source=FAQ,
    ja="第2弾の終了までに20,000円に満たないときは、終了の翌月18日頃にチャージ額の25%（小数点以下切捨て）を付与します。",
)
def share_at_the_end(measure: Measure, case: Case, campaign: Campaign) -> Grant | None:
    """Under 20,000 yen when round 2 ends: 25 % of the sum, fractions dropped, around the 18th of the month after the end."""
    assert measure.counts_until is not None
    if measure.percent is None:
        return None
    last = day_number(measure.counts_until)
    total = counted_yen(measure, case)
    points = _capped(total * measure.percent // 100, measure)
    return Grant(0, points, first_moment(last + 1), pay_day(month_of(last) + 1, campaign))


def _capped(points: int, measure: Measure) -> int:
    return points if measure.cap is None else min(points, measure.cap)


def _before(measure: Measure, case: Case) -> int:
    return case.counted_before if measure.number == 1 else 0


def counted_yen(measure: Measure, case: Case) -> int:
    """The whole sum, uncapped."""
    return _before(measure, case) + sum(charge.yen for charge in counted(measure, case))


def by_month(measure: Measure, case: Case, campaign: Campaign) -> list[Grant]:
    """A share of each month's sum, in the month after."""
    assert measure.percent is not None
    sums: dict[int, int] = {}
    for charge in counted(measure, case):
        month = month_of(day_of(charge.at))
        sums[month] = sums.get(month, 0) + charge.yen
    return [
        Grant(
            month,
            _capped(yen * measure.percent // 100, measure),
            first_moment(first_day_of(month + 1)),
            pay_day(month + 1, campaign),
        )
        for month, yen in sorted(sums.items())
    ]


@rule(
    "MYN-5",
    source=FAQ,
    ja="施策2と3のポイントは、所定の手続きが完了した月の翌月18日頃に付与します。",
)
def completed(measure: Measure, case: Case, campaign: Campaign) -> Grant | None:
    """Measures 2 and 3: around the 18th of the month after the prescribed procedures are complete."""
    assert measure.done is not None and measure.done_until is not None
    done = case.notices.get(measure.done)
    if done is None or done >= past(measure.done_until):
        return None
    if not filed_in_time(measure, case):
        return None
    at = max(done, case.applied[measure.number][0])
    return Grant(0, worth(measure), at, pay_day(month_of(day_of(at)) + 1, campaign))


@rule(
    "PUB-6",
    source="government",
    ja="施策2と3は、それぞれ7,500ポイントです。",
)
def worth(measure: Measure) -> int:
    """Measures 2 and 3 are worth 7,500 points each."""
    return measure.reward


@rule(
    "MYN-6",
    source=FAQ,
    ja="施策3は、2023年9月30日までに申請し、10月13日までにマイナポータルで「完了」になった方が対象です。",
)
def filed_in_time(measure: Measure, case: Case) -> bool:
    """Measure 3 needs the account filed by 30 September 2023 and complete by 13 October 2023; not complete in time: nothing.

    Whether it was filed in time, or needs no filing. A completion without a filing counts as filed that day.
    """
    if measure.filed is None:
        return True
    assert measure.done is not None and measure.filed_until is not None
    said = [case.notices[what] for what in (measure.filed, measure.done) if what in case.notices]
    return bool(said) and min(said) < past(measure.filed_until)


# -- why nothing comes ---------------------------------------------------------------------------


@rule(
    "MYN-15",
    source=FAQ,
    ja="こどもICOCAは、有効期限までにポイントチャージしなかった分を受け取れません。期限より後の付与はありません。",
)
def expires_before(case: Case, campaign: Campaign) -> tuple[int, Reason] | None:
    """Child card: what is not point-charged by its expiry is lost; a grant dated after it is not made.

    From which moment on whatever is earned would come too late, and what to say of it.
    """
    last = case.account.expires
    if last is None:
        return None
    late = first_moment(last_in_time(last, campaign) + 1)
    return late, Reason("MYN-15", "expires-before-grant", {"expires": iso_day(last)})


def last_in_time(expires: int, campaign: Campaign) -> int:
    """The last day on which something can be ready whose points come while a card that expires lives."""
    month = month_of(expires)
    if date_of(expires).day < campaign.grant_day:
        month -= 1  # that month's grants come too late already
    return first_day_of(month) - 1


@rule(
    "MYN-16",
    source=FAQ,
    ja="マイナポイントに申し込んだICOCAを払いもどすと、ポイントを受け取れません。",
)
def refunded(case: Case) -> tuple[int, Reason] | None:
    """An applied card that is refunded gets no points any more."""
    if case.refunded_at is None:
        return None
    day = iso_day(day_of(case.refunded_at))
    return case.refunded_at, Reason("MYN-16", "refunded-before-grant", {"day": day})


def _too_late(measure: Measure, case: Case) -> tuple[int, Reason] | None:
    """From when a measure that is not ready can never be."""
    if measure.counts_until is not None:
        last = day_number(measure.counts_until)
        return first_moment(last + 1), Reason(
            "MYN-4", "nothing-counted", {"last_day": iso_day(last)}
        )
    assert measure.done_until is not None
    last = day_number(measure.done_until)
    code, rule_id = "not-reported-in-time", "MYN-18"
    if measure.filed is not None:
        assert measure.filed_until is not None
        code, rule_id = "not-complete-in-time", "MYN-6"
        if not filed_in_time(measure, case):
            last = day_number(measure.filed_until)
            code = "not-filed-in-time"
    return first_moment(last + 1), Reason(rule_id, code, {"last_day": iso_day(last)})


# -- the whole -----------------------------------------------------------------------------------


def earned(measure: Measure, case: Case, campaign: Campaign) -> list[Grant]:
    """What a measure has earned by now and will bring, were the card to live; nothing of 0 points."""
    if measure.done is not None:
        grants = [completed(measure, case, campaign)]
    elif measure.monthly:
        grants = list(by_month(measure, case, campaign))
    else:
        whole = reached(measure, case, campaign)
        grants = [whole or share_at_the_end(measure, case, campaign)]
    return [one for one in grants if one is not None and one.points and one.ready_at <= case.now]


def blocked(grant: Grant | None, case: Case, campaign: Campaign) -> tuple[int, Reason] | None:
    """From when and why a grant cannot come, whatever else happens; of nothing earned yet, why none ever can."""
    found = [one for one in (refunded(case), _over(grant, case, campaign)) if one is not None]
    return min(found, default=None, key=lambda one: one[0])


def _over(grant: Grant | None, case: Case, campaign: Campaign) -> tuple[int, Reason] | None:
    """The same of a card that expires, where that is before a grant or before any that is still to be earned."""
    last = case.account.expires
    if last is None or (grant is not None and grant.due <= last):
        return None
    return expires_before(case, campaign)


@rule(
    "PUB-8",
    source="government (operators' FAQ)",
    ja="紛失で再発行されたカードは同じ申込みを引き継ぎます。新旧あわせて5,000ポイントまでです。",
)
def granted_already(number: int, period: int, case: Case) -> int | None:
    """A card reissued after loss continues the same application: old and new together get at most 5,000.

    The points granted for a measure and period, whatever number the card had; None when none were.
    """
    return case.granted.get((number, period))


def progress(measure: Measure, case: Case, campaign: Campaign) -> Progress:
    """The state of one measure that pays once."""
    number = measure.number
    if number not in case.applied:
        return Progress(number, NOT_APPLIED)
    yen = 0 if measure.done is not None else counted_yen(measure, case)
    grants = earned(measure, case, campaign)
    grant = grants[0] if grants else None
    points = granted_already(number, 0, case)
    if points is not None:
        return Progress(number, GRANTED, points, None if grant is None else grant.due, yen)
    late = _too_late(measure, case) if grant is None else None
    # of one moment the first tells: a card that lives until points of the last day would come is not why none come
    ends = [one for one in (refunded(case), late, _over(grant, case, campaign)) if one is not None]
    over = min((one for one in ends if one[0] <= case.now), default=None, key=lambda one: one[0])
    if over is not None:
        return Progress(number, NOT_GRANTED, 0, None, yen, (over[1],))
    if grant is not None:
        return Progress(number, DUE, grant.points, grant.due, yen)
    if measure.done is None:
        return Progress(number, COUNTING, 0, None, yen, _still(measure, yen, case, campaign))
    return Progress(number, WAITING, 0, None, 0, waiting(measure, case, campaign))


def outlook(measure: Measure, case: Case, campaign: Campaign) -> dict[str, Grant]:
    """What a sum that still counts comes to: ``as_it_is``, if nothing is added; ``at_target``, if the target is reached this month.

    What could not be paid any more, because the card will have expired, is left out.
    """
    if measure.target is None or progress(measure, case, campaign).state != COUNTING:
        return {}
    found = {}
    share = share_at_the_end(measure, case, campaign)
    if share is not None and share.points:
        found["as_it_is"] = share
    month = month_of(day_of(case.now))
    found["at_target"] = Grant(0, measure.reward, case.now, pay_day(month + 1, campaign))
    return {name: one for name, one in found.items() if blocked(one, case, campaign) is None}


def monthly_progress(measure: Measure, case: Case, campaign: Campaign) -> list[Progress]:
    """The state of each month of a monthly measure in which something counted, oldest first."""
    found = []
    this_month = month_of(day_of(case.now))
    for grant in by_month(measure, case, campaign):
        points = granted_already(measure.number, grant.period, case)
        over = blocked(grant, case, campaign)
        if points is not None:
            one = Progress(grant.period, GRANTED, points, grant.due)
        elif over is not None and over[0] <= case.now:
            one = Progress(grant.period, NOT_GRANTED, reasons=(over[1],))
        elif grant.period >= this_month:
            one = Progress(grant.period, COUNTING, grant.points, grant.due)
        else:
            one = Progress(grant.period, DUE, grant.points, grant.due)
        found.append(one)
    return found


def _by(last: date, case: Case, campaign: Campaign) -> tuple[int, tuple[Reason, ...]]:
    """The last day of what is still to be done: earlier where the card expires before points of that day would come, with the reason."""
    day, limit = day_number(last), case.account.expires
    if limit is None or last_in_time(limit, campaign) >= day:
        return day, ()
    day = last_in_time(limit, campaign)
    figures = {"until": iso_day(day), "expires": iso_day(limit)}
    return day, (Reason("MYN-15", "ready-before-expiry", figures),)


def _still(measure: Measure, yen: int, case: Case, campaign: Campaign) -> tuple[Reason, ...]:
    """What a sum still lacks, and what it comes to where it is not reached."""
    assert measure.counts_until is not None
    if measure.target is None:
        until = iso_day(day_number(measure.counts_until))
        return (Reason("MYN-4", "still-counting", {"counted": yen, "until": until}),)
    last, expiry = _by(measure.counts_until, case, campaign)
    figures = {
        "counted": yen,
        "remaining": max(0, measure.target - yen),
        "points": measure.reward,
        "until": iso_day(last),
    }
    said = Reason("MYN-3", "target-not-reached", figures), *expiry
    if expiry or measure.percent is None:
        return said
    share = {"until": iso_day(last), "percent": measure.percent}
    return *said, Reason("MYN-4", "share-where-short", share)


@rule(
    "MYN-7",
    source=FAQ,
    ja="公金受取口座の登録には金融機関の審査があり、当社ではわかりません。マイナポータルでご確認ください。",
)
def waiting(measure: Measure, case: Case, campaign: Campaign) -> tuple[Reason, ...]:
    """The bank's review takes time that the issuer cannot see: until it is complete, the member is pointed to Mynaportal."""
    assert measure.done_until is not None
    if measure.filed is not None and measure.filed in case.notices:
        last, expiry = _by(measure.done_until, case, campaign)
        return Reason("MYN-7", "banks-review", {"until": iso_day(last)}), *expiry
    last, expiry = _by(measure.filed_until or measure.done_until, case, campaign)
    return Reason("MYN-5", "procedure-missing", {"until": iso_day(last)}), *expiry


def owed(measure: Measure, case: Case, campaign: Campaign, month: int) -> list[Grant]:
    """What a run for a month has to grant of a measure: due by that month, not granted yet, not forfeited."""
    if measure.number not in case.applied:
        return []
    found = []
    for grant in earned(measure, case, campaign):
        if month_of(grant.due) > month or granted_already(measure.number, grant.period, case):
            continue
        end = blocked(grant, case, campaign)
        if end is None or end[0] > case.now:
            found.append(grant)
    return found
