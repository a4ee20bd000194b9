"""PUB-14: the individual number is refused wherever it is written, and is nowhere afterwards."""

import json

import pytest

from conftest import command, farecard

CARD = "JW000000000000001"
HOLDER = {"name": "桜木花子", "kana": "サクラギハナコ", "born": "1987-06-05", "phone": "09098765432"}
BANK = {"bank": "B", "branch": "1", "kind": "ordinary", "number": "1234567", "holder_kana": "K"}

# made-up digits, in every spelling that people send
SPELLINGS = [
    "246813579024", "2468 1357 9024", "2468-1357-9024", "２４６８１３５７９０２４", "２４６８－１３５７－９０２４",
    "２４６８ー１３５７ー９０２４", "2468・1357・9024", "2468　1357　9024", "٢٤٦٨١٣٥٧٩٠٢٤", "2468\u20111357\u20119024",
]  # fmt: skip
AMONG_WORDS = ["本人の番号は{}です", "my number: {}.", "({})", "{}", "cf. 2023-03-01, {}"]
# as many digits or more, and no individual number
OTHERS = [
    "JW246813579024123", "2468135790245", "24681357902", "2468-1357-9024-1111", "1111 2468 1357 9024",
    "+81-90-9876-5432", "090-9876-5432", "2023-03-01T09:00:00+09:00", "2468 1357 902", "forms 1, 2 and 3",
]  # fmt: skip


def where_it_may_be_written(text):
    """The lines that have a field of which a person or a free text is part, with ``text`` in it."""
    person = [
        command("p1", "apply_myna_point", channel="myna-point", card=CARD, person=text, measures=[1]),
        command("p2", "confirm_insurance_card", channel="myna-point", person=text),
        command("p3", "file_account", channel="myna-point", person=text),
        command("p4", "confirm_account", channel="myna-point", person=text),
        command("p5", "change_applied_card", channel="phone", card=CARD, person=text),
        command("p6", "join_membership", channel="counter", card=CARD, member=text),
        command("p7", "register_for_points", channel="icoca-app", card=CARD, by=text),
    ]
    return person, [
        command("t1", "reverse", channel="operations", of="1", why=text),
        command("t1", "resolve_case", channel="operations", case="C000000000000001-00000000", decision="declined", why=text),
        command("t2", "issue", card=CARD, kind="named", paid=2000, holder={**HOLDER, "name": text}),
        command("t3", "issue", card=CARD, kind="named", paid=2000, holder={**HOLDER, "kana": text}),
        *(
            command("t4", "refund_by_post", channel="post", card=CARD, form="f", bank_account={**BANK, name: text})
            for name in BANK
        ),
    ]


def outcomes(tmp_path, lines):
    done = farecard("replay", "-", stdin=b"\n".join(lines) + b"\n", cwd=tmp_path)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def written(tmp_path, done):
    """All that a run leaves: every file's bytes, what it printed and what it said."""
    files = [path.read_bytes() + str(path).encode() for path in tmp_path.rglob("*") if path.is_file()]
    return b"\n".join([*files, done.stdout, done.stderr])


def every_spelling():
    lines = []
    for spelling in SPELLINGS:
        person, texts = where_it_may_be_written(spelling)
        lines += person + texts
        for words in AMONG_WORDS:
            lines += where_it_may_be_written(words.format(spelling))[1]
    return lines


def test_every_spelling_in_every_such_field_is_refused_by_name(tmp_path):
    """The answer names PUB-14 and the field."""
    lines = every_spelling()
    _, got = outcomes(tmp_path, lines)
    assert len(got) == len(lines) > 500
    for line, answer in zip(lines, got, strict=True):
        (reason,) = answer["reasons"]
        assert (answer["outcome"], reason["rule"], reason["code"]) == ("invalid", "PUB-14", "individual-number"), line
        assert reason["params"]["field"].split(".")[-1] in line.decode()


def test_no_file_and_no_word_of_the_program_has_it(tmp_path):
    """Whatever it stood in: a known field, an unknown one, a field's name, a list, a line that is no JSON."""
    lines = every_spelling()
    for spelling in SPELLINGS:
        lines += [
            command("u1", "issue", card=CARD, kind="anonymous", paid=2000, my_number=spelling),
            command("u2", "issue", card=CARD, kind="anonymous", paid=2000, **{spelling: 1}),
            command("u3", "issue", card=CARD, kind="anonymous", paid=2000, holder={spelling: {spelling: [spelling]}}),
            command("u4", "apply_myna_point", channel=spelling, card=spelling, person=spelling, measures=[spelling]),
            command("u5", "run_grants", channel="operations", month=spelling),
            command("u6", spelling, card=CARD),
            command("u7", "issue", card=CARD, kind="commuter", paid=2000, **{"pass": {"from": spelling}}),
            f'{{"id":"u8","person":"{spelling}"'.encode(),
            f'{{"id":"u9","person":"{spelling}","person":"{spelling}"}}'.encode(),
            spelling.encode(),
        ]
    done, got = outcomes(tmp_path, lines)
    assert {answer["outcome"] for answer in got} == {"invalid"}
    left = written(tmp_path, done)
    assert list(tmp_path.glob("*.db")), "the store is among the files"
    for spelling in SPELLINGS:
        for spelled in (spelling.encode(), json.dumps(spelling)[1:-1].encode(), spelling.encode("utf-16-le")):
            assert spelled not in left, spelling


@pytest.mark.parametrize("text", OTHERS)
def test_what_only_resembles_it_is_taken(tmp_path, text):
    """A card's number, a phone's, a credit card's four fours, a day and its time."""
    person, texts = where_it_may_be_written(text)
    _, got = outcomes(tmp_path, texts if text.startswith("+81") else person + texts)
    codes = {reason["code"] for answer in got for reason in answer["reasons"]}
    assert "individual-number" not in codes
