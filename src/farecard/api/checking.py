"""The check of a whole store, in a process of its own: it takes minutes over a million cards, and no answer waits for it.

Run as a program it reads a store's URL from standard input and writes what it has read so far, and at last what it
found, a JSON object a line. It ends when nobody reads that any more.
"""

import asyncio
import contextlib
import sys
import time
from typing import Any

import msgspec

from farecard.api.tasks import Tell
from farecard.storage.errors import StoreError

TELL_EVERY = 0.5  # seconds


async def check(url: str, tell: Tell) -> dict[str, Any]:
    """What the audit finds: ``events``, ``batches``, ``problems`` and how many ``more`` there are."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    said: dict[str, Any] = {}
    try:
        child.stdin.write(url.encode() + b"\n")  # by no argument: it may hold a password
        await child.stdin.drain()
        async for line in child.stdout:
            said = msgspec.json.decode(line)
            if "problems" not in said:
                tell(said["done"], said["total"])
        await child.wait()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if "problems" not in said:
        raise StoreError("the check ended before it had come to the end")
    return said


def main() -> None:
    """The process that checks."""
    from farecard.questions.audit import Audit  # noqa: PLC0415  # the server needs none of it
    from farecard.storage.opening import open_to_read  # noqa: PLC0415

    def say(said: dict[str, Any]) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
        sys.stdout.buffer.flush()

    store = open_to_read(sys.stdin.readline().rstrip("\n"))
    with contextlib.closing(store):
        ((total,),) = store.rows("event_count")
        audit = Audit(store)
        last = 0.0
        for done in audit.run():
            now = time.monotonic()
            if now - last >= TELL_EVERY:
                last = now
                say({"done": done, "total": total})
        say({
            "events": audit.events, "batches": audit.batches, "problems": audit.problems, "more": audit.more,
        })  # fmt: skip


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
