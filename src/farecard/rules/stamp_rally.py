"""The stamp rally (スタンプラリー): joining it, its four stamps, and the draw they qualify for."""

from typing import NamedTuple

from farecard.model.account import Account, read_key
from farecard.model.campaign import (
    MYNA_POINT,
    STAMP_RALLY,
    Campaign,
    Rally,
    begin_of,
    day_number,
    past,
)
from farecard.model.commands import CommitDraw, DrawLottery, JoinRally
from farecard.model.moments import day_of, iso_day, month_of
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import FAQ, rule
from farecard.rules.measures import DUE, Case, pay_day, progress
from farecard.rules.places import PLACES, elsewhere
from farecard.rules.points import may_apply
from farecard.rules.state import dead, late

NAME = STAMP_RALLY


class Stamp(NamedTuple):
    """A stamp: the moment its condition held, and the day by which it shows."""

    achieved_at: int
    shows_by: int


@rule(
    "STP-1",
    source=FAQ,
    ja="スタンプは4つで、順序は問いません。4つすべての条件を満たすと抽選の対象になります。",
)
def in_the_days(day: int, rally: Rally) -> No | None:
    """Four stamps, any order; all four: in the draw. Stamp 1 is joining the rally with the ICOCA, while it lasts (our reading)."""
    first, last = day_number(rally.first_day), day_number(rally.last_day)
    if day < first:
        return refuse("STP-1", "rally-not-begun", **{"from": iso_day(first)})
    if day > last:
        return refuse("STP-1", "rally-over", last_day=iso_day(last))
    return None


def join_rally(
    c: JoinRally, account: Account, day: int, rates: Rates, rally: Rally, programme: Campaign
) -> Verdict:
    """Decide joining; whoever can never get stamp 2 may join too, and is told so (STP-6, WST-1 to 4)."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["join_rally", account.kind, c.channel]
        or in_the_days(day, rally)
    )
    if no is not None:
        return no
    if account.rally_at is not None:
        return refuse(None, "joined-already")
    warning = applied_before(account, rally)
    if account.applied is None:
        warning = never_applies(account, c.at, rates, programme)
    return Effect(
        {"rally": rally.name},
        sets={"rally_at": c.at},
        warnings=None if warning is None else [warning],
    )


@rule(
    "STP-6",
    source=FAQ,
    ja="2023年2月28日までに申し込んだ方や、ほかの決済サービスで申し込んだ方も参加できますが、スタンプ2は押されません。",
)
def applied_before(account: Account, rally: Rally) -> Reason | None:
    """Applied by 28 February 2023, or with another service: may take part, but that application never gives stamp 2."""
    first = begin_of(rally.first_day)
    applied = [at for key, at in (account.applied or {}).items() if read_key(key)[0] == MYNA_POINT]
    if applied and all(at < first for at in applied):
        return Reason(
            "STP-6", "applied-before-the-rally", {"from": iso_day(day_number(rally.first_day))}
        )
    return None


_FOR_EVER = ("discount-pass-no-points", "too-late-to-register", "registered-too-late-to-apply")


def never_applies(account: Account, at: int, rates: Rates, programme: Campaign) -> Reason | None:
    """Why Myna Point can never be applied for with this card any more, whatever is done from now on; None where it can."""
    no = may_apply(account, at, rates, day_number(programme.apply_until))
    if no is None or no.reasons[0].code not in _FOR_EVER:
        return None
    return no.reasons[0]


def _within(at: int, rally: Rally) -> bool:
    return begin_of(rally.first_day) <= at < past(rally.last_day)


@rule(
    "STP-2",
    source=FAQ,
    ja="スタンプ2：2023年3月1日から9月30日までに、3つの施策のうち1つ以上をICOCAで申し込むと押されます。施策3は口座の登録完了も必要です。",
)
def stamp_2(case: Case, rally: Rally) -> int | None:
    """Stamp 2: applied for at least one measure with ICOCA in the rally's days; measure 3 once the account is complete as well.

    Each application counts by its own date. Gives the moment the first of them held.
    """
    found = []
    for number, (at, _) in case.applied.items():
        held: int | None = at
        if number == 3:
            done = case.notices.get("confirm_account")
            held = None if done is None else max(at, done)
        if held is not None and _within(at, rally) and _within(held, rally):
            found.append(held)
    return min(found, default=None)


@rule(
    "STP-3",
    source=FAQ,
    ja="スタンプ3：WESTERポイント（チャージ専用）をICOCAにチャージすると押されます。",
)
def stamp_3(case: Case, rally: Rally) -> int | None:
    """Stamp 3: WESTER points (charge-only) charged onto the ICOCA."""
    return _first(case, rally, "top_up_from_points")


@rule(
    "STP-4",
    source=FAQ,
    ja="スタンプ4：ICOCAでお買い物をすると押されます。",
)
def stamp_4(case: Case, rally: Rally) -> int | None:
    """Stamp 4: a purchase with the ICOCA; a reversed one gives none."""
    return _first(case, rally, "purchase")


def _first(case: Case, rally: Rally, do: str) -> int | None:
    found = (
        charge.at
        for charge in case.charges
        if charge.do == do and not charge.taken_back and _within(charge.at, rally)
        and same_card(charge.seq, case)
    )  # fmt: skip
    return min(found, default=None)


@rule(
    "STP-7",
    source=FAQ,
    ja="ラリーの途中でICOCAは変更できません。Apple PayのICOCAなどへの移行は変更にあたり、移行後はスタンプ3と4が押されません。",
)
def same_card(seq: int, case: Case) -> bool:
    """The ICOCA cannot be changed in the rally; moved into a phone after joining, stamps 3 and 4 do not come from the phone's card."""
    return case.left_rally is None or seq < case.left_rally


@rule(
    "STP-5",
    source=FAQ,
    ja="条件を満たしてから1週間ほどでスタンプに反映されます。未反映でも、すべての条件を満たした時点で抽選の対象です。",
)
def shows_by(achieved_at: int, rally: Rally) -> int:
    """A stamp shows within about a week of its condition; the draw counts from the moment all conditions hold, shown or not."""
    return day_of(achieved_at) + rally.shows_within


def out_of_reach(case: Case, rally: Rally, programme: Campaign, rates: Rates) -> dict[int, Reason]:
    """The stamps that a card which joined has not and can never get, whatever is done from now on, and why; while the rally lasts."""
    found: dict[int, Reason] = {}
    missing = [number for number, stamp in stamps(case, rally).items() if stamp is None]
    if 2 in missing:
        no = _no_application_left(case, rally, programme, rates)
        if no is not None:
            found[2] = no
    if case.left_rally is not None:
        moved = Reason("STP-7", "moved-in-the-rally")
        return found | {number: moved for number in missing if number in (3, 4)}
    if 3 in missing:
        no = _no_points_in_time(case, rally, programme, rates)
        if no is not None:
            found[3] = no
    return found


def _no_application_left(
    case: Case, rally: Rally, programme: Campaign, rates: Rates
) -> Reason | None:
    """Why no application of the rally's days can come any more."""
    if any(_within(at, rally) for at, _ in case.applied.values()):
        return None  # measure 3: its account may yet be complete
    if all(one.number in case.applied for one in programme.measures):
        return Reason("STP-6", "no-measure-left")
    return never_applies(case.account, case.now, rates, programme)


def _no_points_in_time(
    case: Case, rally: Rally, programme: Campaign, rates: Rates
) -> Reason | None:
    """Why there will be no points to charge: none on the card, none due, and what is earned from now on comes after the end."""
    last = day_number(rally.last_day)
    if case.account.points >= rates.points_unit:
        return None
    for measure in programme.measures:
        one = progress(measure, case, programme)
        if one.state == DUE and one.grant_on is not None and one.grant_on <= last:
            return None
    comes = pay_day(month_of(day_of(case.now)) + 1, programme)
    if comes <= last:
        return None
    figures = {"grant_on": iso_day(comes), "last_day": iso_day(last)}
    return Reason("STP-3", "no-points-in-time", figures)


def stamps(case: Case, rally: Rally) -> dict[int, Stamp | None]:
    """The four stamps of a card that joined."""
    held = (case.account.rally_at, stamp_2(case, rally), stamp_3(case, rally), stamp_4(case, rally))
    return {
        number: None if at is None else Stamp(at, shows_by(at, rally))
        for number, at in enumerate(held, 1)
    }


@rule(
    "STP-8",
    source=FAQ,
    ja="第1回の抽選は7月20日までにスタンプを4つ集めた方が対象です。第1回の対象の方は、第2回の対象になりません。",
)
def draw_of(found: dict[int, Stamp | None], rally: Rally) -> int | None:
    """First draw: all four by 20 July 2023. Who was in the first draw is not in the second.

    The draw that a card's stamps qualify for; None while one is missing.
    """
    held = [stamp.achieved_at for stamp in found.values() if stamp is not None]
    return draw_at(max(held), rally) if len(held) == len(found) else None


def draw_at(complete_at: int, rally: Rally) -> int | None:
    """The draw of who had all four stamps at a moment: the first whose deadline it keeps."""
    for draw in rally.draws:
        if complete_at < past(draw.until):
            return draw.number
    return None


def may_draw(c: CommitDraw | DrawLottery, day: int, rally: Rally, done: set[str]) -> No | None:
    """By operations, from the day after the deadline, and once; ``done``: ``commit`` and ``draw`` so far (STP-8)."""
    if c.channel != "operations":
        return elsewhere(None, "operations")
    until = next(day_number(draw.until) for draw in rally.draws if draw.number == c.draw)
    if day <= until:
        return refuse("STP-8", "draw-too-early", **{"from": iso_day(until + 1)})
    if "draw" in done:
        return refuse("STP-8", "draw-held", draw=c.draw)
    if isinstance(c, CommitDraw) and "commit" in done:
        return refuse("STP-8", "draw-frozen", draw=c.draw)
    return None
