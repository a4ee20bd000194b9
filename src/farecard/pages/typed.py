"""What people type and scanners read, as it was meant."""

import unicodedata


def card_typed(text: str) -> str:
    """A card's number: gaps left out, whatever width, with JW in front; what is none stays what it is, to be told of."""
    evened = unicodedata.normalize("NFKC", text).upper()
    plain = "".join(one for one in evened if not one.isspace() and one not in "-‐−–")
    return f"JW{plain}" if len(plain) == 15 and plain.isascii() and plain.isdigit() else plain
