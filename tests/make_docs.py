"""Write the generated pages: ``docs/rules.md``. A test holds them equal to the code."""

import csv
from pathlib import Path

from farecard.cli.about import in_order, where
from farecard.tariff import Tariff, packaged_text

DOCS = Path(__file__).parent.parent / "docs"


def rules_page() -> str:
    """``docs/rules.md``: each rule with its sentence in both languages, source, code and figures."""
    rows = {row.name: row for row in Tariff(packaged_text()).rows}
    out = [
        "# The rules",
        "",
        "Generated from the code by `make docs`; `farecard explain ID` tells the same.",
        "",
    ]
    for rule in in_order():
        out += [f"## {rule.id}", "", rule.ja, "", rule.en, ""]
        out += [f"- source: `{rule.source}`", f"- code: `{where(rule)}`"]
        for name in rule.tariff:
            row = rows.get(name)
            if row is None:
                out.append(f"- tariff: `{name}`: not set")
            else:
                value = row.value
                shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
                out.append(f"- tariff: `{name}` = {shown} ({row.unit}); {row.source}, checked on {row.checked_on}")
        out.append("")
    return "\n".join(out)


def places_page() -> str:
    """``docs/places.md``: the table of places, a section a command."""
    with (Path(__file__).parent / "places.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    out = [
        "# Which place may send which command, for which kind of card",
        "",
        "Every cell is tried by a test. `yes`; or the rule that refuses; `-`: refused, no rule speaks of the",
        "place; `no-slip`: the kind is never reissued, so there is no slip to bring.",
    ]
    channels = [name for name in rows[0] if name not in ("kind", "do")]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    for do in dict.fromkeys(row["do"] for row in rows):
        out += ["", f"## `{do}`", "", f"| channel | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
        cells = {row["kind"]: row for row in rows if row["do"] == do}
        out += [f"| {c} | {' | '.join(cells[kind][c] for kind in kinds)} |" for c in channels]
    return "\n".join([*out, ""])


if __name__ == "__main__":
    (DOCS / "rules.md").write_text(rules_page(), "utf-8")
    (DOCS / "places.md").write_text(places_page(), "utf-8")
