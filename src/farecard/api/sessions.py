"""Signing in and out: people speak with a token in place of a key, those who work here and members."""

import asyncio
import logging
from typing import Annotated, Any, TypeVar

import msgspec

from farecard.access import members, passwords, sessions, staff
from farecard.access.keys import AccessError
from farecard.access.roles import MEMBER_ROLE, ROLES
from farecard.access.sessions import MEMBER, STAFF, Session, SignInError
from farecard.api.limits import Limits
from farecard.api.problems import ProblemError
from farecard.api.registrar import Registrar, Work
from farecard.api.speakers import CHALLENGE, Speaker, Speakers
from farecard.model.moments import SECOND, iso_moment, moment_now
from farecard.model.verdict import Reason
from farecard.storage.store import Store
from farecard.storage.vault import Vault

_log = logging.getLogger("farecard.api")
T = TypeVar("T")
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Login = Annotated[str, msgspec.Meta(min_length=1, max_length=members.LONGEST_LOGIN)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=passwords.LONGEST)]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says who signs in."""

    name: _Name
    password: Password


class MemberSignIn(msgspec.Struct, forbid_unknown_fields=True):
    """What a member says who signs in, or somebody who enrols."""

    login: Login
    password: Password


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody says who changes his password."""

    old: Password
    new: Password


class Sessions:
    """Signs people in and out.

    Passwords are checked one after the other, since each takes a processor for a tenth of a second; members
    stand in a line of their own, so that no flood of them keeps out those who work here.
    """

    def __init__(self, url: str, vault: Vault, speakers: Speakers, limits: Limits) -> None:
        self._vault = vault
        self._speakers = speakers
        self._limits = limits
        self._age = int(limits.session_age * SECOND)
        self._doors = {realm: Registrar(url, limits.sign_ins) for realm in (STAFF, MEMBER)}

    async def at_door(self, realm: str, work: Work[T]) -> T:
        """What ``work`` gives, which checks a password or makes one. ``ProblemError`` 400, 401, 429 or 503."""
        try:
            return await self._doors[realm].do(work)
        except SignInError as no:
            raise _refused(realm, no) from None
        except AccessError:
            reason = Reason(
                None,
                "password-too-weak",
                {"shortest": passwords.SHORTEST, "longest": passwords.LONGEST},
            )
            raise ProblemError(400, reason) from None

    async def sign_in(self, said: SignIn) -> dict[str, Any]:
        """A token, and until when it is good. ``ProblemError`` 401 or 429."""

        def work(store: Store) -> tuple[str, Session]:
            return staff.sign_in(store, said.name, said.password, self._age)

        return self._signed_in(*await self.at_door(STAFF, work))

    async def sign_in_member(self, said: MemberSignIn) -> dict[str, Any]:
        """The same for a member."""

        def work(store: Store) -> tuple[str, Session]:
            return members.sign_in(store, self._vault, said.login, said.password, self._age)

        return self._signed_in(*await self.at_door(MEMBER, work))

    def _signed_in(self, token: str, session: Session) -> dict[str, Any]:
        _log.info("signed in", extra={"who": session.sender})
        return {"token": token, **_told(session, self._limits)}

    async def sign_out(self, speaker: Speaker) -> None:
        """End this session."""
        token = _token(speaker)
        realm = speaker.must_be_here().realm
        await self._doors[realm].do(lambda store: sessions.sign_out(store, token))
        self.forget(speaker)

    async def me(self, speaker: Speaker) -> dict[str, Any]:
        """Who has signed in, and what he may do."""
        return _told(speaker.must_be_here(), self._limits)

    async def change_password(self, speaker: Speaker, said: NewPassword) -> dict[str, Any]:
        """Another password, for whoever knows the old one; all his sessions end. A member gets other recovery codes, too."""
        session = speaker.must_be_here()
        name = session.name

        def change(store: Store) -> dict[str, Any]:
            if session.realm == MEMBER:
                codes = members.change_password(store, self._vault, name, said.old, said.new)
                return {"recovery_codes": codes}
            passwords.check(name, said.new)
            staff.confirm(store, name, said.old)
            staff.set_password(store, name, said.new, name)
            return {}

        told = await self.at_door(session.realm, change)
        self.forget(speaker)
        return {"changed": True, **told}

    def forget(self, speaker: Speaker) -> None:
        """A session has ended."""
        self._speakers.forget(_token(speaker))

    def close(self) -> None:
        """Finish what was asked."""
        for door in self._doors.values():
            door.close()


def _refused(realm: str, no: SignInError) -> ProblemError:
    if no.until is None:
        return ProblemError(401, Reason(None, "wrong-password"), CHALLENGE)
    until = {"until": iso_moment(no.until)}
    if realm == MEMBER:
        return wait(Reason(None, "member-locked", until), no.until)
    return wait(Reason(None, "locked", until), no.until)


def wait(reason: Reason, until: int) -> ProblemError:
    """429: not before a moment."""
    seconds = max(1, -(-(until - moment_now()) // SECOND))
    return ProblemError(429, reason, ((b"retry-after", str(seconds).encode()),))


def _token(speaker: Speaker) -> str:
    assert speaker.token is not None
    return speaker.token


def _told(session: Session, limits: Limits) -> dict[str, Any]:
    role = MEMBER_ROLE if session.realm == MEMBER else ROLES[session.role]
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
        await registrar.do(lambda store: sessions.seen(store, token, moment_now()))
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001  # the session ends a little earlier, no more
        _log.warning("a session could not be noted as awake: %s", type(error).__name__)
