"""How what people say about themselves is evened out before it is compared: the same name and phone in every usual spelling."""

import unicodedata

_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_JAPAN = "81"


def plain_kana(text: str) -> str:
    """A name in kana: full-width katakana, without gaps and middle dots; what is no kana stays as it is."""
    evened = unicodedata.normalize("NFKC", text).translate(_TO_KATAKANA)
    return "".join(c for c in evened if not c.isspace() and c not in "-・")


def plain_phone(text: str) -> str:
    """A phone number's digits, whatever parts them; one with +81 as it is dialled within Japan."""
    evened = unicodedata.normalize("NFKC", text).strip()
    digits = "".join(c for c in evened if c.isdecimal())
    if evened.startswith("+") and digits.startswith(_JAPAN):
        return "0" + digits.removeprefix(_JAPAN).lstrip("0")
    return digits or evened
