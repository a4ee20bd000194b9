"""What a role may do: one table. Pure: no store, no clock.

What moves money or points in bulk or cannot be undone takes two people: one proposes it with its preview, another
approves it. Nobody does both.
"""

from typing import Final, NamedTuple

from farecard.access.rights import Bound
from farecard.model.commands import COMMANDS, ResolveCase, Run, name_of

CLERK: Final = "clerk"
OPERATOR: Final = "operator"
APPROVER: Final = "approver"
AUDITOR: Final = "auditor"

PROPOSE, APPROVE = ACTS = ("propose", "approve")

_AT_COUNTERS = frozenset(name_of(c) for c in COMMANDS if not issubclass(c, (Run, ResolveCase)))
_CASES = frozenset({name_of(ResolveCase)})


class Role(NamedTuple):
    """The channels it works at, the commands it sends itself, what it may ask, and what else it does."""

    channels: frozenset[str]
    only: frozenset[str]
    ask: frozenset[str]
    acts: frozenset[str] = frozenset()


ROLES: dict[str, Role] = {
    # at the counter: sells, refunds, reissues
    CLERK: Role(frozenset({"counter"}), _AT_COUNTERS, frozenset({"cards", "cases"})),
    # in the back office: closes cases, and proposes runs, draws, reversals, tariffs and campaigns
    OPERATOR: Role(
        frozenset({"operations"}),
        _CASES,
        frozenset({"cards", "cases", "trial-balance", "proposals"}),
        frozenset({PROPOSE}),
    ),
    # the second pair of eyes; closes cases at the counter, too, as its supervisor
    APPROVER: Role(
        frozenset({"counter", "operations"}),
        _CASES,
        frozenset({"cards", "cases", "trial-balance", "proposals"}),
        frozenset({APPROVE}),
    ),
    # sees everything, changes nothing
    AUDITOR: Role(
        frozenset(),
        frozenset(),
        frozenset({"cards", "cases", "trial-balance", "events", "metrics", "proposals", "trail"}),
    ),
}


def bound_of(role: str, name: str) -> Bound:
    """What somebody in a role is bound to; commands are sent in his name."""
    of = ROLES[role]
    return Bound(of.channels, of.ask, by=name, only=of.only)
