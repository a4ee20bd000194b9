"""Following along: every decided command, in order, to be taken up again wherever one was.

Several writers commit side by side, and a batch with a lower id may become durable after a higher one. So a place in
the journal is a place in each writer's chain (``Cursor``), and within what is new, batches go by their id, which
is a Lamport clock: whatever rests on another event comes after it.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from farecard.model.account import NO_ACCOUNT, Event
from farecard.model.commands import format_number
from farecard.model.moments import iso_moment
from farecard.rules.referral import case_of
from farecard.storage.rows import as_event, as_reasons
from farecard.storage.store import Store

SEQS = 65_536  # an event's seq is its batch's id times this, and its place in it
MOST_BATCHES = 1_000  # looked at for one answer; one sender's commands may be few among many
LONGEST_CURSOR = 8_192

Cursor = dict[
    str, tuple[int, int]
]  # writer: number of its last batch that was told of, and the place in it
_cursor = msgspec.json.Decoder(Cursor).decode


class BadCursorError(ValueError):
    """Not a place that an answer named."""


def as_text(cursor: Cursor) -> str:
    """A cursor as clients keep it."""
    return (
        base64.urlsafe_b64encode(msgspec.json.encode(cursor, order="sorted")).decode().rstrip("=")
    )


def as_cursor(text: str) -> Cursor:
    """The cursor of a text; the empty text: the beginning."""
    if not text:
        return {}
    try:
        if len(text) > LONGEST_CURSOR:
            raise BadCursorError
        return _cursor(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise BadCursorError from None


class Followed(NamedTuple):
    """What comes next, from where to ask again, and whether there is more at once."""

    events: list[dict[str, Any]]
    cursor: Cursor
    more: bool


class _Batch(NamedTuple):
    id: int
    recorded_at: int
    writer: str
    number: int
    place: int  # up to which it was told of before; -1: not at all


def follow(store: Store, cursor: Cursor, most: int, sender: str | None) -> Followed:
    """The next ``most`` decided commands after a place; of one ``sender``, or None: of all."""
    batches, complete = _next_batches(store, cursor)
    then = dict(cursor)
    events: list[dict[str, Any]] = []
    for batch in batches:
        for event in _events(store, batch, sender):
            if len(events) == most:
                return Followed(events, then, more=True)
            events.append(_told(event, batch))
            then[batch.writer] = batch.number, event.seq % SEQS
        then[batch.writer] = batch.number, SEQS - 1
    return Followed(events, then, more=not complete)


def _next_batches(store: Store, cursor: Cursor) -> tuple[list[_Batch], bool]:
    """The next batches of all writers by id, and whether these are all there are."""
    found: list[_Batch] = []
    past = None  # a writer has more than we looked at: nothing of others beyond it yet
    for (writer,) in store.rows("writers"):
        number, place = cursor.get(writer, (0, SEQS - 1))
        rows = store.rows("batches_of", writer=writer, number=number, most=MOST_BATCHES)
        found += [
            _Batch(id, at, writer, n, place if n == number else -1)
            for id, at, n in rows
            if not (n == number and place == SEQS - 1)
        ]
        if len(rows) == MOST_BATCHES:
            past = min(past or rows[-1][0], rows[-1][0])
    found.sort()
    kept = [one for one in found if past is None or one.id <= past][:MOST_BATCHES]
    return kept, past is None and len(kept) == len(found)


def _events(store: Store, batch: _Batch, sender: str | None) -> Iterator[Event]:
    first = batch.id * SEQS
    for row in store.rows("events_of_batch", first=first + batch.place + 1, past=first + SEQS):
        event = as_event(row)
        of_a_run = (
            event.do == "run_grants" and event.account != NO_ACCOUNT
        )  # what the run did, no command
        if not of_a_run and (sender is None or event.sender == sender):
            yield event


def decided(store: Store, sender: str, id: str) -> dict[str, Any] | None:
    """One command that was decided, as a follower gets it but for when it was recorded; None where there is none of this id."""
    for _, account, seq in store.rows("commands", sender=sender, ids=[id]):
        for row in store.rows("events", seqs=[seq], accounts=[account]):
            return _of_event(as_event(row))
    return None


def _told(event: Event, batch: _Batch) -> dict[str, Any]:
    """A decided command as a follower gets it."""
    return {**_of_event(event), "recorded_at": iso_moment(batch.recorded_at)}


def _of_event(event: Event) -> dict[str, Any]:
    case = case_of(event)
    return {
        "sender": event.sender,
        "id": event.id,
        "at": iso_moment(event.at),
        "do": event.do,
        "channel": event.channel,
        "place": event.place,
        "by": event.by,
        "company": event.company,
        "card": None if event.number is None else format_number(event.number),
        "outcome": event.outcome,
        **({} if case is None else {"case": case}),
        "reasons": as_reasons(event.reasons),
        "warnings": as_reasons(event.warnings),
        "result": msgspec.Raw(event.result.encode()),
        "amount": event.amount,
        "balance": event.balance,
        "points": event.points,
    }
