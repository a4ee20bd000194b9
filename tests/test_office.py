"""The back office over HTTP, on real servers: signing in, what each role may do there, and two pairs of eyes."""

import json
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

import residents
from conftest import a_store, command, farecard
from farecard.access import proposals
from farecard.api.clock import Clock
from farecard.api.proposing import Proposing
from farecard.desk.opening import existing_store
from farecard.tariff import packaged_text
from residents import WORD
from serving import Served, eventually
from state import problems

A = "JW000000000000001"
ISSUE = command("1", "issue", kind="anonymous", paid=2000, card=A)
RIDE = command("2", "purchase", channel="shop", card=A, amount=500, merchant="m")
SLOW = ("--limit", "session_idle=2")
MINATO = Path(__file__).parent / "campaigns" / "minato.toml"


class Office(Served):
    """A server, and people who work at it."""

    def hire(self, name, role):
        """Open an account, and sign in."""
        residents.hired(self.url, name, role)
        return self.sign_in(name)

    def sign_in(self, name, password=WORD):
        status, told = self.say("/v1/sign-in", {"name": name, "password": password})
        assert status == 200, told
        return told["token"]

    def say(self, path, body, key=None):
        """A POST; gives (status, answer)."""
        status, _, answer = self.call("POST", path, json.dumps(body).encode(), key)
        return status, json.loads(answer)

    def ask(self, path, key=None):
        status, _, answer = self.call("GET", path, key=key)
        return status, json.loads(answer)

    def send(self, line, key):
        status, _, answer = self.call("POST", "/v1/commands", line, key)
        return status, json.loads(answer)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request, tmp_path):
    """A served store of either engine, with a card that was used by a terminal of its own."""
    url = a_store(request, tmp_path)
    served = Office(url)
    try:
        key = served.key("pos", "counter,shop")
        for line in (ISSUE, RIDE):
            assert served.send(line, key)[1]["outcome"] == "accepted"
        yield served
    finally:
        assert served.stop() == 0, served.said
    assert problems(url) == []


def code(answer):
    return answer[0], answer[1]["code"]


# -- signing in ----------------------------------------------------------------------------------


def test_whoever_signs_in_speaks_with_a_token(office):
    """What may be done is said; after signing out, or where the account is closed, it is worth nothing."""
    token = office.hire("sato", "clerk")
    status, me = office.ask("/v1/me", token)
    assert (status, me["name"], me["role"], me["channels"]) == (200, "sato", "clerk", ["counter"])
    assert "token" not in me
    assert office.ask(f"/v1/cards/{A}", token)[1]["card"]["balance"] == 1000
    assert code(office.ask("/v1/trial-balance", token)) == (403, "may-not-ask")
    assert office.say("/v1/sign-out", {}, token) == (200, {"signed_out": True})
    assert code(office.ask("/v1/me", token)) == (401, "session-ended")
    again = office.sign_in("sato")
    farecard("--store", office.url, "staff", "end", "sato")
    eventually(lambda: office.ask("/v1/me", again)[0] == 401)  # it is looked at again after a second
    assert code(office.say("/v1/sign-in", {"name": "sato", "password": WORD})) == (401, "wrong-password")


def test_a_body_that_is_none_says_which_field(office):
    """Named, with what is wanted."""
    for body, why in (
        ({"name": "sato"}, "password"), ({"name": "", "password": "x"}, "name"), ({"name": 1, "password": "x"}, "name"),
        ({"name": "sato", "password": "x", "more": 1}, "more"), ([], "object"),
    ):  # fmt: skip
        status, told = office.say("/v1/sign-in", body)
        assert (status, told["code"]) == (400, "bad-body")
        assert why in told["en"]


def test_wrong_passwords_lock(office):
    """Five; then 429 with the seconds to wait, even for the right one."""
    office.hire("sato", "clerk")
    wrong = {"name": "sato", "password": "wrong wrong wrong"}
    assert [code(office.say("/v1/sign-in", wrong)) for _ in range(4)] == [(401, "wrong-password")] * 4
    assert code(office.say("/v1/sign-in", wrong)) == (429, "locked")
    status, headers, body = office.call("POST", "/v1/sign-in", json.dumps(wrong | {"password": WORD}).encode())
    assert (status, json.loads(body)["code"]) == (429, "locked")
    assert 800 < int(headers["retry-after"]) <= 900
    farecard("--store", office.url, "staff", "unlock", "sato")
    assert office.sign_in("sato")


def test_a_password_is_changed_by_whoever_knows_the_old_one(office):
    """Weak ones are refused, wrong ones count; then every session ends."""
    token, other = office.hire("sato", "clerk"), None
    other = office.sign_in("sato")
    new = "a blue umbrella in June"
    assert code(office.say("/v1/password", {"old": WORD, "new": "short"}, token)) == (400, "password-too-weak")
    assert code(office.say("/v1/password", {"old": "wrong", "new": new}, token)) == (401, "wrong-password")
    assert office.say("/v1/password", {"old": WORD, "new": new}, token) == (200, {"changed": True})
    assert code(office.ask("/v1/me", token)) == (401, "session-ended")
    eventually(lambda: office.ask("/v1/me", other)[0] == 401)  # it is looked at again after a second
    assert office.sign_in("sato", new)


def test_an_idle_session_ends_and_one_at_work_does_not(tmp_path):
    """Two seconds without a word, and it is over; with one now and then it lives on, for longer than that."""
    served = Office(f"sqlite:///{tmp_path}/s.db", *SLOW)
    try:
        busy, idle = served.hire("sato", "clerk"), None
        idle = served.sign_in("sato")
        began = time.monotonic()

        def works_on():
            assert served.ask("/v1/me", busy)[0] == 200
            return time.monotonic() - began > 5

        eventually(works_on)
        assert code(served.ask("/v1/me", idle)) == (401, "session-ended")
    finally:
        assert served.stop() == 0, served.said


def test_a_key_is_no_person(office):
    """Where people are asked for, a key is told so."""
    key = office.key("robot", "operations", unattended=True, ask="proposals")
    assert code(office.ask("/v1/me", key)) == (403, "for-people")
    assert code(office.say("/v1/proposals", {"command": {"do": "run_grants", "month": "2023-04"}}, key)) == (
        403, "for-people",
    )  # fmt: skip
    assert office.ask("/v1/proposals", key) == (200, [])


def test_clerks_work_in_their_own_name_at_the_counter(office):
    """The name is filled in; another's, another channel, another role's command are refused."""
    token = office.hire("sato", "clerk")
    status, answer = office.send(command("r1", "refund", card=A), token)
    assert (status, answer["outcome"]) == (200, "accepted")
    eye = office.key("eye", ask="events")
    event = office.ask("/v1/events", eye)[1]["events"][-1]
    assert (event["sender"], event["by"]) == ("staff:sato", "sato")
    assert code(office.send(command("r2", "refund", card=A, by="kato"), token)) == (403, "by-not-allowed")
    assert code(office.send(command("r3", "tap_in", channel="gate", card=A, station="Osaka"), token)) == (
        403, "channel-not-allowed",
    )  # fmt: skip
    close = command("r4", "resolve_case", case="C000000000000001-00000000", decision="granted", why="w")
    assert code(office.send(close, token)) == (403, "command-not-allowed")


# -- two pairs of eyes ---------------------------------------------------------------------------

REVERSE = {"do": "reverse", "of": "2", "of_sender": "pos", "why": "the till was wrong"}


@pytest.fixture
def people(office):
    """One who proposes, two who approve, one who looks."""
    return {
        name: office.hire(name, role)
        for name, role in (
            ("sato", "operator"), ("ito", "operator"), ("kato", "approver"), ("mori", "auditor"), ("abe", "clerk"),
        )
    }  # fmt: skip


def balance(office, people):
    return office.ask(f"/v1/cards/{A}", people["mori"])[1]["card"]["balance"]


def propose(office, people, **what):
    status, told = office.say("/v1/proposals", {"why": "asked by phone", **what}, people["sato"])
    assert status == 200, told
    return told


def test_one_proposes_and_another_approves(office, people):
    """The preview is the decision as it would be; the card shows what waits; approved, it is done under the proposal's number."""
    made = propose(office, people, command=REVERSE)
    assert (made["state"], made["about"], made["proposed_by"], made["why"]) == (
        "pending", f"card:{A}", "sato", "asked by phone",
    )  # fmt: skip
    assert made["preview"]["decision"]["result"] == {"balance": 1500}
    assert balance(office, people) == 1000
    waiting = office.ask(f"/v1/cards/{A}", people["mori"])[1]["proposals"]
    assert [(one["proposal"], one["proposed_by"]) for one in waiting] == [(made["proposal"], "sato")]
    told = farecard("--store", office.url, "status", A)
    assert f"{made['proposal']}, proposed by sato" in told.stderr.decode()
    path = f"/v1/proposals/{made['proposal']}"
    status, done = office.say(path, {"decision": "approve", "why": "seen"}, people["kato"])
    assert (status, done["state"], done["decided_by"], done["decided_why"]) == (200, "approved", "kato", "seen")
    assert (done["answer"]["outcome"], done["answer"]["id"]) == ("accepted", made["proposal"])
    assert balance(office, people) == 1500
    assert "proposals" not in office.ask(f"/v1/cards/{A}", people["mori"])[1]
    eye = office.key("eye", ask="events")
    event = office.ask("/v1/events", eye)[1]["events"][-1]
    assert (event["sender"], event["id"], event["by"], event["do"]) == (
        "proposal", made["proposal"], "sato", "reverse",
    )  # fmt: skip
    trail = office.ask("/v1/trail", people["mori"])[1]
    assert [(one["who"], one["did"]) for one in trail if one["about"] == made["proposal"]] == [
        ("kato", "approved"), ("sato", "proposed"),
    ]  # fmt: skip


def test_a_card_that_was_used_since_hinders_no_reversal(office, people):
    """Proposed as of January, the card used in June, approved now: it is taken back as of now, and what was proposed stays as it was."""
    made = propose(office, people, command=REVERSE | {"at": "2024-01-05T09:00:00+09:00"})
    key = office.key("late", "counter,shop")
    used = command("3", "purchase", at="2024-06-01T09:00:00+09:00", channel="shop", card=A, amount=100, merchant="m")
    assert office.send(used, key)[1]["outcome"] == "accepted"
    path = f"/v1/proposals/{made['proposal']}"
    status, done = office.say(path, {"decision": "approve"}, people["kato"])
    assert (status, done["answer"]["outcome"]) == (200, "accepted"), done["answer"]
    assert balance(office, people) == 1400
    assert done["command"]["at"] == "2024-01-05T09:00:00+09:00"
    event = office.ask("/v1/events", office.key("eye", ask="events"))[1]["events"][-1]
    assert (event["id"], event["at"]) == (made["proposal"], done["decided_at"])
    # sent again by another server whose clock stands elsewhere, it is the same command: answered as before, and not done twice
    with closing(existing_store(office.url)[0]) as store:
        found = proposals.find(store, made["proposal"])
        other = Proposing(None, None, None, Clock(86_400_000_000), None, None)
        assert other._as_sent(store, found, made["command"])["at"] == event["at"]


def test_the_same_is_proposed_once_at_a_time(office, people):
    """Two who take the same back, two runs of a month, two steps of a draw: the second is told which waits and by whom. Once that is decided it may be proposed anew."""
    drawing = {"do": "commit_draw", "draw": 1}
    rounds = (
        (REVERSE, REVERSE | {"why": "another word for it"}),
        ({"do": "run_grants", "month": "2023-04"}, {"do": "run_grants", "month": "2023-04"}),
        (drawing | {"seed_source": "the index of 1 August"}, drawing | {"seed_source": "another index"}),
    )
    for first, second in rounds:
        made = propose(office, people, command=first)
        status, told = office.say("/v1/proposals", {"command": second}, people["ito"])
        assert (status, told["code"]) == (409, "proposal-waiting"), first
        assert told["params"] == {"proposal": made["proposal"], "proposed_by": "sato"}
        assert office.say(f"/v1/proposals/{made['proposal']}", {"decision": "decline"}, people["kato"])[0] == 200
        again = office.say("/v1/proposals", {"command": second}, people["ito"])[1]
        assert again["state"] == "pending"
    # another month, and another entry of the same card, wait beside it
    propose(office, people, command={"do": "run_grants", "month": "2023-05"})
    pos = office.key("pos-2", "shop")
    assert office.send(command("3", "purchase", channel="shop", card=A, amount=100, merchant="m"), pos)[1]["outcome"] == "accepted"
    propose(office, people, command=REVERSE | {"of": "3", "of_sender": "pos-2"})


def test_of_many_at_once_one_is_proposed(office, people):
    """Eight at the same moment: one waits, seven are told of it."""
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: office.say("/v1/proposals", {"command": REVERSE}, people["ito"]), range(8)))
    assert sorted(status for status, _ in told) == [200] + [409] * 7
    assert len(office.ask("/v1/proposals", people["mori"])[1]) == 1


def test_nobody_sends_it_alone(office, people):
    """Whatever takes two, at operations, is refused to every role; the way out is named."""
    for name in ("sato", "kato"):
        for line in (
            command("x1", "run_grants", channel="operations", month="2023-04"),
            command("x2", "reverse", channel="operations", of="2", of_sender="pos", why="w"),
            command("x3", "commit_draw", channel="operations", draw=1, seed_source="s"),
            command("x4", "draw_lottery", channel="operations", draw=1, winners=1, seed="s"),
        ):
            status, told = office.send(line, people[name])
            assert (status, told["code"]) == (403, "needs-two")
            assert "/v1/proposals" in told["do_next"]["en"]
    assert balance(office, people) == 1000


def test_who_may_propose_and_who_approve(office, people):
    """Every role at every act; nobody approves his own, not even with another role since; nobody withdraws another's."""
    made = propose(office, people, command=REVERSE)
    path = f"/v1/proposals/{made['proposal']}"
    for name in ("kato", "mori", "abe"):
        assert code(office.say("/v1/proposals", {"command": REVERSE}, people[name])) == (403, "not-your-role")
    for name in ("sato", "mori", "abe"):
        for decision in ("approve", "decline"):
            assert code(office.say(path, {"decision": decision}, people[name])) == (403, "not-your-role")
    assert code(office.say(path, {"decision": "withdraw"}, people["ito"])) == (403, "not-your-proposal")
    assert code(office.say(path, {"decision": "withdraw"}, people["kato"])) == (403, "not-your-role")
    assert code(office.ask("/v1/proposals", people["abe"])) == (403, "may-not-ask")
    assert code(office.ask("/v1/trail", people["kato"])) == (403, "may-not-ask")
    farecard("--store", office.url, "staff", "role", "sato", "approver")
    promoted = office.sign_in("sato")
    for decision in ("approve", "decline"):
        assert code(office.say(path, {"decision": decision}, promoted)) == (403, "your-own-proposal")
    assert office.ask(path, people["mori"])[1]["state"] == "pending"


@pytest.mark.parametrize(("who", "decision", "state"), [("kato", "decline", "declined"), ("sato", "withdraw", "withdrawn")])
def test_what_is_not_approved_is_not_done(office, people, who, decision, state):
    """Declined or withdrawn: nothing happens, and it cannot be approved afterwards."""
    made = propose(office, people, command=REVERSE)
    path = f"/v1/proposals/{made['proposal']}"
    status, told = office.say(path, {"decision": decision, "why": "no"}, people[who])
    assert (status, told["state"], told["answer"]) == (200, state, None)
    status, told = office.say(path, {"decision": "approve"}, people["kato"])
    assert (status, told["code"], told["params"]["state"]) == (409, "proposal-decided", state)
    assert balance(office, people) == 1000
    assert [one["state"] for one in office.ask(f"/v1/proposals?state={state}", people["mori"])[1]] == [state]
    assert office.ask("/v1/proposals?state=pending", people["mori"]) == (200, [])


def test_two_who_approve_at_once_do_it_once(office, people):
    """One of them is told that it was decided; the card has its money back once."""
    made = propose(office, people, command=REVERSE)
    second = office.hire("oka", "approver")
    start, got = Barrier(2), []

    def approve(token):
        start.wait(30)
        got.append(office.say(f"/v1/proposals/{made['proposal']}", {"decision": "approve"}, token))

    threads = [Thread(target=approve, args=(token,)) for token in (people["kato"], second)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert min(status for status, _ in got) == 200
    assert {status for status, _ in got} <= {200, 409}  # 409, or it was finished by both, which is the same
    assert balance(office, people) == 1500


def test_what_would_not_be_taken_is_not_proposed(office, people):
    """The decision says why; nothing is kept. What takes one person only, and what is no proposal, too."""
    status, told = office.say("/v1/proposals", {"command": REVERSE | {"of": "9"}}, people["sato"])
    assert (status, told["outcome"], told["reasons"][0]["code"]) == (422, "invalid", "unknown-of")
    status, told = office.say("/v1/proposals", {"command": {"do": "fly"}}, people["sato"])
    assert (status, told["outcome"]) == (422, "invalid")
    status, told = office.say("/v1/proposals", {"command": REVERSE | {"at": "2099-01-01T00:00:00+09:00"}}, people["sato"])
    assert (status, told["reasons"][0]["code"]) == (422, "clock-ahead")
    close = {"do": "resolve_case", "case": "C000000000000001-00000000", "decision": "granted", "why": "w"}
    assert code(office.say("/v1/proposals", {"command": close}, people["sato"])) == (400, "needs-no-second")
    for body in ({}, {"command": REVERSE, "tariff": "x"}, {"command": REVERSE | {"id": "7"}}, {"command": REVERSE | {"by": "ito"}},
                 {"command": REVERSE | {"channel": "counter"}}, {"command": "reverse"}):  # fmt: skip
        assert code(office.say("/v1/proposals", body, people["sato"])) == (400, "bad-body")
    assert code(office.say("/v1/proposals/P-0000000000", {"decision": "approve"}, people["kato"])) == (404, "unknown-proposal")
    assert code(office.ask("/v1/proposals/P-0000000000", people["kato"])) == (404, "unknown-proposal")
    assert office.ask("/v1/proposals", people["mori"]) == (200, [])


def test_a_run_is_proposed_with_what_it_would_grant_by_reason(office, people):
    """The preview says how many by measure, and why others get nothing; the month shows what waits."""
    made = propose(office, people, command={"do": "run_grants", "month": "2023-04"})
    assert made["about"] == "grants:2023-04"
    assert made["preview"]["decision"]["result"]["grants"] == 0
    assert {one["measure"] for one in made["preview"]["measures"]} >= {1, 2, 3}
    told = farecard("--store", office.url, "grants", "preview", "2023-04")
    assert made["proposal"] in told.stderr.decode()
    status, done = office.say(f"/v1/proposals/{made['proposal']}", {"decision": "approve"}, people["kato"])
    assert (status, done["answer"]["outcome"]) == (200, "accepted")


def test_a_campaign_and_a_tariff_take_two(office, people):
    """The preview says what would change; approved, the desk at work decides by it."""
    text = MINATO.read_text("utf-8")
    made = propose(office, people, campaign=text)
    assert (made["about"], made["preview"]["replaces"]) == ("campaign:minato-shops", None)
    done = office.say(f"/v1/proposals/{made['proposal']}", {"decision": "approve"}, people["kato"])[1]
    assert done["answer"]["version"] > 0
    status, told = office.say("/v1/proposals", {"campaign": text}, people["sato"])
    assert (status, told["code"]) == (400, "bad-campaign")
    assert "is in the store" in told["en"]

    tariff = packaged_text()
    old = next(block for block in tariff.split("[[row]]") if 'name = "balance_ceiling"' in block)
    new = tariff.replace(old, re.sub(r"value = [\d_]+", "value = 30_000", old))
    assert code(office.say("/v1/proposals", {"tariff": new}, people["sato"])) == (400, "bad-tariff")  # the same version
    new = re.sub(r"^version = (\d+)", lambda found: f"version = {int(found[1]) + 1}", new, flags=re.MULTILINE)
    key = office.key("till", "charge-machine")

    def top_up(id):
        return office.send(
            command(id, "top_up", channel="charge-machine", card=A, amount=10_000, tender="cash"), key
        )[1]

    assert top_up("t0")["result"] == {"balance": 11_000}
    assert top_up("t1")["outcome"] == "refused"
    made = propose(office, people, tariff=new)
    assert made["about"] == "tariff"
    assert [(one["name"], one["value"]) for one in made["preview"]["added"]] == [("balance_ceiling", 30_000)]
    assert [(one["name"], one["value"]) for one in made["preview"]["removed"]] == [("balance_ceiling", 20_000)]
    assert top_up("t2")["outcome"] == "refused"
    assert office.say(f"/v1/proposals/{made['proposal']}", {"decision": "approve"}, people["kato"])[0] == 200
    assert top_up("t3")["result"] == {"balance": 21_000}


def test_what_was_approved_is_done_though_the_server_dies(own_server):
    """Killed between approval and deed: the next server does it, once; approving again would, too."""
    for how in ("next server", "again"):
        url = own_server.database()
        served = Office(url)
        key = served.key("pos", "counter,shop")
        for line in (ISSUE, RIDE):
            served.send(line, key)
        sato, kato = served.hire("sato", "operator"), served.hire("kato", "approver")
        made = served.say("/v1/proposals", {"command": REVERSE}, sato)[1]
        if how == "next server":
            served.stop(signal.SIGKILL)
        approved_and_cut_short(url, made["proposal"])
        if how == "next server":
            served = Office(url)
            kato = served.sign_in("kato")
        else:
            assert served.say(f"/v1/proposals/{made['proposal']}", {"decision": "approve"}, kato)[0] == 200
        path = f"/v1/proposals/{made['proposal']}"
        answer = eventually(lambda path=path, served=served, kato=kato: served.ask(path, kato)[1]["answer"])
        assert answer["outcome"] == "accepted"
        assert served.ask(f"/v1/cards/{A}", kato)[1]["card"]["balance"] == 1500
        assert served.stop() == 0
        assert problems(url) == []


def approved_and_cut_short(url, number):
    """As a server leaves it that dies right after the approval."""
    with closing(existing_store(url)[0]) as store:
        proposals.decide(store, number, "approved", "kato", None)


def test_no_token_and_no_password_is_in_the_log(tmp_path):
    """At the most talkative level."""
    served = Office(f"sqlite:///{tmp_path}/s.db", "--log-level", "debug")
    token = served.hire("sato", "clerk")
    served.say("/v1/sign-in", {"name": "sato", "password": "wrong wrong wrong"})
    served.ask(f"/v1/me?{token}", token)
    assert served.stop() == 0
    assert "signed in" in served.said
    for word in (token, WORD, "wrong wrong"):
        assert word not in served.said
