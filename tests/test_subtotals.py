"""What the books came to, from a few subtotals instead of every batch: the same figures, and few rows to read for them."""

import shutil
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import a_store, answers, command, found_by_check, tampered
from farecard.desk.batch import summing_up
from farecard.desk.opening import writing_desk
from farecard.ledger.subtotals import DAILY, WIDTH, ending_with, parts_of, up_to
from farecard.model.moments import PAST_MOMENT, day_of, parse_day, parse_moment
from farecard.questions.books import moved, spans, sums
from farecard.storage.opening import open_to_read
from farecard.storage.sql import sql_text, tables
from farecard.storage.store import Writes
from state import problems
from test_migration import connected

numbers = st.one_of(st.integers(1, 5_000), st.integers(1, 10**9))


def covered(level, numbers):
    """The first and last batch of each span that ends with one of these numbers."""
    return [(number - WIDTH**level + 1, number) for number in numbers]


@given(numbers)
def test_spans_follow_each_other_from_the_first_batch_to_the_last(number):
    """None is missing, none counts twice, and there are at most fifteen of a level."""
    parts = sorted(part for level, ends in up_to(number) for part in covered(level, ends))
    assert parts[0][0] == 1
    assert parts[-1][1] == number
    assert all(one[1] + 1 == other[0] for one, other in pairwise(parts))
    assert all(len(ends) < WIDTH for _, ends in up_to(number))


@given(numbers, st.integers(0, 4))
def test_spans_of_no_higher_level_are_all_the_same_batches(number, highest):
    """However many it takes: a month is asked of spans that are by day."""
    parts = sorted(part for level, ends in up_to(number % 100_000, highest) for part in covered(level, ends))
    assert [first for first, _ in parts] == [1, *(last + 1 for _, last in parts[:-1])][: len(parts)]
    assert sum(last - first + 1 for first, last in parts) == number % 100_000
    assert all(level <= highest for level, _ in up_to(number % 100_000, highest))


@given(numbers)
def test_a_span_is_made_of_sixteen_of_the_level_below(number):
    """They end where it ends, and each was there before it: whatever a balance asks for was written."""
    for level in ending_with(number):
        ends = parts_of(level, number)
        parts = sorted(covered(level - 1, ends))
        assert (parts[0][0], parts[-1][1]) == covered(level, [number])[0]
        assert len(parts) == WIDTH
        for end in ends:
            assert level == 1 or level - 1 in ending_with(end)


@given(numbers)
def test_whatever_a_balance_asks_for_was_written(number):
    """Each span that makes up a chain was summed with the batch that it ends with."""
    for level, ends in up_to(number):
        assert all(level == 0 or level in ending_with(end) for end in ends)


def test_the_first_subtotals():
    """With the 15th batch none, with the 16th the first, with the 256th also one of sixteen."""
    assert ending_with(15) == []
    assert ending_with(16) == [1]
    assert ending_with(17) == []
    assert ending_with(240) == [1]
    assert ending_with(256) == [1, 2]
    assert parts_of(1, 256) == list(range(256, 240, -1))
    assert parts_of(2, 256) == list(range(256, 0, -16))
    assert ending_with(4096) == [1, 2, 3]
    assert up_to(0) == []
    assert up_to(256) == [(2, [256])]
    assert up_to(275) == [(0, [275, 274, 273]), (1, [272]), (2, [256])]


def lines(first, past):
    """A card each: sold, and charged from a day to four months before, as what comes in late is."""
    for n in range(first, past):
        card = {"card": f"JW{n:015}"}
        day = f"2023-{3 + n % 5:02}-{1 + n % 28:02}"
        yield command(f"i{n}", "issue", at=f"{day}T09:00:00+09:00", kind="anonymous", paid=2000, place=f"s{n % 3}", **card)
        yield command(f"t{n}", "top_up", at=f"{day}T23:59:59+09:00", channel="charge-machine", amount=1000, tender="cash",
                      place=f"m{n % 3}", **card)  # fmt: skip


def every_transfer(url, known=PAST_MOMENT):
    """(moment, debit, credit, yen) from the events alone, one by one."""
    store = open_to_read(url)
    for id, _, _, recorded_at, *_ in store.rows("batches"):
        if recorded_at > known:
            continue
        bounds = {"first": id * 65536, "past": (id + 1) * 65536}
        moments, moved = {}, []
        for row in store.rows("events_of_batch", **bounds):
            event = dict(zip(tables()["event"], row, strict=True))
            moments[event["seq"]] = event["at"]
            if event["yen"]:
                moved.append((event["seq"], event["debit"], event["credit"], event["yen"]))
        moved += [(row[0], *row[3:]) for row in store.rows("transfers_of_batch", **bounds)]
        for seq, debit, credit, yen in moved:
            yield moments[seq], debit, credit, yen
    store.close()


def plain(url, at=None, known=PAST_MOMENT):
    """The balance from the events alone."""
    found = {}
    for moment, debit, credit, yen in every_transfer(url, known):
        if at is None or moment <= at:
            found.setdefault(debit, [0, 0])[0] += yen
            found.setdefault(credit, [0, 0])[1] += yen
    return dict(sorted(found.items()))


def plain_days(url, first, past):
    """What each ledger account moved on each day, from the events alone."""
    found = {}
    for moment, debit, credit, yen in every_transfer(url):
        if first <= day_of(moment) < past:
            for side, account in enumerate((debit, credit)):
                days = found.setdefault(account, {})
                days.setdefault(day_of(moment), [0, 0])[side] += yen
    return {account: {day: tuple(sides) for day, sides in sorted(days.items())} for account, days in sorted(found.items())}


def over(url, question, *about):
    """The answer to a question over a store."""
    with closing(open_to_read(url)) as store:
        return question(store, *about)


def asked(url, *about):
    return over(url, sums, *about)


def asked_days(url, first, past):
    return over(url, moved, first, past)


def asked_of(url, *about):
    """How many spans a balance is made of, by level."""
    return {level: len(ids) for level, ids in over(url, spans, *about).items() if ids}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request, tmp_path_factory):
    """A chain of 274 batches: a span of 256, one of 16, and two batches; and the moment when half of it was recorded."""
    return a_chain(a_store(request, tmp_path_factory.mktemp("books")))


@pytest.fixture(scope="module")
def on_file(tmp_path_factory):
    """The same in a file that can be copied."""
    return a_chain(f"sqlite:///{tmp_path_factory.mktemp('file')}/store.db")


def a_chain(url):
    """The store's URL, and when half of its batches were recorded."""
    desk = writing_desk(url)
    for n in range(274):
        got = answers(desk, list(lines(n + 1, n + 2)))
        assert [one["outcome"] for one in got] == ["accepted", "accepted"]
    half = desk.store.rows("batches")[136][3]
    desk.store.close()
    return url, half


def test_the_balance_of_now_is_that_of_every_event(filled):
    """From one span of 256 batches, one of 16 and two batches: 19 parts at most however long the chain, not 274."""
    url, _ = filled
    assert asked(url) == plain(url)
    assert asked_of(url) == {0: 2, 1: 1, 2: 1}
    assert problems(url) == []


@pytest.mark.parametrize("day", ["2023-02-28", "2023-03-01", "2023-05-03", "2023-07-28"])
def test_a_balance_as_of_a_moment_is_that_of_the_events_until_then(filled, day):
    """Before the first, on it (some batches lie on both sides of it), in the middle, at the very end."""
    url, _ = filled
    for time in ("08:59:59", "09:00:00", "23:59:58", "23:59:59"):
        at = parse_moment(f"{day}T{time}+09:00")
        assert asked(url, at) == plain(url, at)


def test_a_balance_as_known_then_stops_with_what_was_recorded(filled):
    """Half of the chain was recorded by then: 137 batches, which are eight spans of 16 and nine batches."""
    url, half = filled
    for at in (parse_moment("2023-05-03T12:00:00+09:00"), PAST_MOMENT):
        assert asked(url, at, half) == plain(url, at, half)
        assert asked(url, at, half - 1) == plain(url, at, half - 1)
    assert asked_of(url, PAST_MOMENT, half) == {0: 9, 1: 8}
    assert asked_of(url, PAST_MOMENT, half - 1) == {0: 8, 1: 8}


@pytest.mark.parametrize(("first", "past"), [("2023-05-01", "2023-06-01"), ("2023-05-03", "2023-05-04"), ("2023-01-01", "2024-01-01"), ("2022-01-01", "2023-03-01")])  # fmt: skip
def test_what_moved_on_days_is_that_of_the_events(filled, first, past):
    """A month, a day, everything, and a time before the first card."""
    url, _ = filled
    days = parse_day(first), parse_day(past)
    assert asked_days(url, *days) == plain_days(url, *days)
    assert (asked_days(url, *days) == {}) == (past == "2023-03-01")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty store of each engine."""
    return a_store(request, tmp_path)


def test_seventy_thousand_batches_are_a_few_rows(url):
    """One span of 65,536 batches, of all days; one of 4,096, one of 256 and seven of 16, by day. What an older store has is summed to the same rows, as far as 4,096 batches."""
    desk = writing_desk(url)
    store, many = desk.store, 70_000
    ids = [n * 256 for n in range(1, many + 1)]
    store.begin_making()
    store.append("batch", [(id, "desk-0", n, n, n, n, 0, 1, 1, 1, "", b"", b"") for n, id in enumerate(ids, 1)])
    days = {id: 19_000 + n // 3_000 for n, id in enumerate(ids)}  # some three weeks
    store.append("total", [(id, days[id], *sides) for id in ids for sides in (("a", id, 0), ("b", 0, id))])
    store.commit()
    asks = [ask for n in range(1, many + 1) for ask in summing_up(256 * n, 0, n)]
    ((tariff, network, _, campaign),) = store.rows("versions")
    store.begin()
    store.start(Writes({}, (tariff, network, campaign), subtotals=asks), int)
    store.finish()
    total = sum(ids)
    assert sums(store) == {"a": [total, 0], "b": [0, total]}
    assert {level: len(of) for level, of in spans(store).items()} == {1: 7, 2: 1, 3: 1, 4: 1}
    day = days[ids[-5_000]]
    of_day = sum(id for id in ids if days[id] == day)
    assert moved(store, day, day + 1) == {"a": {day: (of_day, 0)}, "b": {day: (0, of_day)}}
    assert {level: len(of) for level, of in spans(store, highest=DAILY).items()} == {1: 7, 2: 1, 3: 17}
    store.close()

    with closing(connected(url)) as db:
        rows = sorted(db.execute("SELECT * FROM subtotal").fetchall())
        assert [row[1:] for row in rows if row[1] > DAILY] == [
            (4, -1, "", 4096, 0), (4, -1, "a", sum(ids[:65_536]), 0), (4, -1, "b", 0, sum(ids[:65_536])),
        ]  # fmt: skip
        db.execute("DELETE FROM subtotal")
        for statement in sql_text("subtotals.sql").split(";\n")[1:]:
            if statement.strip():
                db.execute(statement)
        assert sorted(db.execute("SELECT * FROM subtotal").fetchall()) == [row for row in rows if row[1] <= DAILY]
    assert asked(url) == {"a": [total, 0], "b": [0, total]}
    assert asked_of(url) == {1: 7, 2: 1, 3: 17}  # the sixteen of which the one of 65,536 would be


def test_two_chains_are_summed_each_in_its_own_spans(database):
    """Two desks that take turns: each writes its own chain, and the 16th batch of each has a subtotal."""
    one, other = writing_desk(database), writing_desk(database)
    for n in range(20):
        for desk, first in ((one, 1), (other, 1001)):
            answers(desk, list(lines(first + n, first + n + 1)))
    one.store.close(), other.store.close()
    assert asked_of(database) == {0: 8, 1: 2}
    assert asked(database) == plain(database)
    at = parse_moment("2023-05-03T12:00:00+09:00")
    assert asked(database, at) == plain(database, at)
    assert problems(database) == []


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("UPDATE subtotal SET debit = debit + 1 WHERE account = 'deposits-held'", "subtotals are not the sums"),
        ("UPDATE subtotal SET account = 'cash:none' WHERE account = 'deposits-held'", "subtotals are not the sums"),
        ("DELETE FROM subtotal WHERE account = 'deposits-held'", "subtotals are not the sums"),
        ("UPDATE subtotal SET batch = batch + 256", "subtotals are not the sums"),
        ("UPDATE subtotal SET level = 2", "subtotals are not the sums"),
        ("UPDATE subtotal SET batch = batch + 1", "there is no such batch"),
    ],
)
def test_a_subtotal_that_was_changed_is_found(tmp_path, tampering, words):
    """The audit sums again what each stands for."""
    url = f"sqlite:///{tmp_path}/store.db"
    desk = writing_desk(url)
    answers(desk, list(lines(1, 18)), batch=2)
    desk.store.close()
    assert problems(url) == []
    tampered(tmp_path / "store.db", tampering)
    assert words in found_by_check(url)


@pytest.mark.parametrize("left_out", [[16], [256], [16, 256], [96, 112, 256, 272], [16 * n for n in range(1, 18)]])
def test_what_an_older_desk_left_out_is_summed_from_the_batches(on_file, tmp_path, left_out):
    """It wrote on beside newer ones and knew of no subtotals: none is there with those batches, and of those over them the sums are too small. They are not used."""
    url, half = on_file
    shutil.copy(url.removeprefix("sqlite:///"), tmp_path / "store.db")
    shutil.copy(url.removeprefix("sqlite:///") + ".key", tmp_path / "store.db.key")
    copied = f"sqlite:///{tmp_path}/store.db"
    with closing(connected(copied)) as db:
        for number in left_out:
            db.execute("DELETE FROM subtotal WHERE batch = (SELECT id FROM batch WHERE number = ?) AND level = 1", (number,))
        db.execute("DELETE FROM subtotal WHERE level = 2")
        ((batch,),) = db.execute("SELECT id FROM batch WHERE number = 256").fetchall()
    desk = writing_desk(copied)
    desk.store.begin()
    desk.store.start(Writes({}, (1, 1, 1), subtotals=summing_up(batch, 0, 256)[1:]), int)
    desk.store.finish()
    desk.store.close()
    assert 2 not in asked_of(copied)
    at, days = parse_moment("2023-05-03T12:00:00+09:00"), (parse_day("2023-05-01"), parse_day("2023-06-01"))
    assert (asked(copied), asked(copied, at), asked(copied, at, half)) == (asked(url), asked(url, at), asked(url, at, half))
    assert asked_days(copied, *days) == asked_days(url, *days)
    assert problems(copied) == []


def test_a_batch_that_was_given_up_leaves_no_subtotal(tmp_path):
    """The 16th batch is decided and not kept; the next that is has its number, and sums what was kept."""
    desk = writing_desk(f"sqlite:///{tmp_path}/store.db")
    answers(desk, list(lines(1, 16)), batch=2)
    entries = desk.read([("journal", line) for line in lines(16, 17)])
    desk.store.begin()
    decided = desk.prepare(entries)
    desk.store.start(decided.writes, lambda: None)
    desk.give_up()
    assert desk.store.rows("sums_of_subtotals", batches=[row[0] for row in desk.store.rows("batches")], level=1) == []
    answers(desk, list(lines(17, 18)), batch=2)
    desk.store.close()
    url = desk.store.url
    assert asked_of(url) == {1: 1}
    assert asked(url) == plain(url)
    assert problems(url) == []
