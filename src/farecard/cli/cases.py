"""``farecard cases list`` and ``show``: what was left to people."""

from contextlib import closing
from typing import Any

from farecard.cli.ask import moment_of
from farecard.cli.show import pairs, print_json, say, table
from farecard.questions import referrals
from farecard.storage.opening import open_to_read


def list_(args: Any) -> int:
    """``farecard cases list``: the newest first."""
    at = moment_of(args)
    with closing(open_to_read(args.store)) as store:
        store.begin_reading()
        found = referrals.cases(store, at, args.most, args.state, args.refer_to)
    if args.json:
        print_json(found)
        return 0
    head = ("case", "state", "goes to", "at", "do", "card", "rule")
    rows = [
        (
            one["case"],
            one["state"],
            one["refer_to"],
            one["at"],
            one["do"],
            one["card"],
            one["reasons"][0]["rule"],
        )
        for one in found
    ]
    table(head, rows, empty="no such cases")
    return 0


def show(args: Any) -> int:
    """``farecard cases show CASE``: what it is about, and how to close it or how it was closed."""
    at = moment_of(args)
    with closing(open_to_read(args.store)) as store:
        store.begin_reading()
        try:
            found = referrals.case(store, args.case, at)
        except referrals.UnknownCaseError:
            then = "" if at is None else " at that time"
            say(f"farecard: {args.case}: no such case in {store.place}{then}")
            return 1
    if args.json:
        print_json(found)
        return 0
    reasons, closed = found.pop("reasons"), found.pop("closed")
    pairs(found)
    print()
    for reason in reasons:
        print(f"{reason['rule']}: {reason[args.lang]}")
        if "do_next" in reason:
            print(reason["do_next"][args.lang])
    print()
    if closed is None:
        print("closed by the command resolve_case, with the decision granted or declined and why")
    else:
        pairs({f"closed {name}": value for name, value in closed.items()})
    return 0
