"""One journal line to one command: the fast path, and the strict checks behind it.

A line that is no command gets its reasons from ``wire.diagnose``; nothing here raises for bad input.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from farecard.model.commands import (
    COMMANDS,
    ApplyMynaPoint,
    ChangeAppliedCard,
    Command,
    ConfirmAccount,
    ConfirmInsuranceCard,
    FileAccount,
    Issue,
    JoinMembership,
    MoveToPhone,
    Notice,
    Purchase,
    RefundByPost,
    ResolveCase,
    Reverse,
    TopUp,
    parse_number,
)
from farecard.model.moments import parse_day, parse_moment
from farecard.model.verdict import Reason
from farecard.rules.privacy import (
    INDIVIDUAL_NUMBER_DIGITS,
    individual_number,
    individual_number_within,
)
from farecard.wire.diagnose import Broken, diagnose, has_control

LONGEST_LINE = 65_536

AnyCommand: Any = COMMANDS[0]
for _one in COMMANDS[1:]:
    AnyCommand = AnyCommand | _one

_decode = msgspec.json.Decoder(AnyCommand).decode
_encode = msgspec.json.Encoder().encode
_C1_OR_DELETE = re.compile(rb"\x7f|\xc2[\x80-\x9f]")

# how many quotes a line has more than its canonical form: ``at`` and the numbers become integers
_QUOTES_LOST = {one: 2 + 2 * len(one.NUMBERS) for one in COMMANDS}


def read_line(
    line: bytes, fill: Callable[[Command], bool] | None = None
) -> tuple[Command | Broken, bytes]:
    """Decode a line. Gives the command and its canonical form, or what is wrong with it.

    The canonical form is the same for every spelling of the same command: key order, spacing,
    explicit defaults and the offset of ``at`` do not count. ``fill`` puts in what is known of the sender and was
    left out, and gives whether it did: then that is a default, too.
    """
    if len(line) > LONGEST_LINE:
        return Broken(None, [Reason(None, "line-too-long", {"most": LONGEST_LINE})]), b""
    try:
        command = _decode(line)
        command.at = parse_moment(command.at)
        kind = type(command)
        if kind.NUMBERS:
            command.card = parse_number(command.card)
            if kind is MoveToPhone:
                command.to = parse_number(command.to)
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError):
        return diagnose(line), b""
    canonical = _encode(command)
    # Duplicate keys are no JSON decoder's business, so count: without a backslash every quote
    # ends or begins a string, and a line has at least the canonical form's strings. As many
    # quotes means no key stands twice. Anything else takes the slow, strict road.
    if (
        b"\\" in line
        or line.count(b'"') != canonical.count(b'"') + _QUOTES_LOST[kind]
        or (b"\x7f" in line if line.isascii() else _C1_OR_DELETE.search(line))
    ):
        broken = diagnose(line)
        if broken.reasons:
            return broken, b""
    reasons = _CHECKS[kind](command) if kind in _CHECKS else []
    if command.by is not None and len(command.by) >= INDIVIDUAL_NUMBER_DIGITS:
        reasons += _or_none(individual_number("by", command.by))
    if reasons:
        return Broken(command.id, reasons), b""
    if fill is not None and fill(command):
        canonical = _encode(command)
    return command, canonical


def _wrong(field: str, code: str, **params: Any) -> Reason:
    return Reason(None, code, {"field": field, **params})


def _check_day(reasons: list[Reason], field: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_day(text)
    except ValueError:
        reasons.append(_wrong(field, "want-date"))
        return None


def _check_issue(c: Issue) -> list[Reason]:
    """Which fields go with which kind, and that days are days."""
    reasons: list[Reason] = []
    if c.kind == "anonymous":
        if c.holder is not None:
            reasons.append(_wrong("holder", "field-not-for-kind", kind=c.kind))
    elif c.holder is None:
        reasons.append(_wrong("holder", "missing-field"))
    else:
        _check_day(reasons, "holder.born", c.holder.born)
        reasons += written_in("holder.name", c.holder.name)
        reasons += written_in("holder.kana", c.holder.kana)
    if c.kind != "commuter":
        if c.pass_ is not None:
            reasons.append(_wrong("pass", "field-not-for-kind", kind=c.kind))
    elif c.pass_ is None:
        reasons.append(_wrong("pass", "missing-field"))
    else:
        since = _check_day(reasons, "pass.valid_from", c.pass_.valid_from)
        until = _check_day(reasons, "pass.valid_until", c.pass_.valid_until)
        if since is not None and until is not None and until < since:
            reasons.append(_wrong("pass.valid_until", "ends-before-it-begins"))
        if c.pass_.from_ == c.pass_.to:
            reasons.append(_wrong("pass.to", "same-as-from"))
    if c.expires is not None and c.kind != "child":
        reasons.append(_wrong("expires", "field-not-for-kind", kind=c.kind))
    _check_day(reasons, "expires", c.expires)
    _check_day(reasons, "points_registered_on", c.points_registered_on)
    return reasons


def _check_top_up(c: TopUp) -> list[Reason]:
    if c.station is not None and c.channel != "fare-adjustment":
        return [_wrong("station", "field-not-here", channel=c.channel)]
    return []


def _check_purchase(c: Purchase) -> list[Reason]:
    if c.cash > c.amount:
        return [_wrong("cash", "cash-over-amount")]
    return []


def _or_none(reason: Reason | None) -> list[Reason]:
    return [] if reason is None else [reason]


def written_in(field: str, text: str) -> list[Reason]:
    """What is wrong with a field that people write in: an individual number."""
    return _or_none(individual_number_within(field, text))


def unfit(field: str, text: str) -> list[Reason]:
    """What is wrong with what people write beside commands: a control character, an individual number."""
    return [_wrong(field, "control-character")] if has_control(text) else written_in(field, text)


def _check_reversal(c: Reverse) -> list[Reason]:
    reasons = _check_why(c)
    if c.of_sender is not None and c.channel != "operations":
        reasons.append(_wrong("of_sender", "field-not-here", channel=c.channel))
    return reasons


def _check_why(c: Reverse | ResolveCase) -> list[Reason]:
    return written_in("why", c.why)


def _check_payee(c: RefundByPost) -> list[Reason]:
    account = msgspec.structs.asdict(c.bank_account)
    return [
        reason
        for name, text in account.items()
        for reason in written_in(f"bank_account.{name}", text)
    ]


def _check_person(c: Notice | ChangeAppliedCard) -> list[Reason]:
    return _or_none(individual_number("person", c.person))


def _check_member(c: JoinMembership) -> list[Reason]:
    return _or_none(individual_number("member", c.member))


def _check_application(c: ApplyMynaPoint) -> list[Reason]:
    reasons = _or_none(individual_number("person", c.person))
    if len(set(c.measures)) < len(c.measures):
        reasons.append(_wrong("measures", "measure-twice"))
    if c.history is not None:
        if c.history.round_1_counted and c.history.round_1 != "icoca-open":
            reasons.append(_wrong("history.round_1_counted", "only-in-an-open-round"))
        if c.history.other_service is not None:
            applied_on = c.history.other_service.applied_on
            _check_day(reasons, "history.other_service.applied_on", applied_on)
    return reasons


_CHECKS: dict[type[Command], Any] = {
    ApplyMynaPoint: _check_application,
    ConfirmInsuranceCard: _check_person,
    FileAccount: _check_person,
    ConfirmAccount: _check_person,
    ChangeAppliedCard: _check_person,
    JoinMembership: _check_member,
    Reverse: _check_reversal,
    ResolveCase: _check_why,
    RefundByPost: _check_payee,
    Issue: _check_issue,
    TopUp: _check_top_up,
    Purchase: _check_purchase,
}
