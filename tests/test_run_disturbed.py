"""A month's run that is killed, doubled or crossed by others: in the end everybody has what one calm run would have given."""

import json
import os
import random
import signal
import subprocess
import sys

import pytest

from applicants import Applicants
from conftest import a_store, answers, command, farecard, new_desk
from farecard.desk.opening import writing_desk
from farecard.storage.opening import open_to_read
from state import problems, state
from writers import writers

LINES = [line for line in Applicants(900, seed=12).journal() if b"run_grants" not in line]
RUN = command("run", "run_grants", channel="operations", at="2023-12-01T06:00:00+09:00", month="2023-12")
KILLS = 8

# tells of each range of accounts that it has granted to
IN_SMALL_STEPS = """
import sys
from farecard.desk.opening import writing_desk
from farecard.desk import runs
from farecard.desk.desk import Desk
runs.GRANTS_A_BATCH = 25
grant = Desk._grant
def told(self, run, dues):
    print("range", flush=True)
    grant(self, run, dues)
Desk._grant = told
desk = writing_desk(sys.argv[1])
desk.run([("journal", sys.argv[2].encode())])
"""


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The store after an undisturbed run, and what that answered."""
    folder = tmp_path_factory.mktemp("calm")
    desk = new_desk(folder)
    answers(desk, LINES)
    said = answers(desk, [RUN])[0]
    assert said["result"]["grants"] > 600
    desk.store.close()
    return f"sqlite:///{folder}/store.db", said


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A store of the same applicants, before the run."""
    made = a_store(request, tmp_path)
    desk = writing_desk(made)
    answers(desk, LINES)
    desk.store.close()
    return made


def granted(url):
    """Who has been granted what."""
    store = open_to_read(url)
    found = [(account, *of, points) for account, *of, _, points, _ in store.rows("exported_grants")]
    store.close()
    return sorted(found)


def is_as_if_calm(url, calm):
    """Everybody has the same, the books say the same, nothing is wrong."""
    assert granted(url) == granted(calm[0])
    ours, theirs = state(url), state(calm[0])
    assert ours["books"] == theirs["books"]
    points = [{(row["account"], row["points"], row["balance"]) for row in one["account"]} for one in (ours, theirs)]
    assert points[0] == points[1]
    assert problems(url) == []


def test_killed_again_and_again_and_sent_again(url, calm):
    """SIGKILL in the middle of a range, another a little later: the run goes on where it was, and says all it did."""
    chance = random.Random(int(os.environ.get("FARECARD_SEED", "1")))
    on_the_way = 0
    for _ in range(KILLS):
        run = subprocess.Popen([sys.executable, "-c", IN_SMALL_STEPS, url, RUN], stdout=subprocess.PIPE)
        heard = 0
        for _ in range(chance.randrange(1, 6)):
            heard += run.stdout.readline() == b"range\n"
        run.send_signal(signal.SIGKILL)
        run.communicate()
        on_the_way += heard > 0
        store = open_to_read(url)
        assert store.rows("commands", sender="journal", ids=["run"]) == []
        store.close()
    assert on_the_way == KILLS
    assert 0 < len(granted(url)) < len(granted(calm[0]))
    said = farecard("--store", url, "replay", "-", stdin=RUN + b"\n").stdout
    assert json.loads(said) == calm[1]
    is_as_if_calm(url, calm)


def test_two_desks_run_the_same_at_once(url, calm):
    """One command sent twice: both are told the same, and it was done once."""
    with writers(2) as processes:
        calls = processes.run(url, [[[("journal", RUN)]]] * 2).calls
    said = [json.loads(one.answers[0]) for (one,) in calls]
    assert {one.pop("repeated", False) for one in said} == {False, True}
    assert said == [calm[1]] * 2
    is_as_if_calm(url, calm)


def test_two_runs_at_once_share_the_work(url, calm):
    """Two commands for the same month: together they grant what one would have."""
    other = RUN.replace(b'"run"', b'"other"')
    with writers(2) as processes:
        calls = processes.run(url, [[[("journal", RUN)]], [[("journal", other)]]]).calls
    said = [json.loads(one.answers[0])["result"] for (one,) in calls]
    assert sum(one["grants"] for one in said) == calm[1]["result"]["grants"]
    assert sum(one["points"] for one in said) == calm[1]["result"]["points"]
    is_as_if_calm(url, calm)


def test_cards_in_use_meanwhile(database, calm):
    """Gates and shops go on while a run grants: what changed since the survey is looked at again."""
    desk = writing_desk(database)
    answers(desk, LINES)
    cards = [row[0] for row in desk.store.rows("all_numbers")]
    desk.store.close()
    late = "2023-12-02T06:00:00+09:00"
    buys = [command(f"b{n}", "purchase", at=late, channel="shop", card=f"JW{card:015d}", amount=1, merchant="m")
            for n, card in enumerate(cards)]  # fmt: skip
    some = [[("shop", line) for line in buys[start : start + 50]] for start in range(0, len(buys), 50)]
    with writers(2) as processes:
        (ran,), shop = processes.run(database, [[[("journal", RUN)]], some]).calls
    assert json.loads(ran.answers[0])["result"] == calm[1]["result"]
    assert any(json.loads(answer)["outcome"] == "accepted" for call in shop for answer in call.answers)
    assert granted(database) == granted(calm[0])
    assert problems(database) == []
