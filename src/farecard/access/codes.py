"""Codes that people read off one thing and type into another: made at random, forgiving about how they are typed."""

import secrets
import unicodedata

from farecard.model.commands import LETTERS

_GROUP = 4
_TAKEN_FOR = str.maketrans("OIL", "011")


def new(letters: int) -> str:
    """A code of so many letters, five bits each, in groups of four."""
    text = "".join(secrets.choice(LETTERS) for _ in range(letters))
    return "-".join(text[n : n + _GROUP] for n in range(0, letters, _GROUP))


def plain(typed: str) -> str:
    """What was meant: letters and digits alone, in capitals of half width, letters that look like digits as those."""
    evened = unicodedata.normalize("NFKC", typed).upper()
    return "".join(c for c in evened if c.isascii() and c.isalnum()).translate(_TAKEN_FOR)
