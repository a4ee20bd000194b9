"""``farecard store copy``, ``backup`` and ``restore``: moving and saving whole stores."""

from pathlib import Path
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import Progress, print_json, say
from farecard.storage.opening import is_postgres, path_of, place_of

MOST_A_COMMIT = 1_000_000


def copy(args: Any) -> int:
    """``farecard store copy FROM TO``."""
    from farecard.storage.copying import Copy

    if not 1 <= args.batch <= MOST_A_COMMIT:
        raise UsageError(f"--batch: from 1 to {MOST_A_COMMIT:,} rows a commit")
    moving = Copy(args.source, args.target, args.batch)
    progress = Progress(moving.total, "row")
    try:
        if moving.resumed:
            say(f"going on where it was interrupted: {moving.rows:,} rows are there already")
        if moving.resumed and moving.has_grown:
            say(
                f"{moving.origin.place} has grown by {moving.new_batches:,} batches since; they are added,"
                " and the tables whose rows change are copied again"
            )
        progress.advance(moving.rows)
        for rows in moving.run():
            progress.advance(rows)
        newer = moving.origin.newer_batches()
    finally:
        progress.close()
        moving.close()
    if newer:
        say(
            f"while it was copied, {moving.origin.place} has grown by {newer:,} batches that are not in"
            " the copy: to move for good, end its desks and copy anew"
        )
    answer = {
        "from": place_of(args.source), "to": place_of(args.target), "rows": moving.rows,
        "events": moving.counts.get("event", 0), "batches": moving.counts.get("batch", 0),
        "cards": moving.counts.get("account", 0), "key": str(moving.key), "newer_batches": newer,
    }  # fmt: skip
    if args.json:
        print_json(answer)
    else:
        print(
            f"{answer['rows']:,} rows copied to {answer['to']}: {answer['events']:,} events in"
            f" {answer['batches']:,} batches, {answer['cards']:,} cards; its key file is {answer['key']}"
        )
    return 0


def backup(args: Any) -> int:
    """``farecard backup FILE``."""
    from farecard.storage.opening import open_to_read
    from farecard.storage.saving import back_up, page_count
    from farecard.storage.sqlite import SqliteStore
    from farecard.storage.vault import key_path

    _only_sqlite(args.store)
    store = open_to_read(args.store)
    assert isinstance(store, SqliteStore)
    progress = Progress(page_count(store), "page")
    try:
        made = back_up(store, Path(args.file), force=args.force, advance=progress.advance)
    finally:
        progress.close()
        store.close()
    key = key_path(store.key_beside)
    if args.json:
        print_json({"file": args.file, **made._asdict(), "key_file": str(key)})
        return 0
    print(f"{args.file}: {made.events:,} events in {made.batches:,} batches, read back and whole")
    print(
        f"the key file is not in it: keep {key} (fingerprint {made.key}) too, and apart from the backup;"
        " without it names and bank accounts cannot be read, nor the store written"
    )
    return 0


def restore(args: Any) -> int:
    """``farecard restore FILE``."""
    from farecard.storage.saving import restore as put_back
    from farecard.storage.vault import fingerprint_of, key_path

    _only_sqlite(args.store)
    path, file = path_of(args.store), Path(args.file)
    progress = Progress(file.stat().st_size if file.is_file() else 0, "B")
    try:
        made = put_back(file, path, advance=progress.advance)
    finally:
        progress.close()
    key = key_path(path.with_name(path.name + ".key"))
    found = fingerprint_of(key)
    state = "missing" if found is None else "there" if found == made.key else "another's"
    if args.json:
        print_json({"store": str(path), **made._asdict(), "key_file": str(key), "key_is": state})
        return 0
    print(f"{path}: {made.events:,} events in {made.batches:,} batches, whole")
    print({
        "there": f"its key (fingerprint {made.key}) is there: {key}",
        "missing": f"it needs the key of fingerprint {made.key}: put it at {key}, or name it in FARECARD_KEY_FILE",
        "another's": f"it needs the key of fingerprint {made.key}; {key} is another store's",
    }[state])  # fmt: skip
    return 0


def _only_sqlite(url: str) -> None:
    if is_postgres(url):
        raise UsageError(
            f"{place_of(url)}: PostgreSQL saves and restores its databases itself, with pg_dump or"
            " pg_basebackup; docs/postgresql.md shows how"
        )
