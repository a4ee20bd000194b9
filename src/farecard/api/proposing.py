"""Two pairs of eyes over HTTP: a proposal is tried at once, kept with what it would do, and done when another approves."""

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec

from farecard.access import proposals
from farecard.access.proposals import APPROVED, DECLINED, SENDER, WITHDRAWN, Proposal, ProposalError
from farecard.access.rights import NEEDS_TWO
from farecard.access.roles import APPROVE, PROPOSE
from farecard.api.clock import Clock
from farecard.api.hearing import Hearing
from farecard.api.problems import ProblemError
from farecard.api.readers import Readers
from farecard.api.registrar import Registrar
from farecard.api.speakers import Speaker
from farecard.api.written import must_be_fit
from farecard.desk.entries import Entry
from farecard.desk.inputs import InputError, add_input, input_preview
from farecard.model.account import NO_ACCOUNT
from farecard.model.commands import (
    CommitDraw,
    DrawLottery,
    Reverse,
    RunGrants,
    format_number,
    name_of,
)
from farecard.model.moments import iso_moment
from farecard.model.verdict import ACCEPTED, Reason
from farecard.questions.preview import of_run
from farecard.storage.making import adding
from farecard.storage.rows import as_event
from farecard.storage.store import Store
from farecard.wire.answer import Answer, encode_answer

_log = logging.getLogger("farecard.api")
Decide = Callable[[Entry], Awaitable[Answer]]
STATUS = {
    "unknown-proposal": 404,
    "your-own-proposal": 403,
    "not-your-proposal": 403,
    "proposal-decided": 409,
    "proposal-waiting": 409,
}
_Why = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Propose(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody proposes: one of a command of operations, a campaign's file or a tariff's; and why."""

    command: dict[str, Any] | None = None
    campaign: str | None = None
    tariff: str | None = None
    why: _Why | None = None


class Judge(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody makes of a proposal."""

    decision: Literal["approve", "decline", "withdraw"]
    why: _Why | None = None


# what a decision makes of a proposal
STATE_OF = {"approve": APPROVED, "decline": DECLINED, "withdraw": WITHDRAWN}


class WouldNotBeTakenError(Exception):
    """A proposal's command would not be accepted: the decision says why, and nothing is kept."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Proposing:
    """Proposals over a server's desk: ``attempt`` decides and keeps nothing, ``decide`` keeps it."""

    def __init__(
        self, readers: Readers, registrar: Registrar, hearing: Hearing, clock: Clock, attempt: Decide, decide: Decide
    ) -> None:  # fmt: skip
        self._readers = readers
        self._registrar = registrar
        self._hearing = hearing
        self._clock = clock
        self._attempt = attempt
        self._decide = decide

    async def propose(self, speaker: Speaker, said: Propose) -> dict[str, Any]:
        """Keep a proposal with its preview. ``WouldNotBeTakenError`` when it would not be accepted anyway; ``ProblemError`` 409 while the same waits already."""
        name = speaker.must(PROPOSE).name
        must_be_fit(why=said.why)
        given = {
            what: value
            for what in ("command", "campaign", "tariff")
            if (value := getattr(said, what)) is not None
        }
        if len(given) != 1:
            raise _bad("one of command, campaign and tariff")
        ((what, value),) = given.items()
        number = proposals.new_number()
        if what == "command":
            value, about, shown = await self._command(number, name, value)
        else:
            about, shown = await self._input(what, value)
        line = msgspec.json.encode({what: value, "why": said.why}).decode()
        text = msgspec.json.encode(shown).decode()
        try:
            made = await self._registrar.do(
                lambda store: proposals.propose(store, number, about, line, text, name)
            )
        except ProposalError as no:
            raise _no(no) from None
        return proposals.told(made)

    async def _command(
        self, number: str, name: str, said: dict[str, Any]
    ) -> tuple[dict[str, Any], str, Any]:
        """The command as it will be sent, what it is about, and what it would do."""
        if "id" in said:
            raise _bad("command.id: it gets the proposal's number")
        command = {
            "at": iso_moment(self._clock.now()),
            "channel": "operations",
            "by": name,
            **said,
            "id": number,
        }
        if command["by"] != name or command["channel"] != "operations":
            raise _bad("command: by is whoever proposes it, channel is operations; leave both out")
        entry = self._hearing.own_line(SENDER, msgspec.json.encode(command))
        c = entry.command
        if c is not None and name_of(type(c)) not in NEEDS_TWO:
            raise ProblemError(400, Reason(None, "needs-no-second", {"choices": sorted(NEEDS_TWO)}))
        answer = await self._attempt(entry)
        if answer.outcome != ACCEPTED or c is None:
            raise WouldNotBeTakenError(answer)
        shown: dict[str, Any] = {"decision": msgspec.Raw(encode_answer(answer))}
        if isinstance(c, RunGrants):
            shown["measures"] = await self._readers.ask(lambda store: of_run(store, c))
        about = await self._readers.ask(lambda store: _about(store, c))
        return command, about, shown

    async def _input(self, what: str, text: str) -> tuple[str, Any]:
        try:
            return await self._readers.ask(lambda store: input_preview(store, what, text))
        except InputError as error:
            raise ProblemError(400, Reason(None, f"bad-{what}", {"why": str(error)})) from None

    async def listed(self, speaker: Speaker, state: str | None, most: int) -> list[dict[str, Any]]:
        """The newest proposals."""
        speaker.must_ask("proposals")
        found = await self._readers.ask(lambda store: proposals.load(store, state, most))
        return [proposals.told(one) for one in found]

    async def one(self, speaker: Speaker, number: str) -> dict[str, Any]:
        """One proposal."""
        speaker.must_ask("proposals")
        return proposals.told(await self._find(number))

    async def _find(self, number: str) -> Proposal:
        try:
            return await self._readers.ask(lambda store: proposals.find(store, number))
        except ProposalError as no:
            raise _no(no) from None

    async def judge(self, speaker: Speaker, number: str, said: Judge) -> dict[str, Any]:
        """Approve and do it, decline, or withdraw. Whatever was cut short after an approval is done when it is approved again."""
        decided = await self.decide_on(speaker, number, said)
        if decided.state == APPROVED:
            await self._finish(decided)
        return proposals.told(await self._find(number))

    async def decide_on(self, speaker: Speaker, number: str, said: Judge) -> Proposal:
        """Approve, decline or withdraw; what is approved is left to ``finish``."""
        session = speaker.must(PROPOSE if said.decision == "withdraw" else APPROVE)
        must_be_fit(why=said.why)
        state = STATE_OF[said.decision]
        try:
            return await self._registrar.do(
                lambda store: proposals.decide(store, number, state, session.name, said.why)
            )
        except ProposalError as no:
            decided = await self._find(number)
            if not (
                no.code == "proposal-decided" and state == APPROVED and _is_unfinished(decided)
            ):
                raise _no(no) from None
            return decided

    async def finish(self, one: Proposal) -> None:
        """Do what was approved, while nobody waits for it."""
        try:
            await self._finish(one)
        except Exception as error:  # noqa: BLE001  # the next server does it; approving again does it, too
            told = {"proposal": one.number}
            _log.error("what was approved is not done yet: %s", type(error).__name__, extra=told)

    async def finish_all(self) -> None:
        """Do what was approved and cut short: by the death of a server, say."""
        try:
            for one in await self._readers.ask(proposals.unfinished):
                await self._finish(one)
        except Exception as error:  # noqa: BLE001  # the server serves; approving again does it, too
            _log.error("what was approved could not be finished: %s", type(error).__name__)

    async def _finish(self, one: Proposal) -> None:
        said = msgspec.json.decode(one.line)
        if "command" in said:
            command = await self._readers.ask(
                lambda store: self._as_sent(store, one, said["command"])
            )
            entry = self._hearing.own_line(SENDER, msgspec.json.encode(command))
            answer = encode_answer(await self._decide(entry)).decode()
        else:
            what = "campaign" if "campaign" in said else "tariff"
            answer = await self._registrar.do(lambda store: _add(store, what, said[what]))
        await self._registrar.do(lambda store: proposals.answered(store, one.number, answer))
        _log.info("approved and done", extra={"proposal": one.number, "who": one.decided_by})

    def _as_sent(self, store: Store, one: Proposal, command: dict[str, Any]) -> dict[str, Any]:
        """The command of an approved proposal. A reversal is of the moment of its approval: the card may have been used since it was proposed.

        What was sent already is sent as it was, for its id stands for just that.
        """
        if command["do"] != name_of(Reverse):
            return command
        assert one.decided_at is not None
        at = one.decided_at + self._clock.ahead
        for _, account, seq in store.rows("commands", sender=SENDER, ids=[one.number]):
            for row in store.rows("events", seqs=[seq], accounts=[account]):
                at = as_event(row).at
        return {**command, "at": iso_moment(at)}


def _add(store: Store, what: str, text: str) -> str:
    with adding(store):
        return msgspec.json.encode({"version": add_input(store, what, text)}).decode()


def _is_unfinished(one: Proposal) -> bool:
    return one.state == APPROVED and one.answer is None


def _about(store: Store, c: Any) -> str:
    """What a command is about, as the record it shows on is looked for."""
    if isinstance(c, RunGrants):
        return f"grants:{c.month}"
    if isinstance(c, (CommitDraw, DrawLottery)):
        return f"draw:{c.draw}"
    assert isinstance(c, Reverse)
    rows = store.rows("commands", sender=c.of_sender or SENDER, ids=[c.of])
    account = rows[0][1] if rows else NO_ACCOUNT
    return f"card:{format_number(account)}"


def _bad(why: str) -> ProblemError:
    return ProblemError(400, Reason(None, "bad-body", {"why": why}))


def _no(no: ProposalError) -> ProblemError:
    return ProblemError(STATUS[no.code], Reason(None, no.code, no.params))
