"""Keys: made once and shown once, kept as a hash, bound to what they may say, revoked for good."""

import hashlib
import json
import sqlite3

import msgspec
import pytest

from conftest import farecard
from farecard.access.rights import Bound, filler, may_say
from farecard.wire.line import read_line


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path}/k.db"


def keys(store, *words, check=True):
    return farecard("--store", store, "keys", *words, check=check)


def refused(store, *words):
    done = keys(store, *words, check=False)
    assert done.returncode == 2
    return done.stderr.decode()


def test_the_secret_is_the_last_word_and_only_its_hash_is_kept(store, tmp_path):
    """A store that makes no other file holds the hash, and nothing of the secret."""
    secret = keys(store, "add", "pos", "--channels", "shop").stdout.decode().split()[-1]
    assert len(secret) > 40
    rows = sqlite3.connect(tmp_path / "k.db").execute("SELECT secret FROM api_key").fetchall()
    assert rows == [(hashlib.sha256(secret.encode()).digest(),)]
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()
    assert secret not in keys(store, "list").stdout.decode()


def test_the_list_says_what_each_may_do(store):
    """For people a table, for machines JSON; those revoked stay on it."""
    keys(store, "add", "pos", "--channels", "shop, counter", "--ask", "cards", "--merchant", "m", "--place", "till")
    keys(store, "add", "eye", "--ask", "events,metrics", "--rate", "5")
    keys(store, "revoke", "pos")
    pos, eye = json.loads(keys(store, "list", "--json").stdout)
    assert (pos["channels"], pos["ask"], pos["merchant"], pos["place"]) == (["counter", "shop"], ["cards"], "m", "till")
    assert pos["revoked"] is not None
    assert (eye["channels"], eye["ask"], eye["rate"], eye["revoked"]) == ([], ["events", "metrics"], 5, None)
    assert "place till, merchant m" in keys(store, "list").stdout.decode()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--channels", "shp"], "shp: unknown; known are counter"),
        (["--channels", "shop", "--ask", "everything"], "everything: unknown; known are cards, cases, codes, trial-balance"),
        ([], "it can do nothing"),
        (["--channels", "operations"], "say --unattended"),
        (["--channels", "shop", "--unattended"], "only a key that speaks for operations needs it"),
        (["--channels", "shop", "--company", "hanshin"], "only keys for other-rail or other-counter"),
        (["--channels", "shop", "--rate", "0"], "1 or more"),
        (["--channels", "shop", "--place", ""], "--place: 1 to 64 characters"),
    ],
)  # fmt: skip
def test_a_key_that_could_not_work_is_not_made(store, words, said, tmp_path):
    """It says which word is wrong, and no store is made for it."""
    assert said in refused(store, "add", "x", *words)
    assert not (tmp_path / "k.db").exists()


def test_a_name_has_one_key_at_a_time(store):
    """A name is the sender of commands: a second key of it is refused, after a revocation a new one is made."""
    first = keys(store, "add", "pos", "--channels", "shop").stdout
    assert "there is a key pos already" in refused(store, "add", "pos", "--channels", "shop")
    keys(store, "revoke", "pos")
    assert "was revoked already" in refused(store, "revoke", "pos")
    assert keys(store, "add", "pos", "--channels", "shop").stdout != first
    assert "there is no key nobody" in refused(store, "revoke", "nobody")


def test_revoking_makes_no_store(store, tmp_path):
    """There is nothing to revoke."""
    assert "there is no store" in refused(store, "revoke", "pos")
    assert not (tmp_path / "k.db").exists()


def test_who_made_and_ended_a_key_is_on_the_trail(store, tmp_path):
    """Two lines, no secret in them."""
    keys(store, "add", "pos", "--channels", "shop")
    keys(store, "revoke", "pos")
    rows = sqlite3.connect(tmp_path / "k.db").execute("SELECT did, about, said FROM trail ORDER BY n").fetchall()
    assert [row[:2] for row in rows] == [("key-added", "pos"), ("key-revoked", "pos")]
    assert "fc_" not in str(rows)


CARD = "JW000000000000001"
AT = "2023-03-01T09:00:00+09:00"
PURCHASE = {"id": "1", "at": AT, "channel": "shop", "do": "purchase", "card": CARD, "amount": 100, "merchant": "kiosk"}
REVERSE = {"id": "2", "at": AT, "channel": "shop", "do": "reverse", "of": "1", "why": "mistake"}
TAP = {"id": "3", "at": AT, "channel": "gate", "do": "tap_in", "card": CARD, "station": "Osaka"}
COLLECT = {
    "id": "4", "at": AT, "channel": "other-counter", "do": "collect_reissue", "slip": "s", "card": CARD, "paid": 1020,
}  # fmt: skip


def said(bound, fields):
    """What a bound key's command becomes, its digest's body, and why it may not be sent."""
    command, canonical = read_line(json.dumps(fields).encode(), filler(bound))
    no = may_say(bound, command)
    return command, canonical, None if no is None else no.code


def bound(*channels, **bindings):
    return Bound(frozenset(channels), **bindings)


@pytest.mark.parametrize(
    ("key", "fields", "code"),
    [
        (bound("shop"), PURCHASE, None),
        (bound("gate"), PURCHASE, "channel-not-allowed"),
        (bound("shop", place="till-1"), PURCHASE, None),
        (bound("shop", place="till-1"), PURCHASE | {"place": "till-1"}, None),
        (bound("shop", place="till-1"), PURCHASE | {"place": "till-2"}, "place-not-allowed"),
        (bound("shop", merchant="kiosk"), PURCHASE, None),
        (bound("shop", merchant="bakery"), PURCHASE, "merchant-not-allowed"),
        (bound("shop", merchant="bakery"), REVERSE, None),
        (bound("shop", merchant="bakery"), REVERSE | {"merchant": "kiosk"}, "merchant-not-allowed"),
        (bound("gate", merchant="bakery"), TAP, None),
        (bound("other-counter", company="hanshin"), COLLECT, None),
        (bound("other-counter", company="hanshin"), COLLECT | {"company": "kintetsu"}, "company-not-allowed"),
        (bound("other-counter", "gate", company="hanshin"), TAP, None),
        (bound("other-counter", "gate", company="hanshin"), TAP | {"company": "kintetsu"}, "company-not-allowed"),
    ],
)  # fmt: skip
def test_what_a_key_may_say(key, fields, code):
    """Its channels, and of what it is bound to nothing else."""
    assert said(key, fields)[2] == code


@pytest.mark.parametrize(
    ("key", "fields", "field", "value"),
    [
        (bound("shop", place="till-1"), PURCHASE, "place", "till-1"),
        (bound("shop", merchant="bakery"), REVERSE, "merchant", "bakery"),
        (bound("other-counter", company="hanshin"), COLLECT, "company", "hanshin"),
    ],
)  # fmt: skip
def test_what_it_is_bound_to_is_a_default(key, fields, field, value):
    """Left out it is filled in; said or not, it is the same command with the same body."""
    command, canonical, _ = said(key, fields)
    assert getattr(command, field) == value
    assert said(key, fields | {field: value})[1] == canonical
    assert said(bound(fields["channel"]), fields)[1] != canonical


def test_a_key_keeps_its_binding_as_it_was_written():
    """What the store has is read again as it was."""
    for one in (bound("shop"), bound("gate", place="x", ask=frozenset({"cards"}), rate=7)):
        assert msgspec.json.decode(msgspec.json.encode(one, order="sorted"), type=Bound) == one
