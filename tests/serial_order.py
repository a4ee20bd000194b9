"""Was it as if one desk had decided it all, one command after the other? A search for that order.

Each process's commands keep their order, those of one commit stay together, and what was answered before
something else was sent comes before it. The order in which the store committed is tried first; where it
gives another answer than was given, the other orders are, until ``MOST_STEPS`` are used up. What left
nothing behind (broken lines, what was told again) takes its place as soon as it fits and is tried in no
other, since there it is in nobody's way.
"""

import json
import os
from functools import cache
from typing import NamedTuple

from farecard.desk.dry import DryDesk
from farecard.desk.opening import packaged_inputs
from farecard.storage.vault import Vault
from farecard.wire.answer import encode_answer
from farecard.wire.diagnose import Broken
from farecard.wire.line import read_line
from postgres import query
from writers import Call

MOST_STEPS = 20_000


class Group(NamedTuple):
    """Lines that were decided together, and the answers that were given."""

    lines: list[tuple[str, bytes]]
    answers: list[bytes]
    sent: int
    told: int
    rank: float  # where the store's record puts it
    kept: bool = True  # False: a store is after it as it was before


class NotSerialError(AssertionError):
    """There is no such order; the text shows how far the best one comes."""


_inputs = cache(packaged_inputs)  # they never change


class Replayed:
    """One desk without a store, which decides a history in some order."""

    def __init__(self) -> None:
        self._vault = Vault(os.urandom(32))
        self._inputs = _inputs()
        self._anew()

    def _anew(self) -> None:
        self._desk = DryDesk(None, self._vault, self._inputs)
        self._done: list[Group] = []

    def answers(self, group: Group) -> list[bytes]:
        """What it answers to the next group."""
        self._done.append(group)
        return [encode_answer(answer) for answer in self._desk.run(group.lines)]

    def back_to(self, groups: list[Group]) -> None:
        """Have decided these and nothing else."""
        if len(groups) < len(self._done):
            self._anew()
            for group in groups:
                self.answers(group)


def find_order(processes: list[list[Group]]) -> list[Group]:
    """A serial order of the groups that gives the answers given; ``NotSerialError`` when there is none."""
    replayed = Replayed()
    order: list[Group] = []
    at = [0] * len(processes)
    chosen: list[int] = []
    total = sum(map(len, processes))
    untried = [_candidates(processes, at)]
    best: tuple[list[Group], list[str]] = ([], [])
    wrong: list[str] = []
    steps = 0
    while len(order) < total:
        if not untried[-1]:
            if len(order) >= len(best[0]):
                best = (list(order), wrong)
            untried.pop()
            if not untried or steps > MOST_STEPS:
                raise NotSerialError(_report(*best, total, steps))
            at[chosen.pop()] -= 1
            order.pop()
            wrong = []
            continue
        steps += 1
        process = untried[-1].pop()
        group = processes[process][at[process]]
        replayed.back_to(order)
        answers = replayed.answers(group)
        if answers != group.answers:
            wrong = [*wrong, _difference(process, group, answers)]
            continue
        if not group.kept:
            untried[-1].clear()
        order.append(group)
        chosen.append(process)
        at[process] += 1
        wrong = []
        untried.append(_candidates(processes, at))
    return order


def _candidates(processes: list[list[Group]], at: list[int]) -> list[int]:
    """Whose next group may come next, the likeliest last: what leaves nothing, then by the store's record."""
    heads = [(groups[n], p) for p, (groups, n) in enumerate(zip(processes, at, strict=True)) if n < len(groups)]
    first_told = min((group.told for group, _ in heads), default=0)
    may = [(group.kept, group.rank, p) for group, p in heads if group.sent <= first_told]
    return [p for *_, p in sorted(may, reverse=True)]


def _difference(process: int, group: Group, answers: list[bytes]) -> str:
    for (sender, line), given, ours in zip(group.lines, group.answers, answers, strict=True):
        if given != ours:
            return (
                f"process {process}, {sender} sent {line.decode()}\n    was told {_short(given)}\n"
                f"    one desk {_short(ours)}"
            )
    raise AssertionError


def _short(answer: bytes) -> str:
    one = json.loads(answer)
    codes = " ".join(reason["code"] for reason in one["reasons"])
    again = " repeated" if one.get("repeated") else ""
    return f"{one['outcome']}{again} {codes} {json.dumps(one['result'])}"


def _report(order: list[Group], wrong: list[str], total: int, steps: int) -> str:
    how = "" if steps <= MOST_STEPS else f" (given up after {steps} steps)"
    shown = [
        f"  {sender} sent {line.decode()}: {_short(answer)}"
        for group in order[-12:]
        for (sender, line), answer in zip(group.lines, group.answers, strict=True)
    ]
    return "\n".join(
        [f"no serial order{how}: {len(order)} of {total} groups fit, the last of them", *shown, "then", *wrong]
    )


# -- from what processes were told to groups -----------------------------------------------------


def grouped(url: str, processes: list[list[Call]]) -> list[list[Group]]:
    """Put lines together that were committed together, by the store's own record."""
    ids = [json.loads(answer)["id"] for calls in processes for call in calls for answer in call.answers]
    found = query(url, "SELECT sender, id, seq FROM command WHERE id = ANY(%s)", [ids])
    remembered = {(sender, id): seq // 65_536 for sender, id, seq in found}
    by_moment = "SELECT id FROM batch WHERE id = ANY(%s) ORDER BY pg_xact_commit_timestamp(xmin)"
    ranks = {row[0]: float(n) for n, row in enumerate(query(url, by_moment, [list(remembered.values())]))}
    return [[group for call in calls for group in _split(call, remembered, ranks)] for calls in processes]


def _split(call: Call, remembered: dict[tuple[str, str], int], ranks: dict[int, float]) -> list[Group]:
    """The commits of one call: a batch that collided was kept in pieces."""
    batches: list[int | None] = []
    for (sender, line), answer in zip(call.lines, call.answers, strict=True):
        one = json.loads(answer)
        codes = {reason["code"] for reason in one["reasons"]}
        no_trace = one.get("repeated") or "id-used" in codes or isinstance(read_line(line)[0], Broken)
        batches.append(None if no_trace else remembered.get((sender, one["id"])))
    _bridge(batches)
    groups: list[Group] = []
    start = 0
    for n in range(1, len(batches) + 1):
        if n < len(batches) and batches[n] is not None and batches[n] == batches[start]:
            continue
        rank = _rank(batches, start, ranks)
        kept = batches[start] is not None
        groups.append(Group(call.lines[start:n], call.answers[start:n], call.sent, call.told, rank, kept))
        start = n
    return groups


def _bridge(batches: list[int | None]) -> None:
    """A line that left nothing in the store belongs to the commit that both its neighbours belong to."""
    last: int | None = None
    for n, batch in enumerate(batches):
        if batch is None:
            continue
        if last is not None and batches[last] == batch:
            batches[last:n] = [batch] * (n - last)
        last = n


def _rank(batches: list[int | None], start: int, ranks: dict[int, float]) -> float:
    """Its commit's place; of lines that left nothing: just before the next commit of the call."""
    for n, batch in enumerate(batches[start:]):
        if batch is not None:
            return ranks[batch] - (0.5 if n else 0)
    return max((ranks[batch] + 0.5 for batch in batches if batch is not None), default=-1.0)
