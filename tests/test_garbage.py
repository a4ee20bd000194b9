"""A request leaves no circle of objects behind: collecting ten thousand of them stops the loop for a tenth of a second."""

import asyncio
import gc
import http.client
import json
import threading

import pytest
import uvicorn

from conftest import a_store, command
from farecard.api.app import App
from farecard.api.limits import Limits
from farecard.api.metrics import Metrics
from farecard.api.serve import bind
from farecard.desk.opening import writing_desk
from serving import Served

CARD = "JW000000000000001"
REQUESTS = 200


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty store of either engine."""
    return a_store(request, tmp_path)


@pytest.fixture
def served(url):
    """The server in this process, where its garbage can be counted: its port and a key."""
    key = Served.key(type("Store", (), {"url": url}), "pos", "counter,shop", ask="cards")
    app = App(lambda: writing_desk(url), Limits(), Metrics(None))
    listening = bind("127.0.0.1", 0)
    config = uvicorn.Config(
        app, loop="uvloop", http="farecard.api.connection:Connection", ws="none", lifespan="on", log_config=None, access_log=False,
        proxy_headers=False, server_header=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    yield listening.getsockname()[1], key
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()


def purchase(id):
    return command(id, "purchase", channel="shop", card=CARD, amount=1, merchant="m")


def commands(connection, said, name):
    """Single commands, accepted and refused."""
    for n in range(REQUESTS):
        line = purchase(f"{name}-{n}") if n % 2 else command(f"{name}-{n}", "refund", channel="shop", card=CARD)
        connection.request("POST", "/v1/commands", line, said | {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["outcome"] == ("accepted" if n % 2 else "refused")


def questions(connection, said, _name):
    for _ in range(REQUESTS):
        connection.request("GET", f"/v1/cards/{CARD}", headers=said)
        assert connection.getresponse().read()


def journals(connection, said, name):
    for n in range(REQUESTS):
        body = b"\n".join(purchase(f"{name}-{n}-{k}") for k in range(3))
        connection.request("POST", "/v1/journal", body, said | {"Content-Type": "application/x-ndjson"})
        assert connection.getresponse().read().count(b'"accepted"') == 3


@pytest.mark.parametrize("ask", [commands, questions, journals])
def test_a_request_leaves_no_circle_behind(served, ask):
    """Of two hundred requests on one connection nothing is left for the collector that a request would have to answer for."""
    port, key = served
    said = {"Authorization": f"Bearer {key}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sale = command("sale", "issue", kind="anonymous", paid=2000, card=CARD)
    connection.request("POST", "/v1/commands", sale, said | {"Content-Type": "application/json"})
    assert connection.getresponse().read()
    ask(connection, said, "first")
    gc.collect()
    gc.disable()
    try:
        ask(connection, said, "then")
        left = gc.collect()
    finally:
        gc.enable()
    connection.close()
    assert left < REQUESTS / 4
