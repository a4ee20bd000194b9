"""The store a copy is made from: one state of it, in a read transaction, while desks go on writing."""

from collections.abc import Iterator
from typing import Any

from farecard.storage.errors import StoreError
from farecard.storage.making import about, read_vault
from farecard.storage.opening import UNFINISHED, refuse_unfinished
from farecard.storage.sides import open_side
from farecard.storage.sql import keys, tables
from farecard.storage.store import Row
from farecard.storage.vault import key_path, read_key

Key = tuple[Any, ...]
Heads = dict[str, tuple[int, str]]  # the last batch of each writer: its number and hash

SEQS_PER_BATCH = 65_536  # as in queries.sql
COLUMNS = tables()
KEYS = keys()

# Tables that are only appended to, and which of their rows came with one batch.
_OF_BATCH = {
    "event": "event t WHERE t.seq >= {first} AND t.seq < {past}",
    "transfer": "transfer t WHERE t.seq >= {first} AND t.seq < {past}",
    "total": "total t WHERE t.batch = {id}",
    "subtotal": "subtotal t WHERE t.batch = {id}",
    "batch": "batch t WHERE t.id = {id}",
    # the grants of a run have its id, and no row each
    "command": "event e JOIN command t ON t.sender = e.sender AND t.id = e.id AND t.seq = e.seq"
    " WHERE e.seq >= {first} AND e.seq < {past}",
    "resolution": 'event e JOIN resolution t ON t."of" = e."of" AND t.seq = e.seq'
    " WHERE e.seq >= {first} AND e.seq < {past}",
    "reversal": 'event e JOIN reversal t ON t."of" = e."of" AND t.account = e.account'
    " WHERE e.seq >= {first} AND e.seq < {past}",
}
HISTORY = tuple(_OF_BATCH)
REST = tuple(name for name in COLUMNS if name not in (*HISTORY, "about"))
OWN = ("schema", UNFINISHED)  # rows of `about` that are an engine's or a copy's own

_HEADS = """
SELECT b.writer, b.number, b.hash FROM batch b
JOIN (SELECT writer, max(number) AS number FROM batch GROUP BY writer) l
ON b.writer = l.writer AND b.number = l.number
"""


def key_of(name: str, row: Row) -> Key:
    """The primary key of a table's row."""
    places = list(COLUMNS[name])
    return tuple(row[places.index(column)] for column in KEYS[name])


class Origin:
    """An open store as it was when it was opened.

    ``made`` tells it from other stores; ``heads`` and ``versions`` (of tariff, network and campaigns,
    and the end of the trail) say how far it had come. Every row that changes does so together with one of these.
    """

    def __init__(self, url: str) -> None:
        self._side = open_side(url, write=False)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        side = self._side
        self.place = side.place
        side.begin_reading()
        refuse_unfinished(side)
        said = about(side)
        if "key" not in said:
            raise StoreError(f"{side.place} is an empty store; there is nothing to copy")
        read_vault(side)
        self.master = read_key(key_path(side.key_beside))
        self.about = [row for row in said.items() if row[0] not in OWN]
        (made, *_) = side.read("SELECT version, loaded_at FROM tariff ORDER BY version")
        self.made = f"{said['key']} {made}"
        ((tariff, network, _, campaign),) = side.rows("versions")
        ((trail,),) = side.rows("trail_end")
        self.versions = (tariff, network or 0, campaign or 0, trail)
        self.heads = self._heads()

    def close(self) -> None:
        """Close it."""
        self._side.close()

    def _heads(self) -> Heads:
        rows = self._side.read(_HEADS)
        return {writer: (number, hash.hex()) for writer, number, hash in rows}

    def has(self, heads: Heads) -> bool:
        """Whether these batches are in it, and so, by their chains, all before them."""
        mark = self._side.mark
        text = f"SELECT hash FROM batch WHERE writer = {mark} AND number = {mark}"
        return all(
            [row[0].hex() for row in self._side.read(text, (writer, number))] == [hash]
            for writer, (number, hash) in heads.items()
        )

    def newer_batches(self) -> int:
        """How many batches were committed since it was opened."""
        self._side.rollback()
        self._side.begin_reading()
        return count_between(self.heads, self._heads())

    def count(self, name: str) -> int:
        """How many rows a table has; of the largest ones the batches know it."""
        if name == "command":  # each event has one, but for the grants, which have their run's id
            return self.count("event") - self.count("granted")
        if name == "event":
            return int(self._side.rows("event_count")[0][0])
        ((count,),) = self._side.read(f"SELECT count(*) FROM {name}")
        return int(count)

    def rows(self, name: str, after: Key | None) -> Iterator[Row]:
        """The rows of a table past a key, or all, in the order of the key."""
        key = _names(KEYS[name])
        text = f"SELECT {_names(COLUMNS[name])} FROM {name}"
        if after is not None:
            text += f" WHERE ({key}) > ({', '.join([self._side.mark] * len(after))})"
        return self._side.read(f"{text} ORDER BY {key}", after or ())

    def batches(self, heads: Heads) -> Iterator[Row]:
        """(id, writer, number, hash) of each batch past these."""
        mark = self._side.mark
        text = (
            "SELECT id, writer, number, hash FROM batch"
            f" WHERE writer = {mark} AND number > {mark} ORDER BY number"
        )
        for writer in sorted(self.heads):
            yield from self._side.read(text, (writer, heads.get(writer, (0, ""))[0]))

    def rows_of_batch(self, name: str, id: int) -> Iterator[Row]:
        """What a batch added to one of the tables of ``HISTORY``."""
        first = id * SEQS_PER_BATCH
        where = _OF_BATCH[name].format(id=id, first=first, past=first + SEQS_PER_BATCH)
        columns = ", ".join(f't."{column}"' for column in COLUMNS[name])
        return self._side.read(f"SELECT {columns} FROM {where}")


def count_between(old: Heads, new: Heads) -> int:
    """How many batches the chains have grown by."""
    return sum(number - old.get(writer, (0, ""))[0] for writer, (number, _) in new.items())


def _names(columns: Any) -> str:
    return ", ".join(f'"{column}"' for column in columns)
