"""Stamps that can never come: said as soon as it is so, with the reason; nobody collects for a draw that cannot be reached."""

import itertools

import pytest

from conftest import answers, command, new_desk
from farecard.model.commands import parse_number
from farecard.model.moments import parse_moment
from farecard.questions.ahead import no_stamps
from farecard.questions.card import AsOf

A, B = "JW000000000000001", "JW000000000000002"
SERIAL = itertools.count(1)
HOLDER = {"name": "n", "kana": "モリ", "born": "1990-04-02", "phone": "1"}


def at(day, hour="09:00"):
    return f"2023-{day}T{hour}:00+09:00"


def line(day, channel, do, **fields):
    return command(f"{next(SERIAL)}", do, at=at(day), channel=channel, **fields)


SOLD = line("02-01", "counter", "issue", card=A, kind="anonymous", paid=2000)
REGISTERED = line("02-01", "ticket-machine", "register_for_points", card=A)
JOINED = line("03-04", "member-page", "join_rally", card=A)


def applied(day, *measures):
    return line(day, "myna-point", "apply_myna_point", card=A, person="p", measures=list(measures))


def told(tmp_path, moment, *lines, card=A):
    """What is said at a moment of 2023 after some lines, all accepted: the codes by stamp, and whether all four can be had."""
    desk = new_desk(tmp_path)
    got = answers(desk, list(lines))
    assert [one["outcome"] for one in got] == ["accepted"] * len(lines), got
    now = parse_moment(moment)
    found = no_stamps(desk.store, desk.inputs.tariff, parse_number(card), AsOf(now, now))
    desk.store.close()
    return {stamp: one.code for stamp, one in found["why"].items()}, found["reachable"]


@pytest.mark.parametrize(
    ("moment", "lines", "why", "reachable"),
    [
        # STP-6: applied before March; other measures are left, in the end none
        (at("03-05"), [SOLD, REGISTERED, applied("02-10", 1), JOINED], {2: "applied-before-the-rally"}, True),
        (at("03-05"), [SOLD, REGISTERED, applied("02-10", 1), applied("02-11", 2, 3), JOINED], {2: "no-measure-left"}, False),
        (at("03-06"), [SOLD, REGISTERED, applied("02-10", 1), JOINED, applied("03-05", 2)], {}, True),
        # measure 3 counts once the account is complete: it may yet be
        (at("03-06"), [SOLD, REGISTERED, applied("02-10", 1, 2), JOINED, applied("03-05", 3)], {}, True),
        # points that are earned in August come on 18 September, those of September on 18 October: after the end
        (at("08-31"), [SOLD, REGISTERED, applied("03-02", 2), JOINED], {}, True),
        (at("09-01"), [SOLD, REGISTERED, applied("03-02", 2), JOINED], {3: "no-points-in-time"}, False),
        (at("09-01"), [SOLD, REGISTERED, applied("03-02", 2), JOINED, line("08-31", "myna-point", "confirm_insurance_card", person="p")], {}, True),
        # not registered: the day before the last one it can be mended, then not
        (at("08-31"), [SOLD, JOINED], {}, True),
        (at("09-29"), [SOLD, JOINED], {3: "no-points-in-time"}, False),
        (at("09-30"), [SOLD, JOINED], {2: "too-late-to-register", 3: "no-points-in-time"}, False),
    ],
)  # fmt: skip
def test_why_a_stamp_does_not_come(tmp_path, moment, lines, why, reachable):
    """Each reason from the first moment it holds, and not a day before."""
    assert told(tmp_path, moment, *lines) == (why, reachable)


def test_points_on_the_card_are_enough(tmp_path):
    """7,500 came in April; in September they can still be charged; with 9 left, less than a unit of ten, no more."""
    before = [
        SOLD, REGISTERED, applied("03-02", 2), JOINED, line("03-05", "myna-point", "confirm_insurance_card", person="p"),
        line("04-18", "operations", "run_grants", month="2023-04"),
    ]  # fmt: skip
    assert told(tmp_path, at("09-15"), *before) == ({}, True)


NAMED = line("02-01", "counter", "issue", card=A, kind="named", paid=2000, holder=HOLDER)
BOUGHT = line("03-05", "shop", "purchase", card=A, amount=100, merchant="m")


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ([JOINED], {3: "moved-in-the-rally", 4: "moved-in-the-rally"}),
        ([JOINED, BOUGHT], {3: "moved-in-the-rally"}),  # a stamp that is there stays
    ],
)
def test_moved_into_a_phone_after_joining(tmp_path, before, why):
    """STP-7: what is done with the phone's card gives no stamp 3 and 4."""
    moved = line("03-06", "icoca-app", "move_to_phone", card=A, to=B, kind="apple-pay")
    lines = [NAMED, REGISTERED, applied("03-02", 2), *before, moved]
    assert told(tmp_path, at("03-07"), *lines, card=B) == (why, False)


def test_moved_into_a_phone_before_joining(tmp_path):
    """Then it is the phone's card that takes part."""
    moved = line("03-03", "icoca-app", "move_to_phone", card=A, to=B, kind="apple-pay")
    joined = line("03-04", "member-page", "join_rally", card=B)
    assert told(tmp_path, at("03-07"), NAMED, REGISTERED, applied("03-02", 2), moved, joined, card=B) == ({}, True)
