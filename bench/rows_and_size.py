"""On PostgreSQL: what the rules cost over writing the same rows, and what a store's size costs."""

import sys
import time

from against_pgbench import UNIX, prewarm, query, setting_of, stocked
from embedded import A_BATCH, bare, recorded
from farecard.desk.flow import Flow
from farecard.desk.opening import writing_desk
from farecard.wire.answer import encode_answer
from results import result
from workload import Traffic

MILLION = 1_000_000


def run(desk, lines):
    """Commands a second, 4,096 a batch, answers encoded, everything durable."""
    flow = Flow(desk, A_BATCH)
    started = time.perf_counter()
    for start in range(0, len(lines), flow.a_put):
        entries = desk.read([("bench", line) for line in lines[start : start + flow.a_put]])
        flow.put(entries, lambda answers: [encode_answer(answer) for answer in answers])
    flow.finish()
    return len(lines) / (time.perf_counter() - started)


def twin(server, url, name):
    """A copy of the store beside it; its key is the same."""
    query(server.url(), f"CREATE DATABASE {name} TEMPLATE farecard")
    query(server.url(name), "VACUUM ANALYZE")
    prewarm(server.url(name), "farecard")
    return url.replace("/farecard?", f"/{name}?")


def against_rows(cards, pairs, count=20 * A_BATCH):
    """The desk against the same rows written without rules, into a copy of the store."""
    with stocked(cards) as (server, url):
        setting = f"{setting_of(server, UNIX)}, {cards:,} cards, {A_BATCH} a batch, {count:,} commands a pair"
        other = writing_desk(twin(server, url, "bare"))
        ours = writing_desk(url)
        written, traffic, got = recorded(ours), Traffic(cards, seed=6), []
        for n in range(pairs + 1):
            written.clear()
            speed = run(ours, traffic.lines(count))
            base = bare(other.store, written)
            if n:  # the first pair only warms both stores
                got.append((speed, base))
        ours.store.close()
        other.store.close()
    name = "journal and rows written (yardstick: the same rows written without rules)"
    return result(name, "commands/s", got, setting)


def against_empty(cards, pairs, lines=20 * MILLION, count=200_000):
    """The last 200,000 lines into a store that holds 20 million, against one that only holds the cards."""
    with stocked(cards) as (server, url):
        server_setting = setting_of(server, UNIX)
        small = writing_desk(twin(server, url, "small"))
        large = writing_desk(url)
        traffic = Traffic(cards, seed=7)
        done = cards
        while done < lines - count:
            run(large, traffic.lines(min(MILLION, lines - count - done)))
            done = min(done + MILLION, lines - count)
            print(f"  {done:,} lines in the large store", file=sys.stderr)
        run(large, traffic.ends_of_rides())
        a_pair = count // (pairs + 1)
        got = []
        for n in range(pairs + 1):
            some = traffic.lines(a_pair)
            both = [1e6 / run(desk, some) for desk in ((large, small) if n % 2 else (small, large))]
            if n:  # the first pair only warms both stores
                got.append(tuple(both if n % 2 else both[::-1]))
        large.store.close()
        small.store.close()
    setting = f"{server_setting}, {cards:,} cards in both, {A_BATCH} a batch, {a_pair:,} commands a pair"
    name = f"a store of {lines // MILLION} million lines, time a command (yardstick: a store of its cards alone)"
    return result(name, "µs", got, setting, better="lower")
