"""A day's figures: found where the day's batches are, each read once, whatever came before, after, late or from another desk."""

import json
import random
import re
import shutil
from contextlib import closing

import psycopg
import pytest

from conftest import answers, command, new_desk
from farecard.desk.opening import writing_desk
from farecard.model.moments import first_moment, parse_day
from farecard.questions import day as days
from farecard.storage.errors import StoreError
from farecard.storage.opening import open_to_read


def plans(url, name):
    """How an engine answers a statement about one day, in its own words."""
    first, past = first_moment(parse_day("2025-07-21")), first_moment(parse_day("2025-07-22"))
    if name in ("days_of_batches", "days_of_subtotals"):
        batches = [n * 256 for n in range(12_000, 12_024)]
        values = {"batches": json.dumps(batches) if url.startswith("sqlite") else batches, "first": parse_day("2025-07-21"), "past": parse_day("2025-07-22"), "level": 1}
    else:
        values = {"first": 12_000 * 256 * 65536, "past": 12_024 * 256 * 65536, "first_at": first, "past_at": past, "last_at": past + 3_600_000_000}
        values |= {"at": first, "known": past}
    with closing(open_to_read(url)) as store:
        text = store._queries[name]
        if url.startswith("sqlite"):
            return "\n".join(row[3] for row in store.db.execute(f"EXPLAIN QUERY PLAN {text}", values))
        return "\n".join(row[0] for row in store._reading().execute(f"EXPLAIN {text}", values))


def test_the_events_of_a_day_are_where_its_batches_are(tmp_path):
    """What is recorded late is found, and what lies between is not read: two runs, of the day's own batches and of the late one."""
    desk = new_desk(tmp_path)
    answers(desk, [command(f"i{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000) for n in (1, 2)])
    for n in range(1, 4):
        answers(desk, [command(f"t{n}", "top_up", at=f"2023-06-15T10:0{n}:00+09:00", channel="ticket-machine", card="JW000000000000001", amount=1_000, tender="cash")])
    for n in range(20):
        answers(desk, [command(f"p{n}", "purchase", at="2023-06-16T10:00:00+09:00", channel="shop", card="JW000000000000001", amount=1, merchant="m")])
    answers(desk, [command("late", "top_up", at="2023-06-15T23:00:00+09:00", channel="ticket-machine", card="JW000000000000002", amount=2_000, tender="cash")])
    asked = parse_day("2023-06-15")
    desk.store.begin_reading()
    assert len(days._runs(days.batches_of(desk.store, asked, asked + 1))) == 2
    assert [(one["times"], one["yen"]) for one in days.of_day(desk.store, asked)["charges"]] == [(4, 5_000)]
    assert days.of_day(desk.store, asked + 1)["decided"] == {"accepted": 20}
    desk.store.rollback()


def figures_of(url, day, *, anew=False):
    """A day's figures over one state of the store; ``anew``: read from its events by somebody who has not looked yet."""
    with closing(open_to_read(url)) as store:
        store.begin_reading()
        if not anew:
            return days.of_day(store, day)
        figures = days.Figures(day)
        figures.go_on(store)
        return figures.told()


@pytest.mark.parametrize(("new", "late"), [(50_000, 100), (3, 100), (50_000, 0)], ids=["read on", "too many new", "any late"])
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_each_look_at_a_day_reads_what_came_since_and_finds_all_of_it(engine, new, late, tmp_path, request, monkeypatch):
    """Two desks take turns, on PostgreSQL each with a chain of its own; what is of the day comes early, late, in batches with other days', and not at all."""
    url = f"sqlite:///{tmp_path}/s.db" if engine == "sqlite" else request.getfixturevalue("own_server").database()
    desks = [writing_desk(url) for _ in range(1 if engine == "sqlite" else 2)]
    read, asked, chance = [], parse_day("2023-06-15"), random.Random(3)
    rows = days._rows
    monkeypatch.setattr(days, "MOST_NEW", new)
    monkeypatch.setattr(days, "MOST_LATE", late)
    monkeypatch.setattr(days, "_rows", lambda store, name, runs, span: read.append(runs) or rows(store, name, runs, span))
    answers(desks[0], [command(f"i{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000, at="2023-06-13T09:00:00+09:00") for n in range(1, 41)])
    looks = since = 0
    for n in range(1, 41):
        day, card = chance.choice(("2023-06-14", "2023-06-15", "2023-06-15", "2023-06-16")), {"card": f"JW{n:015d}"}
        answers(desks[n % len(desks)], [
            command(f"t{n}", "top_up", at=f"{day}T10:00:00+09:00", channel="ticket-machine", place=f"m{n % 3}", amount=1_000, tender="cash", **card),
            command(f"x{n}", "top_up", at=f"{day}T10:01:00+09:00", channel="ticket-machine", amount=999, tender="cash", **card),
            command(f"p{n}", "purchase", at="2023-06-16T10:02:00+09:00", channel="shop", amount=1, merchant="m", **card),
        ])  # fmt: skip
        since += 1
        if chance.random() < 0.4:
            told = figures_of(url, asked)
            if looks and (new, late) == (50_000, 100):
                assert all(len(runs) <= since for runs in read)
            assert told == figures_of(url, asked, anew=True)
            looks, since = looks + 1, 0
            read.clear()
    assert looks > 10
    told = figures_of(url, asked)
    read.clear()
    assert figures_of(url, asked) == told
    assert not any(read)  # what was read once is not read again
    assert figures_of(url, asked, anew=True) == told
    assert [one["times"] for one in told["refusals"]] == [told["decided"]["refused"]]
    for desk in desks:
        desk.store.close()


def test_a_store_that_is_another_one_by_now_is_read_anew(tmp_path):
    """A backup put back, its last batches gone and others in their place; a look at the store as it was before them."""
    url, asked = f"sqlite:///{tmp_path}/s.db", parse_day("2023-06-15")
    top_up = {"at": "2023-06-15T10:00:00+09:00", "channel": "ticket-machine", "card": "JW000000000000001", "tender": "cash"}
    desk = writing_desk(url)
    answers(desk, [command("i", "issue", card="JW000000000000001", kind="anonymous", paid=2000, at="2023-06-14T09:00:00+09:00")])
    desk.store.close()
    shutil.copy(tmp_path / "s.db", tmp_path / "before.db")

    def charged(id, amount):
        desk = writing_desk(url)
        assert answers(desk, [command(id, "top_up", amount=amount, **top_up)])[0]["outcome"] == "accepted"
        desk.store.close()

    def yen():
        return sum(one["yen"] for one in figures_of(url, asked)["charges"])

    charged("a", 3_000)
    with closing(open_to_read(url)) as early:
        early.begin_reading()
        assert early.rows("last_batch", writer="desk-0")[0][1] == 2
        charged("b", 5_000)
        assert yen() == 8_000
        assert sum(one["yen"] for one in days.of_day(early, asked)["charges"]) == 3_000
    assert yen() == 8_000
    for path in tmp_path.glob("s.db-*"):
        path.unlink()
    shutil.copy(tmp_path / "before.db", tmp_path / "s.db")
    assert yen() == 0
    charged("c", 1_000)
    assert yen() == 1_000


def test_a_look_that_fails_half_way_counts_nothing_twice(tmp_path, monkeypatch):
    """The store goes away in the middle of a day; the next look begins it anew."""
    url, asked = f"sqlite:///{tmp_path}/s.db", parse_day("2023-03-01")
    desk = writing_desk(url)
    answers(desk, [command(f"i{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000) for n in range(1, 4)])
    rows = days._rows

    def fails(store, name, runs, span):
        if name == "refused_between":
            raise StoreError("gone")
        return rows(store, name, runs, span)

    with monkeypatch.context() as patched:
        patched.setattr(days, "_rows", fails)
        with pytest.raises(StoreError):
            figures_of(url, asked)
    assert figures_of(url, asked)["decided"] == {"accepted": 3}
    desk.store.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_day_costs_what_the_day_was(engine, tmp_path, request):
    """Of 20,000 hours with a batch, an event and a total each the 24 of a day in the middle are found by the index, and nothing is read from end to end."""
    url = f"sqlite:///{tmp_path}/s.db" if engine == "sqlite" else request.getfixturevalue("own_server").database()
    desk = writing_desk(url)
    hour, begin = 3_600_000_000, first_moment(parse_day("2024-03-08"))
    batches, events, transfers, totals = [], [], [], []
    for n in range(20_000):
        at = begin + n * hour
        batches.append((n * 256, "w", n + 1, at, at, at, 1, 1, 1, 1, "x", b"", b""))
        events.append((n * 256 * 65536, n, "s", str(n), at, "top_up", "gate", None, None, None, "accepted", "{}", b"", n, None, 1, 1, 0, 0, *[None] * 2, 0, *[None] * 8))
        transfers.append((n * 256 * 65536, n, 1, "a", "b", 1))
        totals.append((n * 256, at // (24 * hour), "a", 1, 0))
    store = desk.store
    store.begin_making()
    subtotals = [(batch, 1, *rest) for batch, *rest in totals]
    for table, made in (("event", events), ("transfer", transfers), ("total", totals), ("subtotal", subtotals), ("batch", batches)):
        store.append(table, made)
    store.commit()
    store.close()
    if engine == "postgresql":
        with psycopg.connect(url, autocommit=True, options="-c search_path=farecard") as db:
            db.execute("ANALYZE batch, event, transfer, total, subtotal")
    for name, table in (("longest_batch", "batch"), ("batches_of_days", "batch"), ("decided_between", "event"), ("refused_between", "event"), ("days_of_batches", "total"), ("days_of_subtotals", "subtotal"), ("split_batches", "batch"), ("moved_by", "event"), ("moved_by", "transfer")):
        plan = plans(url, name)
        index = {"longest_batch": "batch_span", "batches_of_days": "batch_last", "split_batches": "batch_last"}.get(name, f"{table}_pkey" if engine == "postgresql" else "PRIMARY KEY")
        assert index in plan, plan
        if engine == "sqlite":
            assert name == "longest_batch" or not re.search(r"\bSCAN (batch|event|transfer|total|subtotal)\b", plan), plan  # of that one row
        else:
            assert "Seq Scan" not in plan, plan
