"""What a line of the trail says besides what was done, as people read it."""

import re
from collections.abc import Callable

import msgspec

from farecard.access.owning import HOLDER
from farecard.access.rights import Bound
from farecard.pages.language import Language
from farecard.pages.operations.names import Said, Titles, about
from farecard.texts import LANGUAGES

_Write = Callable[[Language, str], str]


def detail(did: str, said: str, known: Titles) -> Said | str:
    """What was noted with a line of this kind; what has no words here as it was noted, as its file has it."""
    write = _WRITTEN.get(did)
    try:
        if write is not None and said:
            return Said({name: write(Language(name), said) for name in LANGUAGES}, said)
    except (KeyError, ValueError, msgspec.MsgspecError):  # as an earlier release may have noted it
        pass
    return about(said, known)


def _joined(say: Language, start: str, codes: list[str]) -> str:
    return say.word("ops.said.and").join(say.word(f"{start}.{code}") for code in codes)


def _locked(say: Language, said: str) -> str:
    return say.word("ops.said.wrong_passwords", n=int(said.split(maxsplit=1)[0]))


def _role(say: Language, said: str) -> str:
    was, now = said.split(" > ")
    return f"{say.word(f'ops.role.{was}')} → {say.word(f'ops.role.{now}')}"


def _key(say: Language, said: str) -> str:
    """What a key is bound to."""
    bound = msgspec.json.decode(said, type=Bound)
    found = []
    if bound.channels:
        found.append(
            say.word("ops.said.speaks", channels=_joined(say, "channel", sorted(bound.channels)))
        )
    if bound.ask:
        found.append(
            say.word("ops.said.asks", what=_joined(say, "ops.said.question", sorted(bound.ask)))
        )
    found += [
        say.word(f"ops.said.{name}", value=value)
        for name in ("place", "merchant", "company", "rate")
        if (value := getattr(bound, name)) is not None
    ]
    if bound.unattended:
        found.append(say.word("ops.said.unattended"))
    return say.word("ops.said.then").join(found)


def _code(say: Language, said: str) -> str:
    purpose, channel = said.split(", ")
    return say.word(f"ops.said.code.{purpose}", place=say.word(f"channel.{channel}"))


def _recovered(say: Language, said: str) -> str:
    if said == "recovery code":
        return say.word("ops.said.by_recovery_code")
    return _shown_code(say, said.removeprefix("a code of a "))


def _shown_code(say: Language, channel: str) -> str:
    return say.word("ops.said.by_code", place=say.word(f"channel.{channel}"))


def _claimed(say: Language, said: str) -> str:
    how, _, before = said.partition(", before: ")
    told = say.word("ops.said.by_holder") if how == HOLDER else _shown_code(say, how)
    return say.word("ops.said.taken_over", how=told, member=before) if before else told


def _erased(say: Language, said: str) -> str:
    return _joined(say, "ops.said.held", list(dict.fromkeys(said.split(", "))))


def _yen(say: Language, said: str) -> str:
    if not re.fullmatch(r"[+-]\d+", said, re.ASCII):
        raise ValueError(said)
    amount = int(said)
    return f"{'+' if amount > 0 else ''}{say.yen(amount)}"


def _difference(say: Language, said: str) -> str:
    return say.word("ops.said.difference", yen=_yen(say, said))


_WRITTEN: dict[str, _Write] = {
    "locked": _locked,
    "staff-role": _role,
    "key-added": _key,
    "code-given": _code,
    "recovered": _recovered,
    "card-claimed": _claimed,
    "person-erased": _erased,
    "shift-closed": _difference,
    "cash-brought": _yen,
    "cash-taken-out": _yen,
}
