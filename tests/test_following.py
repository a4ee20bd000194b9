"""``/v1/events``: every decided command in order, at least once, wherever a follower takes it up again."""

import json
import threading
import time
from itertools import pairwise

import pytest

from conftest import answers, command, new_desk
from farecard.desk.opening import writing_desk
from farecard.questions import following
from farecard.questions.following import as_cursor, as_text, follow
from farecard.sample import journal
from serving import Served, eventually
from test_api import ALL


def all_of(store, most, sender=None):
    """All there is, a page at a time, each place going through its text."""
    cursor, found = {}, []
    while True:
        page = follow(store, cursor, most, sender)
        found += page.events
        cursor = as_cursor(as_text(page.cursor))
        assert len(page.events) <= most
        if not page.more:
            return found, cursor


@pytest.mark.parametrize("most", [1, 7, 100, 10_000])
def test_everything_decided_comes_once_and_in_order(tmp_path, most):
    """Whatever the size of a page: each remembered command of a sample in the order it was decided, runs as one."""
    lines = list(journal(1_500, seed=9))
    desk = new_desk(tmp_path)
    got = answers(desk, lines, batch=40)
    remembered = [one["id"] for one in got if one["outcome"] != "invalid" and "repeated" not in one]
    found, cursor = all_of(desk.store, most)
    assert [one["id"] for one in found if one["outcome"] != "invalid"] == remembered
    by_id = {one["id"]: one for one in reversed(got)}  # an id that came again had another answer then
    for one in found:
        assert one["outcome"] == by_id[one["id"]]["outcome"]
        assert [reason.code for reason in one["reasons"]] == [reason["code"] for reason in by_id[one["id"]]["reasons"]]
    assert follow(desk.store, cursor, most, None).events == []


def test_one_senders_commands_alone(tmp_path):
    """A sender whose commands are few among many is found over empty pages too."""
    desk = new_desk(tmp_path)
    for n in range(30):
        sender = "few" if n % 10 == 3 else "many"
        answers(desk, [command(f"{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000)], sender)
    assert [one["id"] for one in all_of(desk.store, 2, "few")[0]] == ["3", "13", "23"]


def test_a_slower_writers_batch_is_not_missed(database, monkeypatch):
    """Of two desks the slower one commits a lower id after a follower has passed it: it comes with the next question."""
    monkeypatch.setattr(following, "MOST_BATCHES", 3)
    slow, quick = writing_desk(database), writing_desk(database)
    sold = [command(f"s{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000) for n in range(12)]
    answers(slow, sold[:1])
    for line in sold[1:8]:
        answers(quick, [line])
    first, cursor = all_of(quick.store, 100)
    answers(slow, sold[8:10])
    answers(quick, sold[10:])
    then = follow(quick.store, cursor, 100, None).events
    assert sorted(one["id"] for one in first + then) == sorted(f"s{n}" for n in range(12))
    assert {"s8", "s9"} <= {one["id"] for one in then}


def test_what_rests_on_another_event_comes_after_it(database):
    """One card over two desks in turns: its events come in its own order."""
    desks = [writing_desk(database), writing_desk(database)]
    card = "JW000000000000001"
    answers(desks[0], [command("0", "issue", card=card, kind="anonymous", paid=2000)])
    for n in range(1, 20):
        answers(desks[n % 2], [command(str(n), "top_up", channel="charge-machine", card=card, amount=1000, tender="cash")])
        answers(desks[0], [command(f"o{n}", "issue", card=f"JW{n + 100:015d}", kind="anonymous", paid=2000)])
    for most in (1, 3, 1000):
        order = [int(one["id"]) for one in all_of(desks[0].store, most)[0] if one["card"] == card and one["outcome"] == "accepted"]
        assert all(a < b for a, b in pairwise(order))


@pytest.mark.parametrize("text", ["x", "e30x", "bm8", "é", "W10", "eyJhIjoxfQ", "A" * 9_000])
def test_a_place_that_nobody_named(text):
    """It is told, not guessed."""
    with pytest.raises(following.BadCursorError):
        as_cursor(text)


def test_followers_over_http(tmp_path):
    """A key sees its own commands, one that may ask for events all of them; a page at a time, from where it was."""
    served = Served(f"sqlite:///{tmp_path}/f.db")
    try:
        one, other = served.key("one", ALL), served.key("other", ALL, ask="events")
        for n in range(6):
            line = command(f"{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000)
            served.post(line, one if n % 2 else other)
        _, page = served.get("/v1/events?limit=2", one)
        assert ([event["id"] for event in page["events"]], page["more"]) == (["1", "3"], True)
        _, page = served.get(f"/v1/events?limit=2&after={page['next']}", one)
        assert ([event["id"] for event in page["events"]], page["more"]) == (["5"], False)
        _, everything = served.get("/v1/events", other)
        assert [(event["sender"], event["id"]) for event in everything["events"]] == [
            ("one" if n % 2 else "other", str(n)) for n in range(6)
        ]
        for query, code in (("after=nowhere", "unknown-place"), ("limit=0", "want-count"), ("limit=10001", "want-count"),
                            ("limit=x", "want-count"), ("as_of=2023-03-01", "unknown-parameter")):  # fmt: skip
            status, said = served.get(f"/v1/events?{query}", one)
            assert (status, said["code"]) == (400, code), json.dumps(said)
    finally:
        assert served.stop() == 0


@pytest.mark.parametrize("writer", ["this server", "another process"])
def test_a_follower_waits_for_what_comes(own_server, writer):
    """Nothing yet: the answer waits, and comes with the command, whoever decided it; others' commands do not end one's own wait."""
    database = own_server.database()
    served = Served(database)
    try:
        eye, shop = served.key("eye", ask="events"), served.key("shop", "counter,shop")

        def ask(after, key, wait):
            status, _, body = served.call("GET", f"/v1/events?after={after}&wait={wait}", key=key)
            assert status == 200, body
            return json.loads(body)

        place = ask("", eye, 0)["next"]
        own = ask("", shop, 0)["next"]
        got = {}
        began = time.monotonic()
        waiting = [
            threading.Thread(target=lambda: got.update(all=(ask(place, eye, 30), time.monotonic() - began))),
            threading.Thread(target=lambda: got.update(own=(ask(own, shop, 2), time.monotonic() - began))),
        ]
        for one in waiting:
            one.start()
        line = command("1", "issue", card="JW000000000000001", kind="anonymous", paid=2000)
        if writer == "this server":
            assert served.call("POST", "/v1/commands", line, served.key("other", "counter"))[0] == 200
        else:
            desk = writing_desk(database)
            desk.run([("other", line)])
            desk.store.close()
        for one in waiting:
            one.join(60)
        found, seconds = got["all"]
        assert [one["id"] for one in found["events"]] == ["1"]
        assert seconds < 15
        found, seconds = got["own"]
        assert found["events"] == []
        assert seconds >= 2
        status, _, body = served.call("GET", "/v1/events?wait=31", key=eye)
        assert (status, json.loads(body)["code"]) == (400, "want-count")
    finally:
        assert served.stop() == 0, served.said


def test_a_server_that_leaves_lets_its_followers_go(tmp_path):
    """Whoever waits gets the answer there is, at once: the server does not stay for him."""
    served = Served(f"sqlite:///{tmp_path}/s.db")
    eye = served.key("eye", ask="events")
    got = []
    waiting = threading.Thread(target=lambda: got.append(served.call("GET", "/v1/events?wait=30", key=eye)))
    waiting.start()
    eventually(lambda: served.get("/healthz")[1]["connections"] > 1)
    began = time.monotonic()
    assert served.stop() == 0, served.said
    assert time.monotonic() - began < 15
    waiting.join(60)
    ((status, _, body),) = got
    assert (status, json.loads(body)["events"]) == (200, [])
