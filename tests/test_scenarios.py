"""The scenarios of ``tests/scenarios``: the text is the test."""

import json
import re

import pytest

from farecard.desk.dry import DryDesk
from farecard.desk.opening import packaged_inputs, sample_network
from farecard.model.moments import parse_day
from farecard.network import Network, Networks
from farecard.network.tables import Tables
from farecard.questions.books import sums
from farecard.rules.prepaid import is_report_day, to_secure
from farecard.tariff import Tariff, packaged_text
from scenario import FOLDER, Runner, ScenarioError, Step, check, line_of, read_all
from test_docs import CATALOGUE

SCENARIOS = read_all()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s.file}: {s.title}")
def test_scenario(scenario, runner):
    """Each row is answered as it says, and the books fit the cards after every row."""
    runner.run(scenario)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s.file}: {s.title}")
def test_scenario_on_postgresql(scenario, runner, postgres_runner):
    """PostgreSQL answers each row as it says too, and to the byte as SQLite does."""
    assert without_roots(postgres_runner.run(scenario)) == without_roots(runner.run(scenario))


def without_roots(answers: list[bytes]) -> list[bytes]:
    """The root of a draw's list comes from the store's own key, and these are two stores."""
    return [re.sub(rb'"root":"[0-9a-f]{64}"', b'"root":""', answer) for answer in answers]


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


# no rule warns yet, so no row can show it: the comparison itself is held to what it promises
@pytest.mark.parametrize(
    ("answer", "codes", "fits"),
    [
        ("accepted", [], True),
        ("accepted", ["points-lost"], False),
        ("accepted warn=points-lost", [], False),
        ("accepted warn=points-lost", ["points-lost"], True),
        ("accepted warn=points-lost", ["points-lost", "never-granted"], False),
        ("accepted warn=never-granted warn=points-lost", ["points-lost", "never-granted"], True),
    ],
)
def test_a_row_names_every_warning_of_its_answer(answer: str, codes: list[str], fits: bool) -> None:
    """One that is named and missing fails the row, and so does one that nobody named."""
    step = Step("2023-03-01 09:00", "counter", "refund A", answer, "x")
    got = {"outcome": "accepted", "result": {}, "warnings": [{"code": code} for code in codes]}
    if fits:
        check(step, got)
    else:
        with pytest.raises(ScenarioError, match="warnings"):
            check(step, got)


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


def test_ris_2_the_fee_and_the_lost_cards_deposit_are_the_issuers(runner: Runner) -> None:
    """Of 1,020 yen for a lost card 520 is earned and 500 held; the lost card's deposit is kept."""
    desk = runner.desk()
    for n, step in enumerate([
        Step("2023-03-01 09:00", "counter", "issue A named Mori paid=2000", "accepted", "sold"),
        Step("2023-03-01 10:00", "phone", "report_lost A", "accepted", "lost"),
        Step("2023-03-02 09:00", "counter", "collect_reissue slip=A card=B paid=1020", "accepted", "new"),
    ]):  # fmt: skip
        answer = desk.run([("journal", line_of(step, str(n)))])[0]
        assert answer.outcome == "accepted"
    books = {name: credit - debit for name, (debit, credit) in sums(desk.store).items()}
    assert books == {
        "cash:counter:-": -3020,  # 2,000 for the card and 1,020 for the new one
        "stored-fare-liability": 1500,
        "deposits-held": 500,
        "deposits-forfeited": 500,
        "reissue-fees": 520,
    }


@pytest.mark.parametrize(
    ("left", "where"),
    [("2023-04-01 00:20", "gate"), ("2023-04-05 09:00", "counter"), ("2023-04-05 09:00", "fare-adjustment")],
)  # fmt: skip
def test_card_5_the_fare_is_that_of_the_day_of_entry(runner: Runner, left: str, where: str) -> None:
    """A fare that rises at midnight is not asked of who came in the day before."""
    old = sample_network()
    dearer = Tables(old.lines, [(one, other, 1000, 500) for one, other, _, _ in old.fares])
    networks = Networks([(0, Network(1, old)), (parse_day("2023-04-01"), Network(2, dearer))])
    desk = DryDesk(None, runner.vault, packaged_inputs()._replace(networks=networks))
    for n, step in enumerate([
        Step("2023-03-31 09:00", "counter", "issue A anonymous paid=2000", "accepted", "a card"),
        Step("2023-03-31 23:50", "gate", "tap_in A station=Osaka", "accepted", "on the last day of 420"),
        Step(left, where, "tap_out A station=Takatsuki", "accepted fare=420 balance=1080", "as on that day"),
    ]):  # fmt: skip
        (answer,) = desk.run([("journal", line_of(step, str(n)))])
        check(step, {"outcome": answer.outcome, "result": json.loads(bytes(answer.result))})
