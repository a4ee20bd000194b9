"""A real card on a reader: what its blocks say, how it is read, and to whom it is offered.

The card of the processes' tests is another process that listens as one over nfcpy's UDP driver (``emulated_card.py``).
"""

import asyncio
import datetime as dt
import http.client
import json
import os
import re
import signal
import socket
import string
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import farecard
from farecard.felica import offering
from farecard.felica.blocks import (
    BlockError,
    Bus,
    Entry,
    Rail,
    Sale,
    Station,
    decode,
)
from farecard.felica.checks import doubts
from farecard.felica.telling import LANGUAGES, told, words
from farecard.felica.touches import ReaderError

WAIT = 60  # seconds until something that ought to come is taken as not coming
PAGE = "http://127.0.0.1:8000"
UNUSED = bytes(16)

# the three public dumps' entries that the layout was checked against, and the ride that the gate log tells of
RIDE = "160100022531 8BA5 8AA5 AF00 00002A A0"
VENDING = "C846000016CE 6263 DE43 B301 000028 00"
CHARGE = "1F02000016C8 5B06 0000 7909 00001C 00"
GATE_IN = "A0008BA50101253109110000"
GATE_OUT = "20008AA50403253109290401"


def block(text):
    """A block from what is known of it; the rest is zero."""
    return bytes.fromhex(text).ljust(16, b"\0")


def attributes(balance=175, updates=42, kind=3, region=2):
    made = bytearray(16)
    made[8] = kind << 4 | region
    made[11:13] = balance.to_bytes(2, "little")
    made[14:16] = updates.to_bytes(2, "big")
    return bytes(made)


def packed_date(day):
    return ((day.year - 2000) << 9 | day.month << 5 | day.day).to_bytes(2, "big")


def packed_station(station):
    return bytes(2) if station is None else bytes([station.line, station.station])


def packed(entry):
    """The block of an entry, written by the layout and not by the code under test."""
    where, regions = entry.where, 0
    if isinstance(where, Bus):
        place = where.operator.to_bytes(2, "big") + where.stop.to_bytes(2, "big")
    elif isinstance(where, Sale):
        clock = where.time.hour << 11 | where.time.minute << 5 | where.time.second // 2
        place = clock.to_bytes(2, "big") + where.till.to_bytes(2, "big")
    else:
        place = packed_station(where.entry) + packed_station(where.exit)
        regions = where.entry_region << 6 | where.exit_region << 4
    return (
        bytes([entry.terminal, entry.with_cash << 7 | entry.process, entry.payment, entry.passage])
        + packed_date(entry.date) + place + entry.balance.to_bytes(2, "little")
        + entry.number.to_bytes(3, "big") + bytes([regions])
    )  # fmt: skip


def entry(number, process=0x01, balance=175, terminal=0x16, where=None, day=dt.date(2018, 9, 16)):
    """One that a history is made of where only its number or process matters."""
    return packed(
        Entry(terminal, process, False, 0, 2, day,
              where or Rail(Station(0x8B, 0xA5), None, 2, 2), balance, number)
    )  # fmt: skip


def card(*history, gates=(), ride=(), **attributes_):
    return decode(attributes(**attributes_), history, gates, ride)


def codes(some):
    return [doubt.code for doubt in doubts(some)]


# -- what blocks say -----------------------------------------------------------------------------


def test_a_gate_exit():
    """A ride in Kansai: two stations, both regions, 175 yen left, the 42nd write."""
    (found,) = card(block(RIDE)).entries
    assert found == Entry(
        terminal=0x16, process=0x01, with_cash=False, payment=0, passage=2, date=dt.date(2018, 9, 17),
        where=Rail(Station(0x8B, 0xA5), Station(0x8A, 0xA5), 2, 2), balance=175, number=42,
    )  # fmt: skip


def test_a_purchase_at_a_vending_machine_has_a_time_where_a_ride_has_stations():
    (found,) = card(block(VENDING)).entries
    assert (found.terminal, found.process, found.balance, found.number) == (0xC8, 0x46, 435, 40)
    assert found.date == dt.date(2011, 6, 14)
    assert found.where == Sale(dt.time(12, 19, 6), 0xDE43)


def test_a_top_up_at_a_charge_machine_names_one_station():
    (found,) = card(block(CHARGE)).entries
    assert (found.process, found.balance, found.number) == (0x02, 2425, 0x1C)
    assert found.where == Rail(Station(0x5B, 0x06), None, 0, 0)


def test_a_bus_names_its_operator_and_stop():
    (found,) = card(block("050D000F2531 1234 5678 AF00 00002A 00")).entries
    assert found.where == Bus(0x1234, 0x5678)


def test_the_gate_log():
    """In at 09:11, out at 09:29 for 260 yen: the hours and minutes are decimal digits."""
    out, into = card(gates=[block(GATE_OUT), block(GATE_IN)]).gates
    assert (into.entry, into.station, into.device, into.amount) == (True, Station(0x8B, 0xA5), 0x0101, 0)
    assert (into.date, into.time) == (dt.date(2018, 9, 17), dt.time(9, 11))
    assert (out.entry, out.station, out.time, out.amount) == (False, Station(0x8A, 0xA5), dt.time(9, 29), 260)
    assert (into.passage, into.nature) == (out.passage, out.nature) == (2, 0)


@pytest.mark.parametrize(
    ("first", "entry_", "passage", "nature"),
    [("40", False, 4, 0), ("C2", True, 4, 2), ("81", True, 0, 1), ("7F", False, 7, 15)],
)
def test_a_gates_first_byte_is_three_facts(first, entry_, passage, nature):
    """The highest bit, the next three and the lower four."""
    (found,) = card(gates=[block(first + GATE_IN[2:])]).gates
    assert (found.entry, found.passage, found.nature) == (entry_, passage, nature)


def test_the_attributes():
    """The balance's lower byte comes first, the number's higher byte: 42 writes, not 10,752."""
    found = card(balance=0x0979, updates=0x002A, kind=3, region=2)
    assert (found.balance, found.updates, found.kind, found.region) == (2425, 42, 3, 2)


@pytest.mark.parametrize("balance", [0, 1, 255, 256, 20_000, 65_535])
def test_every_balance_that_fits_is_read(balance):
    """Two bytes, on both sides of where one is full; 20,000 yen is the most a card may hold."""
    assert card(balance=balance).balance == balance


@pytest.mark.parametrize(
    ("text", "used"),
    [
        (RIDE, True),
        ("160100802531 8BA5", False),  # 80 where the kind of entry stands: never written
        ("1601007F2531 8BA5", True),
        ("160100812531 8BA5", True),
        ("160100020000 8BA5", False),  # no date: never written
        ("160100020001 8BA5", True),  # not a date of any calendar, but something was written
        ("", False),
    ],
)
def test_an_unused_block_is_skipped(text, used):
    assert len(card(block(text)).entries) == used


@pytest.mark.parametrize(
    ("bits", "day"),
    [
        ("0021", dt.date(2000, 1, 1)), ("FF9F", dt.date(2127, 12, 31)), ("305D", dt.date(2024, 2, 29)),
        ("2E5D", None),  # 29 February 2023
        ("2E1C", None), ("2FBC", None), ("2E20", None), ("2E7F", dt.date(2023, 3, 31)), ("2E9F", None),
    ],
)  # fmt: skip
def test_a_date_on_both_sides_of_what_calendars_have(bits, day):
    """Months 0 and 13, days 0, 29 February and 31 April are no dates, and no errors: the card is told, with a doubt."""
    some = card(block(f"16010002{bits} 8BA5 8AA5 AF00 00002A A0"))
    assert some.entries[0].date == day
    assert codes(some) == ([] if day else ["date-unreadable"])


@pytest.mark.parametrize(
    ("bits", "time"),
    [("0000", dt.time(0)), ("BF7D", dt.time(23, 59, 58)), ("BF7E", None), ("BF80", None), ("C000", None)],
)
def test_a_sales_time_on_both_sides_of_what_clocks_show(bits, time):
    """A sixtieth second, a sixtieth minute and a twenty-fourth hour are no times."""
    some = card(block(f"C84600002531 {bits} DE43 AF00 00002A 00"))
    assert some.entries[0].where.time == time
    assert codes(some) == ([] if time else ["time-unreadable"])


@pytest.mark.parametrize(
    ("digits", "time"),
    [("0000", dt.time(0)), ("2359", dt.time(23, 59)), ("2360", None), ("2400", None), ("0A00", None), ("090F", None)],
)
def test_a_gates_time_is_decimal_digits(digits, time):
    some = card(gates=[block(f"A0008BA501012531{digits}")])
    assert some.gates[0].time == time
    assert codes(some) == ([] if time else ["gate-unreadable"])


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_block_of_another_size_is_an_error_that_says_which(size):
    wrong = bytes(size)
    with pytest.raises(BlockError, match=f"service 008B, block 0: a block has 16 bytes, not {size}"):
        decode(wrong, [], [], [])
    with pytest.raises(BlockError, match=f"service 090F, block 1: .* not {size}"):
        decode(UNUSED, [UNUSED, wrong], [], [])
    with pytest.raises(BlockError, match=f"service 108F, block 0: .* not {size}"):
        decode(UNUSED, [], [wrong], [])
    with pytest.raises(BlockError, match=f"service 10CB, block 0: .* not {size}"):
        decode(UNUSED, [], [], [wrong])


def test_more_blocks_than_a_service_has_are_an_error():
    """20 entries, 3 passages, 2 blocks of the open ride; one more of each is no card of this family."""
    assert decode(UNUSED, [UNUSED] * 20, [UNUSED] * 3, [UNUSED] * 2).entries == ()
    for too_many in (([UNUSED] * 21, [], []), ([], [UNUSED] * 4, []), ([], [], [UNUSED] * 3)):
        with pytest.raises(BlockError, match=r"has (20|3|2) blocks, not (21|4|3)"):
            decode(UNUSED, *too_many)


def test_an_amount_is_the_older_balance_minus_this_one():
    """260 yen spent, 1,000 put on; before the oldest entry nobody knows what there was."""
    some = card(entry(44, balance=915), entry(42, 0x02, 1175, 0x1F), entry(41, balance=175), balance=915, updates=44)
    assert [one.amount for one in some.entries] == [260, -1000, None]
    assert [one.number for one in some.entries] == [44, 42, 41]


def test_an_unused_block_between_two_entries_does_not_break_the_amounts():
    some = card(entry(44, balance=100), UNUSED, entry(42, balance=360))
    assert [one.amount for one in some.entries] == [260, None]


def test_the_open_ride():
    """A station in the first two bytes; none when they are zero, or when the card does not tell."""
    assert card(ride=[block("8BA5"), UNUSED]).open_ride == Station(0x8B, 0xA5)
    assert card(ride=[block("0001"), UNUSED]).open_ride == Station(0, 1)
    assert card(ride=[UNUSED, UNUSED]).open_ride is None
    assert card().open_ride is None


def test_with_cash_is_the_highest_bit_of_the_process():
    some = card(block("C7C600002531 6263 DE43 AF00 00002A 00"), block(VENDING))
    assert [(one.process, one.with_cash) for one in some.entries] == [(0x46, True), (0x46, False)]


BYTES = st.binary(min_size=16, max_size=16)


@given(BYTES, st.lists(BYTES, max_size=20), st.lists(BYTES, max_size=3), st.lists(BYTES, max_size=2))
def test_whatever_a_card_says_is_told_or_skipped(first, history, gates, ride):
    """No sixteen bytes are an error, and what comes of them is JSON in both languages."""
    some = decode(first, history, gates, ride)
    assert len(some.entries) <= len(history) and len(some.gates) <= len(gates)
    answer = json.loads(msgspec.json.encode(told(some, [])))
    assert answer["balance"] == some.balance
    assert all(one["what"]["ja"] and one["what"]["en"] for one in answer["entries"])


STATIONS = st.none() | st.builds(Station, st.integers(0, 255), st.integers(1, 255))
RAIL = st.tuples(
    st.sampled_from([0x03, 0x07, 0x16, 0x17, 0x1F, 0x99]),
    st.builds(Rail, STATIONS, STATIONS, st.integers(0, 3), st.integers(0, 3)),
)
TIMES = st.builds(dt.time, st.integers(0, 23), st.integers(0, 59), st.integers(0, 29).map(lambda n: 2 * n))
SALES = st.tuples(st.sampled_from([0xC7, 0xC8]), st.builds(Sale, TIMES, st.integers(0, 0xFFFF)))
BUSES = st.tuples(st.just(0x05), st.builds(Bus, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)))
ENTRIES = st.builds(
    lambda at, *rest: Entry(at[0], rest[0], rest[1], rest[2], rest[3], rest[4], at[1], rest[5], rest[6]),
    RAIL | SALES | BUSES, st.integers(0, 127), st.booleans(), st.integers(0, 255),
    st.integers(0, 255).filter(lambda code: code != 0x80),
    st.dates(dt.date(2000, 1, 1), dt.date(2127, 12, 31)), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFF),
)  # fmt: skip


@given(st.lists(ENTRIES, max_size=20))
def test_what_was_written_is_read(entries):
    """Every entry that can be written comes back as it was, in its place."""
    found = card(*map(packed, entries)).entries
    assert [msgspec.structs.replace(one, amount=None) for one in found] == entries


# -- what always held ----------------------------------------------------------------------------


def test_the_attributes_say_what_the_newest_entry_says():
    """Balance and number; one yen or one write more is a doubt."""
    assert codes(card(block(RIDE), balance=175, updates=42)) == []
    assert codes(card(block(RIDE), balance=176, updates=42)) == ["balance-differs"]
    assert codes(card(block(RIDE), balance=175, updates=41)) == ["number-differs"]
    assert codes(card(block(RIDE), balance=175, updates=43)) == ["number-differs"]
    assert codes(card(balance=175, updates=42)) == []  # a card nobody used has nothing to differ from


def test_inside_the_gates_the_card_was_written_once_more():
    """The entry took a number and left no entry in the history; two are one too many, and so is one after an exit."""
    into, out = block(GATE_IN), block(GATE_OUT)
    assert codes(card(block(RIDE), gates=[into, out], updates=43)) == []
    assert codes(card(block(RIDE), gates=[into, out], updates=44)) == ["number-differs"]
    assert codes(card(block(RIDE), gates=[out, into], updates=43)) == ["number-differs"]


def test_the_attributes_count_no_further_than_two_bytes():
    """Entry 65,578 is the card's 42nd write after the count began anew."""
    assert codes(card(entry(65_536 + 42), updates=42)) == []
    assert codes(card(entry(65_536 + 42), updates=41)) == ["number-differs"]


@pytest.mark.parametrize(
    ("newest_first", "said"),
    [
        ([(44, 0x01), (42, 0x01)], []),  # a ride moves the number by two
        ([(43, 0x01), (42, 0x01)], ["exit-without-entry"]),
        ([(45, 0x01), (42, 0x01)], ["writes-missing"]),
        ([(43, 0x02), (42, 0x01)], []),  # a top-up by one
        ([(45, 0x02), (42, 0x01)], ["writes-missing"]),
        ([(45, 0x01), (44, 0x46), (42, 0x01)], []),  # in, a purchase behind the gates, out
        ([(46, 0x01), (44, 0x46), (42, 0x01)], ["writes-missing"]),  # in, a purchase, in again, out
        ([(45, 0x01), (43, 0x46), (42, 0x01)], []),  # a purchase, in, out
        ([(43, 0x01), (42, 0x46)], []),  # the oldest entry may lie behind the gates
        ([(44, 0x01), (43, 0x01), (42, 0x46)], ["exit-without-entry"]),
        ([(42, 0x02), (42, 0x01)], ["number-falls"]),
        ([(41, 0x02), (42, 0x01)], ["number-falls"]),
        ([(47, 0x13), (42, 0x01)], []),  # how often the Shinkansen writes is not known
        ([(44, 0x06), (42, 0x01)], []),  # let out at a counter
    ],
)
def test_every_write_takes_one_number(newest_first, said):
    """A gate entry takes one too and leaves no entry: so much may be missing before an exit, and no more."""
    history = [entry(number, process) for number, process in newest_first]
    assert codes(card(*history, updates=newest_first[0][0])) == said


def test_a_doubt_is_told_in_both_languages_and_with_its_figures():
    (warning,) = told(card(block(RIDE), balance=1176), [])["warnings"]
    assert warning["code"] == "balance-differs"
    assert warning["params"] == {"balance": 1176, "newest": 175}
    assert "1,176円" in warning["ja"] and "175円" in warning["ja"]
    assert "1,176 yen" in warning["en"] and "175 yen" in warning["en"]


# -- words ---------------------------------------------------------------------------------------


def test_both_languages_have_the_same_words_and_figures():
    """Each code has a word in each language, and each sentence the same figures."""
    one, other = (words(language) for language in LANGUAGES)
    assert {about: set(some) for about, some in one.items()} == {about: set(some) for about, some in other.items()}
    for about, some in one.items():
        for key, text in some.items():
            names = [sorted({n for _, n, _, _ in string.Formatter().parse(t) if n}) for t in (text, other[about][key])]
            assert text.strip() and other[about][key].strip() and names[0] == names[1], (about, key)


def test_every_code_of_the_layout_has_a_word():
    """The terminals, processes, payments and kinds of entry and exit that are known."""
    known = {
        "terminal": "03 05 07 08 12 09 14 18 19 1A 15 16 17 1B 1C 1D 1F 21 23 C7 C8",
        "process": "01 02 03 04 05 06 07 08 0D 0F 11 13 14 15 1F 23 33 46 48 49 4A 4B",
        "payment": "00 02 0B 3F", "passage": "00 01 02 03 04 05 0E 0F",
        "kind": "0 2 3", "region": "0 1 2 3", "gate": "0 2 4", "nature": "0 1 2",
    }  # fmt: skip
    for about, some in known.items():
        assert set(words("en")[about]) == set(some.split()), about


def test_every_sentence_and_column_is_used():
    """A word nobody says is a word nobody keeps right."""
    source = Path(__file__).parent.parent / "src" / "farecard"
    code = "".join(
        path.read_text("utf-8") for path in [*(source / "felica").glob("*.py"), source / "cli" / "read.py"]
    )
    for about in ("warning", "say", "column"):
        for key in words("en")[about]:
            assert f'"{key}"' in code or f"['{key}']" in code, key


def test_a_code_that_nobody_knows_is_told_as_its_number():
    answer = told(card(block("997E99992531 8BA5 8AA5 AF00 00002A A0"), kind=15, region=9), [])
    (found,) = answer["entries"]
    assert found["terminal"] == {"code": "99", "ja": "0x99", "en": "0x99"}
    assert found["what"] == {"code": "7E", "ja": "0x7E", "en": "0x7E"}
    assert found["payment"]["en"] == found["passage"]["ja"] == "0x99"
    assert answer["kind"]["en"] == "0xF" and answer["region"]["ja"] == "0x9"


# -- a card on a reader --------------------------------------------------------------------------

CARD = {
    "008B": [attributes().hex()],
    "090F": [block(RIDE).hex(), entry(40, 0x02, 435, 0x1F).hex(), entry(39, balance=135).hex()] + [UNUSED.hex()] * 17,
    "108F": [block(GATE_OUT).hex(), block(GATE_IN).hex(), UNUSED.hex()],
    "10CB": [UNUSED.hex(), UNUSED.hex()],
}
IDM = "0101060122334455"


@pytest.fixture
def port():
    """A port of UDP that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", 0))
        return one.getsockname()[1]


class Emulated:
    """A card on the reader at a port, as a process that is ended by its id."""

    def __init__(self, port, **what):
        self.process = subprocess.Popen(
            # -P: what lies beside it in tests/ is not taken for the packages that nfcpy imports
            [sys.executable, "-P", Path(__file__).parent / "emulated_card.py", str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.process.stdin.write(json.dumps({"blocks": CARD} | what))
        self.process.stdin.close()
        assert self.process.stdout.readline() == "ready\n"

    def lift(self):
        """Take it away; gives what else it said."""
        if not self.process.stdout.closed:
            self.process.kill()
            self.said = self.process.stdout.read()
            self.process.stdout.close()
            self.process.wait(WAIT)
        return self.said


@contextmanager
def lying(port, **what):
    """A card that lies on the reader, for so long."""
    one = Emulated(port, **what)
    try:
        yield one
    finally:
        one.lift()


def read(port, *options, **kwargs):
    return farecard("read", "--device", f"udp:localhost:{port}", *options, **kwargs)


def expected(blocks=CARD):
    """What is to be told of a card with these blocks."""
    first, *rest = ([bytes.fromhex(b) for b in blocks[s]] for s in ("008B", "090F", "108F", "10CB"))
    return json.loads(msgspec.json.encode(told(decode(first[0], *rest), [])))


@pytest.mark.parametrize(
    "what",
    [
        {"chip": "01"},  # a chip that gives twelve blocks at once
        {"chip": "0B"},  # one that gives them one by one, as newer cards do
        {"chip": "EE"},  # one that nobody knows
        {"chip": "01", "most": 1},  # one that gives less than its kind
        {"chip": "01", "most": 12},
        {"chip": "01", "most": 11},
    ],
)
def test_a_card_is_read(port, what):
    """Whatever it gives at once, all of it comes, and nothing is written to it."""
    with lying(port, **what) as one:
        done = read(port, "--json")
        assert json.loads(done.stdout) == expected()
        assert one.lift() == ""


def test_what_is_told_of_a_card(port):
    """In the words a page relies on; the card's identifier is not among them."""
    with lying(port):
        done = read(port, "--json")
    answer = json.loads(done.stdout)
    assert set(answer) == {"kind", "balance", "updates", "region", "entries", "gates", "open_ride", "warnings"}
    assert answer["kind"] == {"code": "3", "ja": "ICOCA", "en": "ICOCA"} and answer["balance"] == 175
    newest = answer["entries"][0]
    assert (newest["date"], newest["time"], newest["amount"], newest["balance"]) == ("2018-09-17", None, 260, 175)
    assert newest["what"] == {"code": "01", "ja": "改札出場", "en": "gate exit"}
    assert newest["entry"] == {"line": "8B", "station": "A5"}
    assert [one["amount"] for one in answer["entries"]] == [260, -300, None]
    assert [one["time"] for one in answer["gates"]] == ["09:29", "09:11"]
    assert answer["warnings"] == []
    assert IDM not in (done.stdout + done.stderr).decode().replace(" ", "").upper()


@pytest.mark.parametrize(
    ("lang", "head", "row"),
    [
        ("en", "ICOCA: 175 yen", "2018-09-17        gate            gate exit  8B-A5 > 8A-A5    -260      175   42"),
        ("ja", "ICOCA：175円", "2018-09-17        改札機      改札出場  8B-A5 > 8A-A5  -260   175    42"),
    ],
)
def test_people_get_a_table(port, lang, head, row):
    """What was spent stands with a minus there, as in a card's history elsewhere."""
    with lying(port):
        said = read(port, "--lang", lang).stdout.decode().splitlines()
    assert said[0] == head
    assert row in said
    assert any("09:29" in line and "260" in line for line in said)


def test_the_page_shows_what_is_printed(port):
    """The example of docs/card-reader.md is this card."""
    page = (Path(__file__).parent.parent / "docs" / "card-reader.md").read_text("utf-8")
    example = re.search(r"```console\n\$ farecard read\n(.*?)```", page, re.DOTALL)[1]
    with lying(port):
        done = read(port, "--lang", "en")
    assert (done.stderr + done.stdout).decode() == example


def test_nothing_of_a_card_is_kept(port, tmp_path):
    """No file in the folder or the home it ran in, and nothing of the contents beside the answer."""
    home = tmp_path / "home"
    home.mkdir()
    with lying(port):
        done = read(port, "--json", cwd=home, env={"HOME": str(home), "TMPDIR": str(home)})
    assert list(home.rglob("*")) == []
    assert done.stderr.decode() == "farecard: lay the card on the reader and leave it there until it has been read\n"


@pytest.mark.parametrize("how", ["silently", "RFOFF", "half"])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_card_taken_away_half_way(port, how, after):
    """Before the first answer, after the balance, amid the history: nothing is told but what to do."""
    with lying(port, chip="0B", leaves_after=after, how=how):
        done = read(port, "--json", check=False)
    assert done.returncode == 2 and done.stdout == b""
    assert b"taken away before it was read; lay it on the reader again" in done.stderr


def test_a_card_of_another_family(port):
    """An electronic money card answers, but not as the transit system."""
    with lying(port, system="FE00"):
        done = read(port, "--json", check=False)
    assert done.returncode == 2 and done.stdout == b""
    assert b"not a card of the transit system; lay an ICOCA" in done.stderr


@pytest.mark.parametrize("closed", ["008B", "090F"])
def test_a_card_that_lets_nothing_be_read(port, closed):
    with lying(port, blocks={service: some for service, some in CARD.items() if service != closed}):
        done = read(port, check=False)
    assert done.returncode == 2 and done.stdout == b""
    assert b"does not let its balance and history be read" in done.stderr


def test_a_card_that_keeps_its_gates_to_itself(port):
    """Balance and history are told all the same, with what is not."""
    with lying(port, blocks={service: CARD[service] for service in ("008B", "090F")}):
        answer = json.loads(read(port, "--json").stdout)
    assert answer["entries"] == expected()["entries"]
    assert answer["gates"] == [] and answer["open_ride"] is None
    assert [one["code"] for one in answer["warnings"]] == ["gates-not-told", "ride-not-told"]


def test_no_card_in_time(port):
    done = read(port, "--timeout", "0.5", check=False)
    assert done.returncode == 2 and done.stdout == b""
    assert b"no card within 0.5 seconds; lay one flat on the reader" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--device", "tty:USB987:pn532"], "no reader at tty:USB987:pn532; plug one in, or name another with --device"),
        (["--device", "somewhere"], "--device: somewhere: not the path of a reader; use usb,"),
        (["--device", "usb:zz"], "--device: usb:zz: not the path"),
        (["--device", "tty:USB0:nothing"], "not the path"),
        (["--device", "udp:localhost"], "not the path"),
        (["--device", "udp:localhost:port"], "not the path"),
        (["--device", "usb:7777:7777"], "reader"),  # with libusb there is none, without it that is said
        (["--timeout", "0"], "--timeout: more than 0 seconds"),
        (["--timeout", "nan"], "--timeout: more than 0 seconds"),
        (["--timeout", "5", "--offer"], "--timeout goes without --offer"),
        (["--page", PAGE], "--page goes with --offer"),
        (["--offer", "0", "--page", "http://127.0.0.1:8000/"], "--page: not an origin"),
        (["--offer", "0", "--page", "null"], "--page: not an origin"),
        (["--offer", "65536", "--device", "udp:localhost:9"], "nothing can be offered at port 65536"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(options, said):
    done = farecard("read", *options, check=False)
    assert done.returncode == 2 and done.stdout == b""
    assert said in done.stderr.decode()


# -- offered to the machine's page ---------------------------------------------------------------


class Offered:
    """``farecard read --offer`` on a reader; ended by its process id."""

    def __init__(self, port, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "farecard.cli.main", "read", "--device", f"udp:localhost:{port}", "--offer", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)},
        )  # fmt: skip
        first = self.process.stderr.readline()
        found = re.fullmatch(
            rf"farecard: cards are offered to {PAGE} at http://127\.0\.0\.1:(\d+)/card; Ctrl-C to stop\n", first
        )
        assert found, first + self.process.stderr.read()
        self.port = int(found[1])
        self.status = None

    def ask(self, path="/card?wait=25", origin=PAGE, host=None, method="GET"):
        """One question; gives (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            if origin is not None:
                connection.putheader("Origin", origin)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def stop(self, how=signal.SIGTERM):
        """End it and wait; gives what it said to either side."""
        if self.status is None:
            self.process.send_signal(how)
            self.said = self.process.communicate(timeout=WAIT)
            self.status = self.process.returncode
        return self.said


@pytest.fixture
def offered(port, tmp_path):
    one = Offered(port, tmp_path)
    yield one
    one.stop()


def test_each_touch_is_handed_over_once(port, offered, tmp_path):
    """Whoever waits gets the card; asked again while it still lies there, there is none; the next one is there anew."""
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(offered.ask()))
    waiting.start()
    with lying(port):
        waiting.join(WAIT)
        status, headers, body = answers[0]
        assert status == 200 and json.loads(body) == expected()
        assert headers["Access-Control-Allow-Origin"] == PAGE and headers["Vary"] == "Origin"
        assert headers["Cache-Control"] == "no-store" and headers["Content-Type"] == "application/json"
        # long enough for a look that goes astray, as the first after a reading does here
        assert offered.ask("/card?wait=4")[::2] == (204, b"")
        assert offered.ask("/card")[0] == 204
    with lying(port, idm="0101060122334466"):
        assert offered.ask()[0] == 200
    with lying(port):  # the first one again is another touch
        assert offered.ask()[0] == 200
    out, err = offered.stop()
    assert offered.status == 0
    assert (out, err) == ("", "farecard: stopped; nothing of any card was kept\n")
    assert list(tmp_path.rglob("*")) == []


def test_no_other_page_gets_anything(port, offered):
    """Not a page elsewhere, not one whose name was made to lead here, not one that does not say who it is; the card stays for the right one."""
    right = f"127.0.0.1:{offered.port}"
    with lying(port):
        for origin, host in [
            ("http://evil.example", None), ("null", None), ("", None), (None, None),
            ("http://127.0.0.1:8001", None), ("https://127.0.0.1:8000", None), ("http://localhost:8000", None),
            (PAGE + ".evil.example", None), (PAGE + "/", None),
            (PAGE, "evil.example"), (PAGE, f"evil.example:{offered.port}"), (PAGE, "127.0.0.1"),
            (PAGE, f"127.0.0.1:{offered.port + 1}"), (PAGE, f"127.0.0.1.evil.example:{offered.port}"),
        ]:  # fmt: skip
            status, headers, body = offered.ask(origin=origin, host=host)
            assert (status, body) == (403, b""), (origin, host)
            assert not [name for name in headers if name.startswith("Access-Control")]
            assert headers["Vary"] == "Origin" and headers["Cache-Control"] == "no-store"
        assert offered.ask(origin="http://evil.example", method="OPTIONS")[0] == 403
        assert offered.ask(host=f"localhost:{offered.port}", path="/card?wait=25")[0] == 200
        assert offered.ask(host=right, path="/card")[0] == 204


def test_what_else_may_be_asked(offered):
    """A browser asks first whether it may; nothing but the card is there, and nobody waits longer than 25 seconds."""
    status, headers, body = offered.ask(method="OPTIONS")
    assert (status, body) == (204, b"")
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Access-Control-Allow-Methods"] == "GET"
    assert headers["Access-Control-Allow-Private-Network"] == "true"
    for path in ("/", "/card/", "/cards", "/card%20", "//card"):
        assert offered.ask(path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE", "HEAD"):
        assert offered.ask(method=method)[0] == 405, method
    for query in ("wait=26", "wait=-1", "wait=1.5", "wait=", "wait=99999999999", "wait=%31", "until=1", "wait=1&wait=2"):
        assert offered.ask(f"/card?{query}")[0] == 400, query
    assert offered.ask("/card?wait=0")[0] == 204


def test_a_card_nobody_can_read_is_told_to_whoever_stands_by(port, offered):
    """The page gets nothing; the next card is read as if nothing had been."""
    with lying(port, system="FE00"):
        assert offered.process.stderr.readline() == (
            "farecard: this is not a card of the transit system; lay an ICOCA or another transit card on the reader\n"
        )
    with lying(port, chip="0B", leaves_after=1):
        assert "taken away before it was read" in offered.process.stderr.readline()
    with lying(port):
        assert offered.ask()[0] == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_good_order(offered, how):
    """Whoever waits is told that no card came; then it ends, with nothing left to say."""
    with socket.create_connection(("127.0.0.1", offered.port), timeout=WAIT) as waiting:
        waiting.sendall(f"GET /card?wait=25 HTTP/1.1\r\nHost: 127.0.0.1:{offered.port}\r\nOrigin: {PAGE}\r\n\r\n".encode())
        offered.ask("/card")  # it has begun to listen to the one before by then
        out, err = offered.stop(how)
        assert waiting.recv(1000).startswith(b"HTTP/1.1 204 ")
    assert (out, err, offered.status) == ("", "farecard: stopped; nothing of any card was kept\n", 0)


def test_a_port_that_is_taken(offered):
    done = farecard("read", "--device", "udp:localhost:9", "--offer", offered.port, check=False)
    assert done.returncode == 2
    assert f"nothing can be offered at port {offered.port}: " in done.stderr.decode()


# -- how it is offered, in this process ----------------------------------------------------------


class Clock(asyncio.SelectorEventLoop):
    """A real event loop whose clock can be moved."""

    ahead = 0.0

    def time(self):
        return super().time() + self.ahead


def on_a_clock(scenario):
    """Run a scenario that gets the loop."""
    loop = Clock()
    try:
        loop.run_until_complete(scenario(loop))
    finally:
        loop.close()


async def after(loop, seconds):
    """So much later, with whatever was due by then done."""
    loop.ahead += seconds
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("seconds", "there"), [(59, True), (61, False)])
def test_a_card_that_nobody_asks_for_is_dropped_a_minute_after_the_touch(seconds, there):
    async def scenario(loop):
        tray = offering.Tray()
        tray.put(b"a card")
        await after(loop, seconds)
        assert await tray.take(0) == (b"a card" if there else None)

    on_a_clock(scenario)


@pytest.mark.parametrize(
    ("lies", "then", "there"),
    [(0, 2, True), (0, 4, False), (58, 1, True), (58, 2.5, False)],
)
def test_a_card_taken_away_is_dropped_before_somebody_else_comes(lies, then, there):
    """Three seconds, for a page between two questions; never later than the minute."""

    async def scenario(loop):
        tray = offering.Tray()
        tray.put(b"a card")
        await after(loop, lies)
        tray.away()
        await after(loop, then)
        assert await tray.take(0) == (b"a card" if there else None)

    on_a_clock(scenario)


def test_a_second_card_takes_the_place_of_the_first_and_its_time():
    async def scenario(loop):
        tray = offering.Tray()
        tray.put(b"one")
        await after(loop, 40)
        tray.put(b"two")
        await after(loop, 40)
        assert await tray.take(0) == b"two"
        assert await tray.take(0) is None

    on_a_clock(scenario)


def test_of_two_who_wait_one_gets_the_card():
    async def scenario(loop):
        tray = offering.Tray()
        waiting = [loop.create_task(tray.take(WAIT)) for _ in range(2)]
        await after(loop, 0)
        tray.put(b"a card")
        await after(loop, 0)
        await after(loop, WAIT + 1)
        assert sorted(map(str, await asyncio.gather(*waiting))) == ["None", "b'a card'"]

    on_a_clock(scenario)


async def served(tray, meet):
    """A door on a free port, for as long as somebody meets it."""
    ending = asyncio.create_task(asyncio.Event().wait())
    listening = offering.bind(0)
    port = listening.getsockname()[1]
    door = offering.Door(tray, PAGE, port, ending)
    async with await asyncio.start_server(door, sock=listening, limit=offering.MOST_HEAD):
        await asyncio.wait_for(meet(port), WAIT)
        ending.cancel()
        await door.closed()


def question(port, wait=0):
    return f"GET /card?wait={wait} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {PAGE}\r\n\r\n".encode()


async def answer_to(port, *parts):
    """All that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
    got = await reader.read()
    writer.close()
    await writer.wait_closed()
    return got


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /card HTTP/1.1\r\n", b"GET /card HTTP/1.1\r\nHost: 127.0.0.1"],
)
def test_whoever_does_not_finish_asking_is_not_waited_for(monkeypatch, sent):
    monkeypatch.setattr(offering, "HEAR", 0.2)

    async def meet(port):
        assert await answer_to(port, sent) == b""

    asyncio.run(served_with_tray(meet))


async def served_with_tray(meet, *cards):
    tray = offering.Tray()
    for one in cards:
        tray.put(one)
    await served(tray, meet)
    return tray


def test_a_head_of_any_size_is_not_taken_in():
    """8 KiB is enough for every browser; past that the connection ends."""

    async def meet(port):
        fits = question(port)[:-2] + b"X: " + b"x" * 7900 + b"\r\n\r\n"
        assert (await answer_to(port, fits)).startswith(b"HTTP/1.1 204 ")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(question(port)[:-2] + b"X: " + b"x" * 20_000 + b"\r\n\r\n")
        with suppress(ConnectionResetError):  # closed while more was on its way
            assert await reader.read() == b""
        writer.close()

    asyncio.run(served_with_tray(meet))


@pytest.mark.parametrize(
    "head",
    [
        "GET /card\r\n\r\n", "GET  /card HTTP/1.1\r\n\r\n", "GET /card HTTP/2\r\n\r\n", "\r\n\r\n",
        "GET /card HTTP/1.1\r\nHost\r\n\r\n", "GET /card HTTP/1.1\r\n: x\r\n\r\n", "GET /card HTTP/1.1\r\nA: 1\r\n b\r\n\r\n",
        "GET /card HTTP/1.1\r\nHost : x\r\n\r\n", f"GET /card HTTP/1.1\r\nOrigin: {PAGE}\r\norigin: {PAGE}\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_answered_as_such(head):
    """Above all none that names two origins."""

    async def meet(port):
        assert (await answer_to(port, head.encode())).startswith(b"HTTP/1.1 400 ")

    asyncio.run(served_with_tray(meet))


async def is_heard(port):
    try:
        return (await answer_to(port, question(port))).startswith(b"HTTP/1.1 204 ")
    except ConnectionError:
        return False


def test_no_more_than_sixteen_are_heard_at_once():
    """The seventeenth is told to come back; past sixteen who are told so it hangs up; when one has gone, there is room again."""

    async def meet(port):
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(16)]
        for _, writer in crowd:
            writer.write(question(port, 25))
        full = await answer_to(port, question(port))
        assert full.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1" in full
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(16)]
        assert await answer_to(port) == b""
        for _, writer in [*slow, crowd.pop()]:
            writer.close()
            await writer.wait_closed()
        while not await is_heard(port):  # until it has seen them go
            pass
        for _, writer in crowd:
            writer.close()
            await writer.wait_closed()

    asyncio.run(served_with_tray(meet))


def test_who_has_gone_does_not_take_the_card_along():
    """A page that was closed while it waited leaves the card to the next."""

    async def scenario():
        tray = offering.Tray()

        async def meet(port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(question(port, 25))
            writer.close()
            await writer.wait_closed()
            # asked behind it, so that it has been seen to go by then
            assert (await answer_to(port, question(port))).startswith(b"HTTP/1.1 204 ")
            tray.put(b"a card")
            assert (await answer_to(port, question(port))).endswith(b"\r\n\r\na card")

        await served(tray, meet)

    asyncio.run(scenario())


def test_a_reader_that_is_unplugged_ends_the_offer():
    """Better than a page that waits for ever."""
    said = []

    def look(stop):
        assert not stop.is_set()
        raise ReaderError("the reader is gone")
        yield

    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    with offering.bind(0) as listening, pytest.raises(ReaderError, match="the reader is gone"):
        offering.offer(look, listening, PAGE, said.append)
    assert len(said) == 1 and said[0].startswith("cards are offered")
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (PAGE, True), ("https://machine.example", True), ("http://[::1]:8000", True),
        (PAGE + "/", False), ("127.0.0.1:8000", False), ("null", False), ("*", False), ("", False),
        ("http://", False), ("http://a b", False), (PAGE + "\r\nX: y", False), ("http://a:b@c", False), ("HTTP://A", False),
    ],
)  # fmt: skip
def test_an_origin_is_what_a_browser_writes(text, is_one):
    assert offering.is_origin(text) is is_one
