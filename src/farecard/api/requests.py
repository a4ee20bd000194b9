"""What a request says: its parameters, its kind of body, the body itself."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from farecard.api.connection import hear
from farecard.api.limits import Limits
from farecard.api.problems import ProblemError
from farecard.api.replies import Receive, Scope
from farecard.model.moments import parse_as_of
from farecard.model.verdict import Reason

T = TypeVar("T")
CLOSE = ((b"connection", b"close"),)


class GoneError(Exception):
    """The client has gone before it had said all."""


def parameters(scope: Scope, *known: str) -> dict[str, str]:
    """The query's parameters. ``ProblemError`` 400 for one that is not known or stands twice."""
    query = scope["query_string"]
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise ProblemError(400, Reason(None, "bad-query")) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known or name in found:
            raise ProblemError(400, Reason(None, "unknown-parameter", {"known": list(known)}))
        found[name] = value
    return found


def as_of(values: dict[str, str]) -> int | None:
    """The moment of ``as_of``; None: now. A space where ``+`` was is read as ``+``."""
    text = values.get("as_of")
    if text is None:
        return None
    try:
        return parse_as_of(text.replace(" ", "+"))
    except ValueError:
        raise ProblemError(400, Reason(None, "want-as-of", {"field": "as_of"})) from None


def flag(values: dict[str, str], name: str) -> bool:
    """A parameter that is true or false; false when it is not there."""
    text = values.get(name, "false")
    if text not in ("true", "false"):
        raise ProblemError(400, Reason(None, "want-flag", {"field": name}))
    return text == "true"


def choice(values: dict[str, str], name: str, known: Sequence[str]) -> str | None:
    """A parameter that is one of some words; None when it is not there."""
    text = values.get(name)
    if text is not None and text not in known:
        raise ProblemError(
            400, Reason(None, "want-choice", {"field": name, "choices": list(known)})
        )
    return text


def whole(values: dict[str, str], name: str, usual: int, most: int, least: int = 1) -> int:
    """A parameter that is a whole number from ``least`` to ``most``; ``usual`` when it is not there."""
    text = values.get(name)
    if text is None:
        return min(usual, most)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        reason = Reason(None, "want-count", {"field": name, "least": least, "most": most})
        raise ProblemError(400, reason)
    return int(text)


def must_be(scope: Scope, *kinds: bytes) -> None:
    """``ProblemError`` 415 when the body is said to be something else; who says nothing is believed."""
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value.split(b";")[0].strip().lower() not in kinds:
                reason = Reason(None, "wrong-media-type", {"known": [kinds[0].decode()]})
                raise ProblemError(415, reason, CLOSE)
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise ProblemError(415, Reason(None, "no-encoding"), CLOSE)


async def body_of(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The whole body. ``ProblemError`` 413 when it is too large; no more of it is read then, nor of one that takes too long."""
    message = await hear(scope, receive, limits.body_within)
    body: bytes = message.get("body", b"")
    loop = asyncio.get_running_loop()
    until = loop.time() + limits.whole_body_within
    while message.get("more_body"):
        if len(body) > limits.body:
            break
        left = until - loop.time()
        message = await hear(scope, receive, min(limits.body_within, max(0, left)))
        body += message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise GoneError
    if len(body) > limits.body:
        raise ProblemError(413, Reason(None, "body-too-large", {"most": limits.body}), CLOSE)
    return body


async def said(scope: Scope, receive: Receive, limits: Limits, kind: type[T]) -> T:
    """A JSON body as what it shall be. ``ProblemError`` 400 when it is not."""
    must_be(scope, b"application/json")
    parameters(scope)
    body = await body_of(scope, receive, limits)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, msgspec.ValidationError) else "no JSON"
        raise ProblemError(400, Reason(None, "bad-body", {"why": why}), CLOSE) from None
