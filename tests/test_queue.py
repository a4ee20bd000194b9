"""Group commit: many callers, one desk; each is told its own decision once it is durable, or that there is no room."""

import asyncio
import json
import threading
from contextlib import suppress
from functools import partial
from queue import SimpleQueue

import psycopg
import pytest

from conftest import command, new_desk
from farecard.desk.desk import Desk
from farecard.desk.flow import Flow
from farecard.desk.opening import writing_desk
from farecard.desk.queue import Queue, QueueClosedError, QueueFullError
from farecard.desk.threaded import ThreadQueue
from farecard.desk.waiting import AsyncWindow
from farecard.sample import journal
from farecard.storage.errors import StoreError
from farecard.wire.answer import encode_answer
from postgres import query
from state import problems

CARD = "JW000000000000001"
ISSUE = command("0", "issue", kind="anonymous", paid=2000, card=CARD)


def top_up(id):
    return command(id, "top_up", channel="charge-machine", card=CARD, amount=1000, tender="cash")


@pytest.fixture
def database(own_server):
    """An empty database of the newest PostgreSQL: what waits and is told does not depend on its version."""
    return own_server.database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A store of either engine, as one desk finds it."""
    return f"sqlite:///{tmp_path}/q.db" if request.param == "sqlite" else request.getfixturevalue("database")


@pytest.fixture
def queue(url):
    """A desk and the queue before it, closed at the end."""
    made = ThreadQueue(writing_desk(url))
    yield made
    made.close()


def read_in(queue, sender, line):
    """A line as its window hands it in."""
    return [queue.desk.reader.read(sender, line)]


def read(answer):
    return json.loads(encode_answer(answer))


def test_many_threads_each_get_the_decision_of_their_own_command(tmp_path, url, queue):
    """Sixteen callers send a journal's cards, each card's commands in order: as one by one, and all fits together."""
    lines = list(journal(1_200, seed=8))
    expected = {}
    calm = new_desk(tmp_path, "calm.db")
    callers = {}
    for n, line in enumerate(lines):
        sender = f"s{n}"  # an id is its sender's own, so that no two callers meet in one
        (answer,) = calm.run([(sender, line)])
        expected[sender] = read(answer)
    # the same order for all: a caller sends when the one before it was handed in
    turn = threading.Condition()
    position = 0

    def is_turn(n):
        return position == n

    def caller(mine):
        nonlocal position
        for n in mine:
            told = SimpleQueue()
            with turn:
                assert turn.wait_for(partial(is_turn, n), timeout=60)
                queue.submit(read_in(queue, f"s{n}", lines[n]), n, told.put)
                position += 1
                turn.notify_all()
            ((token, answers),) = told.get(timeout=60)
            assert token == n
            callers[f"s{n}"] = read(answers[0])

    threads = [threading.Thread(target=caller, args=(range(k, len(lines), 16),)) for k in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert callers == expected
    assert problems(url) == []


def test_whoever_is_told_finds_it_in_the_store(database):
    """The moment an answer arrives, another connection sees the event."""
    queue = ThreadQueue(writing_desk(database))
    queue.decide("a", ISSUE)
    for n in range(1, 20):
        queue.decide("a", top_up(str(n)))
        assert query(database, "SELECT outcome FROM event WHERE id = %s", [str(n)]) != []
    queue.close()


def test_nobody_is_told_before_the_commit_and_what_comes_meanwhile_is_decided(database):
    """While one commit is held back, the next batch is decided over it; told are both when it goes through."""
    desk = writing_desk(database)
    queue = ThreadQueue(desk)
    queue.decide("a", ISSUE)
    decided = threading.Semaphore(0)
    real = Desk._entry

    def seen(self, *args):
        answer = real(self, *args)
        decided.release()
        return answer

    told = SimpleQueue()
    with psycopg.connect(database, options="-c search_path=farecard") as other:
        other.execute("LOCK TABLE batch IN ACCESS EXCLUSIVE MODE")
        Desk._entry = seen
        try:
            queue.submit(read_in(queue, "a", top_up("1")), "first", told.put)
            assert decided.acquire(timeout=30)
            queue.submit(read_in(queue, "a", top_up("2")), "second", told.put)
            assert decided.acquire(timeout=30)  # the second is decided while the first is not yet kept
            assert told.empty()
        finally:
            Desk._entry = real
        other.rollback()
    got = [told.get(timeout=30), told.get(timeout=30)]
    assert [(token, read(a[0])["result"]["balance"]) for some in got for token, a in some] == [
        ("first", 2500),
        ("second", 3500),
    ]
    queue.close()


def test_a_full_queue_says_so_at_once_and_answers_what_it_took(database):
    """With room for three, the fourth caller is told in its own call; the three get their answers."""
    desk = writing_desk(database)
    desk.run([("a", ISSUE)])
    queue = ThreadQueue(desk, most_waiting=3)
    told = SimpleQueue()
    with psycopg.connect(database, options="-c search_path=farecard") as other:
        other.execute("LOCK TABLE batch, account IN ACCESS EXCLUSIVE MODE")
        queue.submit(read_in(queue, "a", top_up("0x")), "0x", told.put)  # this one the desk takes, and waits for the lock
        taken = 1
        with suppress(QueueFullError):
            while taken < 100:
                queue.submit(read_in(queue, "a", top_up(str(taken))), str(taken), told.put)
                taken += 1
        assert 3 <= taken < 100
        other.rollback()
    got = []
    while len(got) < taken:
        got += told.get(timeout=30)
    # the desk may have taken many before it met the lock; 1,500 yen and 18 top-ups of 1,000 fit under the ceiling (PUB-1)
    fits = min(taken, 18)
    assert [read(answers[0])["outcome"] for _, answers in got] == ["accepted"] * fits + ["refused"] * (taken - fits)
    queue.close()


def test_a_closed_queue_answers_what_it_took_and_takes_no_more(url):
    """Going home: nothing that was handed in is dropped."""
    queue = ThreadQueue(writing_desk(url))
    told = []
    queue.submit(read_in(queue, "a", ISSUE), 0, told.extend)
    for n in range(1, 10):
        queue.submit(read_in(queue, "a", top_up(str(n))), n, told.extend)
    queue.close()
    assert [token for token, _ in told] == list(range(10))
    assert {read(answers[0])["outcome"] for _, answers in told} == {"accepted"}
    with pytest.raises(QueueClosedError):
        queue.submit(read_in(queue, "a", top_up("11")), 11, told.extend)


def test_a_caller_that_gave_up_disturbs_nobody(queue):
    """A cancelled coroutine's command is decided all the same; the others get theirs."""

    async def callers():
        window = AsyncWindow(queue)
        await window.decide("a", ISSUE)
        tasks = [asyncio.create_task(window.decide("a", top_up(str(n)))) for n in range(1, 9)]
        await asyncio.sleep(0)  # let each hand its line in
        tasks[3].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    got = asyncio.run(callers())
    assert isinstance(got[3], asyncio.CancelledError)
    balances = [read(one)["result"]["balance"] for n, one in enumerate(got) if n != 3]
    assert balances == [1500 + 1000 * n for n in (1, 2, 3, 5, 6, 7, 8)]


def test_a_window_that_is_gone_disturbs_nobody(queue, monkeypatch, caplog):
    """An event loop is closed while what its callers sent is under way: the desk goes on, and it is kept."""
    queue.decide("a", ISSUE)

    async def leave():
        window = AsyncWindow(queue)
        task = asyncio.create_task(window.decide("a", top_up("left")))
        await asyncio.sleep(0)  # handed in on the next turn
        await asyncio.sleep(0)
        task.cancel()

    gate, real = threading.Event(), Flow.put
    monkeypatch.setattr(Flow, "put", lambda *args: gate.wait(60) and real(*args))
    asyncio.run(leave())
    gate.set()
    assert read(queue.decide("a", top_up("next")))["result"]["balance"] == 3500
    assert "1 callers are gone" in caplog.text
    assert read(queue.decide("a", top_up("left")))["repeated"]


def test_a_desk_that_fails_tells_every_caller_and_goes_on(queue, monkeypatch, caplog):
    """A fault of our own: who was under way hears that nobody knows, the next is served; no message in the log."""
    queue.decide("a", ISSUE)
    real = Flow.put

    def put_or_fail(flow, entries, tell):
        if any(entry.command.id == "poison" for entry in entries):
            raise KeyError(entries)
        real(flow, entries, tell)

    monkeypatch.setattr(Flow, "put", put_or_fail)
    with pytest.raises(StoreError, match=r"the desk failed \(KeyError\); nobody knows"):
        queue.decide("a", top_up("poison"))
    assert read(queue.decide("a", top_up("1")))["result"]["balance"] == 2500
    assert "KeyError" in caplog.text
    assert CARD not in caplog.text


@pytest.mark.parametrize("sender", ["", "x" * 65, "a\nb", "\udcff"], ids=ascii)
def test_a_sender_that_is_none_is_told_so_alone(queue, sender):
    """Before it is handed in; whoever asks at the same time is served."""
    queue.decide("a", ISSUE)
    with pytest.raises(ValueError, match="1 to 64 characters"):
        queue.decide(sender, top_up("1"))

    async def both():
        window = AsyncWindow(queue)
        asked = (window.decide(sender, top_up("1")), window.decide("a", top_up("1")))
        return await asyncio.gather(*asked, return_exceptions=True)

    wrong, right = asyncio.run(both())
    assert isinstance(wrong, ValueError)
    assert read(right)["result"]["balance"] == 2500


def test_a_store_that_fails_tells_every_caller_and_the_same_ids_do_nothing_twice(own_server, database):
    """The server is killed under the desk: each caller hears an answer or that nobody knows; sent again, once."""
    queue = ThreadQueue(writing_desk(database))
    queue.decide("a", ISSUE)
    told = SimpleQueue()
    lines = [command(str(n), "purchase", channel="shop", card=CARD, amount=1, merchant="m") for n in range(1, 400)]
    heard = []
    try:
        for n, line in enumerate(lines, 1):
            queue.submit(read_in(queue, "a", line), n, told.put)
            if n == 200:
                own_server.kill()
        while len(heard) < len(lines):
            heard += told.get(timeout=60)
    finally:
        own_server.start()
    assert any(isinstance(answer, StoreError) for _, answer in heard)
    again = [queue.decide("a", line) for line in lines]
    answered = {token for token, answer in heard if not isinstance(answer, StoreError)}
    assert all(read(answer).get("repeated") for n, answer in enumerate(again, 1) if n in answered)
    assert read(again[-1])["result"]["balance"] == 1500 - len(lines)
    assert problems(database) == []
    queue.close()


def test_a_locked_file_is_said_and_the_desk_goes_on_afterwards(tmp_path, monkeypatch):
    """Another program holds the SQLite file longer than anyone waits: the caller hears why; later all is well."""
    monkeypatch.setattr("farecard.storage.sqlite.BUSY_MILLISECONDS", 100)
    desk = writing_desk(f"sqlite:///{tmp_path}/l.db")
    queue = ThreadQueue(desk)
    queue.decide("a", ISSUE)
    other = new_desk(tmp_path, "l.db").store
    other.begin()
    with pytest.raises(StoreError, match="another program is writing"):
        queue.decide("a", top_up("1"))
    other.rollback()
    assert read(queue.decide("a", top_up("1")))["result"]["balance"] == 2500
    queue.close()


def test_who_waits_for_room_is_told_when_half_of_the_queue_is_free(database):
    """Full, it says so; the window waits without asking again, and is woken once the desk has taken some."""
    desk = writing_desk(database)
    desk.run([("a", ISSUE)])
    queue = ThreadQueue(desk, most_waiting=4)
    told, free = SimpleQueue(), threading.Event()
    with psycopg.connect(database, options="-c search_path=farecard") as other:
        other.execute("LOCK TABLE batch, account IN ACCESS EXCLUSIVE MODE")
        taken = 0
        with suppress(QueueFullError):
            while taken < 100:
                queue.submit(read_in(queue, "a", top_up(str(taken))), taken, told.put)
                taken += 1
        queue.when_room(free.set)
        assert queue.waiting == 4
        assert not free.is_set()
        other.rollback()
    assert free.wait(30)
    queue.submit(read_in(queue, "a", top_up("more")), "more", told.put)
    queue.close()
    assert queue.waiting == 0


def test_who_waits_for_room_is_not_forgotten_when_the_desk_goes_home(queue):
    """With room, or with the desk closing, whoever asks is told at once."""
    free = threading.Event()
    queue.when_room(free.set)
    assert free.is_set()


def test_a_desk_that_had_nothing_to_keep_yet_takes_a_crowd(queue):
    """Its first batches are all no commands, so no commit was ever measured: twenty callers at once are served."""
    for _ in range(3):
        queue.decide("a", b"no command")

    async def crowd():
        window = AsyncWindow(queue)
        return await asyncio.gather(*(window.decide(f"s{n}", b"{}") for n in range(20)))

    assert {one.outcome for one in asyncio.run(asyncio.wait_for(crowd(), 30))} == {"invalid"}


def test_a_desk_that_fails_before_it_takes_anything_tells_those_who_wait(queue, monkeypatch, caplog):
    """A fault of our own in choosing what comes next: nobody waits for ever, and it is not tried for ever."""
    real = Queue._take

    def fail(queue):
        if queue.waiting:
            raise ZeroDivisionError
        return real(queue)

    monkeypatch.setattr(Queue, "_take", fail)
    with pytest.raises(StoreError, match=r"the desk failed \(ZeroDivisionError\); nobody knows"):
        queue.decide("a", ISSUE)
    assert caplog.text.count("the desk failed and goes on") == 1
    monkeypatch.setattr(Queue, "_take", real)
    assert read(queue.decide("a", ISSUE))["outcome"] == "accepted"
    assert queue.waiting == 0
