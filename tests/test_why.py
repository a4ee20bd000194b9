"""``farecard why``: the things people ask come out by name, in both languages, with what to do next."""

import json
from pathlib import Path

import pytest

from conftest import answers, command, farecard, new_desk
from farecard.desk.opening import writing_desk
from farecard.questions.preview import RULE_OF
from farecard.rules.catalogue import RULES
from farecard.texts import texts

A, B, C, D, E, F = (f"JW{n:015d}" for n in range(1, 7))
HOLDER = {"name": "森 結衣", "kana": "モリ ユイ", "born": "1990-04-02", "phone": "1"}


def at(day, time="10:00:00"):
    return f"2023-{day}T{time}+09:00"


def people():
    """A reaches the target after some detours; B waits for the bank; C had points in round 1; D is not registered."""
    serial = iter(range(1, 1000))

    def line(day, channel, do, **fields):
        return command(str(next(serial)), do, channel=channel, at=at(day), **fields)

    yield line("03-01", "counter", "issue", card=A, kind="anonymous", paid=2000, points_registered_on="2023-01-10")
    yield line("03-01", "icoca-app", "issue", card=B, kind="mobile", paid=0, holder=HOLDER)
    yield line("03-01", "icoca-app", "issue", card=C, kind="mobile", paid=0, holder=HOLDER)
    yield line("03-01", "counter", "issue", card=D, kind="anonymous", paid=2000)
    yield line("03-02", "charge-machine", "top_up", card=A, amount=1000, tender="cash")
    yield line("03-03", "myna-point", "apply_myna_point", card=A, person="a", measures=[1])
    yield line("03-03", "myna-point", "apply_myna_point", card=B, person="b", measures=[3])
    yield line("03-03", "myna-point", "apply_myna_point", card=C, person="c", measures=[1, 2], history={"round_1": "icoca-received"})
    yield line("03-04", "petrol-station", "top_up", card=A, amount=2000, tender="cash")
    yield line("03-05", "charge-machine", "top_up", card=A, amount=10_000, tender="cash")
    yield line("03-06", "myna-point", "file_account", person="b")
    yield line("03-06", "shop", "purchase", card=A, amount=9000, merchant="m")
    yield line("04-06", "charge-machine", "top_up", card=A, amount=10_000, tender="cash")
    yield line("05-18", "operations", "run_grants", month="2023-05")
    yield line("05-19", "counter", "issue", card=F, kind="anonymous", paid=2000)
    yield line("05-20", "counter", "refund", card=F)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Their store."""
    folder = tmp_path_factory.mktemp("why")
    desk = new_desk(folder)
    assert all(one["outcome"] == "accepted" for one in answers(desk, list(people())))
    desk.store.close()
    return f"sqlite:///{folder}/store.db"


def said(url, card, moment):
    """The sentences of ``why --json``."""
    return json.loads(farecard("--store", url, "why", card, "--as-of", moment, "--json").stdout)


@pytest.mark.parametrize(
    ("card", "moment", "measure", "rule", "code", "figures"),
    [
        (A, at("03-20"), 1, "MYN-3", "target-not-reached", {"counted": 10_000, "remaining": 10_000}),
        (A, at("03-20"), 1, "MYN-2", "before-applying", {"day": "2023-03-02", "amount": 1000}),
        (A, at("03-20"), 1, "MYN-1", "petrol-does-not-count", {"day": "2023-03-04", "amount": 2000}),
        (A, at("04-10"), 1, "MYN-3", "too-early", {"points": 5000, "grant_on": "2023-05-18"}),
        (A, at("05-19"), 1, "MYN-3", "points-granted", {"points": 5000}),
        (A, at("05-19"), None, "WST-5", "not-collected", {"points": 5000, "largest": 4500}),  # its balance leaves no room for more
        (B, at("04-10"), 3, "MYN-7", "banks-review", {"until": "2023-10-13"}),
        (B, at("04-10"), 1, None, "not-applied-for", {"measure": 1}),
        (C, at("04-10"), 1, "MYN-12", "received-already", {"measure": 1}),
        (D, at("04-10"), None, "WST-1", "not-registered", {"from": "2023-04-11"}),
        (F, at("05-20", "23:00:00"), None, "RFD-8", "card-refunded", {"day": "2023-05-20"}),  # and no word of registering it
    ],
)  # fmt: skip
def test_what_people_ask_comes_out_by_name(url, card, moment, measure, rule, code, figures):
    """Too early, target not reached, not collected, already received, a place that does not count, before applying, the bank's review."""
    found = [one for one in said(url, card, moment) if one["code"] == code and one["measure"] == measure]
    assert len(found) == 1, said(url, card, moment)
    assert found[0]["rule"] == rule
    assert figures.items() <= found[0]["params"].items()
    assert found[0]["ja"] != found[0]["en"]


def test_it_can_be_read_aloud(url):
    """A sentence a line; the name of the measure in front of its first, the rule behind."""
    done = farecard("--store", url, "why", A, "--as-of", at("03-20"), "--lang", "en")
    assert done.stdout.decode().splitlines() == [
        "Myna Point was applied for with this card on Fri 3 March 2023 10:00.",
        "Measure 1 (topping up): ¥10,000 have counted so far; ¥10,000 more and 5,000 points come. Charge ¥10,000 more by Sat 30 September 2023. (MYN-3)",
        "  If the target is not reached by Sat 30 September 2023, 25 % of what counted comes as points instead. (MYN-4)",
        "  Thu 2 March 2023, ¥1,000: this charge was made before the application; only those after it count. (MYN-2)",
        ("  Sat 4 March 2023, ¥2,000: what is charged at a petrol station does not count, change included."
        " Charge at a machine, a convenience store or in the app. (MYN-1)"),
        "Measure 2 (health-insurance card): This measure was not applied for.",
        "Measure 3 (account for public money): This measure was not applied for.",
    ]
    spoken = farecard("--store", url, "why", A, "--as-of", at("03-20"), "--lang", "ja").stdout.decode()
    assert "  2023年3月2日（木）、1,000円：" in spoken


def test_a_card_nobody_knows(url):
    """Status 1, as everywhere."""
    assert farecard("--store", url, "why", "JW999999999999999", check=False).returncode == 1


def test_the_preview_of_a_run_grants_nothing(url):
    """To how many, how much, and why not the others."""
    rows = json.loads(
        farecard("--store", url, "grants", "preview", "2023-05", "--as-of", at("05-01"), "--json").stdout
    )
    first, second, third = rows
    assert (first["grants"], first["points"], first["others"]) == (1, 5000, [])
    assert second["others"] == [{"code": "procedure-missing", "rule": "MYN-5", "count": 1}]
    assert third["others"] == [{"code": "banks-review", "rule": "MYN-7", "count": 1}]
    table = farecard("--store", url, "grants", "preview", "2023-05", "--as-of", at("05-01")).stdout.decode()
    assert "to be granted now" in table
    assert farecard("--store", url, "grants", "preview", "2023-13", check=False).returncode == 2


def test_every_survey_code_has_a_rule_and_a_sentence():
    """What the preview counts by can be explained."""
    for code, rule in RULE_OF.items():
        assert rule is None or rule in RULES
        assert code in texts("en") or code in ("granted-already", "not-due-yet")


def test_a_campaign_is_loaded_joined_and_granted_month_by_month(tmp_path):
    """A municipality's fifth of purchases, at most 1,000 points a month, which no code knows of."""
    url = f"sqlite:///{tmp_path}/s.db"
    file = Path(__file__).parent / "campaigns" / "minato.toml"
    farecard("--store", url, "campaign", "load", file)
    again = farecard("--store", url, "campaign", "load", file, check=False)
    assert again.returncode == 2
    assert "edition 1 of minato-shops, or a newer one, is in the store already" in again.stderr.decode()
    listed = json.loads(farecard("--store", url, "campaign", "list", "--json").stdout)
    assert [one["campaign"] for one in listed] == ["minato-shops", "myna-point"]
    serial = iter(range(1, 1000))

    def line(day, channel, do, **fields):
        return command(str(next(serial)), do, channel=channel, at=at(day), card=A, **fields)

    desk = writing_desk(url)
    got = answers(desk, [
        line("06-01", "icoca-app", "issue", kind="mobile", paid=20_000, holder=HOLDER),
        line("06-01", "member-page", "join_campaign", campaign="minato-shops"),
        line("06-01", "member-page", "join_campaign", campaign="minato-shops"),  # already
        line("06-01", "member-page", "join_campaign", campaign="myna-point"),  # a person applies for that
        line("06-14", "shop", "purchase", amount=100, merchant="m"),  # before it counts
        line("06-15", "shop", "purchase", amount=1003, merchant="m"),  # a fifth is 200.6
        line("07-01", "convenience-store", "purchase", amount=3000, merchant="m"),
        line("07-31", "shop", "purchase", amount=2001, merchant="m"),  # 5,001: a fifth is 1,000.2, the cap 1,000
        line("08-01", "petrol-station", "purchase", amount=1000, merchant="m"),  # not a shop
        command("r7", "run_grants", channel="operations", at=at("07-25"), month="2023-07"),
        command("r8", "run_grants", channel="operations", at=at("08-25"), month="2023-08"),
        command("r9", "run_grants", channel="operations", at=at("09-25"), month="2023-09"),
    ])  # fmt: skip
    assert [one["outcome"] for one in got[:4]] == ["accepted", "accepted", "refused", "invalid"]
    assert [one["result"]["points"] for one in got[-3:]] == [200, 1000, 0]
    desk.store.close()
    told = json.loads(farecard("--store", url, "status", A, "--as-of", at("09-26"), "--json").stdout)["campaigns"]
    months = told["minato-shops"]["measures"]["1"]["months"]
    assert [(one["month"], one["state"], one["points"], one["grant_on"]) for one in months] == [
        ("2023-06", "granted", 200, "2023-07-25"), ("2023-07", "granted", 1000, "2023-08-25"),
    ]  # fmt: skip
    books = json.loads(farecard("--store", url, "trial-balance", "--json").stdout)["accounts"]
    owed = {row["account"]: row["balance"] for row in books}
    assert owed["programme-receivable:minato-city"] == 1200 == -owed["points-liability"]
    assert json.loads(farecard("--store", url, "check", "--json").stdout)["ok"]


def test_why_tells_of_a_campaign_that_the_card_joined(tmp_path):
    """Month by month: granted, still to come, and due but not run; nothing at all while nothing counted."""
    url = f"sqlite:///{tmp_path}/s.db"
    farecard("--store", url, "campaign", "load", Path(__file__).parent / "campaigns" / "minato.toml")
    desk = writing_desk(url)
    answers(desk, [
        command("1", "issue", card=A, channel="icoca-app", at=at("06-01"), kind="mobile", paid=20_000, holder=HOLDER),
        command("2", "join_campaign", card=A, channel="member-page", at=at("06-01"), campaign="minato-shops"),
        command("3", "purchase", card=A, channel="shop", at=at("06-20"), amount=1003, merchant="m"),
        command("4", "purchase", card=A, channel="shop", at=at("07-20"), amount=9000, merchant="m"),
        command("5", "run_grants", channel="operations", at=at("07-25"), month="2023-07"),
    ])  # fmt: skip
    desk.store.close()

    def codes(moment):
        return [(one["measure"], one["code"], one["params"].get("month"))
                for one in said(url, A, moment) if one.get("campaign") == "minato-shops"]  # fmt: skip

    assert codes(at("06-10")) == [(None, "joined-on", None), (1, "still-counting", None), (2, "still-counting", None)]
    assert codes(at("07-24"))[1:-1] == [(1, "month-too-early", "2023-06"), (1, "month-too-early", "2023-07")]
    assert codes(at("08-25"))[1:-1] == [(1, "month-granted", "2023-06"), (1, "month-too-early", "2023-07")]
    assert codes(at("08-26"))[1:] == [
        (1, "month-granted", "2023-06"), (1, "month-overdue", "2023-07"), (2, "nothing-counted", None),
    ]  # fmt: skip
    told = farecard("--store", url, "why", A, "--as-of", at("08-26"), "--lang", "en").stdout.decode()
    assert (
        "Purchases in town: The 200 points for June 2023 have been granted.\n"
        "  The 1,000 points for July 2023 were due on Fri 25 August 2023 and have not been granted yet."
    ) in told


def test_points_whose_day_is_over_without_a_run_are_not_too_early(tmp_path):
    """The day itself still is; a day later the back office has something to do, and why says so."""
    desk = new_desk(tmp_path)
    answers(desk, [
        command("1", "issue", card=B, channel="icoca-app", at=at("03-01"), kind="mobile", paid=0, holder=HOLDER),
        command("2", "apply_myna_point", card=B, channel="myna-point", at=at("03-01"), person="b", measures=[2]),
        command("3", "confirm_insurance_card", channel="myna-point", at=at("03-02"), person="b"),
    ])  # fmt: skip
    desk.store.close()
    url = f"sqlite:///{tmp_path}/store.db"
    for moment, code in ((at("04-18", "23:59:59"), "too-early"), (at("04-19", "00:00:00"), "overdue")):
        (one,) = (one for one in said(url, B, moment) if one["measure"] == 2)
        assert (one["code"], one["params"]["grant_on"]) == (code, "2023-04-18")
    assert "back office" in one["do_next"]["en"]
