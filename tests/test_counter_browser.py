"""The counter in a real browser: each page of each talk looked at closely, in both languages, at a desk and on a phone; by keyboard; without script."""

import re

import pytest

from browsing import DESK, PHONE, chromium, watched  # noqa: F401  # fixtures
from conftest import command
from farecard.pages.language import Language
from residents import WORD
from test_counter import Counters, new_number
from town import fresh, opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request, tmp_path_factory):
    """A server of each engine, its clock in March 2023."""
    yield from opened(Counters, request, tmp_path_factory)


def sign_in(page, t, name):
    """Sign in at the counter."""
    page.goto("/counter")
    page.get_by_label(t("login")).fill(name)
    page.get_by_label(t("password")).fill(WORD)
    page.get_by_role("button", name=t("sign_in.do")).click()
    page.get_by_role("heading", level=1, name=t("counter.find")).wait_for()


def open_shift(page, t):
    """Open a shift with a float of 10,000 yen at a till nobody is at."""
    page.goto("/counter/shift")
    page.get_by_label(t("shift.till"), exact=True).fill(f"till-{fresh()}")
    page.get_by_label(t("shift.brought"), exact=True).fill("10000")
    page.get_by_role("button", name=t("shift.open")).click()
    page.get_by_text(t("shift.look")).wait_for()


# each language, size and engine once: a page is the same bytes whatever store is behind it
@pytest.mark.parametrize(("town", "language", "size"), [("sqlite", "ja", DESK), ("postgresql", "en", PHONE)], indirect=["town"])
def test_a_day_at_the_counter(town, watched, language, size):  # noqa: F811
    """From opening the shift to its receipt: a sale, a refund, a lost card, one collected, a case; every page looked at."""
    t, say = Language(language).word, Language(language)
    one = watched(viewport=size, locale=language)
    page = one.page
    page.goto("/counter")
    one.look_closely()
    sign_in(page, t, town.staff("clerk"))
    one.look_closely()
    page.goto("/counter/shift")
    one.look_closely()
    open_shift(page, t)
    for path in ("/counter/sell", "/counter/sell/commuter", "/counter/collect", "/counter/cases", "/counter/shifts", "/counter/cash", "/counter/no-number", "/counter/shift"):
        page.goto(path)
        one.look_closely()
    number = new_number()
    page.goto("/counter/sell/anonymous")
    page.get_by_label(t("card_number")).fill(number)
    page.get_by_role("button", name=t("counter.go_on")).click()
    one.look_closely()
    page.get_by_role("button", name=t("counter.take", yen=say.yen(2000))).click()
    page.get_by_role("heading", name=t("counter.did.issue")).wait_for()
    one.look_closely()
    page.goto(f"/counter/cards/{number}")
    one.look_closely()
    for struck in page.locator(".actions.no details").all():
        struck.locator("summary").first.click()
    one.look_closely()
    page.get_by_role("link", name=t("counter.action.refund")).first.click()
    page.get_by_label(t("counter.yes"), exact=True).check()
    one.look_closely()
    page.get_by_role("button", name=t("counter.go_on")).click()
    assert say.yen(1780) in page.locator("table.sum tfoot").inner_text()
    one.look_closely()
    page.get_by_role("button", name=t("counter.pay_out", yen=say.yen(1780))).click()
    page.get_by_role("heading", name=t("counter.did.refund")).wait_for()
    one.look_closely()
    lost = town.sell("named")
    applied = town.sell("smart")
    town.apply(applied)
    join = command(f"join {applied}", "join_rally", at="2023-03-02T12:00:00+09:00", channel="counter", card=applied)
    assert town.post(join, town.desk)[1]["outcome"] == "accepted"
    page.goto(f"/counter/cards/{applied}")
    page.get_by_role("heading", name=t("rally.stamp.4")).wait_for()
    one.look_closely()
    for path in ("damaged", "lost", "myna", "rally", "membership", "change", "code"):
        page.goto(f"/counter/cards/{lost}/{path}")
        one.look_closely()
    page.goto(f"/counter/cards/{lost}/lost")
    page.get_by_label(t("kana")).fill(town.holders[lost]["kana"])
    page.get_by_label(t("born")).fill(town.holders[lost]["born"])
    page.get_by_role("button", name=t("counter.go_on")).click()
    one.look_closely()
    page.get_by_role("button", name=t("counter.give_slip")).click()
    page.get_by_text(f"S{lost[2:]}-1").wait_for()
    one.look_closely()
    page.goto("/counter/sell/named")
    for name, label in (("name", "counter.name"), ("kana", "kana"), ("born", "born")):
        page.get_by_label(t(label), exact=True).fill(town.holders[lost][name])
    page.get_by_label(t("phone")).fill("080-1234-5678")
    page.get_by_label(t("card_number")).fill(new_number())
    page.get_by_role("button", name=t("counter.go_on")).click()
    page.get_by_role("button", name=t("counter.refer")).click()
    one.look_closely()
    page.locator("a.number").click()
    one.look_closely()
    page.goto("/counter/shift")
    page.get_by_label(say.yen(10_000), exact=True).fill("1")
    assert f"{say.yen(10_000)} ({say.yen(-220)})" in page.locator("output").inner_text()  # 10,000 + 2,000 − 1,780 = 10,220 should be there
    page.get_by_label(t("shift.why")).fill("-")
    page.get_by_role("button", name=t("shift.close")).click()
    page.get_by_text(t("counter.print_receipt")).wait_for()
    one.look_closely()


def test_a_slip_is_collected_by_scanning_it(town, watched):  # noqa: F811
    """A scanner types what stands in the code and presses Enter; the new card's number the same."""
    t = Language("en").word
    number, new = town.sell("named"), new_number()
    line = command(f"lost {number}", "report_lost", at="2023-03-02T12:00:00+09:00", channel="counter", card=number)
    slip = town.post(line, town.desk)[1]["result"]["slip"]
    one = watched(viewport=DESK, locale="en")
    page = one.page
    sign_in(page, t, town.staff("clerk"))
    open_shift(page, t)
    page.get_by_label(t("counter.by_number")).focus()
    page.keyboard.type(slip)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/counter/collect?slip={slip}")
    page.get_by_label(t("kana")).fill(town.holders[number]["kana"])
    page.get_by_label(t("born")).fill(town.holders[number]["born"])
    page.get_by_label(t("counter.new_number")).focus()
    page.keyboard.type(new)
    page.keyboard.press("Enter")
    page.get_by_text("¥1,020").wait_for()
    one.look_closely()
    page.get_by_role("button", name=t("counter.hand_over")).press("Enter")
    page.get_by_role("heading", name=t("counter.did.collect_reissue")).wait_for()
    one.look_closely()


def test_without_script_a_shift_and_a_sale(town, watched):  # noqa: F811
    """The same ways, with what is filled in and pressed alone; the slip's document has an address."""
    t = Language("en").word
    one = watched(viewport=DESK, locale="en", java_script_enabled=False)
    page = one.page
    sign_in(page, t, town.staff("clerk"))
    open_shift(page, t)
    page.goto("/counter/sell/anonymous")
    page.get_by_label(t("card_number")).fill(new_number())
    page.get_by_role("button", name=t("counter.go_on")).click()
    page.get_by_role("button", name=t("counter.take", yen="¥2,000")).click()
    assert page.get_by_role("heading", name=t("counter.did.issue")).is_visible()
    assert re.search(r"/counter/done/.+\.pdf$", page.get_by_role("link", name=t("counter.print_receipt")).get_attribute("href"))
