"""What every page of the counter needs: who is there, the shift, and how a command of the counter is made."""

from collections.abc import Awaitable, Callable
from typing import Any

from farecard.access import shifts
from farecard.access.roles import CLERK
from farecard.access.shifts import Shift
from farecard.api.problems import document
from farecard.api.speakers import Speaker
from farecard.model.verdict import Reason
from farecard.pages import door
from farecard.pages.door import Show
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Request

HOME, CHANNEL = "/counter", "counter"
for_staff = door.kept(HOME)
At = Callable[[House, Request, Speaker, Shift], Awaitable[Answer]]


def is_clerk(speaker: Speaker) -> bool:
    """Whether somebody serves customers here; all others look."""
    return speaker.must_be_here().role == CLERK


async def shift_of(house: House, speaker: Speaker) -> Shift | None:
    """The shift somebody is in."""
    name = speaker.who
    return await house.ask(lambda store: shifts.of_clerk(store, name))


def in_a_shift(show: At) -> Show:
    """A page for a clerk at a till; without a shift it asks to open one, and comes back."""

    @for_staff
    async def shown(house: House, request: Request, speaker: Speaker) -> Answer:
        if not is_clerk(speaker):
            reason = Reason(None, "not-your-role", {"role": speaker.must_be_here().role})
            return Page("problem.html", {"problem": document(403, reason)}, 403)
        shift = await shift_of(house, speaker)
        if shift is None:
            first = document(409, Reason(None, "shift-first"))
            then = request.path if request.method == "GET" else HOME
            return Page("counter/open.html", {"problem": first, "said": {}, "then": then}, 409)
        return await show(house, request, speaker, shift)

    return shown


def command(shift: Shift | None, do: str, **fields: Any) -> dict[str, Any]:
    """A command from this counter; what is None is left out."""
    place = {} if shift is None else {"place": shift.till}
    said = {name: value for name, value in fields.items() if value is not None}
    return {"do": do, "channel": CHANNEL, **place, **said}


def number_typed(text: str) -> str:
    """A card's number as somebody typed or scanned it: gaps left out, JW in front."""
    plain = text.upper().replace(" ", "").replace("-", "").replace("　", "")
    return f"JW{plain}" if len(plain) == 15 and plain.isdigit() else plain
