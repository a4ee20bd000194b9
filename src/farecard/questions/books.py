"""The books: the trial balance (試算表) of now or any moment, and what the issuer must secure."""

from typing import Any

from farecard.ledger.chart import STORED_FARE
from farecard.model.moments import day_of
from farecard.rules.prepaid import is_report_day, to_secure
from farecard.storage.store import Store
from farecard.tariff import Tariff


def sums(store: Store, at: int | None) -> dict[str, list[int]]:
    """Debits and credits of each ledger account in yen; ``at`` None: of everything."""
    found: dict[str, list[int]] = {}
    if at is None:
        whole = store.rows("trial_balance_now")
    else:
        whole = store.rows("trial_balance_whole_batches", at=at)
        for debit, credit, yen in store.rows("transfers_of_split_batches", at=at):
            found.setdefault(debit, [0, 0])[0] += yen
            found.setdefault(credit, [0, 0])[1] += yen
    for account, debit, credit in whole:
        side = found.setdefault(account, [0, 0])
        side[0] += debit
        side[1] += credit
    return dict(sorted(found.items()))


def trial_balance(store: Store, tariff: Tariff, at: int | None, today: int) -> dict[str, Any]:
    """The answer of ``farecard trial-balance``; the two sums are equal.

    ``unused`` is the stored fare of all cards, and what of it must be secured (PUB-15).
    """
    accounts: list[dict[str, Any]] = [
        {"account": account, "debit": debit, "credit": credit, "balance": debit - credit}
        for account, (debit, credit) in sums(store, at).items()
    ]
    fare = next((row for row in accounts if row["account"] == STORED_FARE), None)
    unused = 0 if fare is None else fare["credit"] - fare["debit"]
    day = day_of(today if at is None else at)
    rates = tariff.on(day)
    return {
        "accounts": accounts,
        "debit": sum(row["debit"] for row in accounts),
        "credit": sum(row["credit"] for row in accounts),
        "unused": {
            "balance": unused,
            "to_secure": to_secure(unused, rates),
            "report_day": is_report_day(day, rates),
        },
    }
