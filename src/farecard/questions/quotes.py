"""What a refund or a reissue would give or cost, before anyone decides for it."""

from typing import Any

from farecard.model.account import Account
from farecard.model.commands import PHONES, format_number
from farecard.model.moments import day_of, iso_day
from farecard.model.rates import Rates
from farecard.model.verdict import No
from farecard.questions.card import AsOf, find
from farecard.rules import refund, reissue, state, top_up
from farecard.storage.history import account_at
from farecard.storage.store import Store
from farecard.tariff import Tariff


def _living(store: Store, number: int, when: AsOf) -> Account | No:
    found = find(store, number, when.until)
    if found.is_replaced(when.until):
        assert found.ended is not None and found.successor is not None
        return state.replaced(found.ended, format_number(found.successor))
    return account_at(store, found.account, when.until)


def _today(account: Account, tariff: Tariff, when: AsOf) -> tuple[int, Rates]:
    day = day_of(when.judged(account))
    return day, tariff.on(day)


def quote_refund(store: Store, tariff: Tariff, number: int, when: AsOf) -> dict[str, Any] | No:
    """The ``payout`` a refund now would give at the place of the card's kind, or why it would not."""
    account = _living(store, number, when)
    if isinstance(account, No):
        return account
    day, rates = _today(account, tariff, when)
    no = refund.refundable(account)
    if no is not None:
        return no
    ways = dict.fromkeys(PHONES, "app") | {"smart": "bank-transfer"}
    return {
        "payout": refund.payout_of(account, day, rates),
        "paid_by": ways.get(account.kind, "cash"),
    }


def quote_reissue(store: Store, tariff: Tariff, number: int, when: AsOf) -> dict[str, Any] | No:
    """What a new card costs (``due`` if lost, ``due_if_damaged``), ``due`` being a ``fee`` and a ``deposit``, from when and until when; or why there is none."""
    account = _living(store, number, when)
    if isinstance(account, No):
        return account
    day, rates = _today(account, tariff, when)
    no = reissue.reissuable(account, day, lost=True) or reissue.right_kind(account, lost=True)
    if no is not None:
        return no
    return {
        "due": reissue.due_if_lost(rates),
        "fee": rates.lost_reissue_fee,
        "deposit": rates.deposit,
        "collect_from": iso_day(day + rates.reissue_wait),
        "collect_until": iso_day(reissue.slip_until(day, rates)),
        "due_if_damaged": reissue.due_if_damaged(rates),
    }


def quote_quick_charge(
    store: Store, tariff: Tariff, number: int, when: AsOf
) -> dict[str, Any] | No:
    """Which ``amounts`` a quick charge may have and what is left of its limits (CHG-4), in yen; or why this card has none."""
    account = _living(store, number, when)
    if isinstance(account, No):
        return account
    day, rates = _today(account, tariff, when)
    place = next(iter(rates.quick_charge_places), "")
    no = (
        state.dead(account, day)
        or top_up.cash_only(account.kind, "credit")
        or top_up.phone_tender(account.kind, "credit", place, rates)
        or top_up.quick_charge_ended(day, rates)
    )
    if no is not None:
        return no
    return {
        "amounts": sorted(rates.quick_charge_amounts),
        **top_up.left_of_quick_charges(account, day, rates),
        "day_limit": rates.quick_charge_day_limit,
        "month_limit": rates.quick_charge_month_limit,
    }
