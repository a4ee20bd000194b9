"""What people type and scanners read, as it was meant."""

import unicodedata

_LONGEST = 18  # digits of a figure; more are none that is meant
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")  # what keyboards give for one besides
_LONG_SOUND = {ord("ー"): "-"}  # a Japanese keyboard gives it for one; in a name it is a letter


def evened(text: str) -> str:
    """The same, whatever width it was typed in, without the gaps around it."""
    return unicodedata.normalize("NFKC", text).strip()


def card_typed(text: str) -> str:
    """A card's number: gaps left out, whatever width, with JW in front; what is none stays what it is, to be told of."""
    plain = paper_typed(text).replace("-", "")
    return f"JW{plain}" if len(plain) == 15 and plain.isascii() and plain.isdigit() else plain


def paper_typed(text: str) -> str:
    """The number of a slip, a form or a case: gaps left out, whatever width and hyphen, in capitals."""
    plain = "".join(one for one in evened(text).upper() if not one.isspace())
    return plain.translate(_HYPHENS | _LONG_SOUND)


def till_typed(text: str) -> str:
    """A till's name: the same till however it is written, so in small letters, whatever width and hyphen."""
    return " ".join(evened(text).lower().split()).translate(_HYPHENS)


def figure_typed(text: str) -> int | None:
    """A whole number, whatever width, with commas or without; None for what is none."""
    plain = evened(text).replace(",", "").replace("、", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= _LONGEST else None
