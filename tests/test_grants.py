"""The run for everybody says what the rules say of each; and it grants once, wherever it was stopped."""

import json
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from applicants import Applicants
from conftest import answers, command, copy_in, farecard, new_desk
from exporting import export
from farecard.cli.main import main
from farecard.desk.cases import case_at
from farecard.desk.desk import Desk
from farecard.desk.opening import dry_desk, writing_desk
from farecard.desk.runs import surveyed
from farecard.export.reading import Exported
from farecard.model.account import read_key
from farecard.model.moments import month_of, parse_moment
from farecard.rules import measures
from farecard.rules.grants import month_number
from farecard.storage.history import account_at
from farecard.storage.making import add_campaigns, adding, load_campaigns
from farecard.storage.opening import open_to_read
from farecard.storage.rows import as_account
from farecard.wire.answer import encode_answer
from invented import campaign as invented
from state import problems

MINATO = (Path(__file__).parent / "campaigns" / "minato.toml").read_text("utf-8")
LOOKED_AT = [
    ("2023-03-01T00:00:00+09:00", "2023-03"), ("2023-03-31T23:59:59+09:00", "2023-03"), ("2023-03-31T23:59:59+09:00", "2023-04"),
    ("2023-07-15T00:00:00+09:00", "2023-07"), ("2023-08-01T00:00:00+09:00", "2023-08"), ("2023-09-30T23:59:59+09:00", "2023-10"),
    ("2023-10-01T00:00:00+09:00", "2023-10"), ("2023-10-14T00:00:00+09:00", "2023-11"),
    ("2023-12-31T00:00:00+09:00", "2023-12"),
]  # fmt: skip


def with_campaigns(url, texts):
    """A store that knows these campaigns besides those that ship."""
    store = writing_desk(url).store
    with adding(store):
        add_campaigns(store, texts)
    store.close()
    return url


@pytest.fixture(scope="session")
def applicants(tmp_path_factory):
    """A store of ten thousand applicants. For the session, since tests go by version of PostgreSQL before they go by file."""
    url = with_campaigns(f"sqlite:///{tmp_path_factory.mktemp('applicants')}/store.db", [MINATO])
    desk = writing_desk(url)
    desk.store.db.execute("PRAGMA synchronous = OFF")
    got = Counter(one["outcome"] for one in answers(desk, Applicants(10_000, seed=4).journal()))
    assert got["accepted"] > 60_000
    desk.store.close()
    assert problems(url) == []
    return url


@pytest.fixture(scope="session")
def exported(applicants, tmp_path_factory):
    """The same store as Parquet files, its folder's name one that needs care."""
    folder = tmp_path_factory.mktemp("exported") / "it's here"
    export(applicants, folder)
    return folder


def said_by_the_rules(store, campaigns, at, month):
    """What each applicant's measures come to, as the survey would put it: by the rules, one after the other."""
    found = {}
    for row in store.rows("all_accounts"):
        now = as_account(row)
        if now.applied is None:
            continue
        account = account_at(store, now.account, at)
        if account.applied is None:
            continue
        account.granted = now.granted
        for campaign in map(campaigns.of, sorted({read_key(key)[0] for key in account.applied})):
            case = case_at(store, campaign.name, account, at, at)
            for measure in campaign.measures:
                if measure.number in case.applied:
                    key = campaign.name, account.account, measure.number
                    found[key] = _said(measure, case, campaign, month)
    return found


def _said(measure, case, campaign, month):
    owed = {(grant.period, grant.points) for grant in measures.owed(measure, case, campaign, month)}
    if measure.monthly:
        return owed, None
    one = measures.progress(measure, case, campaign)
    if one.state == measures.GRANTED:
        return owed, "granted-already"
    if one.state == measures.DUE:
        return owed, None if month_of(one.grant_on) <= month else "not-due-yet"
    return owed, one.reasons[0].code


def said_by_the_survey(store, campaigns, at, month):
    """The same from the set-based text."""
    found = {}
    for campaign in campaigns.all:
        monthly = {one.number for one in campaign.measures if one.monthly}
        version = campaigns.version(campaign.name)
        rows = surveyed(store, "judged", campaign.name, version, month, at)
        for account, _, measure, period, points, code, _ in rows:
            owed, _ = found.setdefault((campaign.name, account, measure), (set(), None))
            if code is None:
                owed.add((period, points))
            if measure not in monthly:
                found[campaign.name, account, measure] = owed, code
    return found


@pytest.fixture(scope="session")
def by_the_rules(applicants):
    """What the rules say of all of them at a moment: the campaigns, and what each comes to. Once for every engine."""
    with closing(open_to_read(applicants)) as store:
        campaigns = load_campaigns(store)
    told = {}

    def said(until, number):
        if (until, number) not in told:
            with closing(open_to_read(applicants)) as store:
                told[until, number] = said_by_the_rules(store, campaigns, until, number)
        return campaigns, told[until, number]

    return said


@pytest.mark.parametrize(("at", "month"), LOOKED_AT)
def test_the_survey_and_the_rules_agree_on_every_applicant(applicants, exported, by_the_rules, at, month):
    """Ten thousand histories, on SQLite and DuckDB: what is granted, and why nothing is."""
    until, number = parse_moment(at), month_number(month)
    campaigns, rules = by_the_rules(until, number)
    assert len(rules) > 1_000
    assert said_by_the_survey(open_to_read(applicants), campaigns, until, number) == rules
    files = Exported(exported)
    assert said_by_the_survey(files, campaigns, until, number) == rules
    files.close()


@pytest.mark.parametrize(("at", "month"), LOOKED_AT)
def test_the_survey_and_the_rules_agree_on_every_postgresql(applicants, by_the_rules, server, at, month):
    """The same on each version of PostgreSQL."""
    until, number = parse_moment(at), month_number(month)
    campaigns, rules = by_the_rules(until, number)
    assert said_by_the_survey(open_to_read(copy_in(server, applicants)), campaigns, until, number) == rules


@pytest.mark.parametrize("middle", [1, 5_000, 10_000, 10_001, None])
def test_halves_looked_at_by_two_connections_are_the_whole(applicants, server, monkeypatch, middle):
    """Wherever PostgreSQL's accounts are cut in two, or not at all: the same rows, in the same order."""
    store = open_to_read(copy_in(server, applicants))
    until, month = parse_moment("2023-10-17T00:00:00+09:00"), month_number("2023-10")
    expected = list(surveyed(open_to_read(applicants), "owed", "myna-point", 1, month, until, until))
    assert len(expected) > 4_000
    monkeypatch.setattr("farecard.storage.postgres.MIDDLE", f"SELECT {middle or 'NULL::bigint'}")
    assert list(surveyed(store, "owed", "myna-point", 1, month, until, until)) == expected
    some = surveyed(store, "owed", "myna-point", 1, month, until, until)
    assert next(iter(some)) == expected[0]  # whoever asks no further ends both
    some.close()
    assert list(surveyed(store, "owed", "myna-point", 1, month, until, until)) == expected


INVENTED = 40


def test_the_survey_and_the_rules_agree_on_campaigns_nobody_has_thought_of(tmp_path, own_server):
    """Forty files at random: targets, shares, caps, months, any dates, places and tenders; joined at random."""
    texts = [invented(seed) for seed in range(INVENTED)]
    url = with_campaigns(f"sqlite:///{tmp_path}/store.db", texts)
    desk = writing_desk(url)
    desk.store.db.execute("PRAGMA synchronous = OFF")
    names = [f"invented-{seed}" for seed in range(INVENTED)]
    answers(desk, Applicants(1_200, seed=21, campaigns=names).journal())
    desk.store.close()
    assert problems(url) == []
    store, copied = open_to_read(url), open_to_read(copy_in(own_server, url))
    export(url, tmp_path / "out")
    files = Exported(tmp_path / "out")
    campaigns = load_campaigns(store)
    seen = Counter()
    for at, month in LOOKED_AT[1::3]:
        until, number = parse_moment(at), month_number(month)
        rules = said_by_the_rules(store, campaigns, until, number)
        for engine in (store, copied, files):
            assert said_by_the_survey(engine, campaigns, until, number) == rules
        seen.update(key[0] for key, (owed, code) in rules.items() if owed or code == "granted-already")
    assert len(seen.keys() & set(names)) > INVENTED // 2
    files.close()


def test_every_reason_is_hit_by_many(applicants):
    """The generated applicants come to every end there is."""
    store = open_to_read(applicants)
    campaigns = load_campaigns(store)
    seen = Counter()
    for at, month in LOOKED_AT:
        for owed, code in said_by_the_survey(store, campaigns, parse_moment(at), month_number(month)).values():
            seen[code] += 1
            seen["granted now"] += len(owed)
    for code in (
        "granted now", "granted-already", "not-due-yet", "expires-before-grant", "refunded-before-grant",
        "target-not-reached", "nothing-counted", "procedure-missing", "banks-review", "not-reported-in-time",
        "not-filed-in-time", "not-complete-in-time", "still-counting",
    ):  # fmt: skip
        assert seen[code] >= 20, (code, seen[code])


RUN = command("run", "run_grants", channel="operations", at="2023-12-01T06:00:00+09:00", month="2023-12")


class StoppedError(Exception):
    """The power went."""


def test_a_run_stopped_after_any_batch_is_finished_by_sending_it_again(tmp_path, monkeypatch):
    """Its answer counts all that it granted; nothing is granted twice."""
    monkeypatch.setattr("farecard.desk.runs.GRANTS_A_BATCH", 40)
    lines = [line for line in Applicants(300, seed=5).journal() if b"run_grants" not in line]
    whole = new_desk(tmp_path, "whole.db")
    answers(whole, lines)
    expected = answers(whole, [RUN])[0]
    assert expected["result"]["grants"] > 200
    desk = new_desk(tmp_path, "stopped.db")
    answers(desk, lines)
    grant, left = Desk._grant, [3]

    def stops(self, run, dues):
        if left[0] == 0:
            raise StoppedError
        left[0] -= 1
        grant(self, run, dues)

    monkeypatch.setattr(Desk, "_grant", stops)
    with pytest.raises(StoppedError):
        answers(desk, [RUN])
    monkeypatch.setattr(Desk, "_grant", grant)
    desk.store.close()
    desk = writing_desk(f"sqlite:///{tmp_path}/stopped.db")
    assert answers(desk, [RUN]) == [expected]
    assert answers(desk, [RUN]) == [expected | {"repeated": True}]
    assert desk.store.rows("stored_fare") == whole.store.rows("stored_fare")
    desk.store.close()
    assert problems(f"sqlite:///{tmp_path}/stopped.db") == []


def test_a_dry_run_says_what_the_run_will_say(tmp_path):
    """Over a store, over nothing, and half of each: cards decided on in the dry run are judged by the rules."""
    lines = Applicants(200, seed=6).journal()
    desk = new_desk(tmp_path)
    half = len(lines) // 2
    url = f"sqlite:///{tmp_path}/store.db"
    nothing = dry_desk(f"sqlite:///{tmp_path}/none.db")
    dry = [encode_answer(one) for one in nothing.run([("journal", line) for line in [*lines, RUN]])]
    first = [encode_answer(one) for one in desk.run([("journal", line) for line in lines[:half]])]
    rest = [encode_answer(one) for one in dry_desk(url).run([("journal", line) for line in [*lines[half:], RUN]])]
    assert first + rest == dry
    second = [encode_answer(one) for one in desk.run([("journal", line) for line in [*lines[half:], RUN]])]
    assert second == rest
    assert any(b'"grants":' in one and b'"grants":0' not in one for one in second)


# -- the month from an export --------------------------------------------------------------------


def previewed(url, *more):
    """What the command says of a month."""
    done = farecard("--store", url, "--json", "grants", "preview", "2023-11", *more)
    return json.loads(done.stdout)


def test_a_month_previewed_from_an_export_is_the_stores(applicants, exported):
    """At a moment that is named, and at the export's own, which is where its picture ends."""
    at = "2023-10-17T00:00:00+09:00"
    from_store = previewed(applicants, "--as-of", at)
    assert previewed("sqlite:///nowhere.db", "--as-of", at, "--export", str(exported)) == from_store
    by_measure = {(one["campaign"], one["measure"]): one for one in from_store}
    assert by_measure["minato-shops", 1]["grants"] > 0
    assert len(by_measure["myna-point", 1]["others"]) == 4
    moment = json.loads((exported / "_about.json").read_bytes())["exported_at"]
    own = previewed("sqlite:///nowhere.db", "--export", str(exported))
    assert own == previewed(applicants, "--as-of", moment) != from_store


def test_what_is_no_export_is_said(tmp_path, exported, monkeypatch, capsys):
    """A folder of anything else, one of an older farecard, a farecard without DuckDB: each with its way out."""
    asked = ["grants", "preview", "2023-11", "--export"]
    (tmp_path / "other").mkdir()
    older = tmp_path / "older"
    older.mkdir()
    about = json.loads((exported / "_about.json").read_bytes())
    del about["tables"]["grants"], about["tables"]["notices"], about["tables"]["events"]["columns"][-1]
    (older / "_about.json").write_text(json.dumps(about))
    for folder, says in (
        (tmp_path / "other", "holds no export; farecard export parquet DIR makes one"),
        (tmp_path / "nowhere", "holds no export"),
        (older, "without events.batch, grants, notices; export again"),
    ):
        assert main([*asked, str(folder)]) == 2
        assert says in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert main([*asked, str(exported)]) == 2
    assert "pip install 'farecard[duckdb]'" in capsys.readouterr().err


def test_an_export_of_nothing_grants_nothing(tmp_path):
    """Without an event there is nobody to look at."""
    new_desk(tmp_path).store.close()
    export(f"sqlite:///{tmp_path}/store.db", tmp_path / "out")
    assert previewed("sqlite:///nowhere.db", "--export", str(tmp_path / "out")) == []
