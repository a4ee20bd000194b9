"""What the rest may ask of a store, whichever engine it runs on; and what a batch hands over to be kept."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from farecard.storage.errors import StoreError

Row = tuple[Any, ...]
Ask = tuple[str, dict[str, Any]]

# what an everyday event changes of an account; the rest is written only when it changed
EVERYDAY = ("balance", "last_at", "last_seq", "ride_station", "ride_at")


class ConflictError(StoreError):
    """What was read no longer holds: nothing was kept, decide anew."""


class Writes(msgspec.Struct):
    """All that one batch writes, and what must still hold when it does.

    ``rows`` are appended, table by table. ``everyday`` and ``changed`` are accounts that exist:
    (the ``last_seq`` that was read, account id, new values …), the first with the columns of
    ``EVERYDAY``, the second with all columns. ``absent_*`` were looked for and not found.
    """

    rows: dict[str, list[Any]]
    inputs: tuple[
        int, int, int
    ]  # the versions of tariff, network and campaigns it was decided by, the newest
    everyday: list[Row] = []
    changed: list[Row] = []
    ended_numbers: list[tuple[str, int, int, int, int]] = []  # cause, at, head, successor, number
    namesakes: list[tuple[bytes, int, int]] = []  # name_key, cards as read, cards now
    persons: list[Row] = []  # last_seq as read, person, account, measures, last_seq now
    absent_persons: list[str] = []
    absent_numbers: list[int] = []
    absent_ids: list[tuple[str, str]] = []  # sender, id
    subtotals: list[Ask] = []  # statements that sum up what is appended, in this order, after it


class Store(Protocol):
    """One open store, used by one thread."""

    url: str
    place: str  # where it is, for people: no password in it
    key_beside: Path  # where its key file is unless FARECARD_KEY_FILE says otherwise
    overlaps: bool  # a batch can be decided while the one before it is being kept
    writer: int  # which of the writers on this store we are

    def rows(self, name: str, **values: Any) -> list[Row]:
        """All rows of a named query; lists go in as they are."""

    def ask(self, asks: list[Ask]) -> list[list[Row]]:
        """Several named queries at once, where the engine can in one round trip."""

    def send(self, asks: list[Ask]) -> None:
        """Ask without waiting; what was asked before and not received is dropped."""

    def receive(self) -> list[list[Row]]:
        """Wait for what was sent last."""

    @property
    def is_answered(self) -> bool:
        """Whether ``receive`` does not wait."""

    def stream(self, name: str, **values: Any) -> Iterable[Row]:
        """The rows of a named query one after the other, for tables of any size."""

    def survey(self, name: str, **values: Any) -> Iterable[Row]:
        """The rows of a statement over all accounts (``SURVEYS``), in one state of the store, beside what we do."""

    def begin(self, lock: Sequence[int] | None = None) -> bool:
        """Start to decide. True when facts in memory may be old. ``lock``: accounts to hold first."""

    def begin_making(self) -> None:
        """Start to change what is loaded (tariffs, networks), alone."""

    def begin_reading(self) -> None:
        """See the store as it is now until ``rollback``; takes no lock that others wait for."""

    def append(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows, in the order of the table's columns."""

    def change(self, statement: str, /, **values: Any) -> int:
        """Run a named statement that changes rows, within ``begin_making``; gives how many it changed.

        ``rows`` may not see it before it is committed.
        """

    def overwrite(self) -> None:
        """From now on leave nothing of what is changed in the store's files."""

    def sweep(self, tables: Sequence[str]) -> None:
        """Have the files forget what was changed in these tables, as far as no one else looks at it."""

    def start(self, writes: Writes, done: Callable[[], None]) -> None:
        """Begin to write and commit a batch; ``done`` is called when it is durable."""

    @property
    def is_lost(self) -> bool:
        """Whether ``begin`` would have to connect anew first, which may take a while."""

    def pump(self) -> None:
        """Do what can be done of it without waiting."""

    @property
    def is_busy(self) -> bool:
        """Whether a started batch is still on its way; when it is not, ``finish`` does not wait."""

    @property
    def waits_for(self) -> list[tuple[int, int]]:
        """The file descriptors and events that what is on its way waits for."""

    def finish(self) -> None:
        """Wait until it is durable. ``ConflictError`` when what it rests on has changed."""

    def commit(self) -> None:
        """Make what was appended durable; returns once it is on the disk."""

    def rollback(self) -> None:
        """Give the transaction up."""

    def integrity(self) -> str:
        """``ok``, or what the engine finds wrong with its files."""

    def close(self) -> None:
        """Close it."""
