"""What a key may say: the channels it speaks for, and what else it is bound to. Pure: no store, no clock.

What a key is bound to is a default for what a command leaves out, and a limit for what it says.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from farecard.model.commands import (
    COMMANDS,
    Command,
    JoinMembership,
    Purchase,
    Reverse,
    Run,
    name_of,
)
from farecard.model.verdict import Reason

QUESTIONS = (
    "cards",
    "cases",
    "codes",
    "trial-balance",
    "events",
    "metrics",
    "proposals",
    "trail",
)
COMPANY_CHANNELS = ("other-rail", "other-counter")
# what moves money or points in bulk or cannot be undone: proposed by one person and approved by another
NEEDS_TWO = frozenset(name_of(c) for c in COMMANDS if issubclass(c, Run) or c is Reverse)
_OF_PLACES = ("by", "place", "company")  # what a member has no business to say
# commands that say which shop they are of; the others are of none
_OF_SHOPS = (Purchase, Reverse)


class Bound(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a key, or somebody who has signed in, is bound to.

    ``rate``: commands a second, None: as many as there is room for; ``by``: in whose name commands are sent;
    ``only``: the commands (their ``do``) it may send, None: all; ``member``: whose cards alone it speaks of. Which
    those are the store tells (``access/owning.py``), so that is asked apart from the rest.
    """

    channels: frozenset[str]
    ask: frozenset[str] = frozenset()
    place: str | None = None
    merchant: str | None = None
    company: str | None = None
    unattended: bool = False
    rate: int | None = None
    by: str | None = None
    only: frozenset[str] | None = None
    member: str | None = None

    @property
    def fills(self) -> bool:
        """Whether it says anything for commands that leave it out."""
        return any(one is not None for one in (self.place, self.merchant, self.company, self.by))


def filler(bound: Bound) -> Callable[[Command], bool] | None:
    """What fills a command in; None where there is nothing to fill in.

    Called with a command it gives whether it changed something.
    """
    if not bound.fills:
        return None

    def fill(c: Any) -> bool:
        changed = False
        if bound.place is not None and c.place is None:
            c.place = bound.place
            changed = True
        if bound.by is not None and c.by is None:
            c.by = bound.by
            changed = True
        if bound.company is not None and c.company is None and c.channel in COMPANY_CHANNELS:
            c.company = bound.company
            changed = True
        if bound.merchant is not None and type(c) is Reverse and c.merchant is None:
            c.merchant = bound.merchant
            changed = True
        return changed

    return fill


def may_say(bound: Bound, c: Any) -> Reason | None:
    """Why a key may not send this command (filled in already); None when it may."""
    if c.channel not in bound.channels:
        return Reason(
            None, "channel-not-allowed", {"field": "channel", "choices": sorted(bound.channels)}
        )
    if bound.only is not None:
        do = name_of(type(c))
        if do in NEEDS_TWO and c.channel == "operations":
            return Reason(None, "needs-two", {"do": do})
        if do not in bound.only:
            return Reason(
                None, "command-not-allowed", {"field": "do", "choices": sorted(bound.only)}
            )
    if bound.member is not None:
        if type(c) is JoinMembership and c.member != bound.member:
            return Reason(None, "member-not-allowed", {"field": "member", "bound": bound.member})
        for field in _OF_PLACES:
            if getattr(c, field) is not None:
                return Reason(None, "not-a-members-field", {"field": field})
    if bound.by is not None and c.by != bound.by:
        return Reason(None, "by-not-allowed", {"field": "by", "bound": bound.by})
    if bound.place is not None and c.place != bound.place:
        return Reason(None, "place-not-allowed", {"field": "place", "bound": bound.place})
    if (
        bound.company is not None
        and c.company != bound.company
        and (c.company is not None or c.channel in COMPANY_CHANNELS)
    ):
        return Reason(None, "company-not-allowed", {"field": "company", "bound": bound.company})
    if bound.merchant is not None and type(c) in _OF_SHOPS and c.merchant != bound.merchant:
        return Reason(None, "merchant-not-allowed", {"field": "merchant", "bound": bound.merchant})
    return None


assert set(_OF_SHOPS) == {one for one in COMMANDS if "merchant" in one.__struct_fields__}
