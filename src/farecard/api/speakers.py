"""Those whose keys are good now, as requests meet them."""

import asyncio
from collections.abc import Callable
from math import ceil
from typing import Protocol, TypeVar

from farecard.access.keys import Key, Ring, load
from farecard.access.rights import Bound, filler, may_say
from farecard.access.roles import ROLES, bound_of, member_bound
from farecard.access.sessions import MEMBER, STAFF, Session, realm_of
from farecard.access.sessions import find as find_session
from farecard.api.limits import Limits
from farecard.api.problems import ProblemError
from farecard.api.readers import Readers
from farecard.api.replies import Receive, Scope
from farecard.model.commands import Command
from farecard.model.moments import SECOND, moment_now
from farecard.model.verdict import Reason
from farecard.storage.store import Store

T = TypeVar("T")
LOOK_EVERY = 1.0  # seconds until a session is looked at again: whoever is let go is, by then
AWAKE_NOTES = 15  # an idle time is noted so often while somebody works
MOST_KNOWN = 10_000
Awake = Callable[[str], None]
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
    """A key at work, or somebody who has signed in: what may be said and asked, and how much of it.

    ``session`` and ``token`` are those of a person; a key has none.
    """

    def __init__(
        self, name: str, bound: Bound, session: Session | None = None, token: str | None = None
    ) -> None:
        self.name = name
        self.bound = bound
        self.session = session
        self.token = token
        self.fill = filler(bound)
        self.rate = None if bound.rate is None else Rate(bound.rate)

    @property
    def who(self) -> str:
        """Who this is, for the trail."""
        return self.name if self.session is None else self.session.name

    def may_say(self, command: Command) -> Reason | None:
        """Why this may not be sent, or None."""
        return may_say(self.bound, command)

    def must_be_here(self) -> Session:
        """The session of a person; ``ProblemError`` 403 for a key."""
        if self.session is None:
            raise ProblemError(403, Reason(None, "for-people"))
        return self.session

    def must(self, act: str) -> Session:
        """The same, of somebody who works here and whose role does this."""
        session = self.must_be_here()
        if session.realm != STAFF or act not in ROLES[session.role].acts:
            raise ProblemError(403, Reason(None, "not-your-role", {"role": session.role}))
        return session

    def must_be_member(self) -> Session:
        """The session of a member."""
        session = self.must_be_here()
        if session.realm != MEMBER:
            raise ProblemError(403, Reason(None, "for-members"))
        return session

    def must_ask(self, question: str) -> None:
        """``ProblemError`` 403 when it may not ask this."""
        if question not in self.bound.ask:
            reason = Reason(None, "may-not-ask", {"question": question})
            raise ProblemError(403, reason)

    def take(self, now: float) -> None:
        """Count one request; ``ProblemError`` 429 when that is over its rate."""
        if self.rate is None:
            return
        seconds = self.rate.over(now)
        if seconds:
            wait = max(1, ceil(seconds))
            reason = Reason(None, "over-rate", {"rate": self.bound.rate, "seconds": wait})
            raise ProblemError(429, reason, ((b"retry-after", str(wait).encode()),))


class Speaking(Protocol):
    """An application that knows who sends a request, and its limits."""

    limits: Limits

    async def speaker(self, scope: Scope) -> Speaker:
        """Who sends a request."""

    async def heard(self, scope: Scope, receive: Receive, kind: type[T]) -> tuple[Speaker, T]:
        """Who sends a request with a body, and that body."""


class Speakers:
    """Finds who speaks by the secret of a request, and looks at the store for changes."""

    def __init__(self, readers: Readers, limits: Limits, awake: Awake) -> None:
        """``awake`` is called with a token whose session shall be noted as awake."""
        self._readers = readers
        self._limits = limits
        self._awake = awake
        self._people: dict[str, tuple[Speaker, float]] = {}  # by token, and when it was looked at
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
                id: self._speakers.get(id) or Speaker(key.name, key.bound)
                for id, key in good.items()
            }
            self._ring = Ring(keys)

    def _changed(self, store: Store) -> tuple[int, list[Key]] | None:
        ((end,),) = store.rows("trail_end")
        return None if end == self._end else (end, load(store))

    def known(self, headers: list[tuple[bytes, bytes]]) -> Speaker | None:
        """The key of a request, where it is known already; None for whoever has to be looked for."""
        secret = _secret(headers)
        key = None if secret is None else self._ring.find(secret)
        return None if key is None else self._speakers[key.name, key.since]

    async def find(self, headers: list[tuple[bytes, bytes]]) -> Speaker:
        """Who sent a request with these headers. ``ProblemError`` 401 when nobody knows."""
        secret = _secret(headers)
        if secret is None:
            raise ProblemError(401, Reason(None, "no-key"), CHALLENGE)
        return await self.of(secret)

    async def of(self, secret: str) -> Speaker:
        """Whose key or token this is. ``ProblemError`` 401 when nobody knows."""
        if realm_of(secret) is not None:
            return await self._person(secret)
        key = self._ring.find(secret)
        if key is None:
            await self.look()  # it may have been made a moment ago
            key = self._ring.find(secret)
        if key is None:
            raise ProblemError(401, Reason(None, "unknown-key"), CHALLENGE)
        return self._speakers[key.name, key.since]

    async def is_good(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether the sender of these headers is known still."""
        try:
            await self.find(headers)
        except ProblemError as problem:
            if problem.status == 401:
                return False
            raise
        return True

    # -- people ------------------------------------------------------------------------------

    async def _person(self, token: str) -> Speaker:
        """Who has signed in under a token. ``ProblemError`` 401 when the session has ended."""
        now = asyncio.get_running_loop().time()
        known = self._people.get(token)
        if known is not None and now - known[1] < LOOK_EVERY:
            speaker = known[0]
        else:
            session = await self._readers.ask(lambda store: find_session(store, token))
            if session is None:
                self.forget(token)
                raise ProblemError(401, Reason(None, "session-ended"), CHALLENGE)
            if session.realm == MEMBER:
                bound = member_bound(session.name, self._limits.member_rate)
            else:
                bound = bound_of(session.role, session.name)
            speaker = Speaker(session.sender, bound, session, token)
            if known is not None:
                speaker.rate = known[0].rate  # what was taken of it counts on
            if len(self._people) > MOST_KNOWN:
                self._people.clear()
            self._people[token] = speaker, now
        assert speaker.session is not None
        moment, idle = moment_now(), int(self._limits.session_idle * SECOND)
        if moment > min(speaker.session.until, speaker.session.seen + idle):
            self.forget(token)
            raise ProblemError(401, Reason(None, "session-ended"), CHALLENGE)
        if moment - speaker.session.seen > idle // AWAKE_NOTES:
            speaker.session = speaker.session._replace(seen=moment)
            self._awake(token)
        return speaker

    def forget(self, token: str) -> None:
        """A session has ended."""
        self._people.pop(token, None)


def _secret(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The key or token that a request carries; None where it carries none."""
    for name, value in headers:
        if name == b"authorization":
            return value[7:].decode("latin-1").strip() if value[:7].lower() == b"bearer " else None
    return None
