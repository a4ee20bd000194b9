"""What a farecard answers, as its callers hold it, and what can go wrong on the way."""

from typing import Any

import msgspec


class Text(msgspec.Struct, frozen=True):
    """The same words in both languages."""

    ja: str
    en: str


class Told(msgspec.Struct, frozen=True):
    """One reason or warning. ``rule`` is an id of the catalogue, None where no rule speaks; ``params`` are its figures."""

    code: str
    ja: str
    en: str
    rule: str | None = None
    params: dict[str, Any] = {}
    do_next: Text | None = None


class Decision(msgspec.Struct, frozen=True):
    """The answer to one command. ``repeated``: this id was decided before, and this is that decision.

    ``case``: of what is referred, the number under which people decide it.
    """

    id: str | None
    outcome: str
    reasons: list[Told] = []
    warnings: list[Told] = []
    result: dict[str, Any] = {}
    repeated: bool = False
    case: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether it was done; in all other cases nothing changed."""
        return self.outcome == "accepted"


class FarecardError(Exception):
    """What a client raises."""


class ProblemError(FarecardError):
    """The server's answer is a problem document: ``status``, ``code``, and ``told`` with what to do next."""

    def __init__(self, status: int, told: Told, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {told.code}: {told.en}")
        self.status = status
        self.code = told.code
        self.told = told
        self.retry_after = retry_after


class UnreachableError(FarecardError):
    """No answer came, however often it was tried. What was sent may have been decided: the same id, sent again, tells."""


def problem(status: int, body: bytes, retry_after: str | None) -> ProblemError:
    """What a body that is no answer says."""
    try:
        told = msgspec.json.decode(body, type=Told)
    except msgspec.DecodeError:  # not ours: a proxy's, say
        told = Told("unknown", "farecardの応答ではありません", "not an answer of farecard's")
    seconds = float(retry_after) if retry_after is not None and retry_after.isdigit() else None
    return ProblemError(status, told, seconds)


decision = msgspec.json.Decoder(Decision).decode
