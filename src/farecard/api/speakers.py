"""Those whose keys are good now, as requests meet them."""

import asyncio
from math import ceil

from farecard.access.keys import Key, Ring, load
from farecard.access.rights import filler, may_say
from farecard.api.problems import ProblemError
from farecard.api.readers import Readers
from farecard.model.commands import Command
from farecard.model.verdict import Reason
from farecard.storage.store import Store

CHALLENGE = ((b"www-authenticate", b'Bearer realm="farecard"'),)


class Rate:
    """So many a second, and a second's worth at once."""

    def __init__(self, a_second: int) -> None:
        self._step = 1 / a_second
        self._free_at = 0.0

    def over(self, now: float) -> float:
        """Take one; 0, or the seconds after which there is one, and then none is taken."""
        free_at = max(self._free_at, now)
        if free_at - now > 1 - self._step / 2:
            return free_at - now - 1 + self._step
        self._free_at = free_at + self._step
        return 0.0

    def owe(self, count: int, now: float) -> float:
        """Take so many whatever there is; the seconds to wait before the next."""
        self._free_at = max(self._free_at, now) + count * self._step
        return max(0.0, self._free_at - now - 1)


class Speaker:
    """A key at work: what it may say and ask, and how much of it."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.name = key.name
        self.fill = filler(key.bound)
        self.rate = None if key.bound.rate is None else Rate(key.bound.rate)

    def may_say(self, command: Command) -> Reason | None:
        """Why it may not send this, or None."""
        return may_say(self.key.bound, command)

    def must_ask(self, question: str) -> None:
        """``ProblemError`` 403 when it may not ask this."""
        if question not in self.key.bound.ask:
            reason = Reason(None, "may-not-ask", {"question": question})
            raise ProblemError(403, reason)

    def take(self, now: float) -> None:
        """Count one request; ``ProblemError`` 429 when that is over its rate."""
        if self.rate is None:
            return
        seconds = self.rate.over(now)
        if seconds:
            wait = max(1, ceil(seconds))
            reason = Reason(None, "over-rate", {"rate": self.key.bound.rate, "seconds": wait})
            raise ProblemError(429, reason, ((b"retry-after", str(wait).encode()),))


class Speakers:
    """Finds who speaks by the secret of a request, and looks at the store for changes."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._ring: Ring = Ring([])
        self._speakers: dict[tuple[str, int], Speaker] = {}
        self._end = -1
        self._looks = 0  # begun so far
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        """Take note of keys that were added or revoked."""
        before = self._looks
        async with self._looking:
            if self._looks > before:
                return  # whoever waited here before us has begun to look since we came
            self._looks += 1
            await self._look()

    async def _look(self) -> None:
        found = await self._readers.ask(self._changed)
        if found is not None:
            self._end, keys = found
            good = {(key.name, key.since): key for key in keys if key.revoked is None}
            self._speakers = {
                id: self._speakers.get(id) or Speaker(key) for id, key in good.items()
            }
            self._ring = Ring(keys)

    def _changed(self, store: Store) -> tuple[int, list[Key]] | None:
        ((end,),) = store.rows("trail_end")
        return None if end == self._end else (end, load(store))

    async def find(self, headers: list[tuple[bytes, bytes]]) -> Speaker:
        """Who sent a request with these headers. ``ProblemError`` 401 when nobody knows."""
        value = next((value for name, value in headers if name == b"authorization"), b"")
        if value[:7].lower() != b"bearer ":
            raise ProblemError(401, Reason(None, "no-key"), CHALLENGE)
        secret = value[7:].decode("latin-1").strip()
        key = self._ring.find(secret)
        if key is None:
            await self.look()  # it may have been made a moment ago
            key = self._ring.find(secret)
        if key is None:
            raise ProblemError(401, Reason(None, "unknown-key"), CHALLENGE)
        return self._speakers[key.name, key.since]
