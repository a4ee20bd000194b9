"""The cases: what a rule left to people, where each goes, and how it was closed."""

from collections.abc import Iterator
from typing import Any

from farecard.model.account import NO_ACCOUNT, Event
from farecard.model.commands import format_number, parse_number
from farecard.model.moments import PAST_MOMENT, iso_moment, parse_moment
from farecard.rules.referral import GOES_TO, card_of_case, case_of
from farecard.storage.history import besides_use
from farecard.storage.rows import as_event, as_reasons
from farecard.storage.store import Row, Store
from farecard.texts import explain_all

OPEN, GRANTED, DECLINED = STATES = ("open", "granted", "declined")
PLACES = tuple(sorted(set(GOES_TO.values())))
A_PAGE = 1_000  # referred events looked at in one go


class UnknownCaseError(Exception):
    """There is no such case, or there was none yet."""


def cases(
    store: Store,
    until: int | None,
    most: int,
    state: str | None = None,
    refer_to: str | None = None,
) -> list[dict[str, Any]]:
    """The newest ``most`` cases that came up by ``until`` (a moment; None: all), as they were closed by then.

    ``state`` and ``refer_to`` leave only those in that state, or that go to that place.
    """
    found = []
    for one in _every(store, PAST_MOMENT if until is None else until):
        if state in (None, one["state"]) and refer_to in (None, one["refer_to"]):
            found.append(one)
            if len(found) == most:
                break
    told: list[dict[str, Any]] = explain_all(found)
    return told


def case(store: Store, number: str, until: int | None) -> dict[str, Any]:
    """One case. Raises ``UnknownCaseError``."""
    at = PAST_MOMENT if until is None else until
    card = card_of_case(number)
    rows = [] if card is None else store.rows("referred_of_card", number=card)
    for one in _told(store, rows, at):
        if one["case"] == number:
            told: dict[str, Any] = explain_all(one)
            return told
    raise UnknownCaseError(number)


def of_account(store: Store, numbers: list[int], until: int) -> list[dict[str, Any]]:
    """The cases of an account, by all ``numbers`` that it has had (its first names it), the newest first; whether one that was granted has been ``done`` since.

    What somebody else asked about a number before it was sold is not among them.
    """
    account = numbers[0]
    rows = [row for one in numbers for row in store.rows("referred_of_card", number=one)]
    found = _told(store, [row for row in rows if as_event(row).account == account], until)
    told: list[dict[str, Any]] = explain_all(sorted(found, key=lambda one: one["at"], reverse=True))
    return [one | {"done": one["state"] == GRANTED and is_done(store, one, until)} for one in told]


def is_done(store: Store, one: dict[str, Any], until: int) -> bool:
    """Whether the card of a case that was granted had done with it what was asked, since it was; one that was never sold has not."""
    number = parse_number(one["card"])
    accounts = [row[1] for row in store.rows("number_of", number=number)]
    granted = parse_moment(one["closed"]["at"])
    return any(
        event.do == one["do"] and event.at >= granted
        for account in accounts
        for event in besides_use(store, account, until)
    )


def _every(store: Store, until: int) -> Iterator[dict[str, Any]]:
    before = (1 << 63) - 1
    while rows := store.rows("referred", before=before, until=until, most=A_PAGE):
        yield from _told(store, rows, until)
        before = rows[-1][0]


def _told(store: Store, rows: list[Row], until: int) -> list[dict[str, Any]]:
    """Referred events as cases: those that came up by then."""
    events = [one for one in map(as_event, rows) if one.at <= until]
    if not events:
        return []
    accounts = sorted({one.account for one in events})
    of_cases = {"ids": [one.seq for one in events], "accounts": accounts}
    closed = {
        (of, account): (seq, decision)
        for of, account, seq, at, decision in store.rows("resolutions", **of_cases)
        if at <= until
    }
    seqs = [seq for seq, _ in closed.values()]
    closing = {
        one.seq: one
        for one in map(as_event, store.rows("events", seqs=seqs, accounts=[NO_ACCOUNT]))
    }
    found = []
    for one in events:
        seq, decision = closed.get((one.seq, one.account), (None, OPEN))
        how = None if seq is None else closing[seq]
        found.append(_case(one, decision, how))
    return found


def _case(event: Event, state: str, closed: Event | None) -> dict[str, Any]:
    assert event.number is not None
    reasons = as_reasons(event.reasons)
    return {
        "case": case_of(event),
        "state": state,
        "refer_to": GOES_TO[reasons[0].code],
        "at": iso_moment(event.at),
        "do": event.do,
        "card": format_number(event.number),
        "sender": event.sender,
        "id": event.id,
        "channel": event.channel,
        "place": event.place,
        "by": event.by,
        "reasons": reasons,
        "closed": None
        if closed is None
        else {
            "at": iso_moment(closed.at),
            "channel": closed.channel,
            "place": closed.place,
            "by": closed.by,
            "why": closed.why,
            "sender": closed.sender,
            "id": closed.id,
        },
    }
