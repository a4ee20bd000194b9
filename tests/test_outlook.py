"""How a campaign goes, over all applicants: the curve says of everybody what the rules say of each; the forecast is no more than can be."""

from contextlib import closing

from applicants import Applicants
from conftest import answers, farecard, new_desk
from farecard.campaigns import Campaigns, packaged_texts
from farecard.desk.cases import case_at
from farecard.model.moments import day_of, first_moment, parse_day
from farecard.questions import outlook
from farecard.rules import measures, myna_point
from farecard.storage.history import account_at
from farecard.storage.making import load_campaigns
from farecard.storage.opening import open_to_read
from farecard.storage.rows import as_account


def test_the_curve_and_the_rules_agree_on_who_got_there_when(tmp_path, server):
    """Over 400 generated applicants, card by card, on both engines."""
    desk = new_desk(tmp_path)
    answers(desk, Applicants(400, seed=12).journal())
    desk.store.close()
    url = f"sqlite:///{tmp_path}/store.db"
    target = server.database()
    farecard("store", "copy", url, target)
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


def test_an_outlook_expects_no_more_than_are_on_their_way():
    """28 in four weeks are one a day: of three on their way all get there in three days, and of none nobody does."""
    measure = Campaigns(list(enumerate(packaged_texts(), 1))).of("myna-point").measures[0]
    today = parse_day("2023-08-30")
    assert outlook._expected(measure, today, 28, 3) == {2023 * 12 + 7: 1, 2023 * 12 + 8: 2}
    assert outlook._expected(measure, today, 28, 0) == {}
    assert outlook._expected(measure, today, 0, 3) == {}
    assert outlook._expected(measure, parse_day("2023-09-30"), 28, 3) == {}  # it is over
