"""Draws: the survey agrees with the rules on who is in, and anybody can do a draw again from its file alone."""

import hashlib
import json
import subprocess
import sys
import time
from itertools import islice

import pytest

from applicants import Applicants
from conftest import answers, command, copy_in, farecard, new_desk
from farecard.desk.cases import case_at
from farecard.desk.drawing import complete
from farecard.desk.opening import dry_desk, writing_desk
from farecard.draws import ALGORITHM, leaf, picks, problems, root, verify
from farecard.model.moments import parse_moment
from farecard.rules import myna_point, stamp_rally
from farecard.storage.history import account_at
from farecard.storage.making import load_campaigns
from farecard.storage.opening import open_to_read
from farecard.storage.rows import as_account
from farecard.wire.answer import encode_answer
from state import problems as store_problems

COMMIT = command("c", "commit_draw", channel="operations", at="2023-07-21T09:00:00+09:00", draw=1, seed_source="tomorrow's price")
DRAW = command("d", "draw_lottery", channel="operations", at="2023-07-22T09:00:00+09:00", draw=1, winners=5, seed="1234.56")
SECOND = command("e", "draw_lottery", channel="operations", at="2023-10-01T09:00:00+09:00", draw=2, winners=3, seed="789")


@pytest.fixture(scope="session")
def collectors(tmp_path_factory):
    """A store of people who collect stamps."""
    folder = tmp_path_factory.mktemp("collectors")
    desk = new_desk(folder)
    answers(desk, Applicants(4_000, seed=8, rally=True).journal())
    desk.store.close()
    assert store_problems(f"sqlite:///{folder}/store.db") == []
    return f"sqlite:///{folder}/store.db"


def by_the_rules(store, rally, until):
    """Who has all four stamps, by the rules, card by card."""
    found = []
    for row in store.rows("all_accounts"):
        if as_account(row).rally_at is None:
            continue
        account = account_at(store, row[0], until)
        if account.rally_at is None:
            continue
        held = stamp_rally.stamps(case_at(store, myna_point.NAME, account, until, until), rally).values()
        if all(held):
            found.append((row[0], max(stamp.achieved_at for stamp in held)))
    return found


@pytest.mark.parametrize("at", ["2023-06-30T00:00:00+09:00", "2023-07-21T00:00:00+09:00", "2023-10-01T00:00:00+09:00", "2023-12-01T00:00:00+09:00"])
def test_the_survey_and_the_rules_agree_on_who_is_in(collectors, server, at):
    """On both engines, whenever it is looked at."""
    until = parse_moment(at)
    store = open_to_read(collectors)
    rally = load_campaigns(store).rally(stamp_rally.NAME)
    rules = by_the_rules(store, rally, until)
    assert [(account, when) for account, _, when in complete(store, rally, until)] == rules
    assert len(rules) > 10
    copied = open_to_read(copy_in(server, collectors))
    assert [(account, when) for account, _, when in complete(copied, rally, until)] == rules


def test_a_draw_is_frozen_held_published_and_checked(collectors, tmp_path):
    """No card number is in the file, every holder finds the own line, and alternates change no winner."""
    desk = writing_desk(collectors)
    committed, drawn, again, second = answers(desk, [COMMIT, DRAW, DRAW, SECOND])
    desk.store.close()
    assert committed["outcome"] == drawn["outcome"] == "accepted"
    entrants = committed["result"]["entrants"]
    assert drawn["result"]["entrants"] == entrants > 5
    assert len(set(drawn["result"]["winners"])) == 5
    assert again == drawn | {"repeated": True}
    assert [one["code"] for one in second["warnings"]] == ["uncommitted"]
    assert not set(second["result"]["winners"]) & set(drawn["result"]["winners"])
    file = tmp_path / "draw.json"
    farecard("--store", collectors, "draw", "publish", "1", file, "--alternates", "2")
    text = file.read_text()
    published = json.loads(text)
    assert "JW" not in text
    assert (published["root"], published["seed"]) == (committed["result"]["root"], "1234.56")
    assert len(published["winners"]) == 5
    assert len(published["alternates"]) == 2
    more = tmp_path / "more.json"
    farecard("--store", collectors, "draw", "publish", "1", more, "--alternates", "3")
    assert json.loads(more.read_text())["winners"] == published["winners"]
    assert json.loads(more.read_text())["alternates"][:2] == published["alternates"]
    for place, card in enumerate(drawn["result"]["winners"], 1):
        ticket = json.loads(farecard("--store", collectors, "draw", "ticket", "1", card, "--json").stdout)
        assert ticket["leaf"] == hashlib.sha256(bytes.fromhex(ticket["nonce"]) + ticket["card"].encode()).hexdigest()
        checked = farecard("draw", "verify", file, "--card", ticket["card"], "--nonce", ticket["nonce"], "--json")
        assert json.loads(checked.stdout)["won_as"] == place
        assert card not in text
    other = farecard("draw", "verify", file, "--card", "JW999999999999999", "--nonce", "00" * 16, "--json", check=False)
    assert (other.returncode, json.loads(other.stdout)["on_the_list"]) == (1, False)
    alone = [sys.executable, "-I", "-c", "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('farecard.draws', run_name='__main__')"]
    source = __import__("farecard").__path__[0].rsplit("/", 1)[0]
    done = subprocess.run([*alone, source, file], capture_output=True, check=False)
    first, second, _ = done.stdout.decode().splitlines()
    assert (done.returncode, first) == (0, "the draw is as it says"), done.stderr
    assert f"the root with the one made public at {published['committed_at']}" in second
    told = json.loads(farecard("draw", "verify", file, "--root", published["root"].upper(), "--json").stdout)
    assert (told["ok"], told["root"], told["seed_source"]) == (True, published["root"], published["seed_source"])
    farecard("--store", collectors, "draw", "publish", "2", more)
    assert b"was not frozen before the draw" in farecard("draw", "verify", more).stderr
    assert json.loads(farecard("draw", "verify", more, "--json").stdout)["committed_at"] is None
    assert store_problems(collectors) == []


def made(count, seed="x", winners=3):
    """A published draw of some entrants."""
    leaves = [leaf(n.to_bytes(16, "big"), f"JW{n:015d}") for n in range(count)]
    tree = root(leaves)
    order = list(islice(picks(1, seed, count), winners + 1))
    return {
        "algorithm": ALGORITHM, "draw": 1, "seed": seed, "entrants": count, "root": tree.hex(),
        "winners": order[:winners], "alternates": order[winners:], "leaves": [one.hex() for one in leaves],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["winners"].reverse(), "winner 1"),
        (lambda d: d["alternates"].__setitem__(0, d["winners"][0]), "winner 4"),
        (lambda d: d["leaves"].pop(), "the list has 9"),
        (lambda d: d["leaves"].reverse(), "root"),
        (lambda d: d.update(draw=2), "the seed gives"),
        (lambda d: d["leaves"].__setitem__(3, d["leaves"][2]), "twice"),
        (lambda d: d["leaves"].__setitem__(0, "00" * 32), "root: not that of the list"),
        (lambda d: d.update(seed="y"), "the seed gives"),
        (lambda d: d.update(seed=None), "without a seed"),
        (lambda d: d.update(algorithm="dice"), "algorithm"),
        (lambda d: d.pop("root"), "no published draw"),
        (lambda d: d.update(leaves=[1]), "no published draw"),
    ],
)
def test_whatever_was_changed_in_a_published_draw_is_found(change, words):
    """As it was made it is right."""
    published = made(10)
    assert problems(published) == []
    change(published)
    assert any(words in one for one in problems(published)), problems(published)


def test_a_list_that_was_made_anew_is_found_by_the_root_made_public():
    """Another list with its own root is right in itself: only the root of the day it was frozen tells."""
    frozen, anew = made(10)["root"], made(11)
    assert problems(anew) == []
    assert problems(anew, frozen) == ["root: not the one that was made public"]
    assert problems(made(10), frozen.upper()) == []


@pytest.mark.parametrize("text", ["", "[]", "7", "[" * 100_000, '{"algorithm": "farecard-draw-1"}', "\ud800"])
def test_a_file_of_anything_else_is_said_to_be_none(text):
    """Whatever it holds."""
    _, wrong = verify(text)
    assert len(wrong) == 1
    assert "no published draw" in wrong[0]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 1000])
def test_everybody_is_picked_once(count):
    """All entrants in some order, whatever their number; so fewer entrants than winners all win."""
    assert sorted(picks(1, "seed", count)) == list(range(count))


def test_every_entrant_has_the_same_chance():
    """Ten entrants, 3,000 seeds: each wins about 300 times (a standard deviation is 16)."""
    won = [0] * 10
    for n in range(3_000):
        won[next(picks(1, str(n), 10))] += 1
    assert all(220 < one < 380 for one in won), won


def test_the_tree_is_that_of_rfc_6962():
    """Leaves are hashed behind 0x00, nodes behind 0x01; the odd one moves up."""
    def h(data):
        return hashlib.sha256(data).digest()

    a, b, c = (bytes([n]) * 32 for n in (1, 2, 3))
    assert root([]) == h(b"")
    assert root([a]) == h(b"\0" + a)
    assert root([a, b, c]) == h(b"\1" + h(b"\1" + h(b"\0" + a) + h(b"\0" + b)) + h(b"\0" + c))


def test_a_million_entrants_verify_in_seconds():
    """List, root and a thousand winners."""
    published = made(1_000_000, winners=1_000)
    started = time.perf_counter()
    assert problems(published) == []
    assert time.perf_counter() - started < 30


def test_a_dry_draw_says_what_the_draw_will_say(tmp_path):
    """Over nothing and over a store; the nonces, and so the roots, are another key's."""
    lines = Applicants(2_000, seed=9, rally=True).journal()
    desk = new_desk(tmp_path)
    half = len(lines) // 2
    desk.run([("journal", line) for line in lines[:half]])
    url = f"sqlite:///{tmp_path}/store.db"
    last = [*lines[half:], COMMIT, DRAW, SECOND]
    dry = [encode_answer(one) for one in dry_desk(url).run([("journal", line) for line in last])]
    assert [encode_answer(one) for one in desk.run([("journal", line) for line in last])] == dry
    assert json.loads(dry[-2])["result"]["entrants"] > 2
