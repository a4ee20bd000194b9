"""Exporting a store and reading it back, for the tests of the export."""

import pyarrow.dataset as ds

from conftest import answers, new_desk
from farecard.export.parquet import Export
from farecard.sample import journal
from farecard.storage.opening import open_to_read

NOW = 1_700_000_000_000_000  # November 2023


def export(url, folder, now=NOW):
    """A finished export; gives what it says of itself."""
    store = open_to_read(url)
    one = Export(store, folder, "test", now)
    told = list(one.run())
    store.close()
    assert told == sorted(told)
    return one.about


def read(folder, table):
    """A whole table, its folders read as columns; in the order of its key."""
    data = ds.dataset(folder / table.name, format="parquet", partitioning="hive").to_table()
    keys = {"events": ["seq"], "transfers": ["seq", "n"]}.get(table.name, table.order)
    return data.sort_by([(key, "ascending") for key in keys])


def generated(folder):
    """A store that a generated journal filled, and its export: the store's URL, the folder, what it says."""
    desk = new_desk(folder)
    answers(desk, list(journal(6_000, seed=11)), batch=500)
    desk.store.close()
    url = f"sqlite:///{folder}/store.db"
    return url, folder / "out", export(url, folder / "out")
