"""``farecard.client``: whatever breaks on the way, a command is done once; and the examples do what they say."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conftest import command, farecard
from farecard.client import (
    Farecard,
    Holder,
    Issue,
    ProblemError,
    Purchase,
    TopUp,
    UnreachableError,
    new_id,
    now,
)
from farecard.client import calls as calls_module
from postgres import free_port
from serving import WAIT, Served

CARD = "JW000000000000001"
EXAMPLES = Path(__file__).parent.parent / "examples"
AT = "2023-03-01T12:00:00+09:00"


@pytest.fixture
def served(tmp_path):
    """A farecard that serves, with a card of 2,000 yen and 500 of it the deposit."""
    one = Served(f"sqlite:///{tmp_path / 's.db'}")
    one.secret = one.key("till", "shop,counter,ticket-machine", ask="cards,trial-balance")
    with Farecard(f"http://127.0.0.1:{one.port}", one.secret) as client:
        sold = client.send(Issue(id="sold", at=AT, channel="counter", card=CARD, kind="anonymous", paid=2000))
        assert sold.accepted, sold
    yield one
    one.stop()


def client_of(served, **options):
    return Farecard(f"http://127.0.0.1:{served.port}", served.secret, **options)


def top_up(id, amount=1000, at=AT):
    return TopUp(id=id, at=at, channel="ticket-machine", card=CARD, amount=amount, tender="cash")


class Proxy:
    """Between a client and a server: passes bytes on, and breaks off as often as it is told to."""

    def __init__(self, port, breaks):
        self._to = port
        self._breaks = breaks  # how many bytes of an answer pass before each of the first connections breaks
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            most = self._breaks[self.connections] if self.connections < len(self._breaks) else None
            self.connections += 1
            with client, socket.create_connection(("127.0.0.1", self._to)) as server:
                self._pass(client, server, most)

    @staticmethod
    def _pass(client, server, most):
        passed = 0
        while True:
            for one in select.select([client, server], [], [], WAIT)[0]:
                try:
                    piece = one.recv(1 << 14)
                except ConnectionError:
                    return
                if not piece:
                    return
                if one is client:
                    server.sendall(piece)
                    continue
                if most is not None and passed + len(piece) > most:
                    client.sendall(piece[: most - passed])
                    return
                client.sendall(piece)
                passed += len(piece)

    def close(self):
        self._listening.close()


def test_a_command_and_its_decision(served):
    """2,000 paid are 1,500 and a deposit; 1,000 more make 2,500. A refusal names its rule; nothing is guessed."""
    with client_of(served) as client:
        done = client.send(top_up("t1"))
        assert (done.outcome, done.result["balance"], done.repeated) == ("accepted", 2500, False)
        assert client.send(top_up("t1")).repeated
        no = client.send(TopUp(id="t2", at=AT, channel="ticket-machine", card=CARD, amount=1000, tender="credit"))
        assert not no.accepted
        assert no.reasons[0].rule
        assert no.reasons[0].do_next.en
        assert client.status(CARD)["card"]["balance"] == 2500
        assert len(client.history(CARD)) >= 2
        assert client.trial_balance()["debit"] == client.trial_balance()["credit"]
        assert client.health()["status"] == "ok"


def test_a_dry_run_keeps_nothing(served):
    """The decision as it would be; afterwards the same id is free."""
    with client_of(served) as client:
        assert client.send(top_up("t1"), dry_run=True).result["balance"] == 2500
        assert not client.send(top_up("t1")).repeated


def test_what_the_server_does_not_take_is_told_with_its_code(served):
    """A wrong key at once, without another attempt; a broken address before anything is sent."""
    with Farecard(f"http://127.0.0.1:{served.port}", "fc_wrong") as client:
        with pytest.raises(ProblemError) as told:
            client.send(top_up("t1"))
        assert (told.value.status, told.value.code) == (401, "unknown-key")
        with pytest.raises(ProblemError):
            list(client.journal([top_up("t1")]))
    with client_of(served) as client, pytest.raises(ProblemError) as told:
        client.status("JW000000000000009")
    assert (told.value.status, told.value.code) == (404, "unknown-card")
    for url in ("127.0.0.1:80", "ftp://x", "http://"):
        with pytest.raises(ValueError, match="address"):
            Farecard(url, "fc_x")


@pytest.mark.parametrize("passed", [0, 40, 80, 100, 150])
def test_an_answer_that_is_lost_is_asked_for_again(served, passed):
    """The command was decided, its answer broken off twice, before, within and after its head: it is done once."""
    proxy = Proxy(served.port, [passed, passed])
    with Farecard(f"http://127.0.0.1:{proxy.port}", served.secret) as client:
        done = client.send(top_up("t1"))
    proxy.close()
    assert (done.repeated, done.result["balance"], proxy.connections) == (True, 2500, 3)


def test_after_so_many_attempts_it_says_so(monkeypatch):
    """Nobody listens there: the error says that the same id may be sent again."""
    monkeypatch.setattr(calls_module, "FIRST_PAUSE", 0.001)
    with Farecard(f"http://127.0.0.1:{free_port()}", "fc_x", attempts=3) as client:
        with pytest.raises(UnreachableError, match=r"3 times.*same id"):
            client.send(top_up("t1"))
        with pytest.raises(UnreachableError):
            list(client.journal([top_up("t1")]))


def test_a_connection_that_was_idle_too_long_is_no_failure(served):
    """The server was started anew meanwhile: the next call goes over a new connection, without a pause."""
    proxy = Proxy(served.port, [])
    with Farecard(f"http://127.0.0.1:{proxy.port}", served.secret, attempts=1) as client:
        assert client.send(top_up("t1")).accepted
        first = client._calls._kept.sock
        first.shutdown(socket.SHUT_RDWR)
        assert client.send(top_up("t1")).repeated
    proxy.close()


def test_a_journal_that_breaks_off_goes_on_where_its_answers_end(served):
    """Three breaks, in the first answer's head and within answers: every line decided once, in order."""
    lines = [top_up(f"t{n}") for n in range(3)]
    lines += [Purchase(id=f"p{n}", at=AT, channel="shop", card=CARD, amount=1, merchant="kiosk") for n in range(2000)]
    proxy = Proxy(served.port, [0, 30_000, 90_001])
    with Farecard(f"http://127.0.0.1:{proxy.port}", served.secret) as client:
        got = list(client.journal(lines))
        assert [one.id for one in got] == [one.id for one in lines]
        assert all(one.accepted for one in got)
        assert client.status(CARD)["card"]["balance"] == 1500 + 3 * 1000 - 2000
    proxy.close()
    assert proxy.connections == 5  # three broken ones, the one that ended well, and the question's


def test_a_server_killed_amid_a_journal_and_started_again(tmp_path):
    """Killed without a word after some answers, back on the same port: nothing is lost, nothing done twice."""
    url, port = f"sqlite:///{tmp_path / 's.db'}", free_port()
    running = [Served(url, "--port", str(port))]
    secret = running[0].key("till", "shop,counter", ask="cards")
    cards = [f"JW{n:015d}" for n in range(10)]
    lines = [
        Purchase(id=f"p{n}", at=AT, channel="shop", card=cards[n % 10], amount=1, merchant="kiosk") for n in range(14_000)
    ]
    got = []
    try:
        with Farecard(f"http://127.0.0.1:{port}", secret, attempts=20) as client:
            for n, card in enumerate(cards):
                assert client.send(
                    Issue(id=f"s{n}", at=AT, channel="counter", card=card, kind="anonymous", paid=2000)
                ).accepted
            for decision in client.journal(lines):
                got.append(decision)
                if len(got) == 100:
                    running[0].stop(signal.SIGKILL)
                    running.append(Served(url, "--port", str(port)))
            assert [one.id for one in got] == [one.id for one in lines]
            assert all(one.accepted for one in got), [one for one in got if not one.accepted][:1]
            # 2,000 with a deposit of 500, less 1,400 purchases of one yen each
            assert {client.status(card)["card"]["balance"] for card in cards} == {100}
    finally:
        status = running[-1].stop()
    assert status == 0
    assert farecard("--store", url, "check").returncode == 0


def test_a_journals_source_is_checked(served, tmp_path):
    """A file that is not there, what cannot be read twice, and what is no command: told, and nothing hangs."""
    with client_of(served) as client:
        with pytest.raises(FileNotFoundError):
            client.journal(tmp_path / "none.ndjson")
        with pytest.raises(TypeError, match="again"):
            client.journal(iter([top_up("t1")]))
        with pytest.raises(TypeError):
            list(client.journal([top_up("t1"), TopUp(id="x", at=object(), channel="shop", card=CARD, amount=1, tender="cash")]))
        assert list(client.journal([])) == []


def test_a_follower(served):
    """Its own events, a page at a time, and from the last place on nothing more."""
    with client_of(served) as client:
        client.send(top_up("t1"))
        found = list(client.events(limit=1))
        assert [event["id"] for event, _ in found] == ["sold", "t1"]
        assert list(client.events(found[-1][1])) == []


def test_commands_are_written_as_the_contract_has_them():
    """A nested holder, and a field whose name is a word of Python."""
    import msgspec

    holder = Holder(name="見本 花子", kana="ミホン ハナコ", born="1990-04-01", phone="0600000000")
    written = msgspec.json.decode(
        msgspec.json.encode(Issue(id="a", at=AT, channel="counter", card=CARD, kind="icoca", paid=2000, holder=holder))
    )
    assert written["do"] == "issue"
    assert written["holder"]["kana"] == "ミホン ハナコ"
    assert "pass" not in written
    assert new_id() != new_id()
    assert now().endswith("+09:00")


# -- the examples ------------------------------------------------------------------------------


def run(example, served, *args):
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{example}.py", f"http://127.0.0.1:{served.port}", *args],
        capture_output=True, text=True, env={**os.environ, "FARECARD_KEY": served.secret}, timeout=WAIT, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_the_shops_terminal(served):
    """480 yen of 1,500 leave 1,020; then the balance does not do for 2,000, and it says what to do."""
    paid = run("shop_terminal", served, CARD, "480", "--merchant", "kiosk")
    assert (paid.returncode, "1,020" in paid.stdout) == (0, True), paid
    no = run("shop_terminal", served, CARD, "2000", "--merchant", "kiosk")
    assert no.returncode == 1
    assert "1,020" in no.stdout or "980" in no.stdout


def test_the_nightly_upload(served, tmp_path):
    """Twice the same: the second time all are repeated; a line that is no command ends it with 1."""
    journal = tmp_path / "day.ndjson"
    lines = [
        command(f"n{n}", "purchase", channel="shop", card=CARD, amount=1, merchant="kiosk", at=AT) for n in range(300)
    ]
    journal.write_bytes(b"\n".join(lines) + b"\n")
    first = run("nightly_upload", served, str(journal))
    assert (first.returncode, "300 accepted" in first.stderr) == (0, True), first.stderr
    again = run("nightly_upload", served, str(journal))
    assert "300 repeated" in again.stderr
    assert len(again.stdout.splitlines()) == 300
    journal.write_bytes(b"{}\n")
    assert run("nightly_upload", served, str(journal)).returncode == 1


def test_where_are_my_points(served):
    """Both languages; a card that is not there is said to be none."""
    assert "points" in run("where_are_my_points", served, CARD, "--lang", "en").stdout
    assert "ポイント" in run("where_are_my_points", served, CARD).stdout
    none = run("where_are_my_points", served, "JW000000000000009")
    assert (none.returncode, "unknown-card" in none.stderr) == (1, True)


def test_the_examples_say_how_they_are_called():
    """Each begins with what it is for and a line to copy."""
    for path in EXAMPLES.glob("*.py"):
        assert "FARECARD_KEY=" in path.read_text("utf-8"), path
