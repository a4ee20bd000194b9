"""``farecard store copy``: whole, from engine to engine, whatever interrupts it and whoever writes meanwhile."""

import json
import os
import random
import re
import select
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from itertools import islice

import psycopg
import pytest

from conftest import WORKED_EXAMPLE, answers, command, farecard, new_desk
from farecard.desk.opening import writing_desk
from farecard.sample import journal
from farecard.storage import origin
from farecard.storage.copying import ORDER, Copy
from farecard.storage.errors import StoreError
from farecard.storage.opening import UNFINISHED, is_postgres, open_to_read, path_of
from farecard.storage.sql import SCHEMA, keys, sql_text, tables
from farecard.storage.vault import key_path
from postgres import query
from state import problems

LINES = list(journal(4_000, seed=11))
FROZEN = command("frozen", "commit_draw", channel="operations", at="2024-01-01T09:00:00+09:00", draw=1, seed_source="x")
HOLDER = {"name": "甲", "kana": "コウ", "born": "1980-01-01", "phone": "1"}
WAYS = ("to postgres", "from postgres", "from postgres to postgres")


# a row in each of the tables of who may do what
PEOPLE = """
INSERT INTO api_key VALUES ('k', 1, X'00', '{"channels":["shop"]}', NULL);
INSERT INTO staff VALUES ('s', 'clerk', '', 1, 0, 0, NULL);
INSERT INTO login VALUES (X'00', 'staff', 's', 1, 1, 1);
INSERT INTO proposal VALUES ('p', '', '', '', 's', 1, 'open', NULL, NULL, NULL, NULL);
INSERT INTO enrolled VALUES ('m', X'00', '', X'00', X'00', 1, 0, 0, NULL);
INSERT INTO recovery VALUES ('m', X'00', NULL);
INSERT INTO owned VALUES (1, 'm', 1, 'holder', 'named');
INSERT INTO desk_code VALUES (1, 'owning', X'00', 'counter', 1, NULL);
INSERT INTO guess VALUES ('m', 1, 1);
INSERT INTO trail VALUES (1, 1, 's', '', '', '');
INSERT INTO shift VALUES ('h', 'osaka-3', 's', 1, 0, 0, 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO cash_moved VALUES ('h', 'c', 1, 's', -1, '');
INSERT INTO task VALUES ('t', 'check', '', 's', 1, 1, 0, 0, NULL, NULL);
"""


def run_sql(url, text):
    """Statements past the store's driver; gives the rows of one that asks."""
    if is_postgres(url):
        return query(url, text)
    db = sqlite3.connect(path_of(url))
    with db:
        rows = db.execute(text).fetchall() if text.startswith("SELECT") else db.executescript(text).fetchall()
    db.close()
    return rows


def contents(url):
    """Every row of every table; `schema` is PostgreSQL's own."""
    found = {}
    for name, key in keys().items():
        order = ", ".join(f'"{column}"' for column in key)
        found[name] = run_sql(url, f"SELECT * FROM {name} ORDER BY {order}")
    found["about"] = [row for row in found["about"] if row[0] != "schema"]
    return found


def ask(url, *args):
    return json.loads(farecard("--store", url, "--json", *args).stdout)


def filled(url, lines=LINES):
    """A store that decided these lines."""
    desk = writing_desk(url)
    answers(desk, lines, batch=100)
    desk.store.close()
    return url


def closing(case):
    """A case, closed by the back office."""
    return command(
        f"close-{case}", "resolve_case", channel="operations", at="2024-12-31T12:00:00+09:00",
        case=case, decision="declined", why="no papers",
    )  # fmt: skip


def copy(source, target, *, commits=None, rows=500):
    """Copy within this process; ``commits``: stop after so many, as a kill would. Gives what moved."""
    run = Copy(source, target, rows)
    try:
        return sum(islice(run.run(), commits))
    finally:
        run.close()


def stop_within(table, source, target):
    """Copy until some rows of this table are moved, and no further."""
    run = Copy(source, target, 100)
    for _ in run.run():
        if run._marker.table == table:
            break
    assert marker(target)["table"] == table, f"no row of {table} in the journal"
    run.close()


def marker(url):
    ((text,),) = run_sql(url, f"SELECT value FROM about WHERE name = '{UNFINISHED}'")
    return json.loads(text)


@pytest.fixture(params=WAYS)
def way(request, own_server, tmp_path):
    """FROM and TO, one of them or both in PostgreSQL."""
    source = own_server.database() if request.param.startswith("from") else f"sqlite:///{tmp_path}/from.db"
    target = own_server.database() if request.param.endswith("to postgres") else f"sqlite:///{tmp_path}/to.db"
    return source, target


def goes_on_alike(source, target):
    """Both stores give the same answers, now and after a further journal; both audits are clean."""
    half = len(LINES) // 2
    filled(source, LINES[:half])
    done = farecard("--json", "store", "copy", source, target)
    said = json.loads(done.stdout)
    assert contents(source) == contents(target)
    ((cards,),) = run_sql(source, "SELECT count(*) FROM account")
    assert (said["cards"], said["newer_batches"]) == (cards, 0)
    assert said["rows"] == sum(map(len, contents(target).values()))
    card = json.loads(next(line for line in LINES if b'"tap_in"' in line))["card"]
    moment = "2023-03-01T08:00:00+09:00"
    for question in (
        ("trial-balance",), ("status", card), ("history", card), ("check",),
        ("trial-balance", "--as-of", moment), ("quote", "refund", card),
    ):  # fmt: skip
        assert ask(target, *question) == ask(source, *question), question
    # a repeat is known, and the writer's chain goes on where it ended
    later = b"\n".join(LINES[half - 200 :])
    replayed = [farecard("--store", url, "replay", "-", stdin=later).stdout for url in (source, target)]
    assert replayed[0] == replayed[1]
    assert b'"repeated":true' in replayed[0]
    for url in (source, target):
        chains = run_sql(url, "SELECT writer, count(*), max(number) FROM batch GROUP BY writer")
        assert [(name, n == top) for name, n, top in chains] == [("desk-0", True)]
        assert ask(url, "check")["ok"]
    assert ask(target, "trial-balance") == ask(source, "trial-balance")


def test_a_store_moved_between_engines_goes_on_as_the_one_it_came_from(way):
    """Rows, answers, audits and the chain of batches: nobody can tell the two apart."""
    goes_on_alike(*way)


def test_a_store_copied_to_another_file_goes_on_as_the_one_it_came_from(tmp_path):
    """The same on one engine."""
    goes_on_alike(f"sqlite:///{tmp_path}/from.db", f"sqlite:///{tmp_path}/to.db")


def test_a_copy_in_postgres_is_analysed(database, tmp_path):
    """The planner knows the new tables before the first question comes."""
    copy(filled(f"sqlite:///{tmp_path}/from.db"), database)
    text = "SELECT reltuples FROM pg_class WHERE oid = 'event'::regclass"
    assert query(database, text) == query(database, "SELECT count(*) FROM event")


def moved(url):
    """How many rows an unfinished copy has, asked from outside; 0 before there is one."""
    try:
        return sum(marker(url)["counts"].values())
    except (ValueError, sqlite3.Error, psycopg.Error):
        return 0


def killed_at_random(source, target, kills):
    """SIGKILL again and again; each run goes on where the one before it was."""
    chance = random.Random(int(os.environ.get("FARECARD_SEED", "1")))
    total = sum(map(len, contents(source).values()))
    rows = 0
    for _ in range(kills):
        run = subprocess.Popen(
            [sys.executable, "-m", "farecard.cli.main", "store", "copy", "--batch", "20", source, target],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        until = rows + int((total - rows) * chance.uniform(0, 0.5))
        while run.poll() is None and moved(target) < until:
            select.select([], [], [], 0.002)
        run.send_signal(signal.SIGKILL)
        said = run.stderr.read().decode()
        run.stderr.close()
        assert run.wait() == -signal.SIGKILL, said
        if rows:
            # a server may have finished the killed one's last commit after we looked
            going_on = re.search(r"going on where it was interrupted: ([\d,]+) rows", said)
            assert int(going_on[1].replace(",", "")) >= rows
        rows = moved(target)
        assert until <= rows < total
    farecard("store", "copy", source, target)
    assert contents(source) == contents(target)
    assert ask(target, "check")["ok"]


def test_a_copy_killed_at_random_and_run_again_ends_whole(tmp_path):
    """SIGKILL at any moment: nothing is missing, nothing twice."""
    source = filled(f"sqlite:///{tmp_path}/from.db")
    killed_at_random(source, f"sqlite:///{tmp_path}/to.db", int(os.environ.get("FARECARD_KILLS", "6")))


def test_a_copy_between_engines_killed_at_random_ends_whole(way):
    """The same with PostgreSQL on either side."""
    filled(way[0])
    killed_at_random(*way, int(os.environ.get("FARECARD_KILLS", "3")))


def test_a_copy_that_goes_on_reads_nothing_twice(tmp_path):
    """What was moved before is not moved again, at whichever commit it stopped."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:600])
    expected = contents(source)
    whole = copy(source, f"sqlite:///{tmp_path}/whole.db", rows=150)
    for commits in range(1, 60):
        target = f"sqlite:///{tmp_path}/to{commits}.db"
        moved = copy(source, target, commits=commits, rows=150)
        if moved == whole:
            break
        assert moved + copy(source, target, rows=150) == whole
        assert contents(target) == expected
    assert commits > len(ORDER) // 2


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A store as it was at noon and as it was in the evening, both files beside its key; and all that is in it then."""
    folder = tmp_path_factory.mktemp("grown")
    url = filled(f"sqlite:///{folder}/from.db", [*LINES[:1500], FROZEN])
    open_cases = [one["case"] for one in ask(url, "cases", "list")]
    filled(url, [closing(case) for case in open_cases])
    run_sql(url, PEOPLE)
    shutil.copy(folder / "from.db", folder / "noon.db")
    filled(url, LINES[1500:3000])
    return folder, contents(url)


@pytest.mark.parametrize("table", ORDER)
def test_a_copy_goes_on_from_a_source_that_has_grown(tmp_path, grown, table):
    """Stopped within any table, the rest holds what was decided since, whatever its keys are."""
    folder, evening = grown
    source, target = f"sqlite:///{tmp_path}/from.db", f"sqlite:///{tmp_path}/to.db"
    shutil.copy(folder / "noon.db", tmp_path / "from.db")
    shutil.copy(folder / "from.db.key", tmp_path / "from.db.key")
    stop_within(table, source, target)
    shutil.copy(folder / "from.db", tmp_path / "from.db")
    done = farecard("store", "copy", "--batch", "100", source, target)
    more = int(re.search(r"has grown by (\d+) batches since", done.stderr.decode())[1])
    assert more >= 15  # of 100 lines each; a month's run ends one and is a batch by itself
    assert contents(target) == evening
    assert problems(target) == []


def test_a_key_revoked_while_a_copy_was_interrupted_is_revoked_in_the_copy(tmp_path):
    """No batch tells of it; the trail does."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:300])
    run_sql(source, PEOPLE)
    target = f"sqlite:///{tmp_path}/to.db"
    stop_within("trail", source, target)
    run_sql(source, "UPDATE api_key SET revoked = 2; INSERT INTO trail VALUES (2, 2, 's', 'key-revoked', 'k', '')")
    copy(source, target)
    assert contents(source)["api_key"] == contents(target)["api_key"] != []


def test_a_copy_finds_late_batches_of_a_slower_desk(server, tmp_path):
    """Of two desks the slower one commits a batch with a lower id than the copy has passed already."""
    source = server.database()
    target = f"sqlite:///{tmp_path}/to.db"
    slow, quick = writing_desk(source), writing_desk(source)
    sold = [command(f"s{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000) for n in range(40)]
    answers(slow, sold[:1])
    for line in sold[1:30]:
        answers(quick, [line])
    copy(source, target, commits=45, rows=1)  # all events, and some commands
    at = marker(target)
    assert at["table"] not in ("event", "batch")
    answers(slow, sold[30:])
    newest = query(source, "SELECT writer, max(id) FROM batch GROUP BY writer ORDER BY writer")
    assert newest[0][1] < newest[1][1], "the slower desk was not behind"
    copy(source, target, rows=1)
    assert contents(source) == contents(target)
    assert ask(target, "check")["ok"]


def test_catching_up_can_be_interrupted_too(tmp_path):
    """While the rows of new batches are added, and again while the source grows once more."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:1000])
    target = f"sqlite:///{tmp_path}/to.db"
    stop_within("command", source, target)
    at = marker(target)
    for end in (1500, 2000, 2500):
        filled(source, LINES[end - 500 : end])
        copy(source, target, commits=2, rows=100)
        now = marker(target)
        assert now["heads"] != at["heads"]
        at = now
    copy(source, target, rows=100)
    assert contents(source) == contents(target)
    assert ask(target, "check")["ok"]


@pytest.mark.parametrize("table", ["event", "network", "fare"])
def test_a_network_loaded_while_a_copy_waits_is_in_it(tmp_path, table):
    """A version more, and no new batch."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:200])
    target = f"sqlite:///{tmp_path}/to.db"
    stop_within(table, source, target)
    (tmp_path / "lines.csv").write_text("line,order,station\nA,1,x\nA,2,y\n")
    (tmp_path / "fares.csv").write_text("from,to,adult,child\nx,y,150,80\n")
    farecard("--store", source, "network", "load", tmp_path)
    farecard("store", "copy", source, target)
    assert contents(source) == contents(target)
    assert len(contents(target)["network"]) == 2


def test_a_copy_is_of_one_state_while_a_desk_goes_on_writing(way, tmp_path):
    """A replay runs through: the copy is whole as of its beginning, and says what is not in it."""
    source, target = way
    filled(source, LINES[:1000])
    (tmp_path / "more").write_bytes(b"\n".join(LINES[1000:]))
    replay = subprocess.Popen(
        [sys.executable, "-m", "farecard.cli.main", "--store", source, "replay", "--batch", "20", tmp_path / "more"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(40):
        replay.stdout.readline()
    run = Copy(source, target, 100)
    moved = run.run()
    next(moved)
    rest = replay.stdout.read()  # the desk is not held up by us
    assert rest.count(b"\n") > 1000
    replay.stdout.close()
    assert replay.wait() == 0
    for _ in moved:
        pass
    assert run.origin.newer_batches() > 0
    run.close()
    assert ask(target, "check")["ok"]
    assert ask(source, "check")["ok"]
    copied = contents(target)["batch"]
    assert copied == contents(source)["batch"][: len(copied)]


def test_the_command_says_that_the_source_has_grown_meanwhile(tmp_path, capsys, monkeypatch):
    """What was decided while it was copied is not in the copy, and the way out is said."""
    from farecard.cli.main import main

    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:200])
    real = Copy.run

    def run(self):
        yield from real(self)
        filled(source, LINES[200:300])

    monkeypatch.setattr(Copy, "run", run)
    assert main(["store", "copy", source, f"sqlite:///{tmp_path}/to.db"]) == 0
    assert "has grown by 1 batches that are not in the copy" in capsys.readouterr().err


# -- what is refused -----------------------------------------------------------------------------


def refused(*args, words):
    done = farecard(*args, check=False, stdin=b"")
    assert done.returncode == 2
    assert words in done.stderr.decode(), done.stderr.decode()
    assert done.stdout == b""


def test_an_unfinished_copy_answers_nothing_and_takes_nothing(tmp_path):
    """Neither desk nor question works on half a store; its copy run to the end, both do."""
    refuses_until_it_is_finished(f"sqlite:///{tmp_path}/to.db", tmp_path)


def test_an_unfinished_copy_in_postgres_answers_nothing_and_takes_nothing(database, tmp_path):
    """The same."""
    refuses_until_it_is_finished(database, tmp_path)


def refuses_until_it_is_finished(target, tmp_path):
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:300])
    copy(source, target, commits=8, rows=50)
    before = contents(target)
    for args in (
        ("status", "JW000000000000001"), ("trial-balance",), ("check",), ("replay", "-"), ("try", "-"),
        ("network", "load", tmp_path),
    ):  # fmt: skip
        if args[0] == "network":
            (tmp_path / "lines.csv").write_text("line,order,station\nA,1,x\nA,2,y\n")
            (tmp_path / "fares.csv").write_text("from,to,adult,child\nx,y,150,80\n")
        refused("--store", target, *args, words="is an unfinished copy of another store; run the same")
    refused("store", "copy", target, f"sqlite:///{tmp_path}/third.db", words="is an unfinished copy")
    assert contents(target) == before
    assert not (tmp_path / "third.db").exists()
    farecard("store", "copy", source, target)
    assert ask(target, "check")["ok"]


def test_a_desk_that_opened_an_empty_target_before_the_copy_began_is_refused(tmp_path):
    """The marker is looked at again under the lock a store is made under."""
    from farecard.storage import making

    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:300])
    target = f"sqlite:///{tmp_path}/to.db"
    real = making.open_store

    def slow(url, *, write):
        store = real(url, write=write)
        copy(source, target, commits=3, rows=50)
        return store

    making.open_store = slow
    try:
        with pytest.raises(StoreError, match="unfinished copy"):
            writing_desk(target)
    finally:
        making.open_store = real


def test_a_copy_goes_into_no_store_that_is_there(way):
    """Neither a finished copy nor any other store is written over."""
    source, target = way
    filled(source, LINES[:200])
    farecard("store", "copy", source, target)
    before = contents(target)
    refused("store", "copy", source, target, words="is a store already")
    assert contents(target) == before


def test_a_copy_of_another_store_is_not_gone_on_with(tmp_path):
    """Not from a store made elsewhere, and not from one that lost batches or has others in their place."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:300])
    other = filled(f"sqlite:///{tmp_path}/other.db", LINES[:300])
    target = f"sqlite:///{tmp_path}/to.db"
    older = f"sqlite:///{tmp_path}/older.db"
    copy(source, older)
    filled(source, LINES[300:400])
    copy(source, target, commits=5, rows=50)
    at = marker(target)
    (tmp_path / "other.db.key").write_bytes((tmp_path / "from.db.key").read_bytes())
    run_sql(other, f"UPDATE about SET value = '{at['made'].split()[0]}' WHERE name = 'key'")
    for url in (other, older):
        refused("store", "copy", url, target, words="is an unfinished copy of another store, ")
    filled(older, LINES[400:500])  # as many batches as the source, but not the same
    refused("store", "copy", older, target, words="has lost batches since")
    assert marker(target) == at
    farecard("store", "copy", source, target)
    assert contents(source) == contents(target)


def test_from_and_to_must_differ(tmp_path):
    """However the file is spelt."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:100])
    (tmp_path / "link.db").symlink_to("from.db")
    (tmp_path / "hard.db").hardlink_to(tmp_path / "from.db")
    for name in ("from.db", f"../{tmp_path.name}/from.db", "link.db", "hard.db"):
        refused("store", "copy", source, f"sqlite:///{tmp_path}/{name}", words="the same store")


def test_from_and_to_must_differ_in_postgres_too(server):
    """A second spelling of its host is found out as a store that is there."""
    url = filled(server.database(), LINES[:100])
    refused("store", "copy", url, url, words="the same store")
    name = url.rsplit("/", 1)[1]
    key = key_path(open_to_read(url).key_beside)
    spelt = server.url(name, by_socket=True)
    refused("store", "copy", url, spelt, words="is a store already")
    assert key.exists()


def test_there_must_be_something_to_copy(tmp_path):
    """No source, no target either; and an empty target folder is said."""
    target = tmp_path / "to.db"
    refused("store", "copy", f"sqlite:///{tmp_path}/no.db", f"sqlite:///{target}", words="there is no store at")
    assert not target.exists()
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:100])
    refused("store", "copy", source, f"sqlite:///{tmp_path}/no/to.db", words="does not exist")
    refused("store", "copy", "--batch", "0", source, f"sqlite:///{target}", words="--batch")


def test_two_copies_at_once_do_not_mix(way):
    """The later one takes over; the earlier one says so and stops."""
    source, target = way
    filled(source, LINES[:500])
    one = Copy(source, target, 50)
    moves = one.run()
    next(moves)
    two = Copy(source, target, 50)
    assert two.resumed
    with pytest.raises(StoreError, match="another `farecard store copy` goes on"):
        next(moves)
    one.close()
    for _ in two.run():
        pass
    two.close()
    assert contents(source) == contents(target)


def test_an_interrupted_copy_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    """Ctrl-C ends it with status 130."""
    from farecard.cli.main import main

    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:300])
    real = Copy.run

    def run(self):
        yield next(real(self))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Copy, "run", run)
        assert main(["store", "copy", "--batch", "50", source, f"sqlite:///{tmp_path}/to.db"]) == 130
    assert "run it again to go on" in capsys.readouterr().err
    assert main(["store", "copy", source, f"sqlite:///{tmp_path}/to.db"]) == 0
    assert "going on where it was interrupted: 50 rows" in capsys.readouterr().err


# -- the key -------------------------------------------------------------------------------------


def test_the_key_goes_with_the_copy_to_where_the_target_looks(way):
    """32 bytes, mode 0600; what was sealed opens on the target."""
    from farecard.storage.making import read_vault

    source, target = way
    filled(source, [command("1", "issue", card="JW000000000000001", kind="named", paid=2000, holder=HOLDER)])
    said = json.loads(farecard("--json", "store", "copy", source, target).stdout)
    store = open_to_read(target)
    key = key_path(store.key_beside)
    assert said["key"] == str(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not list(key.parent.glob("*.part"))
    vault = read_vault(store)
    ((wrapped, sealed),) = run_sql(target, "SELECT subject_key, sealed FROM holder")
    assert json.loads(vault.open(vault.subject(wrapped), sealed)) == HOLDER


def test_both_use_the_key_that_the_environment_names(tmp_path):
    """With FARECARD_KEY_FILE no other key file is made."""
    env = {"FARECARD_KEY_FILE": str(tmp_path / "vault.key")}
    farecard("--store", "sqlite:///from.db", "replay", "-", stdin=WORKED_EXAMPLE, cwd=tmp_path, env=env)
    farecard("store", "copy", "sqlite:///from.db", "sqlite:///to.db", cwd=tmp_path, env=env)
    assert [path.name for path in tmp_path.glob("*.key")] == ["vault.key"]
    farecard("--store", "sqlite:///to.db", "replay", "-", stdin=WORKED_EXAMPLE, cwd=tmp_path, env=env)


def test_another_stores_key_is_never_written_over(tmp_path):
    """A key that is in the way is left, and no target is made."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:100])
    key = tmp_path / "to.db.key"
    key.write_bytes(b"x" * 32)
    refused("store", "copy", source, f"sqlite:///{tmp_path}/to.db", words="is another store's; move it away")
    assert key.read_bytes() == b"x" * 32
    assert not (tmp_path / "to.db").exists()
    key.write_bytes((tmp_path / "from.db.key").read_bytes())
    farecard("store", "copy", source, f"sqlite:///{tmp_path}/to.db")


@pytest.mark.parametrize("what", ["missing", "another's"])
def test_a_source_without_its_key_is_not_copied(tmp_path, what):
    """The copy could never be written to."""
    source = filled(f"sqlite:///{tmp_path}/from.db", LINES[:100])
    key = tmp_path / "from.db.key"
    key.unlink() if what == "missing" else key.write_bytes(b"x" * 32)
    words = "is missing" if what == "missing" else "not the one this store was made with"
    refused("store", "copy", source, f"sqlite:///{tmp_path}/to.db", words=words)
    assert not (tmp_path / "to.db").exists()


# -- the plan ------------------------------------------------------------------------------------


def test_every_table_is_copied_by_its_primary_key():
    """A new table of the schema is in the plan without a word; each key is that of SQLite's own schema."""
    assert sorted((*ORDER, "about")) == sorted(tables())
    assert len(keys()) == sum(sql_text(name).count("CREATE TABLE") for name in SCHEMA)
    assert set(origin.HISTORY) == {
        "event", "command", "transfer", "total", "subtotal", "batch", "reversal", "resolution",
    }  # fmt: skip


@pytest.mark.parametrize("name", tables())
def test_rows_come_by_key_without_being_sorted(tmp_path, name):
    """SQLite walks the key itself: going on costs no more than beginning."""
    store = new_desk(tmp_path).store
    key = ", ".join(f'"{column}"' for column in keys()[name])
    marks = ", ".join("?" * len(keys()[name]))
    text = f"EXPLAIN QUERY PLAN SELECT * FROM {name} WHERE ({key}) > ({marks}) ORDER BY {key}"
    plan = [row[3] for row in store.db.execute(text, ["0"] * len(keys()[name]))]
    assert len(plan) == 1 and plan[0].startswith("SEARCH"), plan


def test_a_copy_knows_beforehand_how_many_rows_there_are(tmp_path):
    """Of each table, commands too: the grants of a run have no id of their own."""
    source = filled(f"sqlite:///{tmp_path}/from.db")
    rows = contents(source)
    assert len(rows["granted"]) > 20
    one = origin.Origin(source)
    assert {name: one.count(name) for name in ORDER} == {name: len(rows[name]) for name in ORDER}
    one.close()
