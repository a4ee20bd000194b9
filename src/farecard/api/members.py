"""What members ask of the server, and the places that hand them codes."""

from typing import Protocol

from farecard.api.limits import Limits
from farecard.api.membership import Claim, Confirm, GiveCode, Membership, Recover
from farecard.api.replies import Receive, Scope, Send, reply_json
from farecard.api.requests import parameters, said
from farecard.api.sessions import MemberSignIn, Sessions
from farecard.api.speakers import Speaker

MEMBERS, CARDS, CODE = "/v1/members", "/v1/members/cards", "code"


class House(Protocol):
    """What these handlers need of the application."""

    limits: Limits
    sessions: Sessions
    membership: Membership

    async def speaker(self, scope: Scope) -> Speaker:
        """Who sends a request."""


async def enrol(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/members``."""
    body = await said(scope, receive, app.limits, MemberSignIn)
    await reply_json(send, await app.membership.enrol(body))


async def sign_in(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/members/sign-in``."""
    body = await said(scope, receive, app.limits, MemberSignIn)
    await reply_json(send, await app.sessions.sign_in_member(body))


async def recover(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/members/recover``."""
    body = await said(scope, receive, app.limits, Recover)
    await reply_json(send, await app.membership.recover(body))


async def new_codes(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/members/recovery-codes``."""
    speaker = await app.speaker(scope)
    body = await said(scope, receive, app.limits, Confirm)
    await reply_json(send, await app.membership.new_codes(speaker, body))


async def end(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/members/end``."""
    speaker = await app.speaker(scope)
    body = await said(scope, receive, app.limits, Confirm)
    await reply_json(send, await app.membership.end(speaker, body))


async def cards(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``GET /v1/members/cards``."""
    speaker = await app.speaker(scope)
    parameters(scope)
    await reply_json(send, await app.membership.cards(speaker))


async def claim(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/members/cards``."""
    speaker = await app.speaker(scope)
    body = await said(scope, receive, app.limits, Claim)
    await reply_json(send, await app.membership.claim(speaker, body))


async def give_up(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``DELETE /v1/members/cards/…``."""
    speaker = await app.speaker(scope)
    parameters(scope)
    number = scope["path"].removeprefix(f"{CARDS}/")
    await reply_json(send, await app.membership.give_up(speaker, number))


async def give_code(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/cards/…/code``."""
    speaker = await app.speaker(scope)
    body = await said(scope, receive, app.limits, GiveCode)
    number = scope["path"].split("/")[3]
    await reply_json(send, await app.membership.give_code(speaker, number, body))
