"""Two pairs of eyes: what one person proposes and another must approve before it is done."""

import secrets
from typing import Any, NamedTuple

import msgspec

from farecard.access.errors import CodedError
from farecard.access.trail import note
from farecard.model.commands import LETTERS
from farecard.model.moments import iso_moment, moment_now
from farecard.storage.making import adding
from farecard.storage.store import Store

PENDING, APPROVED, DECLINED, WITHDRAWN = STATES = ("pending", "approved", "declined", "withdrawn")
SENDER = "proposal"  # of the commands that were approved; their id is the proposal's number


class Proposal(NamedTuple):
    """A proposal. ``line`` is what was proposed as JSON, ``preview`` what it would do, ``answer`` what came of it."""

    number: str
    about: str
    line: str
    preview: str
    proposed_by: str
    proposed_at: int
    state: str
    decided_by: str | None
    decided_at: int | None
    why: str | None
    answer: str | None


class ProposalError(CodedError):
    """Why it cannot be decided so."""


def new_number() -> str:
    """A number nobody has: it becomes the id of the command."""
    return "P-" + "".join(secrets.choice(LETTERS) for _ in range(10))


def propose(store: Store, number: str, about: str, line: str, preview: str, who: str) -> Proposal:
    """Put something before a second pair of eyes. ``ProposalError`` while the same waits for them already."""
    made = Proposal(
        number, about, line, preview, who, moment_now(), PENDING, None, None, None, None
    )
    with adding(store):
        for row in store.rows("proposals_of", about=about):
            other = Proposal(*row)
            if other.state == PENDING and _is_same(other, made):
                raise ProposalError("proposal-waiting", proposal=other.number, proposed_by=other.proposed_by)  # fmt: skip
        store.append("proposal", [tuple(made)])
        note(store, who, "proposed", number, about)
    return made


# of a month and of a draw one step is decided at a time, whatever else it says
_ONE_AT_A_TIME = ("grants:", "draw:")
_OF_WHOEVER_ASKS = ("id", "at", "by", "why")


def _is_same(one: Proposal, other: Proposal) -> bool:
    """Whether two proposals about the same come to the same thing."""
    return one.about.startswith(_ONE_AT_A_TIME) or _asked(one.line) == _asked(other.line)


def _asked(line: str) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(line)
    said = said.get("command", said)
    return {name: value for name, value in said.items() if name not in _OF_WHOEVER_ASKS}


def find(store: Store, number: str) -> Proposal:
    """One proposal. ``ProposalError`` when there is none."""
    for row in store.rows("proposal", proposal=number):
        return Proposal(*row)
    raise ProposalError("unknown-proposal", field="proposal")


def load(store: Store, state: str | None, most: int) -> list[Proposal]:
    """The newest."""
    states = STATES if state is None else (state,)
    return [Proposal(*row) for row in store.rows("proposals", states=list(states), most=most)]


def unfinished(store: Store) -> list[Proposal]:
    """Those that were approved and of which nobody knows what came."""
    return [Proposal(*row) for row in store.rows("proposals_unfinished")]


def decide(store: Store, number: str, state: str, who: str, why: str | None) -> Proposal:
    """Approve, decline or withdraw; once. Nobody approves or declines his own, nobody withdraws another's."""
    with adding(store):
        found = find(store, number)
        own = found.proposed_by == who
        if state == WITHDRAWN and not own:
            raise ProposalError("not-your-proposal", proposed_by=found.proposed_by)
        if state != WITHDRAWN and own:
            raise ProposalError("your-own-proposal")
        if found.state != PENDING:
            raise ProposalError(
                "proposal-decided", state=found.state, decided_by=found.decided_by,
                decided_at=None if found.decided_at is None else iso_moment(found.decided_at),
            )  # fmt: skip
        now = moment_now()
        store.change(
            "decide_proposal", proposal=number, state=state, decided_by=who, decided_at=now, why=why
        )
        note(store, who, state, number, found.about)
    return found._replace(state=state, decided_by=who, decided_at=now, why=why)


def answered(store: Store, number: str, answer: str) -> None:
    """Keep what came of an approved one; the first answer stays."""
    with adding(store):
        store.change("answer_proposal", proposal=number, answer=answer)


def told(one: Proposal) -> dict[str, Any]:
    """A proposal as it is shown."""
    return {
        "proposal": one.number,
        "state": one.state,
        "about": one.about,
        **msgspec.json.decode(one.line),
        "proposed_by": one.proposed_by,
        "proposed_at": iso_moment(one.proposed_at),
        "preview": msgspec.Raw(one.preview.encode()),
        "decided_by": one.decided_by,
        "decided_at": None if one.decided_at is None else iso_moment(one.decided_at),
        "decided_why": one.why,
        "answer": None if one.answer is None else msgspec.Raw(one.answer.encode()),
    }
