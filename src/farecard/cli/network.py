"""``farecard network load``: a version of the network into the store."""

from contextlib import closing
from pathlib import Path
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import print_json
from farecard.desk.opening import making_store
from farecard.model.moments import iso_day, parse_day
from farecard.network.tables import NetworkError, read_tables
from farecard.storage.making import add_network, adding
from farecard.tariff import ALWAYS


def load(args: Any) -> int:
    """Read and check the folder, then add it; a store that is not there yet is made with it."""
    try:
        since = ALWAYS if args.since is None else parse_day(args.since)
    except ValueError:
        raise UsageError("--from: not a date; use YYYY-MM-DD") from None
    try:
        tables = read_tables(Path(args.folder))
    except NetworkError as error:
        raise UsageError(str(error)) from None
    store, _ = making_store(args.store)
    with closing(store), adding(store):
        version = add_network(store, tables, Path(args.folder).resolve().name, since)
    answer = {
        "version": version,
        "since": None if args.since is None else iso_day(since),
        "lines": len(tables.lines),
        "stations": len({name for line in tables.lines.values() for name, _ in line}),
        "fares": len(tables.fares),
    }
    if args.json:
        print_json(answer)
    else:
        when = "always" if args.since is None else f"from {args.since}"
        print(
            f"network {version}: {answer['stations']:,} stations on {answer['lines']:,} lines,"
            f" {answer['fares']:,} fares; it holds {when}"
        )
    return 0
