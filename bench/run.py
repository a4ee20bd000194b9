"""`make bench`: farecard against yardsticks, in alternating pairs on this machine, in this run.

Writes ``bench/latest.json``, prints a table, and draws ``docs/bench.svg``. Every answered command is durable,
as in production. ``--only STEP`` measures one step and keeps the other steps of latest.json; ``--long`` those that
take half an hour; smaller sizes are for a look: ``--cards 100000``.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import embedded
import month
import pages
import rows_and_size
import window
from against_pgbench import TCP, UNIX, against_pgbench
from farecard.desk.opening import collect_rarely
from plot import draw
from results import told

HERE = Path(__file__).parent
SOCKETS = {"pgbench": TCP, "pgbench-unix": UNIX}  # desks on other machines, and on the server's own
SHORT = (*SOCKETS, "http", "rows", "kernel", "sqlite", "size", "start", "pages")
LONG = ("memory", "twenty", "month", "history")


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--lines", type=int, default=20_000_000, help="in the large store of --only twenty")
    parser.add_argument("--memory-lines", type=int, default=5_000_000)
    parser.add_argument("--people", type=int, default=1_000_000, help="who apply and charge ten times each")
    parser.add_argument("--long", action="store_true", help=f"measure {', '.join(LONG)} instead of the rest")
    parser.add_argument("--only", choices=SHORT + LONG)
    parser.add_argument("--out", type=Path, default=HERE / "latest.json")
    parser.add_argument("--plot", type=Path, default=HERE.parent / "docs" / "bench.svg")
    return parser.parse_args()


def measure(args, step, folder):
    """The results of one step."""
    many = folder / f"cards-{args.cards}.db"
    if step in ("sqlite", "size", "start") and not many.exists():
        print(f"selling {args.cards:,} cards into SQLite ...", file=sys.stderr)
        embedded.sold(folder, args.cards)
    if step in SOCKETS:
        return against_pgbench(args.cards, args.pairs, SOCKETS[step])
    if step == "http":
        return window.against_echo_and_pgbench(args.cards, args.pairs)
    if step in ("month", "history"):
        return {"month": month.run, "history": month.history}[step](folder, args.people, args.pairs)
    one = {
        "rows": lambda: rows_and_size.against_rows(args.cards, args.pairs),
        "kernel": lambda: embedded.kernel(args.pairs),
        "sqlite": lambda: embedded.store_replay(many, args.cards, args.pairs),
        "size": lambda: embedded.store_size(many, embedded.sold(folder, 10_000), args.cards, args.pairs),
        "start": lambda: embedded.start_up(folder, many, args.pairs),
        "pages": lambda: pages.against_few(folder, args.cards, args.pairs),
        "memory": lambda: embedded.memory(folder, args.memory_lines),
        "twenty": lambda: rows_and_size.against_empty(args.cards, args.pairs, args.lines),
    }
    return [one[step]()]


def main():
    args = options()
    collect_rarely()  # as `farecard replay` does
    steps = [args.only] if args.only else LONG if args.long else SHORT
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    fresh = []
    with tempfile.TemporaryDirectory(prefix="farecard-bench-") as name:
        for step in steps:
            started = time.perf_counter()
            print(f"measuring: {step} ...", file=sys.stderr)
            for one in measure(args, step, Path(name)):
                one["setting"] += f"; {machine}"
                fresh.append({"step": step, **one})
            print(f"  took {time.perf_counter() - started:.0f} s", file=sys.stderr)
    kept = json.loads(args.out.read_text("utf-8")) if args.out.exists() else []
    found = sorted(
        [one for one in kept if one.get("step") not in steps] + fresh,
        key=lambda one: (SHORT + LONG).index(one["step"]),
    )
    args.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    args.plot.write_text(draw(found), "utf-8")
    print(told(found))


if __name__ == "__main__":
    main()
