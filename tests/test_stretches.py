"""Long tables: every window shows all of them, fifty rows at a time, on pages that stay light; a file has the whole."""

import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest

from conftest import command
from farecard.pages.requests import Request
from farecard.pages.stretches import ROWS, stretch
from stationed import MORNING, Stationed
from town import fresh, opened
from visiting import plain

LIGHT = 100_000  # bytes of a page


# -- which rows ----------------------------------------------------------------------------------


def asked(query, method="GET"):
    return Request({"path": "/x", "method": method, "headers": [], "query_string": urlencode(query).encode()})


@pytest.mark.parametrize(
    ("page", "first", "back", "on"),
    [
        ("", 0, None, "t.2"),
        ("t.1", 0, None, "t.2"),
        ("t.2", 50, "", "t.3"),
        ("t.3", 100, "t.2", None),  # one row: the hundred and first
        ("t.4", 0, None, "t.2"),
        ("u.2", 0, None, "t.2"),
        ("t.0", 0, None, "t.2"),
        ("t.-1", 0, None, "t.2"),
        ("t.02", 0, None, "t.2"),
        ("t.٢", 0, None, "t.2"),
        ("t.999999999999", 0, None, "t.2"),
        ("t", 0, None, "t.2"),
    ],
)
def test_101_rows_are_three_pages(page, first, back, on):
    """What is no page of this table is its first; whatever else the address asks for is kept; the first page has the plain address."""
    part = stretch(asked({"month": "2023-04", "page": page}), "t", range(101))
    assert list(part.rows) == list(range(first, min(first + 50, 101)))
    assert (part.first, part.all) == (first, 101)

    def way(to):
        return "" if to is None else f"/x?month=2023-04{f'&page={to}' if to else ''}#t"

    assert (part.back, part.on) == (way(back), way(on))


@pytest.mark.parametrize(("rows", "leads_on"), [(0, False), (50, False), (51, True)])
def test_fifty_rows_fit(rows, leads_on):
    """One more leads on."""
    part = stretch(asked({}), "t", [0] * rows)
    assert (bool(part.on), part.back, len(part.rows)) == (leads_on, "", min(rows, 50))


def test_what_a_form_sent_leads_nowhere():
    """It has no address to come back to; how many rows there are is still known."""
    part = stretch(asked({"page": "t.2"}, "POST"), "t", range(101))
    assert (part.rows, part.all, part.back, part.on) == (range(50, 100), 101, "", "")


# -- the windows ---------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["sqlite"])
def town(request, tmp_path_factory):
    """A server whose clock stands on 20 April 2023."""
    yield from opened(Stationed, request, tmp_path_factory, MORNING)


def journal(town, lines):
    """Things that happened before, all of them accepted or left to people."""
    said = town.journal(lines, town.hand)[1]
    assert len(said) == len(lines)
    assert [one for one in said if one["outcome"] not in ("accepted", "referred")] == []


def read_to_the_end(browser, path, table):
    """A table's rows, each plain, page after page; every page is light and says which rows these are."""
    found, pages = [], 0
    while path:
        browser.look(path.partition("#")[0])
        assert len(browser.text.encode()) < LIGHT, path
        body = re.search(rf'id="{table}".*?<tbody>(.*?)</tbody>', browser.text, re.DOTALL)[1]
        some = [plain(row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]
        assert 0 < len(some) <= ROWS
        said = re.search(r'<nav class="rows".*?</nav>', browser.text, re.DOTALL)
        assert f"{len(found) + 1:,} to {len(found) + len(some):,} of" in plain(said[0])
        found, pages = found + some, pages + 1
        following = re.search(r'<a href="([^"]+)" rel="next">', browser.text)
        path = unescape(following[1]) if following else ""
    back = re.search(r'<a href="([^"]+)" rel="prev">', browser.text)
    assert back is not None or pages == 1
    return found


def minutes(first, count):
    """Moments a minute apart, from a day's first hour on."""
    begin = datetime.fromisoformat(f"{first}T00:00:00+09:00")
    return [(begin + timedelta(minutes=n)).isoformat() for n in range(count)]


def bought(number, times):
    """1,000 yen charged and spent at each of some moments."""
    for at in times:
        yield command(f"t{fresh()}", "top_up", at=at, channel="ticket-machine", card=number, amount=1000, tender="cash")
        yield command(f"b{fresh()}", "purchase", at=at, channel="shop", card=number, amount=1000, merchant="k")


def test_a_long_history_is_read_to_its_end(town):
    """150 charges and as many purchases in March, 51 of each in April, and the sale: 403 lines, nine pages; a month stays what it says."""
    one, number = town.holder("anonymous")
    journal(town, [*bought(number, minutes("2023-03-03", 150)), *bought(number, minutes("2023-04-02", 51))])
    path = f"/member/cards/{number}/history"
    every = read_to_the_end(one, path, "history")
    assert len(every) == 403
    assert len(one.send("GET", f"{path}.csv")[2].splitlines()) == 1 + 403
    april = read_to_the_end(one, f"{path}?month=2023-04&kind=top_up", "history")
    assert len(april) == 51
    assert april == [row for row in every if "April" in row and "top-up" in row]


def test_points_and_top_ups_of_myna_point_are_read_to_their_end(town):
    """60 charges before the application do not count, two of 10,000 after it do; its 5,000 points are charged ten at a time, 60 times, which do not either: 122 top-ups, and with the grant 61 moves of points."""
    one, number = town.holder("smart")
    journal(town, [*bought(number, minutes("2023-03-02", 60))])
    town.do("apply_myna_point", "myna-point", "03-02 09:00", card=number, person=f"p-{number}", measures=[1])
    for hour in (10, 12):
        town.top_up(number, 10_000, f"03-02 {hour}:00")
        town.spend(number, 10_000, f"03-02 {hour + 1}:00")
    town.do("run_grants", "operations", "04-19 00:00", month="2023-04")
    journal(town, [
        command(f"p{fresh()}", "top_up_from_points", at=at, channel="ticket-machine", card=number, points=10)
        for at in minutes("2023-04-19", 61)[1:]
    ])  # fmt: skip
    top_ups = read_to_the_end(one, f"/member/cards/{number}/myna", "measure-1-top-ups")
    assert len(top_ups) == 122
    assert [len([row for row in top_ups if rule in row]) for rule in ("MYN-1", "MYN-2")] == [60, 60]
    moves = read_to_the_end(one, f"/member/cards/{number}/points", "points")
    assert len(moves) == 61
    assert len(one.send("GET", f"/member/cards/{number}/points.csv")[2].splitlines()) == 1 + 61


def test_cases_and_shifts_at_a_counter_are_read_to_their_end(town):
    """55 people of one name and birthday each ask for a second card: 55 cases. A clerk who opened and closed 51 shifts sees all of them."""
    supervisor = town.at("counter", "clerk")
    number = town.sell("named")
    holder = town.holders[number]
    journal(town, [
        command(f"c{fresh()}", "issue", at=at, card=f"JW{fresh():015d}", kind="named", paid=2000, holder=holder | {"phone": f"080-0000-{n:04}"})
        for n, at in enumerate(minutes("2023-04-02", 55))
    ])  # fmt: skip
    cases = read_to_the_end(supervisor, "/counter/cases", "cases")
    assert len(cases) == 55
    assert len(supervisor.send("GET", "/counter/cases.csv?state=open")[2].splitlines()) == 1 + 55
    for n in range(51):
        supervisor.look("/counter/shift")
        supervisor.press("Open a shift", till=f"till-{n}", brought="10000")
        supervisor.look("/counter/shift")
        supervisor.press("Close the shift", piece_10000="1")
    assert len(read_to_the_end(supervisor, "/counter/shifts", "shifts")) == 51
