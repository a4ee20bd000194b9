"""What the PostgreSQL driver says when things are wrong, in words a person can act on; and that it goes on after."""

import json
import subprocess
import sys

import psycopg
import pytest

from conftest import WORKED_EXAMPLE, answers, command, farecard
from farecard.desk.opening import writing_desk
from farecard.storage.errors import StoreError
from farecard.storage.opening import open_store
from postgres import free_port, query
from state import problems


def said(url, *command):
    """What the command line says and that it ends with status 2, without a traceback."""
    done = farecard("--store", url, *command, stdin=WORKED_EXAMPLE, check=False)
    assert done.returncode == 2
    return done.stderr.decode()


def test_no_server_there():
    """The place is named, the password is not."""
    text = said(f"postgresql://clerk:secret@127.0.0.1:{free_port()}/cards", "replay", "-")
    assert "cannot be reached" in text
    assert "clerk@127.0.0.1" in text
    assert "secret" not in text


def test_a_database_that_is_not_there(own_server):
    """PostgreSQL's own sentence is passed on."""
    assert 'database "nowhere" does not exist' in said(own_server.url("nowhere"), "replay", "-")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clerk:secret@host/x?colour=red",
        "postgresql://clerk:secret%pw@host/x",
        "postgresql://clerk:secret pw@host/x",
        "postgresql://clerk:secret/pw@host/x",
        "postgresql://clerk:secret@pw@host/x",
        "postgresql:/clerk:secret@host/x",
        "host=db user=clerk password=secret",
    ],
)
def test_a_url_that_is_none(url):
    """Neither a traceback nor anything of its password, whatever stands in it unescaped."""
    text = said(url, "check")
    assert "postgresql://USER@HOST" in text
    assert "secret" not in text
    assert "pw" not in text


def test_who_is_not_let_in_is_not_told_to_wait(own_server):
    """A role that is not there: no server that comes back will help."""
    text = said(own_server.url().replace("farecard@", "nobody@"), "check")
    assert 'lets nobody in like this (role "nobody" does not exist)' in text


def test_a_store_that_is_being_made_is_waited_for_and_then_said_so(own_server):
    """Another program holds the lock under which networks are added, longer than anyone waits."""
    url = own_server.database()
    desk = writing_desk(url)
    other = open_store(url, write=True)
    other.begin_making()
    desk.store._writing().execute("SET lock_timeout = '100ms'")
    with pytest.raises(StoreError, match="another program is making it or adding to it"):
        desk.store.begin_making()
    desk.store.rollback()
    other.rollback()
    desk.store.begin_making()
    desk.store.rollback()


def test_a_question_to_a_database_without_a_store(own_server):
    """It says so, and makes nothing."""
    url = own_server.database()
    assert "there is no store in" in said(url, "trial-balance")
    assert query(url, "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'farecard'") == [(0,)]


def test_a_role_that_may_not_make_tables(own_server):
    """What it lacks is named."""
    url = own_server.database()
    query(url, "CREATE ROLE reader LOGIN")
    assert "lacks a right" in said(url.replace("farecard@", "reader@"), "replay", "-")


def test_a_database_in_another_encoding(own_server):
    """Names in Japanese need UTF8: refused before anything is made."""
    assert "make one in UTF8" in said(own_server.database(encoding="SQL_ASCII"), "replay", "-")


def test_a_store_of_a_newer_farecard(own_server):
    """It is neither read nor written."""
    url = own_server.database()
    writing_desk(url).store.close()
    query(url, "UPDATE about SET value = '99' WHERE name = 'schema'")
    for asked in (("replay", "-"), ("check",)):
        assert "newer farecard (schema 99" in said(url, *asked)


def test_a_server_that_only_reads(own_server):
    """A desk says that it is a standby, and which one to name."""
    url = own_server.database()
    writing_desk(url).store.close()
    with psycopg.connect(own_server.url(), autocommit=True) as connection:
        name = url.rsplit("/", 1)[1]
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "name the primary" in said(url, "replay", "-")


def test_a_desk_goes_on_when_its_server_is_back(own_server):
    """While it is away every call says so; then the next one is decided on new connections."""
    url = own_server.database()
    desk = writing_desk(url)
    lines = WORKED_EXAMPLE.splitlines()
    first = answers(desk, lines[:2])
    own_server.kill()
    try:
        for _ in range(2):
            with pytest.raises(StoreError, match="cannot be reached"):
                answers(desk, lines[2:3])
    finally:
        own_server.start()
    assert [one["outcome"] for one in answers(desk, lines[2:])] == ["accepted", "refused"]
    assert answers(desk, lines[:2]) == [one | {"repeated": True} for one in first]
    assert problems(url) == []


def test_a_server_restarted_while_a_desk_was_idle_costs_no_answer(own_server):
    """Its farewell is read before anything is asked, so nothing is unknown: the journal's next line is decided."""
    url = own_server.database()
    call = [sys.executable, "-m", "farecard.cli.main", "--store", url, "replay", "-"]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as replay:
        told = []
        for line in WORKED_EXAMPLE.splitlines():
            replay.stdin.write(line + b"\n")
            replay.stdin.flush()
            answer = replay.stdout.readline()
            assert answer, replay.stderr.read().decode()
            told.append(json.loads(answer)["outcome"])
            own_server.restart()
        replay.stdin.close()
        assert replay.wait(60) == 0, replay.stderr.read().decode()
    assert told == ["accepted", "accepted", "accepted", "refused"]
    assert problems(url) == []


def test_two_programs_make_the_same_store_at_once(own_server, tmp_path):
    """One makes it, both use it, and each decides its own journal."""
    url = own_server.database()
    runs = []
    for sender in ("one", "other"):
        file = tmp_path / sender
        file.write_bytes(WORKED_EXAMPLE)
        call = [sys.executable, "-m", "farecard.cli.main", "--store", url, "replay", "--sender", sender, file]
        runs.append(subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    for run in runs:
        out, errors = run.communicate(timeout=60)
        assert run.returncode == 0, errors.decode()
        assert out.count(b"\n") == 4
    assert query(url, "SELECT count(*) FROM network") == [(1,)]
    assert problems(url) == []


def test_every_writer_has_a_chain_of_its_own(own_server):
    """Two open desks are two writers; the number of a closed one is free again."""
    url = own_server.database()
    one, other = open_store(url, write=True), open_store(url, write=True)
    assert (one.writer, other.writer) == (0, 1)
    one.close()
    third = open_store(url, write=True)
    assert third.writer == 0
    assert open_store(url, write=False).writer == 0


@pytest.mark.parametrize("by", ["PGCLIENTENCODING", "the URL"])
@pytest.mark.parametrize("encoding", ["LATIN1", "SJIS", "SQL_ASCII"])
def test_what_is_written_does_not_depend_on_the_client_encoding(own_server, tmp_path, encoding, by):
    """Ids and places in Japanese are the same bytes whatever the surroundings say, so a repeat is known again."""
    url = own_server.database()
    lines = WORKED_EXAMPLE.splitlines()[:1]
    lines.append(command("é2", "purchase", channel="shop", card="JW000000000000001", amount=10, merchant="売店", place="大阪"))
    journal = b"\n".join(lines)
    other, env = url, {}
    if by == "the URL":
        other += f"?client_encoding={encoding}"
    else:
        env["PGCLIENTENCODING"] = encoding
    key = {"FARECARD_KEY_FILE": str(tmp_path / "key")}
    first = farecard("--store", other, "replay", "-", stdin=journal, env=env | key).stdout
    again = farecard("--store", url, "replay", "-", stdin=journal, env=key).stdout
    assert [json.loads(line).get("repeated") for line in again.splitlines()] == [True, True]
    assert first.splitlines()[1] in again.splitlines()[1].replace(b',"repeated":true', b"")
    assert query(url, "SELECT place, merchant FROM event WHERE id = 'é2'") == [("大阪", "売店")]
    assert problems(url) == []
