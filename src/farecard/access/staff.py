"""People who work here: accounts with a role and a password, and the sessions of those who have signed in.

A password is kept as argon2id; a session's token, which is random, as its SHA-256. Times are moments.
"""

import secrets
from functools import cache
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from farecard.access.keys import AccessError, hash_of
from farecard.access.roles import ROLES
from farecard.access.trail import note
from farecard.model.moments import moment_now
from farecard.storage.making import adding
from farecard.storage.store import Store

SECOND = 1_000_000
MOST_FAILURES = 5
LOCKED_FOR = 15 * 60 * SECOND
SHORTEST, LONGEST = 12, 128
TOKEN = "fs_"  # noqa: S105  # how a session's token begins: so that scanners of logs know one when they see it
REALM = "staff"


class Account(NamedTuple):
    """Somebody's account. ``ended``: when it was closed, for good."""

    name: str
    role: str
    password: str
    since: int
    failures: int
    locked_until: int
    ended: int | None


class Session(NamedTuple):
    """Somebody who has signed in. ``seen`` is when he was last heard of, ``until`` the end whatever he does."""

    name: str
    role: str
    since: int
    seen: int
    until: int


class SignInError(Exception):
    """Not signed in. ``until``: when it may be tried again, where the account is locked; else None."""

    def __init__(self, until: int | None = None) -> None:
        super().__init__()
        self.until = until


_hasher = PasswordHasher(parallelism=1)  # a guess shall not take all processors


@cache
def _nobodys() -> str:
    """A hash to compare with where there is no account: it shall take as long."""
    return _hasher.hash(secrets.token_urlsafe())


def check_password(name: str, password: str) -> None:
    """``AccessError`` when this is no password to have."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"the password: {SHORTEST} to {LONGEST} characters; a sentence does well")
    if len(set(password)) < 5 or name.casefold() in password.casefold():
        raise AccessError("the password: not the name, and more than a few letters again and again")


def _hashed(name: str, password: str) -> str:
    check_password(name, password)
    return _hasher.hash(password)


def _fits(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except VerificationError:
        return False


def check_role(role: str) -> None:
    """``AccessError`` when there is no such role."""
    if role not in ROLES:
        raise AccessError(f"--role: {role}: unknown; known are {', '.join(ROLES)}")


# -- accounts ------------------------------------------------------------------------------------


def load(store: Store) -> list[Account]:
    """Every account there ever was, oldest first."""
    return [Account(*row) for row in store.rows("staff")]


def find(store: Store, name: str) -> Account | None:
    """One that is not ended."""
    for row in store.rows("staff_named", who=name):
        account = Account(*row)
        if account.ended is None:
            return account
    return None


def _must_find(store: Store, name: str) -> Account:
    account = find(store, name)
    if account is None:
        raise AccessError(
            f"nobody here is called {name}; `farecard staff list` shows who works here"
        )
    return account


def add(store: Store, name: str, role: str, password: str, who: str) -> None:
    """Open an account. A name that was ever given is not given again: what was done under it stands in the trail."""
    check_role(role)
    hashed = _hashed(name, password)
    with adding(store):
        if store.rows("staff_named", who=name):
            raise AccessError(
                f"there is, or was, somebody called {name}; choose another name (what is done is told by it)"
            )
        store.append("staff", [(name, role, hashed, moment_now(), 0, 0, None)])
        note(store, who, "staff-added", name, role)


def change_role(store: Store, name: str, role: str, who: str) -> None:
    """Give somebody another role; he signs in anew."""
    check_role(role)
    with adding(store):
        was = _must_find(store, name).role
        store.change("staff_role", name=name, role=role)
        store.change("end_logins", realm=REALM, who=name)
        note(store, who, "staff-role", name, f"{was} > {role}")


def set_password(store: Store, name: str, password: str, who: str) -> None:
    """Give somebody another password; he signs in anew, a lock is off."""
    hashed = _hashed(name, password)
    with adding(store):
        _must_find(store, name)
        store.change("staff_password", name=name, password=hashed)
        store.change("end_logins", realm=REALM, who=name)
        note(store, who, "staff-password", name, "")


def unlock(store: Store, name: str, who: str) -> None:
    """Take the lock off that wrong passwords put on."""
    with adding(store):
        _must_find(store, name)
        store.change("staff_failures", name=name, failures=0, locked_until=0)
        note(store, who, "staff-unlocked", name, "")


def end(store: Store, name: str, who: str) -> None:
    """Close an account, at once and for good."""
    with adding(store):
        _must_find(store, name)
        store.change("staff_end", name=name, ended=moment_now())
        store.change("end_logins", realm=REALM, who=name)
        note(store, who, "staff-ended", name, "")


# -- sessions ------------------------------------------------------------------------------------


def sign_in(store: Store, name: str, password: str, age: int) -> tuple[str, Session]:
    """A token and its session of ``age`` microseconds at the most; ``SignInError`` as of ``confirm``."""
    account = confirm(store, name, password)
    token = TOKEN + secrets.token_urlsafe(32)
    now = moment_now()
    session = Session(name, account.role, now, now, now + age)
    with adding(store):
        store.change("drop_old_logins", now=now)
        store.append("login", [(hash_of(token), REALM, name, now, now, session.until)])
        note(store, name, "signed-in", name, "")
    return token, session


def confirm(store: Store, name: str, password: str) -> Account:
    """Whose password this is; ``SignInError`` when it is not to be, which is counted.

    The password is checked before the store is held, and counts only if the account is not locked by then:
    whoever tries many at once has no more tries than whoever tries one after the other.
    """
    known = find(store, name)
    if known is not None and known.locked_until > moment_now():
        raise SignInError(known.locked_until)
    fits = _fits(_nobodys() if known is None else known.password, password)
    if known is None:
        raise SignInError
    with adding(store):
        account = find(store, name)
        now = moment_now()
        if account is None or account.password != known.password:
            raise SignInError
        if account.locked_until > now:
            raise SignInError(account.locked_until)
        if fits:
            if account.failures:
                store.change("staff_failures", name=name, failures=0, locked_until=0)
            return account
        failures = account.failures + 1
        locked = failures >= MOST_FAILURES
        until = now + LOCKED_FOR if locked else 0
        store.change(
            "staff_failures", name=name, failures=0 if locked else failures, locked_until=until
        )
        if locked:
            note(store, name, "locked", name, f"{MOST_FAILURES} wrong passwords")
    raise SignInError(until if locked else None)


def session(store: Store, token: str) -> Session | None:
    """The session of a token, whether or not it is still good; None where there is none, or its account is closed."""
    for row in store.rows("login", token=hash_of(token), realm=REALM):
        return Session(*row)
    return None


def seen(store: Store, token: str, now: int) -> None:
    """Note that somebody is still there."""
    with adding(store):
        store.change("login_seen", token=hash_of(token), seen=now)


def sign_out(store: Store, token: str) -> None:
    """End a session."""
    with adding(store):
        store.change("end_login", token=hash_of(token))
