"""The pictures of the docs: every window of the demonstration, walked and photographed. What each page says is kept beside its picture, so
that a picture which is not true any more is found; ``make screens`` takes them anew."""

import hashlib
import json
import os
import re
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from browsing import DESK, KIOSK, PHONE, Watched, chromium  # noqa: F401  # a fixture
from farecard.cli.windows import TODAY
from farecard.pages.language import Language
from test_demo import demonstrated

SCREENS = Path(__file__).parent.parent / "docs" / "screens"
SAID = SCREENS / "said.json"
TAKE = "FARECARD_SCREENS" in os.environ
LYING = {"width": 1920, "height": 1080}
BLANK, PHONE_CARD, LOST, RIDING, SPARE = (f"JW9000000000000{n}" for n in ("21", "22", "24", "03", "14"))
# what is another each time: times of day, numbers that are drawn, and the day the machine itself has
_DRAWN = re.compile(r"\d{1,2}:\d{2}(:\d{2})?|\b[PH]-[0-9A-Z]{10}\b|\b[0-9a-f]{32,}\b|\b\d+ (min|s)\b")


class Camera:
    """Takes pictures of pages, and keeps what they said."""

    def __init__(self):
        self.said = {}
        self.captions = {}

    def take(self, page, name, caption, *, whole=False, drawn=False):
        """A page as it is now; ``whole``: all of it, also what is further down; ``drawn``: it says something else each time."""
        text = _DRAWN.sub("…", page.evaluate("document.body.innerText"))
        for language in ("ja", "en"):
            text = text.replace(Language(language).day(datetime.now().astimezone().isoformat()), "today")
        self.said[name] = "" if drawn else hashlib.sha256(re.sub(r"\s+", " ", text).encode()).hexdigest()
        self.captions[name] = caption
        if TAKE:
            page.screenshot(path=SCREENS / f"{name}.png", full_page=whole, animations="disabled")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The demonstration, its password, and its machine's key."""
    folder = tmp_path_factory.mktemp("screens")
    with demonstrated(f"sqlite:///{folder}/demo.db", folder, commands=20_000) as (_, said):
        yield SimpleNamespace(
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


def test_the_members_page(chromium, served, camera):  # noqa: F811
    """On a phone, in Japanese: each page that a card holder has."""
    one, page, _ = opened(chromium, served, "member", "hina@example.com", "ja", PHONE, 0.8)
    for name, path, caption in (
        ("home", "", "her cards"),
        ("card", f"/cards/{BLANK}", "a card: what one would get back today, with its arithmetic"),
        ("history", f"/cards/{BLANK}/history", "the history, by month, kind and words; as CSV and PDF"),
        ("points", f"/cards/{LOST}/points", "points, and what became of them"),
        ("myna", f"/cards/{BLANK}/myna", "Myna Point: what counted, what did not and why, what it comes to and when"),
        ("rally", f"/cards/{BLANK}/rally", "the stamp card"),
        ("apply", f"/cards/{LOST}/apply", "applying"),
        ("lost", f"/cards/{LOST}/lost", "a lost card: cost, what becomes of what, from when"),
        ("refund", f"/cards/{PHONE_CARD}/refund", "a refund of a card in a phone"),
    ):
        page.goto(f"/member{path}")
        camera.take(page, f"member-{name}", caption, whole=True)
    one.close()


def put_in(page, number):
    """A card is put into a machine: its number is typed or scanned."""
    page.goto("/machine")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/machine/card")


@pytest.mark.parametrize(("skin", "kind", "language", "size"), [("navy", "ticket-machine", "ja", KIOSK), ("pink", "fare-adjustment", "en", LYING)])
def test_the_station_machine(chromium, served, camera, skin, kind, language, size):  # noqa: F811
    """Upright and navy, in Japanese; lying and pink, in English."""
    one = Watched(chromium, served, viewport=size, locale=language, device_scale_factor=0.4)
    page, t = one.page, Language(language).word
    page.goto("/machine")
    if skin == "navy":
        camera.take(page, "machine-setup", "setting a machine up, once, with its key")
    page.get_by_label(t(f"channel.{kind}")).check()
    page.get_by_label(t(f"machine.skin.{skin}")).check()
    page.get_by_label(t("machine.setup.station"), exact=True).select_option("Osaka")
    page.get_by_label(t("machine.setup.key"), exact=True).fill(served.key)
    page.get_by_role("button", name=t("machine.setup.do")).click()
    page.wait_for_url("**/machine")
    if skin == "navy":
        camera.take(page, "machine-start", "a card is put in: typed, scanned, or laid on a reader")
        put_in(page, BLANK)
        camera.take(page, "machine-card", "what can be done")
        page.goto("/machine/top-up/cash")
        camera.take(page, "machine-cash", "notes; what would be refused is greyed, with its reason")
        page.goto("/machine/history")
        camera.take(page, "machine-history", "the history, to be printed on the machine's paper")
        page.goto("/machine/points/history")
        camera.take(page, "machine-points", "points (returned, other)")
    else:
        put_in(page, RIDING)
        camera.take(page, "machine-adjustment", "the pink machine, lying: a fare adjustment machine")
        page.goto("/machine/adjust")
        camera.take(page, "machine-short", "what is short, in the largest type")
    one.close()


def test_the_counter(chromium, served, camera):  # noqa: F811
    """At a desk, in Japanese: a clerk's day."""
    one, page, t = opened(chromium, served, "counter", "sato", "ja", DESK, 0.6)
    page.goto("/counter/shift")
    page.get_by_label(t("shift.till"), exact=True).fill("osaka-3")
    page.get_by_label(t("shift.brought"), exact=True).fill("50000")
    page.get_by_role("button", name=t("shift.open")).click()
    page.goto("/counter")
    camera.take(page, "counter-home", "one search")
    page.goto(f"/counter/cards/{LOST}")
    camera.take(page, "counter-card", "a card: what depends on it, what can be done", whole=True)
    page.goto(f"/counter/cards/{BLANK}")
    for struck in page.locator(".actions.no details").all()[:1]:
        struck.locator("summary").first.click()
    camera.take(page, "counter-refused", "what cannot be done, struck through, with the rule and the sentence to say", whole=True)
    page.goto(f"/counter/cards/{BLANK}/refund")
    page.get_by_label(t("counter.yes"), exact=True).check()
    page.get_by_role("button", name=t("counter.go_on")).click()
    camera.take(page, "counter-refund", "a refund: the breakdown and what to know, before it is pressed")
    page.goto("/counter/sell")
    camera.take(page, "counter-sell", "every kind that is sold here")
    page.goto("/counter/sell/commuter")
    camera.take(page, "counter-commuter", "selling a commuter pass")
    page.goto(f"/counter/cards/{SPARE}/damaged")
    page.get_by_role("button", name=t("counter.go_on")).click()
    page.get_by_role("button", name=t("counter.give_slip")).click()
    page.get_by_text(t("counter.print_slip")).wait_for()
    camera.take(page, "counter-slip", "done: the slip, to be printed")
    page.goto("/counter/cases")
    camera.take(page, "counter-cases", "what was left to people")
    page.goto("/counter/shift")
    page.get_by_label("10,000円", exact=True).fill("5")
    camera.take(page, "counter-shift", "a shift: what should be in the till, and the count", whole=True)
    one.close()


def test_operations(chromium, served, camera):  # noqa: F811
    """At a desk, in English: an operator's pages, and what everybody sees of a draw."""
    one, page, t = opened(chromium, served, "operations", "suzuki", "en", DESK, 0.6)
    for path, button in (("grants/2023-09", "ops.grants.count"), ("campaigns/myna-point", "ops.campaign.work_out")):
        page.goto(f"/operations/{path}")
        page.get_by_role("button", name=t(button)).click()
        page.locator("main table").first.wait_for(state="attached", timeout=60_000)
    for name, path, caption in (
        ("today", "/operations?day=2023-09-14", "a day at a glance"),
        ("month", "/operations/grants/2023-09", "a month's grants: who gets what, and why all others get nothing"),
        ("campaign", "/operations/campaigns/myna-point", "a campaign's curve and what is still to come"),
        ("draws", "/operations/draws/1", "a draw, step by step"),
        ("books", "/operations/books", "the trial balance"),
        ("settlement", "/operations/books/settlement/place?month=2023-08", "settlement by place"),
        ("unused", "/operations/books/unused", "the half-yearly report of the unused balance"),
        ("cases", "/operations/cases", "cases"),
    ):
        page.goto(path)
        camera.take(page, f"operations-{name}", caption, whole=True)
    page.goto("/draws/1")
    camera.take(page, "draws-one", "what everybody sees of a draw, and whether one's own card is on its list")
    one.close()
    auditor, page, _ = opened(chromium, served, "operations", "tanaka", "en", DESK, 0.6)
    page.goto("/operations/audit")
    camera.take(page, "operations-audit", "the trail and the chain", drawn=True)
    auditor.close()


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
