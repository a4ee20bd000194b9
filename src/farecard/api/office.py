"""What people who work here ask of the server: signing in, proposals, the trail."""

from typing import Any, Protocol

from farecard.access import trail
from farecard.access.proposals import STATES
from farecard.api.proposing import Judge, Propose, Proposing, WouldNotBeTakenError
from farecard.api.readers import Readers
from farecard.api.replies import JSON, PRIVATE, Receive, Scope, Send, reply, reply_json
from farecard.api.requests import choice, parameters, said, whole
from farecard.api.sessions import NewPassword, Sessions, SignIn
from farecard.api.speakers import Speaking
from farecard.wire.answer import encode_answer

PROPOSALS = "/v1/proposals"


class House(Speaking, Protocol):
    """What these handlers need of the application."""

    sessions: Sessions
    proposing: Proposing
    readers: Readers


async def sign_in(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/sign-in``."""
    body = await said(scope, receive, app.limits, SignIn)
    await reply_json(send, await app.sessions.sign_in(body))


async def sign_out(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/sign-out``."""
    speaker, _ = await app.heard(scope, receive, dict[str, Any])
    speaker.must_be_here()
    await app.sessions.sign_out(speaker)
    await reply_json(send, {"signed_out": True})


async def me(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``GET /v1/me``."""
    speaker = await app.speaker(scope)
    speaker.must_be_here()
    parameters(scope)
    await reply_json(send, await app.sessions.me(speaker))


async def password(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/password``."""
    speaker, body = await app.heard(scope, receive, NewPassword)
    speaker.must_be_here()
    await reply_json(send, await app.sessions.change_password(speaker, body))


async def propose(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/proposals``."""
    speaker, body = await app.heard(scope, receive, Propose)
    try:
        made = await app.proposing.propose(speaker, body)
    except WouldNotBeTakenError as no:
        await reply(send, 422, encode_answer(no.answer), JSON, PRIVATE)
        return
    await reply_json(send, made)


async def proposals(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``GET /v1/proposals``."""
    speaker = await app.speaker(scope)
    values = parameters(scope, "state", "limit")
    state = choice(values, "state", STATES)
    most = whole(values, "limit", 100, app.limits.events)
    await reply_json(send, await app.proposing.listed(speaker, state, most))


def _number(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(f"{PROPOSALS}/")


async def proposal(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``GET /v1/proposals/…``."""
    speaker = await app.speaker(scope)
    parameters(scope)
    await reply_json(send, await app.proposing.one(speaker, _number(scope)))


async def judge(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/proposals/…``."""
    speaker, body = await app.heard(scope, receive, Judge)
    await reply_json(send, await app.proposing.judge(speaker, _number(scope), body))


async def trails(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``GET /v1/trail``: who did what to keys, people and proposals, newest first."""
    speaker = await app.speaker(scope)
    values = parameters(scope, "before", "limit")
    before = whole(values, "before", 10**9 - 1, 10**9 - 1)
    most = whole(values, "limit", 100, app.limits.events)
    speaker.must_ask("trail")
    await reply_json(send, await app.readers.ask(lambda store: trail.lines(store, before, most)))
