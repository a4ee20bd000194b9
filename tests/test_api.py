"""The desk over HTTP: the contract's requests and answers, on a real server over either store."""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from conftest import WORKED_EXAMPLE, a_store, answers, command, farecard, new_desk
from farecard.api.examples import EXAMPLES
from farecard.api.logs import masked
from farecard.model.commands import CHANNELS, KINDS, PHONES
from farecard.sample import journal
from postgres import query
from serving import Served, all_of, chunk, eventually, head
from state import problems

CARD = "JW000000000000001"
ALL = (
    "counter,other-counter,ticket-machine,charge-machine,fare-adjustment,gate,other-rail,convenience-store,"
    "seven-bank-atm,shop-machine,petrol-station,shop,icoca-app,wester-app,member-page,myna-point,post,phone"
)
EXAMPLE = WORKED_EXAMPLE.splitlines()
RUNS = ("run_grants", "commit_draw", "draw_lottery")
NEEDS_NO_CARD = ("confirm_insurance_card", "file_account", "confirm_account", *RUNS)


def top_up(id, amount=1000, **fields):
    at = fields.pop("at", "2023-03-01T10:00:00+09:00")
    return command(id, "top_up", at, "charge-machine", card=CARD, amount=amount, tender="cash", **fields)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request, tmp_path_factory):
    """A server over a store of its own."""
    url = a_store(request, tmp_path_factory.mktemp("served"))
    made = Served(url)
    status, sold = made.post(command("sold", "issue", card=CARD, kind="anonymous", paid=2000), made.key("till-0", "counter"))
    assert (status, sold["outcome"]) == (200, "accepted")
    yield made
    assert made.stop() == 0
    assert problems(url) == []


@pytest.fixture(scope="module")
def everywhere(served):
    """A key that may say and ask everything but what operations may."""
    return served.key("everywhere", ALL, ask="cards,trial-balance")


@pytest.fixture
def own(tmp_path):
    """A way to start servers over SQLite with limits of their own; they are ended afterwards."""
    started = []

    def start(*options):
        started.append(Served(f"sqlite:///{tmp_path}/own{len(started)}.db", *options))
        return started[-1]

    yield start
    for one in started:
        one.stop(signal.SIGKILL)


# -- commands ----------------------------------------------------------------------------------


def test_the_worked_example_over_http(served):
    """Each decision is the body of its answer: 200 for accepted and refused."""
    key = served.key("example", ALL, ask="cards")
    got = [served.post(line.replace(b"0000001", b"0000009"), key) for line in EXAMPLE]
    assert [status for status, _ in got] == [200, 200, 200, 200]
    assert [answer["outcome"] for _, answer in got] == ["accepted", "accepted", "accepted", "refused"]
    assert got[2][1]["result"]["payout"] == {"deposit": 500, "balance": 820, "fee": 220, "total": 1100}
    assert got[3][1]["reasons"][0]["rule"] == "RFD-8"
    assert served.post(EXAMPLE[0].replace(b"0000001", b"0000009"), key) == (200, got[0][1] | {"repeated": True})


@pytest.mark.parametrize(
    ("line", "code"),
    [(b"{", "bad-json"), (b"[]", "not-an-object"), (b'{"id":"x"}', "missing-field"), (b"\xff", "bad-json"),
     (command("u", "top_up", channel="charge-machine", card="JW999999999999999", amount=1000, tender="cash"), "unknown-card")],
)  # fmt: skip
def test_what_is_no_command_is_a_decision_with_422(served, everywhere, line, code):
    """Invalid, and the reason says which field and why."""
    status, answer = served.post(line, everywhere)
    assert (status, answer["outcome"], answer["reasons"][0]["code"]) == (422, "invalid", code)


def test_answers_are_those_of_a_replay(served, tmp_path):
    """A sample's cards, journal and commands in turns: the same decisions as from the command line, field by field."""
    lines = [line.replace(b'"JW1', b'"JW2') for line in journal(600, seed=21) if b'"operations"' not in line]
    (tmp_path / "j.nd").write_bytes(b"\n".join(lines))
    done = farecard("--store", f"sqlite:///{tmp_path}/r.db", "replay", "--sender", "sample", tmp_path / "j.nd")
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    key = served.key("sample", ALL)
    status, got = served.journal(lines[:400], key)
    assert status == 200
    got += [served.post(line, key)[1] for line in lines[400:]]
    assert got == expected


def test_a_dry_run_decides_and_keeps_nothing(served):
    """The same decision as it would be; the id stays free."""
    key = served.key("dry", ALL, ask="cards")
    line = command("d1", "issue", card="JW000000000000077", kind="anonymous", paid=2000)
    for _ in range(2):
        status, answer = served.post(line, key, "/v1/commands?dry_run=true")
        assert (status, answer["outcome"], answer["result"]["balance"]) == (200, "accepted", 1500)
        assert "repeated" not in answer
    assert served.get("/v1/cards/JW000000000000077", key)[0] == 404
    assert served.post(line, key, "/v1/commands?dry_run=false")[1]["outcome"] == "accepted"


def test_a_clock_that_is_ahead(served, everywhere):
    """More than five minutes: invalid, its id free again."""
    status, answer = served.post(top_up("ahead", at="2098-01-01T00:00:00+09:00"), everywhere)
    assert (status, answer["id"], answer["reasons"][0]["code"]) == (422, "ahead", "clock-ahead")


# -- keys --------------------------------------------------------------------------------------


def test_without_a_good_key_nothing_is_decided(served, everywhere):
    """401 with a challenge: no key, another scheme, an unknown key, a revoked one."""
    revoked = served.key("gone", "shop")
    assert served.post(top_up("k1"), revoked)[0] == 403
    farecard("--store", served.url, "keys", "revoke", "gone")
    until = time.monotonic() + 30
    while served.post(top_up("k1"), revoked)[0] != 401:  # a server takes note within a second or so
        assert time.monotonic() < until
    for secret in (revoked, None, "fc_nobody", ""):
        status, headers, body = served.call("POST", "/v1/commands", top_up("k1"), secret)
        assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="farecard"')
        assert json.loads(body)["code"] in ("no-key", "unknown-key")
    status, _, _ = served.call("POST", "/v1/commands", top_up("k1"), None, Authorization=f"Basic {everywhere}")
    assert status == 401


def test_a_key_speaks_only_for_its_channels_and_bindings(served):
    """403 for a command, a problem document that says what it is bound to; for a journal's line it is invalid."""
    key = served.key("kiosk", "shop", merchant="kiosk", place="till-1")
    wrong = command("w", "purchase", channel="shop", card=CARD, amount=10, merchant="bakery")
    status, answer = served.post(wrong, key)
    assert (status, answer["status"], answer["code"]) == (403, 403, "merchant-not-allowed")
    assert served.post(top_up("w"), key)[1]["code"] == "channel-not-allowed"
    status, (first, second) = served.journal([top_up("w"), wrong], key)
    assert status == 200
    assert [(one["id"], one["outcome"], one["reasons"][0]["code"]) for one in (first, second)] == [
        ("w", "invalid", "channel-not-allowed"), ("w", "invalid", "merchant-not-allowed"),
    ]  # fmt: skip


def test_the_keys_place_stands_in_the_journal(served, everywhere):
    """Left out it is filled in; sent again with it, it is the same command."""
    served.post(command("till-card", "issue", card="JW000000000000055", kind="anonymous", paid=2000), everywhere)
    key = served.key("till", "shop", place="till-7")
    line = command("p", "purchase", channel="shop", card="JW000000000000055", amount=10, merchant="m")
    assert served.post(line, key)[1]["outcome"] == "accepted"
    again = served.post(json.dumps(json.loads(line) | {"place": "till-7"}).encode(), key)
    assert again[1]["repeated"]
    text = "SELECT place FROM event WHERE sender = 'till' AND id = 'p'"
    rows = query(served.url, text) if served.url.startswith("postgres") else sqlite3.connect(
        served.url.removeprefix("sqlite:///")).execute(text).fetchall()  # fmt: skip
    assert rows == [("till-7",)]


def test_ids_are_the_keys_own(served):
    """Two senders may use one id; one sender's other body is refused."""
    cards = ("JW000000000000061", "JW000000000000062")
    for name, card in zip(("one", "two"), cards, strict=True):
        line = command("same", "issue", card=card, kind="anonymous", paid=2000)
        assert served.post(line, served.key(f"{name}-sender", "counter"))[1]["outcome"] == "accepted"


def test_a_key_asks_only_what_it_may(served):
    """403 for questions it was not given; speaking is not asking."""
    key = served.key("mute", "shop")
    for path in (f"/v1/cards/{CARD}", f"/v1/cards/{CARD}/history", "/v1/trial-balance"):
        status, answer = served.get(path, key)
        assert (status, answer["code"]) == (403, "may-not-ask"), path


def test_a_key_over_its_rate_is_told_when_to_come_back(served):
    """Three a second: the fourth at once is 429 with Retry-After, and the others are answered."""
    key = served.key("slow", "shop", ask="cards", rate=3)
    got = [served.call("GET", f"/v1/cards/{CARD}", key=key) for _ in range(8)]
    statuses = [status for status, _, _ in got]
    assert set(statuses[:3]) == {200}
    assert 429 in statuses
    _, headers, body = got[statuses.index(429)]
    assert headers["retry-after"] == "1"
    assert json.loads(body)["code"] == "over-rate"


# -- questions ---------------------------------------------------------------------------------


def test_questions_answer_as_the_command_line(served, everywhere):
    """Status, history, both quotes, what became of points, the books: the same JSON, now and as of a moment."""
    served.journal(list(journal(300, seed=4))[:200], served.key("asked", ALL))
    for path, words in {
        f"/v1/cards/{CARD}": ("status", CARD), f"/v1/cards/{CARD}/history": ("history", CARD),
        f"/v1/cards/{CARD}/refund-quote": ("quote", "refund", CARD),
        f"/v1/cards/{CARD}/reissue-quote": ("quote", "reissue", CARD),
        f"/v1/cards/{CARD}/quick-charge-quote": ("quote", "quick-charge", CARD),
        f"/v1/cards/{CARD}/points": ("why", CARD), "/v1/trial-balance": ("trial-balance",),
    }.items():  # fmt: skip
        for moment in (None, "2023-03-01T12:30:00+09:00", "2023-03-02"):
            asked = path if moment is None else f"{path}?as_of={moment}"  # the + becomes a space on its way
            as_of = [] if moment is None else ["--as-of", moment]
            done = farecard("--store", served.url, *words, "--json", *as_of)
            assert served.get(asked, everywhere) == (200, json.loads(done.stdout)), asked


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/cards/JW999999999999999", 404, "unknown-card"),
        ("GET", f"/v1/cards/{CARD}?as_of=2000-01-01", 404, "unknown-card"),
        ("GET", "/v1/cards/12", 400, "want-card-number"),
        ("GET", "/v1/cards/", 404, "no-such-address"),
        ("GET", f"/v1/cards/{CARD}/", 404, "no-such-address"),
        ("GET", f"/v1/cards/{CARD}/owner", 404, "no-such-address"),
        ("GET", f"/v1/cards/{CARD}?as_of=yesterday", 400, "want-as-of"),
        ("GET", f"/v1/cards/{CARD}?asof=2023-03-01", 400, "unknown-parameter"),
        ("GET", f"/v1/cards/{CARD}?as_of=2023-03-01&as_of=2023-03-02", 400, "unknown-parameter"),
        ("GET", f"/v1/cards/{CARD}?as_of=%ff", 400, "bad-query"),
        ("GET", "/v1/trial-balance?as_of=2023-02-31", 400, "want-as-of"),
        ("GET", "/v1/nothing", 404, "no-such-address"),
        ("GET", "/v1/commands", 405, "method-not-allowed"),
        ("DELETE", f"/v1/cards/{CARD}", 405, "method-not-allowed"),
        ("POST", "/healthz", 405, "method-not-allowed"),
        ("POST", "/v1/commands?dry_run=perhaps", 400, "want-flag"),
        ("POST", "/v1/commands", 400, "no-body"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_document(served, everywhere, method, path, status, code):
    """RFC 9457: type, title, status and detail; and a code, both languages, what to do next."""
    got, headers, body = served.call(method, path, key=everywhere)
    said = json.loads(body)
    assert (got, said["status"], said["code"], headers["content-type"]) == (status, status, code, "application/problem+json")
    assert said["type"] == f"/docs#{code}"
    assert said["title"] and said["detail"] == said["en"] and said["ja"] and set(said["do_next"]) == {"ja", "en"}
    if status == 405:
        assert headers["allow"]


def test_bodies_of_another_kind_or_size(served, everywhere):
    """415 and 413, each with the way out; a body of exactly the largest size is read."""
    for kind, encoding in (("text/plain", ""), ("application/x-www-form-urlencoded", ""), ("application/json", "gzip")):
        more = {"Content-Encoding": encoding} if encoding else {}
        status, _, body = served.call("POST", "/v1/commands", top_up("x"), everywhere, kind, **more)
        assert status == 415, body
    padding = b" " * (65_536 - len(top_up("x")))
    assert served.post(top_up("x") + padding, everywhere)[0] == 200
    status, answer = served.post(top_up("x") + padding + b" ", everywhere)
    assert (status, answer["code"]) == (413, "body-too-large")
    assert served.call("POST", "/v1/commands", top_up("x"), everywhere, "application/json; charset=utf-8")[0] == 200


def test_what_is_no_http_is_told_so(served):
    """400 and the connection ends; headers without an end are 431."""
    with served.socket() as wire:
        wire.sendall(b"hello\r\n\r\n")
        got = all_of(wire)
    assert got.startswith(b"HTTP/1.1 400 ") and b'"code":"bad-request"' in got
    with served.socket() as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")
        got = all_of(wire)
    assert got.startswith(b"HTTP/1.1 431 "), got[:100]


def test_health_and_numbers(served, everywhere):
    """Anyone may ask whether it lives; on the machine itself also for its numbers."""
    status, said = served.get("/healthz")
    assert (status, said["status"], said["store"]) == (200, "ok", "ok")
    served.post(b"{", everywhere)
    status, headers, body = served.call("GET", "/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    text = body.decode()
    assert 'farecard_decisions_total{outcome="invalid",rule="bad-json"}' in text
    assert 'farecard_requests_total{route="/v1/commands",status="422"}' in text
    for name in ("commit_seconds_count", "batch_commands_bucket", "queue_waiting", "connections"):
        assert f"farecard_{name}" in text


# -- journals ----------------------------------------------------------------------------------


def test_an_empty_journal_and_blank_lines(served, everywhere):
    """No line, no decision."""
    assert served.journal([], everywhere) == (200, [])
    assert served.journal([b"", b"  ", b"\r"], everywhere) == (200, [])


def test_a_line_that_is_too_long_spoils_no_other(served, everywhere):
    """Over 64 KiB, even over a megabyte: one decision, and the lines around it have theirs."""
    lines = [top_up("l1"), b'{"id":"' + b"x" * 1_200_000 + b'"}', b"{", top_up("l1")]
    status, got = served.journal(lines, everywhere)
    assert status == 200
    assert [one["reasons"][0]["code"] if one["outcome"] == "invalid" else one["outcome"] for one in got] == [
        got[0]["outcome"], "line-too-long", "bad-json", got[0]["outcome"],
    ]  # fmt: skip


def test_answers_come_while_the_journal_is_still_being_sent(served):
    """A client that sends a line and waits for its answer before the next."""
    key = served.key("talk", ALL)
    with served.socket() as wire:
        stream = wire.makefile("rb")
        wire.sendall(head("/v1/journal", key, chunked=True))
        for n in range(5):
            line = command(f"t{n}", "issue", card=f"JW{700 + n:015d}", kind="anonymous", paid=2000)
            wire.sendall(chunk(line + b"\n"))
            if n == 0:
                assert b" 200 " in stream.readline()
                while stream.readline().strip():
                    pass
            size = int(stream.readline(), 16)
            assert json.loads(stream.read(size))["id"] == f"t{n}"
            stream.read(2)
        wire.sendall(b"0\r\n\r\n")
        assert stream.readline() == b"0\r\n"


def test_who_sends_4096_lines_before_reading_gets_all_answers(served):
    """As the contract allows: all that it said is read although nothing of the answers is."""
    key = served.key("batch", ALL)
    lines = [command(f"b{n}", "issue", card=f"JW{20_000 + n:015d}", kind="anonymous", paid=2000) for n in range(4096)]
    body = b"\n".join(lines)
    with served.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # a tenth of the answers
        wire.sendall(head("/v1/journal", key, length=len(body)).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
        got = all_of(wire)
    assert got.count(b'"outcome":"accepted"') == 4096
    assert got.endswith(b"0\r\n\r\n")


def test_a_key_that_is_revoked_within_a_journal_says_no_more(served):
    """The lines before it are answered, those after it are not decided, and the answer ends without its last piece."""
    key = served.key("revoked-within", "shop")
    with served.socket() as wire:
        wire.sendall(head("/v1/journal", key, chunked=True) + chunk(top_up("before") + b"\n"))
        got = b""
        while b'"before"' not in got:
            got += wire.recv(65536)
        farecard("--store", served.url, "keys", "revoke", "revoked-within")
        eventually(lambda: served.post(top_up("x"), key)[0] == 401)
        wire.sendall(chunk(top_up("after") + b"\n") + b"0\r\n\r\n")
        got += all_of(wire)
    assert b'"after"' not in got
    assert not got.endswith(b"0\r\n\r\n")


def test_a_journal_that_broke_off_is_sent_again_whole(served):
    """The connection dies in the middle of a line; sent again, each line is decided once and answered."""
    key = served.key("again", ALL)
    lines = [command(f"a{n}", "issue", card=f"JW{30_000 + n:015d}", kind="anonymous", paid=2000) for n in range(900)]
    body = b"\n".join(lines)
    with served.socket() as wire:
        wire.sendall(head("/v1/journal", key, length=len(body)) + body[: len(body) // 2])
        assert b" 200 " in wire.recv(100)
    status, got = served.journal(lines, key)
    assert status == 200
    assert [one["id"] for one in got] == [f"a{n}" for n in range(900)]
    assert {one["outcome"] for one in got} == {"accepted"}
    assert 1 <= sum("repeated" in one for one in got) < 900


def until_cut(wire, piece, most):
    """Send a piece again and again until the other side hangs up; gives how many went."""
    for sent in range(most):
        try:
            wire.sendall(piece)
        except ConnectionError:
            return sent
    return most


def test_who_does_not_read_is_held_up_and_then_cut(own):
    """Its answers fill its own buffers, nothing more of it is read, and after the limit it is let go; others go on."""
    served = own("--limit", "unread=2", "--limit", "in_flight=500")
    key = served.key("deaf", ALL, ask="cards")
    line = command("x" * 60, "refund", card=CARD)
    with served.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.sendall(head("/v1/journal", key, chunked=True))
        wire.settimeout(20)
        sent = until_cut(wire, chunk(b"\n".join([line] * 100) + b"\n"), 4_000) * 100
        assert 500 <= sent < 400_000
    assert served.get("/healthz")[0] == 200


def test_who_does_not_finish_is_let_go(own):
    """Headers or a body that do not come: 408, and the connection ends."""
    served = own("--limit", "headers_within=1", "--limit", "body_within=1", "--limit", "silent=1")
    key = served.key("slow", ALL)
    for said in (
        b"POST /v1/commands HTTP/1.1\r\nHost: x\r\n",
        head("/v1/commands", key, kind="application/json", length=100) + b'{"id"',
        head("/v1/journal", key, chunked=True),
    ):
        with served.socket() as wire:
            wire.sendall(said)
            got = all_of(wire)
        assert got.startswith(b"HTTP/1.1 408 ") and b'"code":"too-slow"' in got, said


def test_too_many_connections_are_told_so(own):
    """The others stay."""
    served = own("--limit", "connections=3")
    quiet = [served.socket() for _ in range(3)]
    status, headers, body = served.call("GET", "/healthz")
    assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "too-many-connections", "5")
    for one in quiet:
        one.close()


# -- the server's life -------------------------------------------------------------------------


def test_told_to_stop_it_answers_what_it_has_read(own):
    """SIGTERM in the middle of a journal: what was read is answered, the answer is not ended as if it were whole."""
    served = own()
    key = served.key("long", ALL)
    with served.socket() as wire:
        stream = wire.makefile("rb")
        wire.sendall(head("/v1/journal", key, chunked=True))
        wire.sendall(chunk(command("1", "issue", card=CARD, kind="anonymous", paid=2000) + b"\n"))
        assert b" 200 " in stream.readline()
        served.process.send_signal(signal.SIGTERM)
        got = stream.read()
    assert b'"outcome":"accepted"' in got
    assert not got.endswith(b"0\r\n\r\n")
    assert served.stop() == 0
    assert "everything that was accepted was answered" in served.said
    assert problems(served.url) == []


def test_killed_and_started_again_nothing_that_was_answered_is_lost(tmp_path):
    """SIGKILL; the same journal again is answered with the same decisions."""
    url = f"sqlite:///{tmp_path}/k.db"
    served = Served(url)
    key = served.key("k", ALL)
    lines = list(journal(500, seed=6))
    lines = [line for line in lines if b'"operations"' not in line]
    _, before = served.journal(lines, key)
    served.stop(signal.SIGKILL)
    served = Served(url)
    _, after = served.journal(lines, key)
    served.stop()
    remembered = [one for one in before if one["outcome"] != "invalid"]
    again = [{k: v for k, v in one.items() if k != "repeated"} for one in after if one.get("repeated")]
    assert [one for one in again if one["outcome"] != "invalid"] == [
        {k: v for k, v in one.items() if k != "repeated"} for one in remembered
    ]
    assert problems(url) == []


def test_a_dead_store_is_known(own_server):
    """PostgreSQL is gone: /healthz and commands say 503 with Retry-After; it comes back, and so does the server."""
    url = own_server.database()
    served = Served(url)
    key = served.key("k", ALL, ask="cards")
    line = command("1", "issue", card=CARD, kind="anonymous", paid=2000)
    assert served.post(line, key)[0] == 200
    own_server.kill()
    try:
        for method, path, body in (("GET", "/healthz", None), ("GET", f"/v1/cards/{CARD}", None), ("POST", "/v1/commands", line)):
            status, headers, said = served.call(method, path, body, key)
            assert status == 503, (path, said)
            assert int(headers["retry-after"]) >= 1
            assert json.loads(said)["code"] in ("store-unavailable", "outcome-unknown")
    finally:
        own_server.start()
    assert served.get("/healthz")[0] == 200
    assert served.post(line, key)[1]["repeated"]
    assert served.stop() == 0


def test_workers_share_an_address_and_their_numbers(own_server):
    """Three processes on PostgreSQL: all commands are decided once, the numbers are added up, SIGTERM ends them all."""
    url = own_server.database()
    served = Served(url, "--workers", "3")
    key = served.key("k", ALL)
    for n in range(60):
        line = command(f"{n}", "issue", card=f"JW{n:015d}", kind="anonymous", paid=2000)
        assert served.post(line, key)[1]["outcome"] == "accepted"
    assert query(url, "SELECT count(*) FROM event WHERE sender = 'k'") == [(60,)]
    assert served.stop() == 0
    assert problems(url) == []


_AT_ONCE = """
import os, signal, sys
import uvicorn
from farecard.cli.main import main

def told(then):
    def first(*said, **named):
        os.kill(os.getpid(), signal.{how})
        return then(*said, **named)
    return first

if "{when}" == "ready":
    from farecard.cli import serve as window
    window.say = told(window.say)
else:
    uvicorn.Server.serve = told(uvicorn.Server.serve)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("when", ["ready", "starting"])
def test_told_to_stop_while_it_starts_it_stops(tmp_path, how, when):
    """As soon as it has said that it serves, whoever started it may stop it; no moment is too early to be heard."""
    done = subprocess.run(
        [sys.executable, "-c", _AT_ONCE.format(how=how, when=when), "--store", f"sqlite:///{tmp_path}/s.db", "serve", "--port", "0"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "farecard: stopped; everything that was accepted was answered"), done


def test_several_workers_need_postgresql(tmp_path):
    """One process writes a SQLite store; it says so."""
    done = farecard("--store", f"sqlite:///{tmp_path}/w.db", "serve", "--port", "0", "--workers", "2", check=False)
    assert done.returncode == 2
    assert "use PostgreSQL" in done.stderr.decode()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--limit", "unread"], "--limit"), (["--limit", "nothing=1"], "nothing: unknown; known are body"),
     (["--limit", "unread=0"], "more than 0"), (["--workers", "0"], "1 or more"), (["--host", "192.0.2.1"], "cannot be served")],
)  # fmt: skip
def test_what_cannot_be_served_is_said_before_it_is_tried(tmp_path, words, said):
    """Exit status 2 and the word that is wrong."""
    done = farecard("--store", f"sqlite:///{tmp_path}/w.db", "serve", "--port", "0", *words, check=False)
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_nothing_personal_and_no_key_in_logs_and_numbers(own):
    """A holder's name, phone and birthday, a key and a full card number: in no line and in no metric."""
    served = own("--log-level", "debug")
    key = served.key("quiet", ALL, ask="cards")
    holder = {"name": "山田太郎", "kana": "ヤマダタロウ", "born": "1980-02-03", "phone": "09012345678"}
    served.post(command("1", "issue", card=CARD, kind="named", paid=2000, holder=holder), key)
    served.post(command("2", "issue", card=CARD, kind="named", paid=2000, holder={**holder, "x": 1}), key)
    served.get(f"/v1/cards/{CARD}/history", key)
    served.get(f"/v1/cards/{CARD}/{key}", key)
    served.call("GET", f"/v1/cards/{CARD}?as_of={holder['phone']}", key=key)
    with served.socket() as wire:
        wire.sendall(f"GET /{CARD} {holder['phone']}\r\n\r\n".encode())
        all_of(wire)
    _, _, numbers = served.call("GET", "/metrics")
    served.stop()
    for word in (*holder.values(), key, CARD):
        assert word not in served.said
        assert word not in numbers.decode()


def test_the_log_names_each_command_through_all_layers(own_server):
    """At its most talkative each decision with its rule, from the window; what nobody knows by its id, from the desk, always."""
    served = Served(own_server.database(), "--log-level", "debug")
    key = served.key("teller", "counter,shop")
    served.post(command("sale-1", "issue", card=CARD, kind="anonymous", paid=2000), key)
    served.post(command("no-1", "purchase", channel="shop", card=CARD, amount=9000, merchant="m"), key)
    served.journal([command("line-1", "purchase", channel="shop", card=CARD, amount=1, merchant="m")], key)
    with psycopg.connect(served.url, options="-c search_path=farecard") as other:
        other.execute("LOCK TABLE batch, account IN ACCESS EXCLUSIVE MODE")
        got = []
        line = command("lost-1", "purchase", channel="shop", card=CARD, amount=1, merchant="m")
        asking = threading.Thread(target=lambda: got.append(served.call("POST", "/v1/commands", line, key)))
        asking.start()
        eventually(lambda: waiting_for_a_lock(served.url))
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        asking.join(60)
    assert got[0][0] == 503
    served.stop()
    lines = [json.loads(one) for one in served.said.splitlines() if one.startswith("{")]
    decided = {one["id"]: (one["sender"], one["outcome"], one["rule"]) for one in lines if one["message"] == "decided"}
    assert decided == {
        "sale-1": ("teller", "accepted", None), "no-1": ("teller", "refused", "SHOP-1"), "line-1": ("teller", "accepted", None),
    }  # fmt: skip
    (desks,) = [one for one in lines if "commands" in one]
    assert (desks["level"], desks["logger"], desks["commands"]) == ("error", "farecard", ["teller lost-1"])
    (windows,) = [one for one in lines if one.get("id") == "lost-1"]
    assert (windows["level"], windows["logger"], windows["sender"]) == ("error", "farecard.api", "teller")


def waiting_for_a_lock(url):
    with psycopg.connect(url) as db:
        return db.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()[0]


@pytest.mark.parametrize(
    ("said", "masked_as"),
    [
        ("JW000000000001234", "JW...1234"), ("case C000000000001234-7Q2MX4KD", "case C...1234-7Q2MX4KD"),
        ("S000000000001234-1", "S...1234-1"), ("fc_abcdefghijkl", "fc_..."), ("fs_abcdefghijkl", "fs_..."), ("desk-0", "desk-0"),
    ],
)  # fmt: skip
def test_what_the_log_masks(said, masked_as):
    """A card number in any of its forms, a key, a token; nothing else."""
    assert masked(said) == masked_as


# -- the description -----------------------------------------------------------------------------


def test_the_page_and_the_document_are_served_and_every_problem_has_its_place(served):
    """The type of each problem leads to its paragraph; the page needs no script and no other host."""
    status, said = served.get("/openapi.json")
    assert (status, said["openapi"]) == (200, "3.1.0")
    status, headers, body = served.call("GET", "/docs")
    text = body.decode()
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "<script" not in text and "http://" not in text and "https://" not in text
    for code in said["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]:
        assert f'id="{code}"' in text
    for path in said["paths"]:
        assert path in text


def test_answers_to_questions_are_as_described(served, everywhere):
    """Cards of every kind and state of a sample: status, history, quotes, points and books fit their schemas."""
    from test_openapi import validator

    served.journal(list(journal(900, seed=5)), served.key("described", ALL))
    text = b" ".join(journal(900, seed=5)).decode()
    cards = sorted(set(re.findall(r'"card": ?"(JW\d{15})"', text)))[::3]
    assert len(cards) > 10
    for what, name in (("", "Status"), ("/history", "History"), ("/refund-quote", "RefundQuote"),
                       ("/reissue-quote", "ReissueQuote"), ("/quick-charge-quote", "QuickChargeQuote"), ("/points", "Points")):  # fmt: skip
        check = validator(name)
        for card in cards:
            status, answer = served.get(f"/v1/cards/{card}{what}", everywhere)
            if status == 200:
                check.validate(answer)
    validator("Events").validate(served.get("/v1/events", served.key("follower", ask="events"))[1])
    validator("TrialBalance").validate(served.get("/v1/trial-balance", everywhere)[1])
    validator("Health").validate(served.get("/healthz")[1])


# -- who may do what where -------------------------------------------------------------------------


def every_cell():
    """Each command from each channel, on a fresh card of each kind; what the command needs besides is as in its example."""
    holder = {"name": "見本", "kana": "ミホン", "born": "1990-04-01", "phone": "06"}
    section = {"from": "Osaka", "to": "Kyoto", "valid_from": "2023-03-01", "valid_until": "2023-08-31"}
    for k, kind in enumerate(KINDS):
        for d, (do, example) in enumerate(EXAMPLES.items()):
            for c, channel in enumerate(CHANNELS):
                n = (k * 100 + d) * 100 + c
                card = f"JW5{n:014d}"
                sale = {"card": card, "kind": kind, "paid": 0 if kind in PHONES else 2000}
                if kind != "anonymous":
                    sale["holder"] = holder | {"born": f"{1900 + n // 10_000}-{n // 100 % 12 + 1:02d}-{n % 28 + 1:02d}", "kana": f"ミホン{n}"}
                if kind == "commuter":
                    sale["pass"] = section
                own = {"id": f"{do}-{n}", "channel": channel} | ({"card": card} if "card" in example else {})
                if do == "issue":
                    yield json.dumps(example | sale | own).encode()
                    continue
                yield command(f"sale-{n}", "issue", channel="icoca-app" if kind in PHONES else "counter", **sale)
                more = {"to": f"JW6{n:014d}"} if do == "move_to_phone" else {}
                more |= {"person": f"p{n}"} if "person" in example else {}
                more |= {"of": f"sale-{n}"} if do == "reverse" else {}
                yield json.dumps(example | own | more).encode()


def test_every_cell_of_the_table_answers_as_a_replay(served, tmp_path):
    """Each of the 19 channels for each of the commands and each kind of card, and of keys those that speak for it."""
    lines = list(every_cell())
    assert len(lines) > 6_000
    expected = answers(new_desk(tmp_path), lines, sender="cells")
    key = served.key("cells", ALL + ",operations", unattended=True)
    status, got = served.journal(lines, key)
    assert status == 200
    outcomes = set()
    for line, one, other in zip(lines, got, expected, strict=True):
        if json.loads(line)["do"] in RUNS:  # what they come to depends on all other cards of the store
            assert (one["outcome"], one["reasons"]) == (other["outcome"], other["reasons"]), line
        else:
            assert one == other, line
        outcomes.add(one["outcome"])
    assert {"accepted", "refused", "invalid"} <= outcomes


@pytest.mark.parametrize("do", EXAMPLES)
def test_a_key_of_each_channel_speaks_for_no_other(served, do):
    """Each command from each channel with a key of one: 403 for eighteen channels, a decision for its own."""
    line = EXAMPLES[do] | {"at": "2000-01-01T00:00:00+09:00"}
    own = line["channel"]
    key = served.key(f"only-{do}", own, **({"unattended": True} if own == "operations" else {}))
    for channel in CHANNELS:
        status, answer = served.post(json.dumps(line | {"channel": channel}).encode(), key, "/v1/commands?dry_run=true")
        if channel == own:
            assert status in (200, 422)
            assert answer["outcome"] != "accepted" or do in ("issue", *NEEDS_NO_CARD)
        else:
            assert (status, answer["code"], answer["params"]["choices"]) == (403, "channel-not-allowed", [own])
