"""Killed for real, at any point: nothing that was answered is lost, nothing is done twice.

``FARECARD_KILLS`` says how many SIGKILLs replays get on each engine (45 unless said, so that all together are a hundred; the server under them gets a
third as many, since it takes seconds to come back), ``FARECARD_SEED`` where they fall.
"""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time

import pytest

from conftest import farecard
from farecard.sample import journal
from state import problems, state

KILLS = int(os.environ.get("FARECARD_KILLS", "45"))
SEED = int(os.environ.get("FARECARD_SEED", "1"))
WINDOW = 1_200  # lines a replay is given: from the first that was not answered yet
A_BATCH = "40"


def replay(url, path):
    return subprocess.Popen(
        [sys.executable, "-m", "farecard.cli.main", "--store", url, "replay", "--batch", A_BATCH, path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def heard(run, got, lines, seconds):
    """Add what it answers until there are so many lines, so long has passed, or it ends."""
    until = time.monotonic() + seconds
    while got.count(b"\n") < lines:
        left = until - time.monotonic()
        if left <= 0 or not select.select([run.stdout], [], [], left)[0]:
            break
        some = os.read(run.stdout.fileno(), 1 << 14)
        if not some:
            break
        got += some


def without_repeated(answer):
    return {name: value for name, value in json.loads(answer).items() if name != "repeated"}


class Killed:
    """Replays of one long journal into one store, each killed on its way and the next going on from there."""

    def __init__(self, url, folder, end, kills):
        self.url = url
        self.lines = list(journal(kills * WINDOW, seed=3))
        self.file = folder / "some.ndjson"
        self.chance = random.Random(SEED)
        self.answered = 0  # lines of the journal
        self.told = []  # of each run: where it began, and its answers
        self.on_the_way = 0  # runs that were killed after their first answer and before their last
        self.kills = kills
        for n in range(kills):
            self.once(n, end)

    def once(self, n, end):
        """Start a replay of what is not answered yet, kill it or its server, keep what it had answered."""
        self.file.write_bytes(b"\n".join(self.lines[self.answered : self.answered + WINDOW]) + b"\n")
        run = replay(self.url, self.file)
        got = bytearray()
        if n % 4 == 0:  # while it starts
            heard(run, got, WINDOW, self.chance.uniform(0.05, 0.4))
        elif n % 4 == 2:  # at a line, when it waits for its reader
            heard(run, got, self.chance.randrange(1, WINDOW // 2), 60)
        else:  # soon after its first line: while it decides, writes, commits or reads
            heard(run, got, 1, 60)
            heard(run, got, WINDOW, self.chance.uniform(0, 0.03))
        end(n, run)
        heard(run, got, WINDOW + 1, 60)  # to the end of it
        run.wait(60)
        run.stdout.close()
        answers = bytes(got[: got.rfind(b"\n") + 1]).splitlines()
        self.told.append((self.answered, answers))
        self.on_the_way += 0 < len(answers) < WINDOW
        self.answered += len(answers)

    def proves_nothing_is_lost(self, folder):
        """Run all of it once more, and beside it on a store that nobody disturbs: both are as if nothing had been."""
        assert self.on_the_way > self.kills // 3
        self.file.write_bytes(b"\n".join(self.lines[: self.answered + WINDOW]) + b"\n")
        calm = f"sqlite:///{folder}/calm.db"
        told, again = (farecard("--store", calm, "replay", self.file).stdout.splitlines() for _ in range(2))
        for start, answers in self.told:
            # each is the one an undisturbed replay gives, whether it was kept by that run or an earlier one
            calmly = told[start : start + len(answers)]
            assert list(map(without_repeated, answers)) == list(map(without_repeated, calmly))
        last = farecard("--store", self.url, "replay", self.file).stdout.splitlines()
        assert list(map(without_repeated, last)) == list(map(without_repeated, told))
        assert last[: self.answered] == again[: self.answered]  # as repeated, where a command is remembered
        assert state(self.url) == state(calm)
        assert problems(self.url) == []


def kill_the_process(_n, run):
    run.send_signal(signal.SIGKILL)


def test_sqlite_loses_and_doubles_nothing(tmp_path):
    """SIGKILL to the replay, again and again."""
    Killed(f"sqlite:///{tmp_path}/killed.db", tmp_path, kill_the_process, KILLS).proves_nothing_is_lost(tmp_path)


@pytest.mark.parametrize("what", ["the replay", "the server"])
def test_postgresql_loses_and_doubles_nothing(tmp_path, own_server, what):
    """SIGKILL to the replay, or to the server under it: that one says so, and ends."""

    def kill_the_server(_n, _run):
        own_server.kill()
        own_server.start()

    end, kills = (kill_the_process, KILLS) if what == "the replay" else (kill_the_server, -(-KILLS // 3))
    Killed(own_server.database(), tmp_path, end, kills).proves_nothing_is_lost(tmp_path)
