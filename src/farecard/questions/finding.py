"""Finding a card by what a customer has: a slip, a form, or who the holder is; and what lies open on it."""

from typing import Any

from farecard.ledger.chart import is_cash
from farecard.model.commands import format_number, parse_number
from farecard.model.moments import PAST_MOMENT, iso_day
from farecard.questions.card import find
from farecard.rules.points import is_exempt
from farecard.rules.refund import paper, read_paper
from farecard.storage.history import account_at, besides_use
from farecard.storage.rows import as_account, as_event
from farecard.storage.store import Store
from farecard.storage.vault import Vault

MOST = 20  # cards of one holder that are shown


def account_of_paper(text: str) -> int | None:
    """The account that a slip's or form's number carries; None when it is neither."""
    found = read_paper("S", text) or read_paper("F", text)
    return None if found is None else found[0]


def number_of(store: Store, account: int) -> str | None:
    """The number an account's card has now, as it is printed; None where there is no such account."""
    for row in store.rows("accounts", ids=[account]):
        return format_number(as_account(row).number)
    return None


def number_now(store: Store, text: str) -> str:
    """The number that the card of a number has now; the same where none was sold under it."""
    for row in store.rows("number_of", number=parse_number(text)):
        return number_of(store, row[1]) or text
    return text


def by_holder(store: Store, vault: Vault, kana: str, born: str, phone: str) -> list[int]:
    """The numbers of a holder's cards: whose digest of kana and birthday is this, and of phone where one is given.

    Nothing is unsealed for it; the newest first, ``MOST`` at the most.
    """
    if not kana or not born:
        return []
    phone_key = vault.phone(phone) if phone else None
    accounts = [
        account
        for _, account, key in store.rows("holders", name_key=vault.holder(kana, born))
        if phone_key is None or key == phone_key
    ]
    rows = store.rows("accounts", ids=sorted(accounts))
    cards = sorted(map(as_account, rows), key=lambda one: -one.last_at)
    return [one.number for one in cards[:MOST]]


def cash_taken(store: Store, sender: str, id: str) -> int:
    """Yen that a command took in cash at its till; below 0: paid out."""
    for _, account, seq in store.rows("commands", sender=sender, ids=[id]):
        moves = [
            (event.debit, event.credit, event.yen)
            for event in map(as_event, store.rows("events", seqs=[seq], accounts=[account]))
            if event.yen
        ]
        moves += [row[3:] for row in store.rows("transfers_of_batch", first=seq, past=seq + 1)]
        return sum(yen * (is_cash(debit) - is_cash(credit)) for debit, credit, yen in moves)
    return 0


def _reported(store: Store, account: int) -> tuple[str, str] | None:
    """Who sent the report that a card was stopped by last, and its id; None without one."""
    events = besides_use(store, account, PAST_MOMENT)
    seqs = [one.seq for one in events if one.do in ("report_lost", "report_damaged")]
    for row in store.rows("events", seqs=seqs[-1:], accounts=[account]) if seqs else ():
        event = as_event(row)
        return event.sender, event.id
    return None


def at_hand(store: Store, text: str) -> dict[str, Any]:
    """What lies open on a card: ``slip`` (its day, and who ``reported`` it: sender and id), ``pass``, ``named``, ``registered``. Raises ``UnknownCardError``.

    ``registered``: whether its kind needs no registration for points (``exempt``), from which day it may be applied with
    (``apply_from``; None: not registered), and since when it is of the old ICOCA Point service (``before``).
    """
    found = find(store, parse_number(text), PAST_MOMENT)
    account = account_at(store, found.account, PAST_MOMENT)
    current = not found.is_replaced(PAST_MOMENT)
    slip = section = None
    if current and account.state == "stopped" and account.slip_day is not None:
        slip = {
            "slip": paper("S", account.account, account.slip), "day": iso_day(account.slip_day),
            "reported": _reported(store, account.account),
        }  # fmt: skip
    if account.pass_from is not None and account.pass_until is not None:
        section = {
            "from": account.pass_from, "to": account.pass_to, "until": iso_day(account.pass_until),
            "since": None if account.pass_since is None else iso_day(account.pass_since),
            "discount": bool(account.pass_discount),
        }  # fmt: skip
    since, before = account.apply_from, account.registered_on
    registered = {
        "exempt": is_exempt(account.kind),
        "apply_from": None if since is None else iso_day(since),
        "before": None if before is None else iso_day(before),
    }
    named = any(name is not None for name, _ in store.rows("holder_keys", account=account.account))
    return {"slip": slip, "pass": section, "named": named, "registered": registered}
