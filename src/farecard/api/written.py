"""What people write beside commands (why, a till's name): looked at before any of it is kept."""

from farecard.api.problems import ProblemError
from farecard.wire.line import unfit


def must_be_fit(**fields: str | None) -> None:
    """``ProblemError`` 400 that names the first field with a control character or an individual number in it (PUB-14)."""
    for name, text in fields.items():
        for reason in unfit(name, text or ""):
            raise ProblemError(400, reason)
