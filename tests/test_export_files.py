"""How an export stands on the disk: typed, compressed, bounded in memory, whole or not there."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from conftest import WORKED_EXAMPLE, answers, command, farecard, new_desk
from exporting import NOW, generated, read
from farecard.cli.main import main
from farecard.desk.opening import writing_desk
from farecard.export import files
from farecard.export.columns import EVENTS, TABLES, TRANSFERS
from farecard.export.parquet import Export
from farecard.sample import journal
from farecard.storage.opening import open_to_read


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    return generated(tmp_path_factory.mktemp("exported"))


def test_every_file_holds_the_columns_compressed_and_in_order(exported):
    """zstd, words as dictionaries, rows of a row group in the table's order; types come back as written."""
    _, folder, about = exported
    for table in TABLES:
        paths = list((folder / table.name).rglob("*.parquet"))
        assert len(paths) == about["tables"][table.name]["files"] > 0
        for path in paths:
            file = pq.ParquetFile(path)
            assert file.schema_arrow.equals(table.schema)
            for group in range(file.num_row_groups):
                keys = zip(*(file.read_row_group(group)[name].to_pylist() for name in table.order), strict=True)
                keys = [tuple((value is None, value or 0) for value in key) for key in keys]
                assert keys == sorted(keys)
                for n, column in enumerate(table.columns):
                    chunk = file.metadata.row_group(group).column(n)
                    assert chunk.compression == "ZSTD"
                    assert ("RLE_DICTIONARY" in chunk.encodings) == column.words, column.name


def test_months_in_any_order_need_few_files_and_few_rows_in_memory(tmp_path, monkeypatch):
    """With tiny bounds: nothing lost, never more open or waiting than allowed, full row groups where possible."""
    for name, value in (("ROWS_A_GROUP", 50), ("MOST_WAITING", 120), ("MOST_OPEN", 3)):
        monkeypatch.setattr(files, name, value)
    one = files.Files(tmp_path, TRANSFERS)
    sent = []
    for n in range(400):
        month = 24_000 + (n * n) % 17
        row = {"seq": n, "n": 0, "account": 1, "at": n, "day": n, "month_no": month,
               "debit": "a", "credit": "b", "yen": n + 1}  # fmt: skip
        rows = pa.Table.from_pylist([row], schema=TRANSFERS.schema)
        sent.append((month, n))
        one.add(month, rows)
        assert len(one._open) <= 3
        assert sum(one._counts.values()) <= 120
    one.finish()
    got = read(tmp_path, TRANSFERS)
    assert sorted(zip(got["month_no"].to_pylist(), got["seq"].to_pylist(), strict=True)) == sorted(sent)
    assert pc.all(pc.equal(pc.add(pc.multiply(got["year"], 12), pc.subtract(got["month"], 1)), got["month_no"])).as_py()
    assert one.rows == 400
    assert any(path.name != "part-0.parquet" for path in tmp_path.rglob("*.parquet"))


def test_about_names_the_inputs_and_counts(exported):
    """What an analyst must know to use the rows, beside them."""
    _, folder, about = exported
    assert json.loads((folder / "_about.json").read_bytes()) == about
    assert about["exported_at"] == "2023-11-15T07:13:20+09:00"
    assert about["tariffs"] == [{"version": 1, "since": None}]
    assert about["networks"] == [{"version": 1, "since": None, "name": "sample"}]
    assert about["exported_by"] == "farecard test" and about["decided_by"] == ["0.1.0"]
    for table in TABLES:
        said = about["tables"][table.name]
        assert said["rows"] == len(read(folder, table))
        assert [column["name"] for column in said["columns"]] == [column.name for column in table.columns]


# -- whole or not at all -------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path):
    """A folder with a small store in it."""
    farecard("replay", "-", stdin=WORKED_EXAMPLE, cwd=tmp_path)
    return tmp_path


def test_the_command_says_how_many_rows(shop):
    """A table for people, JSON for machines; an empty folder will do."""
    (shop / "there").mkdir()
    said = json.loads(farecard("export", "parquet", "there", "--json", cwd=shop).stdout)
    rows = {name: one["rows"] for name, one in said["tables"].items()}
    assert {name: rows[name] for name in ("events", "transfers", "cards")} == {"events": 4, "transfers": 6, "cards": 1}
    assert said["folder"] == "there"
    (shop / "here").mkdir()
    farecard("--store", f"sqlite:///{shop}/farecard.db", "export", "parquet", ".", cwd=shop / "here")
    assert (shop / "here" / "_about.json").exists()
    table = farecard("export", "parquet", "new", cwd=shop).stdout.decode()
    assert re.search(r"^transfers +6 ", table, re.MULTILINE)
    assert {path.name for path in (shop / "new").iterdir()} == {"_about.json", *(table.name for table in TABLES)}


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("full", "not empty"),
        ("farecard.db", "not empty"),
        ("nowhere/out", "nowhere to export into does not exist"),
        ("taken", "taken.part is there already"),
    ],
)
def test_a_folder_that_cannot_be_used_is_said_and_left_alone(shop, folder, says):
    """Status 2, a sentence, and nothing is written or overwritten."""
    (shop / "full").mkdir()
    (shop / "full" / "mine").write_text("keep")
    (shop / "taken.part").mkdir()
    before = sorted(shop.rglob("*"))
    done = farecard("export", "parquet", folder, cwd=shop, check=False)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert sorted(shop.rglob("*")) == before
    assert (shop / "full" / "mine").read_text() == "keep"


def test_without_a_store_there_is_no_export(tmp_path):
    """The question needs something to ask."""
    done = farecard("export", "parquet", "out", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert b"there is no store" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_empty_store_gives_empty_tables(tmp_path):
    """No row, no month; a reader finds the folders and the columns of the cards, and the campaigns there are."""
    farecard("replay", "-", stdin=b"", cwd=tmp_path)
    said = json.loads(farecard("export", "parquet", "out", "--json", cwd=tmp_path).stdout)
    assert {name for name, one in said["tables"].items() if one["rows"]} == {"measures", "counted", "calendar"}
    for table in TABLES:
        if not table.by_month:
            assert read(tmp_path / "out", table).schema.equals(table.schema)
    assert ds.dataset(tmp_path / "out" / "events", format="parquet", partitioning="hive").count_rows() == 0


def test_an_export_that_is_given_up_leaves_nothing(exported, tmp_path, monkeypatch):
    """Interrupted in the middle, or failing at the end: neither the folder nor its half."""
    url = exported[0]
    monkeypatch.setattr("farecard.export.parquet.EVENTS_AT_ONCE", 1_000)
    store = open_to_read(url)
    run = Export(store, tmp_path / "out", "test", NOW).run()
    assert next(run) < 5_000
    assert (tmp_path / "out.part" / "events").is_dir()
    run.close()
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("farecard.export.parquet.cards", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(Export(store, tmp_path / "out", "test", NOW).run())
    assert not list(tmp_path.iterdir())

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.undo()
    with monkeypatch.context() as patch:
        patch.setattr("farecard.cli.export.Progress.advance", interrupt)
        assert main(["--store", url, "export", "parquet", str(tmp_path / "out")]) == 130
    assert not list(tmp_path.iterdir())
    list(Export(store, tmp_path / "out", "test", NOW).run())
    assert read(tmp_path / "out", EVENTS).equals(read(exported[1], EVENTS))
    store.close()


HALF = """
import sys
from pathlib import Path
from farecard.export import parquet
from farecard.storage.opening import open_to_read
parquet.EVENTS_AT_ONCE = 1_000
run = parquet.Export(open_to_read(sys.argv[1]), Path(sys.argv[2]), "test", 0).run()
next(run)
print("half", flush=True)
sys.stdin.read()
list(run)
"""


def test_a_killed_export_is_no_export_and_the_next_one_says_so(exported, tmp_path):
    """SIGKILL in the middle: there is no DIR, and what lies beside it is not taken for one."""
    run = subprocess.Popen(
        [sys.executable, "-c", HALF, exported[0], tmp_path / "out"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert run.stdout.readline() == b"half\n"
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert not (tmp_path / "out").exists()
    again = farecard("--store", exported[0], "export", "parquet", "out", cwd=tmp_path, check=False)
    assert again.returncode == 2
    assert b"one was killed" in again.stderr


def written_meanwhile(url, folder):
    """Export while a desk writes: rows of events and cards before, and those exported."""
    desk = writing_desk(url)
    lines = list(journal(9_500, seed=13))
    answers(desk, lines[:9_000], batch=1_000)
    before = desk.store.rows("event_count")[0][0], len(desk.store.rows("all_numbers"))
    store = open_to_read(url)
    one = Export(store, folder, "test", NOW)
    run = one.run()
    next(run)
    new = command("new", "issue", card="JW777777777777777", kind="anonymous", paid=2000)
    assert answers(desk, [*lines[9_000:], new])[-1]["outcome"] == "accepted"
    list(run)
    assert len(desk.store.rows("all_numbers")) > before[1]
    store.close()
    desk.store.close()
    return before, tuple(one.about["tables"][name]["rows"] for name in ("events", "cards"))


def test_what_is_written_meanwhile_is_not_in_it(tmp_path):
    """One snapshot from the first batch to the last card."""
    before, exported = written_meanwhile(f"sqlite:///{tmp_path}/store.db", tmp_path / "out")
    assert exported == before


def test_what_is_written_meanwhile_is_not_in_it_on_postgresql(tmp_path, database):
    """The same promise of the other engine."""
    before, exported = written_meanwhile(database, tmp_path / "out")
    assert exported == before
    store = open_to_read(database)
    run = Export(store, tmp_path / "half", "test", NOW).run()
    next(run)
    run.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    list(Export(store, tmp_path / "whole", "test", NOW).run())
    store.close()


MEASURED = """
import sys
from pathlib import Path
from farecard.export.parquet import Export
from farecard.storage.opening import open_to_read
store = open_to_read(sys.argv[1])
for _ in Export(store, Path(sys.argv[2]), "test", 0).run():
    pass
store.close()
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def multiply(path, times):
    """Copy a store's journal over and over, each copy with later ids."""
    with sqlite3.connect(path) as db:
        step = db.execute("SELECT max(id) FROM batch").fetchone()[0] // 256 * 256 + 256
        for table, key, by, number in (
            ("event", "seq", step * 65_536, ""),
            ("transfer", "seq", step * 65_536, ""),
            ("batch", "id", step, "number"),
        ):
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            for n in range(1, times):
                new = {key: f"{key} + {n * by}", number: f"{number} + {n * 1_000}"}
                columns = ", ".join(new.get(name, f'"{name}"') for name in names)
                db.execute(f"INSERT INTO {table} SELECT {columns} FROM {table} WHERE {key} < {by}")
        count = db.execute("SELECT count(*) FROM event").fetchone()[0]
    db.close()
    return count


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the peak of a process")
def test_memory_does_not_grow_with_the_store(tmp_path):
    """300,000 events of several months take no more than a bound over what 3,000 take."""
    desk = new_desk(tmp_path)
    answers(desk, list(journal(3_000, seed=14)), batch=1_000)
    desk.store.close()
    took = []
    for name in ("small", "large"):
        if name == "large":
            assert multiply(tmp_path / "store.db", 100) > 290_000
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, f"sqlite:///{tmp_path}/store.db", tmp_path / name],
            capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        took.append(int(done.stdout) // 1024)
    assert took[1] - took[0] < MOST_MEGABYTES, took


# ``ru_maxrss`` would tell the peak of the process that started it, where that was larger. Held as they come
# from the store, 300,000 events alone are 370 MB.
MOST_MEGABYTES = 160
