"""One desk in a process of its own, for `bench/against_pgbench.py`: says it is ready, waits to be told to go.

``worker.py STORE WAY JOURNAL``: WAY is a batch size, or ``callers:N`` for so many callers of one command
each through group commit. On each line of standard input, ``go COUNT``, it decides the next COUNT
lines of the journal and answers with seconds and, of its main thread, the share of each step.
"""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

from farecard.desk.flow import Flow
from farecard.desk.opening import collect_rarely, writing_desk
from farecard.desk.threaded import ThreadQueue
from farecard.desk.waiting import AsyncWindow
from farecard.wire.answer import encode_answer


class Shares:
    """Seconds by step, taken by wrapping the functions that make the steps."""

    def __init__(self, desk):
        self.seconds = {}
        for owner, name in ((desk, "read"), (desk, "ask"), (desk.facts, "take"), (desk, "_decide"), (desk, "_close"),
                            (desk.store, "start"), (desk.store, "pump"), (desk.store, "finish")):  # fmt: skip
            self._wrap(owner, name)

    def _wrap(self, owner, name):
        inner = getattr(owner, name)

        def timed(*args):
            started = time.perf_counter()
            try:
                return inner(*args)
            finally:
                self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - started

        setattr(owner, name, timed)

    def taken(self):
        """The steps' seconds since it was last asked."""
        s, self.seconds = self.seconds, {}
        return s


STEPS = {"read": "decode", "ask": "asking", "take": "facts", "_decide": "rules and ledger", "_close": "rows and hash",
         "start": "sending", "pump": "sending on", "finish": "waiting for a commit"}  # fmt: skip


def said(told):
    """Where the time of some runs went, as shares of the wall clock; "sending on" happens within other steps."""
    words = [
        f"{name} {statistics.median(one['shares'].get(step, 0) / one['seconds'] for one in told):.0%}"
        for step, name in STEPS.items()
    ]
    return ", ".join(words)


def in_batches(desk, lines, size):
    flow = Flow(desk, size)
    told = 0

    def tell(answers):
        nonlocal told
        for answer in answers:
            encode_answer(answer)
        told += len(answers)

    for start in range(0, len(lines), flow.a_put):
        flow.put(desk.read([("bench", line) for line in lines[start : start + flow.a_put]]), tell)
    flow.finish()
    assert told == len(lines)


def by_callers(desk, lines, callers):
    queue = ThreadQueue(desk)
    waiting = iter(lines)
    told = 0

    async def caller(window):
        nonlocal told
        for line in waiting:
            encode_answer(await window.decide("bench", line))
            told += 1

    async def all_of_them():
        window = AsyncWindow(queue)
        await asyncio.gather(*(caller(window) for _ in range(callers)))

    asyncio.run(all_of_them())
    queue.close()
    assert told == len(lines)


def main():
    url, way, journal = sys.argv[1:]
    desk = writing_desk(url)
    collect_rarely()
    lines = Path(journal).read_bytes().splitlines()
    shares = Shares(desk)
    print("ready", flush=True)
    position = 0
    for order in sys.stdin:
        count = int(order.split()[1])
        some = lines[position : position + count]
        assert len(some) == count, "the journal is too short"
        position += count
        cpu = time.process_time()
        started = time.perf_counter()
        if way.startswith("callers:"):
            by_callers(desk, some, int(way[8:]))
        else:
            in_batches(desk, some, int(way))
        seconds = time.perf_counter() - started
        told = {"seconds": seconds, "cpu": time.process_time() - cpu, "shares": shares.taken()}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
