"""The demonstration's windows: people who can sign in, a machine's key, and a server over the filled store."""

import itertools
import secrets
import sys
from collections.abc import Iterable, Iterator
from socket import socket

import msgspec

from farecard.access import keys, members, owning, staff
from farecard.access.owning import Papers
from farecard.access.rights import Bound
from farecard.api.limits import Limits
from farecard.api.serve import ServeError, address, bind, serve
from farecard.api.worker import Settings
from farecard.cli.show import say, table
from farecard.desk.desk import Desk
from farecard.model.commands import parse_number
from farecard.model.moments import moment_now, parse_moment
from farecard.storage.store import Store
from farecard.storage.vault import Vault

TODAY = "2023-09-15T10:00:00+09:00"  # a Friday, two weeks before Myna Point ends
PORT = 8000
IDLE = 60.0  # where nobody sits before it, it ends by itself after a minute without a request
_WHO = "demo"
_MEMBER = "hina@example.com"
# whose cards she shows: two without a name, by codes; one in a phone and one that was lost, by what was said at the sale
_BLANK = "JW900000000000021"
_IN_A_DRAW = "JW900000000000030"  # had all four stamps before the first draw
_IN_PHONE = "JW900000000000022"
_NAMED = {
    _IN_PHONE: (Papers("アオキ ヒナ デモ", "1991-05-06"), "000-22"),
    "JW900000000000024": (Papers("カワグチ イツキ デモ", "1988-07-08"), "000-23"),
}
_STAFF = {"sato": "clerk", "suzuki": "operator", "takahashi": "approver", "tanaka": "auditor"}
_SAYS = {"approver": "approver; at /counter its supervisor"}
_MACHINE = Bound(
    frozenset({"ticket-machine", "charge-machine", "fare-adjustment"}),
    frozenset({"cards"}),
    place="Osaka",
)
_LATELY = (
    ("d1", "2023-03-01T09:00:00+09:00", "issue", "counter", {"card": _IN_A_DRAW, "kind": "anonymous", "paid": 2000}),
    ("d2", "2023-03-01T09:10:00+09:00", "register_for_points", "ticket-machine", {"card": _IN_A_DRAW}),
    ("d3", "2023-03-02T10:00:00+09:00", "apply_myna_point", "myna-point", {"card": _IN_A_DRAW, "person": "demo-d", "measures": [2]}),
    ("d4", "2023-03-04T10:00:00+09:00", "join_rally", "member-page", {"card": _IN_A_DRAW}),
    ("d5", "2023-03-05T10:00:00+09:00", "confirm_insurance_card", "myna-point", {"person": "demo-d"}),
    ("d6", "2023-04-19T07:00:00+09:00", "run_grants", "operations", {"month": "2023-04"}),
    ("d7", "2023-04-22T15:00:00+09:00", "top_up_from_points", "ticket-machine", {"card": _IN_A_DRAW, "points": 7500}),
    ("d8", "2023-05-06T12:00:00+09:00", "purchase", "shop", {"card": _IN_A_DRAW, "amount": 1280, "merchant": "kiosk-1"}),
    ("w4", "2023-07-21T09:00:00+09:00", "commit_draw", "operations", {"draw": 1, "seed_source": "the Nikkei 225's close of 1 August 2023"}),
    ("w5", "2023-08-02T09:00:00+09:00", "draw_lottery", "operations", {"draw": 1, "winners": 3, "seed": "33476.58"}),
    ("w1", "2023-09-01T08:00:00+09:00", "join_rally", "member-page", {"card": _BLANK}),
    ("w2", "2023-09-02T12:30:00+09:00", "purchase", "shop", {"card": _BLANK, "amount": 480, "merchant": "kiosk-1"}),
    ("w3", "2023-09-15T07:58:00+09:00", "tap_in", "gate", {"card": "JW900000000000003", "station": "Kyoto"}),
)  # fmt: skip


def until_today(lines: Iterable[bytes]) -> Iterator[bytes]:
    """A generated journal, which is in order but for its oddities, up to the demonstration's today."""
    end = parse_moment(TODAY)
    return itertools.takewhile(lambda line: _moment_of(line) < end or _is_odd(line), lines)


def _moment_of(line: bytes) -> int:
    try:
        return parse_moment(msgspec.json.decode(line)["at"])
    except (msgspec.DecodeError, ValueError, KeyError, TypeError):
        return 0


def _is_odd(line: bytes) -> bool:
    """A line of a story that goes on long after: left in, it would end the journal early."""
    return _moment_of(line) >= parse_moment("2023-12-01T00:00:00+09:00")


def serve_all(desk: Desk, url: str) -> int:
    """Make those who can sign in, say who they are and where, and serve until Ctrl-C."""
    password = f"{secrets.choice(('quiet', 'early', 'green', 'slow'))} train to Osaka {secrets.randbelow(90) + 10}"
    lines = [
        msgspec.json.encode({"id": id, "at": at, "do": do, "channel": channel, **fields})
        for id, at, do, channel, fields in _LATELY
    ]
    desk.run([(_WHO, line) for line in lines])
    key = _people(desk.store, desk.vault, password)
    desk.store.close()
    ahead = parse_moment(TODAY) - moment_now()
    alone = not sys.stdin.isatty()
    settings = Settings(url, Limits(), "warning", ahead, until_idle=IDLE if alone else None)
    with _listening() as listening:
        at = address(listening)

        def ready() -> None:
            print(f"\n== The windows, as of {TODAY[:10]}: everybody's password is  {password}\n")
            rows = [(f"{at}/member", _MEMBER, "a card holder with four cards")]
            rows += [
                (
                    f"{at}/{'counter' if role == 'clerk' else 'operations'}",
                    name,
                    _SAYS.get(role, role),
                )
                for name, role in _STAFF.items()
            ]
            table(("address", "sign in as", "who that is"), rows)
            print(f"\n  {at}/machine is set up once with this key:  {key}")
            print(f"  {at}/docs tells how programs speak to it.\n")
            until = f" It ends when nobody has asked for {IDLE:.0f} seconds." if alone else ""
            say(f"farecard serves all four windows at {at}; Ctrl-C to stop.{until}")
            sys.stdout.flush()

        serve(url, listening, settings, 1, ready, "farecard.pages.worker:make")
    return 0


def _listening() -> socket:
    """The usual port, or any that is free."""
    try:
        return bind("127.0.0.1", PORT)
    except ServeError:
        return bind("127.0.0.1", 0)


def _people(store: Store, vault: Vault, password: str) -> str:
    """Those who can sign in, with this password; gives the machine's key."""
    for name, role in _STAFF.items():
        if staff.find(store, name) is None:
            staff.add(store, name, role, password, _WHO)
        else:
            staff.set_password(store, name, password, _WHO)
    _member(store, vault, password)
    if any(key.name == "machine-demo" and key.revoked is None for key in keys.load(store)):
        keys.revoke(store, "machine-demo", _WHO)
    return keys.add(store, "machine-demo", _MACHINE, _WHO)


def _member(store: Store, vault: Vault, password: str) -> None:
    found = members.by_login(store, vault, _MEMBER)
    if found is not None:  # of a demonstration before this one
        members.erase(store, vault, found.name)
    name, _ = members.enrol(store, vault, _MEMBER, password)
    for text in (_BLANK, _IN_A_DRAW):
        _claimed_by_code(store, vault, name, text, "ticket-machine")
    for text, (papers, phone) in _NAMED.items():
        owning.claim_as_holder(store, vault, name, parse_number(text), papers, phone)
    # shown in its app, too, so that it can be refunded from the page
    _claimed_by_code(store, vault, name, _IN_PHONE, "icoca-app")


def _claimed_by_code(store: Store, vault: Vault, name: str, card: str, channel: str) -> None:
    number = parse_number(card)
    code, _ = owning.give_code(store, vault, number, owning.OWNING, channel, None, _WHO)
    owning.claim_by_code(store, vault, name, number, code)
