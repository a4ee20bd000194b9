"""Each question's answer as its JSON: what the command line and HTTP say alike.

Each reads in what it needs itself: ``farecard status`` starts fast.
"""

from typing import Any

from farecard.model.verdict import No
from farecard.questions import card
from farecard.questions.card import AsOf
from farecard.storage.store import Store


def _explained(answer: Any) -> Any:
    from farecard.texts import explain_all

    return explain_all(answer)


def status(store: Store, number: int, when: AsOf) -> dict[str, Any]:
    """What a card is: ``card``, ``myna``, ``rally``."""
    answer = card.status(store, number, when)
    if answer["myna"] is not None or "campaigns" in answer:
        answer = _explained(answer)
    return answer


history = card.history
entries = card.entries


def refund_quote(store: Store, number: int, when: AsOf) -> dict[str, Any]:
    """``payout`` and ``paid_by``, or ``reasons``."""
    from farecard.questions import quotes
    from farecard.storage.making import load_tariff

    return _or_reasons(quotes.quote_refund(store, load_tariff(store), number, when))


def reissue_quote(store: Store, number: int, when: AsOf) -> dict[str, Any]:
    """``due`` with its ``fee`` and ``deposit``, ``collect_from`` and ``due_if_damaged``, or ``reasons``."""
    from farecard.questions import quotes
    from farecard.storage.making import load_tariff

    return _or_reasons(quotes.quote_reissue(store, load_tariff(store), number, when))


def quick_charge_quote(store: Store, number: int, when: AsOf) -> dict[str, Any]:
    """``amounts``, what is ``left_today`` and ``left_this_month`` of ``day_limit`` and ``month_limit``, or ``reasons``."""
    from farecard.questions import quotes
    from farecard.storage.making import load_tariff

    return _or_reasons(quotes.quote_quick_charge(store, load_tariff(store), number, when))


def _or_reasons(answer: dict[str, Any] | No) -> dict[str, Any]:
    if isinstance(answer, No):
        return {"reasons": _explained(answer.reasons)}
    return answer


def points_told(store: Store, number: int, when: AsOf) -> list[dict[str, Any]]:
    """What became of a card's points: a sentence each, of which measure and campaign, and its reason."""
    from farecard.questions import why

    told = []
    for one in why.why(store, number, when):
        campaign = {} if one.campaign is None else {"campaign": one.campaign}
        title = {} if one.title is None else {"title": {"ja": one.title.ja, "en": one.title.en}}
        told.append({"measure": one.measure, **campaign, **title, **_explained(one.reason)})
    return told


def trial_balance(store: Store, at: int | None, now: int) -> dict[str, Any]:
    """The books: ``accounts``, ``debit``, ``credit``, ``unused``; ``at`` None: of everything."""
    from farecard.questions import books
    from farecard.storage.making import load_tariff

    return books.trial_balance(store, load_tariff(store), at, now)
