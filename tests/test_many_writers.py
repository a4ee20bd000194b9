"""Many desks on one PostgreSQL store: whatever they send at once, it is as if one desk had decided it in some order."""

import json
import os
import random
import time
from itertools import count

import pytest

from conftest import WORKED_EXAMPLE, command, new_desk
from crossing import CROSSINGS, NUMBERS, Round, many_calls, random_calls
from farecard.desk.opening import writing_desk
from farecard.wire.answer import encode_answer
from serial_order import Group, NotSerialError, Replayed, find_order, grouped
from state import problems, state
from writers import IN_TURN, TOGETHER, Call, writers

SEEDS = int(os.environ.get("FARECARD_SEEDS", "10"))
ROUNDS = count(1)


@pytest.fixture(scope="module")
def shared(server):
    """One store for all, whole at their end; every round has cards of its own."""
    url = server.database()
    yield url
    assert problems(url) == []


@pytest.fixture(scope="module")
def processes():
    """Three processes, each with a desk."""
    with writers(3) as made:
        yield made


@pytest.fixture(scope="module")
def desks(shared):
    """Two desks in this process."""
    one, other = writing_desk(shared), writing_desk(shared)
    yield one, other
    one.store.close()
    other.store.close()


def turned_about(crossing, turned):
    """With ``turned``, the one sends what the other would have."""
    return crossing._replace(one=crossing.other, other=crossing.one) if turned else crossing


def as_one_desk_ends(tmp_path, url, order, rounds):
    """One desk on an SQLite store of its own, given the same in this order, ends with the same to the last field."""
    desk = new_desk(tmp_path, "serial.db")
    for group in order:
        assert [encode_answer(answer) for answer in desk.run(group.lines)] == group.answers
    desk.store.close()
    numbers = range(rounds[0] * NUMBERS, (rounds[-1] + 1) * NUMBERS)
    assert state(url, numbers) == state(f"sqlite:///{tmp_path}/serial.db", numbers)


def accepted(calls):
    """How many were accepted for the first time."""
    got = [json.loads(answer) for call in calls for answer in call.answers]
    return sum(one["outcome"] == "accepted" and not one.get("repeated") for one in got)


@pytest.mark.parametrize("name", CROSSINGS)
def test_what_two_send_at_once_is_decided_in_some_order(tmp_path, shared, processes, name):
    """Both decide before either writes, then in turn or together; and as it happens; also one batch over the next."""
    expected, make = CROSSINGS[name]
    order, rounds = [], []
    collided = 0
    for held, by_flow in [(IN_TURN, False), (IN_TURN, True), (TOGETHER, False), (TOGETHER, True), (None, False)] * 2:
        rounds.append(next(ROUNDS))
        crossing = turned_about(make(Round(rounds[-1])), len(rounds) > 5)
        before = processes.run(shared, [[crossing.before]] if crossing.before else [])
        both = processes.run(shared, [[crossing.one], [crossing.other]], held=held, by_flow=by_flow)
        collided += both.conflicts if held == IN_TURN else 0
        if expected is not None:
            assert accepted([call for calls in both.calls for call in calls]) == expected
        order += find_order(grouped(shared, [*before.calls, *both.calls]))
    assert collided > 0  # in one order of the two at least, the second has to decide anew
    as_one_desk_ends(tmp_path, shared, order, rounds)


class Meddled:
    """Asks a desk's store one question at a time; lets somebody else in before the one, or the write, numbered ``at``."""

    def __init__(self, store):
        self.ask, self.start = store.ask, store.start
        self._sent = []
        store.rows = self._rows
        store.ask = lambda asks: [self._rows(name, **values) for name, values in asks]
        store.send = self._sent.extend
        store.receive = self._receive
        store.start = self._start
        self.asked, self.at = 0, -1
        self.enter = lambda: None

    def _receive(self):
        sent, self._sent[:] = list(self._sent), []
        return [self._rows(name, **values) for name, values in sent]

    def _start(self, *args):
        self._comes()
        self.start(*args)

    def _comes(self):
        if self.asked == self.at:
            self.enter()
        self.asked += 1

    def _rows(self, name, **values):
        self._comes()
        return self.ask([(name, values)])[0]


def run(desk, lines):
    sent = time.monotonic_ns()
    told = [encode_answer(answer) for answer in desk.run(lines)]
    return Call(lines, told, sent, time.monotonic_ns())


@pytest.mark.parametrize("knows", [False, True], ids=["new to its cards", "knows its cards"])
@pytest.mark.parametrize("name", CROSSINGS)
def test_another_desk_commits_between_any_two_words_to_the_store(shared, desks, monkeypatch, name, knows):
    """Whatever a desk has read so far, what it reads next may be newer: the order is still there."""
    _, make = CROSSINGS[name]
    one, other = desks
    for attribute in ("rows", "ask", "send", "receive", "start"):
        monkeypatch.setattr(one.store, attribute, getattr(one.store, attribute))  # put back at the end
    meddled = Meddled(one.store)
    met = 0
    for turned in (False, True):
        for at in count():
            crossing = turned_about(make(Round(next(ROUNDS))), turned)
            before = [run(one if knows else other, crossing.before)] if crossing.before else []
            theirs = []
            meddled.asked, meddled.at = 0, at
            meddled.enter = lambda lines=crossing.other, theirs=theirs: theirs.append(run(other, lines))
            ours = run(one, crossing.one)
            if not theirs:
                break
            met += 1
            find_order(grouped(shared, [before, [ours], theirs]))
    assert met > 2  # one question at least and the write, whichever comes first


def test_random_calls_of_three_desks_are_decided_in_some_order(tmp_path, shared, processes):
    """Every kind of command over a few cards, people and ids, by themselves and one batch over the next."""
    order, rounds = [], []
    collided = 0
    for seed in range(SEEDS):
        rounds.append(next(ROUNDS))
        round = Round(rounds[-1])
        calls = random_calls(random.Random(seed), round, calls=6, size=5)
        cards = [round.issue(f"start-{card}", card, kind) for card, kind in zip("AB", ("anonymous", "named"), strict=True)]
        before = processes.run(shared, [[cards]])
        report = processes.run(shared, calls, held=TOGETHER if seed % 2 == 0 else None, by_flow=seed % 4 > 1)
        collided += report.conflicts
        history = grouped(shared, [*before.calls, *report.calls])
        try:
            order += find_order(history)
        except NotSerialError as error:
            pytest.fail(f"seed {seed}: {error}")
    assert collided > 0
    as_one_desk_ends(tmp_path, shared, order, rounds)


def test_nine_thousand_commands_on_two_hundred_cards(tmp_path, database, processes):
    """Three desks at full speed over cards they share; the order is the one in which the store committed."""
    cards, calls = many_calls(random.Random(7), cards=200, desks=3, calls=150, size=20)
    before = processes.run(database, [[cards]])
    report = processes.run(database, calls, by_flow=True)
    assert report.conflicts > 0
    order = find_order(grouped(database, [*before.calls, *report.calls]))
    assert sum(len(group.lines) for group in order) == 9_200
    as_one_desk_ends(tmp_path, database, order, [0, 10])
    assert problems(database) == []


# -- the search itself can fail ------------------------------------------------------------------


def group(at, *pairs, told=None):
    """Commands of the sender ``s`` and what they were told; sent at a moment and told at the next."""
    lines = [("s", line) for line, _ in pairs]
    texts = [json.dumps(answer, separators=(",", ":")).encode() for _, answer in pairs]
    return Group(lines, texts, at, at + 1 if told is None else told, at)


def yes(id, **result):
    return {"id": id, "outcome": "accepted", "reasons": [], "warnings": [], "result": result}


CARD = {"card": "JW000000000000001"}
ISSUED = group(0, (WORKED_EXAMPLE.splitlines()[0], yes("1", deposit=500, balance=1500)))


def top_up(id):
    return command(id, "top_up", channel="charge-machine", amount=1000, tender="cash", **CARD)


def test_the_search_finds_an_order_that_is_there():
    """Two charges at once, told in either order."""
    first, second = group(2, (top_up("a"), yes("a", balance=3500))), group(2, (top_up("b"), yes("b", balance=2500)))
    assert find_order([[ISSUED], [first], [second]]) == [ISSUED, second, first]


def test_the_search_rejects_a_lost_update():
    """Both were told a balance without the other's thousand."""
    first, second = group(2, (top_up("a"), yes("a", balance=2500))), group(2, (top_up("b"), yes("b", balance=2500)))
    with pytest.raises(NotSerialError, match=r"2 of 3 groups fit[\s\S]*one desk accepted .*3500"):
        find_order([[ISSUED], [first], [second]])


def test_the_search_rejects_two_named_cards_of_one_person():
    """Both sales were told accepted."""
    first, second = (
        group(2, (Round(n).issue("1", "A", "named")[1], yes(f"{n}-1", deposit=500, balance=1500))) for n in (1, 1)
    )
    line = json.loads(second.lines[0][1]) | {"id": "other", "card": "JW000000000000009"}
    second = group(2, (json.dumps(line).encode(), yes("other", deposit=500, balance=1500)))
    with pytest.raises(NotSerialError, match=r"1 of 2 groups fit[\s\S]*one-named-card"):
        find_order([[first], [second]])


def test_the_search_rejects_a_commit_that_others_came_between():
    """Two charges of one commit, and another's between them."""
    both = group(2, (top_up("a"), yes("a", balance=2500)), (top_up("b"), yes("b", balance=4500)))
    between = group(2, (top_up("c"), yes("c", balance=3500)))
    with pytest.raises(NotSerialError):
        find_order([[ISSUED], [both], [between]])


def test_the_search_is_not_lost_among_orders_that_do_not_matter():
    """A broken line that came before its id was used, beside two desks whose commands are in nobody's way."""
    desk = Replayed()

    def told(at, id, **fields):
        line = "s", json.dumps(json.loads(top_up(id)) | fields).encode()
        return Group([line], desk.answers(Group([line], [], 0, 0, 0)), 0, 99, at, kept=not fields)

    broken = told(99, "a", colour="red")
    one, other = ([told(n, f"{name}{n}" if n else name) for n in range(10)] for name in "ab")
    assert find_order([one, other, [broken]])[0] == broken


def test_the_search_rejects_an_order_against_the_clock():
    """What was told before something else was sent cannot come after it."""
    late, early = group(4, (top_up("a"), yes("a", balance=2500))), group(2, (top_up("b"), yes("b", balance=3500)))
    with pytest.raises(NotSerialError):
        find_order([[ISSUED], [early], [late]])
    at_once = early._replace(told=9)
    assert find_order([[ISSUED], [at_once], [late]]) == [ISSUED, late, at_once]


def test_a_desk_goes_on_after_a_collision_however_many_there_are(own_server):
    """Each of ten desks gives a batch up, and decides the next: what a desk prepared stays, the tenth's as the first's."""
    database = own_server.database()
    desks = [writing_desk(database) for _ in range(10)]
    for n, desk in enumerate(desks):
        assert desk.store.writer == n
        line = command("1", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000)
        desk.run([(f"s{n}", line)])
        for other in range(10):
            desk.store.begin([n])
            desk.give_up()
            top_up = command(
                f"t{other}", "top_up", channel="charge-machine", card=f"JW{n:015d}", amount=1000, tender="cash"
            )
            (answer,) = desk.run([(f"s{n}", top_up)])
            assert answer.outcome == "accepted"
    for desk in desks:
        desk.store.close()
    assert problems(database) == []
