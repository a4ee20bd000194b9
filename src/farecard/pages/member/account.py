"""Becoming a member, signing in, and the way back to an account."""

from farecard.access.sessions import MEMBER
from farecard.api.membership import Confirm, Recover
from farecard.api.problems import ProblemError
from farecard.api.sessions import MemberSignIn
from farecard.api.speakers import Speaker
from farecard.pages.door import again, then_to
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.member.at import (
    HOME,
    SIGN_IN,
    for_members,
    lost_due,
)
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.typed import card_typed


async def sign_in_form(house: House, request: Request) -> Answer:
    """``GET /member/sign-in``."""
    then = then_to(HOME, request.query.get("then", ""))
    return Page("member/sign_in.html", {"login": "", "then": then, "lost_due": lost_due(house)})


async def sign_in(house: House, request: Request) -> Answer:
    """``POST /member/sign-in``."""
    login, then = request.said("login"), then_to(HOME, request.said("then"))
    said = MemberSignIn(login, request.form.get("password", ""))
    try:
        told = await house.app.sessions.sign_in_member(said)
    except ProblemError as problem:
        return again(
            "member/sign_in.html", problem, login=login, then=then, lost_due=lost_due(house)
        )
    return Redirect(then, {MEMBER: told["token"]})


async def sign_out(house: House, _request: Request) -> Answer:
    """``POST /member/sign-out``."""
    if house.speaker is not None:
        await house.app.sessions.sign_out(house.speaker)
    return Redirect(SIGN_IN, {MEMBER: None})


async def enrol_form(_house: House, _request: Request) -> Answer:
    """``GET /member/enrol``."""
    return Page("member/enrol.html", {"login": ""})


async def enrol(house: House, request: Request) -> Answer:
    """``POST /member/enrol``: the recovery codes are shown once, as the answer."""
    login, password = request.said("login"), request.form.get("password", "")
    try:
        told = await house.app.membership.enrol(MemberSignIn(login, password))
    except ProblemError as problem:
        return again("member/enrol.html", problem, login=login)
    return Page("member/codes.html", {"codes": told["recovery_codes"], "login": login})


async def recover_form(_house: House, _request: Request) -> Answer:
    """``GET /member/recover``."""
    return Page("member/recover.html", {"login": "", "card": ""})


async def recover(house: House, request: Request) -> Answer:
    """``POST /member/recover``."""
    login, card = request.said("login"), card_typed(request.said("card"))
    if not login and not card:
        missing = {"problem": sentence("recover.missing"), "login": login, "card": card}
        return Page("member/recover.html", missing, 400)
    said = Recover(
        request.said("code"), request.form.get("password", ""), login or None, card or None
    )
    try:
        told = await house.app.membership.recover(said)
    except ProblemError as problem:
        return again("member/recover.html", problem, login=login, card=card)
    return Page("member/codes.html", {"codes": told["recovery_codes"], "login": told["login"]})


@for_members
async def account_form(house: House, _request: Request, speaker: Speaker) -> Answer:
    """``GET /member/account``."""
    return Page("member/account.html", {"codes_left": await _codes_left(house, speaker)})


async def _codes_left(house: House, speaker: Speaker) -> int:
    left: int = (await house.app.membership.cards(speaker))["recovery_codes_left"]
    return left


@for_members
async def new_codes(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/account/codes``."""
    try:
        told = await house.app.membership.new_codes(
            speaker, Confirm(request.form.get("password", ""))
        )
    except ProblemError as problem:
        left = await _codes_left(house, speaker)
        return again("member/account.html", problem, codes_left=left)
    return Page("member/codes.html", {"codes": told["recovery_codes"], "login": None})


@for_members
async def leave(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/account/end``."""
    try:
        await house.app.membership.end(speaker, Confirm(request.form.get("password", "")))
    except ProblemError as problem:
        left = await _codes_left(house, speaker)
        return again("member/account.html", problem, codes_left=left)
    house.speaker = None
    return Redirect(SIGN_IN, {MEMBER: None})


PAGES = [
    ("GET", SIGN_IN, sign_in_form), ("POST", SIGN_IN, sign_in),
    ("POST", f"{HOME}/sign-out", sign_out),
    ("GET", f"{HOME}/enrol", enrol_form), ("POST", f"{HOME}/enrol", enrol),
    ("GET", f"{HOME}/recover", recover_form), ("POST", f"{HOME}/recover", recover),
    ("GET", f"{HOME}/account", account_form),
    ("POST", f"{HOME}/account/codes", new_codes), ("POST", f"{HOME}/account/end", leave),
]  # fmt: skip
