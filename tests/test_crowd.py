"""Five thousand connections at one server, half of them slow or broken: the others are served, and nothing is lost.

``FARECARD_CROWD`` says how many (5,000 unless it does), ``FARECARD_CROWD_SECONDS`` over how long (60). On SQLite, where
the same window stands before another way to commit, a fifth of them come in a quarter of the time.
"""

import asyncio
import json
import os
import random
import resource
from collections import Counter

import pytest

from conftest import a_store, command, farecard
from serving import Served
from state import outcomes, problems

CROWD = int(os.environ.get("FARECARD_CROWD", "5000"))
SECONDS = float(os.environ.get("FARECARD_CROWD_SECONDS", "60"))
SENT = 4  # commands of each good connection, over its life
CARDS = 500
# seconds; a server that waits longer for the slow than this test lasts would prove nothing about them
LIMITS = [f"--limit={name}={value}" for name, value in {"headers_within": 5, "body_within": 5, "unread": 5, "idle": 90, "silent": 10}.items()]


def card(n):
    return f"JW{n:015d}"


def top_up(id, n):
    return command(id, "top_up", channel="charge-machine", card=card(n), amount=1000, tender="cash")


def request(key, body, path="/v1/commands", kind="application/json"):
    head = (
        f"POST {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {key}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Crowd:
    """Who comes, what they were told, and what nobody knows."""

    def __init__(self, port, key, count, seconds):
        self.port, self.key = port, key
        self.count, self.seconds = count, seconds
        self.told = {}  # by id: the outcome
        self.unsure = {}  # by id: the command, of which no answer came
        self.ends = Counter()
        self.at_once = self.most = 0

    async def connection(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def answer(self, reader):
        """(status, body) of one answer with a length."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        return int(head[9:12]), await reader.readexactly(length)

    # -- the good --------------------------------------------------------------------------------

    async def good(self, n, rng, life):
        """A few commands over its life, on one connection; every one is answered."""
        reader, writer = await self.connection()
        for k in range(SENT):
            id = f"g{n}-{k}"
            writer.write(request(self.key, top_up(id, rng.randrange(CARDS))))
            status, body = await self.answer(reader)
            assert status == 200, body
            self.told[id] = json.loads(body)["outcome"]
            await asyncio.sleep(life / SENT)
        writer.close()

    # -- the slow and the broken -----------------------------------------------------------------

    async def silent(self, _n, _rng, life):
        """Says nothing at all."""
        _, writer = await self.connection()
        await asyncio.sleep(life)
        writer.close()

    async def half_a_head(self, _n, _rng, life):
        """Begins to speak and stops: it is told so, or hung up on."""
        reader, writer = await self.connection()
        writer.write(b"POST /v1/commands HTTP/1.1\r\nHost: t\r\nAutho")
        said = await asyncio.wait_for(reader.read(), life + 30)
        assert said.startswith(b"HTTP/1.1 408")
        writer.close()

    async def dripping(self, n, rng, life):
        """A command a byte at a time, and never its end."""
        reader, writer = await self.connection()
        whole = request(self.key, top_up(f"d{n}", rng.randrange(CARDS)))
        for byte in whole[: len(whole) - 30]:
            writer.write(bytes([byte]))
            await asyncio.sleep(life / len(whole))
            if reader.at_eof():
                break
        writer.close()

    async def gone_before_the_answer(self, n, rng, _life):
        """Sends a command and hangs up at once: nobody knows what became of it, until it is sent again."""
        _, writer = await self.connection()
        id = f"u{n}"
        line = top_up(id, rng.randrange(CARDS))
        self.unsure[id] = line
        writer.write(request(self.key, line))
        await writer.drain()
        writer.transport.abort()

    async def noise(self, _n, rng, _life):
        """No HTTP."""
        reader, writer = await self.connection()
        writer.write(rng.randbytes(200) + b"\r\n\r\n")
        await reader.read()
        writer.close()

    async def reads_nothing(self, n, rng, life):
        """A journal whose answers it does not take; what was decided stays."""
        _, writer = await self.connection()
        some = [top_up(f"r{n}-{k}", rng.randrange(CARDS)) for k in range(40)]
        self.unsure |= {json.loads(line)["id"]: line for line in some}
        writer.write(request(self.key, b"\n".join(some), "/v1/journal", "application/x-ndjson"))
        writer.transport.pause_reading()
        await asyncio.sleep(life)
        writer.transport.abort()

    async def come(self, n, rng, begins, life):
        await asyncio.sleep(begins)
        how = self.good if n % 2 else rng.choice(self.BAD).__get__(self)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await how(n, rng, life)
        except (ConnectionError, asyncio.IncompleteReadError):
            if n % 2:
                raise
            self.ends[f"{how.__name__}: hung up on"] += 1
        else:
            self.ends[how.__name__] += 1
        finally:
            self.at_once -= 1

    BAD = (silent, half_a_head, dripping, gone_before_the_answer, noise, reads_nothing)

    async def all_of_them(self, seed):
        rng = random.Random(seed)
        third = self.seconds / 3
        lives = [(rng.uniform(0, third), rng.uniform(third, 2 * third)) for _ in range(self.count)]
        async with asyncio.TaskGroup() as group:
            for n, (begins, life) in enumerate(lives):
                group.create_task(self.come(n, random.Random(seed * self.count + n), begins, life))


@pytest.fixture
def url(request, tmp_path):
    """An empty store of the engine that is named."""
    return a_store(request, tmp_path)


@pytest.fixture(autouse=True)
def many_files():
    """Each connection is an open file, here as there."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < CROWD + 500:
        pytest.skip(f"{most} open files are not enough")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


def by_id(url):
    """What the store holds; ids are of one sender here, and each its own."""
    return {id: outcome for (_, id), outcome in outcomes(url).items()}


@pytest.mark.parametrize(
    ("url", "count", "seconds"), [("sqlite", CROWD // 5, SECONDS / 4), ("postgresql", CROWD, SECONDS)],
    indirect=["url"], ids=["sqlite", "postgresql"],
)  # fmt: skip
def test_a_crowd_half_of_it_broken_loses_nothing(url, count, seconds):
    """The good are all answered; what was accepted is there; what nobody knows is answered when it is sent again, once."""
    served = Served(url, *LIMITS)
    try:
        key = served.key("crowd", "counter,charge-machine")
        sales = [command(f"s{n}", "issue", kind="anonymous", paid=2000, card=card(n)) for n in range(CARDS)]
        assert served.journal(sales, key)[0] == 200
        crowd = Crowd(served.port, key, count, seconds)
        asyncio.run(crowd.all_of_them(seed=5))
        assert crowd.ends["good"] == count // 2, crowd.ends
        assert crowd.most > count * 0.6
        assert len(crowd.ends) >= 6
        assert len(crowd.told) == count // 2 * SENT
        status, _, health = served.call("GET", "/healthz")
        assert (status, json.loads(health)["queue_waiting"]) == (200, 0)
        before = by_id(url)
        assert all(before[id] == outcome for id, outcome in crowd.told.items())
        ids = list(crowd.unsure)
        status, again = served.journal([crowd.unsure[id] for id in ids], key)
        assert status == 200
        repeated = Counter()
        for id, answer in zip(ids, again, strict=True):
            assert ("repeated" in answer) == (id in before)
            repeated["repeated" in answer] += 1
        assert repeated[True] > 0
    finally:
        assert served.stop() == 0, served.said
    kept = by_id(url)
    assert set(kept) == {json.loads(line)["id"] for line in sales} | set(crowd.told) | set(ids)
    assert problems(url) == []
    assert json.loads(farecard("--store", url, "--json", "check").stdout)["ok"]
    assert "failed" not in served.said
