"""What must always hold, whatever a journal says: found by Hypothesis, not by example."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farecard.model.moments import day_of, iso_moment, parse_moment
from farecard.questions import card as questions
from farecard.questions.audit import Audit
from farecard.questions.books import sums
from farecard.wire.answer import encode_answer
from scenario import BANK, PEOPLE, Runner, number

START = parse_moment("2023-03-01T09:00:00+09:00")
MINUTE = 60_000_000
CARDS = st.sampled_from("ABCD").map(number)
STATIONS = st.sampled_from(["Osaka", "Kyoto", "Takatsuki", "Tennoji", "Nowhere"])
AMOUNTS = st.sampled_from([1, 219, 500, 1000, 1500, 3000, 5000, 10_000, 19_501, 2**62]) | st.integers(1, 20_001)
PASS = {"from": "Takatsuki", "to": "Osaka", "valid_from": "2023-03-01", "valid_until": "2023-03-02"}


def channels(*likely):
    """Mostly where it belongs, sometimes anywhere."""
    return st.sampled_from([*likely * 4, "gate", "counter", "operations", "shop", "icoca-app"])


def fields(do, *likely, **more):
    return st.fixed_dictionaries({"do": st.just(do), "channel": channels(*likely), **more})


@st.composite
def sales(draw):
    kind = draw(st.sampled_from(["anonymous", "named", "commuter", "child", "smart", "mobile"]))
    sale = {"do": "issue", "kind": kind, "card": draw(CARDS), "channel": "icoca-app" if kind == "mobile" else "counter",
            "paid": draw(st.sampled_from([2000, 2000, 2000, 1999]))}  # fmt: skip
    if kind != "anonymous":
        sale["holder"] = PEOPLE[draw(st.sampled_from(["Mori", "Oka", "Hana", "Mori-2"]))]
    if kind == "commuter":
        sale["pass"] = PASS
    if kind == "child":
        sale["expires"] = "2023-03-02"
    return sale


PAPERS = st.builds(lambda letter, one, n: f"{letter}{one[2:]}-{n}", st.just("S"), CARDS, st.integers(1, 3))
COMMANDS = st.one_of(
    sales(),
    sales(),
    fields("top_up", "charge-machine", "fare-adjustment", card=CARDS, amount=AMOUNTS,
           tender=st.sampled_from(["cash", "cash", "credit", "change"])),
    fields("tap_in", "gate", card=CARDS, station=STATIONS),
    fields("tap_out", "gate", "fare-adjustment", card=CARDS, station=STATIONS),
    fields("purchase", "shop", card=CARDS, amount=AMOUNTS, merchant=st.just("m"), cash=st.sampled_from([0, 1, 500])),
    fields("reverse", "operations", "shop", of=st.integers(0, 60).map(str), why=st.just("x")),
    fields("refund", "counter", "icoca-app", card=CARDS),
    fields("request_refund_form", "phone", card=CARDS),
    fields("refund_by_post", "post", card=CARDS, form=PAPERS.map(lambda p: "F" + p[1:]), bank_account=st.just(BANK)),
    fields("report_damaged", "counter", card=CARDS),
    fields("report_lost", "phone", card=CARDS),
    fields("collect_reissue", "counter", slip=PAPERS, card=CARDS, paid=st.sampled_from([0, 1020, 1020])),
    fields("move_to_phone", "icoca-app", card=CARDS, to=CARDS, kind=st.just("mobile")),
)  # fmt: skip


@st.composite
def journals(draw):
    """Commands with times that mostly move on, now and then by a day, now and then back; ids that repeat."""
    at = START
    lines = []
    for n, command in enumerate(draw(st.lists(COMMANDS, min_size=10, max_size=60))):
        at += draw(st.sampled_from([0, MINUTE, MINUTE, 40 * MINUTE, 16 * 60 * MINUTE, -MINUTE]))
        id = str(draw(st.sampled_from([n, n, n, n, n, n, max(0, n - 3)])))
        lines.append(json.dumps({"id": id, "at": iso_moment(at), **command}).encode())
    return lines


RUNNER = Runner()
MANY = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def decided(lines, batch):
    """A desk that decided these lines in batches, and its answers."""
    desk = RUNNER.desk()
    got = []
    for start in range(0, len(lines), batch):
        some = [("j", line) for line in lines[start : start + batch]]
        got += [json.loads(encode_answer(answer)) for answer in desk.run(some)]
    return desk, got


def contents(desk):
    """All of a store that does not depend on how commands were put into batches."""
    columns = "id, do, outcome, account, number, amount, balance, deposit, debit, credit, yen, sets, reasons, result"
    names = [row[1] for row in desk.store.db.execute("PRAGMA table_info(account)") if row[1] != "last_seq"]
    return [
        desk.store.db.execute(query).fetchall()
        for query in (
            f"SELECT {columns} FROM event ORDER BY seq",
            f"SELECT {','.join(names)} FROM account ORDER BY 1",
            "SELECT number, account, ended, ended_at, successor FROM number ORDER BY 1",
            "SELECT account, sum(debit), sum(credit) FROM total GROUP BY 1 ORDER BY 1",
        )
    ]


@MANY
@given(journals(), st.integers(2, 60))
def test_a_batch_decides_as_its_commands_one_by_one_would(lines, batch):
    """Answers, cards, numbers and books are the same, however the lines were put together."""
    one, said = decided(lines, 1)
    expected = contents(one)
    one.store.close()
    many, got = decided(lines, batch)
    assert got == said
    assert contents(many) == expected
    many.store.close()


@MANY
@given(journals())
def test_money_is_neither_made_nor_lost(lines):
    """The books balance, fit the cards, and no card is below zero or above the ceiling; the audit agrees."""
    desk, got = decided(lines, 7)
    store = desk.store
    rows = sums(store)
    assert sum(d for d, _ in rows.values()) == sum(c for _, c in rows.values())
    balances, deposits, _ = store.rows("stored_fare")[0]
    for name, held in (("stored-fare-liability", balances), ("deposits-held", deposits)):
        debit, credit = rows.get(name, (0, 0))
        assert credit - debit == held
    for balance, deposit in store.db.execute("SELECT balance, deposit FROM account"):
        assert 0 <= balance <= 20_000
        assert deposit in (0, 500)
    audit = Audit(store)
    list(audit.run())
    assert audit.problems == []
    for answer in got:
        if answer["outcome"] != "accepted":
            assert answer["reasons"]
            assert all(reason["ja"] and reason["en"] for reason in answer["reasons"])
    store.close()


@MANY
@given(journals())
def test_deciding_again_changes_nothing(lines):
    """Every remembered command gets the same answer, marked; what was no command may be tried again."""
    desk, got = decided(lines, 16)
    before = contents(desk)
    for line, answer in zip(lines, got, strict=True):
        again = json.loads(encode_answer(desk.run([("j", line)])[0]))
        if again.get("repeated"):
            assert {**again, "repeated": True} == {**answer, "repeated": True}
        else:
            # its id may be taken by now, by a later line with the same one
            assert again["outcome"] == answer["outcome"] == "invalid"
    assert contents(desk) == before
    desk.store.close()


@MANY
@given(journals(), st.integers(0, 59))
def test_history_adds_up_to_the_balance_at_every_moment(lines, after):
    """A card's state as of a moment is the sum of its history up to it."""
    desk, _ = decided(lines, 9)
    store = desk.store
    at = parse_moment(json.loads(lines[min(after, len(lines) - 1)])["at"])
    for (one,) in store.db.execute("SELECT number FROM number").fetchall():
        when = questions.moment(at)
        try:
            status = questions.status(store, one, when)["card"]
        except questions.UnknownCardError:
            continue
        history = questions.history(store, one, when)
        found = questions.find(store, one, at)
        if status["state"] == "replaced":
            assert status["balance"] == 0
            assert status["successor"] is not None
        elif found.since_seq == store.db.execute("SELECT min(seq) FROM event WHERE account = ? AND outcome = 'accepted'", (found.account,)).fetchone()[0]:
            assert sum(entry["amount"] for entry in history) == status["balance"]
        if history:
            assert status["state"] == "replaced" or history[0]["balance"] == status["balance"]
        assert all(parse_moment(entry["at"]) <= at for entry in history)
        assert day_of(at)
    store.close()
