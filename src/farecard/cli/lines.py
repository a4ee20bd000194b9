"""A journal as batches of lines, whatever it comes from and however long its lines are."""

import os
import select
import stat
from collections.abc import Iterator

from farecard.wire.lines import Lines

_CHUNK = 1 << 20
_PIPE_BATCH = 512  # small enough to be decided within 20 ms, so that an answer is never late


def is_waiting(descriptor: int) -> bool:
    """Whether there is more to read at once."""
    return bool(select.select([descriptor], [], [], 0)[0])


def batches(descriptor: int, most: int) -> Iterator[list[bytes]]:
    """Lists of at most ``most`` lines without their ends; blank lines are left out.

    From a file they are full; from a pipe or terminal whatever is there is handed on at once.
    How lines are cut: ``wire.lines``.
    """
    waits = not stat.S_ISREG(os.fstat(descriptor).st_mode)
    if waits:
        most = min(most, _PIPE_BATCH)
    lines: list[bytes] = []
    cut = Lines()
    while chunk := os.read(descriptor, _CHUNK):
        lines += cut.feed(chunk)
        while len(lines) >= most:
            yield lines[:most]
            del lines[:most]
        if waits and lines and not is_waiting(descriptor):
            yield lines
            lines = []
    lines += cut.end()
    if lines:
        yield lines
