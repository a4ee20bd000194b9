"""The station machine in a real browser: upright, lying and on a phone, navy and pink, by touch, by scanner, with a reader, and without script."""

import json
import queue
import re
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from browsing import KIOSK, PHONE, chromium, watched  # noqa: F401  # fixtures
from farecard.pages.language import Language
from stationed import MORNING, Stationed
from town import fresh, opened

LYING = {"width": 1920, "height": 1080}
TICKETS, ADJUSTMENT = "ticket-machine", "fare-adjustment"
_SMALL = """[...document.querySelectorAll("a, button, summary, select, input:not([type=hidden])")]
  .filter((one) => one.checkVisibility() && !one.matches(".skip, [type=radio], [type=checkbox]"))
  .filter((one) => Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height) < 64)
  .map((one) => one.outerHTML.slice(0, 100))"""
CARD = {
    "kind": {"code": 3, "ja": "ICOCA", "en": "ICOCA"}, "balance": 2425,
    "entries": [
        {"date": "2023-04-19", "time": None, "what": {"ja": "入金", "en": "top-up"}, "amount": -2000, "balance": 2425},
        {"date": "2023-04-18", "time": "12:19", "what": {"ja": "物販", "en": "purchase"}, "amount": 150, "balance": 425},
        {"date": "2023-04-17", "time": None, "what": {"ja": "改札出場", "en": "gate exit"}, "amount": None, "balance": 575},
    ],
}  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request, tmp_path_factory):
    """A server of each engine, its clock in April 2023."""
    yield from opened(Stationed, request, tmp_path_factory, MORNING)


def set_up(one, town, t, kind=TICKETS, skin="navy", station="", port=0):
    """Set a machine up, as whoever installs it does."""
    page = one.page
    page.goto("/machine")
    page.get_by_label(t(f"channel.{kind}")).check()
    page.get_by_label(t(f"machine.skin.{skin}")).check()
    page.get_by_label(t("machine.setup.station"), exact=True).select_option(station)
    if port:
        page.get_by_label(t("machine.setup.has_reader")).check()
        page.get_by_label(t("machine.setup.port")).fill(str(port))
    page.get_by_label(t("machine.setup.key"), exact=True).fill(town.key(f"machine-{fresh()}", kind, ask="cards,codes"))
    page.get_by_role("button", name=t("machine.setup.do")).click()
    page.wait_for_url("**/machine")


def put_in(page, number):
    """As a scanner does: it types the number wherever one is, and Enter."""
    page.goto("/machine")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/machine/card")


def look(one, *, most=4):
    """A screen, closely: axe, and at a machine's sizes nothing to scroll, nothing too small to touch, at most four choices."""
    one.look_closely()
    page = one.page
    choices = page.locator("main .tiles > :is(a, button):not(:disabled)").count()
    assert choices <= most, f"{page.url}: {choices} choices"
    if page.viewport_size == PHONE:
        return
    over = page.evaluate("document.documentElement.scrollHeight - document.documentElement.clientHeight")
    assert over <= 0, f"{page.url} at {page.viewport_size}: {over} pixels to scroll"
    small = page.evaluate(_SMALL)
    assert small == [], f"{page.url}: {small}"


@pytest.mark.parametrize(
    ("town", "language", "size", "skin"),
    [("sqlite", "ja", KIOSK, "navy"), ("postgresql", "en", LYING, "pink"), ("postgresql", "en", PHONE, "navy"), ("sqlite", "ja", LYING, "pink")],
    indirect=["town"],
)
def test_every_screen_of_a_ticket_machine(town, watched, language, size, skin):  # noqa: F811
    """From setting it up to a receipt, each looked at closely, also where much is greyed, and of a card that cannot be used."""
    t = Language(language).word
    smart, almost_full, stopped = town.with_points(), town.holding(19_000), town.holding(1500, "named")
    town.do("report_lost", "counter", "04-19 15:00", card=stopped)
    one = watched(viewport=size, locale=language)
    page = one.page
    page.goto("/machine/setup")
    look(one)
    set_up(one, town, t, skin=skin)
    look(one)
    put_in(page, smart)
    for path in ("card", "top-up", "top-up/cash", "top-up/quick", "top-up/quick?amount=3000", "points", "points/top-up", "points/top-up?points=15",
                 "points/top-up?points=20", "points/history", "points/register", "history", "history?page=1", "out"):  # fmt: skip
        page.goto(f"/machine/{path}")
        look(one)
    page.goto("/machine/points/top-up?points=20")
    page.locator("form.two button").click()
    page.wait_for_url("**/done/*")
    look(one)
    put_in(page, almost_full)
    for path in ("top-up/cash", "top-up/cash?in=1000", "code"):
        page.goto(f"/machine/{path}")
        look(one)
    page.get_by_role("button", name=t("machine.code.do")).click()
    page.get_by_text(t("machine.code.then")).wait_for()
    look(one)
    put_in(page, stopped)
    look(one)
    page.goto("/machine/buy")
    look(one)
    page.get_by_label(t("machine.buy.number")).fill(f"JW{fresh():015d}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/price")
    look(one)
    page.get_by_role("button", name=Language(language).yen(3000)).click()
    page.wait_for_url("**/done/*")
    look(one)
    page.goto("/machine/end")
    page.get_by_label(t("machine.start.number")).fill("12")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    look(one)
    page.goto("/machine/nowhere")
    look(one)
    one.wrong = [said for said in one.wrong if "400" not in said and "404" not in said]  # the browser tells of them, as it should


@pytest.mark.parametrize(
    ("town", "language", "size", "skin"),
    [("sqlite", "ja", LYING, "navy"), ("postgresql", "en", KIOSK, "pink"), ("postgresql", "ja", PHONE, "pink")],
    indirect=["town"],
)
def test_fare_adjustment_with_what_is_short_in_the_largest_letters(town, watched, language, size, skin):  # noqa: F811
    """Nothing on the screen is written larger; paid exactly, the ride is closed and the slip printed without leaving the screen."""
    t, say = Language(language).word, Language(language)
    number = town.riding(100, at="04-19 20:00")
    one = watched(viewport=size, locale=language)
    page = one.page
    set_up(one, town, t, ADJUSTMENT, skin, "Osaka")
    put_in(page, number)
    look(one)
    page.goto("/machine/adjust?station=")
    look(one)
    page.get_by_label(t("machine.adjust.station"), exact=True).select_option("Osaka")
    page.get_by_role("button", name=t("machine.adjust.show")).click()
    page.wait_for_url("**station=Osaka")
    look(one)
    sizes = page.evaluate(
        """[...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() && one.innerText?.trim() && !one.children.length)
           .map((one) => [parseFloat(getComputedStyle(one).fontSize), one.innerText])"""
    )
    largest = max(sizes)
    assert largest[1] == say.yen(670)
    assert sum(size == largest[0] for size, _ in sizes) == 1
    page.get_by_role("button", name=say.yen(670)).click()
    page.wait_for_url("**/done/*")
    look(one)
    with page.expect_download() as there:
        page.get_by_role("link", name=t("machine.receipt_do")).click()
    assert there.value.path().read_bytes().startswith(b"%PDF")
    assert page.get_by_text(t("machine.adjust.then")).is_visible()
    page.goto("/machine/adjust")
    look(one)
    page.goto("/machine/top-up/cash")
    look(one)


def test_the_number_pad_and_a_scanner(town, watched):  # noqa: F811
    """Keys by touch; what a scanner types goes into the field, wherever was touched last."""
    t = Language("ja").word
    number = town.holding(1500)
    one = watched(viewport=KIOSK, locale="ja", has_touch=True)
    page = one.page
    set_up(one, town, t)
    field, pad = page.get_by_label(t("machine.start.number")), page.get_by_role("group", name=t("machine.pad.name"))
    for key in "1209":
        pad.get_by_role("button", name=key, exact=True).tap()
    assert field.input_value() == "1209"
    pad.get_by_role("button", name=t("machine.pad.back")).tap()
    assert field.input_value() == "120"
    pad.get_by_role("button", name=t("machine.pad.clear"), exact=True).tap()
    assert field.input_value() == ""
    for key in number[2:]:
        pad.get_by_role("button", name=key, exact=True).tap()
    page.get_by_role("button", name=t("machine.start.do")).tap()
    page.wait_for_url("**/machine/card")
    page.get_by_role("link", name=t("machine.cancel")).tap()
    page.wait_for_url("**/machine")
    page.get_by_role("heading", name=t("machine.start.title")).tap()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/machine/card")


def test_sixty_seconds_without_a_touch(town, watched):  # noqa: F811
    """A question after sixty seconds, not after fifty-nine; more time if one likes; twenty seconds later the card is gone."""
    t = Language("en").word
    one = watched(viewport=KIOSK, locale="en")
    page = one.page
    set_up(one, town, t)
    put_in(page, town.holding(1500))
    page.clock.install()
    page.goto("/machine/top-up/cash")
    question = page.get_by_role("dialog", name=t("machine.still.title"))
    page.clock.run_for(59_000)
    assert not question.is_visible()
    page.get_by_role("heading", name=t("machine.cash.title")).click()
    page.clock.run_for(59_000)
    assert not question.is_visible(), "a touch begins the sixty seconds anew"
    page.clock.run_for(1_000)
    question.wait_for()
    one.look_closely()
    page.get_by_role("button", name=t("machine.still.stay")).click()
    question.wait_for(state="hidden")
    page.clock.run_for(60_000)
    question.wait_for()
    page.clock.run_for(19_000)
    assert page.url.endswith("/machine/top-up/cash")
    page.clock.run_for(1_000)
    page.wait_for_url("**/machine")
    page.goto("/machine/card")
    assert page.url.endswith("/machine")
    page.get_by_role("button", name="日本語").click()
    page.locator("html[lang=ja]").wait_for(state="attached")
    page.clock.run_for(60_000)
    page.locator("html[lang=en]").wait_for(state="attached")  # nobody is asked at the start; the next person begins anew
    assert not question.is_visible()
    page.get_by_label(t("machine.start.number")).fill("123")
    page.clock.run_for(60_000)
    question.wait_for()
    page.clock.run_for(20_000)
    expect(page.locator("#number")).to_have_value("")


def test_a_button_pressed_twice_tops_up_once(town, watched):  # noqa: F811
    """As fast as a finger can."""
    t = Language("en").word
    number = town.holding(1500)
    one = watched(viewport=KIOSK, locale="en")
    set_up(one, town, t)
    put_in(one.page, number)
    one.page.goto("/machine/top-up/cash?in=1000")
    one.page.get_by_role("button", name="Top up ¥1,000").dblclick()
    one.page.wait_for_url("**/done/*")
    assert town.events(number) == [("top_up", 1000, "accepted")]


def test_sound_is_off_until_somebody_wants_it_and_off_again_for_the_next(town, watched):  # noqa: F811
    """A tone for each touch of a button while it is on; each oscillator that starts is counted."""
    t = Language("en").word
    one = watched(viewport=KIOSK, locale="en")
    page = one.page
    page.add_init_script("""window.tones = 0; const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...said) { window.tones += 1; return start.apply(this, said); };""")
    set_up(one, town, t)
    sound, key = page.get_by_role("button", name=t("machine.sound")), page.get_by_role("button", name="7", exact=True)
    key.click()
    assert (page.evaluate("tones"), sound.get_attribute("aria-pressed")) == (0, "false")
    sound.click()
    key.click()
    key.click()
    assert (page.evaluate("tones"), sound.get_attribute("aria-pressed")) == (2, "true")
    put_in(page, town.holding(1500))
    assert sound.get_attribute("aria-pressed") == "true"
    page.goto("/machine/end")
    assert sound.get_attribute("aria-pressed") == "false"


def test_without_script_a_top_up_from_start_to_receipt(town, watched):  # noqa: F811
    """Fields and buttons alone; a card does not stay open, for the screen goes back to the start by itself."""
    t = Language("ja").word
    number = town.holding(1500)
    one = watched(viewport=KIOSK, locale="ja", java_script_enabled=False)
    page = one.page
    set_up(one, town, t, TICKETS, "pink")
    assert page.locator("meta[http-equiv=refresh]").count() == 0
    assert not page.get_by_role("group", name=t("machine.pad.name")).is_visible()
    page.get_by_label(t("machine.start.number")).fill(number)
    page.get_by_role("button", name=t("machine.start.do")).click()
    page.wait_for_url("**/machine/card")
    assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "120;url=/machine/end"
    page.get_by_role("link", name=t("machine.top_up.title")).click()
    page.get_by_role("button", name="5,000円").click()
    page.get_by_role("button", name="2,000円").click()
    page.get_by_role("button", name="7,000円をチャージする").click()
    page.get_by_text(t("machine.did.top_up")).wait_for()
    with page.expect_download() as there:
        page.get_by_role("link", name=t("machine.receipt_do")).click()
    assert there.value.path().read_bytes().startswith(b"%PDF")
    page.get_by_role("link", name=t("machine.finish")).click()
    page.wait_for_url("**/machine")
    assert town.balance(number) == 8500


# -- a card on the reader ------------------------------------------------------------------------


class Reader:
    """What `farecard read` answers on the machine itself: a card that was laid down, or that none came."""

    def __init__(self, port=0):
        cards = self.cards = queue.Queue()
        asked = self.asked = []

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                try:
                    body = json.dumps(cards.get(timeout=0.2)).encode()
                except queue.Empty:
                    body = b""
                self.send_response(200 if body else 204)
                self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
                if body:
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                with suppress(ConnectionError):  # the page has gone on meanwhile
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize(("language", "size"), [("ja", KIOSK), ("en", LYING)])
def test_a_real_card_shows_what_is_on_it_and_nothing_of_it_leaves(town, watched, language, size):  # noqa: F811
    """Balance and entries as the reader tells them; our server hears nothing; its number is asked for; a reader that does not run is told, and asked again."""
    t, say = Language(language).word, Language(language)
    number = town.holding(1500)
    reader = Reader()
    try:
        one = watched(viewport=size, locale=language)
        page = one.page
        set_up(one, town, t, port=reader.port)
        told = page.locator("[data-told]")
        page.get_by_text(t("machine.reader.wait")).locator("visible=true").wait_for()
        sent = []
        page.on("request", lambda request: sent.append(request.url))
        reader.cards.put(CARD)
        page.get_by_role("table").wait_for()
        assert told.inner_text() == t("machine.reader.there")
        text = re.sub(r"\s+", " ", page.get_by_role("table").inner_text())
        assert f"{t('machine.reader.balance')} {say.yen(2425)}" in text
        assert f"2023-04-18 12:19 {CARD['entries'][1]['what'][language]} {say.yen(-150)} {say.yen(425)}" in text
        look(one)
        assert all(url.startswith(f"http://127.0.0.1:{reader.port}/card?wait=25") for url in sent), "nothing of it is sent to us"
        assert page.get_by_label(t("machine.start.number")).input_value() == ""
        put_in(page, number)
        assert say.yen(1500) in page.locator(".balance").inner_text(), "what counts is what our books say"
        page.goto("/machine")
        page.get_by_text(t("machine.reader.wait")).locator("visible=true").wait_for()
        assert page.get_by_role("table").count() == 0
        reader.stop()
        page.clock.install()
        page.goto("/machine")
        page.get_by_text(t("machine.reader.gone")).locator("visible=true").wait_for()
        look(one)
        reader = Reader(reader.port)
        page.clock.run_for(5_000)
        page.get_by_text(t("machine.reader.wait")).locator("visible=true").wait_for()
        reader.cards.put(CARD)
        page.get_by_role("table").wait_for()
        page.clock.run_for(60_000)
        page.get_by_role("dialog").wait_for()
        page.clock.run_for(20_000)
        page.get_by_role("table").wait_for(state="hidden")
    finally:
        reader.stop()
    assert reader.asked[0] == "/card?wait=25"
    ours = (f"http://127.0.0.1:{reader.port}/", "ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
    one.wrong = [said for said in one.wrong if not any(part in said for part in ours)]
