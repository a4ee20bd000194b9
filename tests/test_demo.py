"""What a newcomer sees first: the demonstration, on either engine, and the commands it says to try next."""

import json
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from conftest import farecard
from serving import Served
from visiting import Browser


@pytest.fixture
def urls(tmp_path, own_server):
    """Stores that are not there yet, one an engine."""
    return f"sqlite:///{tmp_path}/a b.db", own_server.database()


def test_the_demonstration_shows_its_store_and_what_to_try_next(urls, tmp_path):
    """Decisions, refusals, the books; then every command it names works on the store it has made."""
    for url in urls:
        said = farecard("--store", url, "demo", "--commands", "300", cwd=tmp_path).stdout.decode()
        assert "A generated journal: 300 commands" in said
        assert "it was filled already" not in said
        named = re.findall(r"^  \S+ (--store .*)$", said, re.MULTILINE)
        assert len(named) == 6
        for words in named:
            assert farecard(*shlex.split(words), cwd=tmp_path).stdout


def test_a_second_demonstration_says_that_the_first_is_there(urls, tmp_path):
    """The same commands again are told what they were told, and the books stay as they were."""
    for url in urls:
        first = json.loads(farecard("--store", url, "--json", "demo", "--commands", "300", cwd=tmp_path).stdout)
        assert "it was filled already" in farecard("--store", url, "demo", "--commands", "300").stdout.decode()
        again = json.loads(farecard("--store", url, "--json", "demo", "--commands", "300").stdout)
        assert again["books"] == first["books"]


@contextmanager
def demonstrated(url, cwd, commands=300):
    """``farecard demo --serve`` as a process; gives it and what it printed up to the key, and ends it."""
    words = [sys.executable, "-m", "farecard.cli.main", "--store", url, "demo", "--commands", str(commands), "--serve"]
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)
    try:
        lines = []
        while not lines or "how programs speak to it" not in lines[-1]:
            lines.append(running.stdout.readline())
            assert lines[-1], running.stderr.read()
        yield running, "".join(lines)
    finally:
        running.terminate()
        running.communicate(timeout=60)


def test_the_demonstration_serves_every_window_and_says_who_can_sign_in(urls, tmp_path):
    """Each address it prints opens with the name and password beside it; the member's cards are there; the store stays whole."""
    for url in urls:
        with demonstrated(url, tmp_path) as (running, said):
            password = re.search(r"everybody's password is  (.+)", said)[1]
            found = re.findall(r"^http://127\.0\.0\.1:(\d+)/(\w+)\s+(\S+)\s", said, re.MULTILINE)
            assert [window for _, window, _ in found] == ["member", "counter", "operations", "operations", "operations"]
            for port, window, name in found:
                browser = Browser(SimpleNamespace(port=int(port)))
                browser.look(f"/{window}")
                field = "login" if window == "member" else "name"
                text = browser.press("Sign in", **{field: name, "password": password})
                assert browser.path == f"/{window}", text
                if window == "member":
                    assert text.count("…00") == 4
                    assert "Applied for on Fri 3 March 2023" in browser.look("/member/cards/JW900000000000021/myna")
            assert f"http://127.0.0.1:{found[0][0]}/machine" in said
        assert running.returncode == 0
        assert json.loads(farecard("--store", url, "check", "--json").stdout)["ok"]


def test_a_server_ends_by_itself_when_nobody_asks(tmp_path):
    """For demonstrations without a terminal: a second without a request, and it is gone in good order."""
    served = Served(f"sqlite:///{tmp_path}/s.db", "--until-idle", "1")
    assert served.get("/healthz")[0] == 200
    assert served.process.wait(60) == 0
    assert served.stop() == 0


@pytest.mark.parametrize("words", [("--until-idle", "0"), ("--until-idle", "-1")])
def test_how_long_is_more_than_nothing(tmp_path, words):
    """Said at once, and nothing is served."""
    done = farecard("--store", f"sqlite:///{tmp_path}/s.db", "serve", "--port", "0", *words, check=False)
    assert (done.returncode, b"more than 0 seconds" in done.stderr) == (2, True)
