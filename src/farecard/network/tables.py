"""The two tables of a network as they come in: ``fares.csv`` and ``lines.csv``, read and checked."""

import csv
from pathlib import Path

import msgspec

MOST_YEN = 1_000_000


class NetworkError(Exception):
    """A network that cannot be loaded; the text names the file, the line and what is wrong."""


class Tables(msgspec.Struct):
    """Lines as lists of (station, company) in order; fares as (one, other, adult, child) in yen."""

    lines: dict[str, list[tuple[str, str]]]
    fares: list[tuple[str, str, int, int]]


def read_tables(folder: Path) -> Tables:
    """Read and check the two files of a folder."""
    lines = _read_lines(folder / "lines.csv")
    fares = _read_fares(folder / "fares.csv")
    return Tables(lines, fares)


def _records(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = [name.strip() for name in reader.fieldnames or []]
            missing = [name for name in columns if name not in header]
            if missing:
                raise NetworkError(
                    f"{path}: line 1: the header lacks {', '.join(missing)};"
                    f" it should be {','.join(columns)}"
                )
            reader.fieldnames = header
            found = []
            for record in reader:
                if None in record or any(record.get(name) is None for name in columns):
                    raise NetworkError(
                        f"{path}: line {reader.line_num}: not as many fields as the header"
                    )
                found.append((reader.line_num, {k: (v or "").strip() for k, v in record.items()}))
            return found
    except FileNotFoundError:
        raise NetworkError(
            f"{path} is missing; a network is a folder with fares.csv and lines.csv"
        ) from None
    except OSError as error:
        raise NetworkError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NetworkError(f"{path}: not UTF-8; save it as UTF-8") from None
    except csv.Error as error:
        raise NetworkError(f"{path}: {error}") from None


def _station(path: Path, line: int, field: str, name: str) -> str:
    if not 1 <= len(name) <= 64:
        raise NetworkError(f"{path}: line {line}: {field}: a station's name has 1 to 64 characters")
    return name


def _whole(path: Path, line: int, field: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:12]) > MOST_YEN or len(text) > 12:
        raise NetworkError(
            f"{path}: line {line}: {field}: not a whole number from 0 to {MOST_YEN:,}"
        )
    return int(text)


def _read_lines(path: Path) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, dict[int, tuple[str, str]]] = {}
    for number, record in _records(path, ("line", "order", "station")):
        order = _whole(path, number, "order", record["order"])
        station = _station(path, number, "station", record["station"])
        line = found.setdefault(record["line"], {})
        if order in line:
            raise NetworkError(f"{path}: line {number}: order {order} stands twice on this line")
        if any(station == name for name, _ in line.values()):
            raise NetworkError(f"{path}: line {number}: this station stands twice on this line")
        line[order] = (station, record.get("company") or "issuer")
    return {line: [stations[n] for n in sorted(stations)] for line, stations in found.items()}


def _read_fares(path: Path) -> list[tuple[str, str, int, int]]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for number, record in _records(path, ("from", "to", "adult", "child")):
        one = _station(path, number, "from", record["from"])
        other = _station(path, number, "to", record["to"])
        yen = (
            _whole(path, number, "adult", record["adult"]),
            _whole(path, number, "child", record["child"]),
        )
        if one == other:
            raise NetworkError(f"{path}: line {number}: from and to are the same station")
        pair = (min(one, other), max(one, other))
        if found.setdefault(pair, yen) != yen:
            raise NetworkError(
                f"{path}: line {number}: this pair has another fare above; a fare holds both ways"
            )
    return [(one, other, adult, child) for (one, other), (adult, child) in found.items()]
