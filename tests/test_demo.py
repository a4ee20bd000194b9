"""What a newcomer sees first: the demonstration, on either engine, and the commands it says to try next."""

import json
import re
import shlex

import pytest

from conftest import farecard


@pytest.fixture
def urls(tmp_path, database):
    """Stores that are not there yet, one an engine."""
    return f"sqlite:///{tmp_path}/a b.db", database


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
