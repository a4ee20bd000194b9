"""``farecard keys add``, ``list`` and ``revoke``: who may speak to the desk over HTTP."""

import os
import pwd
from contextlib import closing
from typing import Any

from farecard.access import keys
from farecard.access.rights import Bound
from farecard.cli.errors import UsageError
from farecard.cli.show import print_json, say, table
from farecard.desk.opening import existing_store, making_store
from farecard.model.moments import iso_moment
from farecard.storage.opening import open_to_read
from farecard.wire.diagnose import is_name


def whoami() -> str:
    """Who sits at this command line, for the trail."""
    try:
        return f"cli:{pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"cli:{os.geteuid()}"


def _words(text: str | None) -> frozenset[str]:
    return frozenset(word.strip() for word in (text or "").split(",") if word.strip())


def add(args: Any) -> int:
    """``farecard keys add NAME``: the secret is shown once, as the last word."""
    for what, word in (("NAME", args.name), ("--place", args.place), ("--merchant", args.merchant),
                       ("--company", args.company)):  # fmt: skip
        if word is not None and not is_name(word):
            raise UsageError(f"{what}: 1 to 64 characters, none of them a control character")
    bound = Bound(
        _words(args.channels), _words(args.ask), args.place, args.merchant, args.company,
        unattended=args.unattended, rate=args.rate,
    )  # fmt: skip
    keys.check(bound)  # before a store is made for it
    with closing(making_store(args.store)[0]) as store:
        secret = keys.add(store, args.name, bound, whoami())
    if args.json:
        print_json({"name": args.name, **_said(bound), "secret": secret})
        return 0
    say("Keep it now: it is not shown again. Send it as `Authorization: Bearer SECRET`.")
    print(f"the key {args.name} is {secret}")
    return 0


def list_(args: Any) -> int:
    """``farecard keys list``: what each key may do; no secret."""
    with closing(open_to_read(args.store)) as store:
        rows = [
            {
                "name": key.name,
                "since": iso_moment(key.since),
                **_said(key.bound),
                "revoked": None if key.revoked is None else iso_moment(key.revoked),
            }
            for key in keys.load(store)
        ]
    if args.json:
        print_json(rows)
        return 0
    head = ("name", "speaks for", "asks", "bound to", "a second", "since", "revoked")
    shown = [
        (
            row["name"],
            ", ".join(row["channels"]),
            ", ".join(row["ask"]),
            ", ".join(f"{what} {row[what]}" for what in _BINDINGS if row[what] is not None),
            row["rate"],
            row["since"],
            row["revoked"],
        )
        for row in rows
    ]
    table(head, shown, empty="no keys yet; `farecard keys add NAME --channels shop` makes one")
    return 0


_BINDINGS = ("place", "merchant", "company")


def _said(bound: Bound) -> dict[str, Any]:
    return {
        "channels": sorted(bound.channels),
        "ask": sorted(bound.ask),
        **{what: getattr(bound, what) for what in _BINDINGS},
        "unattended": bound.unattended,
        "rate": bound.rate,
    }


def revoke(args: Any) -> int:
    """``farecard keys revoke NAME``."""
    with closing(existing_store(args.store)[0]) as store:
        keys.revoke(store, args.name, whoami())
    if args.json:
        print_json({"name": args.name, "revoked": True})
    else:
        print(f"the key {args.name} is revoked; servers stop taking it within a second or two")
    return 0
