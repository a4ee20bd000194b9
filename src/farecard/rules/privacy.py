"""What is never taken: the individual number (マイナンバー)."""

import unicodedata

from farecard.model.verdict import Reason
from farecard.rules.catalogue import rule

INDIVIDUAL_NUMBER_DIGITS = 12


@rule(
    "PUB-14",
    source="law (My Number Act)",
    ja="個人番号（12桁のマイナンバー）は、本人の同意があっても、受け取り・保存・利用しません。",
)
def individual_number(field: str, text: object) -> Reason | None:
    """The individual number (12 digits) may not be taken, stored or used as a key, even with consent.

    Whatever writes its digits (full width, another script) and parts them (spaces, hyphens, long-vowel marks), it is known; the
    reason names the field and quotes nothing.
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
