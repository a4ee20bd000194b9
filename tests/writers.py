"""Desks in processes of their own on one store, driven through pipes: they can be made to collide.

A job is what each process sends, call by call. All begin at one word. ``held`` has each wait, when its first
batch is decided and before anything of it is written, until all are that far; then they write together, or
IN_TURN, the next once the one before has told all.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

Lines = Sequence[tuple[str, bytes]]  # sender and line
TOGETHER = "together"
IN_TURN = "in turn"


class Call(NamedTuple):
    """What one process handed in at once, and what it was told. Times are the machine's, in nanoseconds."""

    lines: list[tuple[str, bytes]]
    answers: list[bytes]
    sent: int
    told: int


class Report(NamedTuple):
    """What the processes did, each process's calls in order; and how often somebody had to decide anew."""

    calls: list[list[Call]]
    conflicts: int


class Writers:
    """So many processes, kept from job to job, for starting one takes longer than a job."""

    def __init__(self, count: int) -> None:
        self._runs = [
            subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(count)
        ]

    def close(self) -> None:
        """End them."""
        for run in self._runs:
            run.stdin.close()
        for run in self._runs:
            run.wait(60)
            run.stdout.close()

    def run(
        self, url: str, jobs: Sequence[Sequence[Lines]], *, held: str | None = None, by_flow: bool = False
    ) -> Report:
        """Give each process its calls, let them begin together, and gather what they were told."""
        runs = self._runs[: len(jobs)]
        for run, calls in zip(runs, jobs, strict=True):
            text = [[(sender, line.decode()) for sender, line in lines] for lines in calls]
            _say(run.stdin, {"url": url, "calls": text, "held": held, "by_flow": by_flow})
        for run in runs:
            _hear(run)
        self._go(runs)
        heard = [_hear(run) for run in runs]
        waiting = [n for n, one in enumerate(heard) if one["said"] == "decided"]
        if held == TOGETHER:
            self._go([runs[n] for n in waiting])
        for n in waiting:
            if held == IN_TURN:
                self._go([runs[n]])
            heard[n] = _hear(runs[n])
        calls = [
            [
                Call(list(lines), [answer.encode() for answer in answers], sent, told)
                for lines, (answers, sent, told) in zip(calls, one["calls"], strict=True)
            ]
            for calls, one in zip(jobs, heard, strict=True)
        ]
        return Report(calls, sum(one["conflicts"] for one in heard))

    def _go(self, runs: list[Any]) -> None:
        for run in runs:
            run.stdin.write(b"go\n")
            run.stdin.flush()


@contextmanager
def writers(count: int) -> Iterator[Writers]:
    """Processes that are ended behind it."""
    made = Writers(count)
    try:
        yield made
    finally:
        made.close()


def _say(to: Any, what: Any) -> None:
    to.write(json.dumps(what).encode() + b"\n")
    to.flush()


def _hear(run: Any) -> Any:
    line = run.stdout.readline()
    assert line, f"a writer ended with status {run.wait(10)}"
    heard = json.loads(line)
    assert "error" not in heard, heard["error"]
    return heard


# -- within such a process -----------------------------------------------------------------------


class _Writer:
    """One desk, and what is counted of it."""

    def __init__(self, url: str) -> None:
        from farecard.desk.opening import writing_desk

        self.url = url
        self.desk = writing_desk(url)
        self.conflicts = 0
        self._hold: Callable[[], None] | None = None
        self._again, self._start = self.desk.again, self.desk.store.start
        self.desk.again = self.again
        self.desk.store.start = self.start

    def again(self, entries: Any) -> Any:
        """A batch collided."""
        self.conflicts += 1
        return self._again(entries)

    def start(self, *args: Any) -> None:
        """A batch is decided and about to be written."""
        if self._hold is not None:
            hold, self._hold = self._hold, None
            hold()
        self._start(*args)

    def run(self, job: Any) -> Any:
        """Do a job; gives what was told and when."""
        self.conflicts = 0
        self._hold = _hold if job["held"] else None
        calls = [[(sender, line.encode()) for sender, line in lines] for lines in job["calls"]]
        told = self._by_flow(calls) if job["by_flow"] else self._one_by_one(calls)
        return {"said": "done", "calls": told, "conflicts": self.conflicts}

    def _one_by_one(self, calls: Any) -> Any:
        told = []
        for lines in calls:
            sent = time.monotonic_ns()
            answers = self.desk.run(lines)
            told.append((_texts(answers), sent, time.monotonic_ns()))
        return told

    def _by_flow(self, calls: Any) -> Any:
        from farecard.desk.flow import Flow

        most = max(map(len, calls))
        flow = Flow(self.desk, most)
        told: list[Any] = []
        for lines in calls:
            sent = time.monotonic_ns()
            flow.put(
                self.desk.read(lines),
                lambda answers, sent=sent: told.append((_texts(answers), sent, time.monotonic_ns())),
            )
        flow.finish()
        return told


def _texts(answers: Any) -> list[str]:
    from farecard.wire.answer import encode_answer

    return [encode_answer(answer).decode() for answer in answers]


def _hold() -> None:
    _say(sys.stdout.buffer, {"said": "decided"})
    sys.stdin.buffer.readline()


def main() -> None:
    """Jobs in, reports out, until standard input ends."""
    writer: _Writer | None = None
    for line in iter(sys.stdin.buffer.readline, b""):
        try:
            job = json.loads(line)
            if writer is None or writer.url != job["url"]:
                if writer is not None:
                    writer.desk.store.close()
                writer = _Writer(job["url"])
            _say(sys.stdout.buffer, {"said": "ready"})
            sys.stdin.buffer.readline()
            _say(sys.stdout.buffer, writer.run(job))
        except Exception as error:  # noqa: BLE001  # whatever it is, the test that drives us tells it
            import traceback

            _say(sys.stdout.buffer, {"error": f"{error}\n{traceback.format_exc()}"})
            os._exit(1)
    if writer is not None:
        writer.desk.store.close()


if __name__ == "__main__":
    main()
