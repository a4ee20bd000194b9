"""Write the generated pages: ``docs/rules.md``. A test holds them equal to the code."""

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
        "Generated from the code by `make docs`; `farecard explain ID` tells the same. Rules of points,",
        "Myna Point and the stamp rally are not in this version.",
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


if __name__ == "__main__":
    (DOCS / "rules.md").write_text(rules_page(), "utf-8")
