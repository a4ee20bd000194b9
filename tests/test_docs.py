"""What the pages say is so."""

import re
from pathlib import Path

import pytest

import make_docs
from conftest import WORKED_EXAMPLE, farecard
from farecard.api.limits import LIMITS, Limits
from farecard.cli.main import parser
from farecard.ledger import chart
from farecard.model.commands import COMMANDS, name_of
from farecard.rules.catalogue import RULES

ROOT = Path(__file__).parent.parent
CATALOGUE = (
    [f"CARD-{n}" for n in range(1, 9)]
    + [f"CHG-{n}" for n in range(1, 9)]
    + [f"RIDE-{n}" for n in range(1, 4)]
    + ["SHOP-1"]
    + [f"RFD-{n}" for n in range(1, 9)]
    + [f"RIS-{n}" for n in range(1, 6)]
    + [f"WST-{n}" for n in range(1, 8)]
    + [f"MYN-{n}" for n in range(1, 19)]
    + [f"STP-{n}" for n in range(1, 9)]
    + [f"PUB-{n}" for n in range(1, 16)]
)


def test_every_id_of_the_catalogue_has_a_rule_and_no_other_is_there():
    """One function registers each id."""
    assert sorted(RULES) == sorted(CATALOGUE)


def test_the_rules_page_is_what_the_code_says():
    """``make docs`` writes it; nobody edits it by hand."""
    assert (ROOT / "docs" / "rules.md").read_text("utf-8") == make_docs.rules_page()
    assert (ROOT / "docs" / "places.md").read_text("utf-8") == make_docs.places_page()


@pytest.mark.parametrize("id", CATALOGUE)
def test_every_rule_can_be_explained_in_both_languages(id, capsys):
    """``farecard explain`` knows each id, its source and its place."""
    from farecard.cli.main import main

    assert main(["explain", id]) == 0
    said = capsys.readouterr().out
    assert RULES[id].ja in said
    assert RULES[id].en in said
    assert re.search("[ぁ-ん]", RULES[id].ja)
    for name in RULES[id].tariff:
        assert name in said or name == "quick_charge_last_day"


def test_the_glossary_names_every_command_and_ledger_head():
    """A word used in code is a word explained."""
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8").lower()
    for word in ("issue", "top up", "refund", "reissue", "slip", "deposit", "stored fare", "fee"):
        assert f"| {word}" in glossary or f", {word}" in glossary
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    for command in COMMANDS:
        assert f"`{name_of(command)}`" in page
    for head in chart.HEADS:
        assert f"`{head}" in page


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_readme_names_every_command_of_the_command_line(readme):
    """A command that the README does not mention is a command nobody finds."""
    text = (ROOT / readme).read_text("utf-8")
    actions = [a for a in parser()._actions if a.dest == "command"]
    for name in actions[0].choices:
        assert f"farecard {name}" in text, name


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_readmes_tour_runs_and_prints_what_it_says(readme, tmp_path):
    """Each ``$ farecard`` of the tour prints the lines below it."""
    text = (ROOT / readme).read_text("utf-8")
    tour = re.search(r"```console\n(.*?)```", text, re.DOTALL)[1]
    (tmp_path / "day.ndjson").write_bytes(WORKED_EXAMPLE)
    steps = re.split(r"^\$ farecard ", tour, flags=re.MULTILINE)[1:]
    assert len(steps) >= 4
    for step in steps:
        call, _, expected = step.partition("\n")
        lang = ("--lang", "ja") if readme.endswith("ja.md") else ("--lang", "en")
        said = farecard(*call.split(), *lang, cwd=tmp_path).stdout.decode()
        for line in expected.strip().splitlines():
            if line != "...":
                assert line.removesuffix(" ...") in said, f"{call}: {line}"


def test_no_page_or_source_names_a_registry_or_this_machine():
    """What is published is the project's own."""
    wrong = re.compile("py" + r"pi\.org|files\.pythonhosted|/wo" + "rk/|/ro" + "ot/")
    for path in ROOT.rglob("*"):
        hidden = any(part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts)
        if path.is_file() and not hidden and path.suffix in {".py", ".md", ".toml", ".txt", ".in", ".sql", ""}:
            assert not wrong.search(path.read_text("utf-8", errors="ignore")), path


def test_the_page_on_http_names_every_limit_with_its_default():
    """A limit that nobody finds cannot be changed; a wrong default misleads."""
    page = (ROOT / "docs" / "http.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", page, re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == {
        name: float(getattr(Limits(), name)) for name in LIMITS
    }
