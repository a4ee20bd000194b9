"""``farecard read``: a real card on a reader, for people, for machines, or offered to the station machine's page."""

import math
import time
from functools import partial
from importlib.util import find_spec
from threading import Event
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import print_json, say, table
from farecard.felica.offering import bind, is_origin, offer
from farecard.felica.telling import told, words
from farecard.felica.touches import ReaderError, Touched, Trouble

PAGE = "http://127.0.0.1:8000"  # where `farecard serve` is, unless it is told otherwise
WAIT = 60.0  # seconds


def run(args: Any) -> int:
    """``farecard read``: one card, or with ``--offer`` one after the other."""
    if find_spec("nfc") is None:
        raise UsageError("a reader is spoken to through nfcpy; pip install 'farecard[reader]'")
    try:
        if args.offer is None:
            _one(args)
        else:
            _offered(args)
    except ReaderError as error:
        raise UsageError(str(error)) from None
    return 0


def _one(args: Any) -> None:
    if args.page is not None:
        raise UsageError("--page goes with --offer")
    wait = WAIT if args.timeout is None else args.timeout
    if not 0 < wait < math.inf:
        raise UsageError("--timeout: more than 0 seconds")
    from farecard.felica.reader import opened, touches

    with opened(args.device) as frontend:
        say("farecard: lay the card on the reader and leave it there until it has been read")
        for event in touches(frontend, Event(), time.monotonic() + wait):
            if isinstance(event, Trouble):
                raise UsageError(event.text)
            assert isinstance(event, Touched)  # nothing can go before something came
            answer = told(*event)
            if args.json:
                print_json(answer)
            else:
                _show(answer, args.lang)
            return
    raise UsageError(f"no card within {wait:g} seconds; lay one flat on the reader and try again")


def _offered(args: Any) -> None:
    page = PAGE if args.page is None else args.page
    if not is_origin(page):
        raise UsageError(
            "--page: not an origin; use scheme, host and port, and nothing behind, like http://127.0.0.1:8000"
        )
    if args.timeout is not None:
        raise UsageError("--timeout goes without --offer")
    from farecard.felica.reader import opened, touches

    with bind(args.offer) as listening, opened(args.device) as frontend:
        offer(partial(touches, frontend), listening, page, lambda text: say(f"farecard: {text}"))
    say("farecard: stopped; nothing of any card was kept")


def _show(answer: dict[str, Any], lang: str) -> None:
    """The card as tables, with the words of one language."""
    said = words(lang)["say"]
    print(said["card"].format(kind=answer["kind"][lang], balance=answer["balance"]))
    if answer["open_ride"]:
        print(said["open-ride"].format(station=_station(answer["open_ride"])))
    print()
    _show_entries(answer["entries"], lang)
    if answer["gates"]:
        print(f"\n{said['gates']}\n")
        _show_gates(answer["gates"], lang)
    for warning in answer["warnings"]:
        print(f"\n! {warning[lang]}")


def _show_entries(entries: list[dict[str, Any]], lang: str) -> None:
    names = ("date", "time", "terminal", "what", "place", "change", "balance", "number")
    table(
        [words(lang)["column"][name] for name in names],
        [
            (
                entry["date"],
                entry["time"],
                entry["terminal"][lang],
                entry["what"][lang],
                _place(entry),
                None if entry["amount"] is None else -entry["amount"],
                entry["balance"],
                entry["number"],
            )
            for entry in entries
        ],
        empty=words(lang)["say"]["no-entries"],
    )


def _show_gates(gates: list[dict[str, Any]], lang: str) -> None:
    names = ("date", "time", "direction", "passage", "place", "amount")
    table(
        [words(lang)["column"][name] for name in names],
        [
            (
                gate["date"],
                gate["time"],
                words(lang)["say"][gate["direction"]],
                gate["passage"][lang],
                _station(gate["station"]),
                gate["amount"],
            )
            for gate in gates
        ],
    )


def _station(station: dict[str, str] | None) -> str:
    return "" if station is None else f"{station['line']}-{station['station']}"


def _place(entry: dict[str, Any]) -> str:
    """The codes an entry names a place by: stations, a bus stop, a till."""
    if "bus" in entry:
        return f"{entry['bus']['operator']}-{entry['bus']['stop']}"
    if "till" in entry:
        return str(entry["till"])
    ends = [_station(entry[end]) for end in ("entry", "exit")]
    return " > ".join(end for end in ends if end)
