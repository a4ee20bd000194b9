"""``farecard sample``: a realistic journal of any size."""

import sys
from itertools import islice
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import Progress
from farecard.sample import journal


def sample(args: Any) -> int:
    """Write a journal to standard output, with a bar on standard error when it takes long."""
    if args.commands < 0:
        raise UsageError("--commands: how many commands, 0 or more")
    lines = journal(args.commands, args.seed)
    progress = Progress(args.commands, "command")
    out = sys.stdout.buffer
    try:
        while some := list(islice(lines, 4096)):
            out.write(b"\n".join(some) + b"\n")
            progress.advance(len(some))
        out.flush()
    finally:
        progress.close()
    return 0
