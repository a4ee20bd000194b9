"""Operations and the public page of a draw in a real browser: each page looked at closely, with script and without."""

import json
from contextlib import closing
from itertools import pairwise

import pytest

from applicants import Applicants
from browsing import DESK, PHONE, Watched, chromium  # noqa: F401  # a fixture
from conftest import a_store, command, farecard
from farecard.access import proposals
from farecard.desk.opening import existing_store, writing_desk
from farecard.pages.language import Language
from farecard.questions.following import decided
from farecard.storage.opening import open_to_read
from residents import WORD
from state import problems
from test_operations import Office
from town import fresh

COMMIT = command("c", "commit_draw", channel="operations", at="2023-07-21T09:00:00+09:00", draw=1, seed_source="the Nikkei 225's close of 24 July 2023")
DRAW = command("d", "draw_lottery", channel="operations", at="2023-07-24T19:00:00+09:00", draw=1, winners=3, seed="32,700.94")


@pytest.fixture(scope="module")
def office(request, tmp_path_factory):
    """A server with some months of 300 applicants behind it, a draw that was held, and a case."""
    url = a_store(request, tmp_path_factory.mktemp("office"))
    desk = writing_desk(url)
    lines = [line for line in Applicants(300, seed=8, rally=True).journal() if json.loads(line)["at"] < "2023-07-20"]
    desk.run([("journal", line) for line in [*lines, COMMIT, DRAW]])
    desk.store.close()
    while fresh() < 1_000:  # the applicants have the numbers before
        pass
    served = Office(url)
    served.told = served.case()
    yield served
    assert served.stop() == 0, served.said
    assert '"error"' not in served.said, served.said[-3000:]
    assert problems(url) == []


@pytest.fixture
def watched(chromium, office):  # noqa: F811
    """Opens pages that are watched; each must have been without fault in the end."""
    opened = []

    def one(**options):
        opened.append(Watched(chromium, office, **options))
        return opened[-1]

    yield one
    for each in opened:
        each.close()


def sign_in(page, t, name):
    page.goto("/operations/sign-in")
    page.get_by_label(t("login")).fill(name)
    page.get_by_label(t("password")).fill(WORD)
    page.get_by_role("button", name=t("sign_in.do")).click()
    page.wait_for_url("**/operations")


PAGES = (
    "", "?day=2023-05-11", "/cases", "/proposals", "/grants", "/grants/2023-08", "/grants/2023-09", "/campaigns", "/campaigns/myna-point", "/campaigns/new",
    "/tariff", "/reverse", "/draws", "/draws/1", "/books", "/books/settlement/place?month=2023-05",
    "/books/account?name=merchants-payable:m&month=2023-05", "/books/unused", "/nowhere",
)  # fmt: skip


@pytest.mark.parametrize(("office", "language", "size"), [("sqlite", "ja", PHONE), ("postgresql", "en", DESK)], indirect=["office"])
def test_every_page_and_a_run_from_its_preview_to_its_file(office, watched, language, size):
    """Looked at closely, as an operator and an approver see them, before and after something came of it; the task tells of itself."""
    t = Language(language).word
    one = watched(viewport=size, locale=language)
    page, operator, approver = one.page, office.staff("operator"), office.staff("approver")
    page.goto("/operations/sign-in")
    one.look_closely()
    sign_in(page, t, operator)
    month = {"ja": "2023-08", "en": "2023-07"}[language]
    page.goto(f"/operations/grants/{month}")
    page.get_by_role("button", name=t("ops.grants.count")).click()
    page.get_by_text(t("ops.why.target-not-reached")).first.wait_for()
    page.goto("/operations/campaigns/myna-point")
    page.get_by_role("button", name=t("ops.campaign.work_out")).click()
    page.locator("svg .curve.c1").first.wait_for()
    page.goto("/operations/draws/1")
    page.get_by_role("button", name=t("ops.draw.verify")).click()
    page.locator(".attention.done").wait_for()
    for path in PAGES:
        page.goto(f"/operations{path}")
        for summary in page.locator("details.behind > summary").all():
            summary.click()
        whole_charts(page, path)
        one.look_closely()
    page.goto(f"/operations/cases/{office.told}")
    one.look_closely()
    page.goto(f"/operations/grants/{month}")
    page.get_by_role("button", name=t("ops.propose")).click()
    page.wait_for_url("**/proposals/P-*")
    one.look_closely()
    number = page.url.rsplit("/", 1)[1]
    with closing(existing_store(office.url)[0]) as store:  # approved, and not begun yet
        proposals.decide(store, number, "approved", approver, None)
    page.reload()
    assert page.locator("progress").is_visible()
    one.look_closely()
    approve(office, approver, number)
    page.get_by_role("link", name=t("ops.proposal.who")).wait_for()  # it told of itself, nobody pressed anything
    one.look_closely()
    one.wrong = [said for said in one.wrong if "404" not in said]  # the browser tells of it, as it should


@pytest.mark.parametrize(("office", "language", "size"), [("sqlite", "en", PHONE), ("postgresql", "ja", DESK)], indirect=["office"])
def test_what_an_auditor_and_a_clerk_see(office, watched, language, size):
    """The audit with a check that tells of itself; a clerk's start, and a page that is not for clerks."""
    t = Language(language).word
    one = watched(viewport=size, locale=language)
    page = one.page
    sign_in(page, t, office.staff("auditor"))
    page.goto("/operations/audit")
    one.look_closely()
    page.get_by_role("button", name=t("ops.check.do")).click()
    page.locator("#task .attention.done").wait_for()
    one.look_closely()
    page.get_by_role("button", name=t("sign_out")).click()
    sign_in(page, t, office.staff("clerk"))
    one.look_closely()
    page.goto("/operations/books")
    one.look_closely()
    one.wrong = [said for said in one.wrong if "403" not in said]


def whole_charts(page, path):
    """Every chart fits into its box, so no bar is off the screen, and its words are legible and do not run into each other."""
    for chart in page.locator(".chart > .wide").all():
        assert chart.evaluate("one => one.scrollWidth <= one.clientWidth"), path
        words = chart.locator("text").evaluate_all("some => some.map(one => [one.className.baseVal, one.getBoundingClientRect().toJSON()])")
        assert min(box["height"] for _, box in words) >= 12, path
        below = [box for name, box in words if name == "below"]
        assert all(one["right"] < next_one["left"] for one, next_one in pairwise(below)), path
        left = chart.evaluate("one => one.getBoundingClientRect().left")
        assert min(box["left"] for _, box in words) >= left - 2, path  # a glyph's box is a little wider than what is seen


def approve(office, name, number):
    """Over the API: what was approved and cut short is done when it is approved again."""
    said = json.dumps({"name": name, "password": WORD}).encode()
    token = office.post(said, None, "/v1/sign-in")[1]["token"]
    assert office.post(b'{"decision": "approve"}', token, f"/v1/proposals/{number}")[0] == 200


def ticket(office, place):
    """The card and nonce of a winner."""
    with closing(open_to_read(office.url)) as store:
        winners = json.loads(bytes(decided(store, "journal", "d")["result"]))["winners"]
    return json.loads(farecard("--store", office.url, "draw", "ticket", "1", winners[place], "--json").stdout)


@pytest.mark.parametrize(
    ("office", "script", "language", "size"),
    [("sqlite", True, "ja", PHONE), ("postgresql", True, "en", DESK), ("postgresql", False, "en", PHONE)],
    indirect=["office"],
)
def test_anybody_looks_for_the_own_card_on_a_draws_list(office, watched, script, language, size):
    """With a script in the page itself, nothing being sent; without one by the form. Both say the same."""
    t = Language(language).word
    one = watched(viewport=size, locale=language, java_script_enabled=script)
    page, held = one.page, ticket(office, 1)
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    if script:
        page.goto("/draws")
        one.look_closely()
        page.goto(f"/draws/1#{held['card']}:{held['nonce']}")  # as the member's page leads here
        one.look_closely()
        assert page.get_by_label(t("draws.nonce")).input_value() == held["nonce"]
        assert page.get_by_text(t("draws.in_page")).is_visible()
    else:
        page.goto("/draws/1")
        page.get_by_label(t("card_number")).fill(held["card"])
        page.get_by_label(t("draws.nonce")).fill(held["nonce"])
        assert not page.get_by_text(t("draws.in_page")).is_visible()
    page.get_by_role("button", name=t("draws.look")).click()
    page.get_by_text(t("draws.won", n=2)).wait_for()
    assert page.get_by_text(held["leaf"]).is_visible()
    assert bool(posted) != script
    if script:
        one.look_closely()
    page.get_by_label(t("card_number")).fill(f"{held['card'][2:5]}\u3000{held['card'][5:]}")  # read as a number: without JW, with a wide gap
    page.get_by_label(t("draws.nonce")).fill("00" * 16)
    page.get_by_role("button", name=t("draws.look")).click()
    page.get_by_text(t("draws.not_listed")).wait_for()
    page.get_by_label(t("draws.nonce")).fill("x")
    page.get_by_role("button", name=t("draws.look")).click()
    page.get_by_text(t("draws.no_nonce")).wait_for()


def other_winner(told):
    told["winners"][1] = next(n for n in range(told["entrants"]) if n not in told["winners"])


def lines_swapped(told):
    told["leaves"][0], told["leaves"][1] = told["leaves"][1], told["leaves"][0]


TAMPERED = [  # what was changed in the file on its way, the step it is found at, and what else is said
    (dict.copy, None, ""),  # nothing
    (lines_swapped, "root", ""),
    (lambda told: told["leaves"].__setitem__(2, "0" * 64), "root", ""),
    (lambda told: told["leaves"].__setitem__(2, told["leaves"][1]), "list", "twice"),
    (lambda told: told["leaves"].__setitem__(2, "x"), "list", "line"),
    (lambda told: told["leaves"].pop(), "list", "count"),
    (lambda told: told.update(root="0" * 64), "root", "says"),
    (other_winner, "winners", "turn"),
    (lambda told: told["winners"].pop(), "winners", "winners"),
    (lambda told: told["winners"].reverse(), "winners", "turn"),
    (lambda told: told.update(seed="32,700.95"), "winners", "value"),
    (lambda told: told.update(draw=2), "file", "other"),
    (lambda told: told.update(algorithm="mine"), "file", ""),
]  # fmt: skip


@pytest.mark.parametrize(("office", "language", "size"), [("sqlite", "ja", PHONE), ("postgresql", "en", DESK)], indirect=["office"])
def test_anybody_verifies_a_whole_draw_in_the_page(office, watched, language, size):
    """Each step of the file as it is published is found true; of a file that was changed on its way the step is named at which it shows."""
    t = Language(language).word
    one = watched(viewport=size, locale=language)
    page = one.page
    true = json.loads(office.call("GET", "/draws/1.json")[2])
    page.goto("/draws/1")
    one.look_closely()
    assert page.get_by_text(t("draws.check.by_browser")).is_visible()
    assert not page.get_by_text(t("draws.check.by_server")).is_visible()
    served = {}
    page.route("**/draws/1.json", lambda route: route.fulfill(json=served["told"]))
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)

    def check():
        page.get_by_role("button", name=t("draws.check.do")).click()
        page.locator("#checked > .attention").wait_for()
        return {one.get_attribute("data-step"): one.get_attribute("class") for one in page.locator("#checked li").all()}

    for change, step, how in TAMPERED:
        served["told"] = json.loads(json.dumps(true))
        change(served["told"])
        found = check()
        wrong = [name for name, said in found.items() if said == "missed"]
        assert wrong[:1] == ([] if step is None else [step]), found  # of a changed line the root shows it, too
        last = page.locator("#checked > .attention").inner_text()
        assert last.startswith(t("draws.check.all_right" if step is None else "draws.check.not_right"))
        if how:
            assert t(f"draws.check.how.{how}", found="§", told="§", n="§").split("§")[0] in page.locator(f"#checked li[data-step={step}]").inner_text()
    page.unroute("**/draws/1.json")
    assert check() == dict.fromkeys(("file", "list", "root", "winners"), "done")
    one.look_closely()
    page.get_by_label(t("draws.check.kept")).fill(true["root"].upper())
    assert check()["kept"] == "done"
    page.get_by_label(t("draws.check.kept")).fill("0" * 64)
    assert check()["kept"] == "missed"
    page.route("**/draws/1.json", lambda route: route.abort())
    assert check() == {"file": "missed"}
    assert t("draws.check.how.unreachable") in page.locator("#checked").inner_text()
    assert posted == []
    one.wrong = [said for said in one.wrong if "ERR_FAILED" not in said]  # the browser tells of it, as it should


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_printed_a_page_is_its_content_and_its_tables(office, watched):
    """On paper: no menu, no form, no file to download; the table behind a picture is there."""
    t = Language("en").word
    one = watched(viewport=DESK, locale="en")
    sign_in(one.page, t, office.staff("operator"))
    one.page.goto("/operations/books")
    one.page.emulate_media(media="print")
    assert not one.page.locator(".top").is_visible()
    assert not one.page.locator("form.filter").is_visible()
    assert not one.page.locator(".file").first.is_visible()
    assert one.page.locator("table").first.is_visible()
    one.page.goto("/operations?day=2023-05-11")
    one.page.emulate_media(media="print")
    assert one.page.locator("details.behind table").first.is_visible()
