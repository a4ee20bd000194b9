"""Whatever bytes come in at the two hot endpoints: each input is answered or hung up on, the store stays whole.

``FARECARD_FUZZ`` says how many inputs (200,000 unless it does), ``FARECARD_FUZZ_SEED`` where they begin.
"""

import json
import os
import random
import re
import socket
from contextlib import suppress
from threading import Thread

import pytest

from conftest import a_store, farecard
from farecard.api.examples import EXAMPLES
from farecard.sample import journal
from serving import WAIT, Served
from state import outcomes, problems

INPUTS = int(os.environ.get("FARECARD_FUZZ", "200000"))
SEED = int(os.environ.get("FARECARD_FUZZ_SEED", "1"))
UPLOAD = 5_000  # lines of one journal
ALL = ",".join(sorted({one["channel"] for one in EXAMPLES.values()} | {"other-rail", "other-counter"}))
ODD = [
    b"\x00", b"\xff", b"\xc3\x28", b"\xf0\x9f\x98\x80", b"\\u0000", b"\\ud800", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ",
    b"null", b"true", b"-1", b"1e400", b"9223372036854775808", b"-9223372036854775809", b"0.5", b"1E5", b"\xef\xbc\x91",
    b'"id":"x",', b'"do":"issue",', b"[" * 200, b'{"a":' * 100, b"JW000000000000001", b"2023-02-31T00:00:00+09:00", b"\xef\xbb\xbf",
]  # fmt: skip
HEADS = [
    b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length: 0x10",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Content-Type: text/plain", b"Content-Encoding: gzip",
    b"Expect: 100-continue", b"Connection: close", b"Upgrade: websocket", b"X: " + b"y" * 20_000, b"Host: a\x00b", b": nothing",
    b"Authorization: Bearer fs_nobody", b"Authorization: Basic eDp5",
]  # fmt: skip


@pytest.fixture
def store(request, tmp_path):
    """An empty store of the engine that is named."""
    return a_store(request, tmp_path)


def seeds(rng):
    """Lines that are commands: a sample's, and one of each kind."""
    lines = [line for line in journal(3_000, seed=rng.randrange(1_000)) if b"commit_draw" not in line and b"draw_lottery" not in line]
    lines = [line for line in lines if b"run_grants" not in line]  # a run looks at all cards; it is not what is fuzzed
    return lines + [json.dumps(one).encode() for do, one in EXAMPLES.items() if do not in ("run_grants", "commit_draw", "draw_lottery")]


def mutated(rng, line, others):
    """A line with one to four things wrong with it, or none."""
    for _ in range(rng.randrange(5)):
        at = rng.randrange(len(line) + 1)
        to = min(len(line), at + rng.randrange(1, 20))
        match rng.randrange(8):
            case 0:
                line = line[:at] + bytes([rng.randrange(256)]) + line[at + 1 :]
            case 1:
                line = line[:at] + line[to:]
            case 2:
                line = line[:to] + line[at:]
            case 3:
                line = line[:at] + rng.choice(ODD) + line[at:]
            case 4:
                line = line[:at] + rng.choice(others)[at:]
            case 5:
                line = re.sub(rb"\d+", lambda _: rng.choice((b"0", b"1", b"-5", b"1000", b"20001", b"99999999999999999999")), line, count=1)
            case 6:
                line = re.sub(rb'"[a-z_]+":', lambda _: rng.choice((b'"card":', b'"x":', b'"":', b'"do":')), line, count=1)
            case 7:
                line = line[:at]
        if not line:
            break
    return line.replace(b"\n", b" ").replace(b"\r", b" ")


def uploads(rng, count):
    """Journals of mutated lines; ids of their own, so that what is accepted can be counted."""
    others = seeds(rng)
    for first in range(0, count, UPLOAD):
        some = []
        for n in range(first, min(count, first + UPLOAD)):
            line = rng.choice(others)
            line = re.sub(rb'"id": ?"[^"]*"', b'"id":"f%d"' % n, line, count=1)
            some.append(mutated(rng, line, others))
        yield some


def is_blank(line):
    return not line.strip(b" \t")


def by_journal(served, key, rng, count, tally):
    """Every line that is not blank gets one decision, whatever stands in it."""
    for some in uploads(rng, count):
        status, answers = served.journal(some, key)
        assert status == 200
        assert len(answers) == sum(not is_blank(line) for line in some)
        for answer in answers:
            tally(answer)


def requests(rng, key, count):
    """Requests to ``/v1/commands``: three quarters with a whole head, the rest with anything in it."""
    others = seeds(rng)
    for n in range(count):
        line = re.sub(rb'"id": ?"[^"]*"', b'"id":"c%d"' % n, rng.choice(others), count=1)
        body = mutated(rng, line, others)
        head = [
            b"POST /v1/commands HTTP/1.1", b"Host: t", b"Authorization: Bearer " + key.encode(), b"Content-Type: application/json",
            b"Content-Length: %d" % len(body),
        ]  # fmt: skip
        whole = rng.random() < 0.75
        if whole:
            yield whole, b"\r\n".join(head) + b"\r\n\r\n" + body
            continue
        for _ in range(rng.randrange(1, 4)):
            match rng.randrange(4):
                case 0:
                    head.insert(rng.randrange(1, len(head) + 1), rng.choice(HEADS))
                case 1:
                    head.pop(rng.randrange(len(head)))
                case 2:
                    at = rng.randrange(len(head))
                    head[at] = mutated(rng, head[at], HEADS)
                case 3:
                    head[0] = rng.choice(
                        (b"GET /v1/commands HTTP/1.1", b"POST /v1/commands?dry_run=maybe HTTP/1.1", b"POST // HTTP/9.9", b"PRI * HTTP/2.0",
                         b"POST /v1/journal HTTP/1.1", b"\x16\x03\x01", b"POST /v1/commands HTTP/1.0")
                    )  # fmt: skip
            if not head:
                break
        yield whole, b"\r\n".join(head) + b"\r\n\r\n" + body


class Client:
    """Sends requests on one connection as long as it lasts."""

    def __init__(self, port):
        self.port = port
        self.socket = None

    def ask(self, request, *, whole):
        """(status, body), or None where the server hung up. Whoever sends no whole request says so by ending his side."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        try:
            self.socket.sendall(request)
            if not whole:
                with suppress(OSError):  # it hung up first; what it said before that is read all the same
                    self.socket.shutdown(socket.SHUT_WR)
            return self._answer(whole)
        except TimeoutError:
            raise AssertionError(f"no answer to {request!r}") from None
        except (ConnectionError, BrokenPipeError):
            whole = False
            return None
        finally:
            if not whole:
                self.close()

    def _answer(self, whole):
        data = b""
        while True:
            head, end, rest = data.partition(b"\r\n\r\n")
            if end:
                length = re.search(rb"content-length: (\d+)", head.lower())
                if head.startswith(b"HTTP/1.1 100"):
                    data = rest
                    continue
                if whole and length and len(rest) >= int(length[1]):
                    if b"connection: close" in head.lower():
                        self.close()
                    return int(head[9:12]), rest
            piece = self.socket.recv(65_536)
            if not piece:
                self.close()
                return (int(head[9:12]), rest) if end else None
            data += piece

    def close(self):
        if self.socket is not None:
            with suppress(OSError):
                self.socket.close()
            self.socket = None


def by_commands(port, key, rng, count, tally, seen):
    client = Client(port)
    for whole, request in requests(rng, key, count):
        answer = client.ask(request, whole=whole)
        assert answer is not None or not whole, request
        if answer is None:
            continue
        status, body = answer
        seen.add(status)
        assert status < 500, (request, answer)
        if whole:
            assert status in (200, 400, 403, 413, 422), (request, answer)
        if status in (200, 422) and body.startswith(b'{"id"'):
            with suppress(ValueError):  # the answer to a whole request, and another's behind it
                tally(json.loads(body))
    client.close()


@pytest.mark.parametrize(
    ("store", "inputs"), [("sqlite", INPUTS), ("postgresql", INPUTS // 10)], indirect=["store"], ids=["sqlite", "postgresql"]
)
def test_whatever_comes_in_is_answered_and_the_store_stays_whole(store, inputs):
    """A third as single requests by two clients at once, the rest as lines of journals."""
    served = Served(store)
    counts, accepted, seen, failed = {}, set(), set(), []

    def counting(sender):
        def tally(answer):
            outcome = answer["outcome"]
            counts[outcome] = counts.get(outcome, 0) + 1
            assert outcome in ("accepted", "refused", "referred", "invalid")
            if outcome == "accepted" and not answer.get("repeated"):
                accepted.add((sender, answer["id"]))

        return tally

    def run(work, *args):
        try:
            work(*args)
        except BaseException as error:  # noqa: BLE001  # told by the test itself
            failed.append(error)

    try:
        keys = {name: served.key(name, ALL, unattended=True) for name in ("journal", "one", "two")}
        single = inputs // 6
        threads = [
            Thread(target=run, args=(by_journal, served, keys["journal"], random.Random(SEED), inputs - 2 * single, counting("journal"))),
            *(
                Thread(target=run, args=(by_commands, served.port, keys[name], random.Random(SEED + n), single, counting(name), seen))
                for n, name in enumerate(("one", "two"), 1)
            ),
        ]  # fmt: skip
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert not failed, failed[0]
        health = served.call("GET", "/healthz")
        assert health[0] == 200
    finally:
        assert served.stop() == 0, served.said
    assert problems(store) == []
    assert json.loads(farecard("--store", store, "--json", "check").stdout)["ok"]
    for outcome in ("accepted", "refused", "invalid"):
        assert counts[outcome] > inputs // 2_000, counts
    assert {200, 400, 422} <= seen
    assert not [line for line in served.said.splitlines() if '"error"' in line], served.said[:2_000]
    kept = outcomes(store)
    assert {kept.get(one) for one in accepted} == {"accepted"}
