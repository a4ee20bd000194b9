"""Replaying: in any batches, by pipe or by file, dry or for good. Killed and run again: test_kills.py."""

import json
import select
import subprocess
import sys
import time

import pytest

from conftest import WORKED_EXAMPLE, answers, command, farecard, new_desk
from farecard.sample import journal
from state import state


@pytest.mark.parametrize("batch", [1, 7, 4096])
def test_batches_decide_as_their_commands_one_by_one_would(tmp_path, batch):
    """The same journal in batches of any size: the same answers and the same state."""
    lines = list(journal(3_000, seed=5))
    one = new_desk(tmp_path, "one.db")
    other = new_desk(tmp_path, "other.db")
    assert answers(one, lines, batch=64) == answers(other, lines, batch=batch)
    one.store.close()
    other.store.close()
    assert state(f"sqlite:///{tmp_path}/one.db") == state(f"sqlite:///{tmp_path}/other.db")


def test_a_program_can_talk_to_replay_through_a_pipe(tmp_path):
    """Each line is answered before the next is sent, without waiting for more."""
    run = subprocess.Popen(
        [sys.executable, "-m", "farecard.cli.main", "replay", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip
    waits = []
    for line in WORKED_EXAMPLE.splitlines():
        started = time.perf_counter()
        run.stdin.write(line + b"\n")
        run.stdin.flush()
        assert select.select([run.stdout], [], [], 20)[0], "no answer"
        assert json.loads(run.stdout.readline())["id"] == json.loads(line)["id"]
        waits.append(time.perf_counter() - started)
    run.stdin.close()
    assert run.wait(20) == 0
    run.stdout.close()
    assert min(waits) < 0.02  # the first also starts the program


def test_lines_are_found_however_they_arrive(tmp_path):
    """A last line without an end, blank lines, carriage returns and lines without end in sight."""
    one, two, three, four = WORKED_EXAMPLE.splitlines()
    huge = b'{"id":"x","why":"' + b"y" * 3_000_000 + b'"}'
    data = one + b"\r\n\n  \n" + huge + b"\n" + two + b"\n" + b"z" * 70_000 + b"\n" + three + b"\n" + four
    for way in ("file", "pipe"):
        folder = tmp_path / way
        folder.mkdir()
        (folder / "j").write_bytes(data)
        args = ("replay", "j") if way == "file" else ("replay", "-")
        done = farecard(*args, cwd=folder, stdin=None if way == "file" else data)
        got = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(a["id"], a["outcome"]) for a in got] == [
            ("1", "accepted"), (None, "invalid"), ("2", "accepted"), (None, "invalid"),
            ("3", "accepted"), ("4", "refused"),
        ]  # fmt: skip


def test_a_dry_run_answers_the_same_and_keeps_nothing(tmp_path):
    """``try`` decides by the same path over what is there, takes no id and changes no file."""
    lines = list(journal(2_000, seed=4))
    (tmp_path / "all").write_bytes(b"\n".join(lines))
    (tmp_path / "head").write_bytes(b"\n".join(lines[:1_000]))
    farecard("replay", "head", cwd=tmp_path)
    before = state(f"sqlite:///{tmp_path}/farecard.db")
    tried = farecard("try", "--batch", "300", "all", cwd=tmp_path).stdout
    assert state(f"sqlite:///{tmp_path}/farecard.db") == before
    assert farecard("try", "--batch", "300", "all", cwd=tmp_path).stdout == tried
    assert farecard("replay", "--batch", "300", "all", cwd=tmp_path).stdout == tried


@pytest.mark.parametrize("batch", ["1", "2"])
def test_a_dry_run_tells_the_events_of_its_batches_apart(tmp_path, batch):
    """A purchase is not taken for one of the batch before that was reversed, with and without a store."""
    card = {"card": "JW000000000000001"}
    issue = command("0", "issue", kind="anonymous", paid=2000, **card)
    lines = []
    for id in ("1", "3", "5"):
        lines.append(command(id, "purchase", channel="shop", amount=100, merchant="kiosk-1", **card))
        lines.append(command(str(int(id) + 1), "reverse", channel="operations", of=id, why="returned"))
    farecard("replay", "-", stdin=b"\n".join([issue, *lines[:2]]), cwd=tmp_path)
    for lines_tried in (lines, [issue, *lines]):
        stdin = b"\n".join(lines_tried)
        folder = tmp_path if lines_tried is lines else tmp_path / "none"
        folder.mkdir(exist_ok=True)
        (folder / "j").write_bytes(stdin)
        done = farecard("try", "--batch", batch, "j", cwd=folder)
        assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["accepted"] * len(lines_tried)


def test_a_dry_run_without_a_store_makes_none(tmp_path):
    """It decides as for a new store, says so, and leaves no file behind."""
    done = farecard("try", "-", stdin=WORKED_EXAMPLE, cwd=tmp_path)
    assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()][-1] == "refused"
    assert b"no store" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["nowhere.ndjson", "."])
def test_a_journal_that_cannot_be_read_is_said_with_status_2(tmp_path, file):
    """No store is made for a journal that is not there."""
    done = farecard("replay", file, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert file.encode() in done.stderr
    assert not list(tmp_path.glob("*.db"))
