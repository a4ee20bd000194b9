"""The ``farecard`` command: what it can be asked, and what it says when it cannot."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from errno import ENOSPC
from importlib import import_module
from typing import Any

from farecard.cli.errors import UsageError
from farecard.cli.show import say
from farecard.storage.errors import StoreError
from farecard.storage.opening import DEFAULT_URL

EPILOG = """\
examples:
  farecard replay day.ndjson              decide a journal, answers on standard output
  farecard status JW000000000000001       what a card is now
  farecard status JW000000000000001 --as-of 2023-03-01T12:00:00+09:00
  farecard explain RFD-1 --lang ja        one rule, where it comes from and what it reads
"""

# what a command that is interrupted leaves behind; most only read
INTERRUPTED = {
    "journal:replay": "what was answered is kept, run it again from the start to go on",
    "demo:demo": "run it again to go on",
    "stores:copy": "run it again to go on",
    "export:parquet": "nothing was exported",
    "stores:backup": "no backup was made",
    "stores:restore": "nothing was restored",
    "read:run": "no card was read",
}


def _common(top: bool) -> argparse.ArgumentParser:
    """What every command takes, before or after its name."""

    def default(value: Any) -> Any:
        return value if top else argparse.SUPPRESS

    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--store", metavar="URL", default=default(DEFAULT_URL),
        help="the store: sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        + (" (default %(default)s)" if top else ""),
    )  # fmt: skip
    parent.add_argument(
        "--json", action="store_true", default=default(False), help="answer in JSON, for machines"
    )
    parent.add_argument(
        "--lang", choices=("ja", "en"), default=default(None),
        help="the language of sentences (default: from LANG)",
    )  # fmt: skip
    return parent


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    main = argparse.ArgumentParser(
        prog="farecard",
        description="A transit IC card's back office: a journal in, decisions out, every yen explained.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_common(top=True)],
    )
    main.add_argument("--version", action="store_true", help="the version, and nothing else")
    subs = main.add_subparsers(dest="command", metavar="COMMAND")

    def add(
        name: str, run: str, help: str, *, within: Any = subs, as_of: bool = False
    ) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = within.add_parser(
            name, help=help, description=help, parents=[_common(top=False)]
        )
        sub.set_defaults(run=run)
        if as_of:
            sub.add_argument(
                "--as-of", metavar="TIME",
                help="as it was then: an RFC 3339 time with offset, or a date (its end, in Tokyo)",
            )  # fmt: skip
        return sub

    for name, run, text in (
        ("replay", "journal:replay", "decide a journal and keep it"),
        ("try", "journal:dry_run", "decide a journal and keep nothing (a dry run)"),
    ):
        sub = add(name, run, text)
        sub.add_argument(
            "file", metavar="FILE", help="commands, one JSON object a line; - is standard input"
        )
        sub.add_argument(
            "--sender", default="journal", help="whose ids these are (default %(default)s)"
        )
        sub.add_argument(
            "--batch", type=int, default=4096, help="commands a commit (default %(default)s)"
        )

    for name, run, text in (
        ("status", "ask:status", "what a card is: state, balance, deposit, points"),
        ("history", "ask:history", "what happened with a card, newest first"),
    ):
        add(name, run, text, as_of=True).add_argument("card", metavar="CARD")
    add(
        "why", "points:why", "what became of a card's points, in plain sentences", as_of=True
    ).add_argument("card", metavar="CARD")
    runs = subs.add_parser("grants", help="the monthly run").add_subparsers(
        dest="what", metavar="preview", required=True
    )
    look = add(
        "preview", "points:grants_preview", "what a run would grant, and why others get nothing",
        within=runs, as_of=True,
    )  # fmt: skip
    look.add_argument("month", metavar="MONTH", help="the run's month, like 2023-08")
    look.add_argument(
        "--export",
        metavar="DIR",
        help="look into an export (with DuckDB) and leave the store in peace",
    )
    draws = subs.add_parser("draw", help="draws that anybody can check").add_subparsers(
        dest="what", metavar="publish|verify|ticket", required=True
    )
    publish = add(
        "publish",
        "draws:publish",
        "write a draw's list and outcome to a file, no card number in it",
        within=draws,
    )
    publish.add_argument("draw", metavar="DRAW", type=int, choices=(1, 2))
    publish.add_argument("file", metavar="FILE")
    publish.add_argument(
        "--alternates", type=int, default=0, metavar="N", help="name so many more after the winners"
    )
    verify = add(
        "verify", "draws:check", "do a published draw again, with its file alone", within=draws
    )
    verify.add_argument("file", metavar="FILE")
    verify.add_argument(
        "--card", metavar="CARD", help="a holder's card, to be looked for on the list"
    )
    verify.add_argument("--nonce", metavar="NONCE", help="and the holder's nonce")
    verify.add_argument(
        "--root", metavar="ROOT", help="the root that was made public when the list was frozen"
    )
    ticket = add("ticket", "draws:ticket", "a holder's nonce in a draw", within=draws)
    ticket.add_argument("draw", metavar="DRAW", type=int, choices=(1, 2))
    ticket.add_argument("card", metavar="CARD")
    quotes = subs.add_parser(
        "quote", help="what a refund or a reissue would come to, what is left for quick charges"
    ).add_subparsers(dest="what", metavar="refund|reissue|quick-charge", required=True)
    for name, run, text in (
        ("refund", "ask:quote_refund", "what a refund now would pay out"),
        ("reissue", "ask:quote_reissue", "what a new card would cost, and from when"),
        (
            "quick-charge",
            "ask:quote_quick_charge",
            "what is left of the day's and the month's limit",
        ),
    ):
        add(name, run, text, within=quotes, as_of=True).add_argument("card", metavar="CARD")
    books = add(
        "trial-balance",
        "ask:trial_balance",
        "the books: debit and credit of every account",
        as_of=True,
    )
    books.add_argument("--by-head", action="store_true", help="sum the accounts of each head")
    cases = subs.add_parser("cases", help="what was left to people to decide").add_subparsers(
        dest="what", metavar="list|show", required=True
    )
    listed = add(
        "list",
        "cases:list_",
        "the cases, newest first: where each goes, and how it was closed",
        within=cases,
        as_of=True,
    )
    listed.add_argument("--state", choices=("open", "granted", "declined"), help="only these")
    listed.add_argument("--refer-to", metavar="PLACE", help="only those that go to this place")
    listed.add_argument(
        "--most", type=int, default=100, metavar="N", help="how many (default %(default)s)"
    )
    add(
        "show", "cases:show", "one case: what it is about, and what to do", within=cases, as_of=True
    ).add_argument("case", metavar="CASE")
    add("check", "ask:check", "audit the whole store; exit status 1 when something is wrong")

    networks = subs.add_parser("network", help="stations, lines and fares").add_subparsers(
        dest="what", metavar="load", required=True
    )
    load = add(
        "load", "network:load", "add a network from fares.csv and lines.csv", within=networks
    )
    load.add_argument("folder", metavar="DIR")
    load.add_argument(
        "--from", dest="since", metavar="DATE", help="the first day it holds (default: always)"
    )

    campaigns = subs.add_parser("campaign", help="what points are given for").add_subparsers(
        dest="what", metavar="load|list", required=True
    )
    add("load", "campaign:load", "add a campaign from its file", within=campaigns).add_argument(
        "file", metavar="FILE", help="a TOML file, like campaigns/myna-point.toml"
    )
    add("list", "campaign:list_", "the campaigns of a store", within=campaigns)

    tariffs = subs.add_parser("tariff", help="what everything costs").add_subparsers(
        dest="what", metavar="load", required=True
    )
    add("load", "tariff:load", "add a new version of the tariff", within=tariffs).add_argument(
        "file", metavar="FILE", help="a TOML file, like tariff/tariff.toml of the source"
    )

    server = add("serve", "serve:run", "serve the desk over HTTP")
    server.add_argument("--host", default="127.0.0.1", help="(default %(default)s)")
    server.add_argument(
        "--port", type=int, default=8000, help="0: any free one (default %(default)s)"
    )
    server.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes, on PostgreSQL (default %(default)s)",
    )
    server.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error"),
        help="(default %(default)s)",
    )  # fmt: skip
    server.add_argument(
        "--behind-tls", action="store_true",
        help="people come over HTTPS: their cookies travel over nothing else",
    )  # fmt: skip
    server.add_argument(
        "--clock", metavar="MOMENT",
        help="show and take everything as if it were then, going on from there: for training and demonstrations",
    )  # fmt: skip
    server.add_argument(
        "--until-idle", type=float, metavar="SECONDS",
        help="end when nobody has asked for so long: for demonstrations and scripts",
    )  # fmt: skip
    server.add_argument(
        "--limit", action="append", metavar="NAME=NUMBER", help="change a limit, like unread=60"
    )
    _add_read(add)
    _add_keys(subs, add)
    _add_people(subs, add)
    _add_staff(subs, add)

    points = subs.add_parser(
        "checkpoint", help="signed: where the log ended, so that cutting it off shows"
    ).add_subparsers(dest="what", metavar="publish|verify|key", required=True)
    add(
        "publish",
        "checkpoints:publish",
        "append a signed checkpoint to a file; - prints it",
        within=points,
    ).add_argument("file", metavar="FILE")
    verify = add(
        "verify",
        "checkpoints:verify",
        "whether the store still holds all that was signed; exit status 1 when not",
        within=points,
    )
    verify.add_argument("file", metavar="FILE")
    verify.add_argument("--key", metavar="KEY", help="the public key, as it was told before")
    add("key", "checkpoints:key", "the public key of this store's checkpoints", within=points)
    exports = subs.add_parser("export", help="the store as files for analysis").add_subparsers(
        dest="what", metavar="parquet", required=True
    )
    add(
        "parquet",
        "export:parquet",
        "events, transfers and cards as Parquet files, a folder a month; nothing personal",
        within=exports,
    ).add_argument("folder", metavar="DIR", help="a folder that is new or empty")
    stores = subs.add_parser("store", help="whole stores").add_subparsers(
        dest="what", metavar="copy", required=True
    )
    copy = add(
        "copy", "stores:copy", "copy a store to a new one, on either engine; run again it goes on",
        within=stores,
    )  # fmt: skip
    copy.add_argument("source", metavar="FROM", help="the store's URL")
    copy.add_argument("target", metavar="TO", help="the new store's URL")
    copy.add_argument(
        "--batch", type=int, default=10_000, help="rows a commit (default %(default)s)"
    )
    backup = add("backup", "stores:backup", "save a SQLite store to a file, while desks write")
    backup.add_argument("file", metavar="FILE")
    backup.add_argument("--force", action="store_true", help="overwrite FILE")
    add("restore", "stores:restore", "put a backup in place as a new store").add_argument(
        "file", metavar="FILE"
    )

    add("rules", "about:rules", "every rule, and where it stands in the code")
    add(
        "explain", "about:explain", "one rule: what it promises, its source, the figures it reads"
    ).add_argument("id", metavar="ID")
    sample = add("sample", "samples:sample", "write a realistic journal to standard output")
    sample.add_argument(
        "--commands", type=int, default=1000, metavar="N", help="how many (default %(default)s)"
    )
    sample.add_argument(
        "--seed", type=int, default=1, metavar="S", help="the same seed, the same journal"
    )
    demo = add("demo", "demo:demo", "replay the shipped journals and show what came of them")
    demo.add_argument(
        "--commands", type=int, default=20_000, metavar="N", help="size of the generated journal"
    )
    demo.add_argument(
        "--serve", action="store_true",
        help="then serve the pages of all windows over it, as of 15 September 2023, and print who can sign in",
    )  # fmt: skip
    return main


def _add_read(add: Callable[..., argparse.ArgumentParser]) -> None:
    """A real card on a reader."""
    read = add("read", "read:run", "read a transit card on a reader; nothing of it is kept")
    read.add_argument(
        "--device", default="usb", metavar="PATH",
        help="the reader, as nfcpy names it: usb, usb:054c:06c3, tty:USB0:pn532, udp:localhost:54321"
        " (default %(default)s)",
    )  # fmt: skip
    read.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="how long to wait for a card (default 60)"
    )
    read.add_argument(
        "--offer", type=int, nargs="?", const=8466, metavar="PORT",
        help="go on reading and offer each card to a page on this machine, at a port of loopback"
        " (default %(const)s; 0: any free one)",
    )  # fmt: skip
    read.add_argument(
        "--page", metavar="ORIGIN",
        help="the only page it is offered to (default http://127.0.0.1:8000)",
    )  # fmt: skip


def _add_keys(subs: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Who may speak over HTTP."""
    keys = subs.add_parser("keys", help="who may speak to the desk over HTTP").add_subparsers(
        dest="what", metavar="add|list|revoke", required=True
    )
    key = add("add", "keys:add", "make a key; its secret is shown once", within=keys)
    key.add_argument("name", metavar="NAME", help="whose key it is: the sender of its commands")
    for option, metavar, text in (
        ("--channels", "A,B", "the channels it speaks for, like counter,ticket-machine"),
        (
            "--ask",
            "A,B",
            "what it may read: cards, cases, trial-balance, events, metrics, proposals, trail (default nothing)",
        ),
        ("--place", "PLACE", "the only station, till or terminal it is at"),
        ("--merchant", "MERCHANT", "the only shop it sells for"),
        ("--company", "COMPANY", "the only railway it is of"),
    ):
        key.add_argument(option, metavar=metavar, help=text)
    key.add_argument(
        "--rate", type=int, metavar="N", help="at most N commands and questions a second"
    )
    key.add_argument(
        "--unattended", action="store_true",
        help="let it speak for operations: it acts at once, where people need a second pair of eyes",
    )  # fmt: skip
    add("list", "keys:list_", "the keys and what they may do", within=keys)
    revoke = add("revoke", "keys:revoke", "end a key, for good", within=keys)
    revoke.add_argument("name", metavar="NAME")


def _add_staff(subs: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """People who work here."""
    staff = subs.add_parser("staff", help="people who work here, and their roles").add_subparsers(
        dest="what", metavar="add|list|role|password|unlock|end|roles", required=True
    )
    new = add("add", "staff:add", "open an account", within=staff)
    role = add("role", "staff:role", "give somebody another role", within=staff)
    password = add("password", "staff:password", "give somebody another password", within=staff)
    unlock = add(
        "unlock", "staff:unlock", "take the lock off that wrong passwords put on", within=staff
    )
    end = add("end", "staff:end", "close an account, for good", within=staff)
    for one in (new, role, password, unlock, end):
        one.add_argument("name", metavar="NAME", help="how they sign in and are told of")
    roles = "clerk, operator, approver or auditor; `farecard staff roles` says what each may do"
    new.add_argument("--role", metavar="ROLE", required=True, help=roles)
    role.add_argument("role", metavar="ROLE", help=roles)
    for one in (new, password):
        given = one.add_mutually_exclusive_group()
        given.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of input",
        )
        given.add_argument(
            "--ask", action="store_true", help="ask for it twice (default: make one and show it)"
        )
    add("list", "staff:list_", "who works here", within=staff)
    add("roles", "staff:roles", "what each role may do", within=staff)


def _add_people(subs: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """What is held about somebody."""
    person = subs.add_parser(
        "person", help="what is held about somebody, and its end"
    ).add_subparsers(dest="what", metavar="show|erase", required=True)
    show = add(
        "show", "people:show", "all that is held about somebody, in the clear", within=person
    )
    erase = add(
        "erase", "people:erase", "erase it, for good; the ledger stays whole", within=person
    )
    for one in (show, erase):
        who = one.add_mutually_exclusive_group(required=True)
        who.add_argument(
            "--card", metavar="CARD", help="the holder of a card, and who applied with it"
        )
        who.add_argument("--person", metavar="ID", help="the opaque id of a My Number card's key")
        who.add_argument("--member", metavar="MEMBER", help="a WESTER member, of all its cards")
        who.add_argument("--login", metavar="NAME", help="one who enrolled, by the sign-in name")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    erase.add_argument(
        "--in-use",
        action="store_true",
        help="even if the card is in use: nobody can prove then that it is theirs",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit status."""
    args = parser().parse_args(argv)
    if args.version:
        from importlib import metadata

        print(metadata.version("farecard"))
        return 0
    if args.command is None:
        parser().print_help(sys.stderr)
        return 2
    if args.lang is None:
        spoken = (
            os.environ.get("LC_ALL")
            or os.environ.get("LC_MESSAGES")
            or os.environ.get("LANG")
            or ""
        )
        args.lang = "ja" if spoken.startswith("ja") else "en"
    module, name = args.run.split(":")
    try:
        run: Callable[[Any], int] = getattr(import_module(f"farecard.cli.{module}"), name)
        return run(args)
    except (UsageError, StoreError) as error:
        say(f"farecard: {error}")
        return 2
    except BrokenPipeError:
        # whoever reads our output has gone: nothing more to say to them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except OSError as error:
        where = error.filename or getattr(args, "folder", None) or "input or output"
        if error.errno == ENOSPC:
            say(f"farecard: {where}: the disk is full; free space and run it again")
        else:
            say(f"farecard: {where}: {error.strerror or error}")
        return 2
    except KeyboardInterrupt:
        say(f"farecard: interrupted; {INTERRUPTED.get(args.run, 'nothing was changed')}")
        return 130


if __name__ == "__main__":
    sys.exit(main())
