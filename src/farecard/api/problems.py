"""What goes wrong besides decisions: problem documents (RFC 9457), with a code, both languages and what to do next."""

from http import HTTPStatus
from typing import Any

import msgspec

from farecard.model.verdict import Reason
from farecard.texts import explain

MEDIA_TYPE = b"application/problem+json"
Headers = tuple[tuple[bytes, bytes], ...]


class ProblemError(Exception):
    """A request that gets no answer of its own: status, reason, and headers that go with it."""

    def __init__(self, status: int, reason: Reason, headers: Headers = ()) -> None:
        super().__init__(reason.code)
        self.status = status
        self.reason = reason
        self.headers = headers


def document(status: int, reason: Reason) -> dict[str, Any]:
    """The members of a problem document: those of RFC 9457 and those of a reason."""
    said = explain(reason)
    return {
        "type": f"/docs#{reason.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": said["en"],
        **said,
    }


def encoded(problem: ProblemError) -> bytes:
    """A problem as it is sent."""
    return msgspec.json.encode(document(problem.status, problem.reason))


def busy(code_reason: Reason, seconds: int = 1) -> ProblemError:
    """503: nothing was decided, or nobody knows; the same id may be sent again in so many seconds."""
    return ProblemError(503, code_reason, ((b"retry-after", str(seconds).encode()),))
