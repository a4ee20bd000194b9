"""Who is in a draw, and who wins it: the list is frozen, its root told, and the public value picks from it."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from farecard.draws import leaf, picks, place, root
from farecard.model.campaign import Rally, begin_of, past
from farecard.model.commands import format_number
from farecard.rules import stamp_rally
from farecard.storage.store import Store
from farecard.storage.vault import Vault


class Entrant(NamedTuple):
    """One line of a draw's list."""

    leaf: bytes
    account: int
    number: int


class Listed:
    """A draw's list: frozen before (``committed``), or made now; ``root`` is what is published of it."""

    def __init__(self, entrants: list[Entrant], committed: bool) -> None:  # it is one of two
        self.entrants = entrants
        self.committed = committed
        self.root = root(one.leaf for one in entrants)

    def winners(self, draw: int, seed: str, count: int) -> list[int]:
        """The accounts of so many winners, in the order they are picked."""
        order = picks(draw, seed, len(self.entrants))
        return [self.entrants[index].account for index in islice(order, count)]


def complete(store: Store, rally: Rally, until: int) -> Iterable[tuple[int, int, int]]:
    """Cards with all four stamps by what is known ``until`` then: account, its number, since when."""
    rows: Iterable[tuple[int, int, int]] = store.survey(
        "entrants",
        rally=rally.name,
        until=until,
        first_at=begin_of(rally.first_day),
        past_at=past(rally.last_day),
    )
    return rows


def listed(
    some: Iterable[tuple[int, int, int]], rally: Rally, draw: int, vault: Vault
) -> list[Entrant]:
    """The list of a draw from the cards that have all four stamps."""
    return sorted(
        (
            Entrant(leaf(vault.nonce(draw, account), format_number(number)), account, number)
            for account, number, at in some
            if stamp_rally.draw_at(at, rally) == draw
        ),
        key=lambda one: place(format_number(one.number)),
    )


def frozen(store: Store, draw: int) -> list[Entrant]:
    """The list that was frozen."""
    return [Entrant(*row) for row in store.rows("entrants_of", draw=draw)]
