"""How a campaign goes, over all applicants: the curve says of everybody what the rules say of each; the forecast is no more than can be."""

from collections import Counter
from contextlib import closing

import pytest

from applicants import Applicants
from conftest import answers, farecard, new_desk
from farecard.campaigns import Campaigns, packaged_texts
from farecard.desk.cases import case_at
from farecard.desk.runs import surveyed
from farecard.model.moments import day_of, first_moment, iso_day, parse_day, parse_moment
from farecard.questions import outlook
from farecard.rules import measures, myna_point
from farecard.rules.grants import month_number
from farecard.storage.history import account_at
from farecard.storage.making import load_campaigns
from farecard.storage.opening import open_to_read
from farecard.storage.rows import as_account


@pytest.fixture(scope="module")
def applicants(tmp_path_factory, server):
    """Stores of 400 generated applicants, the same on both engines."""
    folder = tmp_path_factory.mktemp("applicants")
    desk = new_desk(folder)
    answers(desk, Applicants(400, seed=12).journal())
    desk.store.close()
    url = f"sqlite:///{folder}/store.db"
    target = server.database()
    farecard("store", "copy", url, target)
    return url, target


def test_the_curve_and_the_rules_agree_on_who_got_there_when(applicants):
    """Over 400 generated applicants, card by card, on both engines."""
    url, target = applicants
    until = first_moment(parse_day("2023-09-15"))
    by_rules = {}
    with closing(open_to_read(url)) as store:
        campaign = load_campaigns(store).of(myna_point.NAME)
        for row in store.rows("all_accounts"):
            account = account_at(store, as_account(row).account, until)
            if account.applicant is None:
                continue
            case = case_at(store, myna_point.NAME, account, until, until)
            rows_there = "SELECT measure, earns FROM application WHERE campaign = 'myna-point' AND account = ?"
            earning = dict(store.db.execute(rows_there, (account.account,)).fetchall())
            for measure in campaign.measures:
                if measure.number not in case.applied or not earning[measure.number]:
                    continue
                found = measures.reached(measure, case, campaign) if measure.target else measures.completed(measure, case, campaign)
                if found is not None:
                    by_rules.setdefault((measure.number, day_of(found.ready_at)), []).append(account)
    assert len(by_rules) > 50
    for where in (url, target):
        with closing(open_to_read(where)) as store:
            asked = {"campaign": "myna-point", "version": load_campaigns(store).version("myna-point"), "until": until}
            by_sql = {(measure, day): times for measure, day, times in store.survey("reached", **asked)}
        assert by_sql == {key: len(some) for key, some in by_rules.items()}


# amid it, and both sides of the end
LOOKED_AT = ["2023-03-31T23:59:59+09:00", "2023-07-15T00:00:00+09:00", "2023-09-30T23:59:59+09:00", "2023-10-01T00:00:00+09:00"]


@pytest.mark.parametrize("at", LOOKED_AT)
def test_the_shares_at_the_end_are_what_each_applicant_is_told(applicants, at):
    """Card by card over 400 applicants, on both engines: the quarter of each sum as it is (MYN-4), until the last moment it counts."""
    until = parse_moment(at)
    by_rules = Counter()
    sqlite, target = applicants
    with closing(open_to_read(sqlite)) as store:
        campaign = load_campaigns(store).of(myna_point.NAME)
        for row in store.rows("all_accounts"):
            account = account_at(store, as_account(row).account, until)
            if account.applicant is None:
                continue
            case = case_at(store, myna_point.NAME, account, until, until)
            for measure in campaign.measures:
                share = measures.outlook(measure, case, campaign).get("as_it_is")
                if share is not None:
                    by_rules[measure.number] += share.points
                    assert iso_day(share.due) == "2023-10-18"
    over = at > "2023-10"
    assert bool(by_rules) != over
    for where in (sqlite, target):
        with closing(open_to_read(where)) as store:
            found = outlook.of_campaign(store, "myna-point", until)
            version = load_campaigns(store).version("myna-point")
            rows = surveyed(store, "outlook_by_reason", "myna-point", version, month_number(at[:7]), until, until)
            shares = {measure: share for measure, code, _, _, share in rows if code == "target-not-reached" and share}
        assert shares == by_rules
        one = found["measures"][0]
        waiting = one["on_their_way"]
        assert one["share"] == (0 if over else shares[1] * (waiting - one["expected"]) // waiting)
        at_the_end = {row["month"]: row["expected"] for row in found["months"]}.get("2023-10", 0)
        assert at_the_end >= one["share"]
        assert found["cost"]["expected"] == sum(row["expected"] for row in found["months"])


def test_of_those_who_do_not_get_there_the_shares_stay():
    """Four sums of together 1,000 points: of none expected all, of one three quarters, fractions dropped; of all nothing."""
    assert [outlook._share(4, 1_000, expected) for expected in (0, 1, 4)] == [1_000, 750, 0]
    assert outlook._share(3, 1_000, 1) == 666
    assert outlook._share(0, 0, 0) == 0
    measure = Campaigns(list(enumerate(packaged_texts(), 1))).of("myna-point").measures[0]
    assert outlook._after_the_end(measure) == month_number("2023-10")


def test_an_outlook_expects_no_more_than_are_on_their_way():
    """28 in four weeks are one a day: of three on their way all get there in three days, and of none nobody does."""
    measure = Campaigns(list(enumerate(packaged_texts(), 1))).of("myna-point").measures[0]
    today = parse_day("2023-08-30")
    assert outlook._expected(measure, today, 28, 3) == {2023 * 12 + 7: 1, 2023 * 12 + 8: 2}
    assert outlook._expected(measure, today, 28, 0) == {}
    assert outlook._expected(measure, today, 0, 3) == {}
    assert outlook._expected(measure, parse_day("2023-09-30"), 28, 3) == {}  # it is over
