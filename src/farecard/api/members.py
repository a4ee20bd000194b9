"""What members ask of the server, and the places that hand them codes."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from farecard.api.membership import Claim, Confirm, GiveCode, Membership, Recover, Shown
from farecard.api.replies import Receive, Scope, Send, reply_json
from farecard.api.requests import parameters, said
from farecard.api.sessions import MemberSignIn, Sessions
from farecard.api.speakers import Speaker, Speaking

T = TypeVar("T")
MEMBERS, CARDS = "/v1/members", "/v1/members/cards"
CODE, RELEASE = "code", "release"  # the last part of a card's path


class House(Speaking, Protocol):
    """What these handlers need of the application."""

    sessions: Sessions
    membership: Membership


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


def _asks(
    kind: type[T], work: Callable[[Membership, Speaker, T], Awaitable[Any]]
) -> Callable[[House, Scope, Receive, Send], Awaitable[None]]:
    """What a member asks for with a body of some kind."""

    async def handle(app: House, scope: Scope, receive: Receive, send: Send) -> None:
        speaker, body = await app.heard(scope, receive, kind)
        await reply_json(send, await work(app.membership, speaker, body))

    return handle


new_codes = _asks(Confirm, Membership.new_codes)
end = _asks(Confirm, Membership.end)
claim = _asks(Claim, Membership.claim)


async def cards(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``GET /v1/members/cards``."""
    speaker = await app.speaker(scope)
    parameters(scope)
    await reply_json(send, await app.membership.cards(speaker))


async def give_up(app: House, scope: Scope, _receive: Receive, send: Send) -> None:
    """``DELETE /v1/members/cards/…``."""
    speaker = await app.speaker(scope)
    parameters(scope)
    number = scope["path"].removeprefix(f"{CARDS}/")
    await reply_json(send, await app.membership.give_up(speaker, number))


async def give_code(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/cards/…/code``."""
    speaker, body = await app.heard(scope, receive, GiveCode)
    number = scope["path"].split("/")[3]
    await reply_json(send, await app.membership.give_code(speaker, number, body))


async def release(app: House, scope: Scope, receive: Receive, send: Send) -> None:
    """``POST /v1/cards/…/release``."""
    speaker, body = await app.heard(scope, receive, Shown)
    number = scope["path"].split("/")[3]
    await reply_json(send, await app.membership.release(speaker, number, body))
