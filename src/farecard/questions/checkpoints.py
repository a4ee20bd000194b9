"""Signed checkpoints: where each writer's chain of batches ended at a moment, so that cutting off its end shows, too.

A chain proves that nothing within it was changed; that nothing behind it was taken away only somebody can prove who
knows how far it had come. So the issuer signs where it ended and gives that away; whoever has it can check a store.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from farecard.model.moments import iso_moment
from farecard.storage.making import about
from farecard.storage.store import Store
from farecard.storage.vault import Vault, is_signed

FORMAT = "farecard-checkpoint-1"


class Head(msgspec.Struct, forbid_unknown_fields=True):
    """The last batch of a writer: its number in the chain and its hash, which stands for all before it."""

    writer: str
    number: int
    hash: str


class Checkpoint(msgspec.Struct, forbid_unknown_fields=True):
    """What was signed. ``store`` is the fingerprint of the store's key, ``key`` the public one."""

    format: str
    store: str
    made_at: str
    heads: list[Head]
    key: str
    signature: str

    def signed(self) -> bytes:
        """The bytes under the signature: all but the signature itself, as sorted JSON."""
        said = msgspec.to_builtins(self)
        del said["signature"]
        return msgspec.json.encode(said, order="sorted")


class CheckpointError(ValueError):
    """A file that holds no checkpoints; the sentence names the line."""


def make(store: Store, vault: Vault, now: int) -> Checkpoint:
    """The end of every chain now, signed under the store's key."""
    heads = []
    for (writer,) in store.rows("writers"):
        ((_, number, hash),) = store.rows("last_batch", writer=writer)
        heads.append(Head(writer, number, hash.hex()))
    made = Checkpoint(FORMAT, vault.fingerprint, iso_moment(now), heads, vault.public_key, "")
    made.signature = vault.sign(made.signed())
    return made


def read(text: bytes) -> list[Checkpoint]:
    """The checkpoints of a file, one a line. ``CheckpointError`` when it is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=Checkpoint)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CheckpointError(f"line {number}: no checkpoint: {error}") from None
        if one.format != FORMAT:
            raise CheckpointError(f"line {number}: {one.format} is not known here")
        found.append(one)
    if not found:
        raise CheckpointError("there is no checkpoint in it")
    return found


def problems(store: Store, checkpoints: Iterable[Checkpoint], key: str) -> list[str]:
    """What in a store is not as was signed under a public key; nothing: all of it is still there, unchanged."""
    ours = about(store)["key"]
    found = []
    for one in checkpoints:
        if one.key != key or not is_signed(key, one.signed(), one.signature):
            found.append(f"{one.made_at}: not signed under the key {key[:16]}...")
        elif one.store != ours:
            found.append(f"{one.made_at}: a checkpoint of another store")
        else:
            found += [
                f"{one.made_at}: {said}" for head in one.heads for said in _missing(store, head)
            ]
    return found


def _missing(store: Store, head: Head) -> list[str]:
    rows = store.rows("batch_hash", writer=head.writer, number=head.number)
    if not rows:
        last = store.rows("last_batch", writer=head.writer)
        end = f"ends with {last[0][1]:,}" if last else "is gone"
        return [
            f"batch {head.number:,} of {head.writer} is not there; its chain {end}: the log was cut off"
        ]
    if rows[0][0].hex() != head.hash:
        return [
            f"batch {head.number:,} of {head.writer} is another than was signed: the log was rewritten"
        ]
    return []


def told(one: Checkpoint) -> dict[str, Any]:
    """A checkpoint as JSON."""
    said: dict[str, Any] = msgspec.to_builtins(one)
    return said
