"""A store of an older farecard is brought up to date where it lies: today's schema, and nothing lost.

There is no older farecard to fill a store with, so one of today is taken back: what a version added is removed.
"""

import re
import sqlite3

import psycopg
import pytest

from applicants import Applicants
from conftest import answers, command, farecard
from farecard.desk.opening import writing_desk
from farecard.model.account import Account
from farecard.model.moments import parse_day
from farecard.rules.reissue import reissuable, slip_good
from farecard.sample import journal
from farecard.storage.sql import SCHEMA_VERSION, sql_text, tables
from state import problems

CAMPAIGNS = re.findall(r"CREATE TABLE (\w+)", sql_text("campaigns.sql"))
MEMBERS = re.findall(r"CREATE TABLE (\w+)", sql_text("members.sql"))
ACCESS = re.findall(r"CREATE TABLE (\w+)", sql_text("access.sql"))
# what takes a store back from each version to the one before it
STEPS = {
    10: ["DROP TABLE subtotal"],
    9: ["DROP INDEX total_of_programmes", "DROP TABLE cash_moved"],
    8: [
        "DROP TABLE shift", "DROP INDEX total_of_tills", "DROP TABLE task", "DROP INDEX batch_last", "DROP INDEX batch_span",
    ],
    7: [f"DROP TABLE {table}" for table in MEMBERS],
    6: ["DROP TABLE resolution", "DROP INDEX event_referred", "DROP INDEX event_referred_card"],
    5: [f"DROP TABLE {table}" for table in ACCESS],
    4: ["DROP INDEX event_of_account", "ALTER TABLE reversal DROP COLUMN at"],
    3: [f"DROP TABLE {table}" for table in CAMPAIGNS],
}
OLDER = [version - 1 for version in STEPS]


def connected(url):
    """A connection of the tests' own, its statements done at once."""
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    return psycopg.connect(url, autocommit=True, options="-c search_path=farecard")


def make_older(url, version):
    """Take a store of today back to an older schema."""
    db = connected(url)
    for step in range(SCHEMA_VERSION, version, -1):
        for statement in STEPS[step]:
            db.execute(statement)
    if url.startswith("sqlite"):
        db.execute(f"PRAGMA user_version = {version}")
    else:
        db.execute("UPDATE about SET value = %s WHERE name = 'schema'", (str(version),))
    db.close()


def shape(url):
    """Every table with its columns, every index: as the engine describes them."""
    db = connected(url)
    if url.startswith("sqlite"):
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        # an added column's default is the one thing that stays: it was needed while the rows had none
        columns = {name: [row[1:4] for row in db.execute(f"PRAGMA table_info({name})")] for name in names}
        indexes = sorted(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        version = db.execute("PRAGMA user_version").fetchone()
    else:
        columns = db.execute(
            "SELECT table_name, ordinal_position, column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'farecard' ORDER BY 1, 2"
        ).fetchall()
        # the number of a column that was taken out is not given again
        columns = [row[:1] + row[2:] for row in columns]
        indexes = db.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'farecard' ORDER BY 1").fetchall()
        version = db.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
    db.close()
    return columns, indexes, version


def rows(url):
    """Everything in the store, table by table, but for when a campaign's file was loaded."""
    db = connected(url)
    found = {}
    for table, columns in tables().items():
        names = ", ".join(f'"{name}"' for name in columns if name != "loaded_at")
        found[table] = sorted(map(repr, db.execute(f"SELECT {names} FROM {table}").fetchall()))
    db.close()
    return found


def filled(url, lines):
    desk = writing_desk(url)
    got = answers(desk, lines, batch=20)
    desk.store.close()
    return got


def brought_up(url, version, lines):
    """Fill a store, make it an older one, open it to write; compare everything."""
    got = filled(url, lines)
    before, whole = rows(url), shape(url)
    assert len(before["reversal"]) > 10
    assert len(before["subtotal"]) > 100
    make_older(url, version)
    assert shape(url) != whole
    writing_desk(url).store.close()
    assert shape(url) == whole
    assert rows(url) == before
    assert problems(url) == []
    return got


SINCE_3 = (b"_points", b"_membership", b"_myna_point", b"confirm_", b"file_account", b"_rally", b"_draw", b"_grants",
           b"change_applied_card")  # fmt: skip


def lines_of(version):
    """What a farecard of that version could have decided; before 3 there were no campaigns."""
    if version > 2:
        return Applicants(120, seed=31).journal()
    ordinary = (line for line in journal(4_000, seed=31) if not any(word in line for word in SINCE_3))
    return [*ordinary, *taken_back()]


def taken_back():
    """A card whose purchases are all taken back."""
    card = "JW888888888888888"
    yield command("i", "issue", card=card, kind="anonymous", paid=2000)
    for n in range(30):
        yield command(f"p{n}", "purchase", card=card, channel="shop", amount=10, merchant="m")
        yield command(f"r{n}", "reverse", channel="shop", of=f"p{n}", why="mistake", merchant="m")


@pytest.mark.parametrize("version", OLDER)
def test_an_older_store_becomes_a_store_of_today(tmp_path, version):
    """SQLite, from each version there was."""
    brought_up(f"sqlite:///{tmp_path}/store.db", version, lines_of(version))


@pytest.mark.parametrize("version", OLDER)
def test_an_older_store_becomes_a_store_of_today_on_postgresql(database, version):
    """The same of the other engine."""
    brought_up(database, version, lines_of(version))


def test_an_older_postgresql_store_is_not_changed_by_who_only_asks(database):
    """Questions say what brings it up to date; writing does."""
    filled(database, lines_of(3)[:50])
    make_older(database, 3)
    before = shape(database)
    done = farecard("--store", database, "check", check=False)
    assert done.returncode == 2
    assert f"schema 3, this one works with {SCHEMA_VERSION}" in done.stderr.decode()
    assert shape(database) == before


def test_a_slip_from_before_its_last_day_was_kept_is_good_for_14_days():
    """As every tariff had it then: on the 14th day the slip still counts, on the 15th the card is reported anew."""
    card = Account(1, 1, "named", state="stopped", stop_cause="lost", slip=1, slip_day=parse_day("2023-02-01"))
    refused = reissuable(card, parse_day("2023-02-15"), lost=True)
    assert [(one.code, one.params["until"]) for one in refused.reasons] == [("card-stopped-lost", "2023-02-15")]
    assert slip_good(card, parse_day("2023-02-15")) is None
    assert reissuable(card, parse_day("2023-02-16"), lost=True) is None
    assert slip_good(card, parse_day("2023-02-16")).reasons[0].code == "slip-over"
