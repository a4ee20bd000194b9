"""The HTTP window against its yardsticks, 64 connections, PostgreSQL behind, full rules and durability.

A round: pgbench, single commands, an echo of FastAPI, a journal, the same by a desk alone, and single
commands at four fifths of what was reached, for how long they take then.
"""

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from against_pgbench import HERE, TCP, YARDSTICK, Pgbench, Worker, setting_of, stocked
from postgres import free_port
from results import result
from serving import Served
from workload import Traffic

CONNECTIONS = 64
SHARE = 0.8  # of the speed reached


class Load(Worker):
    """The load generator."""

    def __init__(self, port, key, file):
        super().__init__("load.py", "127.0.0.1", str(port), key, file)
        self.ready()

    def run(self, *order):
        """What is told of one order."""
        self.go(*order)
        return self.told()


@contextmanager
def echoing():
    """The port of the echo."""
    port = free_port()
    process = subprocess.Popen([sys.executable, HERE / "echo.py", str(port)])
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until and process.poll() is None, "the echo does not start"
        yield port
    finally:
        process.terminate()
        process.wait()


def cpu_of(pid):
    """Seconds a process has computed, to the nanosecond: Linux gives each process a clock of that."""
    return time.clock_gettime(~pid << 3 | 2)


class Window:
    """A serving farecard with a key, and its load."""

    def __init__(self, url, file):
        self.served = Served(url, "--log-level", "error")
        key = self.served.key("bench", "gate,shop,ticket-machine")
        self.load = Load(self.served.port, key, file)
        self.pid = self.served.process.pid

    def busy(self, do):
        """What was told of one run, and the share of the time the server computed."""
        before, began = cpu_of(self.pid), time.perf_counter()
        told = do()
        told["busy"] = (cpu_of(self.pid) - before) / (time.perf_counter() - began)
        return told

    def close(self):
        self.load.close()
        assert self.served.stop() == 0, self.served.said


def written(folder, name, lines):
    file = folder / f"{name}.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    return str(file)


def speed_of(told, count):
    """Commands a second; all were answered with a decision."""
    strange = set(told.get("said", ())) - {"200 accepted", "200 refused"}
    assert not strange, [told["first"][one] for one in strange]
    return count / told["seconds"]


def against_echo_and_pgbench(cards, pairs, seconds=5, count=30_720, journal=122_880):
    """The results; ``count`` single commands and ``journal`` lines a round."""
    rounds = []
    with tempfile.TemporaryDirectory(prefix="farecard-bench-") as made, stocked(cards, TCP) as (server, url):
        folder, traffic = Path(made), Traffic(cards, seed=8)
        setting = setting_of(server, TCP)
        yardstick = Pgbench(server, seconds, TCP)
        to_window, to_desk, to_echo = [], [], traffic.lines(count * (pairs + 1))
        for _ in range(pairs + 1):  # as they come: a card takes no command older than its last
            to_window += traffic.lines(count + journal)
            to_desk += traffic.lines(journal)
            to_window += traffic.lines(count)
        alone = Worker("worker.py", url, "4096", written(folder, "desk", to_desk))
        alone.ready()
        window = Window(url, written(folder, "window", to_window))
        with echoing() as port:
            echo = Load(port, "none", written(folder, "echo", to_echo))
            for _ in range(pairs + 1):
                one = {"pgbench": yardstick.speed()}
                one["single"] = window.busy(lambda: window.load.run("commands", count, CONNECTIONS))
                one["speed"] = speed_of(one["single"], count)
                one["echo"] = count / echo.run("commands", count, CONNECTIONS)["seconds"]
                one["upload"] = window.busy(lambda: window.load.run("journal", journal))
                one["journal"] = journal / one["upload"]["seconds"]
                alone.go("go", journal)
                one["desk"] = journal / alone.told()["seconds"]
                one["paced"] = window.load.run("rate", count, CONNECTIONS, int(SHARE * one["speed"]))
                speed_of(one["paced"], count)
                rounds.append(one)
                print(
                    f"  pgbench {one['pgbench']:,.0f}/s, echo {one['echo']:,.0f}, single {one['speed']:,.0f}, journal"
                    f" {one['journal']:,.0f}, desk {one['desk']:,.0f}; at {SHARE:.0%}: median"
                    f" {1e3 * one['paced']['median']:.1f} ms, p99 {1e3 * one['paced']['p99']:.1f} ms",
                    file=sys.stderr,
                )
            echo.close()
        window.close()
        alone.close()
    kept = rounds[1:]  # the first round only warms up

    def middle(find):
        return statistics.median(map(find, kept))

    setting += f", {cards:,} cards, {CONNECTIONS} connections on one machine, one process"
    single = (
        f"{setting}, {count:,} commands a pair; median {middle(lambda o: 1e3 * o['single']['median']):.1f} ms, p99"
        f" {middle(lambda o: 1e3 * o['single']['p99']):.1f} ms; it computes {middle(lambda o: o['single']['busy']):.0%} of the time"
    )
    upload = f"{setting}, {journal:,} lines a pair; it computes {middle(lambda o: o['upload']['busy']):.0%} of the time"
    return [
        result(f"HTTP: single commands {YARDSTICK}", "commands/s", [(o["speed"], o["pgbench"]) for o in kept], single),
        result(
            "HTTP: single commands, echoed (yardstick: FastAPI and uvicorn answer with the same JSON)",
            "commands/s", [(o["speed"], o["echo"]) for o in kept], single,
        ),
        result(
            "HTTP: a journal (yardstick: a desk alone, 4,096 a batch)",
            "commands/s", [(o["journal"], o["desk"]) for o in kept], upload,
        ),
        result(
            "HTTP: the slowest hundredth at four fifths of that load (yardstick: the median then)",
            "ms", [(1e3 * o["paced"]["p99"], 1e3 * o["paced"]["median"]) for o in kept], single, better="lower",
        ),
    ]  # fmt: skip
