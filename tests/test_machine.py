"""The station machine over HTTP, as a browser without script meets it: what fits and what does not, to the yen, and that a deed is done once."""

import re

import pytest

from conftest import command, farecard
from farecard.pages.language import Language, words
from residents import WORD
from serving import Served, eventually
from state import problems
from stationed import MORNING, Stationed
from town import HANAKO, fresh, opened
from visiting import Browser, plain

TICKETS, CHARGES, ADJUSTMENT = "ticket-machine", "charge-machine", "fare-adjustment"
CASH_IN = '/machine/top-up/cash" class="two'  # of the two forms there, the one that does it


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request, tmp_path_factory):
    """A server of each engine for all tests; each test has machines and cards of its own."""
    yield from opened(Stationed, request, tmp_path_factory, MORNING)


def greyed(one):
    """The buttons of a screen that cannot be pressed, and the reason each leads to."""
    found = re.findall(r'<button[^>]* disabled aria-describedby="why-(\d+)">(.*?)</button>', one.text, re.DOTALL)
    whys = re.findall(r'<div id="why-\d+">(.*?)</section>', one.text, re.DOTALL)
    return {plain(text).split(" ✕")[0]: plain(whys[int(why)]) for why, text in found}


def open_buttons(one):
    """The buttons of a screen that may be pressed."""
    main = one.text.split("<main")[1].split("</main>")[0]
    return [plain(text) for attributes, text in re.findall(r"<button([^>]*)>(.*?)</button>", main, re.DOTALL)
            if "disabled" not in attributes and "data-key" not in attributes]  # fmt: skip


def hidden(one, action):
    """The fields that a form of a screen carries along."""
    form = one.text.split(f'action="{action}"')[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))


# -- setting up ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channels", "ask", "kind", "lacks"),
    [
        ("shop", "cards", TICKETS, "--channels ticket-machine"),
        ("ticket-machine", "codes", TICKETS, "--ask cards"),
        ("ticket-machine", "cards", ADJUSTMENT, "--channels fare-adjustment"),
        ("shop", "events", CHARGES, "--channels charge-machine --ask cards"),
    ],
)
def test_a_key_that_does_not_do_is_told_what_it_lacks(town, channels, ask, kind, lacks):
    """And which line makes one that does; that line is true."""
    one = Browser(town)
    one.look("/machine")
    assert one.path == "/machine/setup"
    text = one.press("Start it", kind=kind, skin="pink", station="", key=town.key(f"k{fresh()}", channels, ask=ask))
    assert f"It lacks: {lacks} →" in text
    line = re.search(r"farecard (keys add machine-1 [\w ,-]+--place \w+)", text)[1].split()
    line[2] = f"machine-{fresh()}"
    secret = farecard("--store", town.url, *line).stdout.decode().split()[-1]
    one.press("Start it", kind=kind, skin="pink", station="", key=secret)
    assert one.path == "/machine"
    assert 'class="kiosk pink"' in one.text


def test_what_is_no_key_sets_nothing_up(town):
    """An invented one, a clerk's session, a member's, nothing; and neither opens the door from a cookie."""
    clerk, hanako = town.at("counter", "clerk"), town.member()
    for secret in ("fc_invented", clerk.cookies["staff"], hanako.cookies["member"], ""):
        one = Browser(town)
        one.look("/machine")
        text = one.press("Start it", kind=TICKETS, skin="navy", station="", key=secret)
        assert "unknown" in text or "ended" in text
        assert "device" not in one.cookies
        one.cookies |= {"device": secret, "machine": "ticket-machine.navy.0."}
        status, _, text = one.send("GET", "/machine")
        assert status == 503
        assert "out of service" in text


def test_a_set_up_with_a_slip_in_it_is_told(town):
    """A port that is none, a station the network does not have; what a cookie says otherwise is no set-up."""
    key = town.key(f"k{fresh()}", TICKETS, ask="cards")
    for fields, said in (
        ({"reader": "yes", "port": "seventy"}, "from 1 to 65535"), ({"reader": "yes", "port": "65536"}, "from 1 to 65535"),
        ({"reader": "yes", "port": "0"}, "from 1 to 65535"), ({"reader": "yes", "port": ""}, "from 1 to 65535"),
        ({"station": "Atlantis"}, "station"),
    ):  # fmt: skip
        one = Browser(town)
        one.look("/machine")
        assert said in one.press("Start it", **{"kind": TICKETS, "skin": "navy", "station": "", "key": key} | fields)
        assert one.cookies == {}
    for text in ("", "gate.navy.0.", "ticket-machine.green.0.", "ticket-machine.navy.x.", "a"):
        one.cookies = {"device": key, "machine": text}
        one.look("/machine")
        assert one.path == "/machine/setup"


def test_its_script_may_ask_the_card_reader_and_nobody_else(town):
    """The port it was told, on the machine itself; without a reader nobody."""
    plain_one, with_reader = town.at_machine(), town.at_machine(reader="yes", port="8470", station="Osaka")
    for one, asks in ((plain_one, "connect-src 'self';"), (with_reader, "connect-src 'self' http://127.0.0.1:8470;")):
        assert asks in one.send("GET", "/machine")[1]["content-security-policy"]
    assert "http://127.0.0.1:8470/card" in with_reader.text
    assert "data-reader" not in plain_one.text
    assert "Ticket machine Osaka" in plain(with_reader.text)


def test_out_of_service_and_in_again(town):
    """Whoever has its key takes it out; nobody else. What it is stays."""
    one = town.at_machine(ADJUSTMENT, skin="pink", station="Osaka")
    one.look("/machine/out")
    assert "unknown" in one.press("Take out of service", key="fc_invented")
    one.look("/machine/out")
    assert "out of service" in one.press("Take out of service", key=one.key)
    assert "out of service" in one.look("/machine/card")
    text = one.look("/machine/setup")
    assert 'value="fare-adjustment" checked' in one.text
    assert "<option selected>Osaka" in one.text
    one.press("Start it", kind=ADJUSTMENT, skin="pink", station="Osaka", key=one.key)
    assert "Fare adjustment machine Osaka" in plain(one.text), text


def test_a_key_that_is_revoked_meanwhile_ends_it(town):
    """In the middle of a visit: the next press does nothing but say so."""
    number = town.holding(1500)
    one = town.inserted(TICKETS, number)
    one.look("/machine/top-up/cash?in=1000")
    farecard("--store", town.url, "keys", "revoke", one.name)
    eventually(lambda: one.send("GET", "/machine/card")[0] == 503)
    status, _, text = one.send("POST", "/machine/top-up/cash", hidden(one, CASH_IN))
    assert status == 503
    assert "another machine, or go to a counter" in text
    assert town.events(number) == []


def test_a_machine_whose_cookie_says_another_kind_is_closed(town):
    """The key speaks for a ticket machine alone."""
    one = town.inserted(TICKETS, town.holding(1500))
    one.cookies["machine"] = "fare-adjustment.navy.0."
    assert one.send("GET", "/machine/adjust")[0] == 503


# -- a card --------------------------------------------------------------------------------------


def test_a_card_is_put_in_however_it_is_typed(town):
    """With JW and without, with gaps, in full width; its number stands in no address and no longer than ten minutes in the machine."""
    one, number = town.at_machine(), town.holding(1500)
    digits = number[2:]
    for typed in (number, digits, f" jw {digits[:3]} {digits[3:7]}-{digits[7:]} ", "".join(chr(ord(one) + 0xFEE0) for one in digits)):
        one.look("/machine")
        status, headers, _ = one.send("POST", "/machine/card", {"number": typed, **hidden(one, "/machine/card")})
        assert (status, headers["location"]) == (303, "/machine/card")
        assert "Max-Age=600" in headers["set-cookie"]
        assert "HttpOnly" in headers["set-cookie"]
        text = one.look("/machine/card")
        assert f"Balance ¥1,500 …{number[-4:]}" in text
        assert number not in text
        assert digits not in one.text


def test_what_is_no_card_is_told_and_typed_again(town):
    """Too short, letters, nobody's; the field is there once more."""
    one = town.at_machine()
    for typed, said in (("12", "JW and 15 digits"), ("JW00000000000000x", "JW and 15 digits"), ("JW999999999999999", "o card of this number was ever issued")):
        one.look("/machine")
        assert said in one.press("Go on", number=typed)
        assert 'name="number"' in one.text
        assert one.cookies.get("visit", "") == ""


def test_back_to_start_forgets_the_card_and_the_language(town):
    """By cancel, and by the start's own address; afterwards nothing about it is to be had."""
    number = town.holding(1500)
    for way in ("/machine/end", "/machine"):
        one = town.inserted(TICKETS, number)
        one.press("日本語")
        one.press("暗い表示")
        assert one.path == "/machine/card"
        assert 'lang="ja" data-theme="dark"' in one.text
        one.look(way)
        assert one.path == "/machine"
        assert "Put your card in" in plain(one.text)
        assert 'lang="en" data-theme="system"' in one.text
        for path in ("/machine/card", "/machine/history", "/machine/history.pdf", "/machine/top-up"):
            one.look(path)
            assert one.path == "/machine"


def test_a_visit_is_of_one_machine_and_one_card(town):
    """A cookie that was tampered with, another machine's, one that is nonsense: none."""
    number, other = town.holding(1500), town.holding(19_000)
    one, elsewhere = town.inserted(TICKETS, number), town.inserted(TICKETS, other)
    mine = one.cookies["visit"]
    for visit in (mine.replace(number, other), elsewhere.cookies["visit"], mine[:-1], "x", "card-a-b-c", "-".join(["card", number, "9" * 18, "0" * 32])):
        one.cookies["visit"] = visit
        status, headers, _ = one.send("GET", "/machine/card")
        assert (status, headers["location"]) == (303, "/machine")


def test_a_visit_ends_after_ten_minutes(tmp_path):
    """Just before them the card is in, just after it is not: a second server's clock is ahead by that."""
    url = f"sqlite:///{tmp_path}/s.db"
    town = Stationed(url, "--clock", MORNING)
    later = []
    try:
        one = town.inserted(TICKETS, town.sell("anonymous"))
        for clock, there in (("09:09:00", True), ("09:11:00", False)):
            later.append(Served(url, "--clock", f"2023-04-20T{clock}+09:00"))
            one.served = later[-1]
            status, headers, _ = one.send("GET", "/machine/card")
            assert (status == 200) == there
            assert there or headers["location"] == "/machine"
    finally:
        for server in (*later, town):
            assert server.stop() == 0, server.said
    assert problems(url) == []


# -- notes ---------------------------------------------------------------------------------------


def test_notes_to_the_brim(town):
    """19,000 yen are on it: 1,000 fit, 2,000 do not (PUB-1), and the largest is named; then it is full."""
    number = town.holding(19_000)
    one = town.inserted(TICKETS, number)
    one.look("/machine/top-up")
    assert open_buttons(one) == ["¥1,000"]
    no = greyed(one)
    assert list(no) == ["¥2,000", "¥5,000", "¥10,000"]
    assert all("holds at most ¥20,000; it holds ¥19,000 now. → Up to ¥1,000" in why and "PUB-1" in why for why in no.values())
    assert one.text.count('id="why-') == 1, "a reason that three share stands once"
    text = one.press("¥1,000")
    assert "Balance before ¥19,000 What you put in +¥1,000 New balance ¥20,000" in text
    assert list(greyed(one)) == ["¥1,000", "¥2,000", "¥5,000", "¥10,000"]
    text = one.press("Top up ¥1,000")
    assert "Topped up Balance before ¥19,000 top-up +¥1,000 New balance ¥20,000" in text
    assert "Balance ¥20,000" in text
    one.look("/machine/top-up")
    assert open_buttons(one) == []
    assert "nothing more fits here" in greyed(one)["¥1,000"]
    assert town.events(number) == [("top_up", 1000, "accepted")]


def test_several_notes_are_one_top_up(town):
    """5,000 and 2,000 are one of 7,000; what went in can be given back; more than 10,000 at once is refused before it is pressed (PUB-3)."""
    number = town.holding(1500)
    one = town.inserted(CHARGES, number)
    one.look("/machine/top-up")
    one.press("¥5,000")
    text = one.press("¥2,000")
    assert "What you put in +¥7,000 New balance ¥8,500" in text
    assert "PUB-3" in greyed(one)["¥5,000"]
    assert open_buttons(one) == ["¥1,000", "¥2,000", "Top up ¥7,000"]
    assert "Give my notes back" in text
    one.look("/machine/top-up/cash")
    assert "What you put in" not in plain(one.text)
    one.press("¥5,000")
    one.press("¥5,000")
    assert list(greyed(one)) == ["¥1,000", "¥2,000", "¥5,000", "¥10,000"]
    one.press("Top up ¥10,000")
    assert town.events(number) == [("top_up", 10_000, "accepted")]


def test_the_largest_that_fits_is_offered(town):
    """11,500 yen are on it: none of the notes is 8,000, so that is a button of its own."""
    number = town.holding(11_500)
    one = town.inserted(TICKETS, number)
    text = one.look("/machine/top-up")
    assert list(greyed(one)) == ["¥10,000"]
    assert "The largest that fits: ¥8,000" in text
    one.press("The largest that fits: ¥8,000")
    assert "New balance ¥19,500" in one.press("Top up ¥8,000")


def test_what_was_typed_into_the_address_is_no_way_around(town):
    """An amount that does not fit has no button to press; sent all the same, it is refused with the way out."""
    number = town.holding(19_000)
    one = town.inserted(TICKETS, number)
    for wanted in ("2000", "1500", "-1", "x", "999999999999"):
        one.look(f"/machine/top-up/cash?in={wanted}")
        assert "Top up ¥" not in plain(one.text)
    one.look("/machine/top-up/cash?in=1000")
    fields = hidden(one, CASH_IN)
    status, _, text = one.send("POST", "/machine/top-up/cash", fields | {"amount": "2000"})
    assert status == 200
    assert "Up to ¥1,000 can be put on it" in text
    assert "What else can be done" in text
    for amount in ("0", "x", ""):
        status, _, text = one.send("POST", "/machine/top-up/cash", fields | {"amount": amount, "id": f"i{fresh()}"})
        assert status == 422
        assert "What else can be done" in text
    assert town.balance(number) == 19_000


def test_pressed_three_times_it_is_done_once(town):
    """The same form leads to the same screen, and one event."""
    number = town.holding(1500)
    one = town.inserted(TICKETS, number)
    one.look("/machine/top-up/cash?in=1000")
    fields = hidden(one, CASH_IN)
    got = {one.send("POST", "/machine/top-up/cash", fields)[1]["location"] for _ in range(3)}
    assert got == {f"/machine/done/{fields['id']}"}
    assert town.events(number) == [("top_up", 1000, "accepted")]
    assert "Topped up" in one.look(got.pop())


def test_another_sites_form_does_nothing(town):
    """No token, another machine's, another site: refused."""
    number = town.holding(1500)
    one, other = town.inserted(TICKETS, number), town.inserted(TICKETS, number)
    one.look("/machine/top-up/cash?in=1000")
    other.look("/machine/top-up/cash?in=1000")
    good, others = (hidden(each, CASH_IN) for each in (one, other))
    for form, headers in (({**good, "csrf": ""}, {}), (others, {}), (good, {"Sec-Fetch-Site": "cross-site"}), (good, {"Origin": "https://evil.example"})):
        assert one.send("POST", "/machine/top-up/cash", form, **headers)[0] == 403
    assert town.events(number) == []


def test_what_was_done_is_told_to_whoever_has_the_card_in(town):
    """Another card in the same machine sees neither the screen nor the receipt."""
    number, other = town.holding(1500), town.holding(1500)
    one = town.inserted(TICKETS, number)
    one.look("/machine/top-up/cash?in=1000")
    one.press("Top up ¥1,000")
    where = one.path
    one.look("/machine")
    one.press("Go on", number=other)
    for path in (where, where.replace("done", "receipt") + ".pdf"):
        one.look(path)
        assert one.path == "/machine/card"


# -- quick charge --------------------------------------------------------------------------------


def test_a_quick_charge_with_what_is_left_of_the_day(town):
    """15,000 of the day's 20,000 are used: 5,000 go, 10,000 do not (CHG-4); then not even 3,000."""
    number = town.sell("smart")
    town.top_up(number, 10_000, "04-20 07:00", "credit")
    town.spend(number, 11_000, "04-20 07:30")
    town.top_up(number, 5_000, "04-20 08:00", "credit")
    one = town.inserted(TICKETS, number)
    assert "Quick charge by your registered credit card" in one.look("/machine/top-up")
    text = one.look("/machine/top-up/quick")
    assert "Left today, of ¥20,000 ¥5,000 Left this month, of ¥40,000 ¥25,000" in text
    assert open_buttons(one) == ["¥3,000", "¥5,000"]
    assert "the day's limit" in greyed(one)["¥10,000"]
    assert "Balance before ¥5,500 Quick charge +¥5,000 New balance ¥10,500" in one.press("¥5,000")
    assert "Topped up" in one.press("Top up ¥5,000")
    assert "Left today, of ¥20,000 ¥0 Left this month, of ¥40,000 ¥20,000" in one.look("/machine/top-up/quick")
    assert open_buttons(one) == []
    assert len(greyed(one)) == 3
    one.look("/machine/top-up")
    assert "CHG-4" in greyed(one)["Quick charge"]
    assert "Top up with notes" in plain(one.text)


def test_a_quick_charge_with_what_is_left_of_the_month(town):
    """35,000 of the month's 40,000 are used on other days: 5,000 go, 10,000 do not."""
    number = town.sell("smart")
    for day in ("04-01", "04-02", "04-03"):
        town.top_up(number, 10_000, f"{day} 08:00", "credit")
        town.spend(number, 10_000, f"{day} 09:00")
    town.top_up(number, 5_000, "04-04 08:00", "credit")
    one = town.inserted(CHARGES, number)
    text = one.look("/machine/top-up/quick")
    assert "Left today, of ¥20,000 ¥20,000 Left this month, of ¥40,000 ¥5,000" in text
    assert open_buttons(one) == ["¥3,000", "¥5,000"]
    assert "the month's limit" in greyed(one)["¥10,000"]
    one.press("¥5,000")
    assert "New balance ¥11,500" in one.press("Top up ¥5,000")
    one.look("/machine/top-up/quick")
    assert len(greyed(one)) == 3


def test_no_quick_charge_where_there_is_none(town):
    """At a fare adjustment machine (CHG-2) it is greyed; other cards have none (CHG-1); notes always go on."""
    one = town.inserted(ADJUSTMENT, town.sell("smart"), station="Osaka")
    one.look("/machine/top-up")
    assert "CHG-2" in greyed(one)["Quick charge"]
    other = town.inserted(TICKETS, town.holding(1500))
    text = other.look("/machine/top-up/quick")
    assert "CHG-1" in text
    assert "Top up with notes instead" in text
    phone = town.inserted(TICKETS, town.sell("mobile"))
    phone.look("/machine/top-up")
    assert open_buttons(phone) == []
    assert "CHG-6" in greyed(phone)["¥1,000"]


# -- points --------------------------------------------------------------------------------------


def test_points_in_tens(town):
    """9 and 11 are refused with the unit (PUB-10), 10 goes; as many as fit is a button."""
    number = town.with_points()
    one = town.inserted(TICKETS, number)
    assert "5,000 points" in one.look("/machine/points")
    assert "As many as fit: 5,000 points" in one.look("/machine/points/top-up")
    for wanted in ("9", "11"):
        text = one.look(f"/machine/points/top-up?points={wanted}")
        assert "PUB-10" in text
        assert "As many as fit: 5,000 points" in text
    assert "Balance before ¥1,500 10 points +¥10 New balance ¥1,510" in one.press("Go on", points="10")
    assert "4,990 points left" in one.press("Top up from 10 points")
    one.look("/machine/points/top-up")
    text = one.press("Go on", points="5000")
    assert "There are 4,990 points on this card" in text
    one.press("As many as fit: 4,990 points")
    assert "0 points left" in one.press("Top up from 4,990 points")
    text = one.look("/machine/points/top-up")
    assert "0 points Points are put on the card in tens, from 10 on; there are fewer." in text
    assert "A card holds at most" not in text
    assert 'href="/machine/top-up"' in one.text  # the other way
    assert town.events(number) == [("top_up_from_points", 10, "accepted"), ("top_up_from_points", 4990, "accepted")]


def test_points_that_the_card_has_no_room_for(town):
    """19,985 yen are on it: ten points fit, twenty do not, and ten is the largest."""
    number = town.with_points()
    town.top_up(number, 10_000, "04-20 08:00")
    town.spend(number, 515, "04-20 08:10")
    town.top_up(number, 9_000, "04-20 08:20")
    one = town.inserted(ADJUSTMENT, number, station="Osaka")
    text = one.look("/machine/points")
    assert "As many as fit: 10 points" in text
    assert "PUB-1" in one.press("Go on", points="20")
    one.press("As many as fit: 10 points")
    assert "New balance ¥19,995" in one.press("Top up from 10 points")
    text = one.look("/machine/points")  # 4,990 points are left, five yen fit, and ten points would not
    assert "A card holds at most ¥20,000; it holds ¥19,995 now, and nothing more fits here. → Spend some of it first, then try again." in text
    assert "there are fewer" not in text


def test_points_where_they_are_not_charged(town):
    """At a charging machine, and for a card in a phone: the reason, and where it goes (WST-5)."""
    for kind, number in ((CHARGES, town.with_points()), (TICKETS, town.sell("mobile"))):
        one = town.inserted(kind, number)
        text = one.look("/machine/points/top-up")
        assert "WST-5" in text
        assert open_buttons(one) == []


@pytest.mark.parametrize("skin", ["navy", "pink"])
def test_points_returned_and_other_as_the_machines_print_them(town, skin):
    """WST-7: on the screen and on paper; a card in a phone is told where."""
    number = town.with_points()
    one = town.inserted(TICKETS, number, skin=skin)
    one.look("/machine/points/top-up?points=10")
    one.press("Top up from 10 points")
    text = one.look("/machine/points/history")
    assert "Points (returned, other) 4,990 points" in text
    assert "top-up from points -10" in text
    assert "points granted +5,000" in text
    paper, width = town.printed(one, "/machine/points/history.pdf")
    assert width == 85
    assert "Points (returned, other)" in paper
    assert "points granted +5,000" in paper
    assert number not in paper
    phone = town.inserted(TICKETS, town.sell("mobile"))
    text = phone.look("/machine/points/history")
    assert "The points of a card in a phone are not shown here. Members of WESTER see them on the WESTER member page." in text
    assert "navy" not in text
    assert "Print" not in plain(phone.text)
    phone.look("/machine/points/history.pdf")
    assert phone.path == "/machine/points/history"


def test_registering_for_points(town):
    """At a machine one may apply from the next day, at any hour; a second time is refused, the first day stands."""
    number = town.holding(1500, "named")
    one = town.inserted(TICKETS, number)
    assert "You may apply for Myna Point from Fri 21 April 2023" in one.look("/machine/points/register")
    done = one.press("Register")
    assert "Registered for points You may apply for Myna Point from Fri 21 April 2023" in done
    paper, _ = town.printed(one, one.path.replace("done", "receipt") + ".pdf")
    assert "Fri 21 April 2023" in paper
    assert "WST-1" in one.look("/machine/points/register")
    assert open_buttons(one) == []
    assert "WST-3" in town.inserted(TICKETS, town.sell("smart")).look("/machine/points/register")


# -- fare adjustment -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "says", "not_said"),
    [
        ("2023-09-29T20:00:00+09:00", "You may apply for Myna Point from Sat 30 September 2023", "too late"),
        ("2023-09-30T09:00:00+09:00", "It is too late to apply for Myna Point with this card: the last day is Sat 30 September 2023", "You may apply"),
        ("2023-10-01T09:00:00+09:00", "Register", "Myna Point"),
    ],
)
def test_registering_promises_no_application_that_comes_too_late(tmp_path, now, says, not_said):
    """On the evening of the 29th a machine is still in time; on the last day one could apply from October: after the end (MYN-18)."""
    served = Stationed(f"sqlite:///{tmp_path}/s.db", "--clock", now)
    try:
        one = served.inserted(TICKETS, served.sell("anonymous"))
        text = one.look("/machine/points/register")
        assert says in text
        assert not_said not in text
        done = one.press("Register")
        assert ("You may apply" in done) == ("You may apply" in says)
    finally:
        assert served.stop() == 0


def test_what_is_short_to_the_yen(town):
    """Kyoto to Osaka is 770: with 770 the ride is closed, with 769 one yen is short, and one yen closes it."""
    enough, short = town.riding(770), town.riding(769)
    one = town.inserted(ADJUSTMENT, enough, station="Osaka")
    text = one.look("/machine/adjust")
    assert "Balance before ¥770 Fare −¥770 New balance ¥0" in text
    assert "Your ride is closed" in one.press("Close the ride")
    one = town.inserted(ADJUSTMENT, short, station="Osaka")
    text = one.look("/machine/adjust")
    assert "You are short of ¥1 Fare ¥770 Balance −¥769 You are short of ¥1" in text
    assert re.search(r'<p class="shortfall">.*<strong>¥1</strong>', one.text)
    assert open_buttons(one) == ["¥1 exactly", "¥1,000", "¥5,000", "¥10,000"]
    text = one.press("¥1 exactly")
    assert "Balance before ¥769 top-up +¥1 New balance ¥770 Balance before ¥770 Fare −¥770 New balance ¥0" in text
    paper, width = town.printed(one, one.path.replace("done", "receipt") + ".pdf")
    assert width == 85
    assert "Exit slip" in paper
    assert "¥770" in paper
    assert town.events(short) == [("top_up", 1, "accepted"), ("tap_out", -770, "accepted")]


def test_a_note_pays_what_is_short_and_the_rest_stays_on_the_card(town):
    """769 and 1,000 less 770 are 999. Pressed twice, it is paid and left once."""
    number = town.riding(769)
    one = town.inserted(ADJUSTMENT, number, station="Osaka")
    one.look("/machine/adjust")
    fields = hidden(one, "/machine/adjust/pay") | {"amount": "1000"}
    got = {one.send("POST", "/machine/adjust/pay", fields)[1]["location"] for _ in range(2)}
    assert len(got) == 1
    assert "New balance ¥999" in one.look(got.pop())
    assert town.events(number) == [("top_up", 1000, "accepted"), ("tap_out", -770, "accepted")]


def test_a_note_that_is_not_enough_leads_back_with_what_is_short_still(town):
    """Kyoto to Nara is 1,690, and nothing on the card: 1,000 paid, 690 short, those paid exactly."""
    number = town.riding(0)
    one = town.inserted(ADJUSTMENT, number, station="Nara")
    one.look("/machine/adjust")
    assert "You are short of ¥690" in one.press("¥1,000")
    assert "New balance ¥0" in one.press("¥690 exactly")


def test_an_exact_sum_that_has_no_room_is_greyed(town):
    """Nothing is short to a station next door; the other notes are tried dry, too: 19,500 leave room for none."""
    number = town.riding(19_500)
    one = town.inserted(ADJUSTMENT, number, station="Nara")
    assert "Fare −¥1,690 New balance ¥17,810" in one.look("/machine/adjust")
    one.look("/machine/top-up")
    assert open_buttons(one) == ["¥500"]
    assert "PUB-1" in greyed(one)["¥1,000"]


def test_a_ride_left_open_is_closed_here(town):
    """From the day before yesterday (PUB-13): told so, and closed."""
    number = town.riding(1500, at="04-19 20:00")
    one = town.inserted(ADJUSTMENT, number, station="Osaka")
    text = one.look("/machine/adjust")
    assert "left open on an earlier day" in text
    assert "Kyoto to Osaka · Wed 19 April 2023 20:00" in text
    assert "Your ride is closed" in one.press("Close the ride")
    assert town.balance(number) == 730


def test_where_one_leaves_is_asked_where_the_machine_does_not_know(town):
    """A machine without a station, a station that is none, another than the machine's; the same as one came in costs nothing."""
    number = town.riding(1500)
    one = town.inserted(ADJUSTMENT, number)
    text = one.look("/machine/adjust")
    assert "Where do you leave? You came in at Kyoto on Thu 20 April 2023 8:00" in text
    assert "Where do you leave?" in one.look("/machine/adjust?station=Atlantis")
    assert "Fare −¥150 New balance ¥1,350" in one.press("Show the fare", station="Nishioji")
    text = one.look("/machine/adjust?station=Kyoto")
    assert "Fare −¥0 New balance ¥1,500" in text
    one.press("Close the ride")
    assert town.events(number) == [("tap_out", 0, "accepted")]


def test_without_a_ride_there_is_nothing_to_adjust(town):
    """RIDE-1, and what to do."""
    one = town.inserted(ADJUSTMENT, town.holding(1500), station="Osaka")
    text = one.look("/machine/adjust")
    assert "RIDE-1" in text
    assert "If you entered with another card" in text
    assert "Fare adjustment" not in plain(town.inserted(TICKETS, town.holding(1500)).text)


# -- history, paper, codes -----------------------------------------------------------------------


def test_the_latest_entries_on_the_screen_and_on_paper(town):
    """Seven a screen, twenty in all, on paper 85 millimetres wide; of a card's number the end alone."""
    number = town.sell("anonymous")
    for n in range(11):
        town.top_up(number, 1000, f"04-18 {8 + n:02}:00")
        town.spend(number, 900, f"04-18 {8 + n:02}:30")
    one = town.inserted(TICKETS, number)
    text = one.look("/machine/history")
    assert "Tue 18 April 2023 18:30 purchase −¥900" in text
    assert one.text.count("<tr>") == 8
    assert one.look("/machine/history?page=2").count("April 2023") == 6
    assert one.look("/machine/history?page=9") == one.look("/machine/history?page=2")
    paper, width = town.printed(one, "/machine/history.pdf")
    assert width == 85
    assert paper.count("Tue 18 April 2023") == 20
    assert f"Card …{number[-4:]}" in paper
    assert "Thu 20 April 2023 9:" in paper
    assert number not in paper
    japanese = town.inserted(TICKETS, number, "ja")
    assert "ご利用履歴" in town.printed(japanese, "/machine/history.pdf")[0]


def test_a_receipt_of_what_was_done(town):
    """Its arithmetic, where and when; of a refusal there is none."""
    number = town.holding(19_000)
    one = town.inserted(TICKETS, number, station="Osaka")
    one.look("/machine/top-up/cash?in=1000")
    fields = hidden(one, CASH_IN)
    one.press("Top up ¥1,000")
    paper, width = town.printed(one, one.path.replace("done", "receipt") + ".pdf")
    assert width == 85
    assert "ticket machine Osaka" in paper
    assert "Balance before ¥19,000 top-up ¥1,000 New balance ¥20,000" in paper
    one.send("POST", "/machine/top-up/cash", fields | {"id": "full"})
    one.look("/machine/receipt/full.pdf")
    assert one.path == "/machine/card"


def test_a_code_for_the_members_page(town):
    """Of a card without a name it is good there; of one with a name only a counter gives it."""
    number = town.holding(1500)
    one = town.inserted(TICKETS, number)
    assert "Code for the member's page" in plain(one.text)
    one.look("/machine/code")
    text = one.press("Show the code")
    code = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", text)[0]
    assert "It is good until" in text
    hanako = town.member()
    hanako.look("/member/add")
    hanako.press("Add it with the code", card=number, code=code)
    assert hanako.path == f"/member/cards/{number}"
    named = town.inserted(TICKETS, town.holding(1500, "named"))
    assert "For cards with a name: at a counter" in plain(named.text)  # greyed, before it is pressed
    assert 'href="/machine/code"' not in named.text
    named.look("/machine/code")
    assert "only a counter does this" in named.press("Show the code")
    assert 'href="/machine/card"' in named.text


def test_without_the_right_to_codes_there_is_no_such_choice(town):
    """A key that asks for cards alone, or another kind of machine: no button that is then refused; sent all the same, the screen says where, and leads back."""
    for kind, ask in ((TICKETS, "cards"), (CHARGES, "cards,codes")):
        one = town.at_machine(kind, ask=ask)
        one.look("/machine")
        one.press("Go on", number=town.holding(1500))
        assert "Code for the member's page" not in plain(one.text)
        token = one.csrf()
        for method, form in (("GET", None), ("POST", {"csrf": token})):
            status, _, text = one.send(method, "/machine/code", form)
            assert status == 403
            assert "This is not to be had here. → Please go to a counter." in plain(text)
            assert "Show the code" not in text
            assert "--ask" not in text
            assert 'href="/machine/end"' in text


# -- cards that cannot be used -------------------------------------------------------------------


def dead_card(town, how):
    """A card of this end, and the rule that speaks of it."""
    number = town.holding(1500, "anonymous" if how == "refunded" else "named") if how != "expired" else f"JW{fresh():015d}"
    if how == "refunded":
        town.do("refund", "counter", "04-19 15:00", card=number)
    elif how == "expired":
        holder = HANAKO | {"kana": f"アオイ{'ア' * (fresh() % 40 + 1)}", "born": "2011-02-03", "phone": str(fresh())}
        town.do("issue", "counter", "03-01 09:00", card=number, kind="child", paid=2000, holder=holder, expires="2023-03-31")
    else:
        slip = town.do("report_damaged" if how == "replaced" else "report_lost", "counter", "04-19 15:00", card=number)["slip"]
        if how == "replaced":
            town.do("collect_reissue", "counter", "04-20 08:00", slip=slip, card=f"JW{fresh():015d}", paid=0)
    return number, {"refunded": "RFD-8", "expired": "CARD-8", "stopped": "RIS-2", "replaced": "RIS-1"}[how]


@pytest.mark.parametrize("how", ["refunded", "expired", "stopped", "replaced"])
def test_a_card_that_cannot_be_used_says_why_and_shows_its_history(town, how):
    """Its rule on the first screen; every other screen refuses before anything is pressed, and leads on."""
    number, rule = dead_card(town, how)
    one = town.inserted(TICKETS, number)
    text = plain(one.text)
    assert "This card cannot be used" in text
    assert rule in text
    assert "History" in text
    for path in ("top-up/cash", "points/top-up", "points/register"):
        text = one.look(f"/machine/{path}")
        assert open_buttons(one) == []
        assert rule in text
        assert "Cancel" in text
    assert "bought" in one.look("/machine/history") or how == "replaced"
    gate = town.inserted(ADJUSTMENT, number, station="Osaka")
    assert rule in gate.look("/machine/adjust")


# -- selling a card ------------------------------------------------------------------------------


def test_a_card_is_sold(town):
    """Five prices, 500 of each the deposit; it is in the machine afterwards. Pressed twice, it is sold once."""
    number = f"JW{fresh():015d}"
    one = town.at_machine()
    one.look("/machine/buy")
    text = one.press("Go on", number=number)
    assert "¥500 of it is the deposit" in text
    assert open_buttons(one) == ["¥1,000 ¥500 to ride with", "¥2,000 ¥1,500 to ride with", "¥3,000 ¥2,500 to ride with"]
    one.look("/machine/buy/price?page=1")
    assert open_buttons(one) == ["¥5,000 ¥4,500 to ride with", "¥10,000 ¥9,500 to ride with"]
    fields = hidden(one, "/machine/buy/price") | {"amount": "5000"}
    got = {one.send("POST", "/machine/buy/price", fields)[1]["location"] for _ in range(2)}
    assert got == {f"/machine/done/{fields['id']}"}
    text = one.look(got.pop())
    assert "Your card is ready You pay ¥5,000 Deposit −¥500 New balance ¥4,500" in text
    paper, _ = town.printed(one, f"/machine/receipt/{fields['id']}.pdf")
    assert "You pay ¥5,000 Deposit −¥500 New balance ¥4,500" in paper
    assert town.events(number) == [("issue", 4500, "accepted")]
    assert "Balance ¥4,500" in one.look("/machine/card")
    one.look("/machine/buy")
    assert "This number has been" in one.press("Go on", number=number)


def test_cards_are_sold_by_ticket_machines_alone(town):
    """The others do not offer it, say where, and refuse what is sent all the same; so does a price that is none."""
    one = town.at_machine(CHARGES)
    assert "Buy a card" not in plain(one.text)
    assert "at ticket machines and at counters" in one.look("/machine/buy")
    one.look("/machine/buy/price")
    assert one.path == "/machine/buy"
    seller = town.at_machine()
    seller.look("/machine/buy")
    seller.press("Go on", number=f"JW{fresh():015d}")
    fields = hidden(seller, "/machine/buy/price")
    status, _, text = seller.send("POST", "/machine/buy/price", fields | {"amount": "4000"})
    assert status == 422
    assert "PUB-2" in text


# -- all screens ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("kind", [TICKETS, CHARGES, ADJUSTMENT])
def test_every_screen_speaks_the_language_that_is_asked_for(town, kind, language):
    """Each of a card in the middle of a ride, small enough; without a script it goes back to the start by itself, and only with a card in."""
    one = town.inserted(kind, town.riding(100), language, station="Osaka")
    paths = ("card", "top-up", "top-up/cash?in=1000", "top-up/quick", "points", "points/top-up", "points/history", "points/register",
             "adjust", "adjust?station=", "history", "code", "out", "setup", "buy", "done/nothing")  # fmt: skip
    for path in paths:
        status, _, text = one.send("GET", f"/machine/{path}")
        if status == 303:
            continue
        assert status == (200 if path != "code" or kind == TICKETS else 403), path
        assert f'<html lang="{language}"' in text
        assert len(text.encode()) < 100_000
        assert ("http-equiv" in text) == (path not in ("out", "setup", "buy")), path
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script>", text)
    other = {"ja": "en", "en": "ja"}[language]
    one.look("/machine/adjust?station=Shin-Osaka")
    assert words(other)["machine.adjust.title"] in one.press(words(other)["language"])
    assert one.path == "/machine/adjust?station=Shin-Osaka"
    status, _, text = one.send("GET", "/machine/nowhere")
    assert (status, Language(other).word("to_start") in text) == (404, True)


def test_what_a_machine_fetches_is_small(town):
    """Its own style sheet and script beside those of every page, an icon, and nothing else."""
    one = town.at_machine()
    found = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', one.text))
    assert len(found) == 5
    assert sum(len(one.send("GET", path)[2]) for path in found) + len(one.text) < 50_000


def test_nothing_of_a_card_is_in_the_log(tmp_path):
    """Numbers stand in no address, so in no log; keys neither."""
    town = Stationed(f"sqlite:///{tmp_path}/s.db", "--clock", MORNING, "--log-level", "info")
    number = town.holding(1500)
    one = town.inserted(TICKETS, number)
    one.look("/machine/top-up/cash?in=1000")
    one.press("Top up ¥1,000")
    assert town.stop() == 0
    assert number not in town.said
    assert one.key not in town.said
    assert one.key.encode() not in (tmp_path / "s.db").read_bytes()


def test_signing_in_elsewhere_is_no_machine(town):
    """A member's own page knows no device, a machine no member."""
    one = town.at_machine()
    assert "Sign in" in one.look("/member")
    hanako = town.member()
    hanako.cookies = {"device": hanako.cookies["member"], "machine": "ticket-machine.navy.0."}
    assert hanako.send("GET", "/machine")[0] == 503
    assert WORD not in hanako.text
    assert town.post(command(f"x{fresh()}", "top_up", channel="gate", card=town.sell("named"), amount=1000, tender="cash"), one.key)[0] == 403
