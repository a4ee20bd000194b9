"""What is asked before every rule of a command: its time order, and whether the card is alive."""

from farecard.model.account import Account
from farecard.model.moments import day_of, iso_day, iso_moment
from farecard.model.verdict import INVALID, No, Reason, refuse
from farecard.rules.catalogue import FAQ, GUIDE, rule

STOPPED_BY = {"damaged": "RIS-1", "lost": "RIS-2", "moved": "PUB-9"}
_SLIP_DAYS_ONCE = 14  # of slips in journals from before their last day was kept
LIVING = ("active", "riding")  # the states of a card that is used


def late(at: int, account: Account) -> No | None:
    """Commands of one card come in time order: older than its latest accepted one is no command."""
    if at < account.last_at:
        latest = iso_moment(account.last_at)
        reason = Reason(None, "late", {"field": "at", "latest": latest})
        return No([reason], INVALID, {"latest": latest})
    return None


@rule(
    "RFD-8",
    source=GUIDE,
    ja="払いもどしをしたカードは使えません。払いもどし後の利用はすべてお断りします。",
)
def refunded(account: Account) -> No | None:
    """A refunded card (払いもどし済み) is dead: every later use of it is refused."""
    if account.state == "refunded":
        return refuse("RFD-8", "card-refunded", day=iso_day(day_of(account.last_at)))
    return None


@rule(
    "CARD-8",
    source=FAQ,
    ja="有効期限を過ぎたこどもICOCAは、ポイントチャージを含め一切使えません。払いもどしはできます。",
)
def expired(account: Account, day: int) -> No | None:
    """A child card (こどもICOCA) past its expiry can be used for nothing but its refund."""
    limit = account.expires
    if limit is not None and day > limit:
        return refuse("CARD-8", "card-expired", expires=iso_day(limit))
    return None


def stopped(account: Account) -> No | None:
    """A card reported damaged or lost is stopped (使用停止) until its successor is collected."""
    if account.state != "stopped":
        return None
    assert account.stop_cause is not None
    until = iso_day(slip_last_day(account))
    return refuse(STOPPED_BY[account.stop_cause], f"card-stopped-{account.stop_cause}", until=until)


def slip_last_day(account: Account) -> int:
    """The last day a stopped card's slip is good for: as it was promised with the slip (PUB-11)."""
    assert account.slip_day is not None
    until = account.slip_until
    return account.slip_day + _SLIP_DAYS_ONCE if until is None else until


def replaced(cause: str, successor: str) -> No:
    """A number that was replaced: its account lives on under ``successor``."""
    return refuse(STOPPED_BY[cause], f"card-replaced-{cause}", successor_ends=successor[-4:])


def dead(account: Account, day: int) -> No | None:
    """The first of refunded, stopped and expired that holds; None for a living card."""
    if account.state == "active" and account.expires is None:
        return None
    return refunded(account) or stopped(account) or expired(account, day)
