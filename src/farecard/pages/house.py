"""What a page asks of the house behind it: the same parts that answer the API, with the same rights and limits."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from farecard.access.errors import CodedError
from farecard.access.sessions import STAFF
from farecard.api import asking
from farecard.api.app import App
from farecard.api.asking import OfCard
from farecard.api.problems import ProblemError
from farecard.api.sessions import wait
from farecard.api.speakers import Speaker
from farecard.model.moments import day_of, iso_moment
from farecard.model.rates import Rates
from farecard.model.verdict import Reason
from farecard.questions import answers, following
from farecard.storage.store import Store
from farecard.texts import explain_all
from farecard.wire.answer import encode_answer

T = TypeVar("T")
# what is wrong with what somebody wrote is 400, what is not there 404, what is another's 403; all else is in the way: 409
_STATUS = {
    "unknown-shift": 404,
    "not-your-shift": 403,
    "bad-till": 400,
    "bad-float": 400,
    "bad-count": 400,
    "want-whole-yen": 400,
    "want-text": 400,
}


class House:
    """The house, for one request. ``speaker``: who has signed in at this window; None: nobody."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.speaker: Speaker | None = None
        self.token = ""  # the secret behind it

    @property
    def csrf(self) -> str:
        """What a form of this session carries, so that no other site's form is taken for one of ours; empty without a session."""
        if self.speaker is None:
            return ""
        return self.app.queue.desk.vault.keyed("csrf", self.token).hex()

    @property
    def role(self) -> str:
        """The role of somebody who works here; empty for all others."""
        session = None if self.speaker is None else self.speaker.session
        return session.role if session is not None and session.realm == STAFF else ""

    @property
    def now(self) -> int:
        """The moment, by the windows' clock."""
        return self.app.clock.now()

    @property
    def set_to(self) -> str | None:
        """What the windows' clock says where it was set to another time; None where it is the machine's own."""
        return iso_moment(self.now) if self.app.clock.ahead else None

    def rates(self, day: int) -> Rates:
        """What the tariff says on a day."""
        return self.app.queue.desk.inputs.tariff.on(day)

    def stations(self) -> list[str]:
        """The network's stations as of today."""
        return self.app.queue.desk.inputs.networks.on(day_of(self.now)).stations()

    async def about(self, speaker: Speaker, number: str, what: str | OfCard = "") -> Any:
        """A question about a card, as of now: one of the API's by its name, or another. ``ProblemError`` 400, 403 or 404."""
        question = asking.OF_A_CARD[what] if isinstance(what, str) else what
        return await asking.of_a_card(self.app.readers, speaker, number, question, None, self.now)

    async def latest(self, speaker: Speaker, number: str, most: int) -> list[dict[str, Any]]:
        """The newest entries of a card's history, without reading all the others. ``ProblemError`` as ``about``."""
        found: list[dict[str, Any]] = await self.about(
            speaker, number, lambda store, card, when: answers.history(store, card, when, most)
        )
        return found

    async def ask(self, question: Callable[[Store], T]) -> T:
        """What somebody who may ask it asks of one state of the store. ``ProblemError`` where that has a code."""
        try:
            return await self.app.readers.ask(question)
        except CodedError as no:
            raise _problem(no) from None

    async def write(self, work: Callable[[Store], T]) -> T:
        """What ``work`` gives over a store opened to write. ``ProblemError`` where it says no."""
        try:
            return await self.app.registrar.do(work)
        except CodedError as no:
            raise _problem(no) from None

    async def send(self, speaker: Speaker, id: str, command: dict[str, Any]) -> dict[str, Any]:
        """What becomes of a command, as the API says it. One of this id that was decided before is not sent again."""
        before = await self.decided(speaker, id)
        if before is not None:
            return before
        return await self._sent(speaker, id, command, dry=False)

    async def try_out(self, speaker: Speaker, command: dict[str, Any]) -> dict[str, Any]:
        """What would become of a command; nothing is kept."""
        return await self._sent(speaker, "dry", command, dry=True)

    async def _sent(
        self, speaker: Speaker, id: str, command: dict[str, Any], *, dry: bool
    ) -> dict[str, Any]:
        line = msgspec.json.encode({"id": id, "at": iso_moment(self.now), **command})
        answer = await self.app.send(speaker, line, dry=dry)
        found: dict[str, Any] = msgspec.json.decode(encode_answer(answer))
        return found

    async def decided(self, speaker: Speaker, id: str) -> dict[str, Any] | None:
        """What became of a command of this speaker; None where none of this id was decided."""
        return await self.decided_by(speaker.name, id)

    async def decided_by(self, sender: str, id: str) -> dict[str, Any] | None:
        """The same, whoever asks: for pages that a colleague may look at."""

        def ask(store: Store) -> dict[str, Any] | None:
            found = following.decided(store, sender, id)
            return None if found is None else explain_all(found)

        found = await self.app.readers.ask(ask)
        if found is not None:
            found["result"] = msgspec.json.decode(found["result"])
        return found


def _problem(no: CodedError) -> ProblemError:
    if no.until is not None:
        return wait(Reason(None, no.code, {"until": iso_moment(no.until)}), no.until)
    return ProblemError(_STATUS.get(no.code, 409), Reason(None, no.code, no.params))
