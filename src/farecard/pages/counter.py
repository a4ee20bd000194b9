"""The counter."""

from farecard.access.sessions import STAFF
from farecard.api.speakers import Speaker
from farecard.pages import door
from farecard.pages.door import Window, staff_door
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Request

HOME = "/counter"
for_staff = door.kept(HOME)


@for_staff
async def home(_house: House, _request: Request, _speaker: Speaker) -> Answer:
    """``GET /counter``."""
    return Page("counter/home.html")


WINDOW = Window(STAFF, [*staff_door(HOME), ("GET", HOME, home)])
