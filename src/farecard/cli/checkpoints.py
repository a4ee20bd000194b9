"""``farecard checkpoint publish``, ``verify`` and ``key``: signed, where the log ended; and whether it still goes that far."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from farecard.cli.errors import UsageError
from farecard.cli.show import print_json, say
from farecard.model.moments import moment_now
from farecard.questions import checkpoints
from farecard.storage.errors import StoreError
from farecard.storage.making import read_vault
from farecard.storage.opening import open_to_read


def publish(args: Any) -> int:
    """Append the present checkpoint to a file; ``-`` prints it."""
    with closing(open_to_read(args.store)) as store:
        store.begin_reading()
        made = checkpoints.make(store, read_vault(store), moment_now())
    line = msgspec.json.encode(made) + b"\n"
    if args.file == "-":
        print(line.decode(), end="")
        return 0
    with Path(args.file).open("ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    say(
        f"{len(made.heads)} chains at {made.made_at}, signed under the key {made.key}; give {args.file} to somebody"
        " who does not run this store"
    )
    return 0


def verify(args: Any) -> int:
    """Whether a store still holds all that was signed; exit status 1 when it does not."""
    try:
        found = checkpoints.read(Path(args.file).read_bytes())
    except OSError as error:
        raise UsageError(f"{args.file}: {error.strerror}") from None
    except checkpoints.CheckpointError as error:
        raise UsageError(f"{args.file}: {error}") from None
    with closing(open_to_read(args.store)) as store:
        store.begin_reading()
        key = args.key
        if key is None:
            try:
                key = read_vault(store).public_key
            except StoreError as error:
                raise UsageError(
                    f"{error}; or name the public key with --key, as it was told when the checkpoint was given away"
                ) from None
        wrong = checkpoints.problems(store, found, key)
    last = found[-1]
    if args.json:
        print_json(
            {"ok": not wrong, "checkpoints": len(found), "last": last.made_at, "problems": wrong}
        )
        return 1 if wrong else 0
    for one in wrong:
        print(one)
    if wrong:
        return 1
    print(
        f"all that was signed until {last.made_at} is there, unchanged ({len(found)} checkpoints)"
    )
    if args.key is None:
        say(
            "The key is this store's own: whoever has its key file could have signed anything. --key KEY with the key"
            " that was told before proves more; `farecard check` holds the chains against their rows."
        )
    return 0


def key(args: Any) -> int:
    """The public key checkpoints of this store are signed under."""
    with closing(open_to_read(args.store)) as store:
        public = read_vault(store).public_key
    if args.json:
        print_json({"key": public})
    else:
        print(public)
    return 0
