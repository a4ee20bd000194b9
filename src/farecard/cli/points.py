"""``farecard why`` and ``farecard grants preview``: where points are, and where they will come."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from farecard.cli.ask import moment_of, of_card, tell_pending
from farecard.cli.errors import UsageError
from farecard.cli.show import print_json, table
from farecard.model.moments import moment_now
from farecard.questions import answers
from farecard.questions.pending import pending
from farecard.questions.preview import preview
from farecard.rules.grants import month_number
from farecard.storage.opening import open_to_read
from farecard.texts import written


def why(args: Any) -> int:
    """``farecard why CARD``: sentences; as JSON each with its rule, code and figures."""
    got = of_card(args, answers.points_told)
    if got is None:
        return 1
    told = got[0]
    if args.json:
        print_json(told)
        return 0
    for line in aloud(told, args.lang):
        print(line)
    return 0


def aloud(told: list[dict[str, Any]], language: str) -> Iterator[str]:
    """Lines for people: each measure's first sentence begins with its name, the others stand under it."""
    before = None
    for one in told:
        measure = None if one["measure"] is None else (one.get("campaign"), one["measure"])
        if measure is None:
            yield _sentence(one, language)
        elif measure != before:
            name = one["title"][language]
            yield f"{name[0].upper()}{name[1:]}: {_sentence(one, language)}"
        else:
            yield f"  {_sentence(one, language)}"
        before = measure


def _sentence(one: dict[str, Any], language: str) -> str:
    """A sentence with its rule behind; of a top-up its day and yen come first."""
    text = one[language]
    if "amount" in one["params"]:
        day = written.day(one["params"]["day"], language)
        yen = written.yen(one["params"]["amount"], language)
        text = (
            f"{day}、{yen}：{text}"
            if language == "ja"
            else f"{day}, {yen}: {text[0].lower()}{text[1:]}"
        )
    rule = f" ({one['rule']})" if one["rule"] else ""
    return f"{text}{rule}"


def _previewed(args: Any, month: int, at: int | None) -> list[dict[str, Any]]:
    if args.export is None:
        with closing(open_to_read(args.store)) as store:
            tell_pending(pending(store, f"grants:{args.month}"))
            return preview(store, month, moment_now() if at is None else at)
    from farecard.export.reading import Exported, NoExportError

    try:
        with closing(Exported(Path(args.export))) as exported:
            return preview(exported, month, exported.at if at is None else at)
    except NoExportError as error:
        raise UsageError(f"--export: {error}") from None


def grants_preview(args: Any) -> int:
    """``farecard grants preview MONTH``: nothing is granted."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", args.month):
        raise UsageError("MONTH: a month like 2023-08")
    answer = _previewed(args, month_number(args.month), moment_of(args))
    if args.json:
        print_json(answer)
        return 0
    rows = []
    for one in answer:
        name = f"{one['campaign']} {one['measure']}"
        rows.append((name, "to be granted now", "", one["grants"], one["points"]))
        rows += [
            (name, other["code"], other["rule"], other["count"], "") for other in one["others"]
        ]
    table(("measure", "what", "rule", "how many", "points"), rows)
    return 0
