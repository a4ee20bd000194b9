"""Backups of a SQLite store: one file that is a whole store, made while desks write, and put back.

A file is written under another name (``.part``), proven whole and only then given its own.
"""

import fcntl
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from farecard.storage.errors import StoreError
from farecard.storage.opening import UNFINISHED
from farecard.storage.sql import SCHEMA_VERSION
from farecard.storage.sqlite import APPLICATION_ID, FIRST_VERSION_READ, SqliteStore
from farecard.storage.vault import key_path

PAGES_A_STEP = 1024
BYTES_A_STEP = 4 << 20
BESIDE = ("-wal", "-journal")  # what SQLite keeps beside a database that is in use

Advance = Callable[[int], None]


class Contents(NamedTuple):
    """What a store file holds."""

    events: int
    batches: int
    key: str  # the fingerprint of its key


def back_up(store: SqliteStore, file: Path, *, force: bool, advance: Advance) -> Contents:
    """Write the store as it is now to ``file``; ``advance`` is told of pages written.

    All that was committed before is in it. ``force`` overwrites a file, never the store or its key.
    """
    _refuse_place(store, file, force=force)
    with _part_of(file) as part:
        _copy_pages(store, part, advance)
        part.chmod(stat.S_IMODE(store.path.stat().st_mode))
        contents = examine(part, "the backup")
        to_disk(part)
        part.replace(file)
        to_disk(file.parent)
    return contents


def page_count(store: SqliteStore) -> int:
    """How many pages a backup will have, or a few less when a desk is writing."""
    return int(store.db.execute("PRAGMA page_count").fetchone()[0])


def restore(file: Path, path: Path, *, advance: Advance) -> Contents:
    """Put a backup in place as a new store; ``advance`` is told of bytes written."""
    if path.exists():
        raise StoreError(
            f"there is a store at {path} already; a backup is only restored where there is none"
        )
    _refuse_beside(path)
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} for the store does not exist")
    if not file.is_file():
        raise StoreError(f"there is no backup at {file}")
    if any(_beside(file)):
        raise StoreError(
            f"{file} is in use as a store; `farecard --store sqlite:///{file} backup FILE` makes a backup of it"
        )
    _recognise(file)
    with _part_of(path) as part:
        _copy_bytes(file, part, advance)
        contents = examine(part, str(file))
        to_disk(part)
        try:
            os.link(part, path)  # unlike a rename this never replaces a store made meanwhile
        except FileExistsError:
            raise StoreError(f"a store was made at {path} meanwhile; it was left alone") from None
        part.unlink()
        to_disk(path.parent)
    return contents


def examine(path: Path, name: str) -> Contents:
    """Read a store file from its first page to its last; ``StoreError`` unless it is whole."""
    _recognise(path, name)
    with _reading(path, name) as db:
        found = db.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise StoreError(f"{name} is damaged ({found.splitlines()[0]}); take an older one")
        about = dict(db.execute("SELECT name, value FROM about"))
        if UNFINISHED in about or "key" not in about:
            raise StoreError(f"{name} is an unfinished or empty store, not a backup of one")
        events, batches = db.execute(
            "SELECT coalesce(sum(events), 0), count(*) FROM batch"
        ).fetchone()
        return Contents(events, batches, about["key"])


def _recognise(path: Path, name: str | None = None) -> None:
    """It is a farecard store, of a version we know."""
    name = name or str(path)
    with _reading(path, name) as db:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreError(f"{name} is not a farecard store")
    if not FIRST_VERSION_READ <= version <= SCHEMA_VERSION:
        raise StoreError(
            f"{name} was made by another farecard (schema {version}, this one knows"
            f" {FIRST_VERSION_READ} to {SCHEMA_VERSION}); restore it with that one"
        )


@contextmanager
def _reading(path: Path, name: str) -> Iterator[sqlite3.Connection]:
    """A file nobody writes to, read without a trace beside it."""
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            yield db
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{name} is no SQLite database, or it is damaged ({error})") from error


def _copy_pages(store: SqliteStore, part: Path, advance: Advance) -> None:
    """SQLite's online backup, within one read transaction: a desk that writes never makes it begin anew."""
    store.begin_reading()
    try:
        store.rows("versions")  # from here on we see this state
        target = sqlite3.connect(part, isolation_level=None)
        try:
            target.execute("PRAGMA synchronous = OFF")  # it is put on the disk as a whole
            target.execute("PRAGMA journal_mode = OFF")
            done = 0

            def progress(_status: int, remaining: int, total: int) -> None:
                nonlocal done
                advance(total - remaining - done)
                done = total - remaining

            store.db.backup(target, pages=PAGES_A_STEP, progress=progress)
        finally:
            target.close()
    except sqlite3.Error as error:
        raise StoreError(
            f"the backup {part} cannot be written ({error}); free space or name another place"
        ) from error
    finally:
        store.rollback()


def _copy_bytes(file: Path, part: Path, advance: Advance) -> None:
    try:
        with file.open("rb") as source, part.open("wb") as target:
            while some := source.read(BYTES_A_STEP):
                target.write(some)
                advance(len(some))
        shutil.copymode(file, part)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be copied to {part} ({error.strerror}); free space and restore it again"
        ) from error


def _refuse_place(store: SqliteStore, file: Path, *, force: bool) -> None:
    """Where no backup goes."""
    if not file.parent.is_dir():
        raise StoreError(f"the folder {file.parent} for the backup does not exist")
    if file.is_dir():
        raise StoreError(f"{file} is a folder; name a file for the backup")
    if not file.exists():
        _refuse_beside(file)
        return
    if file.samefile(store.path):
        raise StoreError(f"{file} is the store itself; name another file for the backup")
    key = key_path(store.key_beside)
    if key.exists() and file.samefile(key):
        raise StoreError(f"{file} is the store's key file; name another file for the backup")
    if not force:
        raise StoreError(f"{file} is there already; name another file, or add --force")
    _refuse_beside(file)


def _beside(path: Path) -> list[Path]:
    """SQLite's files of a store that is in use, or was when its program was killed."""
    paths = [path.with_name(path.name + end) for end in BESIDE]
    return [one for one in paths if one.exists()]


def _refuse_beside(path: Path) -> None:
    """SQLite would take a log that is left of another store for this one's."""
    for one in _beside(path):
        raise StoreError(f"{one} belongs to a store at {path}; move it away first")


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """The empty file under which ``path`` is prepared, ours alone; nothing is left of it when that fails."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(
        part, os.O_CREAT | os.O_RDWR, 0o600
    )  # it may be there of one that was killed
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(_TAKEN.format(part)) from None
        if not _is_still(part, descriptor):
            raise StoreError(_TAKEN.format(part))
        os.truncate(descriptor, 0)
        try:
            yield part
        finally:
            if _is_still(part, descriptor):
                part.unlink()
    finally:
        os.close(descriptor)


_TAKEN = "another program is writing {}; wait for it, or name another file"


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether a path leads to the file that was opened; by now it may have its own name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def to_disk(path: Path) -> None:
    """Return when a file, or a folder's list of files, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
