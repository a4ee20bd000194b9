"""The desk on PostgreSQL against `pgbench` on the same server, in turn: A B C D E, A B C D E, …

One round is one run of pgbench (TPC-B, ``-M prepared -c 32 -j 2``) and one of each way to hand commands
to the desk. The server runs as in production: fsync, synchronous commit, full page writes.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from farecard.desk.flow import Flow  # noqa: E402
from farecard.desk.opening import writing_desk  # noqa: E402
from postgres import Server, query  # noqa: E402
from results import result  # noqa: E402
from worker import said  # noqa: E402
from workload import Traffic, stock  # noqa: E402

# a quarter of the machine's memory, as PostgreSQL advises
BUFFERS = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // 2**20  # MB
# and rare checkpoints; everything about durability is PostgreSQL's default
SETTINGS = {
    "shared_buffers": f"{BUFFERS}MB",
    "max_wal_size": "16GB",
    "min_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_connections": "60",
}
SCALE = 50
HUGE_PAGES = Path("/proc/sys/vm/nr_hugepages")
HUGE_PAGES_NEEDED = BUFFERS // 2 + BUFFERS // 40 + 50  # of 2 MB, for shared_buffers and what goes with them
WAYS = {  # name: (way of the worker, processes)
    "4,096 a batch, one process": ("4096", 1),
    "4,096 a batch, two processes": ("4096", 2),
    "64 a batch": ("64", 1),
    "64 callers of one command each, through group commit": ("callers:64", 1),
}
TCP, UNIX = "TCP", "Unix socket"  # how both reach the server
YARDSTICK = f"(yardstick: pgbench -M prepared -c 32 -j 2, TPC-B, scale {SCALE})"


class Pgbench:
    """The yardstick, on a database of its own in the same server, over the same kind of socket."""

    def __init__(self, server, seconds, socket):
        self.server = server
        self.host = str(server.folder) if socket == UNIX else "127.0.0.1"
        self.seconds = seconds
        query(server.url(), "CREATE DATABASE pgbench")
        self._run("-i", "-q", "-s", str(SCALE))
        prewarm(server.url("pgbench"), "public")

    def _run(self, *args):
        where = ("-h", self.host, "-p", str(self.server.port), "-U", "farecard")
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
    """One of our programs in a process of its own: says it is ready, and answers each order with a line of JSON."""

    def __init__(self, program, *args):
        self.process = subprocess.Popen(
            [sys.executable, HERE / program, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ready(self):
        assert self.process.stdout.readline() == "ready\n"

    def go(self, *order):
        self.process.stdin.write(" ".join(map(str, order)) + "\n")
        self.process.stdin.flush()

    def told(self):
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@contextmanager
def huge_pages():
    """Reserve huge pages for the server, as docs/postgresql.md advises; where we may not, it does without."""
    try:
        before = int(HUGE_PAGES.read_text())
        HUGE_PAGES.write_text(str(max(before, HUGE_PAGES_NEEDED)))
    except OSError:
        print(
            f"  no huge pages: not on this system, or not for this user; as root: echo {HUGE_PAGES_NEEDED} > {HUGE_PAGES}",
            file=sys.stderr,
        )
        yield
        return
    try:
        yield
    finally:
        HUGE_PAGES.write_text(str(before))


def setting_of(server, socket):
    """How a server is set and reached, for the results."""
    huge = query(server.url(), "SHOW huge_pages_status")[0][0]
    told = {**SETTINGS, "huge pages": huge}
    return f"PostgreSQL 18, {socket}, fsync and synchronous commit on, " + ", ".join(
        f"{name} {value}" for name, value in told.items()
    )


@contextmanager
def stocked(cards, socket=UNIX):
    """A server and the URL of a store in it in which so many cards were sold."""
    with huge_pages(), _stocked(cards, socket) as made:
        yield made


@contextmanager
def _stocked(cards, socket):
    server = Server("18", SETTINGS)
    with tempfile.TemporaryDirectory() as keys:
        os.environ["FARECARD_KEY_FILE"] = f"{keys}/key"
        try:
            yield server, _sold(server, cards, socket)
        finally:
            del os.environ["FARECARD_KEY_FILE"]
            server.stop()


def _sold(server, cards, socket):
    print(f"selling {cards:,} cards ...", file=sys.stderr)
    url = server.url("farecard", by_socket=socket == UNIX)
    query(server.url(), "CREATE DATABASE farecard ENCODING 'UTF8' TEMPLATE template0")
    sell(url, cards)
    return url


def sell(url, cards):
    """A store in which so many cards were sold."""
    desk = writing_desk(url)
    flow = Flow(desk, 4096)
    for start in range(0, cards, flow.a_put):
        some = stock(min(flow.a_put, cards - start), start)
        flow.put(desk.read([("bench", line) for line in some]), lambda _: None)
    flow.finish()
    desk.store.close()
    query(url, "VACUUM ANALYZE")
    # the log's files are used again after a checkpoint, as on a server that has run for a while
    query(url, "SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 1000000))) FROM generate_series(1, 6000)")
    query(url, "CHECKPOINT")
    prewarm(url, "farecard")


def workers(url, folder, cards, rounds, counts):
    """The processes of each way; their journals lie in time as they will be run."""
    traffic = Traffic(cards, seed=5)
    files = {}
    for _ in range(rounds):
        for name, count in counts.items():
            processes = WAYS[name][1]
            for part in range(processes):
                file = files.setdefault((name, part), (folder / f"{len(files)}.ndjson").open("wb"))
                file.write(b"\n".join(traffic.lines(count // processes, part, processes)) + b"\n")
    found = {}
    for (name, _), file in files.items():
        file.close()
        found.setdefault(name, []).append(Worker("worker.py", url, WAYS[name][0], file.name))
    for some in found.values():
        for one in some:
            one.ready()
    return found


def round_of(running, counts):
    """One run of each way: commands a second, and what its first process told."""
    found = {}
    for name, some in running.items():
        for one in some:
            one.go("go", counts[name] // len(some))
        told = [one.told() for one in some]
        found[name] = counts[name] / max(one["seconds"] for one in told), told[0]
    return found


def against_pgbench(cards, pairs, socket, seconds=5, count=122_880):
    """The results of all ways, over one kind of socket; ``count`` commands a round, a quarter of them by single callers."""
    counts = {name: count // (4 if way.startswith("callers") else 1) for name, (way, _) in WAYS.items()}
    with tempfile.TemporaryDirectory(prefix="farecard-bench-") as made, stocked(cards, socket) as (server, url):
        server_setting = setting_of(server, socket)
        yardstick = Pgbench(server, seconds, socket)
        running = workers(url, Path(made), cards, pairs + 1, counts)
        rounds = []
        for _ in range(pairs + 1):
            base = yardstick.speed()
            rounds.append((base, round_of(running, counts)))
            speeds = ", ".join(f"{speed:,.0f}" for speed, _ in rounds[-1][1].values())
            print(f"  pgbench {base:,.0f}/s; {speeds}", file=sys.stderr)
        for some in running.values():
            for one in some:
                one.close()
    found = []
    for name in WAYS:
        kept = [(base, *ours[name]) for base, ours in rounds[1:]]  # the first round only warms up
        told = [one for *_, one in kept]
        busy = statistics.median(one["cpu"] / one["seconds"] for one in told)
        setting = (
            f"{server_setting}, {cards:,} cards, {counts[name]:,} commands a pair; {said(told)};"
            f" a process computes {busy:.0%} of the time"
        )
        pairs_of = [(speed, base) for base, speed, _ in kept]
        found.append(result(f"{name}, {socket} {YARDSTICK}", "commands/s", pairs_of, setting))
    return found
