"""The pages over HTTP, as a browser without script meets them: what each says, who may see it, and that a deed is done once."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from jinja2 import Environment, meta

from conftest import command, farecard
from farecard.api.clock import Clock
from farecard.campaigns import packaged_texts, read_file
from farecard.campaigns.reading import PROCEDURES
from farecard.model.commands import CHANNELS, COMMANDS, KINDS, name_of
from farecard.pages import site
from farecard.pages.charts import bar
from farecard.pages.language import Language, words
from farecard.pages.member.ahead import notes
from farecard.pages.programmes import as_it_is_to
from farecard.pages.site import WINDOWS
from farecard.pages.steps import steps
from residents import WORD
from serving import eventually
from stationed import Stationed
from town import DIGITS, HANAKO, Town, fresh, opened
from visiting import Browser, Visited, plain

HERE = Path(site.__file__).parent


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request, tmp_path_factory):
    """A server of each engine for all tests; each test has people and cards of its own."""
    yield from opened(Visited, request, tmp_path_factory)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def autumn(request, tmp_path_factory):
    """The same on 5 October 2023: programme and rally ended on 30 September."""
    yield from opened(Stationed, request, tmp_path_factory, "2023-10-05T09:00:00+09:00")


def links(browser):
    """Where the page that is shown leads."""
    return set(re.findall(r'href="([^"#?]+)', browser.text.split("<main")[1]))


def decided(town, number):
    """The commands that were decided about a card."""
    return [one["do"] for one in town.get("/v1/events?limit=10000", town.desk)[1]["events"] if one["card"] == number]


# -- words ---------------------------------------------------------------------------------------


def test_both_languages_say_the_same_things():
    """The same keys, none empty, the same figures in each."""
    ja, en = words("ja"), words("en")
    assert ja.keys() == en.keys()
    for key in ja:
        assert ja[key].strip()
        assert en[key].strip()
        assert set(re.findall(r"\{(\w+)\}", ja[key])) == set(re.findall(r"\{(\w+)\}", en[key])), key


def test_every_word_a_page_asks_for_is_there_and_none_is_left_over():
    """Keys as they stand in templates and code; a family of keys is known by its beginning."""
    text = "".join(path.read_text("utf-8") for path in [*HERE.rglob("*.html"), *HERE.rglob("*.py")])
    asked = set(re.findall(r"""\bt\(['"]([\w.-]+)['"]""", text))
    begins = set(re.findall(r"""\bt\(['"]([\w.]+\.)['"] ~""", text)) | set(re.findall(r"""\bf['"]([\w.]+\.)\{""", text))
    begins |= set(re.findall(r"""\bt\(['"]([\w.]+_)['"] ~""", text))
    known = words("en").keys()
    assert asked - begins <= known, asked - known
    named = asked | set(re.findall(r"""['"]([\w.-]+)['"]""", text))
    assert not [key for key in known - named if not key.startswith(tuple(begins))]


def test_every_kind_channel_and_command_has_a_name():
    """Whatever may stand in a history."""
    known = words("ja").keys()
    assert {f"kind.{one}" for one in KINDS} | {f"channel.{one}" for one in CHANNELS} <= known
    assert {f"do.{name_of(one)}" for one in COMMANDS} <= known


def test_every_template_is_whole():
    """Jinja reads each, and what it extends or takes parts from is there."""
    names = {str(path.relative_to(HERE / "templates")) for path in HERE.rglob("*.html")}
    for name in names:
        tree = Environment(autoescape=True).parse((HERE / "templates" / name).read_text("utf-8"))
        assert {one for one in meta.find_referenced_templates(tree) if one} <= names


@pytest.mark.parametrize(
    ("language", "yen", "less", "day", "moment"),
    [
        ("ja", "1,100円", "−220円", "2023年7月18日（火）", "2023年7月18日（火） 9:05"),
        ("en", "¥1,100", "−¥220", "Tue 18 July 2023", "Tue 18 July 2023 9:05"),
    ],
)
def test_figures_as_people_write_them(language, yen, less, day, moment):
    """Money, days with their weekday, the 24-hour clock in Tokyo; a card's number in groups."""
    say = Language(language)
    assert (say.yen(1100), say.yen(-220)) == (yen, less)
    assert say.day("2023-07-18") == day
    assert say.moment("2023-07-18T00:05:00+00:00") == moment
    assert say.day("2023-07-17T16:00:00+00:00") == day  # in Tokyo it is the 18th already
    assert say.card("JW000000000000001") == "JW 000 0000 0000 0001"


def test_a_reason_on_a_page_names_no_field():
    """The field's name in front is for machines; the sentence begins with a capital."""
    reason = {"en": "card: this card is lost.", "ja": "card: なくしたカードです。", "params": {"field": "card"}}
    assert Language("en").said(reason) == "This card is lost."
    assert Language("ja").said(reason) == "なくしたカードです。"
    assert Language("en").said({"en": "a: b", "ja": "", "params": {}}) == "a: b"


# -- the member's page ---------------------------------------------------------------------------


def test_japanese_sentences_follow_each_other_without_a_gap(town):
    """As they are written; what somebody typed into a field stays as it was typed."""
    hanako, number = town.holder("named", "ja")
    for path in ("", f"/cards/{number}", f"/cards/{number}/lost", f"/cards/{number}/points", f"/cards/{number}/rally"):
        hanako.look(f"/member{path}")
        assert "。" in hanako.text
        assert not re.search(r"。\s+[^\s<>][^<>]*<", hanako.text), path
    hanako.look(f"/member/cards/{number}/history?q={quote('あ。 い')}")
    assert 'value="あ。 い"' in hanako.text


def test_whoever_has_not_signed_in_is_asked_to_and_comes_back(town):
    """From a page that somebody was sent to, to that page; a place outside ours is not gone to."""
    stranger, (hanako, number) = Browser(town), town.holder("named")
    assert "Sign in" in stranger.look(f"/member/cards/{number}/history")
    assert "Wed 1 March 2023" in stranger.press("Sign in", login=hanako.login, password=WORD)
    assert stranger.path == f"/member/cards/{number}/history"
    for outside in ("//evil.example/", "https://evil.example/", "/member//evil.example", "/operations/x"):
        stranger.look(f"/member/sign-in?then={outside}")
        stranger.press("Sign in", login=hanako.login, password=WORD)
        assert stranger.path == "/member"


def test_what_i_would_get_back_today_with_its_arithmetic(town):
    """The first thing on a card's page: 820 yen on it, less 220, and the deposit of 500: 1,100."""
    hanako, number = town.holder("named")
    town.buy(number, 680)
    text = hanako.look(f"/member/cards/{number}")
    assert "¥820" in text
    assert "Balance ¥820 Fee −¥220 Deposit +¥500 You get ¥1,100" in text
    assert "at a counter" not in text
    assert "in cash" in hanako.look(f"/member/cards/{number}/refund")
    assert "¥820 0 points · ● in use" in hanako.look("/member")


def test_a_lost_card_from_what_it_costs_to_the_slip(town):
    """520 and 500 are 1,020; from the next day; then it is stopped, and the page says what to bring and when."""
    hanako, number = town.holder("named")
    text = hanako.look(f"/member/cards/{number}/lost")
    assert "Reissue fee ¥520 The new card's deposit +¥500 You pay ¥1,020" in text
    assert "From Sat 4 March 2023, at any of our stations in the ICOCA area" in text
    assert "That of the lost card is not returned" in text
    done = hanako.press("Stop this card")
    assert "The card is stopped" in done
    assert f"S{number[2:]}-1" in done
    assert "Bring your papers" in done
    assert hanako.look(hanako.path) == done, "its address shows it again"
    assert "■ stopped" in hanako.look("/member")
    assert "cannot be stopped here" in hanako.look(f"/member/cards/{number}/lost")


def test_a_deed_is_done_once_however_often_it_is_pressed(town):
    """The same form sent three times leads to the same page, and one event."""
    hanako, number = town.holder("named")
    hanako.look(f"/member/cards/{number}/lost")
    said = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', hanako.text.split("<main")[1]))
    got = {hanako.send("POST", f"/member/cards/{number}/lost", said)[1]["location"] for _ in range(3)}
    assert got == {f"/member/cards/{number}/done/{said['id']}"}
    assert decided(town, number) == ["issue", "report_lost"]


def test_a_refund_by_kind_of_card(town):
    """At a counter, by post with a form, or from the phone: there only for a card that was shown, and then it is done."""
    hanako, smart = town.holder("smart")
    assert "It is done by post" in hanako.look(f"/member/cards/{smart}/refund")
    done = hanako.press("Ask for the form")
    assert f"F{smart[2:]}-1" in done
    assert "send it back with the card" in done
    taro, mobile = town.holder("mobile")
    text = taro.look(f"/member/cards/{mobile}/refund")
    assert "Balance ¥2,000 Fee −¥220 You get ¥1,780" in text  # no deposit
    assert "only for a card that was shown" in text
    given = town.code(mobile, "icoca-app")
    taro.look("/member/add")
    taro.press("Add it with the code", card=mobile, code=given)
    taro.look(f"/member/cards/{mobile}/refund")
    assert "You get ¥1,780" in taro.press("Refund this card")
    assert decided(town, mobile) == ["issue", "refund"]


def test_points_and_registering_for_them(town):
    """From tomorrow one may apply, since it is before 19:00; registered once, and said so after that."""
    hanako, number = town.holder("named")
    text = hanako.look(f"/member/cards/{number}/points")
    assert "0 points" in text
    assert "You may apply for Myna Point from Sat 4 March 2023" in text
    assert "Registered for points" in hanako.press("Register")
    again = hanako.look(f"/member/cards/{number}/points")
    assert "Sat 4 March 2023" in again
    assert hanako.send("GET", f"/member/cards/{number}/points.csv")[2] == "\ufeffWhen,What,Points\r\n"  # none yet
    assert "No points have come or gone yet" in again
    assert decided(town, number) == ["issue", "register_for_points"]
    smart = town.holder("smart")
    assert "WST-3" in smart[0].look(f"/member/cards/{smart[1]}/points")  # it needs no registration


def test_myna_point_as_a_picture(town):
    """5,000 at Seven Bank and 7,000 at the station count, 5,000 at a petrol station does not (MYN-1): 12,000 of 20,000, 8,000 to go."""
    hanako, number = town.holder("smart")
    town.apply(number)
    text = hanako.look(f"/member/cards/{number}/myna")
    assert "Applied for on Thu 2 March 2023" in text
    assert "Counted ¥12,000 of ¥20,000 ¥8,000 to go" in text
    assert text.count("✓ counted") == 2
    assert "MYN-1" in text
    # 25 % of 12,000 are 3,000, after the end; the whole of it in the month after the one it is reached in
    assert "As it is: 3,000 points, around Wed 18 October 2023" in text
    assert "If it reaches ¥20,000 this month: 5,000 points, around Tue 18 April 2023" in text
    parts = re.findall(r'class="part" x="(\d+)" y="0" width="(\d+)"', hanako.text)
    assert parts == [("0", "250"), ("250", "350")]  # of a bar of 1000: 5,000 and 7,000 of 20,000
    assert "Measure 3: the account ○ not applied for" in text
    _, headers, file = hanako.send("GET", f"/member/cards/{number}/myna.csv")
    assert headers["content-type"].startswith("text/csv")
    assert [line.split(",")[2:5] for line in file.splitlines()[1:]] == [  # with the reason, and the rule behind it
        ["Seven Bank ATM", "5000", "counted"], ["ticket machine", "7000", "counted"], ["petrol station", "5000", file.splitlines()[3].split(",")[4]],
    ]  # fmt: skip
    assert file.splitlines()[3].endswith("MYN-1")
    assert "Nobody has applied" in town.holder("named")[0].look(f"/member/cards/{next(reversed(town.holders))}/myna")


def test_applying_for_myna_point(town):
    """Never with the individual number; a refusal says from when (WST-1); what would be taken is said before it is applied for, once."""
    hanako, number = town.holder("smart")
    hanako.look(f"/member/cards/{number}/myna")
    hanako.look(f"/member/cards/{number}/apply")
    assert "PUB-14" in hanako.press("Go on", person="123456789012", measure_1="yes")
    text = hanako.press("Go on", person=f"key-{number}", measure_1="yes", measure_3="yes")
    assert "Taken: Measure 1: top-ups Measure 3: the account" in text
    assert "Applied for Myna Point" in hanako.press("Apply")
    assert decided(town, number) == ["issue", "apply_myna_point"]
    assert "Counted ¥0 of ¥20,000" in hanako.look(f"/member/cards/{number}/myna")
    named = town.holder("named")
    assert "WST-1" in named[0].look(f"/member/cards/{named[1]}/apply")


def test_a_bar_ends_at_its_target():
    """What goes past it does not show; nothing is nothing."""
    assert bar([15_000, 10_000, 1_000], 20_000) == [(0, 750, 15_000), (750, 250, 10_000), (1000, 0, 1_000)]
    assert bar([], 20_000) == []


def test_the_stamp_rally_as_a_card(town):
    """Joined: the first stamp at once, the fourth for a purchase of these days; how to get the others."""
    hanako, number = town.holder("named")
    town.buy(number, 100)
    assert "Collect four stamps" in hanako.look(f"/member/cards/{number}/rally")
    assert "You are in the stamp rally" in hanako.press("Join")
    text = hanako.look(f"/member/cards/{number}/rally")
    assert "Stamp 1: in the rally since Fri 3 March 2023" in text
    assert "Stamp 2: applied for Myna Point Apply for Myna Point with the ICOCA" in text
    assert "Stamp 4: a purchase since Wed 1 March 2023" in text
    assert hanako.text.count('class="stamped"') == 2


def test_a_reason_says_its_source_by_title_and_its_figures_by_name(town):
    """What WST-1 is from, and the day it was decided by, in the words of whoever reads."""
    hanako, number = town.holder("named")
    hanako.look(f"/member/cards/{number}/points")
    hanako.press("Register")
    text = hanako.look(f"/member/cards/{number}/points")
    assert "Source: the issuer's questions and answers on Myna Point with ICOCA (as of 1 November 2023) Figures it rests on: begins on Sat 4 March 2023" in text
    hanako.language = "ja"
    text = hanako.look(f"/member/cards/{number}/points")
    assert "出典： 「ICOCAにおけるマイナポイント事業についてよくある質問」（2023年11月1日時点） 判断に使った値： 始まる日 2023年3月4日（土）" in text


def test_a_clock_that_was_set_says_so_on_every_page(town, tmp_path):
    """Where it is the machine's own, nothing is said."""
    note = "The clock is set to Fri 3 March 2023, for training or a demonstration."
    assert note in Browser(town).look("/member/sign-in")
    assert "clock set to Fri 3 March 2023" in Browser(town).look("/machine")
    own = Town(f"sqlite:///{tmp_path}/s.db")
    try:
        assert "The clock is set" not in Browser(own).look("/member/sign-in")
    finally:
        assert own.stop() == 0


def test_history_by_month_and_kind_and_as_a_file(town):
    """What is asked for and no more; a file that a spreadsheet takes for what it is."""
    hanako, number = town.holder("named")
    town.buy(number, 680)
    text = hanako.look(f"/member/cards/{number}/history?kind=purchase")
    assert "−¥680 ¥820" in text
    main = plain(hanako.text[hanako.text.index("<main") : hanako.text.index("</main>")])
    assert main.count("March 2023") == 2  # the choice of months, and the one line
    assert "Nothing of this kind" in hanako.look(f"/member/cards/{number}/history?month=2022-01")
    for words_, there in (("SHOP", True), ("680", True), ("1 march", True), ("gate", False), ("%3Cb%3E", False)):
        found = hanako.look(f"/member/cards/{number}/history?q={words_.replace(' ', '+')}")
        assert ("−¥680" in found) == there, words_
    _, headers, file = hanako.send("GET", f"/member/cards/{number}/history.csv")
    assert headers["content-type"].startswith("text/csv")
    assert file.startswith("\ufeffWhen,What,Where,Amount,Balance,Points\r\n2023-03-01T12:00:00+09:00,purchase,shop,-680,820,0")
    assert number not in headers["content-disposition"]
    assert hanako.send("GET", f"/member/cards/{number}/history.csv?kind=issue")[2].count("\n") == 2  # what the page shows, no more
    status, headers, body = hanako.send("GET", f"/member/cards/{number}/history.pdf?kind=purchase", raw=True)
    assert (status, headers["content-type"], body[:5]) == (200, "application/pdf", b"%PDF-")


def test_what_is_wrong_is_said_with_the_way_on_and_what_was_typed_stays(town):
    """A proof that does not fit, a code, nothing at all."""
    hanako, number = town.member(), town.sell("named")
    hanako.look("/member/add")
    text = hanako.press("Add this card", card=number, kana="チガウ", born="1987-06-05", phone="1")
    assert "does not fit this card" in text
    assert "at any counter" in text or "at a counter" in text
    assert 'value="チガウ"' in hanako.text
    assert "wrong, or good no more" in hanako.press("Add it with the code", card=number, code="x")
    assert "Fill in the code" in hanako.press("Add it with the code", card=number, code="")
    assert "Fill in the name, the birthday and the phone number" in hanako.press("Add this card", card=number, kana="ア", born="", phone="")
    assert "JW and 15 digits" in hanako.press("Add it with the code", card="12", code="x")


def test_a_card_without_a_name_is_added_with_a_code(town):
    """From a ticket machine, typed in small letters."""
    taro, number = town.holder("anonymous")
    text = taro.look(f"/member/cards/{number}")
    assert "ICOCA without a name" in text
    assert "You get ¥1,780" in text


def test_nobody_sees_a_card_that_is_not_his(town):
    """Every page of it says the same, whether it is another's or nobody's."""
    somebody, (_, number) = town.member(), town.holder("named")
    for one in (number, "JW000000000099999"):
        for page in ("", "/history", "/history.csv", "/lost", "/refund"):
            status, _, text = somebody.send("GET", f"/member/cards/{one}{page}")
            assert status == 403
            assert "not among yours" in plain(text)
    status, _, _ = somebody.send("GET", "/member/cards/JW1")
    assert status == 400


def test_forgotten_and_found(town):
    """A recovery code, another password, eight other codes; and leaving erases it."""
    hanako, number = town.holder("named")
    lost = Browser(town)
    lost.look("/member/recover")
    text = lost.press("Change the password", login=hanako.login, card="", code=hanako.codes[0], password="a blue umbrella in June")
    assert "Keep your recovery codes" in text
    eventually(lambda: "Sign in" in hanako.look(f"/member/cards/{number}"))  # sessions are looked at again after a second
    lost.look("/member/sign-in")
    lost.press("Sign in", login=hanako.login, password="a blue umbrella in June")
    lost.look("/member/account")
    assert "wrong" in lost.press("Leave and erase it", password=WORD)
    lost.look("/member/account")
    assert "Sign in" in lost.press("Leave and erase it", password="a blue umbrella in June")
    assert "wrong" in lost.press("Sign in", login=hanako.login, password="a blue umbrella in June")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_speaks_the_language_that_is_asked_for(town, language):
    """As the browser says, or as it was chosen; on each page, for each kind of card; light and dark are kept, too."""
    for kind in ("named", "anonymous", "smart", "mobile"):
        one, number = town.holder(kind, language)
        town.buy(number, 100)
        at = f"/member/cards/{number}"
        for path in ("/member", "/member/add", "/member/account", at, f"{at}/history", f"{at}/lost", f"{at}/refund", f"{at}/points", f"{at}/myna", f"{at}/rally"):
            status, headers, text = one.send("GET", path)
            assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8"), path
            assert f'<html lang="{language}"' in text
            assert len(text.encode()) < 100_000
    other = {"ja": "en", "en": "ja"}[language]
    one.look("/member")
    one.press(words(other)["language"])
    assert f'<html lang="{other}"' in one.text
    one.press(words(other)["theme.light"])
    assert 'data-theme="light"' in one.text


# -- what is over, what lies ahead, what is lost -------------------------------------------------


def test_what_a_refund_ends_is_said_before_it_is_pressed(autumn):
    """From the phone and at a counter alike: the card, 7,500 points on it, and that stamps stay; once each."""
    taro, number = autumn.holder("mobile")
    autumn.grant_points(number)
    autumn.do("join_rally", "counter", "04-20 09:00", card=number)
    given = autumn.code(number, "icoca-app")
    taro.look("/member/add")
    taro.press("Add it with the code", card=number, code=given)
    text = taro.look(f"/member/cards/{number}/refund")
    know = text[text.index("Before you do") : text.index("Refund this card")]
    assert know.count("7,500 points on it are lost") == 1
    assert "The card cannot be used any more" in know
    assert "Stamps stay" in know
    assert "7,500 points" in taro.press("Refund this card")
    hanako, smart = autumn.holder("smart")
    autumn.grant_points(smart)
    assert "7,500 points on it are lost" in hanako.look(f"/member/cards/{smart}/refund")  # by post
    _, plain_card = autumn.holder("named")
    assert "are lost" not in _.look(f"/member/cards/{plain_card}/refund")  # nothing is on it


def test_myna_point_is_offered_when_it_can_be_applied_for(town):
    """Registering comes first (WST-1), then its day (WST-2), and no form asks for anything before; with a SMART card at once, until 30 September."""
    hanako, number = town.holder("named")
    at = f"/member/cards/{number}"
    for page in ("myna", "apply"):
        text = hanako.look(f"{at}/{page}")
        assert "not registered for WESTER points" in text
        assert f'class="button main" href="{at}/points"' in hanako.text
        assert f"{at}/apply" not in links(hanako)
        assert 'name="person"' not in hanako.text
    hanako.look(f"{at}/points")
    hanako.press("Register")
    text = hanako.look(f"{at}/myna")
    assert "Apply on Sat 4 March 2023 or later" in text
    assert not {f"{at}/apply", f"{at}/points"} & links(hanako)
    taro, smart = town.holder("smart")
    assert "One may apply until Sat 30 September 2023" in taro.look(f"/member/cards/{smart}/myna")
    assert f"/member/cards/{smart}/apply" in links(taro)
    town.apply(smart)  # for measures 1 and 2: the third may follow
    taro.look(f"/member/cards/{smart}/myna")
    assert f"/member/cards/{smart}/apply" in links(taro)


def test_myna_point_is_not_offered_when_it_is_over(autumn):
    """On 5 October (MYN-18), with nothing applied for and with measure 2 alone."""
    late, over = autumn.holder("smart")
    for page in ("myna", "apply"):
        assert "This programme ended on Sat 30 September 2023" in late.look(f"/member/cards/{over}/{page}")
        assert f"/member/cards/{over}/apply" not in links(late)
        assert 'name="person"' not in late.text
    hanako, number = autumn.holder("named")  # registering goes on, and promises nothing
    for text in (hanako.look(f"/member/cards/{number}/points"), hanako.press("Register")):
        assert "apply for Myna Point" not in text
    autumn.grant_points(over)
    assert "This programme ended" in late.look(f"/member/cards/{over}/myna")
    assert f"/member/cards/{over}/apply" not in links(late)


def test_the_stamp_card_while_the_rally_lasts(town):
    """Which draw by when; whoever has no points yet hears how they come: for March's procedure on 18 April."""
    hanako, number = town.holder("named")
    by = "All four by Thu 20 July 2023: you are in draw 1. All four by Sat 30 September 2023: you are in draw 2."
    assert by in hanako.look(f"/member/cards/{number}/rally")
    hanako.press("Join")
    text = hanako.look(f"/member/cards/{number}/rally")
    assert by in text
    assert "No points yet? Apply for Myna Point: meet its condition this month, and the points come around Tue 18 April 2023" in text


def test_the_stamp_card_after_the_rally(autumn):
    """Two stamps of four: no invitation any more, and no draw. Four by 20 April: draw 1, which closed on 20 July."""
    hanako, number = autumn.holder("named")
    autumn.do("join_rally", "counter", "03-02 09:00", card=number)
    autumn.spend(number, 100)
    text = hanako.look(f"/member/cards/{number}/rally")
    assert "The stamp rally ended on Sat 30 September 2023. The four stamps were not complete, so this card is in no draw" in text
    assert text.count("Not stamped by Sat 30 September 2023") == 2
    for invites in ("Apply for Myna Point", "Charge WESTER", "No points yet", "All four by", "within about a week"):
        assert invites not in text
    taro, full = autumn.holder("smart")
    autumn.grant_points(full)
    autumn.do("join_rally", "counter", "04-19 10:00", card=full)
    autumn.spend(full, 100, "04-19 12:00")
    autumn.do("top_up_from_points", "ticket-machine", "04-20 09:00", card=full, points=10)
    text = taro.look(f"/member/cards/{full}/rally")
    assert "You are in draw 1" in text
    assert "Draw 1 closed on Thu 20 July 2023; its list is about to be frozen" in text
    late, other = autumn.holder("named")
    assert "The stamp rally ended" in late.look(f"/member/cards/{other}/rally")  # and joins no more
    assert "All four by" not in plain(late.text)


def test_where_points_are_charged_by_kind_of_card(town):
    """WST-5: a card at the station's machines, one in a phone in the app."""
    for kind, here, elsewhere in (("named", "a ticket machine or a fare adjustment machine", "the ICOCA app"), ("mobile", "in the ICOCA app", "at a ticket machine or")):
        one, number = town.holder(kind)
        use = one.look(f"/member/cards/{number}/points").split("Registering for points")[0]
        assert here in use
        assert elsewhere not in use


def test_what_needs_attention_stands_with_each_card(town):
    """8,000 of 20,000 to go, a procedure to complete, a ride not left, a stopped card with its days and place; of a new card nothing."""
    hanako, smart = town.holder("smart")
    assert "attention" not in hanako.send("GET", "/member")[2]
    town.apply(smart)
    for path, by in (("/member", "By Sat 30 September 2023: "), (f"/member/cards/{smart}", "Sat 30 September 2023 – ")):
        text = hanako.look(path)
        assert f"{by}Myna Point, Measure 1: top-ups: ¥8,000 to top up" in text
        assert f"{by}Myna Point, Measure 2: the insurance card: complete the procedure" in text
    taro, number = town.holder("named")
    line = command(f"in {number}", "tap_in", at="2023-03-03T08:00:00+09:00", channel="gate", card=number, station="Kyoto")
    assert town.post(line, town.desk)[1]["outcome"] == "accepted"
    assert "Entered at Kyoto on Fri 3 March 2023 8:00, and not left yet" in taro.look("/member")
    taro.look(f"/member/cards/{number}/lost")
    taro.press("Stop this card")
    stopped = "Collect the new one from Sat 4 March 2023 to Fri 17 March 2023, at any of our stations in the ICOCA area"
    assert stopped in taro.look("/member")
    assert stopped in taro.look(f"/member/cards/{number}")


def test_an_application_from_before_the_rally_is_said_at_stamp_2(town):
    """STP-6: applied with on 28 February, it gives no stamp 2, and a further measure would; on 1 March it is stamped and nothing is said."""
    key = town.key(f"early-{fresh()}", "counter,myna-point")

    def do(name, channel, at, **fields):
        line = command(f"{name} {fresh()}", name, at=f"2023-{at}:00+09:00", channel=channel, **fields)
        assert town.post(line, key)[1]["outcome"] == "accepted"

    for at, said in (("02-28T23:59", True), ("03-01T00:00", False)):
        hanako, number = town.member(), f"JW{fresh():015d}"
        holder = HANAKO | {"kana": HANAKO["kana"] + str(fresh()).translate(DIGITS)}
        do("issue", "counter", "02-01T09:00", card=number, kind="smart", paid=2000, holder=holder)
        hanako.look("/member/add")
        hanako.press("Add this card", card=number, **{name: holder[name] for name in ("kana", "born", "phone")})
        do("apply_myna_point", "myna-point", at, card=number, person=f"p-{number}", measures=[1])
        do("join_rally", "counter", "03-02T09:00", card=number)
        text = hanako.look(f"/member/cards/{number}/rally")
        no = "Myna Point was applied for with this card before Wed 1 March 2023, which gives no stamp 2."
        assert (no in text, "A further measure applied for now gives it." in text) == (said, said), at


def test_points_not_charged_need_attention(autumn):
    """In the app for a card in a phone, at a machine for others."""
    for kind, where in (("mobile", "The ICOCA app does it"), ("smart", "A ticket machine or a fare adjustment machine does it")):
        one, number = autumn.holder(kind)
        autumn.grant_points(number)
        assert f"Not charged yet: 7,500 points. {where}" in one.look("/member")
        if kind == "smart":  # points go in tens (PUB-10), and fewer than ten wait for nobody; 7,490 are below the ceiling of balance
            autumn.do("top_up_from_points", "ticket-machine", "04-20 09:00", card=number, points=7490)
            assert "Not charged yet: 10 points." in one.look("/member")
            autumn.do("top_up_from_points", "ticket-machine", "04-20 09:01", card=number, points=10)
            assert "Not charged yet" not in one.look("/member")


def test_fewer_points_than_can_be_charged_need_no_attention():
    """Nine stay below the unit of ten, ten reach it; one is not said in the plural."""
    card = {"state": "active", "ride": None, "kind": "smart"}
    held = {"slip": None, "points_unit": 10, "cases": [], "apply_until": "2023-09-30"}
    said = [notes(Language("en"), card | {"points": points}, held, 0) for points in (0, 1, 9, 10)]
    assert [len(one) for one in said] == [0, 0, 0, 1]


def test_steps_are_of_procedures_whatever_measure_has_one():
    """An edition may file the insurance card first, and may count yen without a target; each step has its word in both languages."""
    text = next(one for one in packaged_texts() if 'name = "myna-point"' in one)
    campaign = read_file(text)
    told = {"state": "waiting", "reasons": [], "grant_on": None}
    assert steps(campaign.measure(1), campaign, told) == []
    assert steps(None, campaign, told) == []
    for number, names in ((2, ["apply", "confirm_insurance_card", "points"]), (3, ["apply", "file_account", "confirm_account", "points"])):
        assert [one.name for one in steps(campaign.measure(number), campaign, told)] == names
    # a child's card to 17 June: the points of May would come the day after it, those of April on 18 May
    for expires, last in (("2023-06-17", "2023-04-30"), ("2023-06-18", "2023-05-31"), ("2024-03-31", "2023-09-30")):
        own = as_it_is_to({"expires": expires}, campaign)
        days = {one.name: one.day for one in steps(own.measure(2), own, told | {"state": "not-applied"})}
        assert days == {"apply": last, "confirm_insurance_card": last, "points": None}
    for report in PROCEDURES:
        for language in ("ja", "en"):
            assert f"myna.step.{report}" in words(language)


@pytest.mark.parametrize(("last_day", "said"), [
    ("2023-12-05", None),  # 61 days to come
    ("2023-12-04", "By Mon 4 December 2023: the last day of this card"),
    ("2023-10-05", "By Thu 5 October 2023: the last day of this card"),
    ("2023-10-04", "This card has expired. A counter refunds it without a fee"),
])  # fmt: skip
def test_a_childs_card_needs_attention_in_its_last_sixty_days_and_after_them(autumn, last_day, said):
    """On 5 October."""
    child, number = autumn.member(), f"JW{fresh():015d}"
    holder = HANAKO | {"kana": "コドモ" + str(fresh()).translate(DIGITS), "born": "2015-04-02"}
    autumn.do("issue", "counter", "03-01 09:00", card=number, kind="child", paid=2000, holder=holder, expires=last_day)
    child.look("/member/add")
    child.press("Add this card", card=number, **{name: holder[name] for name in ("kana", "born", "phone")})
    text = child.look("/member")
    assert said in text if said else 'class="attention"' not in child.text


def test_the_days_that_lie_ahead_of_a_card(town):
    """The first of them first: a slip's two days; registered, the day one may apply from; joined, the next draw's; with the deposit beside the balance."""
    hanako, number = town.holder("named")
    at = f"/member/cards/{number}"
    text = hanako.look(at)
    assert "Deposit ¥500" in text.split("What you would get")[0]
    assert "Days to come Nothing is due" in text
    hanako.look(f"{at}/points")
    hanako.press("Register")
    hanako.look(f"{at}/rally")
    hanako.press("Join")
    text = hanako.look(at)
    first, second = "Sat 4 March 2023 – from then on one may apply", "Thu 20 July 2023 – the last day to be in draw 1"
    assert 0 < text.index(first) < text.index(second)
    hanako.look(f"{at}/lost")
    hanako.press("Stop this card")
    text = hanako.look(at)
    assert "Deposit ¥500" in text
    assert f"The slip for your new card S{number[2:]}-1" in text
    assert 0 < text.index("Sat 4 March 2023 – the new card can be collected") < text.index("Fri 17 March 2023 – the last day to collect")
    taro, phone = town.holder("mobile")
    assert "Deposit" not in taro.look(f"/member/cards/{phone}")  # it has none


def test_procedures_step_by_step(town):
    """Applied for 2 and 3 on 2 March: nothing heard of the one, the account filed and the bank at it."""
    hanako, number = town.holder("smart")
    key = town.key(f"national-{number}", "myna-point")
    lines = [
        command(f"a {number}", "apply_myna_point", at="2023-03-02T09:00:00+09:00", channel="myna-point", card=number, person=f"p-{number}", measures=[2, 3]),
        command(f"f {number}", "file_account", at="2023-03-02T10:00:00+09:00", channel="myna-point", person=f"p-{number}"),
    ]  # fmt: skip
    assert [town.post(line, key)[1]["outcome"] for line in lines] == ["accepted"] * 2
    text = hanako.look(f"/member/cards/{number}/myna")
    assert "✓ Apply with the ICOCA done ▶ Register the insurance card at Mynaportal next · by Sat 30 September 2023 ○ The points come after that" in text
    assert "✓ Register the account at Mynaportal done ▶ The bank finishes its review next · by Fri 13 October 2023 ○ The points come after that" in text
    text = hanako.look("/member")  # what is left for the holder to do, and what is not
    assert "Measure 2: the insurance card: complete the procedure" in text
    assert "Measure 3" not in text
    assert "Fri 13 October 2023 – Myna Point, Measure 3: the account: the bank must have finished its review" in hanako.look(f"/member/cards/{number}")


def test_procedures_that_are_through_or_missed(autumn):
    """On 5 October: what was granted is done, an account that was not filed is missed, with its day."""
    taro, over = autumn.holder("smart")
    autumn.do("apply_myna_point", "myna-point", "03-02 09:00", card=over, person=f"p-{over}", measures=[2, 3])
    autumn.do("confirm_insurance_card", "myna-point", "03-05 09:00", person=f"p-{over}")
    autumn.do("run_grants", "operations", "04-19 09:00", month="2023-04")
    text = taro.look(f"/member/cards/{over}/myna")
    assert "✓ Register the insurance card at Mynaportal done ✓ The points come done" in text
    assert "✕ Register the account at Mynaportal not done · by Sat 30 September 2023 ✕ The bank finishes its review not done" in text


def test_top_ups_that_do_not_count_are_in_the_picture_too(town):
    """5,000 at a petrol station: a part of its own under the bar, a quarter of 20,000 long, with its yen in words."""
    hanako, number = town.holder("smart")
    town.apply(number)
    assert "Not counted: ¥5,000; the table says why" in hanako.look(f"/member/cards/{number}/myna")
    assert re.findall(r'class="left-out" x="(\d+)" y="0" width="(\d+)"', hanako.text) == [("0", "250")]


def test_a_lost_card_takes_application_and_stamps_along(town):
    """Both are told of, joined or not; and until when the new card is to be collected: 14 days, before it is stopped and after."""
    hanako, number = town.holder("smart")
    text = hanako.look(f"/member/cards/{number}/lost")
    assert "Myna Point It was not applied with. Stamp rally It has not joined." in text
    town.apply(number)
    assert "The application goes on with the new card" in hanako.look(f"/member/cards/{number}/lost")
    by = "Collect it by Fri 17 March 2023"
    assert by in plain(hanako.text)
    assert by in hanako.press("Stop this card")


# -- what the guide and the programme's answers say, found on the page ------------------------------


def test_a_damaged_card_has_its_way_on_the_page(town):
    """GUIDE: a named card is exchanged free of charge, from the next day; one without a name is refunded, if its number can be read; a phone has no card."""
    hanako, number = town.holder("named")
    text = hanako.look(f"/member/cards/{number}")
    assert "If the card is damaged Bring it to a counter: you get a slip, and from Sat 4 March 2023 a new card; it costs nothing." in text
    assert "If the card is damaged and you still have it, bring it to a counter instead" in hanako.look(f"/member/cards/{number}/lost")
    taro, blank = town.holder("anonymous")
    assert "A card without a name is not exchanged. A counter refunds it" in taro.look(f"/member/cards/{blank}")
    ichiro, phone = town.holder("mobile")
    assert "If the card is damaged" not in ichiro.look(f"/member/cards/{phone}")


@pytest.mark.parametrize(("do", "over", "offered"), [("report_damaged", "report the card as damaged again at a counter; that is free of charge", False), ("report_lost", "Please report the card again", True)])
def test_a_slip_that_is_over_leads_back_to_what_was_reported(autumn, do, over, offered):
    """Reported on 1 May, the slip was good to the 15th. Whoever handed a damaged card in is not led to paying 1,020 yen for a lost one."""
    hanako, number = autumn.holder("named")
    key = autumn.key(f"k{fresh()}", "counter")
    line = command(f"r {number}", do, at="2023-05-01T10:00:00+09:00", channel="counter", card=number)
    assert autumn.post(line, key)[1]["outcome"] == "accepted"
    text = hanako.look(f"/member/cards/{number}")
    assert "The slip was good until Mon 15 May 2023." in text
    assert over in text
    assert (f"/member/cards/{number}/lost" in links(hanako)) == offered
    lost = hanako.look(f"/member/cards/{number}/lost")
    assert ("Only if you have lost it since, report it lost here: the new card then costs ¥1,020" in lost) != offered


@pytest.mark.parametrize(("do", "due"), [("report_damaged", "¥0"), ("report_lost", "¥1,020")])
def test_a_card_that_waits_says_what_to_bring_and_pay(town, do, due):
    """Not only on the page that is shown once."""
    hanako, number = town.holder("named")
    key = town.key(f"k{fresh()}", "counter")
    line = command(f"r {number}", do, at="2023-03-02T10:00:00+09:00", channel="counter", card=number)
    assert town.post(line, key)[1]["outcome"] == "accepted"
    assert f"Bring the slip and papers that show who you are; to pay then: {due}." in hanako.look(f"/member/cards/{number}")


def test_before_applying_the_page_says_what_it_brings(town, autumn):
    """FAQ: 5,000 points for 20,000 yen, 25 % of less, 7,500 for each of the others; what counts and what does not, also that only charges after applying count. Not when it is over."""
    hanako, number = town.holder("smart")
    text = hanako.look(f"/member/cards/{number}/myna")
    assert "5,000 points for ¥20,000 topped up by Sat 30 September 2023. If it is less, 25 % of it: 2,500 points for ¥10,000" in text
    assert text.count("7,500 points once the procedure is done, by Sat 30 September 2023") == 2
    assert "around day 18 of the month after" in text
    for rule in ("MYN-1", "MYN-2"):
        assert f"({rule})" in text
    taro, late = autumn.holder("smart")
    assert "What it brings" not in taro.look(f"/member/cards/{late}/myna")


def test_what_is_short_comes_with_its_arithmetic(town):
    """12,000 yen counted: 25 % of them are 3,000 points."""
    hanako, number = town.holder("smart")
    town.apply(number)
    text = hanako.look(f"/member/cards/{number}/myna")
    assert "¥12,000 × 25%" in text
    assert "25 % of what counted comes as points instead" in text


def test_another_card_than_the_one_applied_with_is_the_enquiry_lines(town):
    """MYN-17, where it is looked for: at the application and at a lost card that is not reissued; not before applying."""
    hanako, number = town.holder("anonymous")
    line = "Please ask the enquiry line (06-6966-7297), open until Tue 31 October 2023"
    assert line not in hanako.look(f"/member/cards/{number}/lost")
    key = town.key(f"k{fresh()}", "ticket-machine,myna-point")
    for do, channel, more in (("register_for_points", "ticket-machine", {}), ("apply_myna_point", "myna-point", {"person": f"p-{number}", "measures": [1]})):
        at = "2023-03-01T10:00:00+09:00" if do == "register_for_points" else "2023-03-02T10:00:00+09:00"
        assert town.post(command(f"{do} {number}", do, at=at, channel=channel, card=number, **more), key)[1]["outcome"] == "accepted"
    for page in ("myna", "lost"):
        assert line in hanako.look(f"/member/cards/{number}/{page}"), page


@pytest.mark.parametrize(("kind", "rules", "left"), [("anonymous", ["CHG-1", "CHG-7", "PUB-3", "PUB-1"], False), ("smart", ["CHG-2", "CHG-3", "CHG-4", "CHG-5"], True), ("mobile", ["CHG-6"], False)])
def test_how_a_card_is_charged_stands_on_its_page(town, kind, rules, left):
    """GUIDE: cash, quick charge, the app; of a SMART card what is left of the day and month."""
    hanako, number = town.holder(kind)
    text = hanako.look(f"/member/cards/{number}")
    for rule in rules:
        assert f"({rule})" in text
    assert ("Quick charges left: ¥20,000 today, ¥40,000 this month." in text) == left


def test_by_when_to_register_is_said(town):
    """FAQ: online by 18:59 on 29 September, and at a station machine on that day, to apply on the 30th."""
    hanako, number = town.holder("named")
    said = "To apply by Sat 30 September 2023, register by Fri 29 September 2023 18:59 here or in the WESTER app, or by Fri 29 September 2023 at a station ticket machine."
    assert said in hanako.look(f"/member/cards/{number}/points")


def test_the_history_under_the_number_before_is_a_step_away(town):
    """Lost on 1 March, collected on the 2nd: the new number's history leads to the old one's; the old one's Myna Point leads to the new."""
    hanako, number = town.holder("named")
    key, new = town.key(f"k{fresh()}", "counter"), f"JW{fresh():015d}"
    lines = [
        command(f"l {number}", "report_lost", at="2023-03-01T10:00:00+09:00", channel="counter", card=number),
        command(f"c {number}", "collect_reissue", at="2023-03-02T10:00:00+09:00", channel="counter", slip=f"S{number[2:]}-1", card=new, paid=1020),
    ]  # fmt: skip
    assert [town.post(line, key)[1]["outcome"] for line in lines] == ["accepted"] * 2
    assert f"What was done under the number before it: …{number[-4:]}" in hanako.look(f"/member/cards/{new}/history")
    assert f"/member/cards/{number}/history" in links(hanako)
    assert "the number before" not in hanako.look(f"/member/cards/{number}/history")
    assert "reported lost" in hanako.look(f"/member/cards/{number}/history")
    text = hanako.look(f"/member/cards/{number}/myna")
    assert f"/member/cards/{new}/myna" in links(hanako)
    assert "not been applied for" not in text


def test_a_new_password_needs_a_name_or_a_card(town):
    """Neither filled in: which of them is missing, and for which code; not that a date or figure is wrong."""
    one = Browser(town)
    one.look("/member/recover")
    text = one.press("Change the password", code="ABCD", password="a long enough sentence")
    assert "Fill in the sign-in name (with a recovery code) or the card number (with a code from a counter)." in text


def test_a_child_card_says_whose_fares_it_pays(town):
    """FAQ: a child card rides at child fares; every other card of a child at an adult's."""
    hanako, number = town.member(), town.sell("child", born="2013-05-05")
    hanako.look("/member/add")
    hanako.press("Add this card", card=number, **{name: town.holders[number][name] for name in ("kana", "born", "phone")})
    assert "A child card rides at child fares" in hanako.look(f"/member/cards/{number}")
    taro, other = town.holder("named")
    assert "child fares" not in taro.look(f"/member/cards/{other}")


def test_points_that_came_stand_in_the_history(autumn):
    """A grant moves no yen: its line says the points, not ¥0."""
    hanako, number = autumn.holder("smart")
    autumn.grant_points(number)
    assert "points granted back office +7,500 points" in hanako.look(f"/member/cards/{number}/history")


def test_without_the_number_of_a_lost_card(town):
    """Before signing in, and where the number is asked for: by phone or at a counter, and what it costs."""
    hanako = Browser(town)
    for one in (hanako, town.member()):
        said = one.look("/member/add")  # who has not signed in is asked to
        assert "Report it by phone or at a counter; a new card for one with a name costs ¥1,020." in said


def test_what_was_recorded_as_a_case_says_what_its_number_is_for(town):
    """A card in somebody else's name: the ministry decides, so the button records it, and does not apply."""
    hanako, number = town.holder("smart")
    hanako.look(f"/member/cards/{number}/apply")
    text = hanako.press("Go on", person=f"key-{number}", measure_1="yes", other_name="yes")
    assert "Please ask the Ministry of Internal Affairs and Communications" in text
    text = hanako.press("Have it recorded")
    assert "Decided by the ministry" in text
    assert "With this number you can ask at a counter or by phone how it stands." in text
    case = re.search(r"C\d{15}-\w+", text)[0]
    waits = f"the ministry decides on your application for Myna Point (case {case})."
    for page in ("/member", f"/member/cards/{number}"):
        assert waits in hanako.look(page), page
    operator = town.at("operations", "operator")
    operator.look(f"/operations/cases/{case}")
    operator.press("Record: they decline it", why="not in this name")
    assert waits not in hanako.look(f"/member/cards/{number}")


def test_another_card_is_asked_for_on_the_page(town):
    """MYN-8 refuses a second card and leads to who looks into another one; a card of one's own is chosen there, and the enquiry line decides (MYN-17)."""
    hanako, applied = town.holder("smart")
    town.apply(applied)
    other = town.sell("smart")
    hanako.look("/member/add")
    hanako.press("Add this card", card=other, **{name: town.holders[other][name] for name in ("kana", "born", "phone")})
    hanako.look(f"/member/cards/{other}/apply")
    text = hanako.press("Go on", person=f"p-{applied}", measure_3="yes")
    assert "This person has applied with another ICOCA" in text
    assert "if it was lost or has expired, ask whether another one can take its place" in text
    assert f'href="/member/change?card={other}"' in hanako.text
    assert "/member/change" in links(hanako) | (hanako.look(f"/member/cards/{applied}/myna") and links(hanako))
    text = hanako.look(f"/member/change?card={other}")
    assert "Please ask the enquiry line (06-6966-7297), open until Tue 31 October 2023" in text
    assert f'<option value="{other}" selected>' in hanako.text
    text = hanako.press("Ask for it", card=other, person="123456789012")
    assert "looks like an individual number" in text
    assert f'<option value="{other}" selected>' in hanako.text
    text = hanako.press("Ask for it", card=other, person=f"p-{applied}")
    assert "Decided by the enquiry line" in text
    assert re.search(rf"C{other[2:]}-\w+", text)
    taro = town.member()
    assert "There is no other card of yours here that can be used: one that has not been applied with itself. Add a card" in taro.look("/member/change")
    assert taro.send("POST", "/member/change", {"csrf": taro.csrf(), "id": "x", "card": other, "person": "p"})[0] == 403
    assert decided(town, other) == ["issue", "change_applied_card"], "asked once, by whose card it is"


@pytest.mark.parametrize(("then", "open_until"), [("2023-10-31T23:00:00+09:00", True), ("2023-11-01T00:00:00+09:00", False)])
def test_another_card_is_asked_for_until_the_end_of_october(tmp_path, then, open_until):
    """FAQ: the enquiry line took such questions until 31 October 2023. From the next day on the page says so, and asks nothing."""
    late = Visited(f"sqlite:///{tmp_path}/late.db", "--clock", then)
    try:
        hanako, number = late.holder("smart")
        text = hanako.look("/member/change")
        assert ("open until Tue 31 October 2023" in text) == open_until
        assert ("Ask for it" in text) == open_until
        assert (f'value="{number}"' in hanako.text) == open_until
    finally:
        assert late.stop() == 0


def test_a_form_is_asked_for_once(town):
    """RFD-4: its number stands where one would ask again, until the card is refunded."""
    hanako, number = town.holder("smart")
    at = f"/member/cards/{number}/refund"
    assert "asked for already" not in hanako.look(at)
    hanako.press("Ask for the form")
    text = hanako.look(at)
    assert f"The form was asked for already; its number is F{number[2:]}-1." in text
    assert "Ask for another form" in text


def test_what_was_left_out_is_not_said_to_be_no_day(town):
    """A measure applied for with another service, and no day: it is missing."""
    hanako, number = town.holder("smart")
    hanako.look(f"/member/cards/{number}/apply")
    text = hanako.press("Go on", person=f"key-{number}", measure_1="yes", other_measure="2")
    assert "This is missing" in text
    assert "There is no such day" not in text


@pytest.mark.parametrize("write", ["{n:015d}", "jw{n:015d}", "JW {n:015d}", "JW-{n:015d}", "JW\u3000{n:015d}"])
def test_a_cards_number_is_read_as_it_was_meant(town, write):
    """Without JW, small, with gaps of either width or hyphens: as at the counter."""
    hanako, number = town.member(), town.sell("named")
    said = {name: town.holders[number][name] for name in ("kana", "born", "phone")}
    hanako.look("/member/add")
    hanako.press("Add this card", card=write.format(n=int(number[2:])), **said)
    assert hanako.path == f"/member/cards/{number}"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_was_filled_in_wrongly_is_said_in_words_of_the_page(town, language):
    """✕ the field's name, and what to do: nothing of fields' names in the API, bits or lists."""
    t = Language(language).word
    hanako, number = town.holder("smart", language)
    hanako.look("/member/add")
    text = hanako.press(t("add.do"), card=number, kana="ア", born="1987-02-31", phone="1")
    assert f"✕ {t('field.holder.born')}: {t('wrong')} {t('says.want-date')}" in text
    hanako.look(f"/member/cards/{number}/apply")
    for filled, field, said in (
        ({}, "measures", "want-choices"),
        ({"measure_1": "yes", "round_1": "icoca-open", "round_1_counted": "many"}, "history.round_1_counted", "want-whole-yen"),
        ({"measure_1": "yes", "person": "123456789012"}, "person", "individual-number"),
        ({"measure_1": "yes", "other_measure": "1", "other_applied_on": "2022-02-31"}, "history.other_service.applied_on", "want-date"),
    ):
        text = hanako.press(t("apply.go_on"), **{"person": f"key-{number}"} | filled)
        assert f"✕ {t(f'field.{field}')}: {t('wrong')} {t(f'says.{said}')}" in text
        for raw in ("YYYY", "64", "measures must", "measuresは", "person:", "personは", "history.", "/docs"):
            assert raw not in plain(hanako.text.split("<main")[1]).replace(f"…{number[-4:]}", "")


# -- the site ------------------------------------------------------------------------------------


def test_another_sites_form_does_nothing(town):
    """No token, another's token, another origin, another site: 403 and a sentence; nothing is decided."""
    (hanako, number), (taro, _) = town.holder("named"), town.holder("named")
    hanako.look(f"/member/cards/{number}/lost")
    taro.look("/member/account")
    token = re.search(r'name="csrf" value="(\w+)"', hanako.text)[1]
    others = re.search(r'name="csrf" value="(\w+)"', taro.text)[1]
    path, good = f"/member/cards/{number}/lost", {"id": "x", "csrf": token}
    for form, headers in (
        ({"id": "x"}, {}), ({"id": "x", "csrf": others}, {}), ({"id": "x", "csrf": "é"}, {}),
        (good, {"Origin": "https://evil.example"}), (good, {"Sec-Fetch-Site": "cross-site"}), (good, {"Sec-Fetch-Site": "same-site"}),
    ):  # fmt: skip
        status, _, text = hanako.send("POST", path, form, **headers)
        assert status == 403
        assert "one of our own pages" in text
    assert decided(town, number) == ["issue"]
    assert hanako.send("POST", path, good, Origin=f"http://127.0.0.1:{town.port}")[0] == 303
    status, _, _ = Browser(town).send("POST", "/member/sign-in", {"login": "x", "password": "y"}, Origin="https://evil.example")
    assert status == 403


def test_what_browsers_are_told_to_keep_to(town):
    """Our own style, script and forms and nothing else; nobody frames it; nothing is cached; a session's cookie is no script's business."""
    hanako, _ = town.holder("named")
    for path in ("/member", "/member/sign-in", "/member/nowhere"):
        _, headers, text = hanako.send("GET", path)
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert not re.search(r"https?://", text.replace("http://www.w3.org", "")), "no other host"
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script>", text), "nothing that the policy would stop"
    _, headers, _ = Browser(town).send("POST", "/member/sign-in", {"login": hanako.login, "password": WORD})
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]
    assert "Max-Age" not in headers["set-cookie"]


def test_a_member_looks_no_faster_than_his_rate(tmp_path):
    """Ten pages a second; then a page that says so, and when to look again."""
    served = Visited(f"sqlite:///{tmp_path}/s.db", "--limit", "member_rate=5")
    try:
        one = served.member()
        got = [one.send("GET", "/member/add") for _ in range(30)]
        assert [status for status, _, _ in got[:3]] == [200] * 3
        slowed = [text for status, _, text in got if status == 429]
        assert len(slowed) > 5
        assert "That was too fast. → Wait 1 s and try again." in plain(slowed[0])
    finally:
        assert served.stop() == 0, served.said


def test_behind_tls_a_cookie_travels_over_nothing_else(tmp_path):
    """Secure, and bound to this host by its name."""
    served = Town(f"sqlite:///{tmp_path}/s.db", "--behind-tls")
    try:
        browser = Browser(served)
        form = {"login": "hanako@example.com", "password": WORD}
        assert browser.send("POST", "/member/enrol", form)[0] == 200
        _, headers, _ = browser.send("POST", "/member/sign-in", form)
        assert headers["set-cookie"].startswith("__Host-member=fm_")
        assert headers["set-cookie"].endswith("; Secure")
        assert browser.send("GET", "/member")[0] == 200
    finally:
        assert served.stop() == 0, served.said


def test_files_of_ours_are_fetched_once(town):
    """Under a name with their hash, kept for ever; the style sheet and script are small."""
    browser = Browser(town)
    browser.look("/member/sign-in")
    found = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', browser.text))
    assert len(found) == 3
    for path in found:
        status, headers, body = browser.send("GET", path)
        assert status == 200
        assert "immutable" in headers["cache-control"]
        assert len(body) < 30_000
    assert browser.send("GET", "/assets/../site.py")[0] == 404
    assert browser.send("GET", "/assets/nothing.css")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "form", "status"),
    [
        ("GET", "/member/nowhere", None, 404), ("POST", "/member", {}, 405), ("GET", "/member/sign-out", None, 405),
        ("POST", "/member/nowhere", {}, 404), ("PUT", "/member", None, 405), ("GET", "/memberx", None, 404), ("HEAD", "/member/sign-in", None, 200),
    ],
)  # fmt: skip
def test_an_address_that_is_none_says_so(town, method, path, form, status):
    """In a page, with the way back to the start."""
    got, _, text = Browser(town).send(method, path, form)
    assert got == status
    if path.startswith("/member/") and status != 200:
        assert "Back to the start" in text


def test_what_is_no_form_is_refused(town):
    """Another kind of body, one that is too large, one that is no text, a cookie that is none."""
    browser = Browser(town)
    assert browser.send("POST", "/member/sign-in", {}, **{"Content-Type": "application/json"})[0] == 415
    assert browser.send("POST", "/member/sign-in", {"login": "x" * 70_000})[0] == 413
    assert browser.send("POST", "/member/sign-in", {str(n): "x" for n in range(200)})[0] == 400
    assert browser.send("GET", "/member/sign-in?then=%ff")[0] == 400
    assert browser.send("GET", "/member/sign-in", Cookie="member=;;=,, ; =x")[0] == 200
    assert browser.send("GET", "/member", Cookie="member=fm_nobody")[0] == 303


def test_a_page_shows_what_people_typed_as_text(town):
    """Never as a part of the page."""
    browser = Browser(town)
    browser.look("/member/sign-in")
    browser.press("Sign in", login="<script>alert(1)</script>\"'", password="x")
    assert "<script>alert" not in browser.text
    assert "&lt;script&gt;" in browser.text


def test_a_clock_that_is_none_is_told(tmp_path):
    """It names the option."""
    done = farecard("--store", f"sqlite:///{tmp_path}/s.db", "serve", "--clock", "yesterday", check=False)
    assert done.returncode == 2
    assert b"--clock" in done.stderr


def test_every_window_is_listed():
    """Each has pages, each page a method, a path of its window and a way to show it."""
    for window, (_, pages, *_more) in WINDOWS.items():
        assert all(path == window or path.startswith(f"{window}/") for _, path, _ in pages)
        assert len({(method, path) for method, path, _ in pages}) == len(pages)


# -- addresses and failures ----------------------------------------------------------------------


def test_an_address_is_come_back_to_with_its_question(town):
    """Whoever is sent a link with a question behind it finds that page after signing in."""
    stranger, (hanako, number) = Browser(town), town.holder("named")
    town.buy(number, 680)
    stranger.look(f"/member/cards/{number}/history?kind=purchase")
    text = stranger.press("Sign in", login=hanako.login, password=WORD)
    assert stranger.path == f"/member/cards/{number}/history?kind=purchase"
    assert "−¥680" in text


@pytest.mark.parametrize("path", ["/member/cards/a%0d%0aX:1", "/member/sign-in?then=/member/a%0d%0aX:1", "/member/%E3%81%82"])
def test_a_line_break_in_an_address_ends_nothing(town, path):
    """It is answered, and no header has it."""
    status, headers, _ = Browser(town).send("GET", path)
    assert status in (200, 303, 404)
    assert "x" not in headers
    assert "\r" not in headers.get("location", "")


def test_after_another_language_one_is_where_one_was(town):
    """Also on what a form answered: back at the form, not at the window's start; an unknown language or theme is not taken."""
    hanako, number = town.holder("smart")
    hanako.look(f"/member/cards/{number}/apply")
    hanako.press("Go on", person="x", measure_1="yes")
    hanako.press("日本語")
    assert hanako.path == f"/member/cards/{number}/apply"
    assert "マイナポイントの申込み" in plain(hanako.text)
    form = {"csrf": hanako.csrf(), "back": "/member", "lang": "xx\r\nY", "theme": "pink"}
    status, headers, _ = hanako.send("POST", "/member/settings", form)
    assert (status, "set-cookie" in headers) == (303, False)


def test_our_own_fault_is_a_page_too(monkeypatch):
    """Whatever fails, a person gets a page in their language with a way on, and the log its place without words."""
    from farecard.pages import member

    async def broken(*_):
        raise RuntimeError("a secret that somebody typed")

    pages = [("GET", "/member/sign-in", broken), *member.WINDOW.pages]
    monkeypatch.setitem(WINDOWS, "/member", member.WINDOW._replace(pages=pages))
    failed = []
    app = SimpleNamespace(failed=lambda where, error: failed.append((where, type(error).__name__)), queue=None, speakers=None, clock=Clock())
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"path": "/member/sign-in", "method": "GET", "headers": [(b"accept-language", b"ja")], "query_string": b""}
    asyncio.run(site.Site(app, behind_tls=False)._page(app, scope, None, send))
    assert sent[0]["status"] == 500
    body = b"".join(one.get("body", b"") for one in sent).decode()
    assert "うまくいきませんでした" in body
    assert "secret" not in body
    assert failed == [("/member", "RuntimeError")]
