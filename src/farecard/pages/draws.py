"""Draws as everybody may look at them, without signing in: the file, the check of all of it, and whether one's own card is on its list."""

import json
from collections import OrderedDict
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from farecard.api.app import App
from farecard.api.problems import ProblemError
from farecard.model.moments import day_of
from farecard.model.verdict import Reason
from farecard.pages.door import NOBODY, Window
from farecard.pages.house import House
from farecard.pages.requests import Answer, File, Page, Request
from farecard.pages.typed import card_typed
from farecard.questions import draws
from farecard.rules import stamp_rally
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store

HOME = "/draws"
_MOST = 4  # files kept at hand: two draws, before and after each was held


class Published(NamedTuple):
    """A draw's file: its bytes, what is on its list at which place, and once it was asked for whether all of it is right."""

    text: bytes
    places: dict[str, int]  # by leaf
    winners: list[int]
    right: dict[str, bool]  # by step, as far as one comes; empty until somebody asks


# a file changes when the list is frozen and when the draw is held; else everybody is given the same bytes
_files: WeakKeyDictionary[App, OrderedDict[tuple[Any, ...], Published]] = WeakKeyDictionary()


async def _stage(house: House, request: Request) -> dict[str, Any]:
    """What is public of a draw. ``ProblemError`` 404 where there is none of this number."""
    text = request.parts["number"]
    if not text.isdecimal() or len(text) > 3:
        raise ProblemError(404, Reason(None, "no-such-address"))
    number, today = int(text), day_of(house.now)

    def ask(store: Store) -> dict[str, Any] | None:
        rally = load_campaigns(store).rally(stamp_rally.NAME)
        return next((one for one in draws.draws(store, rally, today) if one["number"] == number), None)  # fmt: skip

    found = await house.app.readers.ask(ask)
    if found is None:
        raise ProblemError(404, Reason(None, "no-such-address"))
    return found


async def _file(house: House, one: dict[str, Any]) -> Published:
    """The published file of a draw that is frozen or held."""
    stage = one["stage"]
    if stage is None:
        raise ProblemError(404, Reason(None, "no-such-address"))
    kept = _files.setdefault(house.app, OrderedDict())
    key = one["number"], stage["committed_at"], stage["drawn_at"]
    found = kept.get(key)
    if found is None:
        found = await house.app.surveyors.ask(lambda store: _made(store, one["number"]))
        kept[key] = found
        while len(kept) > _MOST:
            kept.popitem(last=False)
    return found


def _made(store: Store, number: int) -> Published:
    file = draws.published(store, number)
    assert file is not None
    places = {leaf: place for place, leaf in enumerate(file["leaves"])}
    return Published(draws.text_of(file), places, file["winners"], {})


def _check(file: Published, root: str) -> None:
    """Does all of a draw again, as whoever has the file does it. A file stays as it is, so once is enough."""
    if not file.right:
        found = draws.steps(json.loads(file.text), root)
        file.right.update({step: not wrong for step, wrong in found.items()})


async def home(house: House, _request: Request) -> Answer:
    """``GET /draws``: the draws there are."""

    def ask(store: Store) -> list[dict[str, Any]]:
        rally = load_campaigns(store).rally(stamp_rally.NAME)
        return draws.draws(store, rally, day_of(house.now))

    return Page("draws/home.html", {"draws": await house.app.readers.ask(ask)})


def _page(one: dict[str, Any], **found: Any) -> Page:
    """A draw's page, with what was looked for."""
    said = {"card": "", "nonce": "", "kept": ""}
    figures = {"one": one, "stage": one["stage"], "said": said, "found": None, "checked": None}
    return Page("draws/draw.html", figures | found)


async def shown(house: House, request: Request) -> Answer:
    """``GET /draws/N``."""
    return _page(await _stage(house, request))


async def posted(house: House, request: Request) -> Answer:
    """``POST /draws/N``: what browsers do in the page, for those that cannot: look for a card, or do all of the draw again."""
    whole = request.said("check") == "whole"
    return await (_checked if whole else _looked_up)(house, request)


async def _checked(house: House, request: Request) -> Answer:
    """All of a draw, from the file that is published, and against the root that somebody kept."""
    one = await _stage(house, request)
    file, root = await _file(house, one), one["stage"]["root"]
    await house.app.surveyors.ask(lambda _store: _check(file, root))
    kept = "".join(request.said("kept").split()).lower()
    right = dict(file.right) | ({"kept": kept == root} if kept else {})
    said = {"card": "", "nonce": "", "kept": kept}
    return _page(one, said=said, checked=right)


async def _looked_up(house: House, request: Request) -> Answer:
    """Whether a card is on the list. Nothing of it is kept."""
    one = await _stage(house, request)
    file = await _file(house, one)
    card = card_typed(request.said("card"))
    nonce = request.said("nonce").replace(" ", "").lower()
    leaf = draws.leaf_of(nonce, card)
    place = None if leaf is None else file.places.get(leaf)
    won = file.winners.index(place) + 1 if place in file.winners else None
    found = {"leaf": leaf, "place": place, "won": won}
    return _page(one, said={"card": card, "nonce": nonce, "kept": ""}, found=found)


async def file(house: House, request: Request) -> Answer:
    """``GET /draws/N.json``: the file for everybody."""
    one = await _stage(house, request)
    found = await _file(house, one)
    return File(found.text, "application/json", f"draw-{one['number']}.json")


WINDOW = Window(
    NOBODY,
    [
        ("GET", HOME, home),
        ("GET", f"{HOME}/{{number}}.json", file),
        ("GET", f"{HOME}/{{number}}", shown),
        ("POST", f"{HOME}/{{number}}", posted),
    ],
)
