"""A station machine's door: what it is set up as, whose card is in it, and how a screen is shown."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from farecard.api import asking
from farecard.api.asking import OfCard
from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.commands import format_number
from farecard.model.moments import SECOND, day_of, iso_moment, parse_moment
from farecard.model.rates import Rates
from farecard.pages.door import VISIT, VISIT_SECONDS, Show
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.pages.typed import card_typed
from farecard.rules.ride import is_of_its_day

HOME = "/machine"
SETUP, CARD = f"{HOME}/setup", f"{HOME}/card"
TICKETS, TOP_UPS, ADJUSTMENT = KINDS = ("ticket-machine", "charge-machine", "fare-adjustment")
SKINS = ("navy", "pink")
SETTINGS = "machine"  # the cookie that keeps what a machine is
MOST = 20  # entries of a history that are shown and printed: as many as a card itself keeps
A_SCREEN = 7
GONE: dict[str, str | None] = {
    VISIT: None,
    "lang": None,
    "theme": None,
}  # the next person begins anew


class Settings(NamedTuple):
    """What a machine is: its channel, its colours, its card reader's port (0: it has none), its station ("": none)."""

    kind: str = TICKETS
    skin: str = SKINS[0]
    reader: int = 0
    station: str = ""

    def text(self) -> str:
        """As a cookie keeps it."""
        return ".".join((self.kind, self.skin, str(self.reader), quote(self.station, safe="")))


def settings_of(request: Request) -> Settings | None:
    """What a machine was set up as; None where nobody has set it up."""
    kind, _, rest = request.cookies.get(SETTINGS, "").partition(".")
    skin, _, rest = rest.partition(".")
    reader, _, station = rest.partition(".")
    if kind not in KINDS or skin not in SKINS or not (reader.isascii() and reader.isdigit()):
        return None
    return Settings(kind, skin, min(int(reader), 65_535), unquote(station))


def reader_at(request: Request) -> tuple[str, ...]:
    """Where a machine's script may ask for the card on its reader: on the machine itself, at the port it was told."""
    found = settings_of(request)
    return (f"http://127.0.0.1:{found.reader}",) if found is not None and found.reader else ()


# -- the card of a visit -------------------------------------------------------------------------


def _mark(house: House, what: str, number: str, until: str) -> str:
    """That we said so, to this machine."""
    return house.app.queue.desk.vault.keyed(VISIT, house.token, what, number, until).hex()


def visit_of(house: House, number: str, what: str = "card") -> dict[str, str | None]:
    """The cookie that remembers a card for the length of a visit; an address would stay in the machine's history."""
    until = str(house.now + VISIT_SECONDS * SECOND)
    return {VISIT: f"{what}-{number}-{until}-{_mark(house, what, number, until)}"}


def card_in(house: House, request: Request, what: str = "card") -> str | None:
    """The number of the card that is in the machine; None where there is none, or it was put in too long ago."""
    parts = request.cookies.get(VISIT, "").split("-")
    if len(parts) != 4 or not house.token:
        return None
    said, number, until, mark = parts
    if not hmac.compare_digest(mark.encode(), _mark(house, said, number, until).encode()):
        return None
    return number if said == what and int(until) >= house.now else None


def typed_number(text: str) -> str:
    """A card's number as somebody types it, a scanner reads it or a pad gives it. ``ProblemError`` 400."""
    return format_number(asking.card_number(card_typed(text), "number"))


# -- screens -------------------------------------------------------------------------------------


class Machine:
    """A machine at work: one request of it. ``card``: the card that is in it, as its status says; empty without one."""

    def __init__(
        self, house: House, request: Request, speaker: Speaker, settings: Settings
    ) -> None:
        self.house = house
        self.request = request
        self.speaker = speaker
        self.settings = settings
        self.card: dict[str, Any] = {}

    def screen(self, template: str, *, status: int = 200, **figures: Any) -> Page:
        """A screen with its figures."""
        about = {"machine": self.settings, "card": self.card or None}
        return Page(f"machine/{template}.html", {**about, **figures}, status)

    def now(self) -> str:
        """The moment, as it is written."""
        return iso_moment(self.house.now)

    async def about(self, what: str | OfCard) -> Any:
        """A question about the card in it."""
        return await self.house.about(self.speaker, self.card["number"], what)

    async def latest(self, most: int) -> list[dict[str, Any]]:
        """The newest entries of its history."""
        return await self.house.latest(self.speaker, self.card["number"], most)

    def command(self, do: str, **fields: Any) -> dict[str, Any]:
        """A command about the card in it."""
        return {"do": do, "channel": self.settings.kind, "card": self.card["number"], **fields}

    async def try_out(self, do: str, **fields: Any) -> dict[str, Any]:
        """What would become of a command; nothing is kept."""
        return await self.house.try_out(self.speaker, self.command(do, **fields))

    async def send(self, id: str, do: str, **fields: Any) -> dict[str, Any]:
        """What becomes of a command, once for an id."""
        return await self.house.send(self.speaker, id, self.command(do, **fields))

    async def deed(self, do: str, **fields: Any) -> Answer:
        """Do it once, however often it is pressed, and go to the screen that tells what came of it."""
        id = self.request.said("id")
        decision = await self.send(id, do, **fields)
        return self.told(id) if decision["outcome"] == "accepted" else self.refused(decision)

    def refused(self, decision: dict[str, Any]) -> Page:
        """What was not done, and why: told at once, since it names no card and so has no address that only this visit may see."""
        status = 422 if decision["outcome"] == "invalid" else 200
        return self.screen("done", status=status, decision=decision, paid=None)

    def told(self, id: str) -> Redirect:
        """To the screen that tells what came of a deed; the visit goes on from there."""
        return Redirect(
            f"{HOME}/done/{quote(id, safe='')}", visit_of(self.house, self.card["number"])
        )

    def rates(self) -> Rates:
        """What the tariff says today."""
        return self.house.rates(day_of(self.house.now))

    def is_over(self, since: str) -> bool:
        """Whether a ride that began then was left open past its day (PUB-13)."""
        return not is_of_its_day(parse_moment(since), self.house.now, self.rates())

    def whole(self, name: str) -> int:
        """A whole number of a form or an address; 0 for what is none."""
        text = self.request.form.get(name) or self.request.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


Screen = Callable[[Machine], Awaitable[Answer]]


def missing(speaker: Speaker, settings: Settings) -> str:
    """What a key lacks for what a machine is, as options of ``farecard keys add``; empty when it does."""
    lacks = [] if settings.kind in speaker.bound.channels else [f"--channels {settings.kind}"]
    lacks += [] if "cards" in speaker.bound.ask else ["--ask cards"]
    return " ".join(lacks)


def at_machine(show: Screen) -> Show:
    """A screen of a machine that is set up; whatever is refused is told on it."""

    async def shown(house: House, request: Request) -> Answer:
        settings = settings_of(request)
        if settings is None:
            return Redirect(SETUP)
        if house.speaker is None or missing(house.speaker, settings):
            return Page("machine/closed.html", {"machine": settings, "card": None}, 503)
        machine = Machine(house, request, house.speaker, settings)
        try:
            return await show(machine)
        except ProblemError as problem:
            if problem.status >= 500:
                raise
            said = document(problem.status, problem.reason)
            return machine.screen("problem", status=problem.status, problem=said)

    return shown


def with_card(show: Screen) -> Show:
    """A screen about the card that is in the machine; without one it begins anew."""

    async def shown(machine: Machine) -> Answer:
        number = card_in(machine.house, machine.request)
        if number is None:
            return Redirect(HOME, GONE)
        status = await machine.house.about(machine.speaker, number)
        machine.card = status["card"]
        return await show(machine)

    return at_machine(shown)
