"""What a rule may answer: an effect, or reasons. Values, never exceptions."""

from typing import Any, Final

import msgspec

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
REFERRED: Final = "referred"
INVALID: Final = "invalid"


class Reason(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why a command was not taken as it was asked: rule id (or None), code, figures.

    Texts are made at the window from these three; see ``farecard.texts``.
    """

    rule: str | None
    code: str
    params: dict[str, Any] = {}


class No(msgspec.Struct, gc=False):
    """Refused, referred or invalid: nothing changes. ``result`` carries a named figure."""

    reasons: list[Reason]
    outcome: str = REFUSED
    result: dict[str, Any] = {}


class Effect(msgspec.Struct, gc=False):
    """Accepted: what changes on the card, in yen, and what the sender is told.

    ``fee`` is what the issuer earns of it, ``forfeited`` the deposit it keeps;
    ``sets`` names other fields of the account and their new values.
    """

    result: dict[str, Any]
    amount: int = 0
    deposit: int = 0
    points: int = 0
    fee: int = 0
    forfeited: int = 0
    payee: str | None = None
    sets: dict[str, Any] | None = None
    warnings: list[Reason] | None = None


Verdict = Effect | No


def refuse(rule: str | None, code: str, **params: Any) -> No:
    """A refusal for one reason."""
    return No([Reason(rule, code, params)])
