"""What is held about a person is shown to who has the key, and is gone for good once it is erased; nobody else reads it."""

import json
import sqlite3
from contextlib import closing
from itertools import chain

import pytest

from conftest import a_store, answers, command, farecard
from farecard.access import members, owning, people
from farecard.desk.opening import writing_desk
from farecard.questions.books import sums
from farecard.storage.making import read_vault
from postgres import query
from stolen import bytes_of, rows_left, spellings

CARD, SMART = "JW000000000000001", "JW000000000000002"
HOLDER = {"name": "桜木花子", "kana": "サクラギハナコ", "born": "1987-06-05", "phone": "09098765432"}
OTHER = {"name": "梅田太郎", "kana": "ウメダタロウ", "born": "1990-01-31", "phone": "0671234567"}
BANK = {"bank": "見本銀行", "branch": "本店", "kind": "ordinary", "number": "7654321", "holder_kana": "ウメダタロウ"}
PERSON, MEMBER = "key-of-hanako-4711", "wester-hanako-0815"
LOGIN, WORD = "hanako.sakuragi@example.com", "a red umbrella in May"
SECRETS = [*HOLDER.values(), *OTHER.values(), BANK["number"], PERSON, MEMBER, LOGIN, WORD]


def lines():
    """Hanako's named card with a membership and an application; Taro's SMART ICOCA, refunded by post.

    Hanako has enrolled, too (``url``), and her card is tied to her.
    """
    return [
        command("1", "issue", at="2022-07-01T09:00:00+09:00", card=CARD, kind="named", paid=2000, holder=HOLDER),
        command("1b", "register_for_points", at="2022-07-01T10:00:00+09:00", channel="wester-app", card=CARD),
        command("2", "apply_myna_point", at="2022-07-02T09:00:00+09:00", channel="myna-point", card=CARD,
                person=PERSON, measures=[1, 2]),
        command("3", "confirm_insurance_card", at="2022-07-03T09:00:00+09:00", channel="myna-point", person=PERSON),
        command("4", "join_membership", at="2023-04-01T09:00:00+09:00", card=CARD, member=MEMBER),
        command("5", "issue", channel="ticket-machine", card=SMART, kind="smart", paid=2000, holder=OTHER),
        command("6", "request_refund_form", at="2023-03-02T09:00:00+09:00", channel="phone", card=SMART),
        command("7", "refund_by_post", at="2023-03-06T09:00:00+09:00", channel="post", card=SMART,
                form="F000000000000002-1", bank_account=BANK),
    ]  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A store of each kind with two people in it."""
    url = a_store(request, tmp_path)
    desk = writing_desk(url)
    got = answers(desk, lines(), batch=1)
    assert [one["outcome"] for one in got] == ["accepted"] * 8, [one for one in got if one["outcome"] != "accepted"]
    name, _ = members.enrol(desk.store, desk.vault, LOGIN, WORD)
    owning.claim_as_holder(desk.store, desk.vault, name, 1, owning.Papers(HOLDER["kana"], HOLDER["born"]), HOLDER["phone"])
    desk.store.close()
    return url


def person(url, *words, check=True):
    return farecard("--store", url, "person", *words, check=check)


def shown(url, *words):
    return json.loads(person(url, "show", *words, "--json").stdout)


def refused(url, *words):
    done = person(url, *words, check=False)
    assert done.returncode == 2, done
    return done.stderr.decode()


def journal_and_books(url):
    """What erasing must not touch: all events, the chain, the books."""
    desk = writing_desk(url)
    try:
        store = desk.store
        events = list(chain.from_iterable(
            store.rows("events_of_batch", first=row[0] * 65536, past=(row[0] + 1) * 65536) for row in store.rows("batches")
        ))  # fmt: skip
        return events, store.rows("batches"), sums(store)
    finally:
        store.close()


def test_all_that_is_held_about_the_holder_of_a_card(url):
    """Name, kana, birthday, phone, membership and the opaque id; of the other card the bank account, too."""
    found = {one["what"]: one for one in shown(url, "--card", CARD)}
    assert set(found) == {"holder", "member", "person", "enrolled"}
    assert (found["enrolled"]["login"], found["enrolled"]["cards"]) == (LOGIN, [CARD])
    assert {name: found["holder"][name] for name in HOLDER} == HOLDER
    assert (found["member"]["member"], found["person"]["person"]) == (MEMBER, PERSON)
    found = {one["what"]: one for one in shown(url, "--card", SMART)}
    assert {name: found["payee"][name] for name in BANK} == BANK
    assert HOLDER["name"] in person(url, "show", "--card", CARD).stdout.decode()
    assert [one["what"] for one in shown(url, "--person", PERSON)] == ["person"]
    assert [(one["what"], one["card"]) for one in shown(url, "--member", MEMBER)] == [("member", CARD)]
    assert [(one["what"], one["login"]) for one in shown(url, "--login", LOGIN.upper())] == [("enrolled", LOGIN)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--card", "JW000000000000009"], "no such card was ever given out"),
        (["--card", "JW1"], "--card: a card number is JW and 15 digits"),
        (["--person", "nobody"], "nobody of this id"),
        (["--member", "nobody"], "no card is tied to this member"),
        (["--login", "nobody@example.com"], "nobody enrolled with this sign-in name"),
    ],
)
def test_nobody_is_found(url, words, said):
    """A sentence for each, with status 2; the words asked for are not repeated but for a card's number."""
    text = refused(url, "show", *words)
    assert said in text
    assert "Traceback" not in text


def test_erased_is_gone_and_the_ledger_stays_whole(url):
    """Every row of the journal, the chain and the books is as it was; the audit finds nothing; the files forget the sealed bytes."""
    sealed = [
        bytes(value)
        for table in ("holder", "member", "person", "enrolled")
        for row in rows_of(url, f"SELECT subject_key, sealed FROM {table}")
        for value in row
    ]
    sealed += [bytes(row[0]) for row in rows_of(url, "SELECT sealed FROM payee")]
    before, files = journal_and_books(url), rows_left(url)
    sealed += [bytes(row[0]) for row in rows_of(url, "SELECT code FROM recovery")]
    sealed += [bytes(row[0]) for row in rows_of(url, "SELECT login_key FROM enrolled")]
    sealed += [row[0].encode() for row in rows_of(url, "SELECT password FROM enrolled")]
    assert len(sealed) == 21  # with Hanako's eight recovery codes, the digest of her sign-in name and her password's hash
    assert all(one in files for one in sealed), "the test must look where they are"
    person(url, "erase", "--card", SMART, "--yes")
    person(url, "erase", "--card", CARD, "--yes", "--in-use")
    assert journal_and_books(url) == before
    assert farecard("--store", url, "check").returncode == 0
    files = rows_left(url)
    assert not [one for one in sealed if one in files]
    for card in (CARD, SMART):
        assert all(one["erased"] and len(one) == 3 for one in shown(url, "--card", card))
    assert rows_of(url, "SELECT * FROM owned") == []
    assert "nobody enrolled" in refused(url, "show", "--login", LOGIN)
    assert "nothing was held" in person(url, "erase", "--card", CARD, "--yes").stdout.decode()


def rows_of(url, text):
    if url.startswith("sqlite:///"):
        db = sqlite3.connect(url.removeprefix("sqlite:///"))
        try:
            return db.execute(text).fetchall()
        finally:
            db.close()
    return query(url, text.replace("FROM ", "FROM farecard."))


def test_a_card_in_use_is_not_left_without_its_holder_by_accident(url):
    """Hanako's card is in use: refused, with the way out. Taro's is refunded: erased. A person of the national system is, too."""
    text = refused(url, "erase", "--card", CARD, "--yes")
    assert CARD in text
    assert "--in-use" in text
    assert not any(one["erased"] for one in shown(url, "--card", CARD))
    person(url, "erase", "--card", SMART, "--yes")
    assert json.loads(person(url, "erase", "--person", PERSON, "--yes", "--json").stdout) == {"erased": 1}
    assert {one["what"]: one["erased"] for one in shown(url, "--card", CARD)} == {
        "holder": False, "member": False, "person": True, "enrolled": False,
    }  # fmt: skip
    assert json.loads(person(url, "erase", "--member", MEMBER, "--yes", "--json").stdout) == {"erased": 1}


def test_who_enrolled_is_erased_and_the_card_keeps_its_holder(url):
    """By the sign-in name: the account, its codes and ties; what is held about the card's holder is another matter."""
    assert json.loads(person(url, "erase", "--login", LOGIN, "--yes", "--json").stdout) == {"erased": 1}
    assert {one["what"] for one in shown(url, "--card", CARD)} == {"holder", "member", "person"}
    assert rows_of(url, "SELECT count(*) FROM recovery") == [(0,)]
    with closing(writing_desk(url).store) as store:
        assert people.told(people.by_card(store, read_vault(store), 1))[0]["name"] == HOLDER["name"]
    trail = rows_of(url, "SELECT did, about, said FROM trail WHERE did = 'person-erased'")
    assert [(did, said) for did, _, said in trail] == [("person-erased", "enrolled")]
    assert LOGIN not in str(trail)


def test_without_yes_and_without_a_terminal_nothing_is_erased(url):
    """It says what it would erase, and names nobody."""
    text = refused(url, "erase", "--card", SMART)
    assert "say --yes" in text
    assert OTHER["name"] not in text
    assert not any(one["erased"] for one in shown(url, "--card", SMART))


def test_the_trail_says_who_erased_what_and_nothing_personal(url):
    """A line with the card's number and the kinds of data."""
    person(url, "erase", "--card", SMART, "--yes")
    rows = rows_of(url, "SELECT who, did, about, said FROM trail WHERE did = 'person-erased'")
    assert [(did, about, said) for _, did, about, said in rows] == [("person-erased", SMART, "holder, payee")]


def test_a_desk_at_work_takes_note(url):
    """Hanako's data are erased under a running desk. The next card in her name is sold: CARD-4 has nothing to compare."""
    desk = writing_desk(url)
    again = command("8", "issue", at="2023-04-10T09:00:00+09:00", card="JW000000000000003", kind="named", paid=2000, holder=HOLDER)
    no = command("9", "issue", at="2023-04-10T09:00:00+09:00", card="JW000000000000003", kind="named", paid=2000, holder=HOLDER)
    assert answers(desk, [again])[0]["reasons"][0]["rule"] == "CARD-4"
    person(url, "erase", "--card", CARD, "--yes", "--in-use")
    assert answers(desk, [no])[0]["outcome"] == "accepted"
    desk.store.close()
    assert farecard("--store", url, "check").returncode == 0


def test_a_stolen_database_names_nobody(url):
    """No name, kana, birthday of a holder, phone, account number, person's or member's id in any spelling, in any of its bytes."""
    desk = writing_desk(url)
    for n, line in enumerate(lines()):  # sent again, and in commands that are none
        answers(desk, [line, line.replace(b'"do"', b'"du"'), line.replace(b'"id": "', b'"id": "x%d-' % n)])
    desk.store.close()
    farecard("--store", url, "keys", "add", "k", "--channels", "shop")
    files = bytes_of(url)
    for secret in SECRETS:
        for spelling in spellings(secret):
            assert spelling not in files, secret


def test_without_its_key_a_store_opens_nobody(url, tmp_path):
    """A key file of another store is told from the right one."""
    other = f"sqlite:///{tmp_path}/other.db"
    writing_desk(other).store.close()
    done = farecard("--store", url, "person", "show", "--card", CARD, check=False,
                    env={"FARECARD_KEY_FILE": f"{tmp_path}/other.db.key"})  # fmt: skip
    assert done.returncode == 2
    assert HOLDER["name"] not in done.stdout.decode() + done.stderr.decode()
