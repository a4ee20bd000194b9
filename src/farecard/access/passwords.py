"""Passwords: what is one to have, and whether one fits. Kept as argon2id."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from farecard.access.keys import AccessError

SHORTEST, LONGEST = 12, 128

_hasher = PasswordHasher(parallelism=1)  # a guess shall not take all processors


@cache
def _nobodys() -> str:
    """A hash to compare with where there is no account: it shall take as long."""
    return _hasher.hash(secrets.token_urlsafe())


def check(name: str, password: str) -> None:
    """``AccessError`` when this is no password to have."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"the password: {SHORTEST} to {LONGEST} characters; a sentence does well")
    if len(set(password)) < 5 or (name and name.casefold() in password.casefold()):
        raise AccessError("the password: not the name, and more than a few letters again and again")
    if all(c.isdecimal() or c in " -" for c in password):
        raise AccessError("the password: not digits alone; a sentence does well")


def hashed(name: str, password: str) -> str:
    """What is kept of a password; ``AccessError`` as of ``check``."""
    check(name, password)
    return _hasher.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether a password is the one of which this is kept; None, of nobody, takes as long to say no."""
    try:
        return _hasher.verify(_nobodys() if kept is None else kept, password) and kept is not None
    except VerificationError:
        return False
