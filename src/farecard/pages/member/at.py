"""What every page of a member needs: who may look, and how a command about a card is made and done once."""

from collections.abc import Awaitable, Callable
from typing import Any

from farecard.api.speakers import Speaker
from farecard.model.moments import day_of
from farecard.model.verdict import REFERRED
from farecard.pages import door
from farecard.pages.house import House
from farecard.pages.requests import Answer, Page, Redirect, Request
from farecard.questions.ahead import ahead
from farecard.questions.referrals import OPEN
from farecard.rules.reissue import due_if_lost

HOME, SIGN_IN = "/member", "/member/sign-in"
CARD = f"{HOME}/cards/{{number}}"
CHANNEL = "member-page"
for_members = door.kept(HOME)


def command_of(do: str, number: str) -> dict[str, Any]:
    """A command about a card, as it is sent from here."""
    return {"do": do, "channel": CHANNEL, "card": number}


def lost_due(house: House) -> int:
    """What a new card for a lost one costs today, in yen."""
    return due_if_lost(house.rates(day_of(house.now)))


async def what_lies_ahead(house: House, speaker: Speaker, number: str) -> dict[str, Any]:
    """The slip a card of theirs waits with, the last day of its pass, from when Myna Point may be applied for (``questions.ahead``)."""
    tariff = house.app.queue.desk.inputs.tariff
    found: dict[str, Any] = await house.about(
        speaker, number, lambda store, card, when: ahead(store, tariff, card, when)
    )
    return found


async def done_once(
    house: House, request: Request, speaker: Speaker, command: dict[str, Any]
) -> Answer:
    """Do it once, whatever is pressed how often, and go to the page that tells what came of it.

    What is decided by others already is not asked of them once more: its card says that it waits.
    """
    id, number = request.said("id"), command["card"]
    if await house.decided(speaker, id) is None and await _waits(house, speaker, command):
        return Redirect(f"{HOME}/cards/{number}#waits")
    answer = await house.send(speaker, id, command)
    if answer["outcome"] == "invalid":
        return Page("member/done.html", {"decision": answer, "card": command["card"]}, 422)
    return Redirect(f"{HOME}/cards/{command['card']}/done/{id}")


async def _waits(house: House, speaker: Speaker, command: dict[str, Any]) -> bool:
    """Whether a command would be left to others who have the same to decide already."""
    cases = (await what_lies_ahead(house, speaker, command["card"]))["cases"]
    waiting = [
        one["reasons"][0] for one in cases if (one["state"], one["do"]) == (OPEN, command["do"])
    ]
    if not waiting:
        return False
    tried = await house.try_out(speaker, command)
    no = tried["reasons"][0] if tried["outcome"] == REFERRED else None
    return no is not None and (no["rule"], no["code"]) in {
        (one["rule"], one["code"]) for one in waiting
    }


def does(do: str) -> Callable[[House, Request], Awaitable[Answer]]:
    """A deed about the card of the address."""

    @for_members
    async def deed(house: House, request: Request, speaker: Speaker) -> Answer:
        return await done_once(house, request, speaker, command_of(do, request.parts["number"]))

    return deed
