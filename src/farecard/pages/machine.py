"""The station machine."""

from farecard.pages.door import DEVICE, Window
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Request

HOME = "/machine"


async def home(_house: House, _request: Request) -> Answer:
    """``GET /machine``."""
    return Page("machine/home.html")


WINDOW = Window(DEVICE, [("GET", HOME, home)])
