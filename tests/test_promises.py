"""What pages promise, held against what comes: nothing that would come too late, no more than fits, a decision of others to its end."""

import re

import pytest

from conftest import command
from farecard.pages.charts import MOST_PARTS, apart
from serving import Served
from stationed import Stationed
from town import DIGITS, HANAKO, fresh, opened
from visiting import Visited, plain

# the engines take turns: what is promised is said by pages, which both serve alike (tests/test_pages.py)


@pytest.fixture(scope="module", params=["sqlite"])
def march(request, tmp_path_factory):
    """A town on 3 March 2023."""
    yield from opened(Stationed, request, tmp_path_factory, "2023-03-03T09:00:00+09:00")


@pytest.fixture(scope="module", params=["postgresql"])
def october(request, tmp_path_factory):
    """A town on 5 October 2023."""
    yield from opened(Stationed, request, tmp_path_factory, "2023-10-05T09:00:00+09:00")


def clerk_of(town):
    one = town.at("counter", "clerk")
    one.look("/counter/shift")
    one.press("Open a shift", till=f"till-{fresh()}", brought="50000")
    return one


def child_with(town, expires):
    """A member with a child's card to a day, registered so long ago that it may be applied with."""
    one, number = town.member(), f"JW{fresh():015d}"
    holder = HANAKO | {"kana": "コドモ" + str(fresh()).translate(DIGITS), "born": "2015-04-02"}
    town.do("issue", "counter", "01-10 09:00", card=number, kind="child", paid=2000, holder=holder, expires=expires)
    town.do("register_for_points", "ticket-machine", "01-10 10:00", card=number)
    one.look("/member/add")
    one.press("Add this card", card=number, **{name: holder[name] for name in ("kana", "born", "phone")})
    return one, number


# -- a card that expires -------------------------------------------------------------------------


def test_a_card_that_expires_too_soon_is_promised_nothing(march):
    """FAQ (MYN-15): a child's card to 31 March. What is ready from 1 March on comes on 18 April, after it: no offer, no step to take, and whoever applies all the same (a stamp is one) is told."""
    child, number = child_with(march, "2023-03-31")
    too_late = "The card is good to Fri 31 March 2023; points that would come after that are not granted."
    for page in ("myna", "apply"):
        text = child.look(f"/member/cards/{number}/{page}")
        assert too_late in text, page
        for promise in ("What it brings", "5,000 points", "7,500 points", "One may apply until", "28 February"):
            assert promise not in text, (page, promise)
    text = child.press("Go on", person=f"key-{number}", measure_1="yes")
    assert too_late in text
    clerk = clerk_of(march)
    text = clerk.look(f"/counter/cards/{number}")
    assert too_late in text
    assert "One may apply until" not in text
    assert too_late in clerk.look(f"/counter/cards/{number}/myna")
    assert too_late in clerk.press("Go on", person=f"key-{number}", measure_1="yes")


def test_a_card_that_expires_later_has_its_own_last_days(march):
    """To 30 June: what is ready by 31 May comes on 18 June. So one applies by then, tops up 20,000 yen by then, and there is no share at the end of September."""
    child, number = child_with(march, "2023-06-30")
    text = child.look(f"/member/cards/{number}/myna")
    assert "One may apply until Wed 31 May 2023" in text
    assert "5,000 points for ¥20,000 topped up by Wed 31 May 2023." in text
    assert "If it is less" not in text
    assert "by Sat 30 September 2023" not in text
    march.do("apply_myna_point", "myna-point", "03-02 09:00", card=number, person=f"p-{number}", measures=[2])
    text = child.look(f"/member/cards/{number}/myna")
    assert "Register the insurance card at Mynaportal next · by Wed 31 May 2023" in text
    assert "by Wed 31 May 2023" in clerk_of(march).look(f"/counter/cards/{number}").split("Measure 2")[1]


def test_what_nobody_did_in_time_is_not_laid_to_the_card(october):
    """A child's card to 31 October: the points of September would come on 18 October, in time. Nothing topped up and nothing confirmed by 30 September is MYN-4 and MYN-18, as for every card; a run counts it so, too."""
    child, number = child_with(october, "2023-10-31")
    october.do("apply_myna_point", "myna-point", "03-02 09:00", card=number, person=f"p-{number}", measures=[1, 2])
    text = child.look(f"/member/cards/{number}/myna")
    assert "MYN-15" not in text
    for rule in ("MYN-4", "MYN-18"):
        assert f"Rule {rule}" in text
    operator = october.at("operations", "operator")
    operator.look("/operations/grants/2023-10")
    operator.press("Count now")
    assert not re.search(r"expires before the grant", plain(operator.text))


# -- points --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("balance", "said"), [(12_500, "Charge up to 7,500 of them"), (12_510, "Charge up to 7,490 of them"), (20_000, "now none of them can be"), (19_995, "now none of them can be"), (19_990, "Charge up to 10 of them")])
def test_no_more_points_are_offered_than_fit(october, balance, said):
    """PUB-1: the balance goes to 20,000 yen, in tens of points (WST-5). At the machine the same card takes just as many."""
    hanako, number = october.holder("smart")
    october.grant_points(number)
    october.top_up(number, 10_000, "10-04 10:00")
    october.spend(number, 1_500, "10-04 11:00")
    october.top_up(number, 10_000, "10-04 12:00")
    if balance < 20_000:
        october.spend(number, 20_000 - balance, "10-04 13:00")
    assert f"¥{balance:,}" in hanako.look(f"/member/cards/{number}")
    text = hanako.look(f"/member/cards/{number}/points")
    assert said in text.split("On the card")[1], "under a heading of its own, not under the last measure's"
    assert text.count("measure 1 (topping up)") == 1, "and each measure's heading once"


def test_points_granted_before_their_day_are_not_said_to_have_come_on_it(october):
    """A run on 5 October for what is due on the 18th: they are there, and no day that is still to come stands for it."""
    hanako, number = october.holder("smart")
    october.do("apply_myna_point", "myna-point", "09-02 09:00", card=number, person=f"p-{number}", measures=[2])
    october.do("confirm_insurance_card", "myna-point", "09-05 09:00", person=f"p-{number}")
    assert "around Wed 18 October 2023" in hanako.look(f"/member/cards/{number}/myna")
    october.do("run_grants", "operations", "10-05 08:00", month="2023-10")
    text = hanako.look(f"/member/cards/{number}/myna")
    assert "7,500 points" in text
    assert "18 October" not in text


def test_a_share_is_told_by_its_own_rule(october):
    """MYN-4, not MYN-3: 8,000 yen by the end of September are 2,000 points in October."""
    hanako, number = october.holder("smart")
    october.do("apply_myna_point", "myna-point", "03-02 09:00", card=number, person=f"p-{number}", measures=[1])
    october.top_up(number, 8_000, "03-03 09:00")
    text = hanako.look(f"/member/cards/{number}/points")
    assert "2,000 points" in text
    assert "Rule MYN-4" in text
    assert "Rule MYN-3" not in text


def test_the_points_of_a_card_are_the_lines_of_its_history_that_moved_some(october):
    """Granted under the first number, charged under the second: each number's list is what its history says of points, without its rides and purchases."""
    hanako, number = october.holder("named")
    new = f"JW{fresh():015d}"
    october.do("register_for_points", "ticket-machine", "03-01 10:00", card=number)
    october.grant_points(number)
    october.spend(number, 300, "04-20 12:00")
    october.do("report_lost", "counter", "04-21 10:00", card=number)
    october.do("collect_reissue", "counter", "04-22 10:00", slip=f"S{number[2:]}-1", card=new, paid=1020)
    october.do("top_up_from_points", "ticket-machine", "04-23 10:00", card=new, points=500)
    october.spend(new, 200, "04-24 12:00")
    for one, moved in ((number, [7_500]), (new, [-500])):
        history, points = ([line.split(",") for line in hanako.send("GET", f"/member/cards/{one}/{name}.csv")[2].splitlines()[1:]] for name in ("history", "points"))
        assert [int(line[-1]) for line in points] == moved
        assert [line[0] for line in points] == [line[0] for line in history if line[-1] != "0"]


@pytest.mark.parametrize(("then", "warned", "promised"), [("2023-09-29T18:30:00+09:00", False, True), ("2023-09-29T19:30:00+09:00", True, False), ("2023-09-30T09:00:00+09:00", False, False)])
def test_registering_online_does_not_take_the_last_way_from_anybody(tmp_path, then, warned, promised):
    """FAQ (WST-2): on 29 September from 19:00 registering online counts from 1 October, at a machine from the 30th; the first registration stands (WST-1). So the page says where, and its button is not the first thing there."""
    town = Visited(f"sqlite:///{tmp_path}/store.db", "--clock", then)
    try:
        hanako, number = town.holder("named")
        text = hanako.look(f"/member/cards/{number}/points")
        assert ("register it today at a station ticket machine, not here" in text) == warned
        assert ("You may apply for Myna Point from Sat 30 September 2023" in text) == promised
        assert ('class="main">Register' in hanako.text) != warned
        text = clerk_of(town).look(f"/counter/cards/{number}")
        assert ("it must be done today, at a ticket machine" in text) == warned
        assert ("on its member page by Fri 29 September 2023 18:59" in text) == promised
    finally:
        assert town.stop() == 0


# -- what others decide --------------------------------------------------------------------------


def asked(town):
    """A member who asked for another card than the one applied with (MYN-17); gives the case, too."""
    hanako, applied = town.holder("smart")
    town.do("apply_myna_point", "myna-point", "03-02 09:00", card=applied, person=f"p-{applied}", measures=[1])
    other = town.sell("smart")
    hanako.look("/member/add")
    hanako.press("Add this card", card=other, **{name: town.holders[other][name] for name in ("kana", "born", "phone")})
    hanako.look("/member/change")
    assert f'<option value="{applied}"' not in hanako.text, "not the card itself that was applied with"
    text = hanako.press("Ask for it", card=other, person=f"p-{applied}")
    return hanako, other, re.search(r"C\d{15}-\w+", text)[0]


@pytest.mark.parametrize(("button", "said"), [("they grant it", "On Fri 3 March 2023 the enquiry line granted another card for your application"), ("they decline it", "On Fri 3 March 2023 the enquiry line declined another card for your application")])
def test_what_the_enquiry_line_answered_is_told_on_the_members_page(march, button, said):
    """While it decides, its number and last day stand there; then its answer. The counter promises no procedure that it does not have."""
    hanako, number, case = asked(march)
    waits = f"the enquiry line decides on another card for your application (case {case}). Please ask the enquiry line (06-6966-7297), open until Tue 31 October 2023"
    assert waits in hanako.look("/member")
    operator = march.at("operations", "operator")
    text = operator.look(f"/operations/cases/{case}")
    assert "Whoever asked sees the answer on the member's page" in text
    assert "sends the same again" not in text
    operator.press(f"Record: {button}", why="asked by phone on 3 March")
    text = hanako.look(f"/member/cards/{number}")
    assert said in text
    assert "decides on" not in text
    assert "asked by phone" not in text, "what people here wrote is theirs"
    counter = clerk_of(march).look(f"/counter/cases/{case}")
    assert "do it now, with the case's number" not in counter
    assert ("the enquiry line says what follows" in counter) == ("grant" in button)


def test_an_enquiry_that_nobody_answered_is_over_with_the_line(tmp_path):
    """Asked on 30 October, looked at on 5 November: the line has closed (MYN-17), so nobody is sent to it, at no window."""
    url = f"sqlite:///{tmp_path}/store.db"
    town = Stationed(url, "--clock", "2023-10-30T09:00:00+09:00")
    try:
        hanako, number, case = asked(town)
        clerk = clerk_of(town)
        assert "open until Tue 31 October 2023" in clerk.look(f"/counter/cases/{case}")
    finally:
        assert town.stop() == 0
    later = Served(url, "--clock", "2023-11-05T09:00:00+09:00")
    try:
        hanako.served = clerk.served = later
        for text in (hanako.look(f"/member/cards/{number}"), clerk.look(f"/counter/cases/{case}")):
            assert "The enquiry line closed on Tue 31 October 2023" in text
            assert "open until" not in text
            assert "06-6966-7297" not in text
        assert f"Nobody decided in time on another card for your application (case {case})" in hanako.look("/member")
    finally:
        assert later.stop() == 0


def test_the_same_is_not_asked_of_others_twice(march):
    """Pressed from another page of the form it leads to the case that waits: one member cannot bury everybody else's."""
    hanako, number, case = asked(march)
    for _ in range(3):
        hanako.look("/member/change")
        text = hanako.press("Ask for it", card=number, person="somebody-else")
        assert hanako.path == f"/member/cards/{number}#waits"
        assert f"(case {case})" in text
    assert text.count("decides on") == 1
    operator = march.at("operations", "operator")
    operator.look("/operations/cases?refer_to=enquiry-line")
    assert len(set(re.findall(rf"C{number[2:]}-\w+", operator.text))) == 1


def test_another_question_is_another_case(march):
    """In somebody else's name it is the ministry's (MYN-14). Corrected to one's own name, and with another service before, it is the programme's office's (MYN-13): recorded beside it, for a grant of the one does not hold for the other."""
    hanako, number = march.holder("smart")
    answers = {"person": f"key-{number}", "measure_1": "yes"}
    for more, place in (({"other_name": "yes"}, "the ministry"), ({"other_measure": "2", "other_applied_on": "2022-06-01"}, "the programme's office")):
        hanako.look(f"/member/cards/{number}/apply")
        hanako.press("Go on", **answers, **more)
        assert f"Decided by {place}" in hanako.press("Have it recorded")
        assert f"{place} decides on your application for Myna Point" in hanako.look(f"/member/cards/{number}")
    assert hanako.look(f"/member/cards/{number}").count("decides on") == 2


def test_a_case_is_the_cards_and_nobody_elses(march):
    """A sale of this number to somebody else, which was left to the supervisor (CARD-4), is nothing to whoever bought it then."""
    first = march.sell("named")
    number = f"JW{fresh():015d}"
    march_said = {**march.holders[first], "phone": "080-0000-0001"}
    line = command(f"refer {number}", "issue", at="2023-03-02T09:00:00+09:00", channel="counter", card=number, kind="named", paid=2000, holder=march_said)
    referred = march.post(line, march.desk)[1]
    assert referred["outcome"] == "referred"
    holder = HANAKO | {"kana": "カイテ" + str(fresh()).translate(DIGITS)}
    march.do("issue", "counter", "03-02 10:00", card=number, kind="named", paid=2000, holder=holder)
    taro = march.member()
    taro.look("/member/add")
    taro.press("Add this card", card=number, **{name: holder[name] for name in ("kana", "born", "phone")})
    for page in ("/member", f"/member/cards/{number}"):
        text = taro.look(page)
        assert referred["case"] not in text
        assert "decides on" not in text


def test_a_case_goes_on_with_the_new_card(march):
    """Granted, then lost and collected: told on the new card's page, where it can be used, and no more on the old one's; the counter leads to the new card."""
    hanako, number = march.holder("smart")
    new = f"JW{fresh():015d}"
    line = command(f"apply {number}", "apply_myna_point", at="2023-03-01T10:00:00+09:00", channel="myna-point", card=number, person=f"key-{number}", measures=[1], own_name=False)
    case = march.post(line, march.hand)[1]["case"]
    march.do("resolve_case", "operations", "03-01 11:00", case=case, decision="granted", why="a guardian")
    assert case in hanako.look(f"/member/cards/{number}")
    march.do("report_lost", "counter", "03-01 12:00", card=number)
    march.do("collect_reissue", "counter", "03-02 10:00", slip=f"S{number[2:]}-1", card=new, paid=1020)
    assert f"Take the case's number, {case}, to a counter" in hanako.look(f"/member/cards/{new}")
    assert case not in hanako.look(f"/member/cards/{number}")
    clerk = clerk_of(march)
    clerk.look(f"/counter/cases/{case}")
    assert f'href="/counter/cards/{new}/myna?case={case}"' in clerk.text


def test_what_was_granted_is_told_until_it_is_done(march):
    """MYN-14: in somebody else's name, the ministry agrees. A counter does it with the case's number; done, nothing is left to say."""
    hanako, number = march.holder("smart")
    hanako.look(f"/member/cards/{number}/apply")
    hanako.press("Go on", person=f"key-{number}", measure_1="yes", other_name="yes")
    case = re.search(r"C\d{15}-\w+", hanako.press("Have it recorded"))[0]
    operator = march.at("operations", "operator")
    operator.look(f"/operations/cases/{case}")
    operator.press("Record: they grant it", why="a guardian")
    assert f"Take the case's number, {case}, to a counter" in hanako.look(f"/member/cards/{number}")
    clerk = clerk_of(march)
    clerk.look(f"/counter/cards/{number}/myna?case={case}")
    clerk.press("Go on", person=f"key-{number}", measure_1="yes", other_name="yes", case=case)
    assert "Applied for Myna Point" in clerk.press("Apply")
    assert case not in hanako.look(f"/member/cards/{number}")
    assert "since then the card has had it done" in clerk.look(f"/counter/cases/{case}")


def test_nothing_that_was_granted_is_promised_after_the_programme(october):
    """Granted on 5 October: applications ended on 30 September (MYN-18), so no counter does it, and the note goes after sixty days."""
    number = october.sell("smart")
    line = command(f"apply {number}", "apply_myna_point", at="2023-09-29T09:00:00+09:00", channel="myna-point", card=number, person=f"key-{number}", measures=[1], own_name=False)
    case = october.post(line, october.hand)[1]["case"]
    hanako = october.member()
    hanako.look("/member/add")
    hanako.press("Add this card", card=number, **{name: october.holders[number][name] for name in ("kana", "born", "phone")})
    assert "Nobody decided in time on your application for Myna Point" in hanako.look("/member")
    operator = october.at("operations", "operator")
    operator.look(f"/operations/cases/{case}")
    operator.press("Record: they grant it", why="they wrote back")
    text = hanako.look("/member")
    assert "but it was not entered in time" in text
    assert "This programme ended on Sat 30 September 2023" in text
    assert "Take the case's number" not in text
    counter = clerk_of(october).look(f"/counter/cases/{case}")
    assert "This programme ended on Sat 30 September 2023" in counter
    assert "do it now" not in counter


def test_points_of_an_expired_card_are_gone_and_of_a_stopped_one_wait(october):
    """CARD-8, MYN-15: no machine takes an expired card; those of a lost one go onto the new one (RIS-2)."""
    child, number = child_with(october, "2023-09-10")
    october.do("apply_myna_point", "myna-point", "03-02 09:00", card=number, person=f"p-{number}", measures=[2])
    october.do("confirm_insurance_card", "myna-point", "03-05 09:00", person=f"p-{number}")
    hanako, lost = october.holder("named")
    october.do("register_for_points", "ticket-machine", "03-01 10:00", card=lost)
    october.grant_points(lost)
    text = child.look(f"/member/cards/{number}/points")
    assert "The 7,500 points on the card can no longer be charged onto it: it expired on Sun 10 September 2023." in text
    assert "Charge up to" not in text
    hanako.look(f"/member/cards/{lost}/lost")
    hanako.press("Stop this card")
    text = hanako.look(f"/member/cards/{lost}/points")
    assert "They go onto the new one with the balance." in text
    assert "Charge up to" not in text


# -- small promises ------------------------------------------------------------------------------


def test_a_pass_of_another_company_is_exchanged_at_that_companys_counters(march):
    """RIS-4, also where a damaged card is spoken of."""
    hanako, number = march.member(), f"JW{fresh():015d}"
    holder = HANAKO | {"kana": "テイキ" + str(fresh()).translate(DIGITS)}
    key = march.key(f"hankyu-{fresh()}", "other-counter", company="Hankyu")
    section = {"from": "Osaka", "to": "Kyoto", "valid_from": "2023-03-01", "valid_until": "2023-08-31", "seller": "Hankyu"}
    line = command(f"sold {number}", "issue", at="2023-03-01T09:00:00+09:00", channel="other-counter", card=number, kind="commuter", paid=2_000, holder=holder, **{"pass": section})
    sold = march.post(line, key)[1]
    assert sold["outcome"] == "accepted", sold
    hanako.look("/member/add")
    hanako.press("Add this card", card=number, **{name: holder[name] for name in ("kana", "born", "phone")})
    assert "That is at Hankyu's counters only." in hanako.look(f"/member/cards/{number}").split("If the card is damaged")[1]
    taro, ours = march.holder("named")
    assert "That is at" not in taro.look(f"/member/cards/{ours}")


def test_before_any_list_there_is_none_to_be_missing_from(march):
    """Joined in March: no list is frozen before 21 July."""
    hanako, number = march.holder("smart")
    hanako.look(f"/member/cards/{number}/rally")
    hanako.press("Join")
    text = hanako.look(f"/member/cards/{number}/rally")
    assert "No list is frozen yet" in text
    assert "on no draw's list" not in text


def test_a_replaced_card_says_where_everything_went(march):
    """At the counter: not that nobody applied with it, nor until when one may."""
    number, new = march.sell("named"), f"JW{fresh():015d}"
    march.do("report_lost", "counter", "03-01 10:00", card=number)
    march.do("collect_reissue", "counter", "03-02 10:00", slip=f"S{number[2:]}-1", card=new, paid=1020)
    text = clerk_of(march).look(f"/counter/cards/{number}")
    assert text.count("It goes on with the new card.") == 2
    for no_more in ("Nobody has applied", "One may apply until", "It has not joined", "Not registered for points"):
        assert no_more not in text


def test_a_bar_of_very_many_parts_is_drawn_as_two():
    """More than can be told apart: one part for all that count, one for all others, as long as they were."""
    parts = MOST_PARTS + 1
    top_ups = [{"amount": 100, "counts": n % 2 == 0} for n in range(parts)]
    found = apart(top_ups, 20_000)
    assert [(one["counts"], part.x, part.amount) for one, part in found] == [(True, 0, 100 * (parts // 2 + 1)), (False, 0, 100 * (parts // 2))]
    assert len(apart(top_ups[:-1], 20_000)) == MOST_PARTS


