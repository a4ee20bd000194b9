"""Signed checkpoints: where each chain ended; a log that was cut off or rewritten behind the audit's back shows."""

import json
import sqlite3
from contextlib import closing

import pytest

from conftest import answers, command, farecard
from farecard.desk.opening import writing_desk
from farecard.sample import journal
from serving import Served
from state import problems

LINES = list(journal(400, seed=3))


@pytest.fixture
def url(tmp_path):
    """A store with a journal in four batches."""
    url = f"sqlite:///{tmp_path}/s.db"
    with closing(writing_desk(url).store):
        pass
    desk = writing_desk(url)
    answers(desk, LINES, batch=100)
    desk.store.close()
    return url


def go_on(url):
    """Another batch."""
    desk = writing_desk(url)
    desk.run([("later", command("1", "issue", card="JW900000000000001", kind="anonymous", paid=2000))])
    desk.store.close()


def checkpoint(url, *words, check=True):
    return farecard("--store", url, "--json", "checkpoint", *words, check=check)


def verified(url, file, *words):
    done = checkpoint(url, "verify", file, *words, check=False)
    said = json.loads(done.stdout)
    assert (done.returncode == 0) == said["ok"]
    return said


def changed(url, *statements):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
        for one in statements:
            db.execute(one)


CUT_OFF = [
    f"DELETE FROM {table} WHERE {column} IN (SELECT seq FROM event WHERE seq / 65536 = (SELECT max(id) FROM batch))"
    for table, column in (("command", "seq"), ("transfer", "seq"))
] + [
    "DELETE FROM total WHERE batch = (SELECT max(id) FROM batch)",
    "DELETE FROM number WHERE since_seq / 65536 = (SELECT max(id) FROM batch)",
    "DELETE FROM account WHERE last_seq / 65536 = (SELECT max(id) FROM batch)",
    "DELETE FROM event WHERE seq / 65536 = (SELECT max(id) FROM batch)",
    "DELETE FROM batch WHERE id = (SELECT max(id) FROM batch)",
]  # fmt: skip


def test_a_store_that_goes_on_holds_all_that_was_signed(url, tmp_path):
    """Each publication is a line; all of them are good, then and later."""
    file = tmp_path / "points.ndjson"
    checkpoint(url, "publish", file)
    go_on(url)
    checkpoint(url, "publish", file)
    first, second = map(json.loads, file.read_text().splitlines())
    (was,), (now,) = first["heads"], second["heads"]
    assert (was["writer"], now["number"]) == ("desk-0", was["number"] + 1)
    assert verified(url, file) == {"ok": True, "checkpoints": 2, "last": second["made_at"], "problems": []}
    key = json.loads(checkpoint(url, "key").stdout)["key"]
    assert key == first["key"] == second["key"]
    assert verified(url, file, "--key", key)["ok"]


def test_a_log_whose_end_was_cut_off_shows(url, tmp_path):
    """Taken away so well that the audit finds nothing wrong; what was signed is missing."""
    go_on(url)
    file = tmp_path / "points.ndjson"
    checkpoint(url, "publish", file)
    changed(url, *CUT_OFF)
    assert problems(url) == []
    (said,) = verified(url, file)["problems"]
    assert "is not there" in said
    assert "cut off" in said
    go_on(url)  # and what was put in its place is not what was signed
    (said,) = verified(url, file)["problems"]
    assert "rewritten" in said


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("made_at", "2020-01-01T00:00:00+09:00"), ("store", "0" * 32), ("heads", []),
        ("heads", [{"writer": "desk-0", "number": 1, "hash": "00"}]), ("signature", "00" * 64), ("signature", "xyz"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_was_changed_is_not_signed(url, tmp_path, field, value):
    """Any field of it."""
    file = tmp_path / "points.ndjson"
    checkpoint(url, "publish", file)
    file.write_text(json.dumps(json.loads(file.read_text()) | {field: value}) + "\n")
    (said,) = verified(url, file)["problems"]
    assert "not signed under the key" in said


def test_whoever_makes_another_key_does_not_pass_for_the_first(url, tmp_path):
    """A copy of the log under a key of one's own is good by itself; against the key that was told before it is not."""
    file = tmp_path / "points.ndjson"
    checkpoint(url, "publish", file)
    key = json.loads(checkpoint(url, "key").stdout)["key"]
    other = f"sqlite:///{tmp_path}/other.db"
    desk = writing_desk(other)
    answers(desk, LINES, batch=100)
    desk.store.close()
    forged = tmp_path / "forged.ndjson"
    checkpoint(other, "publish", forged)
    assert verified(other, forged)["ok"]
    assert not verified(other, forged, "--key", key)["ok"]
    assert not verified(other, file, "--key", key)["ok"]  # another store than was signed


def test_what_is_no_checkpoint_is_said(url, tmp_path):
    """No file, no JSON, nothing in it: which, and at which line."""
    file = tmp_path / "points.ndjson"
    for text, said in ((None, "No such file"), ("", "no checkpoint in it"), ("{}\n", "line 1"), ("\n\nx\n", "line 3")):
        if text is not None:
            file.write_text(text)
        done = farecard("--store", url, "checkpoint", "verify", file, check=False)
        assert done.returncode == 2
        assert said in done.stderr.decode()


def test_every_writer_has_its_end(own_server):
    """Two desks: two chains in one checkpoint, over HTTP, too."""
    database = own_server.database()
    desks = [writing_desk(database) for _ in range(2)]
    for n, desk in enumerate(desks):
        desk.run([("s", command(str(n), "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000))])
    for desk in desks:
        desk.store.close()
    served = Served(database)
    try:
        eye, shop = served.key("eye", ask="events"), served.key("shop", "shop")
        status, _, body = served.call("GET", "/v1/checkpoint", key=eye)
        assert status == 200
        said = json.loads(body)
        assert {one["writer"] for one in said["heads"]} == {"desk-0", "desk-1"}
        assert json.loads(checkpoint(database, "publish", "-").stdout)["heads"] == said["heads"]
        assert served.call("GET", "/v1/checkpoint", key=shop)[0] == 403
    finally:
        assert served.stop() == 0, served.said
