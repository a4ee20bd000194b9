"""What was done at a counter: a page that tells it and says what comes next, a slip or a receipt to print."""

from typing import Any

from farecard.api.problems import ProblemError
from farecard.api.speakers import Speaker
from farecard.model.commands import parse_number
from farecard.model.moments import PAST_MOMENT
from farecard.model.verdict import Reason
from farecard.pages import paper
from farecard.pages.counter.at import HOME, for_staff
from farecard.pages.house import House
from farecard.pages.language import Language
from farecard.pages.programmes import standing
from farecard.pages.requests import Answer, Page, Request
from farecard.questions import finding
from farecard.questions.card import find, number_before
from farecard.storage.store import Store

SLIPS = ("report_lost", "report_damaged")
RECEIPTS = ("issue", "refund", "collect_reissue", "tap_out")
# what has a sentence of its own; all else is named as in a history
DID = (
    *SLIPS, *RECEIPTS, "join_rally", "apply_myna_point", "join_membership", "change_applied_card",
)  # fmt: skip


@for_staff
async def done(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/done/CLERK/ID``."""
    decision = await _decided(house, request, speaker)
    prints = decision["outcome"] == "accepted" and decision["do"] in SLIPS + RECEIPTS
    figures = {"decision": decision, "prints": prints, "slips": SLIPS, "did": DID}
    figures["steps"] = await _comes_next(house, speaker, decision)
    figures |= {"sold": None, "rally": None}
    if decision["outcome"] == "accepted" and decision["do"] in ("issue", "join_rally"):
        status = await house.about(speaker, decision["card"])
        if decision["do"] == "issue":
            figures["sold"] = status["card"]
        else:
            figures |= {"rally": status["rally"], "points": status["card"]["points"]}
            figures["course"] = await standing(house, speaker, decision["card"], status["rally"])
    return Page("counter/done.html", figures)


async def _comes_next(
    house: House, speaker: Speaker, decision: dict[str, Any]
) -> list[dict[str, Any]]:
    """What is still to be done by somebody who has applied for Myna Point: of each measure that was taken, as it is now."""
    if decision["outcome"] != "accepted" or decision["do"] != "apply_myna_point":
        return []
    myna = (await house.about(speaker, decision["card"]))["myna"]
    measures = {} if myna is None else myna["measures"]
    taken = [measures[str(n)] for n in decision["result"]["measures"] if str(n) in measures]
    return [reason for one in taken for reason in one["reasons"]]


async def _decided(house: House, request: Request, speaker: Speaker) -> dict[str, Any]:
    """The decision, whoever of those who may ask about cards sent it. ``ProblemError`` 404."""
    speaker.must_ask("cards")
    sender = f"staff:{request.parts['clerk']}"
    id = request.parts["id"]
    found = await house.decided_by(sender, id)
    if found is None:
        raise ProblemError(404, Reason(None, "no-such-address"))
    cash = await house.ask(lambda store: finding.cash_taken(store, sender, id))
    before = None
    if found["do"] == "collect_reissue" and found["outcome"] == "accepted":
        before = await house.ask(lambda store: _replaced(store, found["card"]))
    return found | {"cash": cash, "before": before}


def _replaced(store: Store, number: str) -> str | None:
    """The number of the card that this one was given for."""
    return number_before(store, find(store, parse_number(number), PAST_MOMENT), PAST_MOMENT)


@for_staff
async def printed(house: House, request: Request, speaker: Speaker) -> Answer:
    """``GET /counter/done/CLERK/ID.pdf``: the slip, or the receipt."""
    decision = await _decided(house, request, speaker)
    if decision["outcome"] != "accepted" or decision["do"] not in SLIPS + RECEIPTS:
        raise ProblemError(404, Reason(None, "no-such-address"))
    say = request.language
    parts = slip_parts(say, decision) if decision["do"] in SLIPS else receipt_parts(say, decision)
    parts.append(paper.Words(_where(say, decision)))
    name = "slip" if decision["do"] in SLIPS else "receipt"
    return await paper.printed(name, say.word(f"paper.{name}"), parts)


def slip_parts(say: Language, decision: dict[str, Any]) -> list[paper.Part]:
    """A reissue slip (再発行整理券): its number as a code to be scanned, what to bring, when and where."""
    result = decision["result"]
    return [
        paper.Heading(say.word("paper.slip")),
        paper.Code(result["slip"]),
        paper.Sum([
            (say.word("counter.card"), f"…{say.end_of(decision['card'])}"),
            (say.word("counter.collect_from"), say.day(result["collect_from"])),
            (say.word("counter.collect_at"), say.collected_at(result)),
        ]),
        _due(say, result, result["due"], say.word("counter.pay_then")),
        paper.Words(say.word("counter.slip_bring", where=say.collected_at(result))),
        *_until(say, result),
    ]  # fmt: skip


def _until(say: Language, result: dict[str, Any]) -> list[paper.Words]:
    """The last day of a slip; it was not told before."""
    until = result.get("collect_until")
    return [paper.Words(say.word("counter.slip_until", until=say.day(until)))] if until else []


def _due(say: Language, result: dict[str, Any], total: int, name: str) -> paper.Sum:
    """What a new card costs, with the parts of it where there are any; it was not told apart before."""
    rows = []
    if total and "fee" in result:
        rows = [(say.word("sum.reissue_fee"), say.yen(result["fee"]))]
        rows += [(say.word("sum.new_deposit"), say.yen(total - result["fee"]))] if total > result["fee"] else []  # fmt: skip
    return paper.Sum(rows, (name, say.yen(total)))


def receipt_parts(say: Language, decision: dict[str, Any]) -> list[paper.Part]:
    """A receipt of what was paid or paid out, with the parts of each sum."""
    result, do = decision["result"], decision["do"]
    rows: list[tuple[str, str]] = []
    if do != "collect_reissue":
        rows.append((say.word("counter.card"), f"…{say.end_of(decision['card'])}"))
    elif decision["before"] is not None:
        rows.append((say.word("counter.card_before"), f"…{say.end_of(decision['before'])}"))
    total, more = None, list[paper.Part]()
    if do == "refund":
        payout = result["payout"]
        rows += [
            (say.word("sum.balance"), say.yen(payout["balance"])),
            (say.word("sum.fee"), say.yen(-payout["fee"])),
            (say.word("sum.deposit"), say.yen(payout["deposit"])),
        ]
        total = say.word("counter.paid_out"), say.yen(payout["total"])
    elif do == "issue":
        rows += [
            (say.word("sum.deposit"), say.yen(result["deposit"])),
            (say.word("sum.balance"), say.yen(result["balance"])),
        ]
        total = say.word("counter.paid"), say.yen(result["deposit"] + result["balance"])
    elif do == "tap_out":
        rows += [
            (say.word("sum.balance"), say.yen(result["balance"] + result["fare"])),
            (say.word("counter.fare"), say.yen(-result["fare"])),
        ]
        total = say.word("counter.left"), say.yen(result["balance"])
    else:
        rows += [
            (say.word("counter.new_card"), f"…{say.end_of(result['card'])}"),
            (say.word("sum.balance"), say.yen(result["balance"])),
            (say.word("sum.deposit"), say.yen(result["deposit"])),
        ]
        more = [_due(say, result, decision["cash"], say.word("counter.took"))]
    heading = say.word("paper.receipt")
    return [paper.Heading(heading), paper.Words(say.word(f"counter.did.{do}")), paper.Sum(rows, total), *more]  # fmt: skip


def _where(say: Language, decision: dict[str, Any]) -> str:
    at, place = say.moment(decision["at"]), decision["place"]
    return f"{at} · {place or ''} · {decision['by'] or ''} · {decision['id']}"


PAGES = [
    ("GET", f"{HOME}/done/{{clerk}}/{{id}}.pdf", printed),
    ("GET", f"{HOME}/done/{{clerk}}/{{id}}", done),
]
