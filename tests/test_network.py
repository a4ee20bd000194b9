"""Networks: read from two files, dated, and never guessed from."""

import json

import pytest

from conftest import answers, command, farecard, new_desk
from farecard.model.moments import parse_day
from farecard.network import Network, Networks
from farecard.network.tables import NetworkError, Tables, read_tables

FARES = "from,to,adult,child\nA,B,100,50\nB,C,200,100\nA,C,250,130\n"
LINES = "line,order,station\nred,1,A\nred,2,B\nred,3,C\nblue,1,C\nblue,2,A\n"
CARD = {"card": "JW000000000000001"}


def folder(tmp_path, fares=FARES, lines=LINES, name="net"):
    path = tmp_path / name
    path.mkdir()
    (path / "fares.csv").write_text(fares, "utf-8")
    (path / "lines.csv").write_text(lines, "utf-8")
    return path


def ride(number, start, end, day="2023-03-01"):
    return [
        command(f"{number}i", "tap_in", at=f"{day}T10:{number:02d}:00+09:00", channel="gate", station=start, **CARD),
        command(f"{number}o", "tap_out", at=f"{day}T10:{number:02d}:30+09:00", channel="gate", station=end, **CARD),
    ]  # fmt: skip


def test_a_network_loaded_into_a_new_store_decides_its_rides(tmp_path):
    """``farecard network load`` makes the store; fares hold both ways."""
    done = farecard("network", "load", folder(tmp_path), cwd=tmp_path)
    assert b"3 stations on 2 lines, 3 fares; it holds always" in done.stdout
    issue = command("1", "issue", kind="anonymous", paid=2000, **CARD)
    lines = [issue, *ride(1, "A", "B"), *ride(2, "C", "B"), *ride(3, "Osaka", "Kyoto")]
    done = farecard("replay", "-", stdin=b"\n".join(lines), cwd=tmp_path)
    assert done.stdout.count(b'"fare":100') == 1
    assert done.stdout.count(b'"fare":200') == 1
    assert done.stdout.count(b"unknown-station") == 2


def test_a_network_holds_from_its_day_on(tmp_path):
    """A version from a day leaves the days before it as they were."""
    farecard("network", "load", folder(tmp_path), cwd=tmp_path)
    dearer = folder(tmp_path, FARES.replace("A,B,100,50", "A,B,110,60"), name="dearer")
    farecard("network", "load", dearer, "--from", "2023-04-01", cwd=tmp_path)
    lines = [
        command("1", "issue", kind="anonymous", paid=2000, **CARD),
        *ride(1, "A", "B", "2023-03-31"),
        *ride(2, "A", "B", "2023-04-01"),
    ]
    done = farecard("replay", "-", stdin=b"\n".join(lines), cwd=tmp_path)
    fares = [line.split(b'"fare":')[1].split(b",")[0] for line in done.stdout.splitlines() if b"fare" in line]
    assert fares == [b"100", b"110"]


def test_a_pair_without_a_fare_is_no_command(tmp_path):
    """The ride stays open until the table knows the way."""
    farecard("network", "load", folder(tmp_path, FARES.replace("A,C,250,130\n", "")), cwd=tmp_path)
    lines = [command("1", "issue", kind="anonymous", paid=2000, **CARD), *ride(1, "A", "C"), *ride(2, "A", "B")]
    done = farecard("replay", "-", stdin=b"\n".join(lines), cwd=tmp_path)
    assert [line.split(b'"outcome":"')[1].split(b'"')[0] for line in done.stdout.splitlines()] == [
        b"accepted", b"accepted", b"invalid", b"refused", b"accepted",
    ]  # fmt: skip


def test_the_company_of_the_exit_station_is_owed_the_fare(tmp_path):
    """``lines.csv`` may name a company a station; without one it is the issuer's own."""
    lines = "line,order,station,company\nred,1,A,\nred,2,B,Hankyu\nred,3,C,\n"
    farecard("network", "load", folder(tmp_path, lines=lines), cwd=tmp_path)
    some = [command("1", "issue", kind="anonymous", paid=2000, **CARD), *ride(1, "A", "B"), *ride(2, "B", "C")]
    farecard("replay", "-", stdin=b"\n".join(some), cwd=tmp_path)
    books = json.loads(farecard("trial-balance", "--json", cwd=tmp_path).stdout)
    owed = {row["account"]: row["credit"] for row in books["accounts"] if "fares" in row["account"]}
    assert owed == {"fares-payable:Hankyu": 100, "fares-payable:issuer": 200}


@pytest.mark.parametrize(
    ("fares", "lines", "words"),
    [
        (FARES + "A,B,101,50\n", LINES, "line 5: this pair has another fare"),
        (FARES + "B,A,101,50\n", LINES, "line 5: this pair has another fare"),
        (FARES + "A,A,100,50\n", LINES, "line 5: from and to are the same"),
        (FARES + "A,D,-1,50\n", LINES, "line 5: adult: not a whole number"),
        (FARES + "A,D,1.5,50\n", LINES, "line 5: adult: not a whole number"),
        (FARES + "A,D,１００,50\n", LINES, "line 5: adult: not a whole number"),
        (FARES + "A,D,100\n", LINES, "line 5: not as many fields"),
        (FARES + ",D,100,50\n", LINES, "line 5: from: a station's name"),
        ("from,to,adult\nA,B,100\n", LINES, "line 1: the header lacks child"),
        ("", LINES, "line 1: the header lacks"),
        (FARES, LINES + "red,1,D\n", "line 7: order 1 stands twice"),
        (FARES, LINES + "red,4,A\n", "line 7: this station stands twice"),
        (FARES, LINES + "red,x,D\n", "line 7: order: not a whole number"),
    ],
)
def test_a_file_that_is_wrong_names_its_line(tmp_path, fares, lines, words):
    """Nothing is loaded by halves: the first mistake is said with file and line."""
    path = folder(tmp_path, fares, lines)
    with pytest.raises(NetworkError, match=words):
        read_tables(path)
    done = farecard("network", "load", path, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert not list(tmp_path.glob("*.db"))


def test_a_file_that_is_not_utf_8_is_said(tmp_path):
    """A table saved by an old spreadsheet."""
    path = folder(tmp_path)
    (path / "lines.csv").write_bytes("line,order,station\n赤,1,大阪\n".encode("cp932"))
    with pytest.raises(NetworkError, match="not UTF-8"):
        read_tables(path)


def test_the_shortest_way_is_a_passes_section():
    """Where two lines join two stations, the section is the one with fewer stations."""
    lines = {
        "loop": [("A", "x"), ("B", "x"), ("C", "x"), ("D", "x")],
        "direct": [("A", "x"), ("D", "x")],
    }
    network = Network(1, Tables(lines, []))
    section = network.section("D", "A")
    assert section is not None
    assert section.stations == {"A", "D"}
    assert network.section("A", "Z") is None


def test_the_newest_version_that_has_begun_holds():
    """Of two versions for the same day the later one loaded."""
    one, two, three = (Network(n, Tables({}, [])) for n in (1, 2, 3))
    day = parse_day("2023-04-01")
    networks = Networks([(0, one), (day, two), (0, three)])
    assert networks.on(day - 1).version == 3
    assert networks.on(day).version == 3
    assert Networks([(0, one), (day, two)]).on(day - 1).version == 1


def test_a_desk_without_lines_knows_the_stations_of_its_fares(tmp_path):
    """A fare table alone is enough to ride."""
    farecard("network", "load", folder(tmp_path, lines="line,order,station\n"), cwd=tmp_path)
    desk = new_desk(tmp_path, "farecard.db")
    got = answers(desk, [command("1", "issue", kind="anonymous", paid=2000, **CARD), *ride(1, "A", "C")])
    assert got[-1]["result"] == {"fare": 250, "balance": 1250}
