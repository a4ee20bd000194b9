"""Answers on their way out."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from farecard.api.problems import MEDIA_TYPE, Headers, ProblemError, encoded

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON = (b"content-type", b"application/json")
PRIVATE: Headers = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


async def reply(
    send: Send,
    status: int,
    body: bytes,
    kind: tuple[bytes, bytes] = JSON,
    headers: Headers = (),
) -> None:
    """A whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [kind, length, *headers]}
    )
    await send({"type": "http.response.body", "body": body})


async def reply_json(send: Send, value: Any, headers: Headers = PRIVATE) -> None:
    """An answer to a question."""
    await reply(send, 200, msgspec.json.encode(value), JSON, headers)


async def reply_problem(send: Send, problem: ProblemError) -> None:
    """A problem document."""
    kind = (b"content-type", MEDIA_TYPE)
    await reply(send, problem.status, encoded(problem), kind, (*PRIVATE, *problem.headers))
