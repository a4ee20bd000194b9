"""The contract's worked example, end to end through the command line."""

import json

from conftest import WORKED_EXAMPLE, farecard


def test_the_worked_example_comes_out_as_written(tmp_path):
    """Four lines in, the four decisions of the contract out."""
    (tmp_path / "day.ndjson").write_bytes(WORKED_EXAMPLE)
    done = farecard("replay", "day.ndjson", cwd=tmp_path)
    got = [json.loads(line) for line in done.stdout.splitlines()]
    payout = {"deposit": 500, "balance": 820, "fee": 220, "total": 1100}
    plain = {"outcome": "accepted", "reasons": [], "warnings": []}
    assert got[:3] == [
        {"id": "1", **plain, "result": {"deposit": 500, "balance": 1500}},
        {"id": "2", **plain, "result": {"from_card": 680, "from_cash": 0, "balance": 820}},
        {"id": "3", **plain, "result": {"payout": payout, "paid_by": "cash"}},
    ]
    reasons = got[3].pop("reasons")
    assert got[3] == {"id": "4", "outcome": "refused", "warnings": [], "result": {}}
    assert [(r["rule"], r["code"]) for r in reasons] == [("RFD-8", "card-refunded")]
    assert reasons[0]["ja"] and reasons[0]["en"]


def test_a_second_replay_answers_the_same_and_changes_nothing(tmp_path):
    """The same ids and bodies get the same decisions again, marked as repeated."""
    (tmp_path / "day.ndjson").write_bytes(WORKED_EXAMPLE)
    first = farecard("replay", "day.ndjson", cwd=tmp_path).stdout.splitlines()
    before = farecard("trial-balance", "--json", cwd=tmp_path).stdout
    again = farecard("replay", "day.ndjson", cwd=tmp_path).stdout.splitlines()
    for one, other in zip(first, again, strict=True):
        assert json.loads(other) == {**json.loads(one), "repeated": True}
    assert farecard("trial-balance", "--json", cwd=tmp_path).stdout == before
    assert farecard("check", cwd=tmp_path).stdout.endswith(b"all fits together\n")
