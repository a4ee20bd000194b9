"""Sessions of those who have signed in, of either realm, and the lock that wrong passwords put on an account.

Of a session's token, which is random, the SHA-256 is kept. Times are moments.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from farecard.access import passwords
from farecard.access.keys import hash_of
from farecard.access.trail import note
from farecard.model.moments import SECOND, moment_now
from farecard.storage.making import adding
from farecard.storage.store import Store

MOST_FAILURES = 5
LOCKED_FOR = 15 * 60 * SECOND
STAFF, MEMBER = "staff", "member"
# how a session's token begins: so that scanners of logs know one when they see it
TOKENS = {STAFF: "fs_", MEMBER: "fm_"}


class Session(NamedTuple):
    """Somebody who has signed in. ``seen`` is when he was last heard of, ``until`` the end whatever he does."""

    realm: str
    name: str
    role: str
    since: int
    seen: int
    until: int

    @property
    def sender(self) -> str:
        """The sender of what is said within it."""
        return sender_of(self.realm, self.name)


class SignInError(Exception):
    """Not signed in. ``until``: when it may be tried again, where the account is locked; else None."""

    def __init__(self, until: int | None = None) -> None:
        super().__init__()
        self.until = until


class Account(Protocol):
    """What the lock needs of an account; ``password`` is what is kept of it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def password(self) -> str | None: ...  # noqa: D102
    @property
    def failures(self) -> int: ...  # noqa: D102
    @property
    def locked_until(self) -> int: ...  # noqa: D102


A = TypeVar("A", bound=Account)


def sender_of(realm: str, name: str) -> str:
    """Under which sender somebody's commands are sent; no key has such a name."""
    return f"{realm}:{name}"


def realm_of(token: str) -> str | None:
    """Whose token this would be; None for what is none."""
    return next((realm for realm, begin in TOKENS.items() if token.startswith(begin)), None)


def still(look: Callable[[], A | None], confirmed: A) -> A:
    """The account that was confirmed, as it is now; ``SignInError`` when it was closed, or got another password, since then."""
    account = look()
    if account is None or account.password != confirmed.password:
        raise SignInError
    return account


def begin(
    store: Store, realm: str, look: Callable[[], A | None], confirmed: A, role: str, age: int
) -> tuple[str, Session]:
    """A token and its session, of ``age`` microseconds at the most, within an open ``adding``.

    ``SignInError`` when the account was closed, or got another password, since it was ``confirmed``.
    """
    account = still(look, confirmed)
    token = TOKENS[realm] + secrets.token_urlsafe(32)
    now = moment_now()
    made = Session(realm, account.name, role, now, now, now + age)
    store.change("drop_old_logins", now=now)
    store.append("login", [(hash_of(token), realm, account.name, now, now, made.until)])
    return token, made


def find(store: Store, token: str) -> Session | None:
    """The session of a token, whether or not it is still good; None where there is none, or its account is closed."""
    realm = realm_of(token)
    if realm is not None:
        for row in store.rows(f"{realm}_login", token=hash_of(token)):
            return Session(realm, *row)
    return None


def seen(store: Store, token: str, now: int) -> None:
    """Note that somebody is still there."""
    with adding(store):
        store.change("login_seen", token=hash_of(token), seen=now)


def sign_out(store: Store, token: str) -> None:
    """End a session."""
    with adding(store):
        store.change("end_login", token=hash_of(token))


def confirm(store: Store, realm: str, look: Callable[[], A | None], password: str) -> A:
    """Whose password this is, ``look`` being how his account is found; ``SignInError`` when it is not to be, which is counted.

    The password is checked before the store is held, and counts only if the account is not locked by then:
    whoever tries many at once has no more tries than whoever tries one after the other.
    """
    known = look()
    if known is not None and known.locked_until > moment_now():
        raise SignInError(known.locked_until)
    fits = passwords.fits(None if known is None else known.password, password)
    if known is None:
        raise SignInError
    count = f"{realm}_failures"
    with adding(store):
        account = still(look, known)
        now = moment_now()
        if account.locked_until > now:
            raise SignInError(account.locked_until)
        if fits:
            if account.failures:
                store.change(count, name=account.name, failures=0, locked_until=0)
            return account
        failures = account.failures + 1
        locked = failures >= MOST_FAILURES
        until = now + LOCKED_FOR if locked else 0
        kept = 0 if locked else failures
        store.change(count, name=account.name, failures=kept, locked_until=until)
        if locked:
            note(store, account.name, "locked", account.name, f"{MOST_FAILURES} wrong passwords")
    raise SignInError(until if locked else None)
