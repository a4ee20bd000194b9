"""The API's description is true: what it shows is taken, what is answered is as it says."""

import json
import re

import jsonschema_rs
import pytest

from conftest import answers, new_desk
from farecard.api import membership, proposing
from farecard.api.examples import EXAMPLES
from farecard.api.known_problems import PROBLEMS
from farecard.api.openapi import openapi
from farecard.api.problems import document
from farecard.api.schemas import FIGURES, RESULTS
from farecard.model.commands import COMMANDS, name_of
from farecard.sample import journal
from farecard.wire.diagnose import Broken
from farecard.wire.line import read_line

SAID = openapi("0")
SCHEMAS = SAID["components"]["schemas"]


def validator(name):
    """Holds a value against one of the document's schemas."""
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": SAID["components"]})


@pytest.mark.parametrize("do", EXAMPLES)
def test_each_example_is_a_command_here_and_there(do):
    """The wire reads it, and its own schema and that of all commands take it."""
    command, _ = read_line(json.dumps(EXAMPLES[do]).encode())
    assert not isinstance(command, Broken), command.reasons
    validator(type(command).__name__).validate(EXAMPLES[do])
    validator("Command").validate(EXAMPLES[do])


def test_every_command_is_described_with_what_it_answers():
    """None is forgotten, none is made up."""
    names = {name_of(one) for one in COMMANDS}
    assert set(EXAMPLES) == set(RESULTS) == names
    assert set(SCHEMAS["Command"]["discriminator"]["mapping"]) == names


def test_what_is_no_command_is_none_of_its_schema():
    """A field more, a field less, a wrong number, a fraction of a yen."""
    good = EXAMPLES["purchase"]
    check = validator("Command")
    for bad in (
        good | {"more": 1}, {k: v for k, v in good.items() if k != "amount"}, good | {"card": "JW1"},
        good | {"amount": 1.5}, good | {"channel": "moon"}, good | {"do": "fly"},
    ):  # fmt: skip
        assert not check.is_valid(bad), bad


def test_every_decision_on_a_long_sample_is_as_described(tmp_path):
    """All outcomes; of an accepted command the result has exactly the fields that stand there."""
    lines = list(journal(6_000, seed=17))
    got = answers(new_desk(tmp_path), lines)
    check = validator("Decision")
    seen = set()
    for line, answer in zip(lines, got, strict=True):
        check.validate(answer)
        if answer["outcome"] == "accepted":
            do = json.loads(line)["do"]
            assert set(answer["result"]) == set(RESULTS[do]), do
            jsonschema_rs.validate({"properties": RESULTS[do]}, answer["result"])
            seen.add(do)
        else:
            assert set(answer["result"]) <= set(FIGURES)
            jsonschema_rs.validate({"properties": FIGURES}, answer["result"])
    assert len(seen) > 18
    assert {one["outcome"] for one in got} == {"accepted", "refused", "referred", "invalid"}


def test_every_problem_is_as_described():
    """Each with its status and its place on the page."""
    check = validator("Problem")
    for status, reasons in PROBLEMS.items():
        for reason in reasons:
            check.validate(document(status, reason))


def test_every_problem_in_the_source_is_described():
    """Whatever is raised as a problem stands in the document, under its status."""
    from pathlib import Path

    import farecard.api

    source = "".join(path.read_text("utf-8") for path in Path(farecard.api.__file__).parent.glob("*.py")
                     if path.name != "known_problems.py")  # fmt: skip
    raised = set(re.findall(r'Reason\(\s*None,\s*"([a-z-]+)"', source)) - {"clock-ahead"}
    described = {one.code for some in PROBLEMS.values() for one in some}
    assert raised <= described
    of_domain = {"bad-campaign", "bad-tariff", "individual-number", "control-character", *proposing.STATUS, *membership.STATUS}
    of_keys = {
        "channel-not-allowed", "place-not-allowed", "merchant-not-allowed", "company-not-allowed", "by-not-allowed",
        "command-not-allowed", "needs-two", "member-not-allowed", "not-a-members-field",
    }  # fmt: skip
    assert described - raised == (of_keys | of_domain) - raised


def test_the_references_lead_somewhere():
    """No part of the document names another that is not there."""
    for ref in re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(SAID)):
        assert ref[1] in SAID["components"][ref[0]], ref
