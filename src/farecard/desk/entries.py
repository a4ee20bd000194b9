"""Lines as they were read, and what they touch."""

import msgspec

from farecard.model.commands import (
    COMMANDS,
    CollectReissue,
    Command,
    MoveToPhone,
    Notice,
    ResolveCase,
    Reverse,
    Run,
)
from farecard.rules.refund import read_paper
from farecard.wire.diagnose import Broken


class Entry(msgspec.Struct, gc=False):
    """One line as it was read: a command with its digest, or what is wrong with it.

    ``who`` are the digests of an issue's holder: of name and birthday, and of the phone number; ``person`` is
    the digest of the person whom an application or notice names.
    """

    sender: str
    command: Command | None
    digest: bytes
    broken: Broken | None = None
    who: tuple[bytes, bytes] | None = None
    person: str | None = None


class Asked(msgspec.Struct):
    """What some entries touch, and of it what the store was asked for.

    ``epoch`` is the life of the facts it was asked in, ``taken`` the turn in which they are all at hand.
    """

    ids: dict[str, list[str]]  # the ids to look for, by sender
    originals: list[tuple[str, str]]  # of them, those that are to be reversed
    numbers: set[int]  # the cards
    accounts: set[int]  # accounts that are named without a card
    names: list[bytes]  # the name keys of new holders
    persons: list[str]  # the keys of people who apply, or of whom something is reported
    cases: list[str]  # the numbers of cases that are closed or rested on
    epoch: int = -1
    answered: bool = False
    taken: int = -1
    first: list[int] = []  # accounts asked for
    keys: list[bytes] = []  # names asked for
    people: list[str] = []  # persons asked for


_OF_CASES = frozenset(one for one in COMMANDS if "case" in one.__struct_fields__)


def touched(entries: list[Entry]) -> Asked:
    """What deciding these will look at, as far as they say themselves."""
    ids: dict[str, list[str]] = {}
    originals = []
    numbers: set[int] = set()
    accounts: set[int] = set()
    names = []
    persons = []
    cases = []
    for entry in entries:
        some = ids.get(entry.sender)
        if some is None:
            some = ids[entry.sender] = []
        c = entry.command
        if c is None:
            assert entry.broken is not None
            if entry.broken.id is not None:
                some.append(entry.broken.id)
            continue
        some.append(c.id)
        kind = type(c)
        if kind in _OF_CASES and c.case is not None:  # type: ignore[attr-defined]
            cases.append(c.case)  # type: ignore[attr-defined]
        if kind is ResolveCase:
            continue
        if kind is Reverse:
            sender = c.of_sender or entry.sender  # type: ignore[attr-defined]
            ids.setdefault(sender, []).append(c.of)  # type: ignore[attr-defined]
            originals.append((sender, c.of))  # type: ignore[attr-defined]
            continue
        if isinstance(c, Run):
            continue
        if entry.person is not None:
            persons.append(entry.person)
            if isinstance(c, Notice):
                continue
        numbers.add(c.card)  # type: ignore[attr-defined]  # every other command names a card
        if entry.who is not None:
            names.append(entry.who[0])
        elif kind is MoveToPhone:
            numbers.add(c.to)  # type: ignore[attr-defined]
        elif kind is CollectReissue:
            paper = read_paper("S", c.slip)  # type: ignore[attr-defined]
            if paper is not None:
                numbers.add(paper[0])
                accounts.add(paper[0])
    return Asked(
        ids, originals, numbers, accounts, list(dict.fromkeys(names)), list(dict.fromkeys(persons)),
        cases,
    )  # fmt: skip


def cards_of(entries: list[Entry]) -> list[int]:
    """The numbers that commands name: mostly the ids of their accounts."""
    found = set()
    for entry in entries:
        number = getattr(entry.command, "card", None)
        if number is not None:
            found.add(number)
    return sorted(found)


def is_run(entry: Entry) -> bool:
    """Whether it is for all cards at once, and so for itself alone."""
    return isinstance(entry.command, Run)


def parts(entries: list[Entry]) -> list[list[Entry]]:
    """Entries cut so that each run stands alone: what comes before it is kept before it begins."""
    if not any(map(is_run, entries)):
        return [entries] if entries else []
    found: list[list[Entry]] = []
    alone = True
    for entry in entries:
        before, alone = alone, is_run(entry)
        if before or alone:
            found.append([])
        found[-1].append(entry)
    return found
