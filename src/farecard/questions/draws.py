"""Draws as everybody may see them: the file that is published, how far each draw is, and what may be done next."""

from array import array
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from farecard.draws import ALGORITHM, NONCE_BYTES, leaf, picks, steps, verify
from farecard.model.campaign import Rally, day_number
from farecard.model.commands import CommitDraw, DrawLottery, format_number, parse_number
from farecard.model.moments import PAST_MOMENT, iso_day, iso_moment
from farecard.model.verdict import Reason
from farecard.questions.card import find
from farecard.rules import stamp_rally
from farecard.storage.store import Row, Store
from farecard.storage.vault import Vault

__all__ = [
    "draws",
    "leaf_of",
    "may_draw",
    "published",
    "stage",
    "steps",
    "text_of",
    "ticket",
    "tickets",
    "verify",
]


def _steps(store: Store, draw: int) -> dict[str, Row]:
    """The rows of a draw by what was done: ``commit``, ``draw``."""
    return {row[0]: row[1:] for row in store.rows("draws", draw=draw)}


def stage(store: Store, draw: int) -> dict[str, Any] | None:
    """What is public of a draw without its list, ``picked``: how many have won; None where it is neither frozen nor held."""
    rows = _steps(store, draw)
    if not rows:
        return None
    _, at, root, entrants, winners, seed = rows.get("draw", (0, None, b"", 0, 0, None))
    committed = rows.get("commit")
    if committed is not None:
        root, entrants = committed[2], committed[3]
    return {
        "draw": draw,
        "committed_at": None if committed is None else iso_moment(committed[1]),
        "seed_source": None if committed is None else committed[5],
        "drawn_at": None if at is None else iso_moment(at),
        "seed": seed,
        "entrants": entrants,
        "root": root.hex(),
        "picked": min(winners, entrants),
    }


def published(store: Store, draw: int, alternates: int = 0) -> dict[str, Any] | None:
    """A draw's file for everybody: the list, its root, and what the public value picks; None where there is nothing to publish."""
    found = stage(store, draw)
    if found is None:
        return None
    leaves = [row[0] for row in store.rows("entrants_of", draw=draw)]
    winners, seed = found.pop("picked"), found["seed"]
    order = [] if seed is None else list(islice(picks(draw, seed, found["entrants"]), winners + alternates))  # fmt: skip
    return {
        "algorithm": ALGORITHM,
        **found,
        "winners": order[:winners],
        "alternates": order[winners:],
        "leaves": [one.hex() for one in leaves],
    }


def ticket(store: Store, vault: Vault, draw: int, account: int) -> dict[str, Any] | None:
    """A holder's own proof of being on a draw's list: the number that is listed, the nonce, and the leaf they make; None where it is not."""
    for number, _ in store.rows("entrant_of", draw=draw, account=account):
        listed, nonce = format_number(number), vault.nonce(draw, account)
        return {"draw": draw, "card": listed, "nonce": nonce.hex(), "leaf": leaf(nonce, listed).hex()}  # fmt: skip
    return None


def tickets(store: Store, vault: Vault, number: int) -> list[dict[str, Any]]:
    """The same of a card, whatever number it had then, for every draw that is frozen or held; with what is public of it (``stage``), and as which it was drawn (``turn``; None: it was not). Raises ``UnknownCardError``."""
    account = find(store, number, PAST_MOMENT).account
    frozen = sorted({row[0] for row in store.rows("all_draws")})
    return [
        one | {"stage": stage(store, draw), "turn": _turn(store, draw, account)}
        for draw in frozen
        if (one := ticket(store, vault, draw, account)) is not None
    ]


def _turn(store: Store, draw: int, account: int) -> int | None:
    """As which of a draw's winners a card of its list was drawn; None where it was not, or nobody was yet."""
    found = stage(store, draw)
    if found is None or found["seed"] is None:
        return None
    ((_, place),) = store.rows("entrant_of", draw=draw, account=account)
    winners = _winners(draw, found["seed"], found["entrants"], found["picked"])
    return winners.index(place) + 1 if place in winners else None


@lru_cache(maxsize=4)
def _winners(draw: int, seed: str, entrants: int, many: int) -> "array[int]":
    """The indexes of the winners, in the order they were picked: of a million it takes seconds, and it stays as it is."""
    return array("q", islice(picks(draw, seed, entrants), many))


def text_of(found: dict[str, Any]) -> bytes:
    """The file's bytes."""
    return msgspec.json.encode(found) + b"\n"


def draws(store: Store, rally: Rally, day: int) -> list[dict[str, Any]]:
    """Every draw of the rally: its deadline, the draws whose entrants are in it no more, what is public of it, and why nothing may be done yet (``no``: by command)."""
    found = []
    for place, one in enumerate(rally.draws):
        done = set(_steps(store, one.number))
        commit = CommitDraw(id="x", at=0, channel="operations", draw=one.number, seed_source="x")  # type: ignore[arg-type]  # the rally names none but these
        hold = DrawLottery(id="x", at=0, channel="operations", draw=one.number, winners=1, seed="x")  # type: ignore[arg-type]  # as above
        found.append(
            {
                "number": one.number,
                "until": iso_day(day_number(one.until)),
                "earlier": [other.number for other in rally.draws[:place]],
                "stage": stage(store, one.number),
                "no": {
                    "commit_draw": may_draw(commit, day, rally, done),
                    "draw_lottery": may_draw(hold, day, rally, done),
                },
            }
        )
    return found


def may_draw(c: CommitDraw | DrawLottery, day: int, rally: Rally, done: set[str]) -> Reason | None:
    """Why a step of a draw cannot be taken; None when it can."""
    no = stamp_rally.may_draw(c, day, rally, done)
    return None if no is None else no.reasons[0]


def leaf_of(nonce: str, number: str) -> str | None:
    """The line that a card makes on a list with its nonce, as it stands in the file; None where one of them is none."""
    try:
        parse_number(number)
        found = bytes.fromhex(nonce)
    except ValueError:
        return None
    return leaf(found, number).hex() if len(found) == NONCE_BYTES else None
