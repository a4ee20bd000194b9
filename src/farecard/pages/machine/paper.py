"""What a station machine prints, on paper as wide as its own: receipts, histories, point histories."""

from typing import Any

from farecard.pages.language import Language
from farecard.pages.machine import points
from farecard.pages.machine.door import CARD, HOME, MOST, Machine, with_card
from farecard.pages.machine.ride import paid_for
from farecard.pages.paper import Heading, Part, Sum, Table, Words, pdf
from farecard.pages.programmes import apply_until
from farecard.pages.requests import Answer, Redirect


def _head(machine: Machine, title: str, at: str) -> list[Part]:
    """What stands on top: what it is, when, where, of which card."""
    say = machine.request.language
    where = say.word(f"channel.{machine.settings.kind}")
    where += f" {machine.settings.station}" if machine.settings.station else ""
    whose = f"{say.word('machine.card')} …{say.end_of(machine.card['number'])}"
    return [Heading(title), Words(say.moment(at)), Words(where), Words(whose)]


def _sum(say: Language, decision: dict[str, Any]) -> Sum:
    """What a deed did to the balance, with its arithmetic."""
    amount, after = decision["amount"], decision["balance"]
    rows = [
        (say.word("machine.before"), say.yen(after - amount)),
        (say.word(f"do.{decision['do']}"), say.yen(amount)),
    ]
    if decision["do"] == "issue":
        deposit = decision["result"]["deposit"]
        rows = [
            (say.word("machine.buy.paid"), say.yen(amount + deposit)),
            (say.word("sum.deposit"), say.yen(-deposit)),
        ]
    return Sum(rows, (say.word("machine.after"), say.yen(after)))


@with_card
async def receipt(machine: Machine) -> Answer:
    """``GET /machine/receipt/ID.pdf``: of what was done during this visit."""
    id, say = machine.request.parts["id"], machine.request.language
    decision = await machine.house.decided(machine.speaker, id)
    if decision is None or decision["card"] != machine.card["number"] or decision["outcome"] != "accepted":  # fmt: skip
        return Redirect(CARD)
    parts = _head(machine, say.word("machine.receipt"), decision["at"])
    paid = await paid_for(machine, id)
    parts += [_sum(say, one) for one in (paid, decision) if one is not None and one["amount"]]
    if decision["do"] == "top_up_from_points":
        left = machine.card["points"]
        parts.append(Words(f"{say.word('points.title')} {say.points(left)}"))
    if decision["do"] == "register_for_points":
        first = decision["result"]["may_apply_from"]
        parts.append(Words(say.word("done.did.register_for_points")))
        if first <= await apply_until(machine.house, machine.card):
            parts.append(Words(say.word("points.from", day=say.day(first))))
    if decision["do"] == "tap_out":
        parts.append(Words(say.word("machine.adjust.slip")))
    parts.append(Words(id, 6))
    return pdf("receipt", say.word("machine.receipt"), parts, roll=True)


@with_card
async def history(machine: Machine) -> Answer:
    """``GET /machine/history.pdf``: the latest entries."""
    say, lines = machine.request.language, await machine.latest(MOST)
    head = [say.word(f"history.{name}") for name in ("at", "what", "amount", "balance")]
    rows = [
        [say.moment(one["at"]), say.word(f"do.{one['do']}"), say.yen(one["amount"]), say.yen(one["balance"])]
        for one in lines
    ]  # fmt: skip
    return _printed(machine, "history", say.word("history.title"), Table(head, rows, right=(2, 3)))


@with_card
async def printed_points(machine: Machine) -> Answer:
    """``GET /machine/points/history.pdf``: points (returned, other), as the navy and the pink machine print it."""
    say, lines = machine.request.language, await points.lines_of(machine)
    if not lines:
        return Redirect(f"{HOME}/points/history")
    head = [say.word("history.at"), say.word("history.what"), say.word("points.title")]
    rows = [[say.moment(one["at"]), say.word(f"do.{one['do']}"), f"{one['points']:+,}"] for one in lines]  # fmt: skip
    return _printed(machine, "points", say.word("machine.points.history"), Table(head, rows, right=(2,)))  # fmt: skip


def _printed(machine: Machine, name: str, title: str, table: Table) -> Answer:
    parts = [*_head(machine, title, machine.now()), table]
    return pdf(name, title, parts, roll=True)
