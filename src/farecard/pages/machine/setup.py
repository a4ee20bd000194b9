"""Setting a station machine up: its key, what it is, and taking it out of service."""

import hmac
import shlex
from typing import Any

from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.verdict import Reason
from farecard.pages.door import DEVICE, VISIT, again, realm_of
from farecard.pages.house import House
from farecard.pages.language import sentence
from farecard.pages.machine.door import (
    GONE,
    HOME,
    KINDS,
    SETTINGS,
    SKINS,
    TICKETS,
    Settings,
    missing,
    settings_of,
)
from farecard.pages.requests import Answer, Page, Redirect, Request

READER = 8466  # the port at which `farecard read` answers


def _form(house: House, settings: Settings, *, status: int = 200, **figures: Any) -> Page:
    about = {
        "machine": settings, "card": None, "kinds": KINDS, "skins": SKINS, "port": settings.reader or READER,
        "stations": house.stations(), "problem": None, "lacks": None,
    }  # fmt: skip
    return Page("machine/setup.html", {**about, **figures}, status)


async def setup_form(house: House, request: Request) -> Answer:
    """``GET /machine/setup``: which machine this is, and its key."""
    return _form(house, settings_of(request) or Settings())


async def setup(house: House, request: Request) -> Answer:
    """``POST /machine/setup``: a key that is good and speaks for such a machine is kept in it."""
    has_reader = bool(request.form.get("reader"))
    port = request.said("port") if has_reader else "0"
    kind, skin, station = request.said("kind"), request.said("skin"), request.said("station")
    said = Settings(kind if kind in KINDS else TICKETS, skin if skin in SKINS else SKINS[0])
    reader = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else -1
    if not (1 if has_reader else 0) <= reader < 65_536:
        return _form(house, said, status=400, problem=sentence("machine.setup.bad_port"))
    said = said._replace(reader=reader)
    if station and station not in house.stations():
        no = document(400, Reason(None, "unknown-station", {"field": "station"}))
        return _form(house, said, status=400, problem=no)
    said = said._replace(station=station)
    key = request.said("key")
    try:
        speaker = await _of_key(house, key)
    except ProblemError as problem:
        no = document(problem.status, problem.reason)
        return _form(house, said, status=problem.status, problem=no)
    lacks = missing(speaker, said)
    if lacks:
        return _form(house, said, status=403, lacks=lacks, line=_line(said))
    return Redirect(HOME, {DEVICE: key, SETTINGS: said.text(), VISIT: None})


async def _of_key(house: House, key: str) -> Speaker:
    """Whose key it is; somebody's own session is none. ``ProblemError`` 401."""
    speaker = await house.app.speakers.of(key)
    if realm_of(speaker) != DEVICE:
        raise ProblemError(401, Reason(None, "unknown-key"))
    return speaker


def _line(settings: Settings) -> str:
    """The command that makes a key which would do."""
    place = shlex.quote(settings.station or "osaka")
    return f"farecard keys add machine-1 --channels {settings.kind} --ask cards --place {place}"


async def out_form(_house: House, request: Request) -> Answer:
    """``GET /machine/out``: what takes it out of service."""
    return Page(
        "machine/out.html", {"machine": settings_of(request), "card": None, "problem": None}
    )


async def out(house: House, request: Request) -> Answer:
    """``POST /machine/out``: the key goes out of it, for whoever knows that key."""
    if not house.token or not hmac.compare_digest(
        request.said("key").encode(), house.token.encode()
    ):
        no = ProblemError(403, Reason(None, "unknown-key"))
        return again("machine/out.html", no, machine=settings_of(request), card=None)
    return Redirect(HOME, {DEVICE: None, **GONE})


async def end(_house: House, _request: Request) -> Answer:
    """``GET /machine/end``: the visit is over; card and language are forgotten."""
    return Redirect(HOME, GONE)
