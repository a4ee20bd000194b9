"""From an acceptance to balanced transfers: (debit, credit, yen > 0), so none can be unbalanced."""

from collections.abc import Callable

from farecard.ledger import chart
from farecard.ledger.chart import (
    DEPOSITS_FORFEITED,
    DEPOSITS_HELD,
    POINTS,
    POINTS_LAPSED,
    STORED_FARE,
)
from farecard.model.commands import (
    CollectReissue,
    Command,
    Issue,
    MoveToPhone,
    Purchase,
    Refund,
    RefundByPost,
    TapOut,
    TopUp,
    TopUpFromPoints,
)
from farecard.model.verdict import Effect

# One double entry: the account debited, the account credited, the same yen on both sides.
Transfer = tuple[str, str, int]


def book(c: Command, effect: Effect) -> list[Transfer]:
    """The transfers of an accepted command; a reversal is booked by ``mirror``."""
    entry = _BOOKS.get(type(c))
    return [] if entry is None else [t for t in entry(c, effect) if t[2]]


def mirror(transfers: list[Transfer]) -> list[Transfer]:
    """The same transfers the other way round."""
    return [(credit, debit, yen) for debit, credit, yen in transfers]


def _till(c: Command) -> str:
    return chart.cash(c.channel, c.place, c.company)


def _top_up(c: TopUp, effect: Effect) -> list[Transfer]:
    paid_from = chart.CARD_COMPANY if c.tender == "credit" else _till(c)
    return [(paid_from, STORED_FARE, effect.amount)]


def _issue(c: Issue, effect: Effect) -> list[Transfer]:
    paid_from = chart.CARD_COMPANY if c.channel == "icoca-app" else _till(c)
    return [
        (paid_from, STORED_FARE, effect.amount),
        (paid_from, DEPOSITS_HELD, effect.deposit),
    ]


def _tap_out(c: TapOut, effect: Effect) -> list[Transfer]:
    assert effect.payee is not None
    return [(STORED_FARE, chart.fares_payable(effect.payee), -effect.amount)]


def _purchase(c: Purchase, effect: Effect) -> list[Transfer]:
    return [(STORED_FARE, chart.merchants_payable(c.merchant), -effect.amount)]


def _refund(c: Refund | RefundByPost, effect: Effect) -> list[Transfer]:
    assert effect.payee is not None
    paid_to = _till(c) if effect.payee == "cash" else chart.refunds_payable(effect.payee)
    return [
        (STORED_FARE, paid_to, -effect.amount - effect.fee),
        (STORED_FARE, chart.REFUND_FEES, effect.fee),
        (DEPOSITS_HELD, paid_to, -effect.deposit),
        (POINTS, POINTS_LAPSED, -effect.points),
    ]


def _collect(c: CollectReissue, effect: Effect) -> list[Transfer]:
    till = _till(c)
    return [
        (till, chart.REISSUE_FEES, effect.fee),
        (till, DEPOSITS_HELD, effect.deposit + effect.forfeited),
        (DEPOSITS_HELD, DEPOSITS_FORFEITED, effect.forfeited),
    ]


def _top_up_from_points(c: TopUpFromPoints, effect: Effect) -> list[Transfer]:
    return [(POINTS, STORED_FARE, effect.amount)]


def _move(c: MoveToPhone, effect: Effect) -> list[Transfer]:
    return [(DEPOSITS_HELD, STORED_FARE, effect.amount)]


_BOOKS: dict[type[Command], Callable[..., list[Transfer]]] = {
    Issue: _issue,
    TopUp: _top_up,
    TapOut: _tap_out,
    Purchase: _purchase,
    Refund: _refund,
    RefundByPost: _refund,
    CollectReissue: _collect,
    MoveToPhone: _move,
    TopUpFromPoints: _top_up_from_points,
}


class Totals:
    """A batch's sums by day and ledger account, and the check that they fit the cards' changes."""

    def __init__(self) -> None:
        self._moved: dict[tuple[int, str, str], int] = {}  # day, debit, credit: yen

    def add(self, day: int, transfer: Transfer) -> None:
        """Count one transfer on its day."""
        debit, credit, yen = transfer
        assert yen > 0
        key = day, debit, credit
        self._moved[key] = self._moved.get(key, 0) + yen

    def sums(self) -> dict[tuple[int, str], list[int]]:
        """By day and account, what was debited and what was credited, in yen."""
        sums: dict[tuple[int, str], list[int]] = {}
        for (day, debit, credit), yen in self._moved.items():
            sums.setdefault((day, debit), [0, 0])[0] += yen
            sums.setdefault((day, credit), [0, 0])[1] += yen
        return sums

    def net_credit(self, account: str) -> int:
        """What an account gained on its credit side over the whole batch, in yen."""
        return sum(
            yen * ((credit == account) - (debit == account))
            for (_, debit, credit), yen in self._moved.items()
        )
