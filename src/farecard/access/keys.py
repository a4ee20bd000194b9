"""Keys of those who send commands: made once, kept as a hash, revoked for good."""

import hashlib
import secrets
from collections.abc import Iterable

import msgspec

from farecard.access.rights import COMPANY_CHANNELS, QUESTIONS, Bound
from farecard.access.trail import note
from farecard.model.commands import CHANNELS
from farecard.model.moments import moment_now
from farecard.storage.errors import StoreError
from farecard.storage.making import adding
from farecard.storage.store import Store

SECRET_BYTES = 32
RESERVED = ("staff:", "member:", "proposal")  # senders that are no keys
PREFIX = "fc_"  # so that scanners of repositories and logs know one when they see it


class AccessError(StoreError):
    """A key that cannot be made or revoked; the sentence says which word is wrong and what would do."""


class Key(msgspec.Struct, frozen=True):
    """A key as the store has it. ``since`` and ``revoked`` are moments; ``secret`` is the SHA-256 of it."""

    name: str
    since: int
    secret: bytes
    bound: Bound
    revoked: int | None = None


def hash_of(secret: str) -> bytes:
    """What is kept of a secret: 256 random bits cannot be guessed, so a quick hash does."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def check(bound: Bound) -> None:
    """Whether a key may be bound so: known channels and questions, and nothing that could never be used."""
    for word, known, what in (
        (bound.channels, CHANNELS, "--channels"),
        (bound.ask, QUESTIONS, "--ask"),
    ):
        strange = sorted(set(word) - set(known))
        if strange:
            raise AccessError(
                f"{what}: {', '.join(strange)}: unknown; known are {', '.join(known)}"
            )
    if not bound.channels and not bound.ask:
        raise AccessError(
            "name the --channels it speaks for, or what it may --ask: else it can do nothing"
        )
    if "operations" in bound.channels and not bound.unattended:
        raise AccessError(
            "--channels operations: such a key acts at once, where people need a second pair of eyes;"
            " say --unattended if that is what you want"
        )
    if bound.unattended and "operations" not in bound.channels:
        raise AccessError("--unattended: only a key that speaks for operations needs it")
    if bound.company is not None and not bound.channels & set(COMPANY_CHANNELS):
        raise AccessError(
            f"--company: only keys for {' or '.join(COMPANY_CHANNELS)} are a company's"
        )
    if bound.rate is not None and bound.rate < 1:
        raise AccessError("--rate: 1 or more commands a second")


def add(store: Store, name: str, bound: Bound, who: str) -> str:
    """Make a key; gives its secret, which is not kept. ``AccessError`` when there is one of that name already."""
    check(bound)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    with adding(store):
        if name.startswith(RESERVED):
            raise AccessError(
                f"{name}: names that begin with {' or '.join(RESERVED)} are of people and proposals;"
                " choose another"
            )
        if any(key.name == name and key.revoked is None for key in load(store)):
            raise AccessError(
                f"there is a key {name} already; revoke it first, or choose another name"
                " (a key's name is the sender of its commands)"
            )
        now = moment_now()
        text = msgspec.json.encode(bound, order="sorted").decode()
        store.append("api_key", [(name, now, hash_of(secret), text, None)])
        note(store, who, "key-added", name, text)
    return secret


def revoke(store: Store, name: str, who: str) -> None:
    """End a key, at once and for good. ``AccessError`` when there is none of that name, or it was revoked."""
    with adding(store):
        keys = [key for key in load(store) if key.name == name]
        if not keys:
            raise AccessError(f"there is no key {name}; `farecard keys list` shows those there are")
        if not store.change("revoke_key", name=name, revoked=moment_now()):
            raise AccessError(f"the key {name} was revoked already")
        note(store, who, "key-revoked", name, "")


def load(store: Store) -> list[Key]:
    """Every key there ever was, oldest first."""
    return [
        Key(name, since, secret, msgspec.json.decode(bound, type=Bound), revoked)
        for name, since, secret, bound, revoked in store.rows("api_keys")
    ]


class Ring:
    """The keys that are good now, by the hash of their secret."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = {key.secret: key for key in keys if key.revoked is None}

    def find(self, secret: str) -> Key | None:
        """The key of a secret; None when there is none."""
        return self._keys.get(hash_of(secret))

    def __len__(self) -> int:
        return len(self._keys)
