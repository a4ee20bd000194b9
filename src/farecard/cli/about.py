"""``farecard rules`` and ``farecard explain ID``: the catalogue, held against the code."""

from difflib import get_close_matches
from typing import Any

import farecard.desk.decide  # every rule file registers itself
import farecard.rules.measures
import farecard.rules.prepaid
import farecard.rules.privacy  # noqa: F401  (what no decision asks)
from farecard.cli.errors import UsageError
from farecard.cli.show import print_json, table
from farecard.rules.catalogue import RULES, Rule
from farecard.tariff import Row, Tariff, packaged_text


def in_order() -> list[Rule]:
    """The rules in the catalogue's order."""
    families = ("CARD", "CHG", "RIDE", "SHOP", "RFD", "RIS", "WST", "MYN", "STP", "PUB")

    def key(rule: Rule) -> tuple[int, int]:
        family, _, number = rule.id.partition("-")
        return families.index(family), int(number)

    return sorted(RULES.values(), key=key)


def where(rule: Rule) -> str:
    """Where a rule stands: file and function."""
    return f"{rule.module.removeprefix('farecard.').replace('.', '/')}.py:{rule.function}"


def rules(args: Any) -> int:
    """Every rule with its sentence, source and place in the code."""
    if args.json:
        print_json([
            {"id": r.id, "ja": r.ja, "en": r.en, "source": r.source, "where": where(r), "line": r.line}
            for r in in_order()
        ])  # fmt: skip
    else:
        told = [(r.id, where(r), r.ja if args.lang == "ja" else r.en) for r in in_order()]
        table(("rule", "where", "what it promises"), told)
    return 0


def explain(args: Any) -> int:
    """One rule in both languages, with its source and the tariff rows it reads."""
    rule = RULES.get(args.id.upper())
    if rule is None:
        close = get_close_matches(args.id.upper(), RULES, 3)
        hint = f"; did you mean {', '.join(close)}?" if close else "; `farecard rules` lists them"
        raise UsageError(f"no rule is called {args.id}{hint}")
    rows = [row for row in Tariff(packaged_text()).rows if row.name in rule.tariff]
    if args.json:
        print_json({
            "id": rule.id, "ja": rule.ja, "en": rule.en, "source": rule.source,
            "where": where(rule), "line": rule.line, "tariff": rows,
        })  # fmt: skip
        return 0
    print(f"{rule.id}\n\n  {rule.ja}\n\n  {rule.en}\n")
    print(f"  source: {rule.source}\n  code:   {where(rule)}, line {rule.line}")
    for row in rows:
        print(f"  tariff: {row.name} = {_value(row)} ({row.unit}){_span(row)}")
        print(f"          {row.source}, checked on {row.checked_on}")
    return 0


def _value(row: Row) -> str:
    value = row.value
    if isinstance(value, list):
        return ", ".join(f"{one:,}" if isinstance(one, int) else str(one) for one in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _span(row: Row) -> str:
    if row.from_ is None and row.until is None:
        return ""
    return f", from {row.from_ or 'ever'} until {row.until or 'further notice'}"
