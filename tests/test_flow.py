"""Three steps at once: what a desk has at hand while one batch is asked about, one decided and one committed."""

import json

import pytest

from conftest import command
from farecard.desk import facts
from farecard.desk.flow import Flow
from farecard.desk.opening import sample_network, writing_desk
from farecard.network.tables import Tables
from farecard.storage.making import add_network
from farecard.storage.opening import open_store
from farecard.tariff import ALWAYS
from farecard.wire.answer import encode_answer
from postgres import query
from state import problems


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


def load_network(url, station, fare):
    """The sample network with another station and its fare from Osaka."""
    tables = sample_network()
    lines = {name: list(stations) for name, stations in tables.lines.items()}
    next(iter(lines.values())).append((station, "issuer"))
    fares = [*tables.fares, (*sorted(("Osaka", station)), fare, fare // 2)]
    store = open_store(url, write=True)
    store.begin_making()
    add_network(store, Tables(lines, fares), "grown", ALWAYS)
    store.commit()


def tap(id, do, card, station, hour):
    at = f"2023-03-01T{hour}:00:00+09:00"
    return command(id, do, channel="gate", card=card, station=station, at=at)


@pytest.mark.parametrize("opened", [True, False], ids=["a batch is open", "none is"])
def test_a_network_loaded_meanwhile_holds_for_all_that_is_kept_after_it(database, opened):
    """Another desk lets a card in at a new station; ours, which knows it not yet, is asked to let it out."""
    cards = [f"JW{n:015d}" for n in range(3)]
    ours, theirs = writing_desk(database), writing_desk(database)
    for n, card in enumerate(cards):
        theirs.run([("a", command(f"sold-{n}", "issue", kind="anonymous", paid=2000, card=card))])
    for n in range(20):  # our clock is ahead, so that what comes joins the open batch
        ours.run([("a", buy(f"b{n}", cards[2]))])
    told = []
    flow = Flow(ours, 4096)
    if opened:
        put(ours, flow, told, tap("1", "tap_in", cards[1], "Osaka", "09"))
        put(ours, flow, told, buy("2", cards[2]))
    load_network(database, "Newtown", 777)
    (entered,) = theirs.run([("a", tap("3", "tap_in", cards[0], "Newtown", "10"))])
    assert entered.outcome == "accepted"
    put(ours, flow, told, tap("4", "tap_out", cards[0], "Osaka", "11"))
    flow.finish()
    left = json.loads(encode_answer(told[-1]))
    assert (left["outcome"], left["result"].get("fare")) == ("accepted", 777)
    by_batch = query(database, "SELECT b.network FROM event e JOIN batch b ON b.id = e.seq / 65536 WHERE e.id = '4'")
    assert by_batch == [(2,)]
    assert problems(database) == []
