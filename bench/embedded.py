"""The desk embedded in one process: without a store, and on SQLite (WAL, synchronous FULL, as in production)."""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from farecard.desk.dry import DryDesk
from farecard.desk.opening import packaged_inputs, writing_desk
from farecard.storage.vault import Vault
from farecard.wire.answer import encode_answer
from farecard.wire.line import read_line
from results import result
from worker import Shares, said
from workload import lines_of, stock

A_BATCH = 4096


def in_batches(lines):
    for start in range(0, len(lines), A_BATCH):
        yield [("bench", line) for line in lines[start : start + A_BATCH]]


def replay(desk, lines):
    """Commands a second, answers encoded, everything durable."""
    started = time.perf_counter()
    for some in in_batches(lines):
        for answer in desk.run(some):
            encode_answer(answer)
    return len(lines) / (time.perf_counter() - started)


def kernel(pairs):
    """Decode + decide + encode without a store, against decoding and encoding alone."""
    lines = stock(10_000) + lines_of(10_000, 150_000, seed=1)
    got = []
    shares = []
    for _ in range(pairs):
        desk = DryDesk(None, Vault(b"k" * 32), packaged_inputs())
        decode = encode = 0.0
        answers = []
        started = time.perf_counter()
        for some in in_batches(lines):
            t0 = time.perf_counter()
            entries = desk.read(some)
            t1 = time.perf_counter()
            answers = desk.settle(entries)
            t2 = time.perf_counter()
            for answer in answers:
                encode_answer(answer)
            decode += t1 - t0
            encode += time.perf_counter() - t2
        whole = time.perf_counter() - started
        shares.append((decode / whole, encode / whole))
        started = time.perf_counter()
        for line in lines:
            read_line(line)
        for answer in answers * (len(lines) // len(answers)):
            encode_answer(answer)
        got.append((len(lines) / whole, len(lines) / (time.perf_counter() - started)))
    decode, encode = (statistics.median(s[n] for s in shares) for n in (0, 1))
    setting = f"10,000 cards, {len(lines):,} commands, one core; decode {decode:.0%}, encode {encode:.0%} of ours"
    return result("decode + decide + encode, no store (yardstick: decode and encode alone)", "commands/s", got, setting)


def sold(folder, cards):
    """A store in which so many cards were sold."""
    desk = writing_desk(f"sqlite:///{folder}/cards-{cards}.db")
    replay(desk, stock(cards))
    desk.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    desk.store.close()
    return folder / f"cards-{cards}.db"


def recorded(desk):
    """The list that what a desk writes goes into from now on, for a yardstick to write again."""
    written = []
    start = desk.store.start

    def remember(writes, done):
        written.append(writes)
        start(writes, done)

    desk.store.start = remember
    return written


def bare(store, written):
    """The same rows into the same tables with the same settings, and no rules; rows of events a second."""
    count = sum(len(writes.rows["event"]) for writes in written)
    started = time.perf_counter()
    for writes in written:
        store.begin()
        store.start(writes, int)
        store.finish()
    return count / (time.perf_counter() - started)


def copy(path, name):
    other = path.with_name(name)
    shutil.copy(path, other)
    shutil.copy(f"{path}.key", f"{other}.key")
    return other


def store_replay(path, cards, pairs):
    """SQLite replay, 4,096 a batch, cards hit evenly, against bare writes of the same rows."""
    ours = writing_desk(f"sqlite:///{copy(path, 'ours.db')}")
    yardstick = writing_desk(f"sqlite:///{copy(path, 'bare.db')}").store
    written, shares = recorded(ours), Shares(ours)
    a_pair = 20 * A_BATCH
    lines = lines_of(cards, a_pair * (pairs + 1), seed=2)
    got, steps = [], []
    for n in range(pairs + 1):
        written.clear()
        speed = replay(ours, lines[n * a_pair : (n + 1) * a_pair])
        steps.append({"seconds": a_pair / speed, "shares": shares.taken()})
        base = bare(yardstick, written)
        if n:  # the first pair only warms both stores
            got.append((speed, base))
    setting = f"SQLite WAL FULL, {cards:,} cards hit evenly, {A_BATCH} a batch, {a_pair:,} commands a pair; {said(steps[1:])}"
    return result("replay into SQLite (yardstick: bare writes of the same rows)", "commands/s", got, setting)


def store_size(large, small, cards, pairs):
    """The same commands on the same 10,000 cards: a large store against a small one."""
    ours, yardstick = (writing_desk(f"sqlite:///{copy(path, f'hot-{path.name}')}") for path in (large, small))
    a_pair = 20 * A_BATCH
    lines = lines_of(10_000, a_pair * (pairs + 1), seed=3)
    got = []
    for n in range(pairs + 1):
        some = lines[n * a_pair : (n + 1) * a_pair]
        both = [1 / replay(desk, some) for desk in (ours, yardstick)]
        if n:
            got.append((both[0] * 1e6, both[1] * 1e6))
    setting = f"the same 10,000 cards, {cards:,} cards in the store against 10,000, {a_pair:,} commands a pair"
    return result("time a command in a large store (yardstick: a small store)", "µs", got, setting, better="lower")


# a small process of its own starts what is measured: a child's peak begins with its parent's size
LAUNCH = """
import os, subprocess, sys, time
started = time.perf_counter()
run = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(run.pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
"""


def whole(*call, cwd):
    """Seconds and peak memory (MB) of a whole process."""
    told = subprocess.run([sys.executable, "-c", LAUNCH, *call], cwd=cwd, capture_output=True, check=True)
    seconds, peak, status = told.stdout.split()
    assert int(status) == 0, call
    return float(seconds), float(peak)


def start_up(folder, path, pairs):
    """``farecard status`` as a whole process against a bare ``python -c pass``."""
    farecard = Path(sys.executable).with_name("farecard")
    ask = (farecard, "--store", f"sqlite:///{path}", "status", "JW000000000000007")
    nothing = (sys.executable, "-c", "pass")
    whole(*ask, cwd=folder)
    got = [
        (whole(*ask, cwd=folder)[0] * 1000, whole(*nothing, cwd=folder)[0] * 1000)
        for _ in range(max(pairs, 15))
    ]
    return result("farecard status, whole process (yardstick: python -c pass)", "ms", got,
                  "a store of many cards, warm files", better="lower")  # fmt: skip


def memory(folder, count):
    """Peak memory of replaying a generated journal, against one of a hundredth."""
    farecard = Path(sys.executable).with_name("farecard")
    peaks = []
    for lines in (count, max(1, count // 100)):
        journal = folder / "long.ndjson"
        with journal.open("wb") as file:
            subprocess.run([farecard, "sample", "--commands", str(lines), "--seed", "9"], stdout=file, check=True)
        seconds, peak = whole(farecard, "--store", f"sqlite:///{folder}/long-{lines}.db", "replay", journal, cwd=folder)
        peaks.append(peak)
        print(f"  {lines:,} lines in {seconds:.0f} s, {lines / seconds:,.0f} a second, {peak:.0f} MB", file=sys.stderr)
    journal.unlink()
    return result("memory of a replay (yardstick: of a hundredth of it)", "MB", [tuple(peaks)],
                  f"{count:,} generated commands, whole process, peak resident", better="lower")  # fmt: skip
