"""``farecard export parquet DIR``: the store as Parquet files."""

from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import Progress, print_json, table
from farecard.model.moments import moment_now
from farecard.storage.opening import open_to_read


def parquet(args: Any) -> int:
    """Write the tables that may leave into a new folder, and say how many rows each has."""
    from farecard.export.parquet import Export, FolderError

    store = open_to_read(args.store)
    folder = Path(args.folder)
    export = Export(store, folder, metadata.version("farecard"), moment_now())
    progress = Progress(store.rows("event_count")[0][0], "event")
    done = 0
    try:
        with closing(export.run()) as run:
            for written in run:
                progress.advance(written - done)
                done = written
    except FolderError as error:
        raise UsageError(f"DIR: {error}") from None
    finally:
        progress.close()
        store.close()
    sizes = {
        name: {what: one[what] for what in ("rows", "files", "bytes")}
        for name, one in export.about["tables"].items()
    }
    if args.json:
        print_json({"folder": str(folder), "tables": sizes})
    else:
        table(
            ("table", "rows", "files", "bytes"),
            [(name, *one.values()) for name, one in sizes.items()],
        )
    return 0
