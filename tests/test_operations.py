"""Operations over HTTP, as a browser without script meets them: every flow with the reason for each figure, every role's view."""

import asyncio
import json
import os
import re
import signal
import sqlite3
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import psycopg
import pytest

from conftest import a_store, command, farecard
from farecard.access import people as people_held
from farecard.access import proposals, tasks
from farecard.access.rights import QUESTIONS
from farecard.access.roles import ROLES
from farecard.desk import desk as desks
from farecard.desk import runs
from farecard.desk.opening import existing_store, writing_desk
from farecard.ledger import chart
from farecard.model.commands import PHONES
from farecard.model.moments import iso_moment, moment_now, parse_day
from farecard.model.verdict import Reason
from farecard.pages.charts import CHART_HEIGHT, CHART_WIDTH, Box, columns, curve, rows, scale
from farecard.pages.language import Language, words
from farecard.pages.operations import audit, details, names, shared
from farecard.pages.requests import Request
from farecard.pages.stretches import ROWS
from farecard.questions.progress import granted_so_far
from farecard.storage.opening import open_to_read
from farecard.texts import LANGUAGES, explain, texts
from serving import Served, eventually
from state import problems
from visiting import Browser, Visited, plain

SOURCE = Path(__file__).parent.parent / "src" / "farecard"
MINATO = Path(__file__).parent / "campaigns" / "minato.toml"
NOW = "2023-08-20T09:00:00+09:00"  # after the first draw's deadline, before the second's
DAY = "2023-06-15"


class Office(Visited):
    """A town whose clock stands in August, with a key that may say what machines, gates and the national system say."""

    def __init__(self, url, *options):
        super().__init__(url, "--clock", NOW, *options)
        channels = "ticket-machine,seven-bank-atm,petrol-station,gate,shop,myna-point,member-page,counter,convenience-store"
        self.anywhere = self.key("anywhere", channels)
        self.serial = 0

    def say(self, do, at, channel, outcome="accepted", **fields):
        """A command at a time of 2023 (``06-15T10:00``); gives its decision."""
        self.serial += 1
        line = command(f"n{self.serial}", do, at=f"2023-{at}:00+09:00", channel=channel, **fields)
        answer = self.post(line, self.anywhere)[1]
        assert answer["outcome"] == outcome, answer
        return answer

    def collector(self, when="03-02"):
        """Somebody who applies for measure 1 on a day and has topped up 20,000 yen within it: 5,000 points are due the month after."""
        number = self.sell("smart")
        self.say("apply_myna_point", f"{when}T09:00", "myna-point", card=number, person=f"p-{number}", measures=[1])
        for hour in (10, 11):
            self.say("top_up", f"{when}T{hour}:00", "seven-bank-atm", card=number, amount=9_000, tender="cash")
        self.say("purchase", f"{when}T12:00", "shop", card=number, amount=9_000, merchant="m")
        self.say("top_up", f"{when}T13:00", "seven-bank-atm", card=number, amount=2_000, tender="cash")
        return number

    def stamped(self):
        """Somebody with all four stamps by 20 July: a grant of the insurance card's 7,500 points, of which ten are charged, and a purchase."""
        number = self.sell("smart")
        self.say("join_rally", "03-02T08:00", "member-page", card=number)
        self.say("apply_myna_point", "03-02T09:00", "myna-point", card=number, person=f"p-{number}", measures=[2])
        self.say("confirm_insurance_card", "03-02T10:00", "myna-point", person=f"p-{number}")
        self.say("purchase", "03-02T12:00", "shop", card=number, amount=100, merchant="m")
        return number

    def case(self):
        """Somebody who would apply with a card after applying with another service by 29 June 2022: the programme's office is asked (MYN-13)."""
        number = self.sell("smart")
        history = {"other_service": {"measure": 2, "applied_on": "2022-06-29"}}
        return self.say("apply_myna_point", "08-01T09:00", "myna-point", "referred", card=number, person=f"p-{number}", measures=[2], history=history)["case"]


@contextmanager
def an_office(url, *options):
    """An office that is stopped behind a test; nothing may have gone wrong in it."""
    served = Office(url, *options)
    try:
        yield served
    finally:
        assert served.stop() == 0, served.said
    assert '"error"' not in served.said, served.said[-3000:]
    assert problems(served.url) == []


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(request, tmp_path_factory):
    """A server of each engine for all tests; each test has cards, days and months of its own."""
    with an_office(a_store(request, tmp_path_factory.mktemp("office"))) as served:
        yield served


@pytest.fixture(scope="module")
def people(office):
    """One of each role, signed in."""
    return {role: office.at("operations", role) for role in ROLES}


def rows_of(text):
    """The rows of a CSV file."""
    assert text.startswith("\ufeff")
    return [line.split(",") for line in text[1:].splitlines()[1:]]


def file(browser, path):
    status, headers, text = browser.send("GET", path)
    assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8"), path
    return rows_of(text)


def number_on(browser):
    """The proposal whose page is shown."""
    found = re.fullmatch(r"/operations/proposals/(P-\w+)", browser.path)
    assert found, (browser.path, plain(browser.text))
    return found[1]


def number_on_path(text):
    """The number of the proposal that a page is of."""
    return re.search(r"\bP-\w{10}\b", text)[0]


def finished(browser):
    """The page of what was approved, once it is done."""
    return eventually(lambda: "under way" not in (text := browser.look(browser.path)) and text)


def approved(people, number):
    """Somebody else approves it; gives what the page says once it is done."""
    people["approver"].look(f"/operations/proposals/{number}")
    people["approver"].press("Approve and do it", why="seen")
    return finished(people["approver"])


# -- today ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def a_day(office):
    """15 June: two machines and Seven Bank, two rides and one that is not over, refusals by two rules; and what lies just outside it."""
    a, b = office.sell("anonymous"), office.sell("named")
    office.say("top_up", "06-14T23:59", "ticket-machine", card=a, amount=1_000, tender="cash", place="m-1")
    office.say("top_up", "06-15T00:00", "ticket-machine", card=a, amount=1_000, tender="cash", place="m-1")
    office.say("top_up", "06-15T10:00", "ticket-machine", card=a, amount=2_000, tender="cash", place="m-1")
    office.say("top_up", "06-15T10:01", "ticket-machine", card=b, amount=10_000, tender="cash", place="m-2")
    office.say("top_up", "06-15T10:02", "seven-bank-atm", card=b, amount=1_000, tender="cash")
    office.say("tap_in", "06-15T11:00", "gate", card=a, station="Takatsuki")
    fare = -office.say("tap_out", "06-15T11:30", "gate", card=a, station="Osaka")["result"]["balance"] + 5_500
    office.say("tap_in", "06-15T18:00", "gate", card=a, station="Osaka")
    office.say("tap_out", "06-15T18:20", "gate", card=a, station="Takatsuki")
    office.say("tap_in", "06-15T23:50", "gate", card=a, station="Osaka")
    office.say("top_up", "06-15T12:00", "ticket-machine", "refused", card=b, amount=10_000, tender="cash", place="m-2")
    office.say("top_up", "06-15T12:01", "ticket-machine", "refused", card=b, amount=10_000, tender="cash", place="m-2")
    office.say("purchase", "06-15T12:02", "shop", "refused", card=b, amount=19_999, merchant="m")
    office.say("purchase", "06-15T23:59", "shop", card=b, amount=500, merchant="m")
    office.say("top_up", "06-16T00:00", "ticket-machine", card=b, amount=1_000, tender="cash", place="m-1")
    return fare


def test_today_says_what_happened_and_no_more(people, a_day):
    """14,000 yen in four charges; two rides; three refusals of 13 decided; what happened a minute before and after is another day's."""
    operator = people["operator"]
    text = operator.look(f"/operations?day={DAY}")
    assert f"¥14,000 charged; number of charges: 4 2 rides, for ¥{2 * a_day:,} 3 refused, of 13 decided" in text
    assert file(operator, f"/operations/today/charges.csv?day={DAY}") == [
        ["top-up", "ticket machine", "m-2", "1", "10000"],
        ["top-up", "ticket machine", "m-1", "2", "3000"],
        ["top-up", "Seven Bank ATM", "", "1", "1000"],
    ]
    ridden = file(operator, f"/operations/today/rides.csv?day={DAY}")
    assert len(ridden) == 24
    assert [row for row in ridden if row[1] != "0"] == [["11:00", "1", str(a_day)], ["18:00", "1", str(a_day)]]
    refused = file(operator, f"/operations/today/refusals.csv?day={DAY}")
    assert [row[:3] for row in refused] == [["PUB-1", "over-ceiling", "2"], ["SHOP-1", "purchase-shortfall", "1"]]
    bars = re.search(r'<svg[^>]*aria-labelledby="x-title.*?</svg>', operator.text, re.DOTALL)[0]
    said = [plain(one) for one in re.findall(r"<text[^>]*>(.*?)</text>", bars, re.DOTALL)]
    assert said == ["PUB-1 The balance never exceeds 20,000 yen 2", "SHOP-1 A purchase may be split: an odd balance w… 1"]  # the rules, not one case's figures
    before = operator.look("/operations?day=2023-06-14")
    assert "¥1,000 charged; number of charges: 1" in before
    assert "¥1,000 charged; number of charges: 1" in operator.look("/operations?day=2023-06-16")
    assert "Nobody has charged a card on this day" in operator.look("/operations?day=2023-06-17")
    assert "Sun 20 August 2023 today" in operator.look("/operations")  # by the windows' clock


def test_today_agrees_with_the_events_and_the_books(office, people, a_day):
    """Each charge is an event of that day; and the cash accounts of the trial balance moved by just those charges between its two ends."""
    assert a_day > 0
    key = office.key(f"eye-{DAY}", ask="events,trial-balance")
    events = [one for one in office.get("/v1/events?limit=10000", key)[1]["events"] if one["at"].startswith(DAY)]
    charged = sum(one["amount"] for one in events if one["do"] == "top_up" and one["outcome"] == "accepted")
    fares = -sum(one["amount"] for one in events if one["do"] == "tap_out" and one["outcome"] == "accepted")

    def moved(head):
        ends = [office.get(f"/v1/trial-balance?as_of={day}", key)[1]["accounts"] for day in ("2023-06-14", DAY)]
        return [sum(one["balance"] for one in end if one["account"].startswith(head)) for end in ends]

    told = people["operator"].look(f"/operations?day={DAY}")
    before, after = moved("cash:")
    assert after - before == charged == 14_000
    before, after = moved("fares-payable:")
    assert before - after == fares
    assert f"for ¥{fares:,}" in told
    found = {row[0]: int(row[3]) for row in file(people["operator"], f"/operations/books.csv?as_of={DAY}")}
    assert found == {one["account"]: one["balance"] for one in office.get(f"/v1/trial-balance?as_of={DAY}", key)[1]["accounts"]}


# -- who sees what -------------------------------------------------------------------------------

PAGES = {
    "trial-balance": ["/books", "/books/settlement/place", "/books/settlement/merchant", "/books/settlement/company", "/books/account?name=x", "/books/unused",
                      "/books.csv", "/books/unused.csv", "/books/unused.pdf", "/today/charges.csv"],
    "proposals": ["/proposals", "/grants", "/grants/2023-04", "/campaigns", "/campaigns/myna-point", "/campaigns/new", "/tariff", "/draws", "/draws/1", "/reverse",
                  "/proposals.csv", "/grants.csv", "/grants/2023-04.csv", "/campaigns.csv", "/campaigns/myna-point/days.csv", "/draws.csv"],
    "cases": ["/cases", "/cases.csv"],
    "trail": ["/audit", "/audit.csv", "/audit/checks.csv", "/audit/checkpoint.ndjson"],
}  # fmt: skip


def test_every_role_sees_what_it_may_ask_and_is_told_who_sees_the_rest(office, people):
    """Each page for each role: there, or 403 with the role's name; the way there shows with it; a stranger is asked to sign in."""
    for role, browser in people.items():
        start = browser.look("/operations")
        for question, paths in PAGES.items():
            for path in paths:
                connection_status, headers, _ = looked(office, browser, f"/operations{path}")
                assert connection_status == (200 if question in ROLES[role].ask else 403), (role, path)
        for part, question in (("Audit", "trail"), ("Books", "trial-balance"), ("Proposals", "proposals")):
            seen = question in ROLES[role].ask
            assert (f">{part}</a>" in browser.text) == seen, (role, part)
            assert (f"{part}: seen by" in start) != seen, (role, part)
        if role == "clerk":
            assert "Here you see the cases" in start
            assert "This is not for the role clerk" in plain(browser.send("GET", "/operations/books")[2])
    status, headers, _ = Browser(office).send("GET", "/operations/books")
    assert (status, headers["location"]) == (303, "/operations/sign-in?then=/operations/books")


def looked(office, browser, path):
    """A page or file of any kind: its status, headers and bytes."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return office.call("GET", path, Cookie=cookie)


def test_who_may_only_look_is_told_why(people):
    """An approver does not propose, an operator does not approve, an auditor does neither: the form is not there, and a sentence is."""
    for role in ("approver", "auditor"):
        for path in ("/grants/2023-04", "/campaigns/new", "/tariff", "/reverse"):
            text = people[role].look(f"/operations{path}")
            assert f"As {role} you do not propose; an operator does" in text
            assert "Propose it" not in text
        for path in ("/grants/2023-04", "/campaigns/new", "/tariff", "/reverse", "/draws/1"):
            token = re.search(r'name="csrf" value="(\w+)"', people[role].text)[1]
            form = {"csrf": token, "text": "x", "step": "commit", "seed_source": "x", "of": "1"}
            assert people[role].send("POST", f"/operations{path}", form)[0] == 403


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_speaks_both_languages_and_is_small(office, people, language):
    """Each below 100 kB; none holds what the policy would stop."""
    one = office.at("operations", "auditor", language)
    assert people
    for paths in PAGES.values():
        for path in paths:
            if "csv" in path or "pdf" in path or "ndjson" in path:
                continue
            status, _, text = one.send("GET", f"/operations{path}")
            assert status == 200
            assert f'<html lang="{language}"' in text
            assert len(text.encode()) < 100_000
            assert not re.search(r"\sstyle=|\son\w+=|<style|<script>|https?://", text.replace("http://www.w3.org", "")), path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?day=tomorrow", 400), ("?day=2023-02-31", 400), ("?day=0001-01-01", 400), ("?day=1999-12-31", 400),
        ("?day=2000-01-01", 200), ("?day=2099-12-31", 200), ("?day=2100-01-01", 400), ("?day=9999-12-31", 400), ("/today/rides.csv?day=0001-01-01", 400),
        ("/grants/0001-01", 400), ("/grants/1999-12", 400), ("/books?as_of=0001-01-01", 400), ("/books?as_of=9999-12-31", 400), ("/books/unused?day=0001-01-01", 400),
        ("/books/settlement/place?month=9999-12", 400), ("/books/settlement/place?month=2000-01", 200), ("/books/settlement/place?month=2099-12", 200), ("/grants/2023-13", 400), ("/books?as_of=x", 400), ("/books/settlement/pet", 404),
        ("/books/settlement/place?month=x", 400), ("/books/unused?known=x", 400), ("/campaigns/none", 404), ("/campaigns/myna-point/x.csv", 404),
        ("/draws/3", 404), ("/draws/x", 404), ("/proposals/P-0", 404), ("/proposals/P-0.csv", 404), ("/tasks/T-0", 404), ("/cases/C1", 404),
        ("/today/x.csv", 404), ("/audit?before=x", 200), ("/proposals?state=x", 200),
    ],
)  # fmt: skip
def test_an_address_that_is_none_says_so(people, path, status):
    """As a page, with the way back."""
    got, _, text = people["auditor"].send("GET", f"/operations{path}")
    assert got == status
    if status != 200:
        assert "Back to the start" in text


@pytest.mark.parametrize(
    ("path", "ja", "en"),
    [
        ("?day=2023-02-31", "日付は2000年から2099年までで、2023-04-15のように入力してください。", "Write a day like 2023-04-15, between 2000 and 2099."),
        ("/books/unused?known=last%20spring", "入力または選択された内容を受け付けられません。", "What was typed or chosen here cannot be taken."),
        ("/draws/99", "このページはありません。", "There is no such page."),
        ("/proposals/P-0", "提案の一覧で番号を確かめてください。", "Check the number in the list of proposals."),
        ("/cases/C1", "受付の一覧で番号を確かめてください。", "Check the number in the list of cases."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words_for_people(office, people, path, ja, en):
    """Of addresses, commands and what programs send nothing is said: in both languages what to do here."""
    one = office.at("operations", "auditor", "ja")
    assert ja in plain(one.send("GET", f"/operations{path}")[2])
    text = plain(people["auditor"].send("GET", f"/operations{path}")[2])
    assert en in text
    assert not re.search("/docs|/v1|farecard [a-z]+ list|question mark", text)
    assert people["auditor"].send("GET", "/operations/grants/2023-04/count")[0] == 405


def test_a_role_that_may_not_is_told_in_japanese(office):
    """By the role's Japanese name."""
    clerk = office.at("operations", "clerk", "ja")
    text = plain(clerk.send("GET", "/operations/books")[2])
    assert "役割「窓口係」ではできません。 → 担当の人に頼んでください。" in text
    assert f"これができる役割：{words('ja')['ops.and'].join(words('ja')[f'ops.role.{one}'] for one in shared.roles_that_see('trial-balance'))}" in text


@pytest.mark.parametrize(("known", "told"), [("2023-04-15", "Sat 15 April 2023 23:59"), ("2023-04-15 18:30", "Sat 15 April 2023 18:30"), ("2023-04-15 9:05", "Sat 15 April 2023 9:05"), ("2023-04-15T18:30:00%2B00:00", "Sun 16 April 2023 3:30")])
def test_when_something_was_known_is_written_as_people_do(people, known, told):
    """A day means its end; a day and a time are Tokyo's; the field says how."""
    text = people["auditor"].look(f"/operations/books/unused?known={known.replace(' ', '+')}")
    assert f"had been recorded by {told}." in text
    assert "a day and a time like 2023-04-15 18:30" in text
    for wrong in ("2023-04-15 25:00", "2023-04-15 9", "15 April"):
        assert people["auditor"].send("GET", f"/operations/books/unused?known={wrong.replace(' ', '+')}")[0] == 400


# -- grants --------------------------------------------------------------------------------------


def test_a_month_is_looked_at_proposed_approved_and_done(office, people):
    """One who reached the target in March: 5,000 points in April. The preview says so, the proposal, the result and its file, and the card."""
    operator, number = people["operator"], office.collector()
    short = office.sell("smart")
    office.say("apply_myna_point", "03-02T09:00", "myna-point", card=short, person=f"p-{short}", measures=[1])
    assert "It has not been counted yet" in operator.look("/operations/grants/2023-04")
    text = operator.press("Count now")
    assert "Myna Point 1 to be granted now – 1 5,000 points Myna Point 1 target not reached MYN-3 1 –" in text
    counted = file(operator, "/operations/grants/2023-04.csv")
    assert ["myna-point", "1", "to be granted now", "", "1", "5000"] in counted
    text = operator.press("Propose it", why="the month of April")
    proposal = number_on(operator)
    assert "Grants: 1, together 5,000 points" in text
    assert "the month of April" in text
    assert "You proposed it yourself, so somebody else has to approve it" in text
    assert "Approve and do it" not in text
    assert file(operator, f"/operations/proposals/{proposal}/preview.csv") == counted
    assert f"Waiting for a second pair of eyes: {proposal}" in operator.look("/operations/grants/2023-04")
    assert "As auditor you only look" in people["auditor"].look(f"/operations/proposals/{proposal}")
    done = approved(people, proposal)
    assert "✓ done What came of it 5,000 points Grants: 1" in done
    got = file(operator, f"/operations/proposals/{proposal}.csv")
    assert [row[:4] for row in got] == [[number, "myna-point", "1", "5000"]], "no column of months where nothing is paid by the month"
    key = office.key(f"eye-{number}", ask="cards")
    assert office.get(f"/v1/cards/{number}", key)[1]["card"]["points"] == 5_000
    again = operator.look("/operations/grants/2023-04")
    assert f"older than a run that was done since; count again to see what is left: {proposal}" in again
    assert "to be granted now" not in again, "what was counted before the run is not what a run would grant now"
    assert file(operator, "/operations/grants/2023-04.csv") == []
    assert "granted already" in operator.press("Count now")
    assert "older than a run" not in operator.look("/operations/grants/2023-04")
    granted_in_august = next(row for row in file(operator, "/operations/grants.csv") if row[0] == "2023-08")
    assert granted_in_august[1] == "5000", "the run for April was done on 20 August by the office's clock"
    assert f"April 2023 – done {proposal}" in operator.look("/operations/grants")


def test_a_place_that_only_repeats_its_kind_is_left_out():
    """A kiosk's own name says where; 'icoca-app' behind 'ICOCA app' says nothing, and is a program's word."""
    assert names.place("ticket-machine:m-9").both == {"ja": "券売機 m-9", "en": "ticket machine m-9"}
    for channel in ("icoca-app", "ticket-machine", "operations", "counter"):
        for text in (f"{channel}:{channel}", f"{channel}:-"):
            assert names.place(text).both == {name: words(name)[f"channel.{channel}"] for name in LANGUAGES}
            assert names.place(text).plain == text


def test_what_a_new_edition_begins_from_is_called_by_its_title(office):
    """In both languages, never by the file's own name."""
    for language in LANGUAGES:
        text = office.at("operations", "operator", language).look("/operations/campaigns/new")
        assert Language(language).word("ops.edition.from", name="myna-point") not in text
        assert Language(language).word("ops.edition.from", name={"ja": "マイナポイント", "en": "Myna Point"}[language]) in text


def test_a_closed_case_says_its_decision_in_words():
    """A case that somebody closed in another tab: what was decided in the page's words, and in Japanese as 受付, as the page calls it."""
    both = explain(Reason(None, "case-closed", {"closed_at": "2023-08-20T09:00:00+09:00", "decision": "granted"}))
    assert "認められました" in Language("ja").said(both)
    assert "案件" not in Language("ja").said(both)
    assert "granted" not in Language("ja").said(both)
    assert "案件" not in "".join(words("ja").values())


def test_a_case_that_goes_outside_records_what_was_answered(office, people):
    """The programme's office decides it (MYN-13), so 'grant it' would say that we do; the buttons say that an answer is recorded."""
    text = people["operator"].look(f"/operations/cases/{office.case()}")
    assert "This is not ours to decide. Ask the programme's office, and record here what was answered." in text
    assert "Record: they grant it Record: they decline it" in text


def test_when_the_points_of_a_month_are_due(people):
    """FAQ: around the 18th of the month after (翌月18日頃). It is 20 August: August's day is over, September's is to come, so a run would be early."""
    operator = people["operator"]
    august = operator.look("/operations/grants/2023-08")
    assert "what was reached in the month before is due around Fri 18 August 2023." in august
    assert "earlier than people were told" not in august
    september = operator.look("/operations/grants/2023-09")
    assert "is due around Mon 18 September 2023. That day is still to come: a run before it grants the points earlier" in september


def test_a_run_before_its_day_says_so_where_it_is_approved(tmp_path):
    """On 10 August July's points are due on the 18th: said on the month's page, and where another approves it; while that waits no second one is offered or taken."""
    with an_office(f"sqlite:///{tmp_path}/early.db", "--clock", "2023-08-10T09:00:00+09:00") as office:
        operator, approver = (office.at("operations", role) for role in ("operator", "approver"))
        early = "is due around Fri 18 August 2023. That day is still to come: a run before it grants the points earlier"
        assert early in operator.look("/operations/grants/2023-08")
        old = operator.text
        operator.press("Propose it")
        number = number_on(operator)
        text = approver.look(f"/operations/proposals/{number}")
        assert early in text
        assert "Approve and do it" in text
        text = operator.look("/operations/grants/2023-08")
        assert f"Waiting for a second pair of eyes: {number}" in text
        assert "Propose it" not in text
        operator.path, operator.text = "/operations/grants/2023-08", old
        text = operator.press("Propose it", id="another-tab")
        assert f"The same is proposed already: {number}, by {operator.name}" in text
        approver.look(f"/operations/proposals/{number}")
        assert early not in approver.press("Decline", why="on the 18th")


def test_a_month_that_has_not_begun_is_not_offered(people):
    """September by August's clock: from when, and no form; sent all the same, it is refused with the reason."""
    operator = people["operator"]
    text = operator.look("/operations/grants/2023-09")
    assert "Fri 1 September 2023" in text
    assert "Propose it" not in text
    token = re.search(r'name="csrf" value="(\w+)"', operator.text)[1]
    status, _, text = operator.send("POST", "/operations/grants/2023-09", {"csrf": token, "id": "abcdefgh1234"})
    assert status == 422
    assert "That cannot be done" in plain(text)
    assert "Fri 1 September 2023" in plain(text)
    assert "2023-09" not in str(file(operator, "/operations/grants.csv"))


def test_pressed_twice_it_is_proposed_once_and_approved_once(office, people):
    """The same form sent three times leads to one proposal; approved twice, the same page comes; nothing is granted twice."""
    operator, approver = people["operator"], people["approver"]
    operator.look("/operations/grants/2023-05")
    form = re.findall(r"<form\b.*?</form>", operator.text, re.DOTALL)[-1]
    said = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    went = {operator.send("POST", "/operations/grants/2023-05", said)[1]["location"] for _ in range(3)}
    assert len(went) == 1
    path = went.pop()
    approver.look(path)
    token = {"csrf": re.search(r'name="csrf" value="(\w+)"', approver.text)[1], "decision": "approve"}
    assert {approver.send("POST", path, token)[1]["location"] for _ in range(3)} == {path}
    approver.path = path
    assert "✓ done" in finished(approver)
    second = office.at("operations", "approver")
    second.look(path)
    token["csrf"] = re.search(r'name="csrf" value="(\w+)"', second.text)[1]
    status, _, text = second.send("POST", path, token)
    assert status == 409
    assert approver.name in plain(text), "another is told who was quicker"


def test_an_older_page_of_a_month_still_proposes(people):
    """Two forms stand on one page. Counted in one tab, what the other tab's page proposes is proposed; a refused form that is mended and sent again is a new one."""
    operator = people["operator"]
    operator.look("/operations/grants/2023-03")
    old = operator.text
    assert "As it was on" in operator.press("Count now")
    operator.path, operator.text = "/operations/grants/2023-03", old
    operator.press("Propose it")
    number_on(operator)
    operator.press("Withdraw")


def test_why_not_is_never_nothing():
    """Whatever a piece of work came to: a proposal, a reason, or a sentence that says what to do."""
    done = tasks.Task("T-1", "preview", "grants:2023-03", "somebody", 1, 1, 0, 0, 2, "{}")
    assert shared.proposed(done) is None
    assert shared.why_not(done) == [{"ja": words("ja")["ops.proposal.nothing_came"], "en": "Nothing was proposed. Open this page again and propose it once more."}]
    refused = done._replace(result=json.dumps({"decision": {"reasons": [{"code": "x"}]}}))
    assert shared.why_not(refused) == [{"code": "x"}]


def test_declined_and_withdrawn_nothing_happens(people):
    """Each with who and why; the buttons are gone; it cannot be approved any more."""
    operator, approver = people["operator"], people["approver"]
    for browser, button, word in ((approver, "Decline", "Declined"), (operator, "Withdraw", "Withdrawn")):
        operator.look("/operations/grants/2023-06")
        operator.press("Propose it")
        number = number_on(operator)
        browser.look(f"/operations/proposals/{number}")
        text = browser.press(button, why="not this month")
        assert f"{word} by {browser.name}" in text
        assert "not this month" in text
        assert "What came of it" not in text
        assert "Approve and do it" not in approver.look(f"/operations/proposals/{number}")
        token = re.search(r'name="csrf" value="(\w+)"', approver.text)[1]
        status, _, text = approver.send("POST", f"/operations/proposals/{number}", {"csrf": token, "decision": "approve"})
        assert status == 409
    assert "declined" in approver.look("/operations/proposals?state=declined")
    assert file(approver, "/operations/proposals.csv?state=withdrawn")[0][2] == "withdrawn"


def test_nobody_approves_his_own_whatever_his_role_became(office):
    """An operator who proposed and was made an approver since: not offered, and refused when sent."""
    one = office.at("operations", "operator")
    one.look("/operations/grants/2023-07")
    one.press("Propose it")
    number = number_on(one)
    farecard("--store", office.url, "staff", "role", one.name, "approver")
    one.look("/operations/sign-in")
    one.press("Sign in", name=one.name, password="a red umbrella in May")
    text = one.look(f"/operations/proposals/{number}")
    assert "somebody else has to approve it" in text
    assert "Approve and do it" not in text
    token = re.search(r'name="csrf" value="(\w+)"', one.text)[1]
    for decision, status in (("approve", 403), ("decline", 403), ("dance", 400)):
        got, _, text = one.send("POST", f"/operations/proposals/{number}", {"csrf": token, "decision": decision})
        assert got == status
    other = office.at("operations", "approver")
    other.look(f"/operations/proposals/{number}")
    other.press("Decline")


# -- how far a run is ----------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_run_tells_how_far_it_is_while_it_goes_and_goes_on_where_it_was_cut(engine, tmp_path, request, monkeypatch):
    """Seven grants, two a batch. Cut short after two batches the page says 4 of 7; the next server finishes: 7, 35,000 points."""
    url = f"sqlite:///{tmp_path}/s.db" if engine == "sqlite" else request.getfixturevalue("own_server").database()
    served = Office(url)
    try:
        served = goes_on(served, url, monkeypatch)
    finally:
        assert served.stop() == 0, served.said
    assert problems(url) == []


def goes_on(served, url, monkeypatch):
    for _ in range(7):
        served.collector()
    operator, approver = served.at("operations", "operator"), served.at("operations", "approver")
    operator.look("/operations/grants/2023-04")
    assert "Grants: 7, together 35,000 points" in operator.press("Propose it")
    number = number_on(operator)
    path = f"/operations/proposals/{number}"
    with closing(existing_store(url)[0]) as store:  # as a server leaves it that dies right after the approval
        proposals.decide(store, number, "approved", approver.name, None)
    text = operator.look(path)
    assert "under way" in text
    assert "0 of 7" in text

    half_done(url, number, monkeypatch)
    text = approver.look(path)
    assert "4 of 7" in text
    assert 'max="7"' in approver.text
    assert 'value="4"' in approver.text
    assert "data-refresh" in approver.text
    assert "Look again" in text  # without script
    assert "Do it now" not in text  # it may be under way still
    assert served.stop(signal.SIGKILL) != 0

    served = approver.served = Served(url, "--clock", NOW)  # it finishes what was approved
    done = eventually(lambda: "What came of it" in (text := approver.look(path)) and text)
    assert "35,000 points Grants: 7" in done
    assert len(file(approver, f"{path}.csv")) == 7
    return served


def test_approving_answers_at_once_and_the_run_goes_on_behind_it(own_server):
    """While somebody else holds the card that is to be granted the run waits; the page does not, and says 0 of 1; then 1."""
    with an_office(own_server.database()) as office:
        number = office.collector()
        operator, approver = office.at("operations", "operator"), office.at("operations", "approver")
        operator.look("/operations/grants/2023-04")
        operator.press("Propose it")
        approver.look(operator.path)
        with psycopg.connect(office.url, options="-c search_path=farecard") as holding:
            holding.execute("SELECT 1 FROM account WHERE account = %s FOR UPDATE", (int(number[2:]),))
            assert "0 of 1" in approver.press("Approve and do it")
            assert "◔ under way" in approver.look(approver.path), "still"
        assert "5,000 points Grants: 1" in finished(approver)


def test_long_work_is_left_and_come_back_to(office, people):
    """A count that somebody began shows where it is looked for; nobody begins another meanwhile; once it is over the way goes on."""
    from farecard.access import tasks

    operator = people["operator"]
    with closing(existing_store(office.url)[0]) as store:
        tasks.begin(store, "T-slow", "preview", "grants:2023-02", "somebody")
    assert "◔ Under way" in operator.look("/operations/tasks/T-slow")
    assert "data-refresh" in operator.text
    text = operator.look("/operations/grants/2023-02")
    assert "Under way" in text
    assert "Count now" not in text
    token = re.search(r'name="csrf" value="(\w+)"', operator.text)[1]
    _, headers, _ = operator.send("POST", "/operations/grants/2023-02/count", {"csrf": token, "id": "another-press"})
    assert headers["location"] == "/operations/tasks/T-slow"
    with closing(existing_store(office.url)[0]) as store:
        tasks.end(store, "T-slow", {"measures": [], "as_of": NOW})
    assert "It is done" in operator.look("/operations/tasks/T-slow")
    assert 'href="/operations/grants/2023-02"' in operator.text
    assert "As it was on Sun 20 August 2023 9:00" in operator.look("/operations/grants/2023-02")


def test_a_check_ends_with_whoever_began_it(tmp_path):
    """Its process is gone once it is called off; nothing is left of it."""
    from farecard.api.checking import check
    from postgres import _children

    url = f"sqlite:///{tmp_path}/s.db"
    writing_desk(url).store.close()

    def checking():
        return [pid for pid in _children(os.getpid()) if b"checking" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    async def begin_and_leave():
        job = asyncio.ensure_future(check(url, lambda *_: None))
        while not (found := checking()):  # noqa: ASYNC110  # nobody tells when a process has begun
            await asyncio.sleep(0)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        return found

    (pid,) = asyncio.run(begin_and_leave())
    assert not Path(f"/proc/{pid}").exists()
    whole = asyncio.run(check(url, lambda *_: None))
    assert whole == {"events": 0, "batches": 0, "problems": [], "more": 0}


def half_done(url, number, monkeypatch):
    """What a server does that dies after two batches of two grants; it is asked after each how far it is."""
    told = []
    with monkeypatch.context() as patched:
        patched.setattr(runs, "GRANTS_A_BATCH", 2)
        whole = desks.Desk._grant

        def grant(desk, run, some):
            if len(told) == 2:
                raise KeyboardInterrupt
            whole(desk, run, some)
            with closing(open_to_read(url)) as store:
                found = granted_so_far(store, "proposal", number, moment_now())
                ((count, points),) = store.rows("granted_by", sender="proposal", id=number)
            assert (found.grants, found.points) == (count, points)
            told.append(found.grants)

        patched.setattr(desks.Desk, "_grant", grant)
        with closing(open_to_read(url)) as store:
            said = json.loads(proposals.find(store, number).line)["command"]
        desk = writing_desk(url)
        with pytest.raises(KeyboardInterrupt):
            desk.run([("proposal", json.dumps(said).encode())])
        desk.store.close()
    assert told == [2, 4]


def test_a_rate_and_what_is_left_are_of_the_runs_own_batches():
    """100 grants in 4 seconds are 25 a second; the other 50 take 2 more. Of one batch nothing can be told yet."""
    from farecard.questions.progress import Granted

    some = Granted(100, 0, 1_000_000, 5_000_000)
    assert (some.a_second, some.seconds_left(150), some.seconds_left(90)) == (25.0, 2, 0)
    assert Granted(100, 0, 1_000_000, 1_000_000).seconds_left(150) is None
    assert Granted(0, 0, 0, 0).a_second == 0


# -- campaigns -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def a_campaign(tmp_path_factory):
    """An office of its own with five applicants of measure 1: two got there in March, one on 10 August, two are on their way: one has 9,000 yen, one nothing."""
    with an_office(f"sqlite:///{tmp_path_factory.mktemp('campaign')}/s.db") as office:
        for when in ("03-02", "03-20", "08-10"):
            office.collector(when)
        for _ in range(2):
            number = office.sell("smart")
            office.say("apply_myna_point", "08-01T09:00", "myna-point", card=number, person=f"p-{number}", measures=[1])
        office.say("top_up", "08-02T09:00", "seven-bank-atm", card=number, amount=9_000, tender="cash")
        operator, approver = office.at("operations", "operator"), office.at("operations", "approver")
        operator.look("/operations/grants/2023-04")
        operator.press("Propose it")
        approved({"approver": approver}, number_on(operator))
        yield operator


def test_a_campaigns_curve_and_what_is_still_to_come(a_campaign):
    """10,000 points granted; 5,000 due in September for the one of August. One in 28 days is a pace of a 28th a day: of the 41 days
    left one more gets there, on 17 September, whose 5,000 come in October. The two sums come to 2,250 by the percentage, of which that of the one who does not get there is
    a half: 1,125, in October as well (MYN-4). In all 21,125."""
    operator = a_campaign
    text = operator.look("/operations/campaigns/myna-point")
    assert "It has not been worked out yet" in text
    text = operator.press("Work it out now")
    assert "Applied: 5; got there: 3. The target is ¥20,000" in text
    assert "got there in the last 28 days: 1; on their way: 2; expected to get there: 1 Of the others by the percentage, in the month after the end: 1,125 points" in text
    assert "Granted ¥10,000 Due already +¥5,000 Expected +¥6,125 In all ¥21,125" in text
    assert "Myna Point owes ¥10,000 in the books" in text
    assert file(operator, "/operations/campaigns/myna-point/days.csv") == [
        ["1", "2023-03-02", "1", "1", "1", "1"],
        ["1", "2023-03-20", "1", "2", "1", "2"],
        ["1", "2023-08-01", "2", "4", "0", "2"],
        ["1", "2023-08-10", "1", "5", "1", "3"],
    ]
    assert file(operator, "/operations/campaigns/myna-point/months.csv") == [
        ["2023-08", "10000", "0", "0"], ["2023-09", "0", "5000", "0"], ["2023-10", "0", "0", "6125"],
    ]  # fmt: skip
    assert operator.text.count('class="curve c1"') == 2  # the line and its mark in the legend


def test_a_new_edition_and_a_tariff_are_pasted_and_take_two(people):
    """A municipality's campaign: what it would be; then it is there. A file that is none, or an old edition, is told at once and stays in the form."""
    operator = people["operator"]
    text = MINATO.read_text("utf-8")
    operator.look("/operations/campaigns/new")
    said = operator.press("Propose it", text=text, why="asked by the town")
    assert "minato-shops, edition 1. It is the first." in said
    done = approved(people, number_on(operator))
    assert "It holds now, as version" in done
    operator.look("/operations/campaigns")
    assert 'href="/operations/campaigns/minato-shops"' in operator.text
    assert "minato-shops" in [row[0] for row in file(operator, "/operations/campaigns.csv")]
    for broken, why in ((text, "is in the store"), ("name = 3", "name")):
        operator.look("/operations/campaigns/new")
        said = operator.press("Propose it", text=broken)
        assert "That cannot be done" in said
        assert why in said
        assert broken.strip().splitlines()[0] in unescape(operator.text)
    operator.look("/operations/campaigns/new?from=minato-shops")
    assert "minato-shops" in re.search(r"<textarea.*?</textarea>", operator.text, re.DOTALL)[0]

    operator.look("/operations/tariff")
    held = unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", operator.text, re.DOTALL)[1])
    assert "That cannot be done" in operator.press("Propose it", text=held)  # the version that holds
    new = re.sub(r"^version = (\d+)", lambda found: f"version = {int(found[1]) + 1}", held, flags=re.MULTILINE)
    old = next(block for block in new.split("[[row]]") if 'name = "refund_fee"' in block)
    new = new.replace(old, re.sub(r"value = [\d_]+", "value = 330", old))
    operator.look("/operations/tariff")
    operator.press("Propose it", text=new)
    changes = file(operator, f"/operations/proposals/{number_on(operator)}/preview.csv")
    assert [row[:3] for row in changes] == [["comes", "refund_fee", "330"], ["goes", "refund_fee", "220"]]
    operator.press("Withdraw")


def test_a_command_of_another_sender_is_taken_back(office, people):
    """Named by its sender and number; what is not there is told; approved, the card has its money back."""
    number = office.sell("anonymous")
    bought = office.serial + 1
    office.say("purchase", "08-01T10:00", "shop", card=number, amount=300, merchant="m")
    operator = people["operator"]
    assert "Take something back Find it by the card: each entry of its history says both." in operator.look("/operations/proposals")
    assert "/v1/" not in operator.text
    assert 'href="/operations/reverse"' in operator.text
    key = office.key(f"eye-{number}", ask="events")
    event = office.get("/v1/events?limit=10000", key)[1]["events"][-1]
    assert (event["sender"], event["id"]) == ("anywhere", f"n{bought}")
    operator.look("/operations/reverse")
    old = operator.text
    said = operator.press("Propose it", of="nothing", of_sender="anywhere", reason="x")
    assert "That cannot be done" in said
    assert 'value="nothing"' in operator.text
    operator.text = old  # back in the browser, and mended there
    said = operator.press("Propose it", of=f"n{bought}", of_sender="anywhere", reason="pressed the wrong key")
    assert f"Take back n{bought} of anywhere; the card would hold ¥1,500. pressed the wrong key" in said
    assert "It was taken back; the card holds ¥1,500 now" in approved(people, number_on(operator))


def test_what_is_to_be_taken_back_is_found_by_its_card(office, people):
    """However its number is typed: each entry with sender and number, and from those that can be taken back a way to the form, filled in. The sale has none."""
    number, operator = office.sell("anonymous"), people["operator"]
    office.say("purchase", "08-02T10:00", "shop", card=number, amount=300, merchant="m")
    operator.look("/operations/reverse")
    text = operator.press("Show what was done with it", card=number.removeprefix("JW").lower())
    assert f"purchase shop −¥300 ¥1,200 anywhere n{office.serial} propose to take it back" in text
    assert text.count("propose to take it back") == 1
    href = unescape(re.search(r'<a href="([^"]+)">\s*propose to take it back', operator.text)[1])
    operator.look(href.partition("#")[0])
    said = operator.press("Propose it", reason="pressed the wrong key")
    assert f"Take back n{office.serial} of anywhere; the card would hold ¥1,500. pressed the wrong key" in said
    operator.press("Withdraw")
    for typed, status, why in (("JW1", 400, "A card number is JW and 15 digits."), ("JW999999999999999", 404, "No card of this number was ever issued.")):
        got, _, text = operator.send("GET", f"/operations/reverse?card={typed}")
        assert (got, why in plain(text)) == (status, True)
        assert f'value="{typed}"' in text
    assert people["auditor"].send("GET", f"/operations/reverse?card={number}")[0] == 200
    assert people["clerk"].send("GET", f"/operations/reverse?card={number}")[0] == 403


def test_what_cannot_be_done_any_more_is_not_shown_as_done(office, people):
    """A top-up is to be taken back, and its yen are spent before somebody approves: not taken, with the reason and the next step; nothing changes."""
    number, operator = office.sell("anonymous"), people["operator"]
    put_on = office.serial + 1
    office.say("top_up", "08-01T10:00", "ticket-machine", card=number, amount=1_000, tender="cash", place="m-1")
    operator.look("/operations/reverse")
    operator.press("Propose it", of=f"n{put_on}", of_sender="anywhere", reason="counted twice")
    proposal = number_on(operator)
    office.say("purchase", "08-01T11:00", "shop", card=number, amount=2_000, merchant="m")  # 500 are left
    text = approved(people, proposal)
    assert f"{proposal} · ✕ not taken What came of it" in text
    assert "That cannot be done" in text
    assert "CHG-8" in text
    assert "✓ done" not in text
    assert "an operator proposes it again. Propose it again" in text
    assert f'href="/operations/reverse?of=n{put_on}&amp;of_sender=anywhere"' in people["approver"].text
    assert next(row for row in file(operator, "/operations/proposals.csv") if row[0] == proposal)[2] == "not taken"
    assert f"{proposal} …{number[-4:]} {Language.card(number)} not taken" in operator.look("/operations/proposals")


# -- draws ---------------------------------------------------------------------------------------


def test_a_draw_from_the_frozen_list_to_what_everybody_can_check(office, people, tmp_path):
    """Two with all four stamps; frozen, published, drawn by the public value, verified on the page, with the command, and by a holder."""
    operator = people["operator"]
    cards = [office.stamped() for _ in range(2)]
    operator.look("/operations/grants/2023-04")
    operator.press("Propose it")
    approved(people, number_on(operator))
    # the points are charged before the draw's deadline in the events' own time only where they were there: a draw of nobody else
    public = Browser(office)
    assert "The list is not frozen yet" in public.look("/draws/1")
    assert office.call("GET", "/draws/1.json")[0] == 404
    text = operator.look("/operations/draws/1")
    assert "There is nothing to verify yet" in text
    assert "The list is frozen first" in text
    text = operator.press("Propose it", seed_source="the Nikkei 225's close of 21 August 2023")
    assert "Freeze the list; entrants:" in text
    approved(people, number_on(operator))
    text = public.look("/draws/1")
    assert "The list is frozen; the draw is still to come" in text
    assert "the Nikkei 225's close of 21 August 2023" in text
    root = json.loads(office.call("GET", "/draws/1.json")[2])["root"]
    text = operator.look("/operations/draws/1")
    assert root in text
    said = operator.press("Propose it", step="draw", seed="31,856.71", winners="0")
    assert "Winners: That did not work" in said, "the field is named"
    assert 'value="31,856.71"' in operator.text
    said = operator.press("Propose it", step="draw", seed="31,856.71", winners="-1")
    assert "A whole number from 1. Entrants:" in said
    assert "where more are asked for, all of them win" in said
    said = operator.press("Propose it", step="draw", seed="31,856.71", winners="1")
    assert "by the public value 31,856.71" in said
    waiting = operator.look("/operations/draws/1")
    assert f"Waiting for a second pair of eyes: {number_on_path(said)}" in waiting
    assert "Propose it" not in waiting, "a second one beside it would draw another list of winners"
    operator.look(f"/operations/proposals/{number_on_path(said)}")
    approved(people, number_on(operator))
    assert "4. Verify it … to do" in operator.look("/operations/draws/1")
    text = operator.press("Verify the published file")
    assert "All of it follows from the list and the value" in text
    assert "4. Verify it ✓ done" in text
    status, headers, body = office.call("GET", "/draws/1.json")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="draw-1.json"')
    assert b"JW" not in body
    kept = tmp_path / "draw.json"
    kept.write_bytes(body)
    told = json.loads(farecard("draw", "verify", kept, "--root", root, "--json").stdout)
    assert told["ok"] is True
    written = tmp_path / "cli.json"
    farecard("--store", office.url, "draw", "publish", "1", written)
    assert written.read_bytes() == body
    assert "The draw was held" in public.look("/draws")
    assert cards


def test_a_holder_finds_the_own_line_without_a_script(tmp_path):
    """With the nonce the place on the list and whether it won; with another nonce, or another card, nothing; what is none is said to be none."""
    from applicants import Applicants
    from conftest import answers, new_desk

    desk = new_desk(tmp_path)
    answers(desk, Applicants(600, seed=8, rally=True).journal())
    lines = [
        command("c", "commit_draw", channel="operations", at="2023-07-21T09:00:00+09:00", draw=1, seed_source="tomorrow's price"),
        command("d", "draw_lottery", channel="operations", at="2023-07-22T09:00:00+09:00", draw=1, winners=2, seed="1234.56"),
    ]
    committed, drawn = answers(desk, lines)
    desk.store.close()
    url = f"sqlite:///{tmp_path}/store.db"
    assert committed["result"]["entrants"] > 3
    with an_office(url) as office:
        finds_the_own_line(office, url, drawn)
        checks_the_whole_draw(office)
    changed_store(tmp_path / "store.db")
    changed = Served(url)
    try:
        says_what_was_changed(changed)
    finally:
        changed.stop()


def checks_the_whole_draw(office):
    """Without a script the issuer's server does it, and says that it is the issuer's own check; a root that was kept is compared."""
    public = Browser(office)
    text = public.look("/draws/1")
    assert "The root is a fingerprint of the whole list" in text
    assert "A nonce is a random number that only you are given" in text
    root, entrants = re.search(r'data-root="(\w+)" data-entrants="(\d+)"', public.text).groups()
    text = public.press("Check the draw")
    assert "this is the issuer's own check" in text
    assert f"✓ The file is this draw's. ✓ Each entrant has one line, nobody two; lines: {entrants}. ✓ The lines make the root that stands on this page. ✓ The value 1234.56 picks just these places; winners: 2. The draw is as it says." in text
    assert "the value with what its publisher says (tomorrow's price)" in text
    assert "✓ It is the root that you kept." in public.press("Check the draw", kept=f" {root[:32].upper()} {root[32:]}")
    text = public.press("Check the draw", kept=root[:-1])
    assert "✕ It is not the root that you kept" in text
    assert "The draw is not as it says" in text
    japanese = Browser(office, "ja")
    japanese.look("/draws/1")
    assert "これは発行者自身による確認です。" in japanese.press("抽選を確かめる")


def changed_store(path):
    """Somebody who runs the store puts another line on the frozen list."""
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute("UPDATE entrant SET leaf = zeroblob(32) WHERE draw = 1 AND account = (SELECT min(account) FROM entrant WHERE draw = 1)").rowcount == 1


def says_what_was_changed(office):
    """The root that was made public is no longer that of the list; the lines themselves and the winners' places are in order."""
    public = Browser(office)
    public.look("/draws/1")
    text = public.press("Check the draw")
    assert "✕ The lines do not make the root that stands on this page: the list was changed. ✓ The value 1234.56" in text
    assert "The draw is not as it says" in text


def test_who_was_in_a_draw_is_not_in_the_next(office):
    """FAQ: 第1回の抽選の対象となった方は、第2回の抽選の対象にはなりません. Said of the second draw, in the list of draws too; the first has none before it."""
    for language, said in (("en", "Whoever was in Draw 1 is not in this one."), ("ja", "第1回抽選の対象となった方は、この抽選の対象にはなりません。")):
        public = Browser(office, language)
        assert said in public.look("/draws/2")
        assert said not in public.look("/draws/1")
        assert public.look("/draws").count(said) == 1


def finds_the_own_line(office, url, drawn):
    public = Browser(office)
    for place, winner in enumerate(drawn["result"]["winners"], 1):
        ticket = json.loads(farecard("--store", url, "draw", "ticket", "1", winner, "--json").stdout)
        public.look("/draws/1")
        text = public.press("Look for it", card=f" {ticket['card'].lower()} ", nonce=ticket["nonce"].upper())
        assert "Your card is on the list, at place" in text
        assert f"It won, as number {place}." in text
        assert ticket["leaf"] in text
    with closing(open_to_read(url)) as store:
        others = [f"JW{number:015d}" for _, _, number in store.rows("entrants_of", draw=1) if f"JW{number:015d}" not in drawn["result"]["winners"]]
    ticket = json.loads(farecard("--store", url, "draw", "ticket", "1", others[0], "--json").stdout)
    spaced = f"{ticket['card'][2:5]}\u3000{ticket['card'][5:]}"  # as it was typed, it is read: without JW, with a wide gap
    assert "It was not drawn this time" in public.press("Look for it", card=spaced, nonce=ticket["nonce"])
    assert "is not on the list" in public.press("Look for it", card=ticket["card"], nonce="00" * 16)
    assert "is not on the list" in public.press("Look for it", card="JW999999999999999", nonce=ticket["nonce"])
    for card, nonce in (("JW1", ticket["nonce"]), (ticket["card"], "xyz"), (ticket["card"], ticket["nonce"][2:])):
        assert "A card number is JW and 15 digits" in public.press("Look for it", card=card, nonce=nonce)
    assert ticket["nonce"] not in public.path
    winners = drawn["result"]["winners"]
    members_own_proof(office, url, [*winners, *others], len(winners))


def members_own_proof(office, url, listed, winners):
    """``winners`` of those listed have won, in this order. A member sees when it was held and whether the card has won, the same nonce for the own card, and a link that carries it behind the #, which no browser sends."""
    kinds = ((one, office.get(f"/v1/cards/{one}", office.desk)[1]["card"]["kind"]) for one in listed)
    number = next(one for one, kind in kinds if kind in PHONES)
    hanako = office.member()
    hanako.look("/member/add")
    hanako.press("Add it with the code", card=number, code=office.code(number, "icoca-app"))
    text = hanako.look(f"/member/cards/{number}/rally")
    ticket = json.loads(farecard("--store", url, "draw", "ticket", "1", number, "--json").stdout)
    assert "This card is on the list of draw 1" in text
    place = listed.index(number) + 1
    won = f"It won, as number {place}."
    assert "The draw was held on" in text
    assert (won if place <= winners else "It was not drawn this time.") in text
    assert ticket["nonce"] in text
    assert ticket["leaf"] in text
    assert f'href="/draws/1#{ticket["card"]}:{ticket["nonce"]}"' in hanako.text


def test_more_winners_asked_for_than_there_are_entrants(tmp_path):
    """999 are asked for: everybody on the list wins, no more are told of anywhere, and the file names them all in the order they were drawn."""
    from applicants import Applicants
    from conftest import answers, new_desk

    desk = new_desk(tmp_path)
    answers(desk, Applicants(600, seed=8, rally=True).journal())
    (committed,) = answers(desk, [command("c", "commit_draw", channel="operations", at="2023-07-21T09:00:00+09:00", draw=1, seed_source="tomorrow's price")])
    desk.store.close()
    entrants = committed["result"]["entrants"]
    with an_office(f"sqlite:///{tmp_path}/store.db") as office:
        people = {role: office.at("operations", role) for role in ("operator", "approver")}
        operator = people["operator"]
        operator.look("/operations/draws/1")
        old = operator.text
        assert "All of it follows" in operator.press("Verify the published file")
        operator.path, operator.text = "/operations/draws/1", old  # the other form of a page that is older than that
        text = operator.press("Propose it", step="draw", seed="1234.56", winners="999")
        assert f"winners: {entrants}." in text
        proposal = number_on(operator)
        assert operator.send("GET", f"/operations/proposals/{proposal}.csv")[0] == 404, "nobody has won yet"
        text = approved(people, proposal)
        assert f"Winners: {entrants}, in the order" in text
        assert f'href="/operations/proposals/{proposal}.csv"' in people["approver"].text
        winners = file(operator, f"/operations/proposals/{proposal}.csv")
        assert [turn for turn, _ in winners] == [str(n) for n in range(1, entrants + 1)]
        shown = re.findall(r'<li><details class="card-number"><summary>…\d{4}</summary><span class="number">(.*?)</span></details></li>', people["approver"].text)
        assert [card for _, card in winners] == [one.replace(" ", "") for one in shown]
        for text in (operator.look("/operations/draws/1"), Browser(office).look("/draws/1")):
            assert f"Winners {entrants}" in text
            assert not re.search(r"\b999\b", text)  # within a root or a seed it may well stand


def test_a_draw_before_its_day_is_not_offered(people):
    """The second draw's deadline is 30 September: from the next day on, and no form for anybody."""
    for role in ("operator", "approver"):
        text = people[role].look("/operations/draws/2")
        assert "Sun 1 October 2023" in text
        assert "Propose it" not in text
    operator = people["operator"]
    token = re.search(r'name="csrf" value="(\w+)"', operator.text)[1]
    status, _, text = operator.send("POST", "/operations/draws/2", {"csrf": token, "step": "commit", "seed_source": "x"})
    assert status == 422
    assert "STP-8" in text
    for _ in range(2):  # nothing is begun, so nothing is cut short either
        status, _, text = operator.send("POST", "/operations/draws/2/verify", {"csrf": token, "id": "verify-too-soon"})
        assert status == 409
        assert "There is nothing to verify yet: the list is not frozen" in plain(text)
        assert "It was cut short" not in plain(text)
    assert "It was cut short" not in operator.look("/operations/draws/2")
    assert operator.send("POST", "/operations/draws/3/verify", {"csrf": token, "id": "verify-no-draw"})[0] == 404


# -- the books -----------------------------------------------------------------------------------


def test_settlement_by_place_merchant_and_company(office, people):
    """May: two purchases at m-9 of 300 and 200, one taken back: 300 to pay; a till that took 3,000; each leads to its days."""
    operator, number = people["operator"], office.sell("anonymous")
    office.say("top_up", "05-03T10:00", "ticket-machine", card=number, amount=3_000, tender="cash", place="m-9")
    office.say("purchase", "05-04T10:00", "shop", card=number, amount=300, merchant="m-9")
    bought = office.serial + 1
    office.say("purchase", "05-05T10:00", "shop", card=number, amount=200, merchant="m-9")
    office.say("reverse", "05-05T11:00", "shop", of=f"n{bought}", why="mistake", merchant="m-9")
    office.say("tap_in", "05-07T10:00", "gate", card=number, station="Takatsuki")
    office.say("tap_out", "05-07T11:00", "gate", card=number, station="Osaka")
    assert ["m-9", "500", "200", "300"] in file(operator, "/operations/books/settlement/merchant.csv?month=2023-05")
    assert ["ticket-machine:m-9", "3000", "0", "3000"] in file(operator, "/operations/books/settlement/place.csv?month=2023-05")
    ((company, fares, back, to_pay),) = file(operator, "/operations/books/settlement/company.csv?month=2023-05")
    assert (company, int(fares) > 0, back, to_pay) == ("the issuer's own lines (nothing to pay)", True, "0", "")
    text = operator.look("/operations/books/settlement/company?month=2023-05")
    assert "¥0 to pay to companies for this month" in text
    assert f"the issuer's own lines (nothing to pay) ¥{int(fares):,} ¥0 –" in text
    assert 'class="chart"' not in operator.text
    text = operator.look("/operations/books/settlement/merchant?month=2023-05")
    assert "to pay to merchants for this month" in text
    assert "m-9 ¥500 ¥200 ¥300" in text
    href = unescape(re.search(r'<a href="([^"]+)">m-9</a>', operator.text)[1])
    operator.look(href)
    assert file(operator, "/operations/books/account.csv?name=merchants-payable:m-9&month=2023-05") == [
        ["2023-05-04", "0", "300"], ["2023-05-05", "200", "200"],
    ]  # fmt: skip
    assert "Debit ¥200, credit ¥500 in this month" in plain(operator.text)
    assert "¥300 0 rides" not in operator.look("/operations?day=2023-05-04")
    assert "Nothing was booked in this month" in operator.look("/operations/books/settlement/merchant?month=2022-05")
    assert "Debit" in operator.look("/operations/books?as_of=2023-05-31")


def test_the_trial_balance_is_read_by_kind_of_account_and_each_leads_to_its_own(office, people):
    """A line a kind, whose sums are those of its accounts; of the tills that took cash, all, fifty at a time; the file has every account."""
    operator, cards = people["operator"], [office.sell("anonymous") for _ in range(4)]
    for n in range(55):
        office.say("top_up", "05-20T10:00", "ticket-machine", card=cards[n // 15], amount=1_000, tender="cash", place=f"till-{n}")

    def lines(path):
        """The rows of the table, each cell plain; and the addresses of its first column."""
        operator.look(path)
        table = re.search(r'id="ops.books.balance".*?</table>', operator.text, re.DOTALL)[0].partition("<tbody>")[2]
        return [
            ([plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)], unescape(re.search(r'href="([^"]+)"', row)[1]))
            for row in table.split("<tr>")[1:]
        ]  # fmt: skip

    path = "/operations/books?as_of=2023-05-31"
    every = file(operator, "/operations/books.csv?as_of=2023-05-31")
    kinds = lines(path)
    assert len(kinds) == len({row[0].partition(":")[0] for row in every})
    assert sum(int(cells[1]) for cells, _ in kinds) == len(every)
    cells, href = next(one for one in kinds if one[0][0] == "Cash")
    cash = [row for row in every if row[0].startswith("cash:")]
    assert cells[1:] == [str(len(cash)), *(f"¥{sum(int(row[side]) for row in cash):,}".replace("¥-", "−¥") for side in (1, 2, 3))]
    assert href == "/operations/books?kind=cash&as_of=2023-05-31"
    assert file(operator, "/operations/books.csv?kind=cash&as_of=2023-05-31") == cash
    found, more = [], href
    while more:
        some = lines(more.partition("#")[0])
        assert 0 < len(some) <= ROWS
        found += some
        following = re.search(r'<a href="([^"]+)" rel="next">', operator.text)
        more = unescape(following[1]) if following else ""
    assert [cells[3] for cells, _ in found] == [f"¥{int(row[3]):,}".replace("¥-", "−¥") for row in cash]
    assert len(found) > ROWS
    assert "51 to" in plain(operator.text)
    assert "Trial balance" in plain(re.search(r'<p class="back">.*?</p>', operator.text)[0])
    assert all(href.startswith("/operations/books/account?name=") for _, href in found)
    assert "Nothing has been booked yet" in operator.look("/operations/books?kind=nothing")


def test_the_unused_balance_as_known_then_and_now(office, people):
    """A card is sold on 1 March; what is recorded later of before 31 March shows now and not as known then. Each is what the books say."""
    operator = people["operator"]
    office.sell("anonymous")
    key = office.key("books", ask="trial-balance")

    def unused(day):
        return office.get(f"/v1/trial-balance?as_of={day}", key)[1]["unused"]["balance"]

    before, moment = unused("2023-03-31"), moment_now()
    then = iso_moment(moment).replace("+09:00", f".{moment % 1_000_000:06}+09:00")
    late = office.sell("anonymous")
    office.say("top_up", "03-31T23:59", "ticket-machine", card=late, amount=3_000, tender="cash")
    office.say("top_up", "04-01T00:00", "ticket-machine", card=late, amount=1_000, tender="cash")
    path = f"?day=2023-03-31&known={then.replace('+', '%2B')}"
    ((_, as_known, now, more), (_, secure_then, secure_now, _)) = file(operator, f"/operations/books/unused.csv{path}")
    assert (int(as_known), int(now), int(more)) == (before, before + 4_500, 4_500)  # 1,500 at the sale, 3,000 put on
    assert (secure_then, secure_now) == ("0", "0")  # below 10 million
    assert int(now) == unused("2023-03-31")
    text = operator.look(f"/operations/books/unused{path}")
    assert f"Unused balance ¥{before:,} ¥{before + 4_500:,} ¥4,500" in text
    assert "is not more than ¥10,000,000, so nothing has to be secured" in text
    text = operator.look("/operations/books/unused")  # the last one to report by August is that of 31 March
    assert "At the end of Fri 31 March 2023" in text
    assert "The records of this store begin on" in text  # nothing was recorded by the machine's clock in 2023
    assert "This is no day that is reported" in operator.look("/operations/books/unused?day=2023-03-30")
    status, headers, body = looked(office, operator, f"/operations/books/unused.pdf{path}")
    assert (status, headers["content-type"], body[:5]) == (200, "application/pdf", b"%PDF-")


@pytest.mark.parametrize(("unused", "secured"), [(10_000_000, 0), (10_000_001, 5_000_001)])
def test_half_is_secured_above_ten_million(tmp_path, unused, secured):
    """At ten million yen nothing, one yen above it half of it, rounded up (PUB-15)."""
    from conftest import answers, new_desk
    from farecard.desk.opening import packaged_inputs
    from farecard.questions.books import unused_balance

    desk = new_desk(tmp_path)
    put_on = dict.fromkeys(range(1, 513), (10000, 5000, 3000)) | {513: (10_000, 3_000, 1_000), 514: ()}
    lines = []
    for n, amounts in put_on.items():
        card = f"JW{n:015d}"
        lines.append(command(f"i{n}", "issue", card=card, kind="anonymous", paid=2000))  # 1,500 of them on the card
        lines += [command(f"t{n}-{one}", "top_up", channel="ticket-machine", card=card, amount=one, tender="cash") for one in amounts]
    lines.append(command("p", "purchase", channel="shop", card=card, amount=10_001_000 - unused, merchant="m"))
    assert {one["outcome"] for one in answers(desk, lines)} == {"accepted"}
    desk.store.begin_reading()
    found = unused_balance(desk.store, packaged_inputs().tariff, parse_day("2023-03-31"), moment_now())
    desk.store.rollback()
    assert found["now"] == found["then"] == {"balance": unused, "to_secure": secured}


# -- cases ---------------------------------------------------------------------------------------


def test_a_case_is_closed_once_by_whoever_may(office, people):
    """What goes to the programme's office: an operator closes it with a reason; a clerk and an auditor see it and are told who does; twice is once."""
    number = office.case()
    operator = people["operator"]
    assert number in operator.look("/operations/cases?refer_to=programme-office")
    assert number not in operator.look("/operations/cases?refer_to=back-office")
    assert next(row for row in file(operator, "/operations/cases.csv") if row[0] == number)[1:3] == ["open", "the programme's office"]
    for role in ("clerk", "auditor"):
        text = people[role].look(f"/operations/cases/{number}")
        assert f"As {role} you do not close cases here; an operator or an approver does" in text
        assert "Record: they grant it" not in text
        assert "Grant it" not in text
    waiting = int(re.search(r"([\d,]+) cases waiting for people", operator.look("/operations"))[1])
    text = operator.look(f"/operations/cases/{number}")
    assert "MYN-13" in text
    form = re.findall(r"<form\b.*?</form>", operator.text, re.DOTALL)[-1]
    said = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)) | {"decision": "granted", "why": "the office says yes"}
    assert {operator.send("POST", f"/operations/cases/{number}", said)[1]["location"] for _ in range(2)} == {f"/operations/cases/{number}"}
    text = operator.look(f"/operations/cases/{number}")
    assert f"Granted by {operator.name}" in text
    assert "the office says yes" in text
    assert f"{waiting - 1:,} cases waiting for people" in operator.look("/operations")
    assert number not in operator.look("/operations/cases")
    assert number in operator.look("/operations/cases?state=granted")
    said["id"] = "another-press"
    status, _, text = operator.send("POST", f"/operations/cases/{number}", said)
    assert status == 422
    assert "It is not closed" in plain(text)
    token = re.search(r'name="csrf" value="(\w+)"', people["clerk"].text)[1]
    assert people["clerk"].send("POST", f"/operations/cases/{number}", said | {"csrf": token})[0] == 403


# -- the audit -----------------------------------------------------------------------------------


def test_the_whole_store_is_checked_in_the_background(people):
    """It fits together; who checked when stays; the trail says it; the checkpoint that is given away proves the store's end."""
    auditor = people["auditor"]
    auditor.look("/operations/audit")
    auditor.press("Check it now")
    text = finished(auditor)
    assert "✓ All of it fits together" in text
    assert file(auditor, "/operations/audit/checks.csv")[0][1:3] == [auditor.name, "fits together"]
    trail = file(auditor, "/operations/audit.csv")
    assert [(row[1], row[2]) for row in trail[:2]] == [(auditor.name, "ended a check"), (auditor.name, "began a check")]
    _, headers, line = auditor.send("GET", "/operations/audit/checkpoint.ndjson")
    assert headers["content-type"] == "application/x-ndjson"
    assert json.loads(line)["format"] == "farecard-checkpoint-1"
    auditor.look("/operations/audit?before=3")
    assert "ended a check" not in auditor.text.split("Who did what</caption>")[1]


def test_a_checkpoint_from_the_page_verifies_with_the_command(office, people, tmp_path):
    """As published with the command line."""
    kept = tmp_path / "points.ndjson"
    kept.write_text(people["auditor"].send("GET", "/operations/audit/checkpoint.ndjson")[2])
    told = json.loads(farecard("--store", office.url, "checkpoint", "verify", kept, "--json").stdout)
    assert told["ok"] is True


def test_a_store_that_was_tampered_with_is_found_and_a_check_that_was_cut_short_is_said(tmp_path):
    """A balance that no event gives; then a check whose server died: told as cut short, and begun again. Nothing of it hinders the server's end."""
    url = f"sqlite:///{tmp_path}/s.db"
    served = Office(url)
    try:
        number = served.sell("anonymous")
        auditor = served.at("operations", "auditor")
        with closing(sqlite3.connect(tmp_path / "s.db")) as db:
            db.execute("UPDATE account SET balance = balance + 1 WHERE number = ?", (int(number[2:]),))
            db.commit()
        auditor.look("/operations/audit")
        auditor.press("Check it now")
        text = finished(auditor)
        assert "Problems found:" in text
        assert "balance differ from what its events give" in text
        with closing(sqlite3.connect(tmp_path / "s.db")) as db:
            db.execute("INSERT INTO task VALUES ('T-lost', 'check', 'store', 'x', ?, ?, 1, 2, NULL, NULL)", (moment_now(), 1))
            db.commit()
        text = auditor.look("/operations/audit")
        assert "It was cut short" in text
        assert "Check it now" in text
    finally:
        assert served.stop() == 0, served.said


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_noted_has_its_words(language):
    """Every kind of line that the source adds to the trail, in both languages; in Japanese none of it is a code or English."""
    from farecard.access import tasks

    source = "\n".join(path.read_text("utf-8") for room in ("access", "pages") for path in (SOURCE / room).rglob("*.py"))
    noted = set(re.findall(r'\bnote\([^"()]*, "([a-z-]+)"', source))
    assert {"signed-in", "proposed", "key-added", "card-claimed", "person-erased", "locked"} <= noted
    noted |= set(proposals.STATES) - {proposals.PENDING}
    pages = "\n".join(path.read_text("utf-8") for path in (SOURCE / "pages" / "operations").glob("*.py"))
    kinds = set(re.findall(r'(?:survey\([^"]*|KIND, ABOUT = |tasks\.begin\([^"]*)"(\w+)"', pages)) - set(tasks.TOLD_APART)
    assert kinds == {"check", "preview", "outlook", "verify"}
    noted |= {f"{did} {kind}" for did in ("began", "ended") for kind in kinds}
    said = {key.removeprefix("ops.did."): word for key, word in words(language).items() if key.startswith("ops.did.")}
    assert said.keys() == noted
    if language == "ja":
        assert not [word for word in said.values() if re.search("[A-Za-z]", word)]


def test_a_kind_of_line_without_words_stands_as_it_was_noted():
    """As a later release may have noted it; one that has words is said in both languages."""
    assert audit._did("something-new") == {"ja": "something-new", "en": "something-new"}
    assert audit._did("signed-in") == {"ja": "サインイン", "en": "signed in"}


@pytest.mark.parametrize(
    ("did", "said", "ja", "en"),
    [
        ("locked", "5 wrong passwords", "パスワードの間違い5回", "5 wrong passwords"),
        ("staff-added", "clerk", "窓口係", "clerk"),
        ("staff-role", "clerk > operator", "窓口係 → 運用担当者", "clerk → operator"),
        ("code-given", "owning, counter", "カードの追加用（窓口）", "to add a card, at: counter"),
        ("code-given", "recovery, counter", "パスワードの再設定用（窓口）", "for a forgotten password, at: counter"),
        ("recovered", "recovery code", "回復コードで確認", "with a recovery code"),
        ("recovered", "a code of a counter", "窓口で渡したコードで確認", "with a code from: counter"),
        ("card-claimed", "holder", "名義人の氏名・生年月日・電話番号で確認", "by the holder's name, birthday and phone number"),
        ("card-claimed", "ticket-machine, before: sato", "券売機で渡したコードで確認（前はsatoさん）", "with a code from: ticket machine; it was sato's before"),
        ("person-erased", "holder, owned, owned", "名義人、会員のカード", "the holder, the cards of a member"),
        ("shift-closed", "-1200", "差額−1,200円", "difference −¥1,200"),
        ("shift-closed", "+0", "差額0円", "difference ¥0"),
        ("cash-brought", "+5000", "+5,000円", "+¥5,000"),
        ("proposed", "grants:2023-08", "2023年8月の付与", "points of August 2023"),
        ("key-added", '{"channels":["shop"],"ask":["cards","events"],"place":"osaka","rate":5}', "使える場所：お店。見られるもの：カード、すべての取引。場所はosaka。毎秒5件まで", "speaks for: shop; asks for: cards, every command; at osaka; at most 5 a second"),
        ("key-added", '{"channels":["operations"],"unattended":true}', "使える場所：運用部門。承認なしで実行", "speaks for: back office; without a second pair of eyes"),
    ],
)  # fmt: skip
def test_what_a_line_of_the_trail_says_besides_is_for_people(did, said, ja, en):
    """The file keeps what was noted."""
    found = details.detail(did, said, {})
    assert (found.both, found.plain) == ({"ja": ja, "en": en}, said)


@pytest.mark.parametrize(("did", "said"), [("locked", "many"), ("staff-role", "x"), ("code-given", "x"), ("card-claimed", "by magic"), ("person-erased", "soul"), ("key-added", '{"channel": 1}'), ("shift-closed", "none"), ("recovered", ""), ("new", "x")])
def test_what_an_earlier_release_noted_otherwise_stands_as_it_was_noted(did, said):
    """Nothing of the trail breaks its page."""
    assert details.detail(did, said, {}) == said


def test_everything_that_is_held_or_asked_has_its_words():
    """Whatever is erased of a person and whatever a key may ask, in both languages."""
    for language in LANGUAGES:
        assert {f"ops.said.held.{what}" for what in people_held.KEPT_IN} <= words(language).keys()
        assert {f"ops.said.question.{what}" for what in QUESTIONS} <= words(language).keys()


def test_one_word_each_in_japanese():
    """A proposal, a counter's supervisor and the back office have one name each, on every page and in every reason."""
    said = "\n".join([*words("ja").values(), *(text for one in texts("ja").values() for text in one.values())])
    for other in ("起案", "窓口の責任者"):
        assert other not in said
    assert words("ja")["cases.place.back-office"] == words("ja")["channel.operations"] == "運用部門"
    assert not [word for word in words("ja").values() if word == "事務局"]


def test_who_was_quicker_is_told_without_a_code():
    """In Japanese a proposal that another has decided says who did, and no word of English."""
    said = explain(Reason(None, "proposal-decided", {"state": "approved", "decided_by": "kato", "decided_at": "2023-08-20T09:00:00+09:00"}))
    assert "approved" not in said["ja"]
    assert "kato" in said["ja"]


def test_one_check_at_a_time(office):
    """Another who asks meanwhile is shown the same; who was heard of a moment ago is at it still, whoever's server it is."""
    from farecard.access import tasks

    with closing(existing_store(office.url)[0]) as store:
        first, is_new = tasks.begin(store, "T-one", "check", "elsewhere", "x")
        assert is_new
        again, is_new = tasks.begin(store, "T-two", "check", "elsewhere", "y")
        assert (again.task, is_new) == (first.task, False)
        tasks.seen(store, "T-one", 5, 9)
        assert tasks.find(store, "T-one")[6:8] == (5, 9)
        tasks.end(store, "T-one", {"problems": []})
        assert tasks.newest_done(store, "check", "elsewhere").answer == {"problems": []}
        assert tasks.begin(store, "T-two", "check", "elsewhere", "y")[1]
        tasks.end(store, "T-two", None)
        assert tasks.find(store, "T-two").state == "cut-short"


# -- how tables speak ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ja", "en"),
    [
        ("cash:charge-machine:Osaka", "現金：入金機 Osaka", "Cash: charging machine Osaka"),
        ("cash:icoca-app:-", "現金：ICOCAアプリ", "Cash: ICOCA app"),
        ("stored-fare-liability", "カードの残高（預り金）", "Held on all cards"),
        ("programme-receivable:myna-point", "事業への未収金：マイナポイント", "Owed by the programme: Myna Point"),
        ("programme-receivable:gone", "事業への未収金：gone", "Owed by the programme: gone"),
        ("merchants-payable:m-9", "お買い物の未払金：m-9", "Purchases to pay: m-9"),
        ("refunds-payable:app", "払いもどしの未払金：アプリ", "Refunds to be sent: through the app"),
        ("something:new", "something:new", "something:new"),
        ("merchants-payable:app", "お買い物の未払金：app", "Purchases to pay: app"),  # a shop of that name
        ("merchants-payable:issuer", "お買い物の未払金：issuer", "Purchases to pay: issuer"),
    ],
)
def test_a_ledger_account_has_a_name_in_each_language(text, ja, en):
    """The file keeps the name that the books have; one that is not known stands as it is."""
    said = names.account(text, {"myna-point": {"ja": "マイナポイント", "en": "Myna Point"}})
    assert (said.both, said.plain) == ({"ja": ja, "en": en}, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_head_of_the_books_has_its_name(language):
    """In Japanese none of it is English."""
    said = {head: names.account(head, {}).both[language] for head in chart.HEADS}
    assert set(chart.HEADS) & set(said.values()) == set()
    assert language == "en" or not [one for one in said.values() if re.search("[A-Za-z]", one)]


@pytest.mark.parametrize(
    ("text", "ja", "en"),
    [
        ("grants:2023-08", "2023年8月の付与", "points of August 2023"),
        ("draw:1", "第1回抽選", "draw 1"),
        ("campaign:minato", "キャンペーン「港」", "campaign Harbour"),
        ("tariff", "料金表", "the tariff"),
        ("clerk", "窓口係", "clerk"),
    ],
)
def test_what_a_proposal_is_about_is_said(text, ja, en):
    """Not by the name that programs know it by."""
    said = names.about(text, {"minato": {"ja": "港", "en": "Harbour"}})
    assert said.both["ja"] == ja
    assert said.both["en"].lower() == en.lower()
    assert said.plain == text


@pytest.mark.parametrize("text", ["sato", "grants:August", "P-7Q2M", "draw:x", "grants", "campaign", "", "T-1"])
def test_whatever_else_a_line_is_about_stands_as_it_is(text):
    """Names that somebody chose, numbers of proposals."""
    assert names.about(text, {}) == text


def test_no_table_in_japanese_shows_a_months_or_days_own_spelling(office, people):
    """Months, days and accounts as people write them; codes, and card numbers in full, are in the files alone."""
    number = office.sell("anonymous")
    office.say("purchase", "03-05T10:00", "shop", card=number, amount=300, merchant="m-ja")
    case = office.case()
    one = office.at("operations", "auditor", "ja")
    assert people
    for path in ("/grants", "/books", "/books/account?name=merchants-payable:m-ja&month=2023-03", "/proposals", "/cases", f"?day={DAY}", "/audit"):
        one.look(f"/operations{path}")
        cells = [plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", one.text, re.DOTALL)]
        assert cells
        assert not [cell for cell in cells if re.search(r"(?<![\w-])(\d{4}-\d\d(-\d\d)?(?![\w-])|JW\d{15})|grants:|draw:|cash:|-payable|-liability", cell)], path
    assert "お買い物の未払金：m-ja" in one.look("/operations/books/account?name=merchants-payable:m-ja&month=2023-03")
    text = one.look("/operations/cases")
    row = next(row for row in file(one, "/operations/cases.csv") if row[0] == case)
    assert f"…{row[5][-4:]} {Language.card(row[5])}" in text
    assert "<summary>…" in one.text
    assert "理由コード" not in one.look(f"/operations?day={DAY}")
    assert "over-ceiling" not in one.text


def test_tables_are_sorted_where_they_come_from(office, people):
    """By yen, by place, and back: on the page and in its file alike; another table of the page, and what is no column, change nothing."""
    day, cards = "2023-06-20", [office.sell("anonymous") for _ in range(3)]
    for card, place, amount in zip(cards, ("m-10", "m-9", "m-1"), (1_000, 10_000, 2_000), strict=True):
        office.say("top_up", "06-20T10:00", "ticket-machine", card=card, amount=amount, tender="cash", place=place)
    office.say("top_up", "06-20T10:01", "seven-bank-atm", card=cards[0], amount=3_000, tender="cash")
    operator = people["operator"]

    def places(sort):
        """The places, from the page and from the file that it leads to; and what the heads say of their order."""
        operator.look(f"/operations?day={day}&sort={sort}")
        table = re.search(r'id="ops.today.charges".*?</table>', operator.text, re.DOTALL)[0]
        rows = [[plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for row in table.split("<tr>")[2:]]
        link = next(one for one in re.findall(r'<p class="file"><a href="([^"]+)"', operator.text) if "charges.csv" in one)
        assert [row[2] for row in file(operator, unescape(link))] == [row[2].replace("–", "") for row in rows]
        return [row[2] for row in rows], re.findall(r'aria-sort="(\w+)"', table)

    assert places("") == (["m-9", "–", "m-1", "m-10"], [])  # the most yen first, as it comes
    assert places("today.charges.yen") == (["m-10", "m-1", "–", "m-9"], ["ascending"])
    assert places("-today.charges.yen") == (["m-9", "–", "m-1", "m-10"], ["descending"])
    assert places("today.charges.place") == (["m-1", "m-9", "m-10", "–"], ["ascending"])  # what is not there comes last
    assert places("-today.charges.place") == (["m-10", "m-9", "m-1", "–"], ["descending"])
    for other in ("today.rides.yen", "today.charges.nothing", "--today.charges.yen", "-", "path"):
        assert places(other) == (["m-9", "–", "m-1", "m-10"], []), other
    operator.look(f"/operations?day={day}")
    href = unescape(re.search(r'<th scope="col" class="money"><a href="([^"]+)">Yen', operator.text)[1])
    assert href == f"/operations?day={day}&sort=today.charges.yen#ops.today.charges"
    operator.look(href.partition("#")[0])
    assert '<details class="behind" open>' in operator.text
    assert f"/operations?day={day}&amp;sort=-today.charges.yen#ops.today.charges" in operator.text
    assert operator.send("GET", "/operations/cases?path=x&sort=cases.title.at")[0] == 200


@pytest.mark.parametrize(
    ("kind", "cells", "up"),
    [
        ("yen", [10, -5, None, 9], [-5, 9, 10, None]),
        ("day", ["2023-10-01", "2023-09-30"], ["2023-09-30", "2023-10-01"]),
        ("word", ["cases.is.open", "cases.is.granted"], ["cases.is.granted", "cases.is.open"]),
        ("said", [{"ja": "い", "en": "b"}, {"ja": "あ", "en": "c"}], [{"ja": "い", "en": "b"}, {"ja": "あ", "en": "c"}]),
        ("text", [names.about("grants:2023-10", {}), names.about("grants:2023-09", {})], [names.about("grants:2023-09", {}), names.about("grants:2023-10", {})]),
        ("text", ["m-10", "M-9", ""], ["M-9", "m-10", ""]),
    ],
)
def test_numbers_days_and_words_each_have_their_order(kind, cells, up):
    """Numbers by size, days by the calendar, words as they are read; nothing is last."""
    request = Request({"path": "/operations/x", "method": "GET", "headers": [(b"accept-language", b"en")], "query_string": b"sort=x.one"})
    grid = shared.in_order(shared.Grid("ops.x", [shared.Column("ops.col.one", kind)], [(one,) for one in cells], "/x.csv"), request)
    assert [one for (one,) in grid.rows] == up
    assert grid.file == "/x.csv?sort=x.one"
    assert grid.heads == ["/operations/x?sort=-x.one#ops.x"]


# -- charts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "amounts"), [(0, [0, 1]), (1, [0, 1]), (7, [0, 2, 4, 6, 8]), (10, [0, 5, 10]), (11, [0, 5, 10, 15]), (123_456, [0, 50_000, 100_000, 150_000])])
def test_an_axis_has_round_amounts_up_to_what_there_is(most, amounts):
    """Evenly apart, from 0, the last not below the most."""
    assert scale(most) == amounts


def test_columns_stand_on_the_ground_and_their_parts_on_each_other():
    """Two columns of 10 and 20 of an axis to 20: half and all of the height; parts meet; nothing is nothing."""
    drawn = columns([("a", [10, 0]), ("b", [15, 5])])
    low, high = drawn.ticks[0].y, drawn.ticks[-1].y
    assert [tick.amount for tick in drawn.ticks] == [0, 5, 10, 15, 20]
    a, below, above = drawn.boxes
    assert (a.y + a.height, a.height * 2) == (low, low - high)
    assert (below.y + below.height, above.y + above.height, above.y) == (low, below.y, high)
    assert [box.series for box in drawn.boxes] == [0, 0, 1]
    assert all(box.x >= 0 and box.x + box.width <= CHART_WIDTH and 0 <= box.y <= CHART_HEIGHT for box in drawn.boxes)
    assert [word.text for word in drawn.words] == ["a", "b"]
    assert columns([]).boxes == []
    assert len(columns([(str(n), [n]) for n in range(100)]).words) <= 6
    assert isinstance(a, Box)


def test_a_curve_rises_in_steps_and_goes_on_to_the_end():
    """Flat until the day, up on it; both lines end at the last day."""
    drawn = curve([[(0, 1), (10, 2)], [(5, 1)]], [(0, "x"), (10, "y"), (99, "z")])
    low, middle, high = (tick.y for tick in drawn.ticks)
    left, right = (word.x for word in drawn.words)
    assert drawn.paths[0] == f"M{left} {low}H{left}V{middle}H{right}V{high}H{right}"
    assert drawn.paths[1] == f"M{left} {low}H{(left + right) // 2}V{middle}H{right}"
    assert drawn.ends == [(right, high), (right, middle)]
    assert curve([[]], []).paths == [f"M76 {low}"]


def test_bars_one_under_the_other():
    """The longest goes all the way, half of it half, something always shows."""
    drawn = rows([("a", 10_000), ("b", 5_000), ("c", 1), ("d", 0)])
    assert [row.width for row in drawn.rows] == [CHART_WIDTH, CHART_WIDTH // 2, 1, 0]
    assert drawn.height == 4 * (drawn.rows[1].y - drawn.rows[0].y)
    assert rows([]).height == 0
