"""What two or more desks send at the same time so that they get into each other's way."""

import json
import random
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

from conftest import command

NEXT_DAY = "2023-03-02T09:00:00+09:00"
NUMBERS = 100  # card numbers a round has
Line = tuple[str, bytes]  # sender and line


class Crossing(NamedTuple):
    """What is sent before, and then by one desk and the other at once."""

    before: list[Line]
    one: list[Line]
    other: list[Line]


class Round:
    """Cards, people and ids of one round: nobody else's."""

    def __init__(self, round: int) -> None:
        self.round = round

    def card(self, letter: str) -> str:
        """A card number."""
        return f"JW{self.round * NUMBERS + ord(letter) - ord('A'):015d}"

    def slip(self, letter: str, count: int = 1) -> str:
        """A slip of a card."""
        return f"S{self.card(letter)[2:]}-{count}"

    def do(self, id: str, do: str, card: str | None = None, *, sender: str = "s", **fields: object) -> Line:
        """A line; cards are letters."""
        channels = {
            "top_up": "charge-machine", "purchase": "shop", "reverse": "operations", "tap_in": "gate",
            "report_lost": "phone", "move_to_phone": "icoca-app",
        }  # fmt: skip
        fields.setdefault("channel", channels.get(do, "counter"))
        if card is not None:
            fields["card"] = self.card(card)
        if "to" in fields:
            fields["to"] = self.card(fields["to"])
        if "of" in fields:
            fields = {"why": "a mistake", **fields, "of": f"{self.round}-{fields['of']}"}
        return sender, command(f"{self.round}-{id}", do, **fields)

    def issue(self, id: str, card: str, kind: str = "anonymous", person: str = "P", **fields: object) -> Line:
        """A sale."""
        if kind != "anonymous":
            fields["holder"] = {
                "name": "X", "kana": f"{person} {self.round}", "born": "1980-01-01", "phone": f"0{self.round}"
            }  # fmt: skip
        return self.do(id, "issue", card, kind=kind, paid=2000, **fields)

    def buy(self, id: str, card: str, amount: int = 100, **fields: object) -> Line:
        """A purchase."""
        return self.do(id, "purchase", card, amount=amount, merchant="m", **fields)

    def charge(self, id: str, card: str, **fields: object) -> Line:
        """A top-up."""
        return self.do(id, "top_up", card, amount=1000, tender="cash", **fields)

    def lost(self, id: str, card: str, **fields: object) -> Line:
        """A loss."""
        return self.do(id, "report_lost", card, **fields)

    def collect(self, id: str, old: str, new: str, count: int = 1) -> Line:
        """The new card."""
        return self.do(id, "collect_reissue", new, slip=self.slip(old, count), paid=1020, at=NEXT_DAY)

    def move(self, id: str, card: str, to: str) -> Line:
        """Into a phone."""
        return self.do(id, "move_to_phone", card, to=to, kind="mobile", at=NEXT_DAY)


def _broken(line: Line) -> Line:
    """The same with a field nobody knows."""
    return line[0], json.dumps({**json.loads(line[1]), "colour": "red"}).encode()


# name → how many of what is sent at once are accepted whoever is first (None: it depends), and what it is
CROSSINGS: dict[str, tuple[int | None, Callable[[Round], Crossing]]] = {
    "one card": (2, lambda r: Crossing([r.issue("0", "A")], [r.charge("1", "A")], [r.buy("2", "A")])),
    "one card's last yen": (1, lambda r: Crossing(
        [r.issue("0", "A")], [r.buy("1", "A", 1500)], [r.buy("2", "A", 1500)])),
    "a charge and what it pays for": (None, lambda r: Crossing(
        [r.issue("0", "A")], [r.charge("1", "A")], [r.buy("2", "A", 1600)])),
    "one id, one body": (1, lambda r: Crossing([r.issue("0", "A")], [r.buy("1", "A")], [r.buy("1", "A")])),
    "one id, two bodies": (1, lambda r: Crossing(
        [r.issue("0", "A")], [r.buy("1", "A", 100)], [r.buy("1", "A", 200)])),
    "one id, two senders": (2, lambda r: Crossing(
        [r.issue("0", "A")], [r.buy("1", "A")], [r.buy("1", "A", sender="t")])),
    "cards in another order": (4, lambda r: Crossing(
        [r.issue("0", "A"), r.issue("00", "B")], [r.buy("1", "A"), r.buy("2", "B")], [r.buy("3", "B"), r.buy("4", "A")])),
    "everyday and rare in another order": (None, lambda r: Crossing(
        [r.issue("0", "A", "named"), r.issue("00", "B", "named", "Q")],
        [r.lost("1", "A"), r.buy("2", "B")], [r.lost("3", "B"), r.buy("4", "A")])),
    "two reports of one loss": (1, lambda r: Crossing(
        [r.issue("0", "A", "named")], [r.lost("1", "A")], [r.lost("2", "A")])),
    "two reissues of one card": (1, lambda r: Crossing(
        [r.issue("0", "A", "named"), r.lost("1", "A")], [r.collect("2", "A", "B")], [r.collect("3", "A", "C")])),
    "a report and its collection": (None, lambda r: Crossing(
        [r.issue("0", "A", "named")], [r.lost("1", "A")], [r.collect("2", "A", "B")])),
    "a reissue and the old number": (None, lambda r: Crossing(
        [r.issue("0", "A", "named"), r.lost("1", "A")], [r.collect("2", "A", "B")], [r.buy("3", "A", at=NEXT_DAY)])),
    "a reissue and the new number": (None, lambda r: Crossing(
        [r.issue("0", "A", "named"), r.lost("1", "A")], [r.collect("2", "A", "B")], [r.buy("3", "B", at=NEXT_DAY)])),
    "a number after a reissue, and its move to a phone": (None, lambda r: Crossing(
        [r.issue("0", "A", "named"), r.lost("1", "A"), r.collect("2", "A", "B")],
        [r.buy("3", "B", at=NEXT_DAY)], [r.move("4", "B", "C")])),
    "two moves of one card": (1, lambda r: Crossing(
        [r.issue("0", "A")], [r.move("1", "A", "B")], [r.move("2", "A", "C")])),
    "one new number sold twice": (1, lambda r: Crossing([], [r.issue("1", "A")], [r.issue("2", "A")])),
    "one new number sold and reissued": (1, lambda r: Crossing(
        [r.issue("0", "A", "named"), r.lost("1", "A")], [r.collect("2", "A", "B")], [r.issue("3", "B")])),
    "one new number sold and moved to": (1, lambda r: Crossing(
        [r.issue("0", "A")], [r.move("1", "A", "B")], [r.issue("2", "B")])),
    "two named cards of one person": (1, lambda r: Crossing(
        [], [r.issue("1", "A", "named")], [r.issue("2", "B", "named")])),
    "two named cards of one person who has a SMART": (1, lambda r: Crossing(
        [r.issue("0", "C", "smart")], [r.issue("1", "A", "named")], [r.issue("2", "B", "named")])),
    "a named card given back and another sold": (None, lambda r: Crossing(
        [r.issue("0", "A", "named")], [r.do("1", "refund", "A")], [r.issue("2", "B", "named")])),
    "two reversals of one purchase": (1, lambda r: Crossing(
        [r.issue("0", "A"), r.buy("1", "A")], [r.do("2", "reverse", of="1")], [r.do("3", "reverse", of="1")])),
    "a reversal and what it reverses": (None, lambda r: Crossing(
        [r.issue("0", "A")], [r.buy("1", "A")], [r.do("2", "reverse", of="1")])),
    "an unknown card and its sale": (None, lambda r: Crossing([], [r.issue("1", "A")], [r.charge("2", "A")])),
    "a card used and given back": (None, lambda r: Crossing(
        [r.issue("0", "A")], [r.do("1", "refund", "A")], [r.buy("2", "A")])),
    "a broken line and its id": (None, lambda r: Crossing(
        [r.issue("0", "A"), r.issue("00", "B")], [_broken(r.buy("1", "A")), r.buy("2", "B")], [r.buy("1", "A"), r.buy("3", "B")])),
    "a broken line between two that are remembered": (None, lambda r: Crossing(
        [r.issue("0", "A"), r.buy("1", "A", sender="t")],
        [_broken(r.buy("2", "A")), r.buy("3", "A", sender="t")],
        [r.buy("2", "A"), r.buy("3", "A", sender="t")])),
}  # fmt: skip


def random_calls(chance: random.Random, round: Round, calls: int, size: int) -> list[list[list[Line]]]:
    """Calls of three desks over four cards, their spare numbers, two people and few ids."""
    sent: list[Line] = []
    return [
        [[_random_line(chance, round, sent, f"{desk}{n}") for _ in range(size)] for n in range(calls)]
        for desk in range(3)
    ]


def _random_line(chance: random.Random, r: Round, sent: list[Line], place: str) -> Line:
    pick = chance.choice
    if sent and chance.random() < 0.08:
        return _broken(pick(sent)) if chance.random() < 0.3 else pick(sent)
    id = f"{place}-{len(sent)}" if chance.random() < 0.9 else pick("xyz")
    day = 1 + int(place[1:]) // 2
    at = f"2023-03-{day:02d}T{pick(['09', '09', '09', '08'])}:00:00+09:00"
    card = pick("ABCD") if chance.random() < 0.75 else pick("EFGH")
    more = {"at": at, "sender": pick("sst")}
    line = pick((
        lambda: r.issue(id, card, pick(("anonymous", "named", "named", "smart")), pick("PQ"), **more),
        lambda: r.charge(id, card, **more),
        lambda: r.charge(id, card, **more),
        lambda: r.buy(id, card, pick((100, 700, 1500)), **more),
        lambda: r.buy(id, card, pick((100, 700, 1500)), **more),
        lambda: r.do(id, "tap_in", card, station="Osaka", **more),
        lambda: r.do(id, "reverse", of=json.loads(pick(sent)[1])["id"].split("-", 1)[1] if sent else "0", **more),
        lambda: r.do(id, "refund", card, **more) if chance.random() < 0.3 else r.charge(id, card, **more),
        lambda: r.lost(id, card, **more),
        lambda: r.do(id, "collect_reissue", pick("EFGH"), slip=r.slip(pick("ABCD"), pick((1, 1, 2))), paid=1020, **more),
        lambda: r.do(id, "move_to_phone", card, to=pick("EFGH"), kind="mobile", **more),
    ))()  # fmt: skip
    sent.append(line)
    return line


def many_calls(
    chance: random.Random, cards: int, desks: int, calls: int, size: int
) -> tuple[list[Line], list[list[list[Line]]]]:
    """The sale of so many cards, and calls of several desks that use and lose them."""
    def number(n: int) -> str:
        return f"JW{n:015d}"

    def line(id: str, do: str, card: int, **fields: object) -> Line:
        return "s", command(id, do, card=number(card), **fields)

    def person(n: int) -> dict[str, str]:
        return {"name": "X", "kana": f"P {n}", "born": "1980-01-01", "phone": str(n)}

    sold = [line(f"sold-{n}", "issue", n, kind="named", paid=2000, holder=person(n)) for n in range(cards)]
    spare = iter(range(cards, NUMBERS * 10))

    def one(id: str) -> Line:
        card, what = chance.randrange(cards), chance.random()
        if what < 0.5:
            return line(id, "purchase", card, channel="shop", amount=chance.randrange(1, 600), merchant="m")
        if what < 0.9:
            return line(id, "top_up", card, channel="charge-machine", amount=1000, tender="cash")
        if what < 0.95:
            return line(id, "tap_in", card, channel="gate", station="Osaka")
        if what < 0.97:
            return line(id, "move_to_phone", card, channel="icoca-app", to=number(next(spare)), kind="mobile")
        holder = person(chance.randrange(cards))
        return line(id, "issue", next(spare), kind="named", paid=2000, holder=holder)

    ids = ("-".join(map(str, place)) for place in product(range(desks), range(calls), range(size)))
    return sold, [[[one(next(ids)) for _ in range(size)] for _ in range(calls)] for _ in range(desks)]
