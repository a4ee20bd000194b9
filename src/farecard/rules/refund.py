"""Giving a card back (払いもどし): at the counter, by post, in the app."""

from farecard.model.account import Account
from farecard.model.commands import PHONES, Refund, RefundByPost, RequestRefundForm
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Reason, Verdict, refuse
from farecard.rules.catalogue import GUIDE, rule
from farecard.rules.places import PLACES
from farecard.rules.ride import not_mid_ride
from farecard.rules.state import late, refunded, stopped


@rule(
    "RFD-1",
    source=GUIDE,
    ja="払いもどし額は、デポジット＋残高−手数料220円です。手数料は残高からだけいただきます。",
    tariff=("refund_fee",),
)
def payout(deposit: int, balance: int, fee: int) -> dict[str, int]:
    """Paid out: deposit + balance - fee; the fee (手数料) is 220 yen, charged to the balance only."""
    charged = fee_charged(balance, fee)
    total = deposit + balance - charged
    return {"deposit": deposit, "balance": balance, "fee": charged, "total": total}


@rule(
    "RFD-2",
    source=GUIDE,
    ja="残高が220円未満のときは、残高の全額が手数料になり、デポジットは全額お返しします。",
    tariff=("refund_fee",),
)
def fee_charged(balance: int, fee: int) -> int:
    """Balance under 220: the fee is the whole balance; the deposit is paid in full."""
    return min(balance, fee)


@rule(
    "PUB-5",
    source="issuer's guide",
    ja="有効期限を過ぎたこどもICOCAの払いもどしに手数料はかかりません。",
    tariff=("expired_child_refund_fee",),
)
def expired_child_fee(account: Account, day: int, rates: Rates) -> int | None:
    """A child card past its expiry is refunded without a fee; None for every other card."""
    if account.expires is not None and day > account.expires:
        return rates.expired_child_refund_fee
    return None


@rule(
    "PUB-12",
    source="weak: no source names another figure for phones",
    ja="モバイルICOCA・Apple PayのICOCAの払いもどし手数料も220円で、アプリで受け取ります。",
    tariff=("phone_refund_fee",),
)
def phone_fee(kind: str, rates: Rates) -> int | None:
    """Phone kinds: the refund fee is 220 yen, as for cards; it is paid through the app. None for cards."""
    return rates.phone_refund_fee if kind in PHONES else None


@rule(
    "RFD-6",
    source=GUIDE,
    ja="破損した無記名式ICOCAは、通常の手数料で払いもどします。ただし裏面の番号が読めないものは払いもどしできません。",
    tariff=("refund_fee",),
)
def number_readable(kind: str, legible: bool) -> No | None:
    """A damaged anonymous card is refunded with the usual fee, unless the number on its back cannot be read."""
    if kind == "anonymous" and not legible:
        return refuse("RFD-6", "number-illegible")
    return None


def refundable(account: Account) -> No | None:
    """The card's state, before any place is asked: an expired child card may still be refunded."""
    return refunded(account) or stopped(account) or not_mid_ride(account)


def payout_of(account: Account, day: int, rates: Rates) -> dict[str, int]:
    """What a refund on this day gives: ``deposit``, ``balance``, ``fee``, ``total`` in yen."""
    fee = expired_child_fee(account, day, rates)
    if fee is None:
        fee = phone_fee(account.kind, rates)
    if fee is None:
        fee = rates.refund_fee
    return payout(account.deposit, account.balance, fee)


def _pay(account: Account, day: int, rates: Rates, paid_by: str) -> Effect:
    paid = payout_of(account, day, rates)
    lost = Reason("MYN-16", "points-lost", {"points": account.points})
    return Effect(
        {"payout": paid, "paid_by": paid_by},
        amount=-account.balance,
        deposit=-account.deposit,
        points=-account.points,
        fee=paid["fee"],
        payee=paid_by,
        sets={"state": "refunded"},
        warnings=[lost] if account.points else None,
    )


def refund(c: Refund, account: Account, day: int, rates: Rates) -> Verdict:
    """Decide a refund at a counter or in the app."""
    no = (
        late(c.at, account)
        or refundable(account)
        or PLACES["refund", account.kind, c.channel]
        or number_readable(account.kind, c.number_legible)
    )
    return no or _pay(account, day, rates, "app" if account.kind in PHONES else "cash")


def request_refund_form(c: RequestRefundForm, account: Account) -> Verdict:
    """Decide a request for the form of RFD-4; every request gives a new form."""
    no = (
        late(c.at, account)
        or refunded(account)
        or stopped(account)
        or PLACES["request_refund_form", account.kind, c.channel]
    )
    if no is not None:
        return no
    count = account.form + 1
    return Effect({"form": paper("F", account.account, count)}, sets={"form": count})


def refund_by_post(c: RefundByPost, account: Account, day: int, rates: Rates) -> Verdict:
    """Decide a returned form with its card (RFD-4)."""
    no = (
        late(c.at, account)
        or refundable(account)
        or PLACES["refund_by_post", account.kind, c.channel]
    )
    if no is not None:
        return no
    form = read_paper("F", c.form)
    if form is None or form[0] != account.account or form[1] > account.form:
        return refuse("RFD-4", "no-such-form")
    return _pay(account, day, rates, "bank-transfer")


def paper(letter: str, account: int, count: int) -> str:
    """The number on a slip (S) or form (F): it carries its account, so that it can be found again."""
    return f"{letter}{account:015d}-{count}"


def read_paper(letter: str, text: str) -> tuple[int, int] | None:
    """Account and count of a slip or form number; None when it is none of ours."""
    body, dash, count = text[1:].partition("-")
    if text[:1] != letter or not dash or len(body) != 15:
        return None
    if not (body + count).isascii() or not body.isdigit() or not count.isdigit():
        return None
    if count[0] == "0" or len(count) > 9:
        return None
    return int(body), int(count)
