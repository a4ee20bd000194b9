"""A lost card and a refund, from what it costs to what was done."""

from typing import Any

from farecard.api.problems import ProblemError, document
from farecard.api.speakers import Speaker
from farecard.model.commands import PHONES
from farecard.pages.house import House
from farecard.pages.member.at import (
    CARD,
    HOME,
    command_of,
    does,
    done_once,
    for_members,
    what_lies_ahead,
)
from farecard.pages.programmes import another_card, apply_until
from farecard.pages.requests import Answer, Page, Redirect, Request


@for_members
async def lost_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/lost``: what it costs, what becomes of what, from when and where; then a confirmation."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    tried = await house.try_out(speaker, command_of("report_lost", number))
    reissue = await house.about(speaker, number, "reissue-quote")
    figures = {
        "card": status["card"],
        "tried": tried,
        "reissue": reissue,
        "held": await what_lies_ahead(house, speaker, number),
        "rally": status["rally"],
        "myna": status["myna"],
        "another": await another_card(house),
    }
    return Page("member/lost.html", figures)


lost = does("report_lost")  # ``POST /member/cards/N/lost``: stop the card


@for_members
async def refund_form(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/refund``: by kind of card, where and how; what is done here is offered here."""
    number = request.parts["number"]
    status = await house.about(speaker, number)
    quote = await house.about(speaker, number, "refund-quote")
    kind = status["card"]["kind"]
    way = "phone" if kind in PHONES else "post" if kind == "smart" else "counter"
    tried = None
    if way != "counter":
        try:
            tried = await house.try_out(speaker, _refund(number, way))
        except (
            ProblemError
        ) as problem:  # it takes a card that was shown: said on the page, with the way out
            tried = {"outcome": "refused", "reasons": [document(problem.status, problem.reason)]}
    figures = {
        "card": status["card"], "status": status, "quote": quote, "way": way, "tried": tried,
        "form": (await what_lies_ahead(house, speaker, number))["form"],
    }  # fmt: skip
    return Page("member/refund.html", figures)


def _refund(number: str, way: str) -> dict[str, Any]:
    return command_of("refund" if way == "phone" else "request_refund_form", number)


@for_members
async def refund(house: House, request: Request, speaker: Speaker) -> Answer:
    """``POST /member/cards/N/refund``."""
    way = "post" if request.form.get("way") == "post" else "phone"
    return await done_once(house, request, speaker, _refund(request.parts["number"], way))


@for_members
async def done(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /member/cards/N/done/ID``: what was decided, and what comes next."""
    decision = await house.decided(speaker, request.parts["id"])
    if decision is None or decision["card"] != request.parts["number"]:  # of another card
        return Redirect(f"{HOME}/cards/{request.parts['number']}")
    figures = {"decision": decision, "card": request.parts["number"]}
    return Page(
        "member/done.html",
        figures
        | {
            "apply_until": await apply_until(
                house, (await house.about(speaker, request.parts["number"]))["card"]
            )
        },
    )


PAGES = [
    ("GET", f"{CARD}/lost", lost_form), ("POST", f"{CARD}/lost", lost),
    ("GET", f"{CARD}/refund", refund_form), ("POST", f"{CARD}/refund", refund),
    ("GET", f"{CARD}/done/{{id}}", done),
]  # fmt: skip
