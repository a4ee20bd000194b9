"""The desk on PostgreSQL against `pgbench` on the same server, in turn: A B C D E, A B C D E, …

One round is one run of pgbench (TPC-B, ``-M prepared -c 32 -j 2``) and one of each way to hand commands
to the desk. The server runs as in production: fsync, synchronous commit, full page writes.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from farecard.cli.journal import writing_desk  # noqa: E402
from farecard.desk.flow import Flow  # noqa: E402
from postgres import Server, query  # noqa: E402
from workload import Traffic, stock  # noqa: E402

# memory and checkpoints for a machine of 4 GB or more; everything about durability is PostgreSQL's default
SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "16GB", "checkpoint_timeout": "30min", "max_connections": "60"}
SCALE = 50
WAYS = {  # name: (way of the worker, processes, must, aim)
    "4,096 a batch, one process": ("4096", 1, 6, 12),
    "4,096 a batch, two processes": ("4096", 2, 9, 20),
    "64 a batch": ("64", 1, 4, 7),
    "64 callers of one command each": ("callers:64", 1, 2.5, 5),
}


class Pgbench:
    """The yardstick, on a database of its own in the same server, over the same kind of socket."""

    def __init__(self, server, seconds):
        self.server = server
        self.seconds = seconds
        query(server.url(), "CREATE DATABASE pgbench")
        self._run("-i", "-q", "-s", str(SCALE))
        prewarm(server.url("pgbench"), "public")

    def _run(self, *args):
        where = ("-h", str(self.server.folder), "-p", str(self.server.port), "-U", "farecard")
        call = [self.server.bin / "pgbench", *where, *args, "pgbench"]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout

    def speed(self):
        """Transactions a second."""
        told = self._run("-n", "-M", "prepared", "-c", "32", "-j", "2", "-T", str(self.seconds))
        return float(re.search(r"tps = ([\d.]+)", told)[1])


def prewarm(url, schema):
    """Read every table and index into the server's memory."""
    query(url, "CREATE EXTENSION IF NOT EXISTS pg_prewarm WITH SCHEMA public")
    query(
        url,
        "SELECT public.pg_prewarm(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        f" WHERE nspname = '{schema}' AND relkind IN ('r', 'i')",
    )


class Worker:
    """A desk in a process of its own."""

    def __init__(self, url, way, journal):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", url, way, journal],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ready(self):
        assert self.process.stdout.readline() == "ready\n"

    def go(self, count):
        self.process.stdin.write(f"go {count}\n")
        self.process.stdin.flush()

    def told(self):
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def sell(url, cards):
    """A store in which so many cards were sold."""
    desk = writing_desk(url)
    flow = Flow(desk, 4096)
    for start in range(0, cards, 4096):
        some = stock(min(4096, cards - start), start)
        flow.put(desk.read([("bench", line) for line in some]), lambda _: None)
    flow.finish()
    desk.store.close()
    query(url, "VACUUM ANALYZE")
    prewarm(url, "farecard")


def workers(url, folder, cards, rounds, counts):
    """One process for each journal; the journals lie in time as they will be run."""
    traffic = Traffic(cards, seed=5)
    files = {}
    for _ in range(rounds):
        for name, (_, processes, *_) in WAYS.items():
            if name not in counts:
                continue
            for part in range(processes):
                file = files.setdefault((name, part), (folder / f"{len(files)}.ndjson").open("wb"))
                lines = traffic.lines(counts[name] // processes, part, processes)
                file.write(b"\n".join(lines) + b"\n")
    found = {}
    for (name, _), file in files.items():
        file.close()
        found.setdefault(name, []).append(Worker(url, WAYS[name][0], file.name))
    for some in found.values():
        for one in some:
            one.ready()
    return found


def measure(cards, pairs, seconds, count, only=None):
    """Speeds by way, and pgbench's beside each, one a round; and where a desk's time went."""
    names = [name for name in WAYS if only is None or only in name]
    with tempfile.TemporaryDirectory(prefix="farecard-bench-") as made:
        folder = Path(made)
        server = Server("18", SETTINGS)
        try:
            print(f"selling {cards:,} cards ...", file=sys.stderr)
            url = server.url("farecard", by_socket=True)
            query(server.url(), "CREATE DATABASE farecard ENCODING 'UTF8' TEMPLATE template0")
            sell(url, cards)
            yardstick = Pgbench(server, seconds)
            counts = {name: count // (4 if "callers" in name else 1) for name in names}
            running = workers(url, folder, cards, pairs + 1, counts)
            got = {name: [] for name in names}
            shares = {name: [] for name in names}
            for number in range(pairs + 1):
                query(server.url(), "CHECKPOINT")
                base = yardstick.speed()
                for name in names:
                    for one in running[name]:
                        one.go(counts[name] // len(running[name]))
                    told = [one.told() for one in running[name]]
                    speed = counts[name] / max(one["seconds"] for one in told)
                    print(f"  {name}: {speed:,.0f}/s, pgbench {base:,.0f}/s: {speed / base:.1f}", file=sys.stderr)
                    if number:  # the first round only warms up
                        got[name].append((speed, base))
                        shares[name].append(told[0])
            for some in running.values():
                for one in some:
                    one.close()
            return got, {name: said(some) for name, some in shares.items()}
        finally:
            server.stop()


STEPS = {"read": "decode", "ask": "asking", "take": "load", "_decide": "rules and ledger", "_close": "rows and hash",
         "start": "sending", "pump": "sending on", "finish": "waiting for a commit"}  # fmt: skip


def said(told):
    """Where a worker's time went, as shares of the wall clock; steps of two threads overlap."""
    words = [
        f"{name} {statistics.median(one['shares'][step] / one['seconds'] for one in told):.0%}"
        for step, name in STEPS.items()
    ]
    busy = statistics.median(one["cpu"] / one["seconds"] for one in told)
    return ", ".join(words) + f"; the process computes {busy:.0%} of the time"


if __name__ == "__main__":
    cards, pairs, seconds, count = (int(arg) for arg in sys.argv[1:5])
    got, shares = measure(cards, pairs, seconds, count, *sys.argv[5:6])
    for name, some in got.items():
        print(name, f"{statistics.median(a / b for a, b in some):.2f}", shares[name])
