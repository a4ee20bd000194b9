"""The generated journal: the same for the same seed, and every rule that can refuse does so."""

import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from conftest import answers, new_desk
from farecard.desk.runs import surveyed
from farecard.model.moments import parse_moment
from farecard.questions.ahead import no_stamps
from farecard.questions.card import AsOf, UnknownCardError, moment, status
from farecard.rules.catalogue import RULES
from farecard.rules.grants import month_number
from farecard.sample import journal
from farecard.storage.making import load_tariff
from farecard.storage.rows import as_account

SOURCE = Path(__file__).parent.parent / "src" / "farecard" / "rules"
NEVER_REFUSES = {
    "CHG-5",  # its last day is not announced: the tariff has no row yet
}


def refusing_rules():
    """Every id that the rules can refuse or refer with."""
    text = "".join(path.read_text("utf-8") for path in SOURCE.glob("*.py"))
    return set(re.findall(r'(?:refuse|Reason)\(\s*"([A-Z]+-[0-9]+)"', text)) - NEVER_REFUSES


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    """A journal can be named by its size and seed."""
    assert list(journal(5_000, 1)) == list(journal(5_000, 1))
    assert list(journal(5_000, 1)) != list(journal(5_000, 2))


@pytest.mark.parametrize("count", [0, 1, 10, 200, 1_001])
def test_a_journal_has_as_many_lines_as_were_asked_for(count):
    """No line is blank or broken in two."""
    lines = list(journal(count, 3))
    assert len(lines) == count
    assert all(line.strip() and b"\n" not in line for line in lines)


def told_of_applicants(store):
    """Every rule that the measures of the journal's applicants name, in summer and when all is over."""
    said = set()
    for row in store.rows("all_accounts"):
        for at in ("2023-03-31T00:00:00+09:00", "2023-07-01T00:00:00+09:00", "2024-01-01T00:00:00+09:00"):
            if as_account(row).applicant is None and as_account(row).rally_at is None:
                continue
            try:
                answer = status(store, row[1], moment(parse_moment(at)))
            except UnknownCardError:
                continue  # not sold yet
            if answer["rally"] is not None:
                when = AsOf(parse_moment(at), parse_moment(at))
                said |= {one.rule for one in no_stamps(store, load_tariff(store), row[1], when)["why"].values()}
            measures = [] if answer["myna"] is None else answer["myna"]["measures"].values()
            for one in measures:
                reasons = [*one["reasons"], *(no for top_up in one.get("top_ups", ()) for no in top_up["reasons"])]
                said |= {reason.rule for reason in reasons}
    return said


@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_thousand_commands_see_every_refusing_rule(tmp_path, seed):
    """Most are accepted; what can be refused, referred or broken is, somewhere."""
    desk = new_desk(tmp_path)
    got = answers(desk, list(journal(20_000, seed)))
    outcomes = [answer["outcome"] for answer in got]
    assert outcomes.count("accepted") > 0.9 * len(got)
    assert {"refused", "referred", "invalid"} < set(outcomes)
    said = {reason["rule"] for answer in got for reason in (*answer["reasons"], *answer["warnings"])}
    assert refusing_rules() - said - told_of_applicants(desk.store) == set()
    assert refusing_rules() <= set(RULES)
    assert any(answer.get("repeated") for answer in got)


def test_a_long_journal_is_streamed():
    """The first lines of a huge journal come at once."""
    assert len(list(islice(journal(10**9, 1), 100))) == 100


def test_campaign_months_bring_every_end_to_many(tmp_path):
    """From March to November, a run each month by the clock; whoever applied comes to each end there is.

    Some reach the target, fall short, charge where it does not count, lose the card, wait for the bank; twenty of
    each, seen on the day before every run.
    """
    desk = new_desk(tmp_path)
    lines = list(journal(60_000, 5))
    got = answers(desk, lines)
    runs = [(json.loads(line)["at"], answer["result"]["grants"]) for line, answer in zip(lines, got, strict=True)
            if b"run_grants" in line]  # fmt: skip
    assert [at[:10] for at, _ in runs] == [f"2023-{month:02d}-18" for month in range(3, 12)]
    assert all(grants >= 15 for _, grants in runs[1:8])
    seen = Counter()
    for month in range(3, 12):
        at = parse_moment(f"2023-{month:02d}-17T00:00:00+09:00")
        rows = surveyed(desk.store, "judged_by_reason", "myna-point", 1, month_number(f"2023-{month:02d}"), at, at)
        for _, code, times, _ in rows:
            seen[code or "granted now"] += times
    for code in (
        "granted now", "granted-already", "not-due-yet", "expires-before-grant", "refunded-before-grant", "never-granted",
        "target-not-reached", "nothing-counted", "procedure-missing", "banks-review", "not-reported-in-time",
        "not-filed-in-time", "not-complete-in-time",
    ):  # fmt: skip
        assert seen[code] >= 20, (code, seen[code])


def test_time_only_goes_forward_in_ordinary_life():
    """Gates and machines of the crowd send in the order of the clock; stories alone look back and ahead."""
    last = ""
    for line in journal(20_000, 6):
        if b'"place":"kiosk-' in line or b'"tap_in","card":"JW1' in line:
            at = json.loads(line)["at"]
            assert at >= last
            last = at
    assert last > "2023-11"
