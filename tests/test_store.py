"""The store: whose file it is, what happens when it cannot be written, and where names are kept."""

import json
import os
import resource
import sqlite3
import stat
import sys

import msgspec
import pytest

from conftest import WORKED_EXAMPLE, answers, command, farecard, new_desk
from farecard.storage import sql
from farecard.storage import sqlite as driver
from farecard.storage.making import read_vault
from farecard.storage.opening import open_to_read

HOLDER = {"name": "黒田 官兵衛", "kana": "クロダ カンベエ", "born": "1980-01-01", "phone": "090-1111-2222"}


def said(done):
    return done.stderr.decode()


def test_a_question_to_a_store_that_is_not_there_is_an_error_that_says_so(tmp_path):
    """Nothing is made by asking."""
    done = farecard("status", "JW000000000000001", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "there is no store at farecard.db" in said(done)
    assert not list(tmp_path.iterdir())


def test_another_programs_database_is_left_alone(tmp_path):
    """A foreign SQLite file is refused, by questions and by replay."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name)")
    db.close()
    before = path.read_bytes()
    for args in (("status", "JW000000000000001"), ("replay", "-")):
        done = farecard("--store", f"sqlite:///{path}", *args, stdin=b"", check=False)
        assert done.returncode == 2
        assert "another program's database" in said(done)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_named(tmp_path):
    """A text file given as a store is said to be none."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to look at\n" * 30)
    done = farecard("--store", f"sqlite:///{path}", "trial-balance", check=False)
    assert done.returncode == 2
    assert "no SQLite database" in said(done)


def test_a_store_of_a_newer_farecard_is_not_touched(tmp_path):
    """A schema from the future is refused with the way out."""
    desk = new_desk(tmp_path)
    desk.store.db.execute(f"PRAGMA user_version = {driver.SCHEMA_VERSION + 1}")
    desk.store.close()
    done = farecard("--store", f"sqlite:///{tmp_path}/store.db", "check", check=False)
    assert done.returncode == 2
    assert "newer farecard" in said(done)


def one_step_more(monkeypatch, text):
    """A driver that knows one migration more, with this text."""
    real = sql.sql_text
    version = driver.SCHEMA_VERSION + 1
    for module in (driver, sql):
        monkeypatch.setattr(module, "SCHEMA_VERSION", version)
    monkeypatch.setitem(sql.ADDED, version, "added.sql")
    monkeypatch.setattr(sql, "sql_text", lambda name: text if name == "added.sql" else real(name))


def test_an_older_store_is_brought_up_in_place(tmp_path, monkeypatch):
    """A migration step runs once, whole, and keeps what is there."""
    desk = new_desk(tmp_path)
    answers(desk, WORKED_EXAMPLE.splitlines())
    desk.store.close()
    one_step_more(monkeypatch, "CREATE TABLE added (x BIGINT);\nINSERT INTO added VALUES (7);\n")
    for _ in range(2):
        store = open_to_read(f"sqlite:///{tmp_path}/store.db")
        assert store.db.execute("SELECT x FROM added").fetchall() == [(7,)]
        assert store.db.execute("SELECT count(*) FROM event").fetchone() == (4,)
        assert store.db.execute("PRAGMA user_version").fetchone() == (driver.SCHEMA_VERSION,)
        store.close()


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    """A step is whole or not at all."""
    new_desk(tmp_path).store.close()
    with monkeypatch.context() as patch:
        one_step_more(patch, "CREATE TABLE added (x BIGINT);\nINSERT INTO nowhere VALUES (7);\n")
        with pytest.raises(sqlite3.OperationalError):
            open_to_read(f"sqlite:///{tmp_path}/store.db")
    store = open_to_read(f"sqlite:///{tmp_path}/store.db")
    names = {row[0] for row in store.db.execute("SELECT name FROM sqlite_master")}
    assert "added" not in names
    store.close()


def test_a_locked_store_says_that_somebody_is_writing(tmp_path):
    """After the wait is over the error says what to do, and nothing was decided."""
    desk = new_desk(tmp_path)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    desk.store.db.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(driver.StoreError, match="another program is writing"):
        answers(desk, WORKED_EXAMPLE.splitlines())
    other.execute("ROLLBACK")
    other.close()
    assert [a["outcome"] for a in answers(desk, WORKED_EXAMPLE.splitlines())][-1] == "refused"


def test_two_desks_on_one_store_see_each_others_cards(tmp_path):
    """What another desk wrote in between is seen, not overwritten."""
    one, two = new_desk(tmp_path), new_desk(tmp_path)
    lines = WORKED_EXAMPLE.splitlines()
    answers(one, lines[:1])
    answers(two, lines[1:2])
    top_up = command("x", "top_up", at="2023-03-01T13:00:00+09:00", channel="charge-machine",
                     card="JW000000000000001", amount=1000, tender="cash")  # fmt: skip
    assert answers(one, [top_up])[0]["result"] == {"balance": 1820}
    assert answers(two, lines[2:3])[0]["result"]["payout"]["total"] == 2100
    assert answers(one, lines[3:])[0]["reasons"][0]["rule"] == "RFD-8"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
def test_a_full_disk_is_said_and_loses_nothing_that_was_answered(tmp_path):
    """When no more can be written the replay stops with status 2; what was answered is there."""
    lines = [
        command(str(n), "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000)
        for n in range(20_000)
    ]
    (tmp_path / "many.ndjson").write_bytes(b"\n".join(lines))
    import subprocess

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    done = subprocess.run(
        [sys.executable, "-c",
         "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"  # noqa: ISC004
         "from farecard.cli.main import main; sys.exit(main())",
         "replay", "--batch", "1000", "many.ndjson"],
        cwd=tmp_path, capture_output=True, preexec_fn=limit, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"disk is full" in done.stderr
    answered = done.stdout.count(b'"accepted"')
    assert 0 < answered < 20_000
    store = open_to_read(f"sqlite:///{tmp_path}/farecard.db")
    assert store.rows("event_count")[0][0] >= answered
    store.close()
    farecard("check", cwd=tmp_path)


def test_the_key_is_made_beside_a_new_store_for_its_owner_alone(tmp_path):
    """32 bytes, mode 0600, or where FARECARD_KEY_FILE says."""
    farecard("replay", "-", stdin=WORKED_EXAMPLE, cwd=tmp_path)
    key = tmp_path / "farecard.db.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32
    elsewhere = {"FARECARD_KEY_FILE": str(tmp_path / "vault.key")}
    farecard("--store", "sqlite:///b.db", "replay", "-", stdin=b"", cwd=tmp_path, env=elsewhere)
    assert (tmp_path / "vault.key").exists()
    assert not (tmp_path / "b.db.key").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda key: key.unlink(), "is missing"),
        (lambda key: key.write_bytes(b"short"), "not a farecard key"),
        (lambda key: key.write_bytes(os.urandom(32)), "not the one this store was made with"),
    ],
)
def test_a_store_is_not_written_without_its_own_key(tmp_path, change, words):
    """A missing, damaged or foreign key stops a replay before anything is decided."""
    farecard("replay", "-", stdin=WORKED_EXAMPLE, cwd=tmp_path)
    change(tmp_path / "farecard.db.key")
    done = farecard("replay", "-", stdin=WORKED_EXAMPLE, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert words in said(done)
    assert done.stdout == b""


def test_no_holder_and_no_bank_account_can_be_found_in_the_files(tmp_path):
    """A search of the database, its log and the output for names, phones and accounts finds nothing."""
    bank = {"bank": "四条銀行", "branch": "河原町", "kind": "普通", "number": "7654321", "holder_kana": "クロダカンベエ"}
    lines = [
        command("1", "issue", card="JW000000000000001", kind="smart", paid=2000, holder=HOLDER),
        command("2", "issue", card="JW000000000000002", kind="named", paid=2000, holder=HOLDER),
        command("3", "issue", card="JW000000000000003", kind="named", paid=2000, holder=HOLDER),
        command("4", "request_refund_form", channel="phone", card="JW000000000000001"),
        command("5", "refund_by_post", channel="post", card="JW000000000000001",
                form="F000000000000001-1", bank_account=bank),
        command("6", "issue", card="JW000000000000004", kind="named", paid=2000, holder={**HOLDER, "age": 9}),
    ]  # fmt: skip
    done = farecard("replay", "-", stdin=b"\n".join(lines), cwd=tmp_path)
    got = [json.loads(line)["outcome"] for line in done.stdout.splitlines()]
    assert got == ["accepted", "accepted", "refused", "accepted", "accepted", "invalid"]
    kept = done.stdout + done.stderr
    for path in tmp_path.iterdir():
        kept += path.read_bytes()
    for value in (*HOLDER.values(), *bank.values()):
        for spelling in (value, value.replace(" ", ""), json.dumps(value)[1:-1]):
            assert spelling.encode() not in kept, f"{value} was found"


def test_the_holder_can_be_read_with_the_key(tmp_path):
    """What is sealed is not lost: the key file opens it."""
    desk = new_desk(tmp_path)
    answers(desk, [command("1", "issue", card="JW000000000000001", kind="named", paid=2000, holder=HOLDER)])
    row = desk.store.db.execute("SELECT subject_key, sealed FROM holder").fetchone()
    vault = read_vault(desk.store)
    assert msgspec.json.decode(vault.open(vault.subject(row[0]), row[1])) == HOLDER


def test_a_store_that_was_only_half_made_answers_nothing_and_is_finished_by_the_next_journal(tmp_path, database):
    """Its key could not be written, so nothing else was: no question takes it for an empty store."""
    (tmp_path / "file").touch()
    there = {"FARECARD_KEY_FILE": str(tmp_path / "file" / "key")}  # where no file can be
    for url in (f"sqlite:///{tmp_path}/half.db", database):
        assert farecard("--store", url, "replay", "-", stdin=WORKED_EXAMPLE, env=there, check=False).returncode == 2
        for question in (("check",), ("trial-balance",), ("quote", "refund", "JW000000000000001")):
            done = farecard("--store", url, *question, check=False)
            assert done.returncode == 2
            assert b"half made" in done.stderr
        key = {"FARECARD_KEY_FILE": str(tmp_path / "key")}
        assert farecard("--store", url, "replay", "-", stdin=WORKED_EXAMPLE, env=key).stdout.count(b"\n") == 4
        assert b"fits together" in farecard("--store", url, "check", env=key).stdout
        (tmp_path / "key").unlink()
