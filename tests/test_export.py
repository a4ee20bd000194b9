"""``farecard export parquet``: everything that may leave, as it is, and nothing that may not."""

import json
import re
import sqlite3
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from conftest import answers, command, farecard, new_desk
from exporting import NOW, export, generated, read
from farecard.desk.opening import writing_desk
from farecard.export import files
from farecard.export.columns import CARDS, EVENTS, TABLES, TRANSFERS
from farecard.model.commands import format_number
from farecard.model.moments import date_of, day_of, month_of
from farecard.questions.card import everything, status
from farecard.sample import journal
from farecard.storage.opening import open_to_read

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    return generated(tmp_path_factory.mktemp("exported"))


# -- what is in it -------------------------------------------------------------------------------


def test_every_decided_command_is_one_row_with_its_own_values(exported):
    """Column by column against the journal; days and months are Tokyo's."""
    url, folder, about = exported
    events = read(folder, EVENTS)
    store = open_to_read(url)
    same = ("seq", "sender", "id", "at", "do", "channel", "place", "company", "outcome", "amount",
            "balance", "deposit", "points", "station", "merchant", "tender", "of")  # fmt: skip
    listed = ", ".join(f'"{name}"' for name in (*same, "account", "reasons"))
    rows = store.db.execute(f"SELECT {listed} FROM event ORDER BY seq").fetchall()
    recorded = dict(store.db.execute("SELECT id, recorded_at FROM batch"))
    assert about["tables"]["events"]["rows"] == len(events) == len(rows) > 5_000
    plain = events.set_column(events.column_names.index("at"), "at", events["at"].cast(pa.int64()))
    assert plain.select(same).to_pylist() == [dict(zip(same, row, strict=False)) for row in rows]
    assert events["account"].to_pylist() == [None if row[-2] == -1 else row[-2] for row in rows]
    reasons = [json.loads(row[-1])[0] if row[-1] else (None, None) for row in rows]
    assert list(zip(*events.select(["rule", "code"]).to_pydict().values(), strict=True)) == [
        tuple(reason[:2]) for reason in reasons
    ]
    days = [day_of(row[same.index("at")]) for row in rows]
    assert events["day"].to_pylist() == [date_of(day) for day in days]
    assert events["month_no"].to_pylist() == [month_of(day) for day in days]
    assert events["recorded_at"].cast(pa.int64()).to_pylist() == [
        recorded[row[0] // 65_536] for row in rows
    ]
    assert set(events["batch"].to_pylist()) == set(recorded)
    store.close()


def test_the_entries_sum_to_the_trial_balance(exported):
    """Debit and credit of every ledger account, and nothing besides."""
    url, folder, about = exported
    transfers = read(folder, TRANSFERS)
    assert about["tables"]["transfers"]["rows"] == len(transfers)
    sums = {}
    for side in ("debit", "credit"):
        by = transfers.group_by(side).aggregate([("yen", "sum")])
        for account, yen in zip(by[side].to_pylist(), by["yen_sum"].to_pylist(), strict=True):
            sums.setdefault(account, {"debit": 0, "credit": 0})[side] = yen
    said = json.loads(farecard("--store", url, "trial-balance", "--json").stdout)["accounts"]
    assert sums == {row["account"]: {"debit": row["debit"], "credit": row["credit"]} for row in said}
    assert max(transfers["n"].to_pylist()) > 0
    events = read(folder, EVENTS)
    whose = dict(zip(events["seq"].to_pylist(), events.select(["account", "at", "month_no"]).to_pylist(), strict=True))
    assert transfers.select(["account", "at", "month_no"]).to_pylist() == [
        whose[seq] for seq in transfers["seq"].to_pylist()
    ]


def test_every_card_number_is_as_its_status_says(exported):
    """Replaced, moved into a phone, refunded, expired: the same answer for each."""
    url, folder, _ = exported
    cards = read(folder, CARDS).to_pylist()
    store = open_to_read(url)
    numbers = [row[0] for row in store.rows("all_numbers")]
    assert [card["number"] for card in cards] == [format_number(number) for number in numbers]
    for number, card in zip(numbers, cards, strict=True):
        said = status(store, number, everything(NOW))["card"]
        said.pop("ride")  # its tap is among the events
        expires = None if card["expires"] is None else card["expires"].isoformat()
        assert {**{name: card[name] for name in said}, "expires": expires} == said
    assert {card["ended"] for card in cards} == {None, "lost", "damaged", "moved"}
    assert {"active", "riding", "refunded", "replaced"} <= {card["state"] for card in cards}
    store.close()


def test_a_refused_command_carries_the_number_the_account_had_then(tmp_path):
    """Before the reissue the old one, after it the new one; of a replaced number's own there is no account."""
    one, two, three = (format_number(n) for n in (1, 2, 3))
    desk = new_desk(tmp_path)
    purchase = {"channel": "shop", "amount": 99_999, "merchant": "m"}
    slip = answers(desk, [
        command("1", "issue", card=one, kind="commuter", paid=2000,
                holder={"name": "n", "kana": "k", "born": "1990-01-01", "phone": "1"},
                **{"pass": {"from": "Takatsuki", "to": "Osaka", "valid_from": "2023-03-01", "valid_until": "2023-05-31"}}),
        command("2", "purchase", card=one, **purchase),
        command("3", "report_damaged", card=one),
    ])  # fmt: skip
    assert [answer["outcome"] for answer in slip] == ["accepted", "refused", "accepted"], slip
    later = "2023-03-02T10:00:00+09:00"
    got = answers(desk, [
        command("4", "collect_reissue", at=later, slip=slip[2]["result"]["slip"], card=two, paid=0),
        command("5", "purchase", at=later, card=two, **purchase),
        command("6", "purchase", at=later, card=one, **purchase),
        command("7", "purchase", at=later, card=three, **purchase),
    ])  # fmt: skip
    assert [answer["outcome"] for answer in got] == ["accepted", "refused", "refused", "invalid"], got
    phone = format_number(4)
    moved = answers(desk, [
        command("8", "move_to_phone", at=later, channel="icoca-app", card=two, to=phone, kind="mobile"),
    ])  # fmt: skip
    assert moved[0]["outcome"] == "accepted", moved
    desk.store.close()
    export(f"sqlite:///{tmp_path}/store.db", tmp_path / "out")
    rows = {row["id"]: row for row in read(tmp_path / "out", EVENTS).to_pylist()}
    cards = read(tmp_path / "out", CARDS)
    assert cards["kind"].to_pylist() == ["commuter", "commuter", "mobile"]
    assert cards["successor"].to_pylist() == [two, phone, None]
    assert cards["ended"].to_pylist() == ["damaged", "moved", None]
    assert {id: row["number"] for id, row in rows.items()} == {
        "1": one, "2": one, "3": one, "4": two, "5": two, "6": None, "7": None, "8": phone,
    }  # fmt: skip
    assert {id: row["account"] for id, row in rows.items()} == {
        **dict.fromkeys("123458", 1), "6": None, "7": None,
    }  # fmt: skip


def test_months_change_at_midnight_in_tokyo(tmp_path):
    """The last second of March and the first of April, and a moment that is April only in Tokyo."""
    desk = new_desk(tmp_path)
    card = "JW000000000000001"
    moments = ("2023-03-31T23:59:59+09:00", "2023-04-01T00:00:00+09:00", "2023-03-31T15:00:01Z")
    lines = [command("0", "issue", card=card, kind="anonymous", paid=2000)]
    lines += [
        command(at, "top_up", at=at, card=card, amount=1000, tender="cash", channel="ticket-machine")
        for at in moments
    ]
    assert {answer["outcome"] for answer in answers(desk, lines)} == {"accepted"}
    desk.store.close()
    export(f"sqlite:///{tmp_path}/store.db", tmp_path / "out")
    for table in (EVENTS, TRANSFERS):
        rows = read(tmp_path / "out", table)
        found = list(zip(*rows.select(["year", "month", "month_no", "day"]).to_pydict().values(), strict=True))
        assert found[-3:] == [
            (2023, 3, 2023 * 12 + 2, date(2023, 3, 31)),
            (2023, 4, 2023 * 12 + 3, date(2023, 4, 1)),
            (2023, 4, 2023 * 12 + 3, date(2023, 4, 1)),
        ]
        april = tmp_path / "out" / table.name / "year=2023" / "month=4"
        assert sum(pq.ParquetFile(path).metadata.num_rows for path in april.iterdir()) == 2


def test_both_engines_give_the_same_rows(tmp_path, database):
    """The same journal into SQLite and PostgreSQL: equal but for when it was recorded."""
    lines = list(journal(3_000, seed=12))
    for url, name in ((f"sqlite:///{tmp_path}/store.db", "one"), (database, "two")):
        desk = writing_desk(url)
        answers(desk, lines, batch=300)
        desk.store.close()
        export(url, tmp_path / name)
    for table in TABLES:
        one, two = (read(tmp_path / name, table) for name in ("one", "two"))
        if table is EVENTS:
            one, two = (rows.drop_columns("recorded_at") for rows in (one, two))
        assert one.equals(two)
        assert len(one), table.name


# -- what is not in it ---------------------------------------------------------------------------

PERSONAL = {
    "name": "桜木花子", "kana": "サクラギハナコ", "born": "1987-06-05", "phone": "09098765432",
    "bank": "ひみつ銀行", "branch": "奥山支店", "number": "7654321", "holder_kana": "ヒミツノサクラギ",
    "by": "clerk-4711", "why": "花子さんに頼まれた",
}  # fmt: skip


def test_nothing_personal_leaves(tmp_path):
    """No value of a holder, a payee, a clerk or a free text in any file, its statistics or its names."""
    desk = new_desk(tmp_path)
    card = "JW000000000000001"
    holder = {name: PERSONAL[name] for name in ("name", "kana", "born", "phone")}
    bank = {name: PERSONAL[name] for name in ("bank", "branch", "number", "holder_kana")}
    by = {"by": PERSONAL["by"]}
    got = answers(desk, [
        command("1", "issue", card=card, kind="smart", paid=2000, holder=holder, **by),
        command("2", "purchase", channel="shop", card=card, amount=100, merchant="m", **by),
        command("3", "reverse", channel="shop", of="2", why=PERSONAL["why"], merchant="m", **by),
        command("4", "request_refund_form", channel="phone", card=card, **by),
    ])  # fmt: skip
    got += answers(desk, [
        command("5", "refund_by_post", channel="post", card=card, form=got[3]["result"]["form"],
                bank_account={**bank, "kind": "futsu"}, **by),
    ])  # fmt: skip
    assert {answer["outcome"] for answer in got} == {"accepted"}, got
    kept = b"".join(bytes(str(row), "utf-8") for row in desk.store.db.execute('SELECT "by", why FROM event'))
    assert PERSONAL["by"].encode() in kept and PERSONAL["why"].encode() in kept
    desk.store.close()
    export(f"sqlite:///{tmp_path}/store.db", tmp_path / "out")
    found = [path.read_bytes() + str(path).encode() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    found += [str(read(tmp_path / "out", table).to_pydict()).encode() for table in TABLES]
    text = b"\n".join(found)
    assert b"JW000000000000001" in text
    for name, value in PERSONAL.items():
        assert value.encode() not in text, name


def test_no_column_of_a_table_that_holds_people_is_exported():
    """Neither a clerk nor free text nor a digest has a column."""
    names = {column.name for table in TABLES for column in table.columns}
    assert not names & {"by", "why", "digest", "result", "reasons", "warnings", "sets", "name_key",
                        "phone_key", "sealed", "subject_key", "pass_from", "pass_to"}  # fmt: skip


# -- the page ------------------------------------------------------------------------------------


def test_the_page_lists_every_column_as_it_is():
    """docs/export.md: name, type and meaning of each column, table by table, in order."""
    page = (DOCS / "export.md").read_text("utf-8")
    for table in TABLES:
        section = re.search(rf"^## `{table.name}`\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)[1]
        assert table.row in section.replace("\n", " ")
        lines = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", section, re.MULTILINE)
        assert lines == [(column.name, str(column.type), column.what) for column in table.columns]
    assert f"{files.ROWS_A_GROUP:,}" in page


def test_the_pages_questions_are_answered(exported):
    """Each query of the page runs over the exported rows and gives what the books and the journal say."""
    url, folder, _ = exported
    page = (DOCS / "export.md").read_text("utf-8")
    queries = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    monthly, refused, ledger = (_in_sqlite(query, folder) for query in queries)
    events = read(folder, EVENTS).filter(pc.field("outcome") == "accepted").to_pylist()
    assert len(monthly) == len({event["month_no"] for event in events}) > 1
    assert sum(row[2] for row in monthly) == sum(e["amount"] for e in events if e["do"] == "top_up") > 0
    assert sum(row[3] for row in monthly) == -sum(e["amount"] for e in events if e["do"] in ("purchase", "tap_out"))
    assert sum(row[4] for row in refused) == pc.sum(pc.equal(read(folder, EVENTS)["outcome"], "refused")).as_py() > 0
    said = farecard("--store", url, "trial-balance", "--as-of", "2023-03-31", "--json").stdout
    assert [row[:3] for row in ledger] == [
        (row["account"], row["debit"], row["credit"]) for row in json.loads(said)["accounts"]
    ]


def _in_sqlite(query, folder):
    """Run a query of the page with the exported tables loaded into SQLite."""
    with sqlite3.connect(":memory:") as db:
        for table in (EVENTS, TRANSFERS):
            rows = read(folder, table)
            names = ", ".join(f'"{name}"' for name in rows.column_names)
            db.execute(f"CREATE TABLE {table.name} ({names})")
            marks = ", ".join("?" * len(rows.column_names))
            lines = ([str(v) if hasattr(v, "isoformat") else v for v in row.values()] for row in rows.to_pylist())
            db.executemany(f"INSERT INTO {table.name} VALUES ({marks})", lines)
        query = re.sub(r"read_parquet\('DIR/(\w+)/\*\*/\*\.parquet', hive_partitioning = true\)", r"\1", query)
        found = db.execute(query.replace("DATE '", "'")).fetchall()
    db.close()
    return found
