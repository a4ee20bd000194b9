"""Members over HTTP, on real servers: a number alone does nothing, proof does; and what helps whoever forgot the password."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import residents
from conftest import a_store, command
from farecard.access.roles import MEMBER_ROLE
from farecard.api.asking import OF_A_CARD
from farecard.api.examples import EXAMPLES
from farecard.model.commands import COMMANDS, name_of
from farecard.model.moments import iso_moment, moment_now
from residents import WORD
from serving import Served, eventually, head
from state import problems
from stolen import bytes_of, spellings

OTHER_WORD = "a blue umbrella in June"
HANAKO = {"name": "桜木花子", "kana": "サクラギハナコ", "born": "1987-06-05", "phone": "090-9876-5432"}
NOT_OF_MEMBERS = ("id", "at", "channel", "do", "card", "by", "place", "company")
DIGITS = str.maketrans("0123456789", "アイウエオカキクケコ")
ANYBODY = {"kana": "ア", "born": "2000-01-01", "phone": "1"}
NOBODYS = "JW000000000009999"
numbers = itertools.count(1)


class Town(Served):
    """A server with a counter and a ticket machine, and whoever lives there. ``proofs``: what each card's holder said."""

    def __init__(self, *words):
        super().__init__(*words)
        self.proofs = {}

    def say(self, path, body, key=None, method="POST"):
        status, _, answer = self.call(method, path, None if body is None else json.dumps(body).encode(), key)
        return status, json.loads(answer)

    def sell(self, kind):
        """A card's number; one with a name is of a Hanako of its own, since nobody has two (CARD-4)."""
        n = next(numbers)
        number = f"JW{n:015d}"
        more = {} if kind == "anonymous" else {"holder": HANAKO | {"kana": HANAKO["kana"] + str(n).translate(DIGITS)}}
        self.proofs[number] = {name: more["holder"][name] for name in ("kana", "born", "phone")} if more else ANYBODY
        where = "icoca-app" if kind == "mobile" else "counter"
        line = command(f"sold {number}", "issue", channel=where, card=number, kind=kind, paid=2000, **more)
        assert self.post(line, self.desk)[1]["outcome"] == "accepted"
        return number

    def enrol(self, login=None):
        """Somebody who has signed in."""
        person = Person()
        person.town, person.login = self, login or f"somebody-{next(numbers)}@example.com"
        person.id, person.codes = residents.enrolled(self.url, person.login)
        person.sign_in()
        return person


class Person:
    """A member."""

    def sign_in(self, password=WORD):
        status, said = self.town.say("/v1/members/sign-in", {"login": self.login, "password": password})
        assert status == 200, said
        self.token = said["token"]
        return said

    def say(self, path, body, method="POST"):
        return self.town.say(path, body, self.token, method)

    def ask(self, path):
        return self.town.get(path, self.token)

    def add(self, number, **proof):
        """Prove a card, as its holder where nothing else is said."""
        return self.say("/v1/members/cards", {"card": number, **(proof or self.town.proofs[number])})

    def send(self, do, number, at=None, channel="member-page", id=None, path="/v1/commands", **fields):
        """A command, at this moment where nothing else is said."""
        line = command(id or f"{do} {next(numbers)}", do, at=at or iso_moment(moment_now()), channel=channel, card=number, **fields)
        return self.town.post(line, self.token, path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request, tmp_path_factory):
    """One server of each engine for all tests; each test has people and cards of its own."""
    served = Town(a_store(request, tmp_path_factory.mktemp("town")), "--limit", "sign_ins=64", "--limit", "member_rate=1000")
    try:
        served.desk = served.key("desk", "counter,icoca-app", ask="cards,events,codes")
        served.machine = served.key("machine", "ticket-machine", ask="codes")
        yield served
    finally:
        assert served.stop() == 0, served.said
    assert problems(served.url) == []
    for word in (*HANAKO.values(), WORD, "@example.com", "fm_"):
        assert word not in served.said, "a log names nobody"


def code(answer):
    return answer[0], answer[1]["code"]


def events(town):
    """How many commands were decided."""
    return len(town.get("/v1/events?limit=10000", town.desk)[1]["events"])


# -- what a number alone never does --------------------------------------------------------------


def test_a_number_alone_shows_nothing(town):
    """Every question about a card that is somebody else's, or nobody's, or none: one answer."""
    somebody, number = town.enrol(), town.sell("named")
    for what in OF_A_CARD:
        for one in (number, NOBODYS):
            assert code(somebody.ask(f"/v1/cards/{one}{'/' if what else ''}{what}")) == (403, "not-your-card")


def test_a_number_alone_does_nothing(town):
    """Every command of the member's page about a card that is not one's own: refused at the window, nothing of it is decided, nor dry."""
    somebody, number, before = town.enrol(), town.sell("named"), events(town)
    for do in sorted(MEMBER_ROLE.only):
        fields = {name: value for name, value in EXAMPLES[do].items() if name not in NOT_OF_MEMBERS}
        if do == "join_membership":
            fields["member"] = somebody.id
        for one in (number, NOBODYS):
            assert code(somebody.send(do, one, **fields)) == (403, "not-your-card"), do
            assert code(somebody.send(do, one, path="/v1/commands?dry_run=true", **fields)) == (403, "not-your-card")
    assert events(town) == before
    assert town.get(f"/v1/cards/{number}", town.desk)[1]["card"]["state"] == "active"


def test_a_member_speaks_for_nobody_else(town):
    """Other commands, other channels, other ids, a journal, the office: no, even with a card of one's own."""
    somebody, number = town.enrol(), town.sell("named")
    assert somebody.add(number)[0] == 200
    for kind in COMMANDS:
        do = name_of(kind)
        line = EXAMPLES[do] | {"channel": "member-page"}
        if do not in MEMBER_ROLE.only:
            assert code(town.post(json.dumps(line).encode(), somebody.token)) == (403, "command-not-allowed"), do
    for channel in ("counter", "wester-app", "operations", "phone"):
        assert code(somebody.send("report_lost", number, channel=channel)) == (403, "channel-not-allowed")
    assert code(somebody.send("join_membership", number, member="M-OTHER")) == (403, "member-not-allowed")
    status, _, said = town.call("POST", "/v1/journal", b"{}\n", somebody.token, "application/x-ndjson")
    assert (status, json.loads(said)["code"]) == (403, "one-at-a-time")
    assert code(somebody.say("/v1/proposals", {"tariff": "x"})) == (403, "not-your-role")
    for path in ("/v1/trail", "/v1/proposals", "/v1/cases", "/v1/cases/C000000000000001-00000000", "/v1/trial-balance", "/v1/checkpoint"):
        assert code(somebody.ask(path)) == (403, "may-not-ask"), path
    assert code(somebody.say(f"/v1/cards/{number}/code", {"for": "owning", "channel": "counter"})) == (403, "may-not-ask")


def test_what_is_for_members_is_for_members(town):
    """Not for a key, nor for whoever has not signed in."""
    for method, path, body in (
        ("GET", "/v1/members/cards", None), ("POST", "/v1/members/cards", {"card": NOBODYS, "code": "x"}),
        ("DELETE", f"/v1/members/cards/{NOBODYS}", None), ("POST", "/v1/members/recovery-codes", {"password": "x"}),
        ("POST", "/v1/members/end", {"password": "x"}),
    ):  # fmt: skip
        assert code(town.say(path, body, town.desk, method)) == (403, "for-people"), path
        assert code(town.say(path, body, None, method)) == (401, "no-key"), path


# -- proof ---------------------------------------------------------------------------------------


def test_the_holder_stops_a_lost_card_from_home(town):
    """Enrol, prove, see, stop: the sender is the member, and a repeated request is the same decision."""
    hanako, number = town.enrol(), town.sell("named")
    assert code(hanako.add(number, **town.proofs[number] | {"phone": "1"})) == (403, "not-proven")
    status, said = hanako.add(number)
    assert (status, said["card"], said["kind"], said["how"]) == (200, number, "named", "holder")
    assert [one["card"] for one in hanako.ask("/v1/members/cards")[1]["cards"]] == [number]
    assert hanako.ask(f"/v1/cards/{number}")[1]["card"]["balance"] == 1500
    assert [one["do"] for one in hanako.ask(f"/v1/cards/{number}/history")[1]] == ["issue"]
    assert hanako.ask(f"/v1/cards/{number}/reissue-quote")[1]["due"] == 1020
    now = iso_moment(moment_now())
    status, lost = hanako.send("report_lost", number, id="lost", at=now)
    assert (status, lost["outcome"], lost["result"]["due"]) == (200, "accepted", 1020)
    assert hanako.send("report_lost", number, id="lost", at=now)[1]["repeated"] is True
    mine = hanako.ask("/v1/events")[1]["events"]
    assert [(one["sender"], one["do"]) for one in mine] == [(f"member:{hanako.id}", "report_lost")]
    assert hanako.ask(f"/v1/cards/{number}")[1]["card"]["state"] == "stopped"


def test_a_card_without_a_name_is_added_at_a_machine(town):
    """A code for whoever holds the card; the holder's words do nothing for it; another member with the card in his hand takes it over."""
    first, second, number = town.enrol(), town.enrol(), town.sell("anonymous")
    assert code(first.add(number)) == (403, "not-proven")
    given = {"for": "owning", "channel": "ticket-machine"}
    for person in (first, second):
        status, said = town.say(f"/v1/cards/{number}/code", given, town.machine)
        assert status == 200, said
        assert code(person.add(number, code="0000-0000")) == (403, "wrong-code")
        assert person.add(number, code=said["code"])[1]["how"] == "ticket-machine"
        assert person.ask(f"/v1/cards/{number}")[1]["card"]["balance"] == 1500
    assert code(first.ask(f"/v1/cards/{number}")) == (403, "not-your-card")
    assert first.ask("/v1/members/cards")[1]["cards"] == []


def test_who_may_give_a_code(town):
    """A place gives codes at its own channel; one with a name only a counter gives; a clerk does, an auditor does not."""
    number, plain = town.sell("named"), town.sell("anonymous")

    papers = {name: town.proofs[number][name] for name in ("kana", "born")}

    def ask(number, channel, key, purpose="owning", **said):
        return town.say(f"/v1/cards/{number}/code", {"for": purpose, "channel": channel, **said}, key)

    assert code(ask(number, "counter", town.key(f"no-codes-{number}", "counter"))) == (403, "may-not-ask")
    assert code(ask(number, "counter", town.machine)) == (403, "channel-not-allowed")
    assert code(ask(number, "counter", town.desk)) == (403, "papers-needed")
    assert code(ask(number, "counter", town.desk, kana="ア")) == (400, "bad-body")
    assert code(ask(number, "counter", town.desk, **papers | {"born": "1987-02-30"})) == (400, "bad-body")
    assert code(ask(number, "counter", town.desk, **papers | {"born": "1987-02-03"})) == (403, "not-the-holder")
    assert code(ask(number, "ticket-machine", town.machine)) == (403, "code-at-counter")
    assert code(ask(NOBODYS, "counter", town.desk)) == (404, "unknown-card")
    assert code(ask(plain, "counter", town.desk, "recovery")) == (403, "recovery-needs-name")
    assert code(ask(number, "counter", town.desk, "recovery", **papers)) == (404, "no-member")
    assert code(ask("JW1", "counter", town.desk)) == (400, "want-card-number")
    assert code(town.say(f"/v1/cards/{number}/code", {"for": "fun", "channel": "counter"}, town.desk)) == (400, "bad-body")
    for role, status in (("clerk", 200), ("operator", 403), ("approver", 403), ("auditor", 403)):
        name = f"{role}-{next(numbers)}"
        residents.hired(town.url, name, role)
        token = town.say("/v1/sign-in", {"name": name, "password": WORD})[1]["token"]
        assert ask(number, "counter", token, **papers)[0] == status, role
        assert town.say(f"/v1/cards/{number}/release", {"channel": "counter", **papers}, token)[0] == status, role
        assert code(town.say("/v1/members/cards", None, token, "GET")) == (403, "for-members")


def test_guesses_are_counted(town):
    """Five; then 429 with the seconds to wait, up to a day."""
    somebody, number = town.enrol(), town.sell("named")
    for _ in range(5):
        assert code(somebody.add(number, **town.proofs[number] | {"born": "1987-06-06"})) == (403, "not-proven")
    body = json.dumps({"card": number, **town.proofs[number]}).encode()
    status, headers, said = town.call("POST", "/v1/members/cards", body, somebody.token)
    assert (status, json.loads(said)["code"]) == (429, "too-many-guesses")
    assert 86_000 < int(headers["retry-after"]) <= 86_400


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        ({}, "a code, or kana, born and phone"),
        ({"code": "x", "kana": "ア"}, "a code, or kana, born and phone"),
        ({"kana": "ア", "born": "2000-01-01"}, "a code, or kana, born and phone"),
        ({"kana": "ア", "born": "2000-02-31", "phone": "1"}, "born: a day that exists"),
        ({"kana": "ア", "born": "x", "phone": "1"}, "born: a day that exists"),
        ({"code": ""}, "code"),
        ({"mail": "x"}, "mail"),
    ],
)
def test_a_proof_that_is_none_says_which_field(town, proof, why):
    """Before it counts as a guess."""
    somebody = town.enrol()
    for _ in range(6):
        status, said = somebody.say("/v1/members/cards", {"card": NOBODYS, **proof})
        assert (status, said["code"]) == (400, "bad-body")
        assert why in said["en"]


def test_a_card_that_is_given_up(town):
    """It is not one's own any more, at once."""
    hanako, number = town.enrol(), town.sell("named")
    hanako.add(number)
    assert hanako.say(f"/v1/members/cards/{number}", None, "DELETE") == (200, {"given_up": number})
    assert code(hanako.ask(f"/v1/cards/{number}")) == (403, "not-your-card")
    assert code(hanako.say(f"/v1/members/cards/{number}", None, "DELETE")) == (403, "not-your-card")
    assert code(hanako.say("/v1/members/cards/JW1", None, "DELETE")) == (400, "want-card-number")


def test_a_card_is_released_where_it_is_shown(town):
    """Somebody had it among his cards: whoever holds it ends that, and is told whether there was anything to end."""
    person, number = town.enrol(), town.sell("anonymous")
    given = town.say(f"/v1/cards/{number}/code", {"for": "owning", "channel": "ticket-machine"}, town.machine)[1]["code"]
    assert person.add(number, code=given)[0] == 200
    for was in (True, False):
        assert town.say(f"/v1/cards/{number}/release", {"channel": "ticket-machine"}, town.machine) == (200, {"released": was})
        assert code(person.ask(f"/v1/cards/{number}")) == (403, "not-your-card")


def test_money_is_paid_out_only_for_a_card_that_was_shown(town):
    """A phone's card that was added with words is seen and stopped, not refunded; with a code of the app it is."""
    person, number = town.enrol(), town.sell("mobile")
    assert person.add(number)[0] == 200
    assert code(person.send("refund", number)) == (403, "needs-code")
    given = town.say(f"/v1/cards/{number}/code", {"for": "owning", "channel": "icoca-app"}, town.desk)[1]["code"]
    assert person.add(number, code=given)[1]["how"] == "icoca-app"
    assert person.send("refund", number)[1]["outcome"] == "accepted"


def test_a_member_does_what_he_does_now(town):
    """A quarter of an hour behind is too late for a new command; one that was decided is answered at any time."""
    person, number = town.enrol(), town.sell("named")
    person.add(number)
    then = iso_moment(moment_now() - 20 * 60_000_000)
    assert code(person.send("join_rally", number, at=then)) == (403, "clock-behind")
    lately = iso_moment(moment_now() - 14 * 60_000_000)
    assert person.send("join_rally", number, at=lately)[0] == 200
    assert code(person.send("report_lost", number, at="2023-03-05T09:00:00+09:00")) == (403, "clock-behind")
    assert code(person.send("report_lost", number, by="clerk-1")) == (403, "not-a-members-field")


def test_what_was_decided_is_answered_at_any_time(tmp_path):
    """With a server that takes what is two seconds old, and a command that is asked again after that."""
    served = Town(f"sqlite:///{tmp_path}/s.db", "--limit", "behind=2", "--limit", "member_rate=1000")
    try:
        served.desk = served.key("desk", "counter", ask="events")
        person, number = served.enrol(), served.sell("named")
        person.add(number)
        at = iso_moment(moment_now())
        assert person.send("join_rally", number, at=at, id="once")[0] == 200
        eventually(lambda: person.send("join_rally", number, at=at)[0] == 403)
        again = person.send("join_rally", number, at=at, id="once")
        assert again[1].get("repeated"), again
    finally:
        assert served.stop() == 0, served.said


def test_the_offices_business_is_not_the_members(town):
    """What is proposed about a card, and by whom, does not show to its member."""
    person, number = town.enrol(), town.sell("named")
    person.add(number)
    name = f"operator-{next(numbers)}"
    residents.hired(town.url, name, "operator")
    token = town.say("/v1/sign-in", {"name": name, "password": WORD})[1]["token"]
    shop = town.key(f"shop-{number}", "shop")
    assert town.post(command("b", "purchase", channel="shop", card=number, amount=100, merchant="m"), shop)[1]["outcome"] == "accepted"
    undo = {"do": "reverse", "of": "b", "of_sender": f"shop-{number}", "why": "the till was wrong"}
    assert town.say("/v1/proposals", {"command": undo}, token)[0] == 200
    assert town.get(f"/v1/cards/{number}", token)[1]["proposals"]
    assert "proposals" not in person.ask(f"/v1/cards/{number}")[1]


def test_a_member_has_a_rate(tmp_path):
    """Ten at once, then 429 with the seconds to wait; it does not begin anew when the session is looked at again."""
    served = Town(f"sqlite:///{tmp_path}/s.db")
    try:
        person = served.enrol()
        got = [person.ask("/v1/me")[0] for _ in range(60)]
        assert got[:8] == [200] * 8
        assert got.count(429) > 20
    finally:
        assert served.stop() == 0, served.said


def test_who_is_let_go_while_a_request_comes_in_is_nobody(town):
    """The head and half a body, then the holder recovers; the rest of the body does nothing any more."""
    hanako, number = town.enrol(), town.sell("named")
    hanako.add(number)
    line = command("slow", "report_lost", at=iso_moment(moment_now()), channel="member-page", card=number)
    with town.socket() as slow:
        slow.sendall(head("/v1/commands", hanako.token, kind="application/json", length=len(line)) + line[:10])
        again = {"login": hanako.login, "code": hanako.codes[0], "password": OTHER_WORD}
        assert town.say("/v1/members/recover", again)[0] == 200
        eventually(lambda: hanako.ask("/v1/me")[0] == 401)
        slow.sendall(line[10:])
        answer = b""
        while b"session-ended" not in answer:
            piece = slow.recv(65536)
            assert piece, answer
            answer += piece
    assert answer.startswith(b"HTTP/1.1 401")
    assert town.get(f"/v1/cards/{number}", town.desk)[1]["card"]["state"] == "active"


# -- an account ----------------------------------------------------------------------------------


def test_what_may_be_done_is_said(town):
    """The session, its channel and commands; signing out ends it."""
    somebody = town.enrol()
    status, me = somebody.ask("/v1/me")
    assert (status, me["name"], me["role"], me["channels"]) == (200, somebody.id, "member", ["member-page"])
    assert me["commands"] == sorted(MEMBER_ROLE.only)
    assert me["acts"] == []
    assert somebody.ask("/v1/members/cards")[1] == {"cards": [], "recovery_codes_left": 8}
    assert somebody.say("/v1/sign-out", {}) == (200, {"signed_out": True})
    assert code(somebody.ask("/v1/me")) == (401, "session-ended")


def test_enrolling_says_what_is_wrong(town):
    """A name that is taken, none, or an individual number; a password that is weak; a body that is none."""
    taken = town.enrol().login
    for login, password, want in (
        (taken.upper(), WORD, (409, "login-taken")), ("a b", WORD, (400, "bad-login")), ("ab", WORD, (400, "bad-login")),
        ("1234 5678 9012", WORD, (400, "individual-number")), ("123456789012", WORD, (400, "individual-number")),
        ("new@example.com", "short", (400, "password-too-weak")), ("", WORD, (400, "bad-body")),
    ):  # fmt: skip
        assert code(town.say("/v1/members", {"login": login, "password": password})) == want, login


def test_a_forgotten_password(town):
    """By a recovery code; by a counter that looked at papers; never by guessing, and five wrong passwords do not stand in the way."""
    hanako, number = town.enrol(), town.sell("named")
    hanako.add(number)
    wrong = {"login": hanako.login, "password": "wrong wrong wrong"}
    assert [code(town.say("/v1/members/sign-in", wrong))[0] for _ in range(5)] == [401] * 4 + [429]
    assert code(town.say("/v1/members/sign-in", wrong | {"password": WORD})) == (429, "member-locked")
    again = {"login": hanako.login, "code": hanako.codes[0], "password": OTHER_WORD}
    status, said = town.say("/v1/members/recover", again)
    assert (status, said["login"], len(said["recovery_codes"])) == (200, hanako.login, 8)
    assert code(town.say("/v1/members/recover", again)) == (403, "wrong-code")
    hanako.sign_in(OTHER_WORD)
    papers = {name: town.proofs[number][name] for name in ("kana", "born")}
    given = town.say(f"/v1/cards/{number}/code", {"for": "recovery", "channel": "counter", **papers}, town.desk)[1]["code"]
    by_card = {"card": number, "code": given, "password": WORD}
    assert code(town.say("/v1/members/recover", by_card | {"code": "0000-0000"})) == (403, "wrong-code")
    assert code(town.say("/v1/members/recover", by_card | {"login": "x"})) == (400, "bad-body")
    assert code(town.say("/v1/members/recover", {"code": given, "password": WORD})) == (400, "bad-body")
    assert town.say("/v1/members/recover", by_card)[1]["login"] == hanako.login
    hanako.sign_in(WORD)


def test_other_codes_and_another_password(town):
    """For whoever knows the password; the old ones are good no more."""
    somebody = town.enrol()
    assert code(somebody.say("/v1/members/recovery-codes", {"password": OTHER_WORD})) == (401, "wrong-password")
    status, said = somebody.say("/v1/members/recovery-codes", {"password": WORD})
    assert (status, len(said["recovery_codes"])) == (200, 8)
    old = {"login": somebody.login, "code": somebody.codes[0], "password": OTHER_WORD}
    assert code(town.say("/v1/members/recover", old)) == (403, "wrong-code")
    status, said = somebody.say("/v1/password", {"old": WORD, "new": OTHER_WORD})
    assert (status, said["changed"], len(said["recovery_codes"])) == (200, True, 8)
    assert code(somebody.ask("/v1/me")) == (401, "session-ended")
    somebody.sign_in(OTHER_WORD)


def test_who_leaves_is_gone(town):
    """What was decided stays; the name, the cards and the session do not."""
    hanako, number = town.enrol(), town.sell("named")
    hanako.add(number)
    assert hanako.send("join_rally", number)[0] == 200
    before = events(town)
    assert code(hanako.say("/v1/members/end", {"password": OTHER_WORD})) == (401, "wrong-password")
    assert hanako.say("/v1/members/end", {"password": WORD}) == (200, {"ended": True})
    assert code(hanako.ask("/v1/members/cards")) == (401, "session-ended")
    assert code(town.say("/v1/members/sign-in", {"login": hanako.login, "password": WORD})) == (401, "wrong-password")
    assert events(town) == before
    assert town.enrol(hanako.login).add(number)[0] == 200


def test_members_at_the_door_do_not_keep_out_those_who_work_here(tmp_path):
    """One who is looked at or waits, and sixteen at once: most are told to come again; a clerk signs in meanwhile, each time."""
    served = Town(f"sqlite:///{tmp_path}/s.db", "--limit", "sign_ins=1")
    try:
        residents.hired(served.url, "sato", "clerk")
        served.enrol("taro@example.com")
        crowd = {"login": "taro@example.com", "password": WORD}
        with ThreadPoolExecutor(16) as pool:
            many = [pool.submit(served.say, "/v1/members/sign-in", crowd) for _ in range(48)]
            staff = [served.say("/v1/sign-in", {"name": "sato", "password": WORD})[0] for _ in range(4)]
            got = {one.result()[0] for one in many}
        assert got == {200, 503}
        assert staff == [200] * 4
    finally:
        assert served.stop() == 0, served.said


def test_a_stolen_store_says_who_nobody_is(town):
    """No sign-in name in any spelling, no password, no code, no token in its bytes; only digests, hashes and seals."""
    hanako, number = town.enrol(f"sakuragi-{next(numbers)}@example.com"), town.sell("named")
    hanako.add(number)
    kept = bytes_of(town.url)
    said = (hanako.login, hanako.login.upper(), WORD, hanako.token, *hanako.codes)
    for secret in (*said, *HANAKO.values(), *town.proofs[number].values()):
        for spelling in spellings(secret):
            assert spelling not in kept, secret
