"""Selling a card (発売): deposit, price, who may hold how many."""

from typing import Any

from farecard.model.account import Account
from farecard.model.commands import PHONES, Issue, format_number
from farecard.model.moments import EPOCH_ORDINAL, date_of, iso_day, parse_day
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import GUIDE, rule
from farecard.rules.places import PLACES
from farecard.rules.referral import refer, unless_granted
from farecard.rules.top_up import over_ceiling

NAMED_KINDS = ("named", "commuter", "child")


@rule(
    "CARD-1",
    source=GUIDE,
    ja="カード型のICOCAには、種類を問わず、発行のときに500円のデポジットをお預かりします。残高とは別です。",
    tariff=("deposit",),
)
def deposit_of_card(rates: Rates) -> int:
    """Every physical ICOCA carries a deposit (デポジット) in yen, taken at issue and held in trust; it is not balance."""
    return rates.deposit


@rule(
    "CARD-2",
    source=GUIDE,
    ja="モバイルICOCAとApple PayのICOCAにはデポジットがありません。",
    tariff=("phone_deposit",),
)
def deposit_of_phone(rates: Rates) -> int:
    """Mobile ICOCA and Apple Pay ICOCA carry no deposit."""
    return rates.phone_deposit


@rule(
    "CARD-3",
    source=GUIDE,
    ja="無記名式のICOCAは何枚でも持てます。",
)
def counts_as_named(kind: str) -> bool:
    """Anonymous cards (無記名式): one person may hold any number; only the named kinds are counted."""
    return kind in NAMED_KINDS


@rule(
    "CARD-4",
    source=GUIDE,
    ja="記名式ICOCA（定期券・こどもを含む）はおひとり1枚です。",
)
def one_named_card(day: int, kind: str, same_name: list[tuple[Account, bool]]) -> No | None:
    """Named cards (記名式), passes and child cards with them: one per person.

    ``same_name`` are the cards of holders with the same kana and birthday, and whether the phone
    number is the same too. Without it a person has to look: referred, as a matter of a card of this kind
    and of the cards (``held``, their last digits) that may be the same person's.
    Stopped cards count; expired, refunded and replaced ones do not.
    """
    held = [
        (format_number(card.number)[-4:], same_phone)
        for card, same_phone in same_name
        if counts_as_named(card.kind)
        and card.state != "refunded"
        and not (card.expires is not None and day > card.expires)
    ]
    if any(same_phone for _, same_phone in held):
        return refuse("CARD-4", "one-named-card")
    if held:
        cards = sorted(digits for digits, _ in held)
        return refer("CARD-4", "maybe-same-person", kind=kind, held=cards)
    return None


@rule(
    "CARD-6",
    source=GUIDE,
    ja="SMART ICOCAの新規発売は2024年12月12日で終了しました。お持ちのカードは引き続き使えます。",
    tariff=("smart_last_sale",),
)
def smart_on_sale(kind: str, day: int, rates: Rates) -> No | None:
    """New sales of SMART ICOCA ended on 12 December 2024, the last day of sale; cards already sold live on."""
    if kind == "smart" and day > rates.smart_last_sale:
        return refuse("CARD-6", "smart-sales-ended", last_day=iso_day(rates.smart_last_sale))
    return None


@rule(
    "PUB-2",
    source="issuer's guide, blogs",
    ja="カードはデポジット500円を含む2,000円で発売します（券売機では1,000円・3,000円・5,000円・10,000円も）。定期券の代金は含みません。",
    tariff=("sale_price", "machine_sale_prices"),
)
def price(kind: str, channel: str, paid: int, rates: Rates) -> No | None:
    """A physical card is sold for 2,000 yen, at a ticket-machine also 1,000, 3,000, 5,000 or 10,000, deposit included."""
    if kind in PHONES or paid == rates.sale_price:
        return None
    if channel == "ticket-machine" and paid in rates.machine_sale_prices:
        return None
    return No(
        [Reason("PUB-2", "wrong-price", {"expected": rates.sale_price})],
        result={"expected": rates.sale_price},
    )


@rule(
    "PUB-4",
    source="issuer's guide, law",
    ja="こどもICOCAは、12歳になる年度の3月31日まで使えます。4月1日生まれは前の学年です。",
    tariff=("child_age", "school_year_first_birthday"),
)
def child_card_expires(born: int, rates: Rates) -> int:
    """A child card is valid to 31 March of the school year in which its holder turns 12; born on 1 April belongs to the earlier one.

    Takes and gives days.
    """
    when = date_of(born)
    later = when.month * 100 + when.day >= rates.school_year_first_birthday
    year = when.year + rates.child_age + (1 if later else 0)
    return when.replace(year=year, month=3, day=31).toordinal() - EPOCH_ORDINAL


def issue(
    c: Issue, day: int, rates: Rates, born: int | None, same_name: list[tuple[Account, bool]],
    granted: Reason | None = None,
) -> Verdict:  # fmt: skip
    """Decide a sale. ``born`` is the holder's birthday, ``same_name`` as in ``one_named_card``.

    ``granted`` is what was referred and people have granted for this card.
    """
    kind = c.kind
    no = PLACES["issue", kind, c.channel] or smart_on_sale(kind, day, rates)
    if no is None and counts_as_named(kind):
        no = unless_granted(one_named_card(day, kind, same_name), granted)
    if no is not None:
        return no
    expires = None
    if kind == "child":
        assert born is not None
        expires = child_card_expires(born, rates) if c.expires is None else parse_day(c.expires)
        if day > expires:
            return refuse("PUB-4", "child-card-over", expires=iso_day(expires))
    no = price(kind, c.channel, c.paid, rates)
    if no is not None:
        return no
    deposit = deposit_of_phone(rates) if kind in PHONES else deposit_of_card(rates)
    balance = c.paid - deposit
    no = over_ceiling(0, balance, rates.balance_ceiling, rates)
    if no is not None:
        return no
    return Effect(
        {"deposit": deposit, "balance": balance},
        amount=balance,
        deposit=deposit,
        sets=_first_fields(c, expires, rates),
    )


def _first_fields(c: Issue, expires: int | None, rates: Rates) -> dict[str, Any]:
    """What an account is born with besides its money."""
    sets: dict[str, Any] = {"kind": c.kind}
    if expires is not None:
        sets["expires"] = expires
    if c.pass_ is not None:
        sets["seller"] = c.pass_.seller
        sets["pass_from"] = c.pass_.from_
        sets["pass_to"] = c.pass_.to
        sets["pass_since"] = parse_day(c.pass_.valid_from)
        sets["pass_until"] = parse_day(c.pass_.valid_until)
        sets["pass_discount"] = int(c.pass_.disability_discount)
    if c.points_registered_on is not None:
        sets["registered_on"] = registered_on = parse_day(c.points_registered_on)
        sets["apply_from"] = registered_on + rates.registration_wait
    return sets
