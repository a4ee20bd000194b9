"""Moving a card into a phone (モバイルICOCA・Apple Payへの移行)."""

from typing import Any

from farecard.model.account import Account
from farecard.model.commands import PHONES, MoveToPhone, format_number
from farecard.model.rates import Rates
from farecard.model.verdict import Effect, No, Verdict, refuse
from farecard.rules.catalogue import rule
from farecard.rules.places import PLACES
from farecard.rules.ride import not_mid_ride
from farecard.rules.state import dead, late


@rule(
    "PUB-9",
    source="issuer's guide",
    ja="カードからスマホへの移行は一方通行で、デポジットは残高に加わります。こどもICOCA、障がい者割引の定期券、残高19,501円以上のカードは移行できません。",
    tariff=("move_largest_balance",),
)
def movable(account: Account, rates: Rates) -> No | None:
    """Moving to a phone (移行) is one-way, adds the deposit to the balance, and is impossible for child cards, disability-discount passes, and balances of 19,501 or more."""
    if account.kind in PHONES:
        return refuse("PUB-9", "already-on-phone")
    if account.kind == "child":
        return refuse("PUB-9", "child-not-movable")
    if account.pass_discount:
        return refuse("PUB-9", "discount-pass-not-movable")
    if account.balance > rates.move_largest_balance:
        most = rates.move_largest_balance
        return refuse("PUB-9", "too-much-to-move", balance=account.balance, most=most)
    return None


def move_to_phone(c: MoveToPhone, account: Account, day: int, rates: Rates) -> Verdict:
    """Decide a move; the account goes on under the phone's number."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or not_mid_ride(account)
        or PLACES["move_to_phone", account.kind, c.channel]
        or movable(account, rates)
    )
    if no is not None:
        return no
    sets: dict[str, Any] = {"number": c.to, "kind": c.kind}
    if account.applied_as == account.number:
        sets["applied_as"] = c.to  # the same card for whoever applied with it (MYN-9)
    return Effect(
        {
            "card": format_number(c.to),
            "balance": account.balance + account.deposit,
            "points": account.points,
        },
        amount=account.deposit,
        deposit=-account.deposit,
        sets=sets,
    )
