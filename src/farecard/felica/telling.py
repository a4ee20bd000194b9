"""A card as it is told to others: codes with their words in both languages, and what does not fit together.

The card's own identifier (IDm) is not among it: it is the same at every reader for the card's whole life, so whoever
has it can follow its holder; balance and history serve a machine as well without it.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from farecard.felica.blocks import Bus, Card, Entry, Gate, Rail, Sale, Station
from farecard.felica.checks import Doubt, doubts

LANGUAGES = ("ja", "en")


@cache
def words(language: str) -> dict[str, dict[str, str]]:
    """Every word and sentence of one language, by what it is about."""
    found: dict[str, dict[str, str]] = tomllib.loads(
        (Path(__file__).parent / "words" / f"{language}.toml").read_text("utf-8")
    )
    return found


def told(card: Card, untold: list[Doubt]) -> dict[str, Any]:
    """The answer in JSON's own kinds; ``untold`` says what the card kept to itself.

    Yen in integers; an amount above zero was spent, below zero put on.
    """
    return {
        "kind": _word("kind", card.kind, 1),
        "balance": card.balance,
        "updates": card.updates,
        "region": _word("region", card.region, 1),
        "entries": [_entry(entry) for entry in card.entries],
        "gates": [_gate(gate) for gate in card.gates],
        "open_ride": _station(card.open_ride),
        "warnings": [_warning(doubt) for doubt in [*untold, *doubts(card)]],
    }


def _word(about: str, code: int, digits: int = 2) -> dict[str, str]:
    """A code with what it means; one that nobody knows is its number in both languages."""
    key = f"{code:0{digits}X}"
    return {"code": key} | {
        language: words(language)[about].get(key, f"0x{key}") for language in LANGUAGES
    }


def _entry(entry: Entry) -> dict[str, Any]:
    time = entry.where.time if isinstance(entry.where, Sale) else None
    return {
        "date": None if entry.date is None else entry.date.isoformat(),
        "time": None if time is None else time.isoformat(),
        "terminal": _word("terminal", entry.terminal),
        "what": _word("process", entry.process),
        "with_cash": entry.with_cash,
        "payment": _word("payment", entry.payment),
        "passage": _word("passage", entry.passage),
        **_where(entry.where),
        "amount": entry.amount,
        "balance": entry.balance,
        "number": entry.number,
    }


def _where(where: Rail | Bus | Sale) -> dict[str, Any]:
    if isinstance(where, Bus):
        return {"bus": {"operator": f"{where.operator:04X}", "stop": f"{where.stop:04X}"}}
    if isinstance(where, Sale):
        return {"till": f"{where.till:04X}"}
    return {
        "entry": _station(where.entry),
        "exit": _station(where.exit),
        "entry_region": _word("region", where.entry_region, 1),
        "exit_region": _word("region", where.exit_region, 1),
    }


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "date": None if gate.date is None else gate.date.isoformat(),
        "time": None if gate.time is None else gate.time.isoformat("minutes"),
        "direction": "entry" if gate.entry else "exit",
        "passage": _word("gate", gate.passage, 1),
        "nature": _word("nature", gate.nature, 1),
        "station": _station(gate.station),
        "device": f"{gate.device:04X}",
        "amount": gate.amount,
    }


def _station(station: Station | None) -> dict[str, str] | None:
    if station is None:
        return None
    return {"line": f"{station.line:02X}", "station": f"{station.station:02X}"}


def _warning(doubt: Doubt) -> dict[str, Any]:
    said = {
        language: words(language)["warning"][doubt.code].format_map(doubt.figures)
        for language in LANGUAGES
    }
    return {"code": doubt.code, **said, "params": doubt.figures}
