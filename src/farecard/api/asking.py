"""The questions: as the command line's JSON, read-only, each over one state of the store."""

import asyncio
from collections.abc import Callable
from typing import Any

from farecard.access import owning
from farecard.access.owning import OwningError
from farecard.api.news import Mark, News, end_of_log
from farecard.api.problems import ProblemError
from farecard.api.readers import Readers
from farecard.api.speakers import Speaker
from farecard.model.commands import Command, Refund, parse_number
from farecard.model.moments import moment_now
from farecard.model.verdict import Reason
from farecard.questions import answers, card, checkpoints, following, referrals
from farecard.questions.card import AsOf, UnknownCardError
from farecard.questions.following import Followed
from farecard.storage.store import Store
from farecard.storage.vault import Vault
from farecard.texts import explain_all

OfCard = Callable[[Store, int, AsOf], Any]

# the last part of the path: what is asked of the card
OF_A_CARD: dict[str, OfCard] = {
    "": answers.status,
    "history": answers.history,
    "refund-quote": answers.refund_quote,
    "reissue-quote": answers.reissue_quote,
    "quick-charge-quote": answers.quick_charge_quote,
    "points": answers.points_told,
}


async def of_a_card(
    readers: Readers, speaker: Speaker, text: str, what: OfCard, at: int | None, now: int
) -> Any:
    """A question about a card: as of ``at``, or of all there is by ``now``."""
    speaker.must_ask("cards")
    number = card_number(text, "number")
    when = card.everything(now) if at is None else card.moment(at)
    member = speaker.bound.member

    def ask(store: Store) -> Any:
        if member is None:
            return what(store, number, when)
        owning.must_own(store, member, [number])
        found = what(store, number, when)
        if isinstance(found, dict):
            found.pop("proposals", None)  # the office's own business
        return found

    try:
        return await readers.ask(ask)
    except UnknownCardError:
        raise ProblemError(404, Reason(None, "unknown-card", {"field": "number"})) from None
    except OwningError as no:
        raise ProblemError(403, Reason(None, no.code, no.params)) from None


def card_number(text: str, field: str) -> int:
    """A card's number. ``ProblemError`` 400 when it is none."""
    try:
        return parse_number(text)
    except ValueError:
        raise ProblemError(400, Reason(None, "want-card-number", {"field": field})) from None


async def must_be_his(readers: Readers, speaker: Speaker, command: Command, oldest: int) -> None:
    """``ProblemError`` 403 when a member's command is about a card that is not his, or older than the moment ``oldest``.

    A command that was decided before is asked again at any time.
    """
    member = speaker.bound.member
    assert member is not None
    numbers = [getattr(command, name) for name in command.NUMBERS]
    is_late = command.at < oldest

    def ask(store: Store) -> bool:
        # what is paid out at once takes more than words
        owning.must_own(store, member, numbers, in_hand=type(command) is Refund)
        return not is_late or bool(store.rows("commands", sender=speaker.name, ids=[command.id]))

    try:
        in_time = await readers.ask(ask)
    except OwningError as no:
        raise ProblemError(403, Reason(None, no.code, no.params)) from None
    if not in_time:
        raise ProblemError(403, Reason(None, "clock-behind", {"field": "at"}))


async def cases(
    readers: Readers,
    speaker: Speaker,
    state: str | None,
    refer_to: str | None,
    most: int,
    at: int | None,
) -> Any:
    """What was left to people."""
    speaker.must_ask("cases")
    return await readers.ask(lambda store: referrals.cases(store, at, most, state, refer_to))


async def case(readers: Readers, speaker: Speaker, number: str, at: int | None) -> Any:
    """One of them."""
    speaker.must_ask("cases")
    try:
        return await readers.ask(lambda store: referrals.case(store, number, at))
    except referrals.UnknownCaseError:
        raise ProblemError(404, Reason(None, "unknown-case", {"field": "case"})) from None


async def events(
    readers: Readers, news: News, speaker: Speaker, after: str, most: int, wait: int,
    leaving: asyncio.Event | None,
) -> Any:  # fmt: skip
    """What was decided after a place: the key's own commands, or all where it may ask for ``events``.

    Where there is nothing, ``wait`` seconds for something; less when the server is ``leaving``.
    """
    try:
        cursor = following.as_cursor(after)
    except following.BadCursorError:
        raise ProblemError(400, Reason(None, "unknown-place", {"field": "after"})) from None
    sender = None if "events" in speaker.bound.ask else speaker.name
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:

        def ask(store: Store, cursor: following.Cursor = cursor) -> tuple[Followed, Mark]:
            return following.follow(store, cursor, most, sender), end_of_log(store)

        found, mark = await readers.ask(ask)
        gone = leaving is not None and leaving.is_set()
        if found.events or found.more or gone or loop.time() >= until:
            break
        cursor = found.cursor
        await news.since(mark, until, leaving)
    return {
        "events": explain_all(found.events),
        "next": following.as_text(found.cursor),
        "more": found.more,
    }


async def checkpoint(readers: Readers, speaker: Speaker, vault: Vault) -> Any:
    """Where the log ends now, signed."""
    speaker.must_ask("events")
    return await readers.ask(
        lambda store: checkpoints.told(checkpoints.make(store, vault, moment_now()))
    )


async def trial_balance(readers: Readers, speaker: Speaker, at: int | None, now: int) -> Any:
    """The books."""
    speaker.must_ask("trial-balance")
    return await readers.ask(lambda store: answers.trial_balance(store, at, now))
