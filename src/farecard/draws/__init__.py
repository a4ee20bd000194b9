"""A draw that anybody can check (検証できる抽選), with nothing but Python's standard library.

*Leaf* of an entrant: SHA-256 of a nonce of 16 bytes, which that holder alone is given, and the card number in ASCII.
The leaves of all entrants are the list, in the order of the SHA-256 of their card numbers, so that a place on it tells
nothing of a number; an entrant's place is its index from 0.

*Root*: RFC 6962's Merkle tree over the list: SHA-256 of 0x00 and a leaf, of 0x01 and two nodes; a node without
a sibling moves up as it is.

*Winners*: for the counter 0, 1, 2, … take x = SHA-256(SHA-256("DRAW:SEED" in UTF-8), counter in 8 bytes, big-endian) as a
whole number. With n indexes not yet picked, x is passed over where it lies in the incomplete last stretch of n below
2^256; else the index at place x mod n is picked, and the last of those not yet picked takes its place. Who is picked
later never changes who was before: alternates go on where the winners end.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

ALGORITHM = "farecard-draw-1"
NONCE_BYTES = 16
_SPAN = 1 << 256


def leaf(nonce: bytes, number: str) -> bytes:
    """An entrant's line on the list: says nothing of the number to whoever lacks the nonce."""
    return hashlib.sha256(nonce + number.encode("ascii")).digest()


def place(number: str) -> bytes:
    """What the list is sorted by."""
    return hashlib.sha256(number.encode("ascii")).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The Merkle root of a list of leaves; of none SHA-256 of nothing."""
    sha256 = hashlib.sha256
    level = [sha256(b"\0" + one).digest() for one in leaves]
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [sha256(b"\1" + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def picks(draw: int, seed: str, entrants: int) -> Iterator[int]:
    """The indexes of all entrants in the order they are picked."""
    start = hashlib.sha256(f"{draw}:{seed}".encode()).digest()
    moved: dict[int, int] = {}  # place: the index that stands there now, where it is not its own
    left = entrants
    counter = 0
    while left:
        x = int.from_bytes(hashlib.sha256(start + counter.to_bytes(8, "big")).digest(), "big")
        counter += 1
        if x >= _SPAN - _SPAN % left:
            continue
        picked = x % left
        left -= 1
        yield moved.get(picked, picked)
        last = moved.pop(left, left)
        if picked != left:
            moved[picked] = last


STEPS = ("file", "list", "root", "winners")


def steps(published: dict[str, Any], frozen_root: str | None = None) -> dict[str, list[str]]:
    """What is wrong with a published draw, by the step it is found at; a step that the file does not let one come to is left out.

    ``file``: it can be read; ``list``: each line once, and as many as it says; ``root``: that of the list, and ``frozen_root``;
    ``winners``: what the seed picks. ``frozen_root``: the root that was made public when the list was frozen, in hexadecimal
    digits. The file alone cannot prove that its list is that one.
    """
    try:
        if published["algorithm"] != ALGORITHM:
            return {"file": [f"algorithm: {ALGORITHM} expected"]}
        leaves = [bytes.fromhex(one) for one in published["leaves"]]
        tree = bytes.fromhex(published["root"])
        told = [*published["winners"], *published["alternates"]]
        draw, count, seed = published["draw"], published["entrants"], published["seed"]
    except (KeyError, TypeError, ValueError) as error:
        return {"file": [f"this is no published draw: {type(error).__name__} {error}"]}
    found: dict[str, list[str]] = {step: [] for step in STEPS}
    if count != len(leaves):
        found["list"].append(f"entrants: {count}, and the list has {len(leaves)}")
    if any(len(one) != hashlib.sha256().digest_size for one in leaves):
        found["list"].append("leaves: each is 64 hexadecimal digits")
    if len(set(leaves)) < len(leaves):
        found["list"].append("leaves: somebody stands there twice")
    if root(leaves) != tree:
        found["root"].append("root: not that of the list")
    if frozen_root is not None and frozen_root.lower() != tree.hex():
        found["root"].append("root: not the one that was made public")
    if seed is None:
        if told:
            found["winners"].append("winners: drawn without a seed")
        return found
    order = picks(draw, seed, len(leaves))
    for turn, index in enumerate(told, 1):
        expected = next(order, None)
        if index != expected:
            found["winners"].append(f"winner {turn}: index {index}, the seed gives {expected}")
            break
    return found


def problems(published: dict[str, Any], frozen_root: str | None = None) -> list[str]:
    """What is wrong with a published draw, as ``steps`` finds it; nothing when all of it follows from its list and seed."""
    return [one for some in steps(published, frozen_root).values() for one in some]


def verify(text: str, frozen_root: str | None = None) -> tuple[dict[str, Any], list[str]]:
    """A published draw from its file's text, and what is wrong with it."""
    try:
        published = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {}, [f"this is no published draw: {error}"]
    if not isinstance(published, dict):
        return {}, ["this is no published draw: not an object"]
    return published, problems(published, frozen_root)


def remarks(published: dict[str, Any]) -> list[str]:
    """What a file that is right in itself cannot prove, and who checks it has to look at."""
    if published.get("committed_at") is None:
        return [
            "the list was not frozen before the draw: nobody can check that it was not made to fit"
        ]
    when, named = published["committed_at"], published.get("seed_source")
    return [
        f"compare the root with the one made public at {when} (or name it with --root)",
        f"compare the seed with the value that was named then: {named}",
    ]


def index_of(published: dict[str, Any], nonce: str, number: str) -> int | None:
    """A holder's index on the list; None where the number with this nonce is not on it."""
    try:
        return int(published["leaves"].index(leaf(bytes.fromhex(nonce), number).hex()))
    except ValueError:
        return None
