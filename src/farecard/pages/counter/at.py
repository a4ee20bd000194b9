"""What every page of the counter needs: who is there, the shift, and how a command of the counter is made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from farecard.access import shifts
from farecard.access.roles import APPROVER, CLERK
from farecard.access.shifts import Shift
from farecard.api.app import App
from farecard.api.problems import document
from farecard.api.speakers import Speaker
from farecard.model.verdict import Reason
from farecard.pages import door
from farecard.pages.door import Show, not_their_role, role_of
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Request

HOME, CHANNEL = "/counter", "counter"
for_staff = door.kept(HOME)
At = Callable[[House, Request, Speaker, Shift], Awaitable[Answer]]


def is_clerk(speaker: Speaker) -> bool:
    """Whether somebody serves customers here; all others look."""
    return role_of(speaker) == CLERK


def supervises(speaker: Speaker) -> bool:
    """Whether somebody looks after those who serve here."""
    return role_of(speaker) == APPROVER


async def shift_of(house: House, speaker: Speaker) -> Shift | None:
    """The shift somebody is in."""
    name = speaker.who
    return await house.ask(lambda store: shifts.of_clerk(store, name))


class _Till:
    """A clerk's deeds that are under way; while the shift is being closed, none begins."""

    def __init__(self) -> None:
        self.deeds = 0
        self.changed = asyncio.Condition()
        self.closing = False
        self.drawer = asyncio.Lock()


_tills: WeakKeyDictionary[App, dict[str, _Till]] = WeakKeyDictionary()


def _till(house: House, who: str) -> _Till:
    return _tills.setdefault(house.app, {}).setdefault(who, _Till())


@asynccontextmanager
async def _deed(house: House, who: str) -> AsyncIterator[None]:
    """Within this something may be done at a clerk's till: not while the shift is being closed."""
    till = _till(house, who)
    async with till.changed:
        await till.changed.wait_for(lambda: not till.closing)
        till.deeds += 1
    try:
        yield
    finally:
        async with till.changed:
            till.deeds -= 1
            till.changed.notify_all()


@asynccontextmanager
async def closing(house: House, who: str) -> AsyncIterator[None]:
    """Within this nothing is done at a clerk's till in this process: what was under way is in the books before it is counted.

    What another process books meanwhile stands in the next shift, as come between the two.
    """
    till = _till(house, who)
    async with till.changed:
        await till.changed.wait_for(lambda: not till.closing)
        till.closing = True
        await till.changed.wait_for(lambda: not till.deeds)
    try:
        yield
    finally:
        async with till.changed:
            till.closing = False
            till.changed.notify_all()


def drawer(house: House, who: str) -> asyncio.Lock:
    """Held while a deed looks whether a clerk's till can pay, and pays: two at once would both see the same money. It holds within one process of a server."""
    return _till(house, who).drawer


def in_a_shift(show: At) -> Show:
    """A page for a clerk at a till; without a shift it asks to open one, and comes back."""

    @for_staff
    async def shown(house: House, request: Request, speaker: Speaker) -> Answer:
        if not is_clerk(speaker):
            raise not_their_role(speaker)
        async with _deed(house, speaker.who):
            shift = await shift_of(house, speaker)
            if shift is not None:
                return await show(house, request, speaker, shift)
        first = document(409, Reason(None, "shift-first"))
        then = request.address if request.method == "GET" else request.path
        return Page("counter/open.html", {"problem": first, "said": {}, "then": then}, 409)

    return shown


def command(shift: Shift | None, do: str, **fields: Any) -> dict[str, Any]:
    """A command from this counter; what is None is left out."""
    place = {} if shift is None else {"place": shift.till}
    said = {name: value for name, value in fields.items() if value is not None}
    return {"do": do, "channel": CHANNEL, **place, **said}
