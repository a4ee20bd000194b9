"""One table: channel × command × kind → yes, or refused by which rule; every cell is tried.

``places.csv`` was written from the contract and the catalogue, not from the code: `yes`, a rule's
id, or `-` where no rule speaks of the place.
"""

import csv
import json
from pathlib import Path

import pytest

from farecard.model.commands import CHANNELS, KINDS
from farecard.wire.answer import encode_answer
from scenario import BANK, PEOPLE

with (Path(__file__).parent / "places.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
AT = "2023-03-01T10:00:00+09:00"
EARLIER = "2023-03-01T09:00:00+09:00"
CARD = {"card": "JW000000000000001"}


def sale(kind):
    """How a card of a kind is sold."""
    phone = kind in ("mobile", "apple-pay")
    command = {"id": "sale", "at": EARLIER, "do": "issue", "kind": kind, **CARD,
               "channel": "icoca-app" if phone else "counter", "paid": 5000 if phone else 2000}  # fmt: skip
    if kind != "anonymous":
        command["holder"] = PEOPLE["Hana" if kind == "child" else "Mori"]
    if kind == "commuter":
        command["pass"] = {"from": "Takatsuki", "to": "Osaka", "valid_from": "2023-03-01", "valid_until": "2023-03-31"}
    return command


def before_and_command(row):
    """What must have happened, and a command that only its place can refuse."""
    kind, do = row["kind"], row["do"]
    first = [sale(kind)]

    def earlier(id, **fields):
        first.append({"id": id, "at": EARLIER, **fields})

    if do == "issue":
        return [], {k: v for k, v in sale(kind).items() if k not in ("id", "at", "channel")}
    if do.startswith("top_up/"):
        tender = do.partition("/")[2]
        return first, {"do": "top_up", **CARD, "amount": 3000, "tender": tender}
    if do == "tap_in":
        return first, {"do": do, **CARD, "station": "Osaka"}
    if do == "tap_out":
        earlier("in", channel="gate", do="tap_in", station="Osaka", **CARD)
        return first, {"do": do, **CARD, "station": "Takatsuki"}
    if do == "purchase":
        return first, {"do": do, **CARD, "amount": 100, "merchant": "m"}
    if do == "refund_by_post":
        if kind == "smart":
            earlier("form", channel="phone", do="request_refund_form", **CARD)
        return first, {"do": do, **CARD, "form": "F000000000000001-1", "bank_account": BANK}
    if do == "collect_reissue":
        first[0]["at"] = "2023-02-01T09:00:00+09:00"
        first.append({"id": "report", "at": "2023-02-28T09:00:00+09:00", "channel": "counter", "do": "report_damaged", **CARD})
        return first, {"do": do, "slip": "S000000000000001-1", "card": "JW000000000000002", "paid": 0}
    if do == "move_to_phone":
        return first, {"do": do, **CARD, "to": "JW000000000000002", "kind": "mobile"}
    if do.startswith("reverse/"):
        what = do.partition("/")[2]
        phone = kind in ("mobile", "apple-pay")
        if what == "purchase":
            earlier("x", channel="shop", do="purchase", amount=100, merchant="m", **CARD)
        elif what == "top_up":
            earlier("x", channel="convenience-store", do="top_up", amount=1000, tender="cash", **CARD)
        else:
            earlier("in", channel="gate", do="tap_in", station="Suita", **CARD)
            earlier("x", channel="gate", do="tap_out", station="Kyoto" if not phone else "Osaka", **CARD)
        return first, {"do": "reverse", "of": "x", "why": "mistake"}
    if do == "apply_myna_point":
        if kind not in ("smart", "mobile", "apple-pay"):
            first[0]["points_registered_on"] = "2023-02-01"
        return first, {"do": do, **CARD, "person": "p", "measures": [2]}
    if do == "change_applied_card":
        return first, {"do": do, **CARD, "person": "p"}
    if do == "join_membership":
        return first, {"do": do, **CARD, "member": "m"}
    return first, {"do": do, **CARD}


def verdict(desk, command):
    answer = desk.run([("t", json.dumps(command).encode())])[0]
    return json.loads(encode_answer(answer))


def test_the_table_is_whole():
    """Every channel is a column, every kind has every command."""
    assert list(ROWS[0]) == ["kind", "do", *CHANNELS]
    dos = {row["do"] for row in ROWS}
    assert sorted((row["kind"], row["do"]) for row in ROWS) == sorted((k, d) for k in KINDS for d in dos)
    assert len(dos) == 21


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']} {row['do']}")
def test_every_cell(runner, row):
    """The answer at each of the channels is the cell's."""
    first, command = before_and_command(row)
    desk = runner.desk()
    if first:
        for one in first:
            got = verdict(desk, one)
            if one["id"] == "report" and row["kind"] in ("anonymous", "mobile", "apple-pay"):
                assert got["outcome"] == "refused"  # these kinds have no slip to bring
            else:
                assert got["outcome"] == "accepted", got
    for n, channel in enumerate(CHANNELS):
        fields = {"company": "Hankyu"} if channel in ("other-counter", "other-rail") else {}
        batch, answers = _decide(desk, {"id": f"c{n}", "at": AT, "channel": channel, **fields, **command})
        answer = json.loads(encode_answer(answers[0]))
        desk.give_up()
        assert batch.id
        expected = row[channel]
        if expected == "no-slip":
            assert answer["outcome"] == "invalid"
        elif expected == "yes":
            assert answer["outcome"] == "accepted", (channel, answer)
        else:
            assert answer["outcome"] == ("referred" if expected == "MYN-17" else "refused"), (channel, answer)
            assert (answer["reasons"][0]["rule"] or "-") == expected, (channel, answer)
    desk.store.close()


def _decide(desk, command):
    """Decide and keep nothing, so that every cell starts from the same card."""
    return desk.decide(desk.read([("t", json.dumps(command).encode())]))
