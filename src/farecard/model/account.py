"""The account: what stays the same while a card's number changes, and how an event changes it."""

from typing import Any, NamedTuple

import msgspec

from farecard.model.moments import day_of, month_of

PAST_ACCOUNT = 10**15  # every card number has 15 digits
ISSUER = "issuer"  # the seller of every card that no other company sold
NO_ACCOUNT = -1  # of an event that reached no card; JW and fifteen noughts is a card like any other


class Account(msgspec.Struct, gc=False):
    """A card's state. Its id is given at issue and survives reissue and moving to a phone.

    The fields stand in the order of the table ``account``; those from ``quick_day`` on, which few cards
    use, share its column ``details``. Yen and points are integers; ``*_at`` are moments,
    ``*_day`` and the pass's and the card's limits are days.
    """

    account: int
    number: int
    kind: str
    state: str = "active"  # active, stopped, refunded
    balance: int = 0
    deposit: int = 0
    points: int = 0
    expires: int | None = None
    last_at: int = 0
    last_seq: int = 0
    ride_station: str | None = None
    ride_at: int | None = None
    quick_day: int | None = None
    quick_day_yen: int = 0
    quick_month_yen: int = 0
    stop_cause: str | None = None  # damaged, lost
    slip: int = 0  # how many slips were given; the last one counts
    slip_day: int | None = None
    slip_until: int | None = None  # the last day the last slip is good for
    form: int = 0  # how many refund forms were given
    seller: str = ISSUER
    pass_from: str | None = None
    pass_to: str | None = None
    pass_since: int | None = None
    pass_until: int | None = None
    pass_discount: int = 0
    registered_on: int | None = None  # to the old ICOCA Point service
    apply_from: int | None = None  # the first day a campaign may be applied for with it
    member: bool = False
    applicant: str | None = None  # who applied for a campaign with it first, by ``Person.key``
    applied_as: int | None = None  # the number it was last applied with
    applied: dict[str, int] | None = None  # by ``measure_key``: when
    counted_before: int = 0  # yen that counted in an earlier round
    rally_at: int | None = None  # when it joined the rally
    granted: dict[str, int] | None = None  # by ``grant_key``: points


def measure_key(campaign: str, measure: int) -> str:
    """What ``Account.applied`` keeps an application under."""
    return f"{campaign}/{measure}"


def grant_key(campaign: str, measure: int, period: int) -> str:
    """What ``Account.granted`` keeps a grant under; ``period`` is the month of a monthly measure, or 0."""
    return f"{campaign}/{measure}/{period}"


def read_key(key: str) -> tuple[str, tuple[int, ...]]:
    """A key's campaign and numbers: the measure, and of a grant the period."""
    campaign, *numbers = key.split("/")
    return campaign, tuple(map(int, numbers))


def post(account: Account, event: "Event") -> None:
    """Apply one accepted event. Deciding, folding history and auditing all use this."""
    account.balance += event.amount
    account.deposit += event.deposit
    account.points += event.points
    account.last_at = event.at
    account.last_seq = event.seq
    do = event.do
    if do == "tap_in":
        account.ride_station = event.station
        account.ride_at = event.at
    elif do == "tap_out":
        account.ride_station = account.ride_at = None
    elif do == "top_up" and event.tender == "credit" and account.kind == "smart":
        count_quick_charge(account, day_of(event.at), event.amount)
    elif event.sets is not None:
        for name, value in event.sets.items():
            setattr(account, name, value)


def count_quick_charge(account: Account, day: int, amount: int) -> None:
    """Count a quick charge against the limits of its day and month (CHG-4)."""
    last = account.quick_day
    if last is None or month_of(last) != month_of(day):
        account.quick_month_yen = 0
    if last != day:
        account.quick_day_yen = 0
    account.quick_day = day
    account.quick_day_yen += amount
    account.quick_month_yen += amount


class Event(msgspec.Struct, array_like=True, gc=False):
    """One decided command as the journal keeps it, in the order of the table ``event``.

    ``amount``, ``deposit`` and ``points`` are the changes an acceptance made, ``balance`` what
    the card held afterwards; ``debit``, ``credit`` and ``yen`` are its first transfer.
    ``sets`` names the account's fields it changed otherwise.
    """

    seq: int
    account: int  # or NO_ACCOUNT
    sender: str
    id: str
    at: int
    do: str
    channel: str
    place: str | None
    by: str | None
    company: str | None
    outcome: str
    result: str
    digest: bytes
    number: int | None = None
    prev: int | None = None
    amount: int = 0
    balance: int | None = None
    deposit: int = 0
    points: int = 0
    debit: str | None = None
    credit: str | None = None
    yen: int = 0
    station: str | None = None
    merchant: str | None = None
    tender: str | None = None
    of: int | None = None
    why: str | None = None
    sets: Any = None  # fields and values; as JSON text once it is a row
    reasons: str | None = None
    warnings: str | None = None


class Happened(NamedTuple):
    """Of an accepted event what its card's points are decided by; the fields are ``Event``'s."""

    seq: int
    at: int
    do: str
    channel: str
    tender: str | None
    amount: int
    of: int | None
    sets: Any
    warnings: str | None


class Person(msgspec.Struct, gc=False):
    """Who applied for a campaign: the account it was applied with, and for which measures (bit n: measure n).

    ``key`` stands for the opaque id, which is sealed; ``last_seq`` is the event that changed it last, None of somebody
    nobody has heard of.
    """

    key: str
    account: int = NO_ACCOUNT
    measures: int = 0
    last_seq: int | None = None
