"""What a line may look like, and what is said when it is no command."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import answers, command
from farecard.model.moments import iso_moment, parse_moment
from farecard.wire.diagnose import Broken
from farecard.wire.line import LONGEST_LINE, read_line

GOOD = command("1", "top_up", channel="ticket-machine", card="JW000000000000001", amount=1000, tender="cash")


def fault(line):
    """The id that could be read, and (code, field) of each reason; None for a command."""
    got, _ = read_line(line)
    if not isinstance(got, Broken):
        return None
    return got.id, [(reason.code, reason.params.get("field")) for reason in got.reasons]


def with_field(**fields):
    return json.dumps({**json.loads(GOOD), **fields}).encode()


def without(name):
    return json.dumps({k: v for k, v in json.loads(GOOD).items() if k != name}).encode()


@pytest.mark.parametrize(
    ("line", "id", "code", "field"),
    [
        (b"{", None, "bad-json", None),
        (b"null", None, "not-an-object", None),
        (b"[" * 60_000, None, "bad-json", None),
        (b"\xef\xbb\xbf" + GOOD, None, "bad-json", None),
        (GOOD.replace(b"cash", b"\xff"), None, "bad-json", None),
        (GOOD + b" {}", None, "bad-json", None),
        (GOOD.replace(b"1000", b"NaN"), None, "bad-json", None),
        (GOOD[:-1] + b',"amount":1000}', "1", "duplicate-key", "amount"),
        (GOOD[:-1] + b',"id":"2"}', None, "duplicate-key", "id"),
        (GOOD[:-1] + b',"\\u0061mount":1000}', "1", "duplicate-key", "amount"),
        (with_field(place="a\u0000b"), "1", "control-character", "place"),
        (with_field(place="a\x7fb"), "1", "control-character", "place"),
        (with_field(place="a\x85b").replace(b"\\u0085", "\x85".encode()), "1", "control-character", "place"),
        (with_field(place="\ud800"), "1", "control-character", "place"),
        (with_field(id="a\nb"), None, "control-character", "id"),
        (with_field(colour="red"), "1", "unknown-field", "colour"),
        (with_field(station="Osaka"), "1", "field-not-here", "station"),
        (without("amount"), "1", "missing-field", "amount"),
        (without("id"), None, "missing-field", "id"),
        (without("do"), "1", "missing-field", "do"),
        (with_field(do="teleport"), "1", "want-choice", "do"),
        (with_field(channel="moon"), "1", "want-choice", "channel"),
        (with_field(tender="gold"), "1", "want-choice", "tender"),
        (with_field(id=""), None, "want-text", "id"),
        (with_field(id="x" * 65), None, "want-text", "id"),
        (with_field(id=7), None, "want-text", "id"),
        (with_field(place=""), "1", "want-text", "place"),
        (with_field(amount="1000"), "1", "want-whole-yen", "amount"),
        (with_field(amount=1000.0), "1", "want-whole-yen", "amount"),
        (with_field(amount=True), "1", "want-whole-yen", "amount"),
        (with_field(amount=0), "1", "want-whole-yen", "amount"),
        (with_field(amount=-1000), "1", "want-whole-yen", "amount"),
        (with_field(amount=2**63), "1", "want-whole-yen", "amount"),
        (with_field(amount=10**400), "1", "want-whole-yen", "amount"),
        (with_field(card="JW1"), "1", "want-card-number", "card"),
        (with_field(card="jw000000000000001"), "1", "want-card-number", "card"),
        (with_field(card="JW00000000000000１"), "1", "want-card-number", "card"),
        (with_field(card="JW00000000000000\u0661"), "1", "want-card-number", "card"),
        (with_field(card=1), "1", "want-card-number", "card"),
        (with_field(at="2023-03-01T09:00:00"), "1", "want-moment", "at"),
        (with_field(at="2023-02-31T09:00:00+09:00"), "1", "want-moment", "at"),
        (with_field(at="2023-03-01T24:00:00+09:00"), "1", "want-moment", "at"),
        (with_field(at="1999-12-31T23:59:59+09:00"), "1", "want-moment", "at"),
        (with_field(at="2100-01-01T00:00:00+09:00"), "1", "want-moment", "at"),
        (with_field(at="2023-03-01T09:00:00.1234567+09:00"), "1", "want-moment", "at"),
        (with_field(at="2023-03-01 09:00:00+09:00"), "1", "want-moment", "at"),
        (with_field(at=1677628800), "1", "want-moment", "at"),
        (with_field(at=["x"] * 25), "1", "want-moment", "at"),
        (with_field(at={str(n): n for n in range(25)}), "1", "want-moment", "at"),
        (with_field(card={str(n): n for n in range(17)}), "1", "want-card-number", "card"),
    ],
)
def test_a_line_that_is_no_command_says_which_field_and_why(line, id, code, field):
    """Every kind of broken line has its own reason, and its id when it can be read."""
    assert fault(line) == (id, [(code, field)])


@pytest.mark.parametrize(
    "at",
    ["2000-01-01T00:00:00+09:00", "2099-12-31T23:59:59.999999+09:00", "2023-03-01T00:00:00Z",
     "2023-03-01t00:00:00z", "2023-02-28T19:00:00-05:00", "2024-02-29T00:00:00.1+09:00"],
)  # fmt: skip
def test_every_rfc_3339_time_of_the_century_is_taken(at):
    """Other offsets, fractions and the ends of the span are times too."""
    assert fault(with_field(at=at)) is None


def test_a_line_of_64_kib_is_taken_and_one_byte_more_is_not():
    """The limit is on the line's bytes, spaces included."""
    line = GOOD[:-1] + b" " * (LONGEST_LINE - len(GOOD)) + b"}"
    assert len(line) == LONGEST_LINE
    assert fault(line) is None
    assert fault(line[:-1] + b" }") == (None, [("line-too-long", None)])


def test_spelling_does_not_count(desk):
    """Key order, spacing, explicit defaults and the offset leave a body what it is."""
    card = {"card": "JW000000000000001"}
    first = command("1", "issue", kind="anonymous", paid=2000, **card)
    buy = {"id": "2", "at": "2023-03-01T12:00:00+09:00", "channel": "shop", "do": "purchase",
           "amount": 100, "merchant": "kiosk", **card}  # fmt: skip
    spelled = [
        json.dumps(buy),
        json.dumps(dict(reversed(buy.items())), indent=1).replace("\n", " "),
        json.dumps({**buy, "cash": 0, "place": None}),
        json.dumps({**buy, "at": "2023-03-01T03:00:00.000Z"}),
        json.dumps(buy).replace("kiosk", "\\u006biosk"),
    ]
    got = answers(desk, [first, *(line.encode() for line in spelled)])
    assert [answer.get("repeated", False) for answer in got[1:]] == [False, True, True, True, True]
    assert {answer["outcome"] for answer in got} == {"accepted"}


def test_an_id_used_again_for_something_else_is_no_command(desk):
    """The same id with another body is invalid, even when that body is broken, and changes nothing."""
    lines = [
        command("1", "issue", card="JW000000000000001", kind="anonymous", paid=2000),
        command("1", "issue", card="JW000000000000002", kind="anonymous", paid=2000),
        command("1", "issue", card="JW000000000000003", kind="anonymous", paid="free"),
        command("2", "refund", card="JW000000000000002"),
    ]
    got = answers(desk, lines)
    assert [a["outcome"] for a in got] == ["accepted", "invalid", "invalid", "invalid"]
    assert [r["code"] for a in got for r in a["reasons"]] == ["id-used", "id-used", "unknown-card"]


def test_what_was_no_command_leaves_its_id_free(desk):
    """A line that could not be read is not remembered; one that fails for the state of things is."""
    issue = {"card": "JW000000000000001", "kind": "anonymous"}
    lines = [
        command("1", "issue", **issue, paid="2000"),
        command("1", "issue", **issue, paid=2000),
        command("2", "refund", card="JW000000000000009"),
        command("2", "refund", card="JW000000000000009"),
        command("2", "refund", card="JW000000000000001"),
    ]
    got = answers(desk, lines)
    assert [a["outcome"] for a in got] == ["invalid", "accepted", "invalid", "invalid", "invalid"]
    assert got[3]["repeated"]
    assert got[4]["reasons"][0]["code"] == "id-used"


def test_two_issues_under_one_id_do_not_mix_their_holders(desk):
    """In one batch the second is no command, and the first keeps its own holder (CARD-4)."""
    mori = {"name": "森", "kana": "モリ", "born": "1990-04-02", "phone": "1"}
    oka = {"name": "岡", "kana": "オカ", "born": "1985-11-30", "phone": "2"}
    lines = [
        command("1", "issue", card="JW000000000000001", kind="named", paid=2000, holder=mori),
        command("1", "issue", card="JW000000000000002", kind="named", paid=2000, holder=oka),
        command("2", "issue", card="JW000000000000003", kind="named", paid=2000, holder=oka),
        command("3", "issue", card="JW000000000000004", kind="named", paid=2000, holder=mori),
    ]
    got = answers(desk, lines)
    assert [a["outcome"] for a in got] == ["accepted", "invalid", "accepted", "refused"]
    again = command("4", "issue", card="JW000000000000005", kind="named", paid=2000, holder=oka)
    assert answers(desk, [again])[0]["reasons"][0]["rule"] == "CARD-4"


def test_every_sender_has_ids_of_its_own(desk):
    """The same id from two senders is two commands."""
    one = command("1", "issue", card="JW000000000000001", kind="anonymous", paid=2000)
    two = command("1", "issue", card="JW000000000000002", kind="anonymous", paid=2000)
    assert answers(desk, [one], "east")[0]["outcome"] == "accepted"
    assert answers(desk, [two], "west")[0]["outcome"] == "accepted"
    assert answers(desk, [one], "east")[0]["repeated"]


def test_reasons_never_repeat_what_was_sent():
    """A reason names the field; the value could be a name."""
    got, _ = read_line(with_field(amount="Yamada Taro", card="Yamada", place=["Yamada"]))
    assert "Yamada" not in repr(got)


@given(st.integers(parse_moment("2000-01-01T00:00:00+09:00"), parse_moment("2099-12-31T23:59:59+09:00")))
def test_a_moment_survives_being_written_and_read(moment):
    """To the second, which is what answers show."""
    assert parse_moment(iso_moment(moment)) == moment - moment % 1_000_000


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_no_bytes_make_the_reader_raise(data):
    """Whatever comes in, a reason comes out."""
    got, _ = read_line(data)
    assert isinstance(got, Broken)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
       st.sampled_from(["amount", "card", "at", "channel", "tender", "place", "id", "do", "station"]))  # fmt: skip
def test_no_value_of_a_field_makes_the_reader_raise(value, field):
    """A field may hold any JSON at all: a command or a reason, never an exception."""
    got, _ = read_line(json.dumps({**json.loads(GOOD), field: value}).encode())
    assert not isinstance(got, Broken) or got.reasons


def test_what_a_field_takes_is_said_in_its_own_measure():
    """Winners and points are no yen; an explanation may be longer than an id."""
    draw = {"id": "1", "at": "2023-08-01T09:00:00+09:00", "channel": "operations", "do": "draw_lottery", "draw": 1, "seed": "s"}
    assert fault(json.dumps(draw | {"winners": 0}).encode()) == ("1", [("want-whole-number", "winners")])
    reverse = {**draw, "do": "reverse", "of": "x"}
    del reverse["draw"], reverse["seed"]
    for field, text in (("why", "x" * 501), ("of", "x" * 65)):
        got, _ = read_line(json.dumps({**reverse, "why": "y", field: text}).encode())
        assert [one.params for one in got.reasons] == [{"field": field, "most": len(text) - 1}]
