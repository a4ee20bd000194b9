"""Every figure of the tariff is proven: changed by one, some scenario fails."""

import re
from datetime import date, timedelta

import pytest

from farecard.model.moments import parse_day
from farecard.rules.prepaid import is_report_day, to_secure
from farecard.tariff import ALWAYS, Row, Tariff, TariffError, packaged_text
from scenario import read_all

ROWS = Tariff(packaged_text()).rows
SCENARIOS = read_all()


def changes(row: Row):
    """The row's value with one figure changed by one, or one place left out, as TOML."""
    value = row.value
    if isinstance(value, int):
        return [str(value - 1), str(value + 1)]
    if isinstance(value, date):
        return [str(value - timedelta(1)), str(value + timedelta(1))]
    found = []
    for at, one in enumerate(value):
        if isinstance(one, int):
            found += [str([*value[:at], other, *value[at + 1 :]]) for other in (one - 1, one + 1)]
        else:
            found.append(str([*value[:at], *value[at + 1 :]]))
    return found


def with_value(name: str, value: str) -> str:
    """The tariff's text with another value in one row."""
    text, count = re.subn(
        rf'(name = "{name}"\nvalue = ).*', lambda found: found[1] + value, packaged_text()
    )
    assert count == 1
    return text


def prepaid_differs(text: str) -> bool:
    """PUB-15 is no decision: its figures are held against what they are (test_scenarios)."""
    rates = Tariff(text).on(parse_day("2024-03-31"))
    days = [parse_day(day) for day in ("2024-03-31", "2024-09-30")]
    secured = [to_secure(unused, rates) for unused in (10_000_000, 10_000_001, 25_000_000)]
    return secured != [0, 5_000_001, 12_500_000] or not all(is_report_day(day, rates) for day in days)


def test_the_tariff_as_it_is_fails_no_scenario(runner):
    """The measure itself is right."""
    assert runner.first_failure(packaged_text(), SCENARIOS) is None
    assert not prepaid_differs(packaged_text())


@pytest.mark.parametrize(
    ("row", "value"),
    [(row, value) for row in ROWS for value in changes(row)],
    ids=lambda part: part.name if isinstance(part, Row) else part,
)
def test_a_changed_figure_fails_a_scenario(runner, row, value):
    """One yen, one day or one place makes a difference that some row shows."""
    text = with_value(row.name, value)
    first = sorted(SCENARIOS, key=lambda scenario: not scenario.rules & set(row.rules))
    assert prepaid_differs(text) or runner.first_failure(text, first) is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace('name = "deposit"', 'name = "deposits"'), "no rule reads"),
        (lambda text: text.replace("value = 220", 'value = "220"', 1), "not whole"),
        (lambda text: text + text[text.index("[[row]]") : text.index("[[row]]", 2000)], "two values"),
        (lambda text: re.sub(r"version = \d+", "version", text), "no tariff"),
    ],
)
def test_a_tariff_that_cannot_be_used_names_the_row(change, words):
    """A typing error in the tariff is found when it is read, not when a customer stands there."""
    with pytest.raises(TariffError, match=words):
        Tariff(change(packaged_text()))


def test_a_new_fee_from_a_date_is_one_row():
    """``until`` on the old row, a new row: each holds on its own days."""
    text = with_value("refund_fee", "220\nuntil = 2024-03-31")
    text += (
        '\n[[row]]\nname = "refund_fee"\nvalue = 330\nfrom = 2024-04-01\nunit = "yen"\n'
        'rules = ["RFD-1"]\nsource = "made up"\nchecked_on = 2026-11-24\n'
    )
    tariff = Tariff(text)
    assert tariff.on(parse_day("2024-03-31")).refund_fee == 220
    assert tariff.on(parse_day("2024-04-01")).refund_fee == 330
    assert tariff.on(ALWAYS).refund_fee == 220
