"""What stands in tables of operations under a name of its own: ledger accounts, places, campaigns, what a proposal is about."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from farecard.pages.house import House
from farecard.pages.language import Language, words
from farecard.questions import outlook
from farecard.rules import stamp_rally
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.texts import LANGUAGES

Titles = Mapping[str, Mapping[str, str]]  # of campaigns, by name, in each language
_CARD = re.compile(r"JW\d{15}", re.ASCII)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


class Said(NamedTuple):
    """A cell that people read in their language; its file keeps the plain name. ``order``: what it is sorted by, else what is read."""

    both: Mapping[str, str]
    plain: str
    order: str = ""


async def titles(house: House) -> Titles:
    """The titles of the campaigns in the store."""

    def ask(store: Store) -> Titles:
        known = {one["campaign"]: one["title"] for one in outlook.titles(load_campaigns(store).all)}
        return {stamp_rally.NAME: word_in_each("rally.title"), **known}

    return await house.app.readers.ask(ask)


def in_each(key: str, plain: str, order: str = "", **figures: Mapping[str, str]) -> Said:
    """A sentence of a key, its figures said in each language."""
    said = {
        name: words(name)[key].format_map({mark: one[name] for mark, one in figures.items()})
        for name in LANGUAGES
    }
    return Said(said, plain, order)


def word_in_each(key: str) -> dict[str, str]:
    """A word in each language."""
    return {name: words(name)[key] for name in LANGUAGES}


def _same(text: str) -> dict[str, str]:
    return dict.fromkeys(LANGUAGES, text)


def campaign(name: str, known: Titles) -> Said:
    """A campaign by its title; one that is gone by its name."""
    return Said(known.get(name, _same(name)), name)


def named(channel: str, place: str | None) -> str:
    """A place's own name, where it says more than the kind of place that it is."""
    return "" if place is None or place == channel else place


def place(text: str) -> Said:
    """``ticket-machine:m-9`` as the kind of place and its name; ``icoca-app:-``, and a name that only repeats it, as the kind alone."""
    channel, _, name = text.partition(":")
    rest = named(channel, "" if name == "-" else name)
    rest = f" {rest}" if rest else ""
    kinds = {name: words(name).get(f"channel.{channel}", channel) for name in LANGUAGES}
    return Said({name: f"{kind}{rest}" for name, kind in kinds.items()}, text)


def account(text: str, known: Titles) -> Said:
    """A ledger account by its name in the books, and whose it is."""
    head, _, whose = text.partition(":")
    key = f"ops.ledger.{head}"
    if key not in words("en"):
        return Said(_same(text), text)
    if head == "cash":
        of = place(whose).both
    elif head == "programme-receivable":
        of = campaign(whose, known).both
    elif f"ops.ledger_of.{head}.{whose}" in words("en"):  # of other heads it is somebody's name
        of = {name: words(name)[f"ops.ledger_of.{head}.{whose}"] for name in LANGUAGES}
    else:
        of = _same(whose)
    called = {name: words(name)[key] for name in LANGUAGES}
    if not whose:
        return Said(called, text)
    return in_each("ops.ledger_whose", text, head=called, whose=of)


def about(text: str, known: Titles) -> Said | str:
    """What a proposal or a line of the trail is about: ``grants:2023-08``, ``draw:1``, ``campaign:NAME``, a card, a role; anything else as it is."""
    kind, _, rest = text.partition(":")
    if kind == "card" and _CARD.fullmatch(rest):
        return rest
    if kind == "grants" and _MONTH.fullmatch(rest):
        month = {name: Language(name).month(rest) for name in LANGUAGES}
        return in_each("ops.about.grants", text, text, month=month)
    if kind == "draw" and rest.isdecimal():
        return in_each("ops.draw.n", text, text, n=_same(rest))
    if kind == "campaign" and rest:
        return in_each("ops.about.campaign", text, campaign=campaign(rest, known).both)
    for key in (f"ops.about.{text}", f"ops.role.{text}"):
        if key in words("en") and "{" not in words("en")[key]:
            return in_each(key, text)
    return text
