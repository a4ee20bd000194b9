"""The scenarios of ``tests/scenarios``: the text is the test."""

import pytest

from farecard.model.moments import parse_day
from farecard.rules.prepaid import is_report_day, to_secure
from farecard.tariff import Tariff, packaged_text
from scenario import FOLDER, Step, line_of, read_all
from test_docs import CATALOGUE

SCENARIOS = read_all()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s.file}: {s.title}")
def test_scenario(scenario, runner):
    """Each row is answered as it says, and the books fit the cards after every row."""
    runner.run(scenario)


def test_every_id_of_the_catalogue_stands_in_a_heading():
    """No rule without a scenario that names it; PUB-15 is a figure and is tested below."""
    named = set().union(*(scenario.rules for scenario in SCENARIOS)) | {"PUB-15"}
    assert set(CATALOGUE) - named == set()


def test_every_row_says_why():
    """A figure without a reason cannot be checked by a clerk."""
    for scenario in SCENARIOS:
        for step in scenario.steps:
            assert step.why, (scenario.title, step.what)


def test_the_handbook_explains_the_format():
    """The README of the scenarios is there for whoever adds one."""
    assert (FOLDER / "README.md").read_text("utf-8").count("|") > 10
    step = Step("2023-03-01 09:00", "counter", "issue A anonymous paid=2000", "accepted", "x")
    assert line_of(step, "1").startswith(b"{")


# PUB-15: half of what is above ten million yen is not meant; half of all of it is, once it is above.
@pytest.mark.parametrize(
    ("unused", "secured"),
    [(0, 0), (9_999_999, 0), (10_000_000, 0), (10_000_001, 5_000_001), (25_000_000, 12_500_000)],
)
def test_pub_15_what_is_secured(unused, secured):
    """Nothing up to ten million yen, at least half of it all above, rounded up."""
    rates = Tariff(packaged_text()).on(parse_day("2024-03-31"))
    assert to_secure(unused, rates) == secured


@pytest.mark.parametrize(
    ("day", "reported"),
    [("2024-03-30", False), ("2024-03-31", True), ("2024-04-01", False),
     ("2024-09-29", False), ("2024-09-30", True), ("2024-10-01", False)],
)  # fmt: skip
def test_pub_15_the_days_of_the_report(day, reported):
    """The unused balance is reported as it stood on 31 March and 30 September."""
    rates = Tariff(packaged_text()).on(parse_day(day))
    assert is_report_day(parse_day(day), rates) is reported
