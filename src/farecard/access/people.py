"""What is held about people, and its end: the only personal data there is, all of it sealed.

Erasing deletes the key that something is sealed under, and what it is sealed in, so that nothing of it can be
read again. The journal, the ledger and the chain of batches name nobody: they stay as they are.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from farecard.access.trail import note
from farecard.model.account import Account
from farecard.model.commands import format_number
from farecard.model.moments import iso_moment
from farecard.storage.errors import StoreError
from farecard.storage.making import erasing
from farecard.storage.rows import as_account
from farecard.storage.store import Store
from farecard.storage.vault import Vault

KEPT_IN = ("holder", "payee", "member", "person")
_WRAPPED = 60  # bytes of a sealed key: nonce, key, tag


class PersonError(StoreError):
    """Nobody is found, or what is held may not be erased yet; the sentence says what to do."""


class Held(NamedTuple):
    """One thing that is held: ``what`` (a name of ``KEPT_IN``), of which account, and its data; None: erased before.

    ``key`` is the keyed digest under which a person who applied is found again.
    """

    what: str
    account: int
    data: dict[str, Any] | None
    key: str | None = None


class Found(NamedTuple):
    """What is held about one person, and the accounts it was found by."""

    accounts: list[Account]
    held: list[Held]


def by_card(store: Store, vault: Vault, number: int) -> Found:
    """All that is held about whoever a card belongs to: under this number or any it had."""
    rows = store.rows("number_of", number=number)
    if not rows:
        raise PersonError(
            f"{format_number(number)}: no such card was ever given out; look at the number again"
        )
    account = _account(store, rows[0][1])
    people = [_person(vault, *row) for row in store.rows("people_of", account=account.account)]
    return Found([account], [*_of_account(store, vault, account.account), *people])


def by_person(store: Store, vault: Vault, id: str) -> Found:
    """What is held about a person of the national system, by the opaque id."""
    key = vault.match("person", id).hex()
    rows = store.rows("person_of", person=key)
    if not rows:
        raise PersonError("nobody of this id applied, and nothing was reported of one")
    person = _person(vault, *rows[0])
    accounts = [] if person.account < 0 else [_account(store, person.account)]
    return Found(accounts, [person])


def by_member(store: Store, vault: Vault, member: str) -> Found:
    """The memberships of a member, of all cards that were tied to it."""
    accounts = [row[0] for row in store.rows("members_by", member_key=vault.match(member))]
    if not accounts:
        raise PersonError("no card is tied to this member")
    held = [one for id in accounts for one in _of_account(store, vault, id) if one.what == "member"]
    return Found([_account(store, id) for id in accounts], held)


def _account(store: Store, id: int) -> Account:
    return as_account(store.rows("accounts", ids=[id])[0])


def _of_account(store: Store, vault: Vault, account: int) -> Iterable[Held]:
    for _, _, key, sealed in store.rows("holder_of", account=account):
        yield Held("holder", account, _opened(vault, key, sealed))
    for _, at, sealed in store.rows("payees_of", account=account):
        said = None
        if sealed is not None:
            said = {
                "at": iso_moment(at),
                **(_opened(vault, sealed[:_WRAPPED], sealed[_WRAPPED:]) or {}),
            }
        yield Held("payee", account, said)
    for key, sealed in store.rows("member_of", account=account):
        yield Held("member", account, _text(vault, "member", key, sealed))


def _person(
    vault: Vault, key: str, account: int, wrapped: bytes | None, sealed: bytes | None
) -> Held:
    return Held("person", account, _text(vault, "person", wrapped, sealed), key)


def _opened(vault: Vault, wrapped: bytes | None, sealed: bytes | None) -> dict[str, Any] | None:
    if wrapped is None or sealed is None:
        return None
    found: dict[str, Any] = msgspec.json.decode(vault.open(vault.subject(wrapped), sealed))
    return found


def _text(
    vault: Vault, name: str, wrapped: bytes | None, sealed: bytes | None
) -> dict[str, Any] | None:
    if wrapped is None or sealed is None:
        return None
    return {name: vault.open(vault.subject(wrapped), sealed).decode()}


def erase(store: Store, found: Found, who: str, today: int, *, in_use: bool) -> int:
    """Erase all that was found; gives how much that was. ``PersonError`` when a card of theirs is still in use.

    ``in_use``: erase even so. From then on nobody can prove that the card is theirs.
    """
    used = [one for one in found.accounts if _is_used(one, today)]
    if (
        used
        and not in_use
        and any(one.what == "holder" and one.data is not None for one in found.held)
    ):
        numbers = ", ".join(format_number(one.number) for one in used)
        raise PersonError(
            f"{numbers}: still in use, and without its holder it can be neither replaced nor paid out to them;"
            " refund it first, or say --in-use to erase all the same"
        )
    held = [one for one in found.held if one.data is not None]
    if not held:
        return 0
    with erasing(store, KEPT_IN):
        for what in dict.fromkeys((one.what, one.account, one.key) for one in held):
            _erase(store, *what)
        about = ", ".join(dict.fromkeys(_about(found, one) for one in held))
        note(store, who, "person-erased", about, ", ".join(one.what for one in held))
    return len(held)


def _erase(store: Store, what: str, account: int, key: str | None) -> None:
    if what == "holder":
        for name_key, *_ in store.rows("holder_of", account=account):
            if name_key is not None:  # CARD-4 counts the cards of a name and birthday: one fewer
                store.change("no_namesake", name_key=name_key) or store.change(
                    "one_namesake_fewer", name_key=name_key
                )
        store.change("erase_holder", account=account)
    elif what == "payee":
        store.change("erase_payees", account=account)
    elif what == "member":
        store.change("erase_member", account=account)
    else:
        store.change("erase_person", person=key)


def _about(found: Found, held: Held) -> str:
    number = next((one.number for one in found.accounts if one.account == held.account), None)
    return f"person {held.key}" if number is None else format_number(number)


def _is_used(account: Account, today: int) -> bool:
    expired = account.expires is not None and account.expires < today
    return account.state != "refunded" and not expired


def told(found: Found) -> list[dict[str, Any]]:
    """What is held, for whoever asks for it: ``what``, ``card``, ``erased``, and the data."""
    return [
        {
            "what": one.what,
            "card": _card(found, one),
            "erased": one.data is None,
            **(one.data or {}),
        }
        for one in found.held
    ]


def _card(found: Found, held: Held) -> str | None:
    return next(
        (format_number(one.number) for one in found.accounts if one.account == held.account), None
    )
