"""Schemathesis tries whatever the API's own description allows, and much that it does not.

No answer is a server's error, and none is another than what is described: status, kind, headers, schema; a method
that is not there is refused, and so is a request without a key.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import residents
from conftest import WORKED_EXAMPLE
from postgres import binaries
from residents import WORD
from serving import Served
from state import problems
from test_api import ALL

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "ignored_auth",
)  # fmt: skip
EXAMPLES = os.environ.get("FARECARD_EXAMPLES", "12")


CARD = "JW000000000000001"


def key(served):
    """A terminal that may do and ask everything."""
    return served.key("anyone", ALL + ",operations", ask="cards,cases,trial-balance,events,metrics", unattended=True)


def operator(served):
    """Somebody in the back office who has signed in."""
    residents.hired(served.url, "sato", "operator")
    return served.post(json.dumps({"name": "sato", "password": WORD}).encode(), None, "/v1/sign-in")[1]["token"]


def member(served):
    """A card holder who has signed in, with a card of his own."""
    said = json.dumps({"login": "taro@example.com", "password": WORD}).encode()
    served.post(said, None, "/v1/members")
    token = served.post(said, None, "/v1/members/sign-in")[1]["token"]
    given = json.dumps({"for": "owning", "channel": "ticket-machine"}).encode()
    code = served.post(given, served.key("machine", "ticket-machine", ask="codes"), f"/v1/cards/{CARD}/code")[1]["code"]
    assert served.post(json.dumps({"card": CARD, "code": code}).encode(), token, "/v1/members/cards")[0] == 200
    return token


EVERYWHERE = "^/"
# whatever is answered otherwise to people than to a terminal
OFFICE = "^/v1/(me|password|proposals|trail|cases|events|commands)"
OWN = "^/v1/(me|password|members|cards|commands|journal)"


AT_RANDOM = "examples,fuzzing,stateful"
# thousands of cases that are the same each time: once for each sort of speaker is enough
ALL_CASES = f"{AT_RANDOM},coverage"


@pytest.mark.parametrize(
    ("engine", "speaker", "where", "phases"),
    [
        ("sqlite", key, EVERYWHERE, ALL_CASES), ("postgresql", key, EVERYWHERE, AT_RANDOM),
        ("sqlite", operator, OFFICE, ALL_CASES), ("postgresql", member, OWN, ALL_CASES),
    ],
    ids=["a key, sqlite", "a key, postgresql", "an operator, sqlite", "a member, postgresql"],
)  # fmt: skip
def test_whatever_the_description_allows(engine, speaker, where, phases, tmp_path, request):
    """Commands, journals and questions, valid and not; as a terminal, as one who works here, as a member; more of them with FARECARD_EXAMPLES."""
    if engine == "postgresql" and not binaries():
        pytest.skip("no PostgreSQL here")
    url = f"sqlite:///{tmp_path}/s.db" if engine == "sqlite" else request.getfixturevalue("own_server").database()
    # whoever follows waits a second, not half a minute; a member is tried as fast as he can be
    served = Served(url, "--limit", "follow=1", "--limit", "member_rate=10000")
    try:
        served.journal(WORKED_EXAMPLE.splitlines(), served.key("first", ALL))
        secret = speaker(served)
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run", f"http://127.0.0.1:{served.port}/openapi.json",
                "-H", f"Authorization: Bearer {secret}", "--checks", ",".join(CHECKS), "--max-examples", EXAMPLES,
                "--seed", os.environ.get("FARECARD_SEED", "1"), "--no-color", "--suppress-health-check", "all",
                "--include-path-regex", where, "--phases", phases, "--exclude-path", "/v1/sign-out",  # else the others would be tried as nobody
            ],
            env={**os.environ, "SCHEMATHESIS_HOOKS": "ndjson", "PYTHONPATH": str(Path(__file__).parent)},
            cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        tried = re.search(r"(\d+) generated", done.stdout)
        assert int(tried[1]) > 200, done.stdout[-3000:]
    finally:
        status = served.stop()
    assert status == 0
    assert '"error"' not in served.said, served.said[-3000:]
    assert problems(url) == []
