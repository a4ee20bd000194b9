"""What a rule leaves to people is a case: it has a number and a place it goes to, and is closed once, in the journal."""

import json
import re
from threading import Barrier, Thread

import pytest

from conftest import a_store, answers, command, farecard, new_desk, tampered
from farecard.desk.flow import Flow
from farecard.desk.opening import writing_desk
from farecard.model.commands import CHANNELS
from farecard.rules.referral import GOES_TO, card_of_case, case_number
from farecard.wire.answer import encode_answer
from scenario import PEOPLE
from serving import Served
from state import problems

ISSUE = {"kind": "named", "paid": 2000}
MORI, OTHER_PHONE = PEOPLE["Mori"], PEOPLE["Mori-2"]
A, B, C = (f"JW{n:015d}" for n in (1, 2, 3))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty store of either engine."""
    return a_store(request, tmp_path)


@pytest.fixture
def desk(url):
    """A desk at work on it."""
    one = writing_desk(url)
    yield one
    one.store.close()


def issue(id, card, holder, **more):
    return command(id, "issue", card=card, holder=holder, **ISSUE, **more)


def close_it(id, case, decision="granted", at="2023-03-02T09:00:00+09:00", channel="counter", **more):
    return command(id, "resolve_case", at=at, channel=channel, case=case, decision=decision, why="papers seen", **more)


def said(desk, *lines):
    """Each line's answer, a batch each."""
    return answers(desk, list(lines), batch=1)


def code(answer):
    return answer["reasons"][0]["code"]


def a_case(desk):
    """A second card for somebody of the same name and birthday, with another phone: CARD-4 leaves it to a person."""
    _, second = said(desk, issue("1", A, MORI), issue("2", B, OTHER_PHONE))
    assert second["outcome"] == "referred"
    return second["case"]


# -- what it is ----------------------------------------------------------------------------------


def referrals(desk):
    """One of each: what was referred, and the place it goes to."""
    got = said(
        desk,
        issue("1", A, MORI),
        issue("2", B, OTHER_PHONE),
        command("3", "register_for_points", card=A, channel="member-page", at="2023-01-01T09:00:00+09:00"),
        issue("4", C, PEOPLE["Oka"]),
        command("r", "register_for_points", card=C, channel="ticket-machine"),
        *(
            command(
                id, "apply_myna_point", card=C, channel="myna-point", person="p", measures=[2],
                at="2023-04-01T10:00:00+09:00", **more,
            )
            for id, more in (
                ("own", {"own_name": False}),
                ("other", {"history": {"other_service": {"measure": 1, "applied_on": "2022-06-29"}}}),
            )
        ),
        command("change", "change_applied_card", card=C, person="p", channel="phone", at="2023-04-02T10:00:00+09:00"),
    )  # fmt: skip
    return {one["id"]: one for one in got}


def test_each_referral_says_its_case_and_where_it_goes(desk):
    """The answer carries the number; the reason says the place; sent again it is the same case."""
    got = referrals(desk)
    goes = {
        id: (got[id]["outcome"], got[id]["reasons"][0]["params"]["refer_to"]) for id in ("2", "own", "other", "change")
    }
    assert goes == {
        "2": ("referred", "counter-supervisor"),
        "own": ("referred", "ministry"),
        "other": ("referred", "programme-office"),
        "change": ("referred", "enquiry-line"),
    }
    assert len({got[id]["case"] for id in goes}) == 4
    assert got["2"]["case"].startswith("C000000000000002-")  # the card that was to be sold
    assert got["change"]["case"].startswith("C000000000000003-")
    (again,) = said(desk, issue("2", B, OTHER_PHONE))
    assert again["repeated"]
    assert again["case"] == got["2"]["case"]
    assert "case" not in got["1"]


def test_every_code_that_refers_has_a_place():
    """The table of places is that of the rules: each ``refer`` in the code names one of it, and none is left over."""
    from pathlib import Path

    rules = Path(__file__).parent.parent / "src" / "farecard" / "rules"
    used = set()
    for file in rules.glob("*.py"):
        used |= set(re.findall(r'\brefer\(\s*"[A-Z]+-\d+", "([a-z-]+)"', file.read_text("utf-8")))
        if file.name != "referral.py":
            assert "REFERRED" not in file.read_text("utf-8"), file
    assert used == set(GOES_TO)


def test_a_number_carries_its_card_and_is_the_same_everywhere(tmp_path, desk):
    """Another store, other batches: the same command is the same case; another sender's or id's is another."""
    case = a_case(desk)
    other = new_desk(tmp_path, "other.db")
    lines = [issue("0", C, PEOPLE["Abe"]), issue("1", A, MORI), issue("2", B, OTHER_PHONE)]
    assert answers(other, lines)[-1]["case"] == case
    assert card_of_case(case) == 2
    numbers = {case_number(2, sender, id) for sender in ("journal", "a", "ab") for id in ("2", "b2", "")}
    assert case in numbers
    assert len(numbers) == 9


@pytest.mark.parametrize(
    "text",
    [
        "C", "S000000000000001-1", "C000000000000001-", "C000000000000001-0000000", "C000000000000001-000000000",
        "c000000000000001-00000000", "C00000000000001-00000000", "C000000000000001-0000000I", "C000000000000001-00000000 ",
        "C00000000000000１-00000000", "C000000000000001-00000000",
    ],
)  # fmt: skip
def test_what_is_no_case_is_unknown(text, desk):
    """Whether it is no number at all, or one that no case has."""
    a_case(desk)
    (got,) = said(desk, close_it("x", text))
    assert (got["outcome"], code(got)) == ("invalid", "unknown-case")


# -- closing it ----------------------------------------------------------------------------------


def test_a_case_is_closed_once(desk, url):
    """The decision is an event; a second one is refused, with what was decided and when; the id again is answered again."""
    case = a_case(desk)
    first, second, again = said(
        desk, close_it("c1", case), close_it("c2", case, "declined"), close_it("c1", case)
    )
    assert (first["outcome"], first["result"]) == ("accepted", {"case": case, "decision": "granted"})
    assert (second["outcome"], code(second)) == ("refused", "case-closed")
    assert second["reasons"][0]["params"] == {"decision": "granted", "closed_at": "2023-03-02T09:00:00+09:00"}
    assert again == first | {"repeated": True}
    assert problems(url) == []


def test_two_in_one_batch_close_it_once(desk, url):
    """The second sees what the first decided."""
    case = a_case(desk)
    got = answers(desk, [close_it("c1", case), close_it("c2", case, "declined")])
    assert [one["outcome"] for one in got] == ["accepted", "refused"]
    assert problems(url) == []


def test_it_is_closed_and_rested_on_while_it_is_on_its_way(own_server):
    """What came up is not kept yet when it is closed, nor its closing when a sale rests on it: three batches at once."""
    database = own_server.database()
    desk = writing_desk(database)
    calm = writing_desk(own_server.database())
    case = a_case(calm)
    calm.store.close()
    lines = [
        issue("1", A, MORI), issue("2", B, OTHER_PHONE), close_it("c", case),
        issue("4", B, OTHER_PHONE, case=case, at="2023-03-02T09:10:00+09:00"),
    ]  # fmt: skip
    flow, got = Flow(desk, 1), []
    for line in lines:
        flow.put([desk.reader.read("journal", line)], got.extend)
    flow.finish()
    assert [one.outcome for one in got] == ["accepted", "referred", "accepted", "accepted"]
    desk.store.close()
    assert problems(database) == []


def test_an_open_case_is_looked_at_anew(own_server):
    """One desk has seen it open; another closes it; the first knows."""
    database = own_server.database()
    one, other = writing_desk(database), writing_desk(database)
    case = a_case(one)
    (early,) = said(one, issue("3", B, OTHER_PHONE, case=case))
    assert code(early) == "case-open"
    (closed,) = said(other, close_it("c", case))
    assert closed["outcome"] == "accepted"
    (sold,) = said(one, issue("4", B, OTHER_PHONE, case=case, at="2023-03-02T09:10:00+09:00"))
    assert sold["outcome"] == "accepted"
    for desk in (one, other):
        desk.store.close()


def test_many_at_once_close_it_once(own_server):
    """Eight clerks at eight desks: one decision holds, the others are told of it."""
    database = own_server.database()
    first = writing_desk(database)
    case = a_case(first)
    desks = [writing_desk(database) for _ in range(8)]
    start, got = Barrier(8), [None] * 8

    def clerk(n):
        start.wait(30)
        line = close_it("c", case, "granted" if n % 2 else "declined")
        got[n] = json.loads(encode_answer(desks[n].run([(f"clerk-{n}", line)])[0]))

    threads = [Thread(target=clerk, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(one["outcome"] for one in got) == ["accepted"] + ["refused"] * 7
    for one in (first, *desks):
        one.store.close()
    assert problems(database) == []


def test_it_cannot_be_closed_before_it_came_up(desk):
    """One microsecond before is invalid, with the moment; that moment itself will do."""
    case = a_case(desk)
    before, then = said(
        desk,
        close_it("early", case, at="2023-03-01T08:59:59.999999+09:00"),
        close_it("then", case, at="2023-03-01T09:00:00+09:00"),
    )
    assert (before["outcome"], code(before), before["result"]) == (
        "invalid", "before-its-case", {"latest": "2023-03-01T09:00:00+09:00"},
    )  # fmt: skip
    assert then["outcome"] == "accepted"


@pytest.mark.parametrize("channel", CHANNELS)
def test_who_may_close_which(desk, channel):
    """A counter closes what goes to its supervisor, operations everything; no other place closes any."""
    got = referrals(desk)
    more = {"company": "hanshin"} if channel in ("other-rail", "other-counter") else {}
    for id in ("2", "own"):
        (said_of,) = said(
            desk, close_it(f"c{id}", got[id]["case"], channel=channel, at="2023-05-01T09:00:00+09:00", **more)
        )
        if channel == "operations" or (channel == "counter" and id == "2"):
            assert said_of["outcome"] == "accepted"
        else:
            expected = "case-goes-elsewhere" if channel == "counter" else "not-at-this-place"
            assert (said_of["outcome"], code(said_of)) == ("refused", expected)


def test_the_reason_takes_no_individual_number(desk):
    """Twelve digits are none of ours to keep."""
    case = a_case(desk)
    (got,) = said(desk, command("c", "resolve_case", case=case, decision="declined", why="1234 5678 9012"))
    assert got["outcome"] == "invalid"
    assert "individual" in code(got)


# -- resting on it -------------------------------------------------------------------------------


def test_a_granted_case_lets_its_command_pass(desk, url):
    """Open: not yet. Granted: the card is sold, and the rule that referred it is silent."""
    case = a_case(desk)
    early, _, sold = said(
        desk, issue("3", B, OTHER_PHONE, case=case), close_it("c", case),
        issue("4", B, OTHER_PHONE, case=case, at="2023-03-02T09:10:00+09:00"),
    )  # fmt: skip
    assert (early["outcome"], code(early)) == ("refused", "case-open")
    assert early["reasons"][0]["params"]["refer_to"] == "counter-supervisor"
    assert (sold["outcome"], sold["result"]) == ("accepted", {"deposit": 500, "balance": 1500})
    assert problems(url) == []


def test_a_declined_case_lets_nothing_pass(desk):
    """It says so, and that the reason stands with the case."""
    case = a_case(desk)
    _, got = said(desk, close_it("c", case, "declined"), issue("3", B, OTHER_PHONE, case=case))
    assert (got["outcome"], code(got)) == ("refused", "case-declined")


def test_a_case_is_for_its_own_card_and_command(desk):
    """Another card's sale, another kind of command, no such case: told apart from a no."""
    case = a_case(desk)
    got = said(
        desk, close_it("c", case), issue("3", C, OTHER_PHONE, case=case), issue("4", C, OTHER_PHONE, case="C000000000000003-00000000"),
        command("5", "reverse", channel="operations", of="1", why="w", case=case),
    )  # fmt: skip
    assert [(one["outcome"], code(one)) for one in got[1:]] == [
        ("invalid", "case-of-another-matter"), ("invalid", "unknown-case"), ("invalid", "unknown-of"),
    ]  # fmt: skip


def test_a_case_is_for_its_own_kind_of_card(desk):
    """A named card was looked at; a commuter pass with the case's number would be another matter, and the way is back to the kind."""
    case = a_case(desk)
    of_osaka = {"from": "Osaka", "to": "Kyoto", "valid_from": "2023-03-03", "valid_until": "2023-06-02", "disability_discount": False}
    sale = {"card": B, "holder": OTHER_PHONE, "paid": 2000, "case": case}
    _, as_pass, as_smart, as_it_was = said(
        desk, close_it("c", case),
        command("3", "issue", kind="commuter", at="2023-03-02T09:10:00+09:00", **sale, **{"pass": of_osaka}),
        command("4", "issue", kind="smart", at="2023-03-02T09:10:00+09:00", **sale),
        command("5", "issue", kind="named", at="2023-03-02T09:10:00+09:00", **sale),
    )  # fmt: skip
    assert [(one["outcome"], code(one)) for one in (as_pass, as_smart)] == [("invalid", "case-of-another-matter")] * 2
    assert as_pass["reasons"][0]["params"]["field"] == "case"
    assert as_it_was["outcome"] == "accepted"


def test_a_case_is_for_the_person_it_was_opened_for(desk):
    """Granted is that Mori with another phone is not the Mori of card A. Sold with it to one who may be the Oka of card C, it is a case of its own."""
    case = a_case(desk)
    oka = PEOPLE["Oka"]
    maybe_oka = oka | {"phone": OTHER_PHONE["phone"]}
    _, _, to_oka, to_mori = said(
        desk, close_it("c", case), issue("3", C, oka),
        issue("4", B, maybe_oka, case=case, at="2023-03-02T09:10:00+09:00"), issue("5", B, OTHER_PHONE, case=case, at="2023-03-02T09:10:00+09:00"),
    )  # fmt: skip
    assert (to_oka["outcome"], code(to_oka)) == ("referred", "maybe-same-person")
    assert to_oka["reasons"][0]["params"]["held"] == [C[-4:]]
    assert to_oka["case"] != case
    assert to_mori["outcome"] == "accepted"


def test_other_rules_still_speak(desk):
    """Granted is what CARD-4 left open, not the price."""
    case = a_case(desk)
    line = command("4", "issue", card=B, holder=OTHER_PHONE, kind="named", paid=1000, case=case)
    _, got = said(desk, close_it("c", case), line)
    assert (got["outcome"], got["reasons"][0]["rule"]) == ("refused", "PUB-2")


def test_a_granted_application_is_taken(desk, url):
    """MYN-14: the ministry says yes, and the application is taken."""
    got = referrals(desk)
    fields = {"card": C, "channel": "myna-point", "person": "p", "measures": [2], "own_name": False}
    closed, taken = said(
        desk, close_it("c", got["own"]["case"], channel="operations", at="2023-04-02T09:00:00+09:00"),
        command("taken", "apply_myna_point", case=got["own"]["case"], at="2023-04-03T10:00:00+09:00", **fields),
    )  # fmt: skip
    assert closed["outcome"] == "accepted"
    assert (taken["outcome"], taken["result"]) == ("accepted", {"measures": [2]})
    assert problems(url) == []


def test_a_dry_run_says_what_the_number_would_be(desk, url):
    """The same answer as if it were kept; and there is no such case."""
    a_case(desk)
    done = farecard("--store", url, "try", "-", stdin=issue("9", C, OTHER_PHONE) + b"\n")
    got = json.loads(done.stdout)
    assert cases(url, "show", got["case"], check=False).returncode == 1
    assert said(desk, issue("9", C, OTHER_PHONE)) == [got]
    assert cases(url, "show", got["case"])["state"] == "open"


# -- asking --------------------------------------------------------------------------------------


def cases(url, *words, check=True):
    done = farecard("--store", url, "--json", "cases", *words, check=check)
    return json.loads(done.stdout) if done.returncode == 0 else done


def test_the_list_tells_what_is_open_and_how_the_rest_was_closed(desk, url):
    """Newest first, by state, by place, as of any moment; a table for people."""
    got = referrals(desk)
    (closed,) = said(desk, close_it("c", got["2"]["case"], by="clerk-7", place="Osaka"))
    assert closed["outcome"] == "accepted"
    found = cases(url, "list")
    assert [one["case"] for one in found] == [got[id]["case"] for id in ("change", "other", "own", "2")]
    assert [one["card"] for one in found] == [C, C, C, B]
    assert [one["case"] for one in cases(url, "list", "--state", "open")] == [one["case"] for one in found[:3]]
    assert [one["case"] for one in cases(url, "list", "--state", "granted")] == [got["2"]["case"]]
    assert cases(url, "list", "--state", "declined") == []
    assert [one["do"] for one in cases(url, "list", "--refer-to", "enquiry-line")] == ["change_applied_card"]
    assert len(cases(url, "list", "--most", "2")) == 2
    assert [one["state"] for one in cases(url, "list", "--as-of", "2023-03-01")] == ["open"]
    assert cases(url, "list", "--as-of", "2023-02-01") == []
    one = cases(url, "show", got["2"]["case"])
    assert one["closed"] == {
        "at": "2023-03-02T09:00:00+09:00", "channel": "counter", "place": "Osaka", "by": "clerk-7",
        "why": "papers seen", "sender": "journal", "id": "c",
    }  # fmt: skip
    assert cases(url, "show", got["2"]["case"], "--as-of", "2023-03-01")["closed"] is None
    people = farecard("--store", url, "--lang", "ja", "cases", "show", got["own"]["case"]).stdout.decode()
    assert "総務省へお問い合わせください" in people
    assert "MYN-14" in farecard("--store", url, "cases", "list").stdout.decode()
    unknown = cases(url, "show", "C000000000000003-00000000", check=False)
    assert unknown.returncode == 1
    assert b"no such case" in unknown.stderr


def test_over_http(desk, url):
    """A key with --ask cases lists and reads them; followers see the number; other keys may not ask."""
    got = referrals(desk)
    desk.store.close()
    served = Served(url)
    try:
        eye = served.key("eye", ask="cases,events")
        shop = served.key("shop", "shop")
        desk_key = served.key("desk", "counter")

        def ask(path, key=eye):
            status, _, body = served.call("GET", path, key=key)
            return status, json.loads(body)

        assert [one["case"] for one in ask("/v1/cases?state=open&limit=3")[1]] == [
            got[id]["case"] for id in ("change", "other", "own")
        ]
        status, problem = ask("/v1/cases?state=new")
        assert (status, problem["code"]) == (400, "want-choice")
        assert ask("/v1/cases", shop)[0] == 403
        assert ask(f"/v1/cases/{got['2']['case']}")[1]["refer_to"] == "counter-supervisor"
        status, problem = ask("/v1/cases/C000000000000003-00000000")
        assert (status, problem["code"]) == (404, "unknown-case")
        status, _, body = served.call("POST", "/v1/commands", close_it("h", got["2"]["case"]), desk_key)
        assert (status, json.loads(body)["outcome"]) == (200, "accepted")
        told = ask("/v1/events")[1]["events"]
        assert [one.get("case") for one in told if one["outcome"] == "referred"] == [
            got[id]["case"] for id in ("2", "own", "other", "change")
        ]
    finally:
        assert served.stop() == 0, served.said


# -- the audit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        ("DELETE FROM resolution", "is not in the list of closed cases"),
        ("UPDATE resolution SET decision = 'declined'", "not as its event says"),
        ('UPDATE resolution SET "of" = 1', "is said to be closed"),
    ],
)
def test_check_finds_what_was_tampered_with(tmp_path, change, said_of_it):
    """How a case was closed stands in its event; the list beside it must agree."""
    url = f"sqlite:///{tmp_path}/c.db"
    desk = writing_desk(url)
    said(desk, close_it("c", a_case(desk)))
    desk.store.close()
    tampered(tmp_path / "c.db", change)
    assert any(said_of_it in one for one in problems(url))
