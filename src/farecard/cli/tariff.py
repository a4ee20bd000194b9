"""``farecard tariff load FILE``: a new edition of what everything costs."""

from contextlib import closing
from pathlib import Path
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import print_json
from farecard.desk.inputs import InputError, input_preview, read_tariff
from farecard.desk.opening import making_store
from farecard.storage.making import add_tariff, adding


def text_of(file: str) -> str:
    """A file's text; ``UsageError`` when there is none."""
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {getattr(error, 'strerror', None) or 'no UTF-8 text'}") from None


def load(args: Any) -> int:
    """Read and check the file, then add it; a store that is not there yet is made with it."""
    text = text_of(args.file)
    try:
        read_tariff(text)
        store, _ = making_store(args.store)
        with closing(store), adding(store):
            _, changes = input_preview(store, "tariff", text)
            version = add_tariff(store, text)
    except InputError as error:
        raise UsageError(f"{args.file}: {error}") from None
    answer = {"version": version, **changes}
    if args.json:
        print_json(answer)
    else:
        print(
            f"tariff, version {changes['version']}, is in the store: {len(changes['added'])} rows are new,"
            f" {len(changes['removed'])} are gone"
        )
    return 0
