"""A window's door: whose session it takes, who is let in, and signing in where people work."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from farecard.access.sessions import MEMBER, STAFF
from farecard.api.problems import ProblemError, document
from farecard.api.sessions import SignIn
from farecard.api.speakers import Speaker
from farecard.model.verdict import Reason
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Redirect, Request

DEVICE = "device"  # a machine's key, in place of a person's session
NOBODY = ""  # a window for everybody: nobody signs in there
SESSIONS = (MEMBER, STAFF, DEVICE)
VISIT, VISIT_SECONDS = "visit", 600  # the card in a machine, and how long it is remembered there
Show = Callable[[House, Request], Awaitable[Answer]]
Kept = Callable[[House, Request, Speaker], Awaitable[Answer]]


def nowhere(_request: Request) -> tuple[str, ...]:
    """A window whose script asks nobody but us."""
    return ()


class Window(NamedTuple):
    """A window: whose session it takes (the name of its cookie), its pages, where else than here its script may ask, and where one goes on from what has no address."""

    session: str
    pages: Sequence[tuple[str, str, Show]]
    connect: Callable[[Request], tuple[str, ...]] = nowhere
    goes_on: str = ""


def realm_of(speaker: Speaker) -> str:
    """The kind of session somebody speaks in."""
    return DEVICE if speaker.session is None else speaker.session.realm


def role_of(speaker: Speaker) -> str:
    """The role of somebody who works here."""
    return speaker.must_be_here().role


def not_their_role(speaker: Speaker, others: Sequence[str] = ()) -> ProblemError:
    """That this is for others who work here: 403; ``others``: the roles that it is for, where that is known."""
    said = {"role": role_of(speaker)} | ({"others": list(others)} if others else {})
    return ProblemError(403, Reason(None, "not-your-role", said))


def kept(home: str) -> Callable[[Kept], Show]:
    """Pages for whoever has signed in at a window; others are asked to, and come back."""

    def keep(show: Kept) -> Show:
        async def shown(house: House, request: Request) -> Answer:
            if house.speaker is None:
                wanted = request.address if request.method == "GET" else home
                then = f"?{urlencode({'then': wanted}, safe='/')}" if wanted != home else ""
                return Redirect(f"{home}/sign-in{then}")
            return await show(house, request, house.speaker)

        return shown

    return keep


def then_to(home: str, text: str) -> str:
    """Where to go after signing in: a page of this window."""
    ours = text.startswith((f"{home}/", f"{home}?")) and "//" not in text
    return text if ours and text.isprintable() else home


def again(template: str, problem: ProblemError, **figures: Any) -> Page:
    """The form once more, with what was wrong."""
    said = document(problem.status, problem.reason)
    return Page(template, {"problem": said, **figures}, problem.status)


def staff_door(home: str) -> list[tuple[str, str, Show]]:
    """Signing in and out at a window of people who work here."""
    at = f"{home}/sign-in"

    async def form(_house: House, request: Request) -> Answer:
        then = then_to(home, request.query.get("then", ""))
        return Page("staff/sign_in.html", {"name": "", "then": then})

    async def sign_in(house: House, request: Request) -> Answer:
        name, then = request.said("name"), then_to(home, request.said("then"))
        said = SignIn(name, request.form.get("password", ""))
        try:
            told = await house.app.sessions.sign_in(said)
        except ProblemError as problem:
            return again("staff/sign_in.html", problem, name=name, then=then)
        return Redirect(then, {STAFF: told["token"]})

    async def sign_out(house: House, _request: Request) -> Answer:
        if house.speaker is not None:
            await house.app.sessions.sign_out(house.speaker)
        return Redirect(at, {STAFF: None})

    return [("GET", at, form), ("POST", at, sign_in), ("POST", f"{home}/sign-out", sign_out)]
