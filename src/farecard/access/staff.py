"""People who work here: accounts with a role and a password, and signing in."""

from typing import NamedTuple

from farecard.access import passwords, sessions
from farecard.access.keys import AccessError
from farecard.access.roles import ROLES
from farecard.access.sessions import Session
from farecard.access.trail import note
from farecard.model.moments import moment_now
from farecard.storage.making import adding
from farecard.storage.store import Store

REALM = sessions.STAFF


class Account(NamedTuple):
    """Somebody's account. ``ended``: when it was closed, for good."""

    name: str
    role: str
    password: str
    since: int
    failures: int
    locked_until: int
    ended: int | None


def check_role(role: str) -> None:
    """``AccessError`` when there is no such role."""
    if role not in ROLES:
        raise AccessError(f"--role: {role}: unknown; known are {', '.join(ROLES)}")


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
    hashed = passwords.hashed(name, password)
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
    hashed = passwords.hashed(name, password)
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


def sign_in(store: Store, name: str, password: str, age: int) -> tuple[str, Session]:
    """A token and its session of ``age`` microseconds at the most; ``SignInError`` as of ``confirm``."""
    account = confirm(store, name, password)
    with adding(store):
        begun = sessions.begin(store, REALM, lambda: find(store, name), account, account.role, age)
        note(store, name, "signed-in", name, "")
    return begun


def confirm(store: Store, name: str, password: str) -> Account:
    """Whose password this is; ``SignInError`` when it is not to be, which is counted."""
    return sessions.confirm(store, REALM, lambda: find(store, name), password)
