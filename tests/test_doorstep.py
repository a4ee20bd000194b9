"""What comes to the pages' door: addresses and cookies of strangers, a deed whose end nobody knows, words that are never kept, files for spreadsheets."""

import asyncio
import re
from types import SimpleNamespace

import pytest

from farecard.api.clock import Clock
from farecard.api.problems import busy
from farecard.model.verdict import Reason
from farecard.pages import member, site
from farecard.pages.files import csv_file
from farecard.pages.language import Language
from farecard.pages.site import WINDOWS
from town import fresh, opened
from visiting import Browser, Visited, plain

NUMBERS = ("123456789012", "1234-5678-9012", "１２３４ ５６７８ ９０１２", "it is 123456789012, she said")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request, tmp_path_factory):
    """A town on either engine."""
    yield from opened(Visited, request, tmp_path_factory)


# -- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("question", ["x=%ff", "&".join(f"a{n}=1" for n in range(101)), "=%e3%81"])
def test_a_question_that_cannot_be_read_is_a_page_that_says_so(town, window, question):
    """Not text for programs: with the way on."""
    one = Browser(town)
    status, headers, text = one.send("GET", f"{window}?{question}")
    assert (status, headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "Back to the start" in plain(text)


def test_whoever_has_signed_in_stays_so_on_a_page_that_cannot_be_read(town):
    """Its buttons work: another language leads back into the window."""
    hanako = town.member()
    hanako.look("/member?x=%ff")
    assert "Sign out" in plain(hanako.text)
    assert hanako.press("日本語") and 'lang="ja"' in hanako.text


def test_the_bare_address_leads_to_every_window(town):
    """Whoever types the host alone finds the way, in the language of the browser."""
    for language, called in (("en", "Member's page"), ("ja", "会員メニュー")):
        one = Browser(town, language)
        text = one.look("/")
        assert called in text
        assert set(re.findall(r'href="(/\w+)"', one.text.split("<main")[1])) == {*WINDOWS, "/docs"}


@pytest.mark.parametrize(("path", "known", "unknown"), [("books/settlement/place?month={}", "2000-02", "1999-12"), ("books/account?name=deposits-held&month={}", "2000-02", "1999-12"), ("books/settlement/place?month={}", "2099-11", "2100-01"), ("books/account?name=deposits-held&month={}", "2099-11", "2100-01")])
def test_no_page_leads_out_of_the_calendar(town, path, known, unknown):
    """From January 2000 to December 2099 commands can be of a month; before and after there is no way to press."""
    operator = town.at("operations", "operator")
    edge = "2000-01" if unknown < "2000" else "2099-12"
    operator.look("/operations/" + path.format(edge))
    assert f"month={known}" in operator.text
    assert f"month={unknown}" not in operator.text


# -- cookies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ['foo={"a":1, "b":2}', "bad[x]=1", "a b=c", "a@b=1", "a", "path=/", ";", "名前=値", "=x", "x=" + "y" * 3000])
def test_another_applications_cookie_signs_nobody_out(town, other):
    """Cookies are shared by all ports of a host, however they are written; ours are found among them, before and after."""
    hanako = town.member()
    ours = "; ".join(f"{name}={value}" for name, value in hanako.cookies.items())
    for line in (f"{other}; {ours}", f"{ours}; {other}", f"a=1;{ours};{other};b=2"):
        status, _, text = hanako.send("GET", "/member", Cookie=line.encode().decode("latin-1"))
        assert status == 200, line
        assert "Sign out" in plain(text)


# -- a deed whose end nobody knows ---------------------------------------------------------------


def test_what_may_have_been_done_is_pressed_again_as_it_was(monkeypatch):
    """The database was lost at the commit: the same form with the same id stands there to be pressed again, so nothing is done twice; and no form of any other failure."""
    sent, said = [], []

    async def lost(_house, request):
        said.append(dict(request.form))
        if request.form["amount"] == "1000":
            raise busy(Reason(None, "outcome-unknown"), 5)
        raise RuntimeError

    async def send(message):
        sent.append(message)

    pages = [("POST", "/member/enrol", lost)]
    monkeypatch.setitem(WINDOWS, "/member", member.WINDOW._replace(pages=pages))
    limits = SimpleNamespace(body=10_000, body_within=5, whole_body_within=5)
    app = SimpleNamespace(failed=lambda *_: None, queue=None, speakers=None, clock=Clock(), limits=limits)

    def press(body):
        sent.clear()

        async def receive():
            return {"type": "http.request", "body": body}

        headers = [(b"accept-language", b"en"), (b"content-type", b"application/x-www-form-urlencoded")]
        scope = {"path": "/member/enrol", "method": "POST", "headers": headers, "query_string": b""}
        asyncio.run(site.Site(app, behind_tls=False)._page(app, scope, receive, send))
        return b"".join(one.get("body", b"") for one in sent).decode()

    text = press(b"id=the-one-id&amount=1000&why=%3Cb%3E")
    assert sent[0]["status"] == 503
    assert "Press it again: it is not done twice" in plain(text)
    form = re.search(r'<form method="post" action="/member/enrol">.*?</form>', text, re.DOTALL)[0]
    again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert again == {"id": "the-one-id", "amount": "1000", "why": "&lt;b&gt;"}
    assert "Press it again</button>" in form
    assert '<form method="post" action="/member/enrol">' not in press(b"id=the-one-id&amount=1")
    assert said[0] == {"id": "the-one-id", "amount": "1000", "why": "<b>"}


# -- words that are never kept -------------------------------------------------------------------


@pytest.mark.parametrize("text", NUMBERS)
def test_no_free_text_takes_an_individual_number(town, text):
    """PUB-14: the reason of a till's difference, of cash that was moved, of a proposal and of its verdict, and a till's own name."""
    clerk = town.at("counter", "clerk")
    clerk.look("/counter/shift")
    assert "looks like an individual number" in clerk.press("Open a shift", till=text, brought="0")
    clerk.look("/counter/shift")
    clerk.press("Open a shift", till=f"till-{fresh()}", brought="1000")
    clerk.look("/counter/cash")
    assert "looks like an individual number" in clerk.press("Enter it", way="in", yen="100", why=text)
    clerk.look("/counter/shift")
    assert "looks like an individual number" in clerk.press("Close the shift", why=text)
    operator, approver = (town.at("operations", role) for role in ("operator", "approver"))
    month = ("2022-12", "2023-01", "2023-02", "2023-03")[NUMBERS.index(text)]
    operator.look(f"/operations/grants/{month}")
    assert "looks like an individual number" in operator.press("Propose it", why=text)
    operator.look(f"/operations/grants/{month}")
    operator.press("Propose it", why="the month")
    approver.look(operator.path)
    assert "looks like an individual number" in approver.press("Decline", why=text)
    approver.look(operator.path)
    approver.press("Decline", why="tomorrow")
    assert "123456789012" not in town.said_so_far()


def test_no_free_text_takes_a_control_character(town):
    """A bell, a line break: they would stand in files and on paper."""
    clerk = town.at("counter", "clerk")
    clerk.look("/counter/shift")
    clerk.press("Open a shift", till=f"till-{fresh()}", brought="1000")
    for bad in ("change\x07", "two\r\nlines", "a\x00b"):
        clerk.look("/counter/cash")
        assert Language("en").word("says.control-character") in clerk.press("Enter it", way="in", yen="100", why=bad)


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u3000=1", "＝HYPERLINK(1)", "＋1", "－1", "＠x"])
def test_a_spreadsheet_takes_nothing_that_was_typed_for_a_formula(typed):
    """In full width, too, and behind gaps: a mark in front makes it text."""
    lines = csv_file("x", ["a"], [[typed]]).body.decode("utf-8-sig").split("\n", 1)
    assert lines[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("plainly", [-1200, 0, "5 wrong passwords", "オオサカ", "", None])
def test_what_is_no_formula_stands_as_it_is(plainly):
    """Amounts are numbers, and words words."""
    said = csv_file("x", ["a", "b"], [[plainly, 1]]).body.decode("utf-8-sig").splitlines()[1]
    assert said == f"{'' if plainly is None else plainly},1"


# -- pages that tell what was done ---------------------------------------------------------------


def test_what_was_done_is_told_of_its_own_card(town):
    """Under another card's address, one's own or a stranger's, one is led to that card's page instead."""
    hanako, number = town.holder("smart")
    other = town.sell("smart")
    hanako.look("/member/add")
    hanako.press("Add this card", card=other, **{name: town.holders[other][name] for name in ("kana", "born", "phone")})
    hanako.look(f"/member/cards/{number}/rally")
    assert "You are in the stamp rally" in hanako.press("Join")
    told = hanako.path
    assert "You are in the stamp rally" not in hanako.look(told.replace(number, other))
    assert hanako.path == f"/member/cards/{other}"
    assert "You are in the stamp rally" in hanako.look(told)
