"""``farecard check`` finds what was changed behind its back."""

import pytest

from conftest import answers, command, farecard, found_by_check, new_desk, tampered

HOLDER = {"name": "甲", "kana": "コウ", "born": "1980-01-01", "phone": "1"}
CARD = {"card": "JW000000000000001"}
LINES = [
    command("1", "issue", kind="named", paid=2000, holder=HOLDER, **CARD),
    command("2", "purchase", at="2023-03-01T10:00:00+09:00", channel="shop", amount=300, merchant="k", **CARD),
    command("3", "report_lost", at="2023-03-02T10:00:00+09:00", **CARD),
    command("4", "collect_reissue", at="2023-03-03T10:00:00+09:00", slip="S000000000000001-1",
            card="JW000000000000002", paid=1020),
    command("5", "top_up", at="2023-03-04T10:00:00+09:00", channel="charge-machine", amount=1000,
            tender="cash", card="JW000000000000002"),
    command("6", "reverse", at="2023-03-04T11:00:00+09:00", channel="operations", of="5", why="wrong card"),
    command("7", "refund", at="2023-03-04T12:00:00+09:00", channel="gate", card="JW000000000000002"),
]  # fmt: skip


def made(tmp_path):
    desk = new_desk(tmp_path)
    outcomes = [a["outcome"] for a in answers(desk, LINES, batch=2)]
    assert outcomes == ["accepted"] * 6 + ["refused"]
    return desk.store


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("UPDATE event SET amount = -200, yen = 200 WHERE id = '2'", "not those it was committed with"),
        ("UPDATE event SET why = 'other' WHERE id = '6'", "not those it was committed with"),
        ("UPDATE transfer SET yen = yen + 1", "not those it was committed with"),
        ("UPDATE total SET debit = debit + 1 WHERE batch = 512 AND debit > 0", "not the sums of its transfers"),
        ("UPDATE batch SET recorded_at = 0 WHERE number = 2", "not those it was committed with"),
        ("UPDATE batch SET prev = x'00' WHERE number = 3", "chain is cut"),
        ("DELETE FROM batch WHERE number = 2", "a batch is missing"),
        ("DELETE FROM event WHERE id = '3'", "history is cut"),
        ("UPDATE account SET balance = balance + 1", "balance differ from what its events give"),
        ("UPDATE account SET balance = balance + 1", "yen in the books"),
        ("UPDATE account SET details = NULL", "details differ from what its events give"),
        ("DELETE FROM account", "accounts have a history and no row"),
        ("DELETE FROM number WHERE number = 2", "not in the list of numbers"),
        ("DELETE FROM number WHERE number = 1", "number 1 of account 1 is not in the list"),
        ("UPDATE number SET successor = 9 WHERE number = 1", "leads to another successor"),
        ("DELETE FROM command WHERE id = '2'", "its sender's id is not remembered"),
        ("DELETE FROM event WHERE id = '7'", "leads to no event"),
        ("DELETE FROM holder", "none is kept"),
        ("UPDATE namesake SET cards = 2", "cards counted a person"),
        ("DELETE FROM namesake", "cards counted a person"),
        ("DELETE FROM reversal", "is not in the list of reversals"),
        ('UPDATE reversal SET "of" = 1', "one of its two events is not there"),
    ],
)
def test_every_kind_of_tampering_is_found(tmp_path, tampering, words):
    """One changed row is enough, and the audit says where; the exit status is 1."""
    store = made(tmp_path)
    farecard("--store", f"sqlite:///{tmp_path}/store.db", "check")
    store.close()
    tampered(tmp_path / "store.db", tampering)
    assert words in found_by_check(f"sqlite:///{tmp_path}/store.db")
