"""`make bench`: farecard against yardsticks, in alternating pairs on this machine, in this run.

Writes ``bench/latest.json`` and prints a table. Every answered command is durable (WAL,
synchronous FULL), as in production. Sizes can be made smaller for a look:
``python bench/run.py --cards 100000 --memory-lines 500000``.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from farecard.cli.journal import collect_rarely, sample_network, writing_desk
from farecard.desk.batch import Batch
from farecard.desk.desk import Desk, DryDesk
from farecard.network import Network, Networks
from farecard.storage.vault import Vault
from farecard.tariff import Tariff, packaged_text
from farecard.wire.answer import encode_answer
from farecard.wire.line import read_line
from workload import lines_of, stock

A_BATCH = 4096
HERE = Path(__file__).parent


class Recorder(Desk):
    """A desk that also remembers the rows it wrote, for the yardstick to write again."""

    written: list[Batch]

    def write(self, batch):
        super().write(batch)
        self.written.append(batch)


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


def bare(store, batches):
    """The same rows into the same tables with the same settings, and no rules."""
    count = sum(len(batch.events) for batch in batches)
    started = time.perf_counter()
    for batch in batches:
        store.begin()
        for table, rows in batch.rows.items():
            store.write(table, rows)
        store.end_numbers(batch.ended_numbers)
        store.commit()
    return count / (time.perf_counter() - started)


def result(name, unit, pairs, setting, *, better="higher"):
    """One entry of latest.json. The ratio is ours / yardstick."""
    ratios = [ours / yardstick for ours, yardstick in pairs]
    worst = min(ratios) if better == "higher" else max(ratios)
    return {
        "name": name,
        "ours": round(statistics.median(o for o, _ in pairs), 4),
        "yardstick": round(statistics.median(y for _, y in pairs), 4),
        "unit": unit,
        "pairs": len(pairs),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_lowest": round(worst, 3),
        "setting": setting,
    }


def kernel(pairs):
    """Decode + decide + encode without a store, against decoding and encoding alone."""
    lines = stock(10_000) + lines_of(10_000, 150_000, seed=1)
    networks = Networks([(0, Network(1, sample_network()))])
    got = []
    shares = []
    for _ in range(pairs):
        desk = DryDesk(None, Vault(b"k" * 32), Tariff(packaged_text()), networks)
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


def recorder(path):
    desk = writing_desk(f"sqlite:///{path}")
    return Recorder(desk.store, desk.vault, desk.tariff, desk.networks, desk.code)


def copy(path, name):
    other = path.with_name(name)
    shutil.copy(path, other)
    shutil.copy(f"{path}.key", f"{other}.key")
    return other


class Clock:
    """Where a replay's time goes, by wrapping the steps."""

    def __init__(self, desk):
        self.seconds = {}
        for owner, name, label in (
            (desk, "read", "decode"),
            (desk, "_load", "load"),
            (desk, "decide", "decide"),
            (desk, "write", "write"),
            (desk.store, "commit", "commit"),
        ):
            self._wrap(owner, name, label)
        self._wrap(Batch, "freeze", "rows")
        self._wrap(Batch, "seal", "hash")
        self._wrap(Batch, "take_transfers", "ledger")

    def _wrap(self, owner, name, label):
        inner = getattr(owner, name)

        def timed(*args):
            started = time.perf_counter()
            try:
                return inner(*args)
            finally:
                self.seconds[label] = self.seconds.get(label, 0) + time.perf_counter() - started

        setattr(owner, name, timed)

    def shares(self, whole):
        s = self.seconds
        s["rules"] = s.pop("decide") - s["load"] - s["rows"] - s["hash"] - s["ledger"]
        s["journal rows + hash"] = s.pop("rows") + s.pop("hash")
        order = ("decode", "load", "rules", "ledger", "journal rows + hash", "write", "commit")
        return ", ".join(f"{name} {s[name] / whole:.0%}" for name in order)


def store_replay(path, cards, pairs):
    """SQLite replay, 4,096 a batch, cards hit evenly, against bare writes of the same rows."""
    ours = recorder(copy(path, "ours.db"))
    yardstick = writing_desk(f"sqlite:///{copy(path, 'bare.db')}").store
    a_pair = 20 * A_BATCH
    lines = lines_of(cards, a_pair * (pairs + 2), seed=2)
    got = []
    for n in range(pairs + 1):
        ours.written = []
        speed = replay(ours, lines[n * a_pair : (n + 1) * a_pair])
        base = bare(yardstick, ours.written)
        if n:  # the first pair only warms both stores
            got.append((speed, base))
    clock = Clock(ours)
    started = time.perf_counter()
    replay(ours, lines[-a_pair:])
    shares = clock.shares(time.perf_counter() - started)
    setting = f"SQLite WAL FULL, {cards:,} cards hit evenly, {A_BATCH} a batch, {a_pair:,} commands a pair; {shares}"
    return result("replay into SQLite (yardstick: bare writes of the same rows)", "commands/s", got, setting)


def store_size(large, small, cards, pairs):
    """The same commands on the same 10,000 cards: a large store against a small one."""
    ours, yardstick = (recorder(copy(path, f"hot-{path.name}")) for path in (large, small))
    a_pair = 20 * A_BATCH
    lines = lines_of(10_000, a_pair * (pairs + 1), seed=3)
    got = []
    for n in range(pairs + 1):
        some = lines[n * a_pair : (n + 1) * a_pair]
        both = []
        for desk in (ours, yardstick):
            desk.written = []
            both.append(1 / replay(desk, some))
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


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cards", type=int, default=1_000_000)
    options.add_argument("--pairs", type=int, default=7)
    options.add_argument("--memory-lines", type=int, default=5_000_000)
    options.add_argument("--only", help="one step: kernel, store, size, start, memory; the rest of latest.json stays")
    options.add_argument("--out", type=Path, default=HERE / "latest.json")
    args = options.parse_args()
    collect_rarely()  # as `farecard replay` does
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    with tempfile.TemporaryDirectory(prefix="farecard-bench-") as name:
        folder = Path(name)
        found = []
        many = folder / f"cards-{args.cards}.db"
        steps = {
            "kernel": lambda: kernel(args.pairs),
            "store": lambda: store_replay(many, args.cards, args.pairs),
            "size": lambda: store_size(many, sold(folder, 10_000), args.cards, args.pairs),
            "start": lambda: start_up(folder, many, args.pairs),
            "memory": lambda: memory(folder, args.memory_lines),
        }
        if args.only in (None, "store", "size", "start"):
            print(f"selling {args.cards:,} cards ...", file=sys.stderr)
            sold(folder, args.cards)
        for title, step in steps.items():
            if args.only in (None, title):
                print(f"measuring: {title} ...", file=sys.stderr)
                found.append(step())
                found[-1]["setting"] += f"; {machine}"
    kept = json.loads(args.out.read_text("utf-8")) if args.only and args.out.exists() else []
    fresh = {one["name"]: one for one in found}
    found = [fresh.pop(one["name"], one) for one in kept] + list(fresh.values())
    args.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    for one in found:
        print(f"{one['name']}\n    {one['ours']:,} {one['unit']}, yardstick {one['yardstick']:,};"
              f" ratio {one['ratio_median']} (worst {one['ratio_lowest']}, {one['pairs']} pairs)\n    {one['setting']}")  # fmt: skip


if __name__ == "__main__":
    main()
