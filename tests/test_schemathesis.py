"""Schemathesis tries whatever the API's own description allows, and much that it does not.

No answer is a server's error, and none is another than what is described: status, kind, headers, schema; a method
that is not there is refused, and so is a request without a key.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import WORKED_EXAMPLE
from postgres import binaries
from serving import Served
from state import problems
from test_api import ALL

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "ignored_auth",
)  # fmt: skip
EXAMPLES = os.environ.get("FARECARD_EXAMPLES", "15")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_whatever_the_description_allows(engine, tmp_path, request):
    """Commands, journals and questions, valid and not; more of them with FARECARD_EXAMPLES."""
    if engine == "postgresql" and not binaries():
        pytest.skip("no PostgreSQL here")
    url = f"sqlite:///{tmp_path}/s.db" if engine == "sqlite" else request.getfixturevalue("own_server").database()
    served = Served(url)
    try:
        key = served.key("anyone", ALL + ",operations", ask="cards,trial-balance,events,metrics", unattended=True)
        served.journal(WORKED_EXAMPLE.splitlines(), key)
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run", f"http://127.0.0.1:{served.port}/openapi.json",
                "-H", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--max-examples", EXAMPLES,
                "--seed", os.environ.get("FARECARD_SEED", "1"), "--no-color", "--suppress-health-check", "all",
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
