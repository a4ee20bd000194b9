"""``farecard backup`` and ``restore``: whole while desks write, never half, never over something else."""

import json
import os
import resource
import select
import sqlite3
import stat
import subprocess
import sys

import pytest

from conftest import answers, farecard, new_desk
from farecard.cli.main import main
from farecard.sample import journal
from farecard.storage import saving
from farecard.storage.copying import Copy
from farecard.storage.opening import open_to_read
from farecard.storage.sqlite import SCHEMA_VERSION
from test_store_copy import LINES, ask, contents, filled, refused

WHOLE = 60.0  # seconds a process may take


def url_of(path):
    return f"sqlite:///{path}"


def saved(tmp_path, lines=LINES[:500]):
    """A store of these lines and its backup."""
    url = filled(url_of(tmp_path / "store.db"), lines)
    farecard("--store", url, "backup", tmp_path / "saved")
    return url, tmp_path / "saved"


def test_a_backup_made_while_a_desk_writes_has_all_that_was_answered(tmp_path):
    """A replay runs in another process; what it had answered before the backup began is restored."""
    url = url_of(tmp_path / "store.db")
    (tmp_path / "day").write_bytes(b"\n".join(LINES))
    with (tmp_path / "answers").open("wb") as out:
        replay = subprocess.Popen(
            [sys.executable, "-m", "farecard.cli.main", "--store", url, "replay", "--batch", "2", tmp_path / "day"],
            stdout=out, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    while (tmp_path / "answers").read_bytes().count(b"\n") < 500:
        assert replay.poll() is None
        select.select([], [], [], 0.005)
    before = [json.loads(line) for line in (tmp_path / "answers").read_bytes().split(b"\n")[:-1]]
    farecard("--store", url, "backup", tmp_path / "saved")
    assert replay.wait(WHOLE) == 0
    restored = url_of(tmp_path / "restored.db")
    farecard("--store", restored, "restore", tmp_path / "saved")
    assert ask(restored, "check")["ok"]
    then, now = contents(restored), contents(url)
    assert len(then["batch"]) < len(now["batch"]), "the desk was done before the backup was"
    assert then["batch"] == now["batch"][: len(then["batch"])]
    known = {row[1] for row in then["command"]}
    in_the_end = {row[1] for row in now["command"]}
    assert {answer["id"] for answer in before} & in_the_end <= known
    assert len(known) >= 450
    # and the desk goes on there as it did here
    (tmp_path / "restored.db.key").write_bytes((tmp_path / "store.db.key").read_bytes())
    farecard("--store", restored, "replay", tmp_path / "day")
    assert ask(restored, "trial-balance") == ask(url, "trial-balance")
    assert ask(restored, "check")["ok"]


def test_a_desk_that_writes_between_any_two_steps_never_makes_a_backup_begin_anew(tmp_path, monkeypatch):
    """Each page is written once, and the backup is of the moment it began."""
    monkeypatch.setattr(saving, "PAGES_A_STEP", 8)
    desk = new_desk(tmp_path)
    answers(desk, LINES[:1000])
    before = contents(desk.store.url)
    pages = saving.page_count(desk.store)
    store = open_to_read(desk.store.url)
    more = iter(LINES[1000:])
    written = []

    def advance(count):
        written.append(count)
        answers(desk, [next(more)])

    saving.back_up(store, tmp_path / "saved", force=False, advance=advance)
    assert sum(written) == pages
    assert len(written) > 10
    farecard("--store", url_of(tmp_path / "restored.db"), "restore", tmp_path / "saved")
    assert contents(url_of(tmp_path / "restored.db")) == before


def test_the_backup_says_what_it_holds_and_where_the_key_is(tmp_path):
    """The key is not in it: that, its file and its fingerprint are said."""
    url = filled(url_of(tmp_path / "store.db"), LINES[:500])
    said = farecard("--store", url, "backup", tmp_path / "saved").stdout.decode()
    ((key,),) = [row[1:] for row in contents(url)["about"] if row[0] == "key"]
    assert "read back and whole" in said
    assert f"the key file is not in it: keep {tmp_path}/store.db.key (fingerprint {key})" in said
    batches = len(contents(url)["batch"])
    got = json.loads(farecard("--store", url, "--json", "backup", tmp_path / "two").stdout)
    assert got == {
        "file": str(tmp_path / "two"), "events": len(contents(url)["event"]), "batches": batches,
        "key": key, "key_file": f"{tmp_path}/store.db.key",
    }  # fmt: skip
    master = (tmp_path / "store.db.key").read_bytes()
    assert master not in (tmp_path / "saved").read_bytes()


def test_a_backup_is_no_more_open_than_the_store(tmp_path):
    """Its file's mode is the store's."""
    url = filled(url_of(tmp_path / "store.db"), LINES[:100])
    (tmp_path / "store.db").chmod(0o600)
    farecard("--store", url, "backup", tmp_path / "saved")
    farecard("--store", url_of(tmp_path / "r.db"), "restore", tmp_path / "saved")
    for name in ("saved", "r.db"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.db", "saved", "store.db", "store.db.key"]


def test_a_backup_overwrites_nothing_unless_it_is_told_to(tmp_path):
    """--force replaces an older backup, but never the store, its key or a store in use."""
    url, file = saved(tmp_path)
    older = file.read_bytes()
    filled(url, LINES[500:600])
    refused("--store", url, "backup", file, words="is there already; name another file, or add --force")
    assert file.read_bytes() == older
    for name, words in (
        ("store.db", "is the store itself"), ("store.db.key", "is the store's key file"),
        (".", "is a folder"), ("no/such", "does not exist"),
    ):  # fmt: skip
        refused("--store", url, "backup", "--force", tmp_path / name, words=words)
    farecard("--store", url, "backup", "--force", file)
    farecard("--store", url_of(tmp_path / "r.db"), "restore", file)
    assert contents(url_of(tmp_path / "r.db")) == contents(url)
    other = new_desk(tmp_path, "other.db")
    answers(other, LINES[:10])
    refused("--store", url, "backup", "--force", tmp_path / "other.db", words="other.db-wal belongs to a store")


def test_what_a_killed_backup_left_is_no_obstacle(tmp_path):
    """Its part is no backup, and the next one writes it anew."""
    url = filled(url_of(tmp_path / "store.db"), LINES[:100])
    (tmp_path / "saved.part").write_bytes(b"half a backup" * 1000)
    farecard("--store", url, "backup", tmp_path / "saved")
    assert not (tmp_path / "saved.part").exists()
    farecard("--store", url_of(tmp_path / "r.db"), "restore", tmp_path / "saved")
    assert contents(url_of(tmp_path / "r.db")) == contents(url)


def test_two_backups_to_one_file_at_once(tmp_path, monkeypatch):
    """One is written, the other says why it is not; nobody's half is given the name."""
    url = filled(url_of(tmp_path / "store.db"), LINES[:100])
    inner = saving.examine

    def meanwhile(*args):
        """The first one is nearly done when the second begins."""
        refused("--store", url, "backup", tmp_path / "saved", words="another program is writing")
        refused("--store", url_of(tmp_path / "r.db"), "restore", tmp_path / "saved", words="there is no backup at")
        return inner(*args)

    monkeypatch.setattr(saving, "examine", meanwhile)
    assert main(["--store", url, "backup", str(tmp_path / "saved")]) == 0
    monkeypatch.setattr(saving, "examine", inner)
    assert not (tmp_path / "saved.part").exists()
    farecard("--store", url_of(tmp_path / "r.db"), "restore", tmp_path / "saved")
    assert contents(url_of(tmp_path / "r.db")) == contents(url)


def test_an_interrupted_backup_or_restore_leaves_nothing(tmp_path, monkeypatch, capsys):
    """Ctrl-C: status 130, no file, no part."""
    url, file = saved(tmp_path)
    there = sorted(tmp_path.iterdir())

    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "examine", interrupt)
    assert main(["--store", url, "backup", str(tmp_path / "b")]) == 130
    assert "no backup was made" in capsys.readouterr().err
    assert main(["--store", url_of(tmp_path / "r.db"), "restore", str(file)]) == 130
    assert "nothing was restored" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == there


def on_a_small_disk(*args):
    """The command line with files of at most 100,000 bytes, as on a disk that is nearly full."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    start = "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    start += "from farecard.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", start, *map(str, args)],
        capture_output=True, preexec_fn=limit, timeout=WHOLE, check=False,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
def test_a_full_disk_is_said_and_the_older_backup_stays(tmp_path):
    """Nothing half is left behind, and nothing that was there is gone."""
    url, file = saved(tmp_path)
    older = file.read_bytes()
    there = sorted(tmp_path.iterdir())
    for args in (
        ("--store", url, "backup", "--force", file),
        ("--store", url, "backup", tmp_path / "b"),
        ("--store", url_of(tmp_path / "r.db"), "restore", file),
    ):
        done = on_a_small_disk(*args)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
        assert b"free space" in done.stderr, done.stderr
        assert done.stdout == b""
    assert file.read_bytes() == older
    assert sorted(tmp_path.iterdir()) == there


# -- restoring -----------------------------------------------------------------------------------


def cut(file):
    os.truncate(file, file.stat().st_size // 2)


def blot(file, start, count):
    with file.open("r+b") as whole:
        whole.seek(start)
        whole.write(b"\xa5" * count)


def a_newer_farecards(file):
    with sqlite3.connect(file) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    farecard_closes(file)


def another_programs(file):
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE recipes (name)")
    db.close()


def farecard_closes(file):
    """No log is left beside it."""
    assert not file.with_name(file.name + "-wal").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut, "damaged"),
        (lambda file: blot(file, 0, 100), "no SQLite database, or it is damaged"),
        (lambda file: blot(file, file.stat().st_size // 4096 // 2 * 4096, 4096), "damaged"),
        (lambda file: blot(file, 3 * 4096, 12), "damaged"),
        (lambda file: file.write_bytes(b"a letter, not a backup\n" * 500), "no SQLite database"),
        (lambda file: file.write_bytes(b""), "is not a farecard store"),
        (lambda file: file.unlink(), "there is no backup at"),
        (another_programs, "is not a farecard store"),
        (a_newer_farecards, "was made by another farecard"),
    ],
)  # fmt: skip
def test_what_is_no_whole_backup_is_not_restored(tmp_path, change, words):
    """Damaged, cut off, foreign or too new: said with status 2, and no store is made of it."""
    _, file = saved(tmp_path)
    change(file)
    refused("--store", url_of(tmp_path / "r.db"), "restore", file, words=words)
    assert not list(tmp_path.glob("r.db*"))


def test_a_store_that_is_there_is_never_replaced(tmp_path):
    """Nor is one whose log is left, which SQLite would take for the new one's."""
    url, file = saved(tmp_path)
    before = contents(url)
    refused("--store", url, "restore", file, words="there is a store at")
    assert contents(url) == before
    (tmp_path / "r.db-wal").write_bytes(b"frames of another store")
    refused("--store", url_of(tmp_path / "r.db"), "restore", file, words="r.db-wal belongs to a store")
    refused("--store", url_of(tmp_path / "no/r.db"), "restore", file, words="does not exist")


def test_a_store_made_while_one_is_restored_stays(tmp_path, monkeypatch):
    """Whoever is first has the place."""
    _, file = saved(tmp_path)
    real = saving.examine

    def slow(part, name):
        filled(url_of(tmp_path / "r.db"), LINES[:10])
        return real(part, name)

    monkeypatch.setattr(saving, "examine", slow)
    with pytest.raises(saving.StoreError, match="meanwhile"):
        saving.restore(file, tmp_path / "r.db", advance=lambda _: None)
    assert len(contents(url_of(tmp_path / "r.db"))["batch"]) == 1
    assert not (tmp_path / "r.db.part").exists()


def test_a_store_in_use_is_no_backup(tmp_path):
    """Its file alone lacks what is still in the log; a copy that is not finished is none either."""
    desk = new_desk(tmp_path)
    answers(desk, LINES[:50])
    refused("--store", url_of(tmp_path / "r.db"), "restore", tmp_path / "store.db", words="is in use as a store")
    run = Copy(desk.store.url, url_of(tmp_path / "half.db"), 10)
    next(run.run())
    run.close()
    refused("--store", url_of(tmp_path / "r.db"), "restore", tmp_path / "half.db", words="unfinished or empty")


def test_restoring_says_which_key_is_needed_and_whether_it_is_there(tmp_path):
    """Missing, right or another store's."""
    url, file = saved(tmp_path)
    ((key,),) = [row[1:] for row in contents(url)["about"] if row[0] == "key"]
    said = farecard("--store", url_of(tmp_path / "a.db"), "restore", file).stdout.decode()
    assert f"it needs the key of fingerprint {key}: put it at {tmp_path}/a.db.key" in said
    (tmp_path / "b.db.key").write_bytes(os.urandom(32))
    said = farecard("--store", url_of(tmp_path / "b.db"), "restore", file).stdout.decode()
    assert f"it needs the key of fingerprint {key}; {tmp_path}/b.db.key is another store's" in said
    env = {"FARECARD_KEY_FILE": str(tmp_path / "store.db.key")}
    said = farecard("--store", url_of(tmp_path / "c.db"), "restore", file, env=env).stdout.decode()
    assert f"its key (fingerprint {key}) is there: {tmp_path}/store.db.key" in said
    got = json.loads(farecard("--json", "--store", url_of(tmp_path / "d.db"), "restore", file).stdout)
    assert (got["key"], got["key_is"], got["key_file"]) == (key, "missing", f"{tmp_path}/d.db.key")


def test_backup_and_restore_leave_postgres_to_its_own_programs(database, tmp_path):
    """Status 2, and where to read on."""
    filled(database, LINES[:10])
    for what in ("backup", "restore"):
        refused("--store", database, what, tmp_path / "saved", words="docs/postgresql.md")
    assert not list(tmp_path.iterdir())


def test_a_backup_of_no_store_makes_none(tmp_path):
    """Neither a store nor a file."""
    refused("--store", url_of(tmp_path / "no.db"), "backup", tmp_path / "saved", words="there is no store at")
    assert not list(tmp_path.iterdir())


def test_a_large_journal_fits_through(tmp_path):
    """Several steps and several reads; the audit of the restored store is clean."""
    url, file = saved(tmp_path, list(journal(20_000, seed=2)))
    assert file.stat().st_size > saving.BYTES_A_STEP
    farecard("--store", url_of(tmp_path / "r.db"), "restore", file)
    assert ask(url_of(tmp_path / "r.db"), "check")["ok"]
    assert ask(url_of(tmp_path / "r.db"), "trial-balance") == ask(url, "trial-balance")
