"""``farecard store copy``: a whole store into a new one, on either engine, going on where it was interrupted.

Table by table, rows go over in the order of their keys, so many a commit; the same commit moves a
marker in the target's ``about`` (``Marker``), which says how far the copy is. The last commit takes
the marker away, and only then is the target a store.

A run copies one state of the source (``Origin``). When an interrupted copy goes on and the source has
grown meanwhile, the rows of the new batches that lie before the marker are added first; the tables
whose rows change are copied again from their beginning.
"""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from farecard.storage.errors import StoreError
from farecard.storage.making import about
from farecard.storage.opening import UNFINISHED, is_postgres, path_of, place_of
from farecard.storage.origin import (
    COLUMNS,
    HISTORY,
    KEYS,
    REST,
    Heads,
    Key,
    Origin,
    count_between,
    key_of,
)
from farecard.storage.sides import Side, key_beside_of, open_side
from farecard.storage.store import Row
from farecard.storage.vault import key_path, put_key

ORDER = (*HISTORY, *REST)


class Marker(msgspec.Struct):
    """How far an unfinished copy is, and of what."""

    source: str  # its place, for people
    made: str  # the three of its origin, as far as it is in the copy
    heads: Heads
    versions: tuple[int, ...]
    run: str  # whoever copies now; moving on with another's marker is refused
    table: str = ORDER[0]  # those before it are done
    after: list[Any] | None = None  # the largest key in it; None: not begun
    counts: dict[str, int] = {}  # rows in the target, by table

    @property
    def key(self) -> Key | None:
        """The largest key in the table that is being copied."""
        if self.after is None:
            return None
        types = [COLUMNS[self.table][column] for column in KEYS[self.table]]
        return tuple(
            bytes.fromhex(value) if type == "BYTEA" else value
            for value, type in zip(self.after, types, strict=True)
        )


class Copy:
    """One run of a copy: it begins one, or goes on with one that was interrupted (``resumed``).

    ``rows`` of ``total`` are in the target. ``has_grown``: the source has more than when it was last
    copied from, ``new_batches`` of it. ``key`` is the target's key file.
    """

    def __init__(self, source_url: str, target_url: str, rows_a_commit: int) -> None:
        self._most = rows_a_commit
        _refuse_same(source_url, target_url)
        self.origin = Origin(source_url)
        self._side: Side | None = None
        try:
            self._begin(target_url)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close both; an unfinished copy can go on later."""
        self.origin.close()
        if self._side is not None:
            self._side.close()

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are in each table of the target."""
        return self._marker.counts

    @property
    def rows(self) -> int:
        """How many rows are in the target."""
        return sum(self.counts.values())

    @property
    def _target(self) -> Side:
        assert self._side is not None
        return self._side

    # -- beginning, or going on ---------------------------------------------------------------

    def _begin(self, target_url: str) -> None:
        origin = self.origin
        self.key = key_path(key_beside_of(target_url))
        if self.key.exists():
            put_key(self.key, origin.master)  # another's is refused before anything is made
        self._side = target = open_side(target_url, write=True)
        target.begin_making()
        try:
            self._claim(about(target))
            target.commit()
        except BaseException:
            target.rollback()
            raise
        put_key(self.key, origin.master)
        was = self._marker
        self.new_batches = count_between(was.heads, origin.heads)
        self.has_grown = (was.heads, was.versions) != (origin.heads, origin.versions)
        self.total = sum(map(origin.count, ORDER))

    def _claim(self, known: dict[str, str]) -> None:
        """Mark the target as our copy, or take over the one that was interrupted."""
        origin = self.origin
        run = os.urandom(8).hex()
        found = known.get(UNFINISHED)
        self.resumed = found is not None
        if found is not None:
            self._marker = was = msgspec.json.decode(found, type=Marker)
            if was.made != origin.made or not origin.has(was.heads):
                raise StoreError(
                    f"{self._target.place} is an unfinished copy of another store, {was.source}, or"
                    f" {origin.place} has lost batches since; name another target, or take that one away"
                )
            self._mark(msgspec.structs.replace(was, run=run, source=origin.place))
        elif "key" not in known:
            self._marker = Marker(origin.place, origin.made, origin.heads, origin.versions, run)
            self._target.append("about", [(UNFINISHED, _text(self._marker))])
        else:
            raise StoreError(
                f"{self._target.place} is a store already; a copy goes into a new one: name another,"
                " or take that one away"
            )

    # -- copying -----------------------------------------------------------------------------

    def run(self) -> Iterator[int]:
        """Copy what is missing; yields after each commit how many rows it moved. Then it is a store."""
        if self.has_grown:
            yield from self._catch_up()
        for name in ORDER[ORDER.index(self._marker.table) :]:
            if name != self._marker.table:
                self._keep({}, table=name, after=None)
            rows = self.origin.rows(name, self._marker.key)
            while some := list(islice(rows, self._most)):
                self._keep({name: some}, after=_plain(key_of(name, some[-1])))
                yield len(some)
        self._target.analyze()
        self._keep({"about": self.origin.about}, last=True)

    def _catch_up(self) -> Iterator[int]:
        """Add the rows of new batches that lie before the marker; begin the changing tables again."""
        if self._marker.table in REST:
            counts = {name: n for name, n in self.counts.items() if name in HISTORY}
            taken = sum(counts.values()) - self.rows
            self._keep({}, empty=REST, table=REST[0], after=None, counts=counts)
            yield taken
        begun = HISTORY[: ORDER.index(self._marker.table) + 1]
        heads = dict(self._marker.heads)
        waiting: dict[str, list[Row]] = {name: [] for name in begun}
        for id, writer, number, hash in self.origin.batches(self._marker.heads):
            for name in begun:
                waiting[name] += self._passed(name, id)
            heads[writer] = (number, hash.hex())
            count = sum(map(len, waiting.values()))
            if count >= self._most:
                self._keep(waiting, heads=dict(heads))
                yield count
                waiting = {name: [] for name in begun}
        self._keep(waiting, heads=self.origin.heads, versions=self.origin.versions)
        yield sum(map(len, waiting.values()))

    def _passed(self, name: str, id: int) -> Iterator[Row]:
        """The rows of a new batch that the copy has passed already."""
        marker = self._marker
        for row in self.origin.rows_of_batch(name, id):
            if name != marker.table or (marker.key is not None and key_of(name, row) <= marker.key):
                yield row

    # -- a commit ----------------------------------------------------------------------------

    def _keep(
        self,
        rows: dict[str, list[Row]],
        *,
        empty: tuple[str, ...] = (),
        last: bool = False,
        **changes: Any,
    ) -> None:
        """One commit: rows, and the marker moved past them, or taken away at last."""
        counts = dict(changes.pop("counts", self.counts))
        for name, some in rows.items():
            counts[name] = counts.get(name, 0) + len(some)
        target = self._target
        target.begin_making()
        try:
            self._mark(msgspec.structs.replace(self._marker, counts=counts, **changes))
            for name in empty:
                target.empty(name)
            for name, some in rows.items():
                target.append(name, some)
            if last:
                target.run_text(f"DELETE FROM about WHERE name = '{UNFINISHED}'")
            target.commit()
        except BaseException:
            target.rollback()
            raise

    def _mark(self, marker: Marker) -> None:
        """Move the marker, unless another run has moved it since."""
        mark = self._target.mark
        moved = self._target.run_text(
            f"UPDATE about SET value = {mark} WHERE name = {mark} AND value = {mark}",
            (_text(marker), UNFINISHED, _text(self._marker)),
        )
        if moved != 1:
            raise StoreError(
                f"another `farecard store copy` goes on with {self._target.place}; this one stops"
            )
        self._marker = marker


def _plain(key: Key) -> list[Any]:
    """A key as JSON has it."""
    return [value.hex() if isinstance(value, bytes) else value for value in key]


def _text(marker: Marker) -> str:
    return msgspec.json.encode(marker).decode()


def _refuse_same(source_url: str, target_url: str) -> None:
    same = place_of(source_url) == place_of(target_url)
    if not is_postgres(source_url) and not is_postgres(target_url):
        source, target = path_of(source_url), path_of(target_url)
        same = source.resolve() == target.resolve() or (
            source.exists() and target.exists() and source.samefile(target)
        )
    if same:
        raise StoreError(f"{place_of(source_url)}: FROM and TO are the same store")
