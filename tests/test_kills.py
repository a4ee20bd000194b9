"""Killed for real, at any point: nothing that was answered is lost, nothing is done twice.

``FARECARD_KILLS`` says how many SIGKILLs each engine gets (60 unless said), ``FARECARD_SEED`` where they fall.
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

KILLS = int(os.environ.get("FARECARD_KILLS", "60"))
SEED = int(os.environ.get("FARECARD_SEED", "1"))
LINES = 4_000
A_BATCH = "50"


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """A journal, what an undisturbed replay answers, what it answers when run again, and what it leaves."""
    folder = tmp_path_factory.mktemp("calm")
    path = folder / "day.ndjson"
    path.write_bytes(b"\n".join(journal(LINES, seed=3)) + b"\n")
    url = f"sqlite:///{folder}/calm.db"
    told, again = (
        farecard("--store", url, "replay", "--batch", A_BATCH, path).stdout.splitlines() for _ in range(2)
    )
    return path, told, again, state(url)


def replay(url, path):
    return subprocess.Popen(
        [sys.executable, "-m", "farecard.cli.main", "--store", url, "replay", "--batch", A_BATCH, path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def heard(run, lines, seconds):
    """Whole lines it answers until there are so many, so long has passed, or it ends."""
    until = time.monotonic() + seconds
    got = b""
    while got.count(b"\n") < lines:
        left = until - time.monotonic()
        if left <= 0 or not select.select([run.stdout], [], [], left)[0]:
            break
        some = os.read(run.stdout.fileno(), 1 << 14)
        if not some:
            break
        got += some
    return got


def without_repeated(answer):
    return {name: value for name, value in json.loads(answer).items() if name != "repeated"}


def kill_again_and_again(url, calm, end, kills):
    """Start a replay, let ``end`` kill it or its server, look at what it had answered; so many times."""
    path, told, _, _ = calm
    chance = random.Random(SEED)
    for n in range(kills):
        run = replay(url, path)
        # half of them fall at a line, half at a moment: while it starts, reads, writes or commits
        by_line = n % 2 == 0
        got = heard(run, chance.randrange(1, LINES) if by_line else LINES, 60 if by_line else chance.uniform(0.1, 0.9))
        end(n, run)
        got += run.stdout.read()
        run.stdout.close()
        run.wait()
        answers = got[: got.rfind(b"\n") + 1].splitlines()
        # each answer is the one an undisturbed replay gives, whether it was kept by this run or an earlier one
        assert list(map(without_repeated, answers)) == list(map(without_repeated, told[: len(answers)]))
        yield answers


def ends_as_calm(url, calm, answered):
    """Run once more undisturbed: what was ever answered is known, and the store is as if nothing had been."""
    path, told, again, whole = calm
    last = farecard("--store", url, "replay", "--batch", A_BATCH, path).stdout.splitlines()
    assert list(map(without_repeated, last)) == list(map(without_repeated, told))
    assert last[:answered] == again[:answered]  # as repeated, where a command is remembered
    assert state(url) == whole
    assert problems(url) == []


def kill_the_process(_n, run):
    run.send_signal(signal.SIGKILL)


def test_sqlite_loses_and_doubles_nothing(tmp_path, calm):
    """SIGKILL to the replay, again and again."""
    url = f"sqlite:///{tmp_path}/killed.db"
    answered = 0
    for answers in kill_again_and_again(url, calm, kill_the_process, KILLS):
        answered = max(answered, len(answers))
    ends_as_calm(url, calm, answered)


def test_postgresql_loses_and_doubles_nothing(calm, own_server):
    """SIGKILL to the replay and, every fourth time, to the server under it."""
    url = own_server.database()
    answered = servers = 0

    def kill(n, run):
        nonlocal servers
        if n % 4 != 3:
            kill_the_process(n, run)
            return
        own_server.kill()
        run.wait(60)  # it says that the server went away, or was done before
        own_server.start()
        servers += 1

    for answers in kill_again_and_again(url, calm, kill, KILLS):
        answered = max(answered, len(answers))
    assert servers == KILLS // 4
    ends_as_calm(url, calm, answered)
