"""Signing in and out: people who work here speak with a token in place of a key."""

import asyncio
import logging
from typing import Annotated, Any

import msgspec

from farecard.access import staff
from farecard.access.keys import AccessError
from farecard.access.roles import ROLES
from farecard.api.limits import Limits
from farecard.api.problems import ProblemError
from farecard.api.registrar import Registrar
from farecard.api.speakers import CHALLENGE, Speaker, Speakers
from farecard.model.moments import iso_moment, moment_now
from farecard.model.verdict import Reason
from farecard.storage.store import Store

_log = logging.getLogger("farecard.api")
SECOND = staff.SECOND
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Password = Annotated[str, msgspec.Meta(min_length=1, max_length=staff.LONGEST)]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says who signs in."""

    name: _Name
    password: _Password


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says who changes his password."""

    old: _Password
    new: _Password


class Sessions:
    """Signs people in and out. Passwords are checked one after the other: each takes a processor for a tenth of a second."""

    def __init__(self, url: str, speakers: Speakers, limits: Limits) -> None:
        self._speakers = speakers
        self._limits = limits
        self._doorkeeper = Registrar(url, limits.sign_ins)

    async def sign_in(self, said: SignIn) -> dict[str, Any]:
        """A token, and until when it is good. ``ProblemError`` 401 or 429."""
        age = int(self._limits.session_age * SECOND)
        try:
            token, session = await self._doorkeeper.do(
                lambda store: staff.sign_in(store, said.name, said.password, age)
            )
        except staff.SignInError as no:
            raise _refused(no) from None
        _log.info("signed in", extra={"who": session.name})
        return {"token": token, **_told(session, self._limits)}

    async def sign_out(self, speaker: Speaker) -> None:
        """End this session."""
        token = _token(speaker)
        await self._doorkeeper.do(lambda store: staff.sign_out(store, token))
        self._speakers.forget(token)

    async def me(self, speaker: Speaker) -> dict[str, Any]:
        """Who has signed in, and what he may do."""
        assert speaker.session is not None
        return _told(speaker.session, self._limits)

    async def change_password(self, speaker: Speaker, said: NewPassword) -> None:
        """Another password, for whoever knows the old one; all his sessions end."""
        token = _token(speaker)
        assert speaker.session is not None
        name = speaker.session.name

        def change(store: Store) -> None:
            staff.confirm(store, name, said.old)
            staff.set_password(store, name, said.new, name)

        try:
            staff.check_password(name, said.new)
            await self._doorkeeper.do(change)
        except staff.SignInError as no:
            raise _refused(no) from None
        except AccessError:
            reason = Reason(
                None, "password-too-weak", {"shortest": staff.SHORTEST, "longest": staff.LONGEST}
            )
            raise ProblemError(400, reason) from None
        self._speakers.forget(token)

    def close(self) -> None:
        """Finish what was asked."""
        self._doorkeeper.close()


def _refused(no: staff.SignInError) -> ProblemError:
    if no.until is None:
        return ProblemError(401, Reason(None, "wrong-password"), CHALLENGE)
    seconds = max(1, -(-(no.until - moment_now()) // SECOND))
    reason = Reason(None, "locked", {"until": iso_moment(no.until)})
    return ProblemError(429, reason, ((b"retry-after", str(seconds).encode()),))


def _token(speaker: Speaker) -> str:
    assert speaker.token is not None
    return speaker.token


def _told(session: staff.Session, limits: Limits) -> dict[str, Any]:
    role = ROLES[session.role]
    idle = session.seen + int(limits.session_idle * SECOND)
    return {
        "name": session.name,
        "role": session.role,
        "channels": sorted(role.channels),
        "commands": sorted(role.only),
        "ask": sorted(role.ask),
        "acts": sorted(role.acts),
        "since": iso_moment(session.since),
        "until": iso_moment(session.until),
        "idle_until": iso_moment(min(idle, session.until)),
    }


async def keep_awake(registrar: Registrar, token: str) -> None:
    """Note that somebody is still there; nobody waits for it."""
    try:
        await registrar.do(lambda store: staff.seen(store, token, moment_now()))
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001  # the session ends a little earlier, no more
        _log.warning("a session could not be noted as awake: %s", type(error).__name__)
