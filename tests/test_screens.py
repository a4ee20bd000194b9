"""The pictures of the docs: every window of the demonstration, walked and photographed. What each page says is kept beside its picture, so
that a picture which is not true any more is found; ``make screens`` takes them anew."""

import hashlib
import json
import os
import re
from contextlib import closing
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import residents
from browsing import DESK, KIOSK, PHONE, Watched, chromium  # noqa: F401  # a fixture
from farecard.access import tasks
from farecard.cli.windows import TODAY
from farecard.pages.language import Language
from farecard.pages.site import WINDOWS
from farecard.storage.opening import open_to_read
from test_demo import demonstrated

SCREENS = Path(__file__).parent.parent / "docs" / "screens"
SAID = SCREENS / "said.json"
TAKE = "FARECARD_SCREENS" in os.environ
LYING = {"width": 1920, "height": 1080}
BLANK, PHONE_CARD, LOST, RIDING, SPARE, SMART, IN_A_DRAW = (f"JW9000000000000{n}" for n in ("21", "22", "24", "03", "14", "05", "30"))
# what is another each time: times of day, numbers that are drawn, and the day the machine itself has
_DRAWN = re.compile(r"\d{1,2}:\d{2}(:\d{2})?|\b[PH]-[0-9A-Z]{10}\b|\b[0-9a-f]{32,}\b|\b\d+ (min|s)\b")


class Camera:
    """Takes pictures of pages, and keeps what they said."""

    def __init__(self):
        self.said = {}
        self.captions = {}
        self.seen = set()  # addresses

    def take(self, page, name, caption, *, whole=False, drawn=False):
        """A page as it is now; ``whole``: all of it, also what is further down; ``drawn``: it says something else each time."""
        text = _DRAWN.sub("…", page.evaluate("document.body.innerText"))
        for language in ("ja", "en"):
            text = text.replace(Language(language).day(datetime.now().astimezone().isoformat()), "today")
        self.said[name] = "" if drawn else hashlib.sha256(re.sub(r"\s+", " ", text).encode()).hexdigest()
        self.captions[name] = caption
        self.seen.add(urlsplit(page.url).path)
        if TAKE:
            page.screenshot(path=SCREENS / f"{name}.png", full_page=whole, animations="disabled")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The demonstration, its password, and its machine's key."""
    folder = tmp_path_factory.mktemp("screens")
    url = f"sqlite:///{folder}/demo.db"
    with demonstrated(url, folder, commands=20_000) as (_, said):
        yield SimpleNamespace(
            url=url,
            port=int(re.search(r"http://127\.0\.0\.1:(\d+)", said)[1]),
            password=re.search(r"everybody's password is  (.+)", said)[1],
            key=re.search(r"with this key:  (\S+)", said)[1],
        )


@pytest.fixture(scope="module")
def camera():
    """One for all windows; in the end it holds its pictures against those of the docs, or takes them."""
    found = Camera()
    yield found
    if TAKE:
        SAID.write_text(json.dumps(found.said, indent=1, sort_keys=True) + "\n", "utf-8")
        (SCREENS.parent / "screens.md").write_text(told(found.captions), "utf-8")


def told(captions):
    """``docs/screens.md``: every picture under its window, with what it shows."""
    out = [
        "# How the windows look", "",
        f"Taken by the tests from the demonstration (`make demo`), whose clock stands at {TODAY[:10]}; `make screens` takes them anew.",
    ]  # fmt: skip
    window = ""
    for name, caption in captions.items():
        if name.split("-")[0] != window:
            window = name.split("-")[0]
            out += ["", f"## {window.capitalize()}"]
        out += ["", f"**{caption}**", "", f"![{caption}](screens/{name}.png)"]
    return "\n".join([*out, ""])


def opened(chromium, served, window, name, language, size, scale):  # noqa: F811
    """Somebody who has signed in at a window."""
    one = Watched(chromium, served, viewport=size, locale=language, device_scale_factor=scale)
    t = Language(language).word
    one.page.goto(f"/{window}")
    one.page.get_by_label(t("login")).fill(name)
    one.page.get_by_label(t("password")).fill(served.password)
    one.page.get_by_role("button", name=t("sign_in.do")).click()
    one.page.wait_for_url(f"**/{window}")
    return one, one.page, t


def photographed(camera, page, window, shown, whole=True):
    """Pages that are only looked at: (picture, address, what it shows)."""
    for name, path, caption in shown:
        page.goto(path)
        camera.take(page, f"{window}-{name}", caption, whole=whole)


def test_the_members_page(chromium, served, camera):  # noqa: F811
    """On a phone, in Japanese: each page that a card holder has."""
    outside = Watched(chromium, served, viewport=PHONE, locale="ja", device_scale_factor=0.8)
    photographed(camera, outside.page, "member", (
        ("sign-in", "/member/sign-in", "signing in"),
        ("enrol", "/member/enrol", "becoming a member"),
        ("recover", "/member/recover", "the way back to an account"),
    ))  # fmt: skip
    outside.close()
    one, page, t = opened(chromium, served, "member", "hina@example.com", "ja", PHONE, 0.8)
    photographed(camera, page, "member", (
        ("home", "/member", "her cards"),
        ("add", "/member/add", "adding a card: it has to be shown that it is one's own"),
        ("account", "/member/account", "the account"),
        ("card", f"/member/cards/{BLANK}", "a card: what one would get back today, with its arithmetic"),
        ("history", f"/member/cards/{BLANK}/history", "the history, by month, kind and words; as CSV and PDF"),
        ("points", f"/member/cards/{LOST}/points", "points, and what became of them"),
        ("myna", f"/member/cards/{BLANK}/myna", "Myna Point: what counted, what did not and why, what it comes to and when"),
        ("apply", f"/member/cards/{LOST}/apply", "applying"),
        ("change", f"/member/change?card={LOST}", "asking for another card than the one applied with"),
        ("rally", f"/member/cards/{IN_A_DRAW}/rally", "the stamp card, and one's own proof of being on a draw's list"),
        ("lost", f"/member/cards/{LOST}/lost", "a lost card: cost, what becomes of what, from when"),
        ("refund", f"/member/cards/{PHONE_CARD}/refund", "a refund of a card in a phone"),
    ))  # fmt: skip
    page.goto(f"/member/cards/{PHONE_CARD}/rally")
    page.get_by_role("button", name=t("rally.join")).click()
    page.get_by_text(t("done.did.join_rally")).wait_for()
    camera.take(page, "member-done", "what was done, and what comes next", whole=True)
    one.close()


def put_in(page, number):
    """A card is put into a machine: its number is typed or scanned."""
    page.goto("/machine")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/machine/card")


def set_up(camera, one, key, kind, skin):
    """A machine, of a kind and in its colours; whoever sets it up sees it first."""
    page, t = one.page, Language(one.page.evaluate("navigator.language")).word
    page.goto("/machine")
    if skin == "navy":
        camera.take(page, "machine-setup", "setting a machine up, once, with its key")
    page.get_by_label(t(f"channel.{kind}")).check()
    page.get_by_label(t(f"machine.skin.{skin}")).check()
    page.get_by_label(t("machine.setup.station"), exact=True).select_option("Osaka")
    page.get_by_label(t("machine.setup.key"), exact=True).fill(key)
    page.get_by_role("button", name=t("machine.setup.do")).click()
    page.wait_for_url("**/machine")


def test_the_station_machine_upright(chromium, served, camera):  # noqa: F811
    """Navy, in Japanese."""
    one = Watched(chromium, served, viewport=KIOSK, locale="ja", device_scale_factor=0.4)
    page, t = one.page, Language("ja").word
    set_up(camera, one, residents.key(served.url, "machine-screens", "ticket-machine", ask="cards,codes", place="Osaka"), "ticket-machine", "navy")
    camera.take(page, "machine-start", "a card is put in: typed, scanned, or laid on a reader")
    photographed(camera, page, "machine", (("buy", "/machine/buy", "a card is bought: the next of the stack"),), whole=False)
    page.keyboard.type("JW900000000000090")
    page.keyboard.press("Enter")
    page.wait_for_url("**/machine/buy/price")
    camera.take(page, "machine-prices", "what it may cost, and what is on it then")
    put_in(page, BLANK)
    camera.take(page, "machine-card", "what can be done")
    photographed(camera, page, "machine", (
        ("top-up", "/machine/top-up", "ways to top up; what this card cannot do says why"),
        ("cash", "/machine/top-up/cash", "notes; what would be refused is greyed, with its reason"),
        ("history", "/machine/history", "the history, to be printed on the machine's paper"),
        ("points", "/machine/points/history", "points (returned, other)"),
        ("code", "/machine/code", "a code to add a card without a name to the member's page"),
        ("out", "/machine/out", "taking it out of service"),
    ), whole=False)  # fmt: skip
    page.goto("/machine/top-up/cash?in=1000")
    page.get_by_role("button", name=t("machine.top_up.do", amount=Language("ja").yen(1000))).click()
    page.wait_for_url("**/machine/done/**")
    camera.take(page, "machine-done", "topped up; the receipt on the machine's paper")
    put_in(page, SMART)
    photographed(camera, page, "machine", (
        ("quick", "/machine/top-up/quick", "quick charge, and what is left of the day and month"),
        ("register", "/machine/points/register", "registering for points"),
    ), whole=False)  # fmt: skip
    put_in(page, LOST)
    photographed(camera, page, "machine", (
        ("points-ways", "/machine/points", "points: how many, and what can be done with them"),
        ("points-top-up", "/machine/points/top-up", "points onto the card"),
    ), whole=False)  # fmt: skip
    one.close()


def test_the_station_machine_lying(chromium, served, camera):  # noqa: F811
    """Pink, in English: a fare adjustment machine."""
    one = Watched(chromium, served, viewport=LYING, locale="en", device_scale_factor=0.4)
    set_up(camera, one, served.key, "fare-adjustment", "pink")
    put_in(one.page, RIDING)
    camera.take(one.page, "machine-adjustment", "the pink machine, lying: a fare adjustment machine")
    photographed(camera, one.page, "machine", (("short", "/machine/adjust", "what is short, in the largest type"),), whole=False)
    one.close()


def test_the_counter(chromium, served, camera):  # noqa: F811
    """At a desk, in Japanese: a clerk's day."""
    outside = Watched(chromium, served, viewport=DESK, locale="ja", device_scale_factor=0.6)
    photographed(camera, outside.page, "counter", (("sign-in", "/counter/sign-in", "signing in"),))
    outside.close()
    one, page, t = opened(chromium, served, "counter", "sato", "ja", DESK, 0.6)
    page.goto("/counter/shift")
    camera.take(page, "counter-open", "a shift begins: which till, and what is in it")
    page.get_by_label(t("shift.till"), exact=True).fill("osaka-3")
    page.get_by_label(t("shift.brought"), exact=True).fill("50000")
    page.get_by_role("button", name=t("shift.open")).click()
    at = f"/counter/cards/{LOST}"
    photographed(camera, page, "counter", (
        ("home", "/counter", "one search"),
        ("card", at, "a card: what depends on it, what can be done"),
        ("no-number", "/counter/no-number", "no number at hand: what each kind of card comes to, lost or damaged"),
        ("sell", "/counter/sell", "every kind that is sold here"),
        ("named", "/counter/sell/named", "selling a card with a name"),
        ("commuter", "/counter/sell/commuter", "selling a commuter pass"),
        ("lost", f"{at}/lost", "a card is reported lost: whose it is comes first"),
        ("collect", "/counter/collect", "a new card is collected: the slip is scanned"),
        ("leave", f"/counter/cards/{RIDING}/leave", "closing a ride that was left open"),
        ("rally", f"{at}/rally", "joining the stamp rally"),
        ("myna", f"{at}/myna", "applying for Myna Point"),
        ("change", f"{at}/change", "asking for another card than the one applied with"),
        ("membership", f"{at}/membership", "tying a card to a membership"),
        ("code", f"{at}/code", "a code for the member's page"),
        ("cash", "/counter/cash", "cash brought to the till, or taken out of it"),
        ("cases", "/counter/cases", "what was left to people"),
    ))  # fmt: skip
    page.locator("main td a").first.click()
    page.wait_for_url("**/counter/cases/C*")
    camera.take(page, "counter-case", "a case, and who decides it", whole=True)
    page.goto(f"/counter/cards/{BLANK}")
    for struck in page.locator(".actions.no details").all()[:1]:
        struck.locator("summary").first.click()
    camera.take(page, "counter-refused", "what cannot be done, struck through, with the rule and the sentence to say", whole=True)
    page.goto(f"/counter/cards/{BLANK}/refund")
    page.get_by_label(t("counter.yes"), exact=True).check()
    page.get_by_role("button", name=t("counter.go_on")).click()
    camera.take(page, "counter-refund", "a refund: the breakdown and what to know, before it is pressed")
    page.goto(f"/counter/cards/{SPARE}/damaged")
    page.get_by_role("button", name=t("counter.go_on")).click()
    camera.take(page, "counter-damaged", "a damaged card: what it costs and when the new one is there, before it is pressed")
    page.get_by_role("button", name=t("counter.give_slip")).click()
    page.get_by_text(t("counter.print_slip")).wait_for()
    camera.take(page, "counter-slip", "done: the slip, to be printed")
    page.goto("/counter/shift")
    page.get_by_label("10,000円", exact=True).fill("5")
    camera.take(page, "counter-shift", "a shift: what should be in the till, and the count", whole=True)
    page.goto("/counter/shifts")
    camera.take(page, "counter-shifts", "all shifts")
    page.locator("main td a").first.click()
    page.wait_for_url("**/counter/shifts/H-*")
    camera.take(page, "counter-shift-before", "one shift, as whoever looks after it sees it", whole=True)
    one.close()


def test_operations(chromium, served, camera):  # noqa: F811
    """At a desk, in English: an operator's pages, and what everybody sees of a draw."""
    outside = Watched(chromium, served, viewport=DESK, locale="en", device_scale_factor=0.6)
    photographed(camera, outside.page, "operations", (("sign-in", "/operations/sign-in", "signing in"),))
    one, page, t = opened(chromium, served, "operations", "suzuki", "en", DESK, 0.6)
    for path, button in (("grants/2023-09", "ops.grants.count"), ("campaigns/myna-point", "ops.campaign.work_out")):
        page.goto(f"/operations/{path}")
        page.get_by_role("button", name=t(button)).click()
        page.locator("main table").first.wait_for(state="attached", timeout=60_000)
    photographed(camera, page, "operations", (
        ("today", "/operations?day=2023-09-14", "a day at a glance"),
        ("grants", "/operations/grants", "grants by month"),
        ("month", "/operations/grants/2023-09", "a month's grants: who gets what, and why all others get nothing"),
        ("campaigns", "/operations/campaigns", "the campaigns"),
        ("campaign", "/operations/campaigns/myna-point", "a campaign's curve and what is still to come"),
        ("edition", "/operations/campaigns/new?from=myna-point", "a new edition of a campaign is proposed"),
        ("tariff", "/operations/tariff", "a new tariff is proposed"),
        ("draw-list", "/operations/draws", "the draws"),
        ("draws", "/operations/draws/1", "a draw, step by step"),
        ("books", "/operations/books", "the trial balance"),
        ("account", "/operations/books/account?name=points-liability&month=2023-04", "an account of the books, day by day"),
        ("settlement", "/operations/books/settlement/place?month=2023-08", "settlement by place"),
        ("unused", "/operations/books/unused", "the half-yearly report of the unused balance"),
        ("cases", "/operations/cases", "cases"),
        ("reverse", f"/operations/reverse?card={SMART}", "taking back what was done: found by its card"),
    ))  # fmt: skip
    page.goto("/operations/cases")
    page.locator("main td a").first.click()
    page.wait_for_url("**/operations/cases/C*")
    camera.take(page, "operations-case", "a case, and closing it", whole=True)
    page.goto("/operations/grants/2023-09")
    page.get_by_role("button", name=t("ops.propose")).click()
    page.wait_for_url("**/operations/proposals/P-*", timeout=60_000)
    camera.take(page, "operations-proposal", "a proposal: what it would do, before a second pair of eyes approves it", whole=True)
    page.goto("/operations/proposals")
    camera.take(page, "operations-proposals", "proposals", whole=True)
    with closing(open_to_read(served.url)) as store:
        number = tasks.newest_done(store, "preview", "grants:2023-09").task
    page.goto(f"/operations/tasks/{number}")
    camera.take(page, "operations-task", "long work, to be left and come back to")
    photographed(camera, page, "draws", (
        ("list", "/draws", "the draws, for everybody"),
        ("one", "/draws/1", "what everybody sees of a draw, and whether one's own card is on its list"),
    ), whole=False)  # fmt: skip
    for each in (one, outside):
        each.close()
    auditor, page, _ = opened(chromium, served, "operations", "tanaka", "en", DESK, 0.6)
    page.goto("/operations/audit")
    camera.take(page, "operations-audit", "the trail and the chain", drawn=True)
    auditor.close()


def test_each_page_has_its_picture(camera):
    """Every address of every window that shows a page. The end of a visit leads to the start, and all else that is not here is a file."""
    if not camera.said:
        pytest.skip("no chromium here")
    pages = {path for window in WINDOWS.values() for method, path, _ in window.pages if method == "GET" and "." not in path.rpartition("/")[2]}
    missing = {path for path in pages if not any(re.fullmatch(re.sub(r"{\w+}", "[^/.]+", path), one) for one in camera.seen)}
    assert missing == {"/machine/end"}


def test_every_picture_is_true(camera):
    """Each page says what it said when its picture was taken; none is missing, none is left over. Else: ``make screens``."""
    if not camera.said:
        pytest.skip("no chromium here")
    if TAKE:
        return
    kept = json.loads(SAID.read_text("utf-8"))
    old = sorted(name for name in kept.keys() | camera.said.keys() if kept.get(name) != camera.said.get(name))
    assert not old, f"these pages say something else now than in their pictures: {', '.join(old)}; `make screens` takes them anew"
    assert {path.stem for path in SCREENS.glob("*.png")} == set(kept)
    page = (SCREENS.parent / "screens.md").read_text("utf-8")
    assert page == told(camera.captions)
