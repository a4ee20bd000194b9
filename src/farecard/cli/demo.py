"""``farecard demo``: the shipped journal and a generated one, decided, and what came of them."""

import os
import shlex
import sys
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from farecard.cli import windows
from farecard.cli.ask import by_head, show_books
from farecard.cli.errors import UsageError
from farecard.cli.journal import Summary
from farecard.cli.points import aloud
from farecard.cli.show import Progress, print_json, table
from farecard.desk.opening import writing_desk
from farecard.model.commands import parse_number
from farecard.model.moments import moment_now, parse_moment
from farecard.questions.answers import points_told
from farecard.questions.books import trial_balance
from farecard.questions.card import moment
from farecard.rules.catalogue import RULES
from farecard.sample import journal
from farecard.storage.opening import DEFAULT_URL, is_postgres, place_of
from farecard.storage.store import Store
from farecard.texts import explain

# one who is short of the target, one whose bank is slow, one who lost the card
WHY = ("JW900000000000021", "JW900000000000022", "JW900000000000024")
WHY_AS_OF = "2023-05-01T09:00:00+09:00"


def demo(args: Any) -> int:
    """Make a store (``demo.db`` unless named), fill it, and show it."""
    url = "sqlite:///demo.db" if args.store == DEFAULT_URL else args.store
    place = place_of(url)
    if args.commands < 0:
        raise UsageError("--commands: how many commands, 0 or more")
    desk = writing_desk(url)
    lines = journal(args.commands, 1)
    if args.serve:
        lines = windows.until_today(lines)
    stories = Path(__file__).with_name("demo.ndjson").read_bytes().splitlines()
    answers = desk.run([("demo", line) for line in stories])
    summary = Summary()
    started = perf_counter()
    progress = Progress(args.commands, "command")
    while some := list(islice(lines, 4096)):
        summary.count(desk.run([("sample", line) for line in some]))
        progress.advance(len(some))
    progress.close()
    seconds = perf_counter() - started
    books = trial_balance(desk.store, desk.inputs.tariff, None, moment_now())
    if args.json:
        print_json({"outcomes": summary.outcomes, "refusals": summary.rules, "books": books})
        return 0
    _stories(stories, answers, args.lang)
    total = sum(summary.outcomes.values())
    print(f"\n== A generated journal: {total:,} commands in {seconds:.1f} s\n")
    table(("outcome", "commands"), summary.outcomes.most_common())
    print("\n== What was refused, referred or no command, by the rule or reason that said so\n")
    table(("rule", "times", "what it says"), _by_rule(summary, args.lang))
    print("\n== The trial balance\n")
    show_books(by_head(books))
    print("\n== Three people who ask about their points, as of 1 May\n")
    _people(desk.store, args.lang)
    again = (
        " (it was filled already: every command got the answer it had before)"
        if answers[0].repeated
        else ""
    )
    print(f"\n== What to try next: the store is {place}{again}\n")
    program = os.path.relpath(sys.argv[0]) if "/" in sys.argv[0] else sys.argv[0]
    command = (
        f"{program} --store {shlex.quote(place if is_postgres(url) else f'sqlite:///{place}')}"
    )
    for what in (
        "status JW900000000000001",
        "history JW900000000000001",
        "status JW900000000000001 --as-of 2023-03-01T12:00:00+09:00",
        "quote reissue JW900000000000004",
        "trial-balance --as-of 2023-03-01",
        "check",
    ):
        print(f"  {command} {what}")
    print(f"  {program} explain RFD-1")
    print(f"  {program} sample --commands 1000 | {program} --store sqlite:///mine.db replay -")
    if args.serve:
        return windows.serve_all(desk, url)
    return 0


def _stories(lines: list[bytes], answers: list[Any], language: str) -> None:
    import msgspec

    print("== The guide's own examples, and a few more\n")
    for line, answer in zip(lines, answers, strict=True):
        c = msgspec.json.decode(line)
        card = c.get("card", "")[-4:]
        figures = " ".join(f"{k}={c[k]}" for k in ("paid", "amount", "cash", "station") if k in c)
        said = bytes(answer.result).decode() if answer.outcome == "accepted" else ""
        print(
            f"{c['at'][:16].replace('T', ' ')}  {c['channel']:<17} {c['do']:<15} …{card}  {figures}"
        )
        print(f"      {answer.outcome} {said}")
        for reason in answer.reasons:
            print(f"      {reason.rule or reason.code}: {explain(reason)[language]}")


def _people(store: Store, language: str) -> None:
    """What ``farecard why`` tells of the three who applied in the shipped journal."""
    for card in WHY:
        print(f"farecard why {card} --as-of {WHY_AS_OF}")
        said = points_told(store, parse_number(card), moment(parse_moment(WHY_AS_OF)))
        for line in aloud(said, language):
            print(f"      {line}")


def _by_rule(summary: Summary, language: str) -> list[tuple[str, int, str]]:
    told = []
    for name, times in sorted(summary.rules.items(), key=lambda item: -item[1]):
        rule = RULES.get(name)
        text = "" if rule is None else (rule.ja if language == "ja" else rule.en)
        told.append((name, times, text if len(text) <= 90 else text[:87] + "..."))
    return told
