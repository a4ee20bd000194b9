"""Paying in a shop (電子マネー)."""

from farecard.model.account import Account
from farecard.model.commands import Purchase
from farecard.model.verdict import Effect, No, Reason, Verdict
from farecard.rules.catalogue import GUIDE, rule
from farecard.rules.places import PLACES
from farecard.rules.state import dead, late


@rule(
    "SHOP-1",
    source=GUIDE,
    ja="端数の残高は、現金と組み合わせて使えます。現金を足しても足りないときは、不足額をお知らせします。",
)
def split_covers(balance: int, amount: int, cash: int) -> No | None:
    """A purchase may be split: an odd balance with cash for the rest; too little cash is refused, naming the shortfall."""
    shortfall = amount - cash - balance
    if shortfall > 0:
        figures = {"amount": amount, "cash": cash, "balance": balance, "shortfall": shortfall}
        return No(
            [Reason("SHOP-1", "purchase-shortfall", figures)], result={"shortfall": shortfall}
        )
    return None


def purchase(c: Purchase, account: Account, day: int) -> Verdict:
    """Decide a purchase; ``cash`` is the part paid in cash, the card pays the rest."""
    no = (
        late(c.at, account)
        or dead(account, day)
        or PLACES["purchase", account.kind, c.channel]
        or split_covers(account.balance, c.amount, c.cash)
    )
    if no is not None:
        return no
    from_card = c.amount - c.cash
    return Effect(
        {"from_card": from_card, "from_cash": c.cash, "balance": account.balance - from_card},
        amount=-from_card,
        payee=c.merchant,
    )
