"""Three steps at once: what a desk has at hand while one batch is asked about, one decided and one committed."""

import json

import pytest

from conftest import command
from farecard.cli.journal import writing_desk
from farecard.desk import facts
from farecard.desk.flow import Flow
from farecard.wire.answer import encode_answer


def buy(id, card):
    return command(id, "purchase", channel="shop", card=card, amount=100, merchant="kiosk-1")


def put(desk, flow, told, *lines):
    flow.put(desk.read([("a", line) for line in lines]), told.extend)


@pytest.mark.parametrize("kept", [0, facts.KEEP_ACCOUNTS], ids=["nothing kept at hand", "cards kept at hand"])
def test_a_card_another_desk_wrote_later_begins_a_batch_of_its_own(database, monkeypatch, kept):
    """Its place in history is behind the open batch: that one is closed, and what was taken is still at hand."""
    monkeypatch.setattr(facts, "KEEP_ACCOUNTS", kept)
    cards = [f"JW{n:015d}" for n in range(4)]
    one, other = writing_desk(database), writing_desk(database)
    for n, card in enumerate(cards):
        one.run([("a", command(f"sold-{n}", "issue", kind="anonymous", paid=2000, card=card))])
    for n in range(20):  # the other's clock is far ahead
        other.run([("b", buy(f"b{n}", cards[n % 2]))])
    told = []
    flow = Flow(one, 1000)
    put(one, flow, told, buy("1", cards[2]), buy("2", cards[3]))
    put(one, flow, told, buy("3", cards[0]), buy("4", cards[2]))
    put(one, flow, told, buy("5", cards[1]), buy("6", cards[0]), buy("3", cards[0]))
    flow.finish()
    answers = [json.loads(encode_answer(answer)) for answer in told]
    assert [(a["id"], a["outcome"], a["result"]["balance"]) for a in answers] == [
        ("1", "accepted", 1400), ("2", "accepted", 1400), ("3", "accepted", 400), ("4", "accepted", 1300),
        ("5", "accepted", 400), ("6", "accepted", 300), ("3", "accepted", 400),
    ]  # fmt: skip
    assert [a.get("repeated", False) for a in answers] == [False] * 6 + [True]
