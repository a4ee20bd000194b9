"""The exported table of cards: every number ever given out, as ``farecard status`` would answer for it."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from farecard.export.columns import CARDS
from farecard.export.rows import Columns
from farecard.model.commands import format_number
from farecard.questions.card import Number, everything, state_of
from farecard.storage.history import events_of, fold
from farecard.storage.rows import as_account, as_event
from farecard.storage.store import Store

CARDS_AT_ONCE = 4096


def cards(store: Store, now: int) -> Iterator[Columns]:
    """All numbers in order, some thousand at a time; ``now`` is what a card's expiry is judged by."""
    numbers = iter(store.stream("all_numbers"))
    when = everything(now)
    while rows := list(islice(numbers, CARDS_AT_ONCE)):
        some = [Number(*row) for row in rows]
        ids = sorted({one.account for one in some})
        accounts = {row[0]: as_account(row) for row in store.rows("accounts", ids=ids)}
        kinds = _kinds_of_replaced(store, some)
        lines = []
        for one in some:
            account = accounts[one.account]
            if one.successor is None:
                state = state_of(account, when.judged(account))
                money = (account.balance, account.deposit, account.points)
                kind, successor = account.kind, None
                last: tuple[int | None, int | None] = account.last_seq, account.last_at
            else:
                state, money, kind = "replaced", (0, 0, 0), kinds[one.number]
                successor, last = format_number(one.successor), (None, None)
            lines.append(
                (format_number(one.number), one.account, kind, state, *money, account.expires,
                 one.since_at, one.ended, one.ended_at, successor, *last)
            )  # fmt: skip
        names = [column.name for column in CARDS.columns]
        yield dict(zip(names, zip(*lines, strict=True), strict=True))


def _kinds_of_replaced(store: Store, numbers: list[Number]) -> dict[int, str]:
    """What kind of card each replaced number was: a card that moves into a phone changes its kind.

    The event that gave a number out says so, except a reissue's, which keeps what was before it.
    """
    replaced = [one for one in numbers if one.successor is not None]
    if not replaced:
        return {}
    rows = store.rows(
        "events",
        seqs=[one.since_seq for one in replaced],
        accounts=sorted({one.account for one in replaced}),
    )
    given: dict[int, Any] = {row[0]: as_event(row).sets or {} for row in rows}
    kinds = {}
    for one in replaced:
        kind = given[one.since_seq].get("kind")
        if kind is None:
            assert one.head is not None
            kind = fold(one.account, events_of(store, one.account, one.head)).kind
        kinds[one.number] = kind
    return kinds
