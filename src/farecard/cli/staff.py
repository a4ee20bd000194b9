"""``farecard staff …``: people who work here, their roles and passwords."""

import getpass
import secrets
import sys
from contextlib import closing
from typing import Any

from farecard.access import passwords, staff
from farecard.access.roles import ROLES
from farecard.cli.errors import UsageError
from farecard.cli.keys import whoami
from farecard.cli.show import print_json, say, table
from farecard.desk.opening import existing_store, making_store
from farecard.model.moments import iso_moment, moment_now
from farecard.storage.opening import open_to_read
from farecard.wire.diagnose import is_name


def _password(args: Any) -> tuple[str, bool]:
    """A password as it was given, or a new one; and whether it has to be told."""
    if args.password_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if args.ask and sys.stdin.isatty():
        first = getpass.getpass("password: ")
        if getpass.getpass("again: ") != first:
            raise UsageError("the two are not the same; nothing was changed")
        return first, False
    if args.ask:
        raise UsageError("--ask: nobody is there to be asked; use --password-stdin")
    return secrets.token_urlsafe(15), True


def _tell(args: Any, done: dict[str, Any], sentence: str, password: str | None) -> int:
    if args.json:
        print_json(done | ({} if password is None else {"password": password}))
    elif password is None:
        print(sentence)
    else:
        say("Hand it over now: it is not shown again, and can be changed after signing in.")
        print(f"{sentence}; the password is {password}")
    return 0


def add(args: Any) -> int:
    """``farecard staff add NAME --role ROLE``: the password is the last word, unless it was given."""
    if not is_name(args.name):
        raise UsageError("NAME: 1 to 64 characters, none of them a control character")
    staff.check_role(args.role)
    password, is_new = _password(args)
    passwords.check(args.name, password)
    with closing(making_store(args.store)[0]) as store:
        staff.add(store, args.name, args.role, password, whoami())
    done = {"name": args.name, "role": args.role}
    return _tell(args, done, f"{args.name} is {_a(args.role)}", password if is_new else None)


def _a(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def list_(args: Any) -> int:
    """``farecard staff list``: who works here; no password."""
    now = moment_now()
    with closing(open_to_read(args.store)) as store:
        rows = [
            {
                "name": one.name,
                "role": one.role,
                "since": iso_moment(one.since),
                "locked_until": iso_moment(one.locked_until) if one.locked_until > now else None,
                "ended": None if one.ended is None else iso_moment(one.ended),
            }
            for one in staff.load(store)
        ]
    if args.json:
        print_json(rows)
    else:
        head = ("name", "role", "since", "locked until", "ended")
        empty = "nobody yet; `farecard staff add NAME --role clerk` opens an account"
        table(head, [list(row.values()) for row in rows], empty=empty)
    return 0


def role(args: Any) -> int:
    """``farecard staff role NAME ROLE``."""
    with closing(existing_store(args.store)[0]) as store:
        staff.change_role(store, args.name, args.role, whoami())
    done = {"name": args.name, "role": args.role}
    return _tell(args, done, f"{args.name} is {_a(args.role)} now, and signs in anew", None)


def password(args: Any) -> int:
    """``farecard staff password NAME``."""
    new, is_new = _password(args)
    with closing(existing_store(args.store)[0]) as store:
        staff.set_password(store, args.name, new, whoami())
    sentence = f"{args.name} has another password, and signs in anew"
    return _tell(args, {"name": args.name, "changed": True}, sentence, new if is_new else None)


def unlock(args: Any) -> int:
    """``farecard staff unlock NAME``."""
    with closing(existing_store(args.store)[0]) as store:
        staff.unlock(store, args.name, whoami())
    return _tell(args, {"name": args.name, "locked": False}, f"{args.name} is not locked", None)


def end(args: Any) -> int:
    """``farecard staff end NAME``."""
    with closing(existing_store(args.store)[0]) as store:
        staff.end(store, args.name, whoami())
    sentence = f"the account of {args.name} is closed, for good"
    return _tell(args, {"name": args.name, "ended": True}, sentence, None)


def roles(args: Any) -> int:
    """``farecard staff roles``: what each role may do."""
    rows = [
        {
            "role": name,
            "channels": sorted(one.channels),
            "commands": sorted(one.only),
            "ask": sorted(one.ask),
            "acts": sorted(one.acts),
        }
        for name, one in ROLES.items()
    ]
    if args.json:
        print_json(rows)
        return 0
    shown = [[", ".join(cell) if isinstance(cell, list) else cell for cell in row.values()] for row in rows]  # fmt: skip
    table(("role", "speaks for", "commands", "asks", "and"), shown)
    return 0
