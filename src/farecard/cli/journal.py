"""``farecard replay`` and ``farecard try``: a journal in, decisions out."""

import os
import stat
import sys
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.lines import batches, is_waiting
from farecard.cli.show import Progress, say
from farecard.desk.desk import MOST_A_BATCH, Desk
from farecard.desk.flow import Flow
from farecard.desk.opening import collect_rarely, dry_desk, writing_desk
from farecard.storage.opening import is_there, place_of
from farecard.texts import explain
from farecard.wire.answer import Answer, encode_answer
from farecard.wire.diagnose import is_name


class Summary:
    """What a journal came to: decisions by outcome, refusals by rule."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.repeated = 0

    def count(self, answers: list[Answer]) -> None:
        """Count a batch."""
        for answer in answers:
            self.outcomes[answer.outcome] += 1
            if answer.repeated:
                self.repeated += 1
            if answer.reasons:
                first = answer.reasons[0]
                self.rules[first.rule or first.code] += 1


def run_journal(desk: Desk, source: "Source", sender: str, most: int, out: Any) -> Summary:
    """Decide a journal batch by batch; ``out`` takes each batch's answers."""
    summary = Summary()
    progress = Progress(source.size, "B")
    flow = Flow(desk, most)

    def tell(answers: list[Answer]) -> None:
        summary.count(answers)
        out(answers)

    try:
        for lines in batches(source.descriptor, flow.a_put):
            flow.put(desk.read([(sender, line) for line in lines]), tell)
            if source.size is None and not is_waiting(source.descriptor):
                flow.finish()  # whoever sends line by line waits for this answer
            progress.advance(sum(map(len, lines)) + len(lines))
        flow.finish()
    finally:
        progress.close()
    return summary


class Source:
    """An opened journal; ``-`` is standard input. Opened before any store is made for it."""

    def __init__(self, file: str) -> None:
        self.size: int | None = None
        if file == "-":
            self.descriptor = sys.stdin.fileno()
            return
        try:
            self.descriptor = os.open(file, os.O_RDONLY)
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}") from None
        about = os.fstat(self.descriptor)
        if stat.S_ISDIR(about.st_mode):
            raise UsageError(f"{file}: is a folder, not a journal")
        if stat.S_ISREG(about.st_mode):
            self.size = about.st_size


def write_lines(answers: list[Answer]) -> None:
    """Decisions for machines: one JSON object a line, at once."""
    sys.stdout.buffer.write(b"\n".join(map(encode_answer, answers)) + b"\n")
    sys.stdout.buffer.flush()


def write_for_people(language: str) -> Any:
    """Decisions for people: a line each, with the sentence that explains it."""

    def write(answers: list[Answer]) -> None:
        for answer in answers:
            again = " (again)" if answer.repeated else ""
            print(f"{answer.id or '?'}  {answer.outcome}{again}  {bytes(answer.result).decode()}")
            for reason in [*answer.reasons, *answer.warnings]:
                print(f"      {reason.rule or '-'}: {explain(reason)[language]}")
        sys.stdout.flush()

    return write


def _run(args: Any, make: Callable[[str], Desk], what: str) -> int:
    if not 1 <= args.batch <= MOST_A_BATCH:
        raise UsageError(f"--batch: from 1 to {MOST_A_BATCH:,} commands a commit")
    if not is_name(args.sender):
        raise UsageError("--sender: 1 to 64 characters of UTF-8, none of them a control character")
    source = Source(args.file)
    as_lines = args.json or not sys.stdout.isatty()
    out = write_lines if as_lines else write_for_people(args.lang)
    collect_rarely()
    started = perf_counter()
    summary = run_journal(make(args.store), source, args.sender, args.batch, out)
    tell(summary, perf_counter() - started, what)
    return 0


def tell(summary: Summary, seconds: float, what: str) -> None:
    """The closing words on standard error."""
    total = sum(summary.outcomes.values())
    said = ", ".join(f"{n:,} {outcome}" for outcome, n in summary.outcomes.most_common())
    rate = f"{total / seconds:,.0f} a second" if seconds else ""
    say(f"{total:,} commands {what} in {seconds:.1f} s ({rate}): {said or 'nothing to decide'}")
    if summary.repeated:
        say(f"{summary.repeated:,} of them had been decided before and got the same answer")


def replay(args: Any) -> int:
    """``farecard replay FILE``."""
    return _run(args, writing_desk, "decided")


def dry_run(args: Any) -> int:
    """``farecard try FILE``."""
    if not is_there(args.store):
        say(f"there is no store at {place_of(args.store)}: decided as for a new one")
    return _run(args, dry_desk, "tried, nothing kept,")
