"""The back office."""

from farecard.access.sessions import STAFF
from farecard.api.speakers import Speaker
from farecard.pages import door
from farecard.pages.door import Window, staff_door
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Request

HOME = "/operations"
for_staff = door.kept(HOME)


@for_staff
async def home(_house: House, _request: Request, _speaker: Speaker) -> Answer:
    """``GET /operations``."""
    return Page("operations/home.html")


WINDOW = Window(STAFF, [*staff_door(HOME), ("GET", HOME, home)])
