"""How much an idle desk takes of what waits: by what a commit costs by itself, and by what deciding costs."""

import pytest

from farecard.desk.pace import FEW, Pace

DECIDING = 30e-6  # seconds of the desk a command
EACH = 25e-6  # seconds of the store a command


def learned(commit, counts=(64, 32, 64, 32)):
    """After batches of these sizes, each kept in ``commit`` seconds and so much a command."""
    pace = Pace()
    for count in counts:
        pace.decided(count, count * DECIDING)
        pace.kept(count, commit + count * EACH)
    return pace


@pytest.mark.parametrize(
    ("commit", "first", "why"),
    [
        (0.0003, 32, "a quick disk: while one half is kept the other is decided"),
        (0.0019, 32, "64 are decided in 1.92 ms: a commit that takes less is worth a second one"),
        (0.0020, 64, "a commit takes longer than deciding: one for all"),
        (0.0100, 64, "a disk that turns: half of them would wait for two commits"),
    ],
)
def test_half_is_taken_first_when_a_commit_costs_less_than_deciding(commit, first, why):
    """64 wait at an idle desk."""
    assert learned(commit).first(64) == first, why


def test_without_a_commit_to_learn_from_half_is_taken():
    """Whatever was decided so far was nothing to keep."""
    pace = Pace()
    pace.decided(3, 3 * EACH)
    assert pace.commit == 0
    assert pace.first(64) == 32


def test_a_crowd_is_worth_more_commits_than_a_few():
    """A commit of 5 ms: 100 commands are decided in 3 ms, 1,000 in 30."""
    assert learned(0.005).first(100) == 100
    assert learned(0.005).first(1_000) == 500


def test_what_a_commit_takes_by_itself_is_told_from_what_is_in_it():
    """Two sizes tell the line; so do many; of one size alone nothing is known, and half is taken to learn it."""
    assert learned(0.004).commit == pytest.approx(0.004)
    assert learned(0.004, range(1, 100)).commit == pytest.approx(0.004)
    alike = learned(0.004, [64] * 50)
    assert alike.commit == 0
    assert alike.first(64) == 32


def test_it_follows_a_disk_that_becomes_slow():
    """After some hundred batches what was measured before is forgotten."""
    pace = learned(0.0003)
    for count in (32, 64) * 200:
        pace.kept(count, 0.01 + count * EACH)
    assert pace.commit == pytest.approx(0.01, rel=0.01)
    assert pace.first(64) == 64


def test_few_are_one_batch_and_so_are_the_first():
    """Below FEW a batch is too small to be halved; before anything was measured all is taken."""
    assert learned(0).first(FEW - 1) == FEW - 1
    assert learned(0).first(FEW) == FEW // 2
    assert learned(0).first(FEW + 1) == FEW // 2 + 1
    assert Pace().first(64) == 64
