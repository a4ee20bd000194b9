"""What is never taken: the individual number (マイナンバー)."""

import re
import unicodedata

from farecard.model.verdict import Reason
from farecard.rules.catalogue import rule

INDIVIDUAL_NUMBER_DIGITS = 12
_PARTED = r"[\s\-‐‑–—―−ー・.,_/]{0,3}"
# Twelve digits in a row or in three fours, and no more of either on their sides: a card's fifteen
# digits, a phone number's 3-4-4 and a credit card's four fours are none. No check digit is asked
# for: a number with a slip in it is nobody's to keep either.
_WITHIN = re.compile(
    rf"(?<!\d)(?<!\d{{4}}[\s\-])\d{{4}}{_PARTED}\d{{4}}{_PARTED}\d{{4}}(?!\d)(?![\s\-]\d{{4}}(?!\d))"
)


@rule(
    "PUB-14",
    source="law (My Number Act)",
    ja="個人番号（12桁のマイナンバー）は、本人の同意があっても、受け取り・保存・利用しません。",
)
def individual_number(field: str, text: object) -> Reason | None:
    """The individual number (12 digits) may not be taken, stored or used as a key, even with consent.

    Asked of a field that names a person. Whatever writes its digits (full width, another script) and
    parts them (spaces, hyphens, long-vowel marks), it is known; the reason names the field and
    quotes nothing.
    """
    if not isinstance(text, str):
        return None
    plain = [
        c
        for c in unicodedata.normalize("NFKC", text)
        if unicodedata.category(c)[0] in "LNM" and c != "ー"
    ]
    if len(plain) == INDIVIDUAL_NUMBER_DIGITS and all(c.isdecimal() for c in plain):
        return Reason("PUB-14", "individual-number", {"field": field})
    return None


def individual_number_within(field: str, text: str) -> Reason | None:
    """The same of a field that people write in: the number may stand among other words (PUB-14)."""
    if holds_individual_number(text):
        return Reason("PUB-14", "individual-number", {"field": field})
    return None


def holds_individual_number(text: str) -> bool:
    """Whether twelve digits stand somewhere in a text as an individual number is written."""
    return _WITHIN.search(unicodedata.normalize("NFKC", text)) is not None
