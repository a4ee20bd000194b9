"""A desk driven by the event loop its callers run on: the same answers as by a thread, and the loop never waits."""

import asyncio
import json
from collections import Counter, deque

import psycopg
import pytest

from conftest import command, new_desk
from farecard.desk.desk import Desk
from farecard.desk.looped import LoopQueue
from farecard.desk.opening import writing_desk
from farecard.desk.queue import QueueClosedError, QueueFullError
from farecard.desk.waiting import AsyncWindow
from farecard.sample import journal
from farecard.storage.errors import StoreError
from farecard.wire.answer import encode_answer
from postgres import query
from state import problems

CARD = "JW000000000000001"
ISSUE = command("0", "issue", kind="anonymous", paid=2000, card=CARD)
RUN = command("run", "run_grants", channel="operations", month="2023-04", at="2023-05-02T09:00:00+09:00")
STALLED = 1.0  # seconds: a loop that waits for a store waits as long as that is away; a busy machine less


@pytest.fixture
def database(own_server):
    """An empty database of the newest PostgreSQL."""
    return own_server.database()


def purchase(id):
    return command(f"p{id}", "purchase", channel="shop", card=CARD, amount=1, merchant="m")


def read(answer):
    return json.loads(encode_answer(answer))


def served(url, callers, **options):
    """What ``callers(window)`` gives; the desk goes home after them."""

    async def all_of_it():
        desk = writing_desk(url)
        queue = LoopQueue(desk, **options)
        try:
            return await asyncio.wait_for(callers(AsyncWindow(queue)), 120)
        finally:
            await asyncio.wait_for(queue.leave(), 60)
            desk.store.close()

    return asyncio.run(all_of_it())


async def longest_gap(while_it_runs):
    """The longest time in which the loop did nothing else, while something runs."""
    loop, longest = asyncio.get_running_loop(), 0.0
    task = asyncio.ensure_future(while_it_runs)
    last = loop.time()
    while not task.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, loop.time() - last), loop.time()
    return longest, task.result()


def test_a_crowd_gets_the_decisions_that_one_caller_gets(tmp_path, database):
    """A journal's lines by a sender each, up to sixty-four under way at a time, handed in in order."""
    lines = list(journal(2_000, seed=8))
    calm = new_desk(tmp_path, "calm.db")
    expected = [read(calm.run([(f"s{n}", line)])[0]) for n, line in enumerate(lines)]

    async def callers(window):
        reader, got = window.queue.desk.reader, []
        under_way = deque()
        for n, line in enumerate(lines):
            under_way.append(window.hand_in([reader.read(f"s{n}", line)]))
            if len(under_way) > 64:
                got += await under_way.popleft()
        for future in under_way:
            got += await future
        return [read(answer) for answer in got]

    assert served(database, callers) == expected
    assert problems(database) == []


def test_callers_that_come_together_are_kept_together(database):
    """Sixty-four callers, twenty commands each: batches of half of them or more, not of whoever came first."""

    async def callers(window):
        await window.decide("a", ISSUE)

        async def caller(k):
            for n in range(20):
                answer = await window.decide("a", purchase(f"{k}-{n}"))
                assert answer.outcome == "accepted"

        await asyncio.gather(*(caller(k) for k in range(64)))

    served(database, callers)
    ((commits,),) = query(database, "SELECT count(*) FROM batch")
    assert 20 <= commits <= 20 * 64 / 16
    ((balance,),) = query(database, "SELECT max(balance) FROM account WHERE account = 1")
    assert balance == 1500 - 20 * 64


def test_one_caller_alone_does_not_wait_for_others(database):
    """Nobody else is on the way: each command is a batch of its own, at once."""

    async def callers(window):
        await window.decide("a", ISSUE)
        for n in range(30):
            await asyncio.wait_for(window.decide("a", purchase(n)), 5)

    served(database, callers)
    assert query(database, "SELECT count(*) FROM batch") == [(31,)]


def test_what_was_handed_in_is_answered_when_the_desk_goes_home(database):
    """Going home: nothing is dropped, and nothing more is taken."""

    async def all_of_it():
        queue = LoopQueue(writing_desk(database))
        window = AsyncWindow(queue)
        waiting = [window.hand_in([queue.desk.reader.read("a", line)]) for line in (ISSUE, *map(purchase, range(9)))]
        await asyncio.sleep(0)  # what was handed in reaches the queue on the next turn
        await asyncio.wait_for(queue.leave(), 60)
        assert [(await one)[0].outcome for one in waiting] == ["accepted"] * 10
        with pytest.raises(QueueClosedError):
            await window.decide("a", purchase("late"))

    asyncio.run(all_of_it())


def test_a_full_queue_says_so_at_once_and_answers_what_it_took(database):
    """The store is held; with room for three, the rest is told in the same moment."""

    async def callers(window):
        await window.decide("a", ISSUE)
        with psycopg.connect(database, options="-c search_path=farecard") as other:
            other.execute("LOCK TABLE batch, account IN ACCESS EXCLUSIVE MODE")
            first = asyncio.ensure_future(window.decide("a", purchase("first")))
            await asyncio.wait([first], timeout=0.2)  # the desk takes it, and waits for the lock
            rest = [asyncio.ensure_future(window.decide("a", purchase(n))) for n in range(8)]
            full, _ = await asyncio.wait(rest, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            other.rollback()
        answers = await asyncio.gather(first, *rest, return_exceptions=True)
        return full, Counter(type(one).__name__ for one in answers)

    full, kinds = served(database, callers, most_waiting=3)
    assert {type(one.exception()) for one in full} == {QueueFullError}
    assert kinds["QueueFullError"] >= 4
    assert kinds["QueueFullError"] + kinds["Answer"] == 9
    assert kinds["Answer"] >= 4


def test_the_loop_goes_on_while_the_store_is_held(database):
    """Another program locks the tables for a while: commands wait, the loop does not."""

    async def callers(window):
        await window.decide("a", ISSUE)
        other = psycopg.connect(database, options="-c search_path=farecard")
        other.execute("LOCK TABLE batch, account IN ACCESS EXCLUSIVE MODE")

        async def hold():
            task = asyncio.ensure_future(window.decide("a", purchase(1)))
            _, pending = await asyncio.wait([task], timeout=2)
            assert pending
            other.rollback()
            return await task

        gap, answer = await longest_gap(hold())
        other.close()
        return gap, answer.outcome

    gap, outcome = served(database, callers)
    assert outcome == "accepted"
    assert gap < STALLED


def test_a_run_over_all_cards_leaves_the_loop_free(database, monkeypatch):
    """A run takes two seconds: the loop does not stand still, and what came with it is decided after it."""
    real = Desk.run_alone

    def held(desk, entry):
        with psycopg.connect(database) as other:
            other.execute("SELECT pg_sleep(2)")
        return real(desk, entry)

    monkeypatch.setattr(Desk, "run_alone", held)

    async def callers(window):
        await window.decide("a", ISSUE)

        async def both():
            return await asyncio.gather(window.decide("a", RUN), window.decide("a", purchase(1)))

        return await longest_gap(both())

    gap, answers = served(database, callers)
    assert [one.outcome for one in answers] == ["accepted", "accepted"]
    assert gap < STALLED
    assert problems(database) == []


def test_a_store_that_goes_and_comes_back_stops_neither_the_loop_nor_the_desk(own_server, database):
    """The server is killed under a crowd: each hears an answer or that nobody knows; sent again, nothing twice."""

    async def callers(window):
        await window.decide("a", ISSUE)

        async def through_it():
            first = [asyncio.ensure_future(window.decide("a", purchase(n))) for n in range(400)]
            await first[20]
            await asyncio.to_thread(own_server.kill)
            heard = await asyncio.gather(*first, return_exceptions=True)
            with pytest.raises(StoreError):  # it is away: said at once
                await window.decide("a", purchase("away"))
            await asyncio.to_thread(own_server.start)
            return heard, [await window.decide("a", purchase(n)) for n in range(400)]

        return await longest_gap(through_it())

    gap, (heard, again) = served(database, callers)
    assert {type(one).__name__ for one in heard} <= {"Answer", "StoreUnreachableError", "StoreError"}
    for before, after in zip(heard, again, strict=True):
        assert after.outcome == "accepted"
        assert isinstance(before, StoreError) or read(after).get("repeated")
    assert read(again[-1])["result"]["balance"] == 1500 - 400
    assert problems(database) == []
    assert gap < STALLED
