"""Applying for Myna Point (マイナポイントの申込み): who, with which card, for which measures."""

from typing import Any

from farecard.model.account import NO_ACCOUNT, Account, Person, measure_key
from farecard.model.campaign import MYNA_POINT, Campaign, Measure, day_number
from farecard.model.commands import (
    ApplicationHistory,
    ApplyMynaPoint,
    ChangeAppliedCard,
    Notice,
    OtherService,
)
from farecard.model.moments import iso_day, parse_day
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import FAQ, rule
from farecard.rules.places import PLACES, elsewhere
from farecard.rules.points import may_apply
from farecard.rules.referral import refer, unless_granted
from farecard.rules.state import dead, late

NAME = MYNA_POINT


@rule(
    "MYN-18",
    source=FAQ,
    ja="マイナポイント事業は2023年9月30日に終了しました。以後の申込みはできません。",
)
def programme_open(day: int, campaign: Campaign) -> No | None:
    """The programme ends 30 September 2023: later applications are refused."""
    last = day_number(campaign.apply_until)
    if day > last:
        return refuse("MYN-18", "campaign-over", last_day=iso_day(last))
    return None


@rule(
    "MYN-14",
    source=FAQ,
    ja="こどものマイナンバーカードでも申し込めます。ご本人名義と異なるカードでの申込みは、総務省へお問い合わせください。",
)
def own_name(c: ApplyMynaPoint) -> No | None:
    """A child's My Number card may apply; with a card in somebody else's name it is for the ministry to say."""
    return None if c.own_name else refer("MYN-14", "ask-the-ministry")


@rule(
    "MYN-8",
    source=FAQ,
    ja="3つの施策は、すべて同じICOCAで申し込みます。おひとり1枚です。",
)
def one_card_a_person(person: Person, account: Account) -> No | None:
    """One person, one card: all three measures on the same ICOCA."""
    if person.account not in (NO_ACCOUNT, account.account):
        return refuse("MYN-8", "applied-with-another-card")
    return None


@rule(
    "MYN-9",
    source=FAQ,
    ja="1枚のICOCAに複数のマイナンバーカードは登録できません。別のICOCAで申し込んでください。",
)
def one_person_a_card(person: Person, account: Account) -> No | None:
    """One ICOCA, one person: a second My Number card on the same ICOCA is refused."""
    if not is_second(person, account) or account.applied_as != account.number:
        return None
    return refuse("MYN-9", "card-of-another-person")


@rule(
    "MYN-10",
    source=FAQ,
    ja="申し込んだICOCAから再発行したICOCAに、別の方が申し込んでも、ポイントは付与されません。",
)
def never_granted(person: Person, account: Account) -> Reason | None:
    """A card reissued from one that was applied with, applied with by another person: taken, and never granted for."""
    return Reason("MYN-10", "never-granted") if is_second(person, account) else None


@rule(
    "MYN-11",
    source=FAQ,
    ja="これまでどのキャッシュレス決済サービスにも申込みをしていない方は、3つの施策すべてを申し込めます。",
)
def never_applied(history: ApplicationHistory) -> bool:
    """Never applied with any cashless service: all measures are open in round 2."""
    return history.round_1 == "none" and history.other_service is None


@rule(
    "MYN-12",
    source=FAQ,
    ja="第1弾でICOCAに申し込みポイントを受け取った方は、施策1は対象外です。施策2と3は申し込めます。",
)
def received_in_round_1(number: int, history: ApplicationHistory) -> Reason | None:
    """Points already received for ICOCA in round 1: measure 1 is refused, 2 and 3 are open."""
    if number == 1 and history.round_1 == "icoca-received":
        return Reason("MYN-12", "received-already", {"measure": number})
    return None


@rule(
    "MYN-13",
    source=FAQ,
    ja="ほかの決済サービスで申し込んだ方は、ICOCAに変更できません。2022年6月29日までの申込みや、事業を終えたサービスの場合は、申し込めることがあります。",
)
def other_service(other: OtherService | None, campaign: Campaign) -> No | None:
    """A measure applied for with another service: ICOCA is refused for the rest. By 29 June 2022, or that service has ended: it may be possible, so referred."""
    if other is None:
        return None
    until = campaign.other_service_until
    early = until is not None and parse_day(other.applied_on) <= day_number(until)
    if early or other.ended:
        return refer("MYN-13", "ask-whether-possible")
    return refuse("MYN-13", "applied-with-another-service")


@rule(
    "PUB-7",
    source="press, government",
    ja="施策1は2022年1月1日から、施策2と3は2022年6月30日から申し込めます。",
)
def not_open_yet(measure: Measure, day: int) -> Reason | None:
    """Round 2: measure 1 from 1 January 2022, applications for 2 and 3 from 30 June 2022."""
    first = day_number(measure.apply_from)
    if day < first:
        return Reason(
            "PUB-7", "measure-not-open", {"measure": measure.number, "from": iso_day(first)}
        )
    return None


@rule(
    "MYN-17",
    source=FAQ,
    ja="申込みずみのICOCAが紛失・期限切れで使えないときは、2023年10月31日まで問い合わせダイヤルで承ります。その後は承りません。",
)
def change_applied_card(
    c: ChangeAppliedCard, account: Account, day: int, campaign: Campaign
) -> Verdict:
    """Applied card lost, or expired, and another ICOCA wanted: referred to the enquiry line until 31 October 2023; refused after that."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["change_applied_card", account.kind, c.channel]
    )
    return no or enquiries(day, campaign)


def enquiries(day: int, campaign: Campaign) -> No:
    """Who looks into another card on a day, whatever state the applied one shows: the enquiry line, or nobody any more."""
    assert campaign.enquiries_until is not None
    until = day_number(campaign.enquiries_until)
    if day <= until:
        return refer("MYN-17", "ask-the-enquiry-line", until=iso_day(until))
    return refuse("MYN-17", "enquiry-line-closed", last_day=iso_day(until))


def is_second(person: Person, account: Account) -> bool:
    """Whether somebody else applied with this card first."""
    return account.applicant is not None and account.applicant != person.key


def apply(
    c: ApplyMynaPoint, account: Account, person: Person, day: int, rates: Rates, campaign: Campaign,
    granted: Reason | None = None,
) -> Verdict:  # fmt: skip
    """Decide an application: accepted when at least one measure can be taken, the others stand in the warnings.

    ``granted`` is what was referred and people have granted for this card.
    """
    history = c.history or ApplicationHistory()
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["apply_myna_point", account.kind, c.channel]
        or programme_open(day, campaign)
        or unless_granted(own_name(c), granted)
        or may_apply(account, c.at, rates, day_number(campaign.apply_until))
        or one_card_a_person(person, account)
        or one_person_a_card(person, account)
    )
    if no is None and not never_applied(history):
        no = unless_granted(other_service(history.other_service, campaign), granted)
    if no is not None:
        return no
    taken: list[int] = []
    left: list[Reason] = []
    for number in sorted(c.measures):
        reason = _left_out(number, person, history, day, campaign)
        if reason is None:
            taken.append(number)
        else:
            left.append(reason)
    if not taken:
        return No(left)
    warning = never_granted(person, account)
    if warning is not None:
        return Effect({"measures": taken}, warnings=[warning, *left])
    return Effect(
        {"measures": taken},
        sets=_applied(c, account, person, taken, history),
        warnings=left or None,
    )


def _left_out(
    number: int, person: Person, history: ApplicationHistory, day: int, campaign: Campaign
) -> Reason | None:
    """Why one measure cannot be taken; None when it can."""
    if person.measures >> number & 1:
        return Reason(None, "applied-already", {"measure": number})
    measure = campaign.measure(number)
    assert measure is not None
    return received_in_round_1(number, history) or not_open_yet(measure, day)


def _applied(
    c: ApplyMynaPoint,
    account: Account,
    person: Person,
    taken: list[int],
    history: ApplicationHistory,
) -> dict[str, Any]:
    """What the account keeps of its first person's application."""
    sets: dict[str, Any] = {
        "applicant": person.key,
        "applied_as": account.number,
        "applied": {
            **(account.applied or {}),
            **{measure_key(NAME, number): c.at for number in taken},
        },
    }
    if 1 in taken and history.round_1 == "icoca-open":
        sets["counted_before"] = history.round_1_counted
    return sets


def notice(c: Notice) -> Verdict:
    """Decide what the national system reports: it alone may, and whatever it reports is kept."""
    if c.channel != "myna-point":
        return elsewhere(None, "myna-point")
    return Effect({})
