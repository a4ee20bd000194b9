"""The member's page in a real browser: with script and without, by mouse and by keyboard, on a phone and at a desk, for every eye."""

import re

import pytest

from browsing import DESK, PHONE, WEIGHT, chromium, watched  # noqa: F401  # fixtures
from farecard.pages.language import Language
from residents import WORD
from town import Town, fresh, opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request, tmp_path_factory):
    """A server of each engine, its clock in March 2023."""
    yield from opened(Town, request, tmp_path_factory)


def enrol(page, t, login):
    """Become a member, keep the codes, sign in."""
    page.goto("/member")
    page.get_by_role("link", name=t("enrol.title")).click()
    page.get_by_label(t("login")).fill(login)
    page.get_by_label(t("password")).fill(WORD)
    page.get_by_role("button", name=t("enrol.do")).click()
    page.get_by_role("link", name=t("codes.done")).click()
    page.get_by_label(t("login")).fill(login)
    page.get_by_label(t("password")).fill(WORD)
    page.get_by_role("button", name=t("sign_in.do")).click()


def add(page, t, number, holder):
    """Add a card with what its holder said."""
    page.goto("/member/add")
    page.get_by_label(t("card_number")).fill(number)
    page.get_by_label(t("kana")).fill(holder["kana"])
    page.get_by_label(t("born")).fill(holder["born"])
    page.get_by_label(t("phone")).fill(holder["phone"])
    page.get_by_role("button", name=t("add.do"), exact=True).click()


@pytest.mark.parametrize(("town", "language", "size"), [("sqlite", "ja", PHONE), ("postgresql", "en", DESK)], indirect=["town"])
def test_from_enrolling_to_the_slip_of_a_lost_card(town, watched, language, size):  # noqa: F811
    """Each page on the way looked at closely; nothing is wrong with any, and no other host is asked."""
    t = Language(language).word
    number = town.sell("named")
    town.buy(number, 680)
    one = watched(viewport=size, locale=language)
    page = one.page
    for path in ("/member/sign-in", "/member/enrol", "/member/recover"):
        page.goto(path)
        one.look_closely()
    assert one.page.evaluate(WEIGHT) > 10_000  # it is weighed: style and script alone are more
    enrol(page, t, f"hanako-{fresh()}@example.com")
    one.look_closely()
    page.goto("/member/add")
    one.look_closely()
    add(page, t, number, town.holders[number])
    page.wait_for_url(f"**/member/cards/{number}")
    one.look_closely()
    say = Language(language)
    assert say.yen(1100) in page.locator("table.sum tfoot").inner_text()
    for name in ("history.all", "refund.how"):
        page.get_by_role("link", name=t(name)).click()
        one.look_closely()
        page.go_back()
    page.goto("/member")
    one.look_closely()
    page.goto(f"/member/cards/{number}/myna")
    one.look_closely()
    for path, button in (("points", "points.register_do"), ("rally", "rally.join")):
        page.goto(f"/member/cards/{number}/{path}")
        one.look_closely()
        page.get_by_role("button", name=t(button)).click()
        one.look_closely()
        page.goto(f"/member/cards/{number}/{path}")
        one.look_closely()
    page.goto(f"/member/cards/{number}/lost")
    one.look_closely()
    page.get_by_role("button", name=t("lost.do")).click()
    page.get_by_text(f"S{number[2:]}-1").wait_for()
    one.look_closely()
    page.goto(f"/member/cards/{number}/lost")
    one.look_closely()
    page.goto("/member/nowhere")
    one.look_closely()
    one.wrong = [said for said in one.wrong if "404" not in said]  # the browser tells of it, as it should


@pytest.mark.parametrize(("town", "language", "size"), [("sqlite", "ja", PHONE), ("postgresql", "en", DESK)], indirect=["town"])
def test_myna_point_with_all_its_parts(town, watched, language, size):  # noqa: F811
    """A bar with top-ups that count, one that does not, measures that wait and one that nobody applied for: looked at closely."""
    t = Language(language).word
    number = town.sell("smart")
    town.apply(number)
    one = watched(viewport=size, locale=language)
    enrol(one.page, t, f"hanako-{fresh()}@example.com")
    add(one.page, t, number, town.holders[number])
    one.page.wait_for_url(f"**/member/cards/{number}")
    one.page.goto(f"/member/cards/{number}/myna")
    one.look_closely()
    assert one.page.locator("svg.bar rect.part").count() == 2
    for path in ("myna", "history", ""):
        one.page.goto(f"/member/cards/{number}/{path}".rstrip("/"))
        for width in (360, 320):
            one.page.set_viewport_size({"width": width, "height": 800})
            wide = one.page.locator(".wide").evaluate_all("found => found.map((one) => [one.scrollWidth, one.clientWidth])")
            assert wide, path
            assert all(taken <= there for taken, there in wide), f"{path} at {width}: a table is cut off, {wide}"


def test_without_script_everything_works(town, watched):  # noqa: F811
    """The same ways, with what is filled in and pressed alone."""
    t = Language("en").word
    number = town.sell("named")
    one = watched(viewport=PHONE, locale="en", java_script_enabled=False)
    enrol(one.page, t, f"hanako-{fresh()}@example.com")
    add(one.page, t, number, town.holders[number])
    one.page.get_by_role("link", name=t("lost.open")).click()
    one.page.get_by_role("button", name=t("lost.do")).click()
    assert one.page.get_by_text(f"S{number[2:]}-1").is_visible()
    assert not one.page.get_by_role("button", name=t("print")).is_visible(), "what needs a script shows with a script alone"


def test_by_keyboard_alone(watched):  # noqa: F811
    """Tab to the field, type, Enter; what has the focus is seen; the first stop skips to the content."""
    t = Language("en").word
    one = watched(viewport=DESK, locale="en")
    page = one.page
    login = f"hanako-{fresh()}@example.com"
    enrol(page, t, login)
    page.get_by_role("button", name=t("sign_out")).click()
    page.goto("/member/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == t("skip")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "login"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 3
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(WORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=t("home.title")).wait_for()


def test_light_and_dark_are_as_the_device_has_it_and_as_one_chooses(watched):  # noqa: F811
    """The ground is dark in the dark, unless light was chosen; the choice stays."""
    one = watched(viewport=PHONE, locale="en", color_scheme="dark")
    page = one.page

    def ground():
        return sum(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))))

    page.goto("/member/sign-in")
    assert ground() < 150
    page.get_by_role("button", name="Light").click()
    page.wait_for_load_state()
    assert ground() > 600
    page.goto("/member/enrol")
    assert ground() > 600
