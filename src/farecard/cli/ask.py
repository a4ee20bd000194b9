"""The questions of the command line: status, history, quotes, trial balance, check."""

from collections.abc import Iterable
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import Progress, pairs, print_json, say, table
from farecard.model.commands import parse_number
from farecard.model.moments import moment_now, parse_as_of
from farecard.questions import answers, card
from farecard.storage.opening import open_to_read
from farecard.storage.store import Store


def number_of(args: Any) -> int:
    """``CARD`` as a number."""
    try:
        return parse_number(args.card)
    except ValueError:
        raise UsageError(
            "CARD: a card number is JW and 15 digits, like JW000000000000001"
        ) from None


def moment_of(args: Any) -> int | None:
    """``--as-of`` as a moment; a date means its last moment in Tokyo. None: now."""
    if args.as_of is None:
        return None
    try:
        return parse_as_of(args.as_of)
    except ValueError:
        raise UsageError(
            "--as-of: not a time; use an RFC 3339 time between 2000 and 2099 with its offset,"
            " like 2023-03-01T12:00:00+09:00, or a date like 2023-03-01"
        ) from None


def of_card(args: Any, ask: Any) -> tuple[Any, Store] | None:
    """Ask about a card; None, said on standard error, when the store does not know it."""
    number = number_of(args)
    at = moment_of(args)
    store = open_to_read(args.store)
    store.begin_reading()
    try:
        when = card.everything(moment_now()) if at is None else card.moment(at)
        return ask(store, number, when), store
    except card.UnknownCardError as error:
        then = "" if at is None else " at that time"
        say(f"farecard: {error}: no such card in {store.place}{then}")
        return None


def _show(args: Any, ask: Any, for_people: Any) -> int:
    got = of_card(args, ask)
    if got is None:
        return 1
    (print_json if args.json else for_people)(got[0])
    return 0


def status(args: Any) -> int:
    """``farecard status CARD``."""
    got = of_card(args, answers.status)
    if got is None:
        return 1
    answer = got[0]
    if args.json:
        print_json(answer)
        return 0
    card = answer["card"]
    if card["ride"] is not None:
        card["ride"] = f"from {card['ride']['station']}, {card['ride']['since']}"
    pairs(card)
    tell_pending(answer.get("proposals", ()))
    if answer["myna"] is not None:
        _show_measures(answer["myna"], args.lang)
    if answer["rally"] is not None:
        _show_stamps(answer["rally"])
    return 0


def tell_pending(waiting: Iterable[dict[str, Any]]) -> None:
    """What is proposed about what was asked, on standard error."""
    for one in waiting:
        say(
            f"{one['proposal']}, proposed by {one['proposed_by']} at {one['proposed_at']}, waits for a second pair of eyes"
        )


def _show_stamps(rally: dict[str, Any]) -> None:
    """The rally for people: a line a stamp."""
    print()
    rows = [
        (number, *((None, None) if stamp is None else stamp.values()))
        for number, stamp in rally["stamps"].items()
    ]
    table(("stamp", "achieved at", "shows by"), rows)
    print(f"draw: {rally['draw'] or 'none yet'}")


def _show_measures(myna: dict[str, Any], language: str) -> None:
    """An application for people: a line a measure, and why."""
    rows = [
        (
            number,
            one["state"],
            one["points"] or "",
            one["grant_on"],
            one.get("counted"),
            one.get("remaining"),
        )
        for number, one in myna["measures"].items()
    ]
    print(f"\nMyna Point, applied for at {myna['applied_at']}")
    table(("measure", "state", "points", "grant on", "counted", "remaining"), rows)
    for number, one in myna["measures"].items():
        for reason in one["reasons"]:
            print(f"{number}: {reason['rule']}: {reason[language]}")


def history(args: Any) -> int:
    """``farecard history CARD``."""
    head = ("id", "at", "do", "channel", "amount", "balance", "points")
    return _show(
        args,
        answers.history,
        lambda answer: table(head, [row.values() for row in answer], empty="nothing yet"),
    )


def _show_quote(answer: dict[str, Any], language: str) -> None:
    if "reasons" in answer:
        for reason in answer["reasons"]:
            print(f"{reason['rule'] or '-'}: {reason[language]}")
    else:
        pairs(answer.pop("payout", {}) | answer)


def quote_refund(args: Any) -> int:
    """``farecard quote refund CARD``."""
    return _show(args, answers.refund_quote, lambda answer: _show_quote(answer, args.lang))


def quote_reissue(args: Any) -> int:
    """``farecard quote reissue CARD``."""
    return _show(args, answers.reissue_quote, lambda answer: _show_quote(answer, args.lang))


def quote_quick_charge(args: Any) -> int:
    """``farecard quote quick-charge CARD``."""
    return _show(args, answers.quick_charge_quote, lambda answer: _show_quote(answer, args.lang))


def trial_balance(args: Any) -> int:
    """``farecard trial-balance``."""
    at = moment_of(args)
    store = open_to_read(args.store)
    store.begin_reading()
    answer = answers.trial_balance(store, at, moment_now())
    if args.by_head:
        answer = by_head(answer)
    if args.json:
        print_json(answer)
        return 0
    show_books(answer)
    return 0


def by_head(answer: dict[str, Any]) -> dict[str, Any]:
    """A trial balance with its accounts summed by head, cash by channel."""
    heads: dict[str, list[int]] = {}
    for row in answer["accounts"]:
        parts = row["account"].split(":")
        side = heads.setdefault(":".join(parts[: 2 if parts[0] == "cash" else 1]), [0, 0])
        side[0] += row["debit"]
        side[1] += row["credit"]
    accounts = [
        {"account": head, "debit": debit, "credit": credit, "balance": debit - credit}
        for head, (debit, credit) in heads.items()
    ]
    return {**answer, "accounts": accounts}


def show_books(answer: dict[str, Any]) -> None:
    """A trial balance for people."""
    rows = [tuple(row.values()) for row in answer["accounts"]]
    total = ("total", answer["debit"], answer["credit"], answer["debit"] - answer["credit"])
    table(("account", "debit", "credit", "balance"), [*rows, total])
    unused = answer["unused"]
    print(
        f"\nunused balance of all cards {unused['balance']:,} yen; to secure {unused['to_secure']:,} yen (PUB-15)"
    )


def check(args: Any) -> int:
    """``farecard check``: exit status 1 and what is wrong, or 0."""
    from farecard.questions.audit import Audit

    store = open_to_read(args.store)
    progress = Progress(store.rows("event_count")[0][0], "event")
    audit = Audit(store)
    done = 0
    try:
        for read in audit.run():
            progress.advance(read - done)
            done = read
    finally:
        progress.close()
    answer = {
        "ok": not audit.problems,
        "batches": audit.batches,
        "events": audit.events,
        "problems": audit.problems,
        "more": audit.more,
    }
    if args.json:
        print_json(answer)
    else:
        for problem in audit.problems:
            print(problem)
        if audit.more:
            print(f"and {audit.more:,} more")
        verdict = "all fits together" if answer["ok"] else "something is wrong"
        print(f"{audit.events:,} events in {audit.batches:,} batches: {verdict}")
    return 0 if answer["ok"] else 1
