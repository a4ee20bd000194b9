"""``farecard person show`` and ``erase``: what is held about somebody, and its end."""

import sys
from contextlib import closing
from typing import Any

from farecard.access import people
from farecard.access.people import Found
from farecard.cli.errors import UsageError
from farecard.cli.keys import whoami
from farecard.cli.show import print_json, say, table
from farecard.desk.opening import existing_store
from farecard.model.commands import parse_number
from farecard.model.moments import day_of, moment_now
from farecard.storage.making import read_vault
from farecard.storage.opening import open_to_read
from farecard.storage.store import Store
from farecard.storage.vault import Vault


def _find(store: Store, vault: Vault, args: Any) -> Found:
    """Whoever is named by exactly one of ``--card``, ``--person``, ``--member`` and ``--login``."""
    if args.card is not None:
        try:
            return people.by_card(store, vault, parse_number(args.card))
        except ValueError as error:
            raise UsageError(f"--card: {error}") from None
    if args.person is not None:
        return people.by_person(store, vault, args.person)
    if args.login is not None:
        return people.by_login(store, vault, args.login)
    return people.by_member(store, vault, args.member)


def show(args: Any) -> int:
    """``farecard person show``: all that is held, opened with the store's key."""
    with closing(open_to_read(args.store)) as store:
        found = people.told(_find(store, read_vault(store), args))
    if args.json:
        print_json(found)
        return 0
    rows = []
    for one in found:
        said = [
            f"{name}: {value}"
            for name, value in one.items()
            if name not in ("what", "card", "erased")
        ]
        rows.append((one["what"], one["card"], "erased" if one["erased"] else "; ".join(said)))
    table(("what", "card", "data"), rows, empty="nothing is held about a person")
    return 0


def erase(args: Any) -> int:
    """``farecard person erase``: what ``show`` shows, for good; asks first, or wants ``--yes``."""
    store, vault = existing_store(args.store)
    with closing(store):
        found = _find(store, vault, args)
        told = [one for one in people.told(found) if not one["erased"]]
        if told and not args.yes:
            _ask(told)
        today = day_of(moment_now())
        count = people.erase(store, vault, found, whoami(), today, in_use=args.in_use)
    if args.json:
        print_json({"erased": count})
    else:
        print(f"{count} erased" if count else "nothing was held")
        if count:
            say("Backups made before still hold it, until they are deleted or made anew.")
    return 0


def _ask(told: list[dict[str, Any]]) -> None:
    """Have it confirmed. Nothing personal is shown for that."""
    what = ", ".join(f"{one['what']} of {one['card'] or 'no card'}" for one in told)
    if not sys.stdin.isatty():
        raise UsageError(f"this cannot be undone: {what}; say --yes")
    say(f"This cannot be undone: {what}")
    if input("Erase it? Type yes: ").strip().lower() != "yes":
        raise UsageError("nothing was erased")
