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
    # at the counter: sells, refunds, reissues, looks at papers
    CLERK: Role(frozenset({"counter"}), _AT_COUNTERS, frozenset({"cards", "cases", "codes"})),
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


# a card holder, who speaks for himself: what the member's page does, for cards that are his
MEMBER_ROLE = Role(
    frozenset({"member-page"}),
    frozenset(
        {
            "refund",
            "request_refund_form",
            "report_lost",
            "register_for_points",
            "join_membership",
            "apply_myna_point",
            "change_applied_card",
            "join_rally",
            "join_campaign",
        }
    ),
    frozenset({"cards"}),
)


def member_bound(name: str, rate: int | None = None) -> Bound:
    """What a member is bound to: his own cards, and so many requests a second."""
    return Bound(
        MEMBER_ROLE.channels, MEMBER_ROLE.ask, only=MEMBER_ROLE.only, member=name, rate=rate
    )


def bound_of(role: str, name: str) -> Bound:
    """What somebody in a role is bound to; commands are sent in his name."""
    of = ROLES[role]
    return Bound(of.channels, of.ask, by=name, only=of.only)
