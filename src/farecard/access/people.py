"""What is held about people, and its end: the only personal data there is, all of it sealed.

Erasing deletes the key that something is sealed under, and what it is sealed in, so that nothing of it can be
read again. The journal, the ledger and the chain of batches name nobody: they stay as they are.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from farecard.access import members, owning
from farecard.access.trail import note
from farecard.model.account import NO_ACCOUNT, Account
from farecard.model.commands import format_number
from farecard.model.moments import iso_moment
from farecard.storage.errors import StoreError
from farecard.storage.making import erasing
from farecard.storage.rows import as_account
from farecard.storage.store import Store
from farecard.storage.vault import WRAPPED_BYTES, Vault

ENROLLED = "enrolled"
KEPT_IN = ("holder", "payee", "person", *members.KEPT_IN)


class PersonError(StoreError):
    """Nobody is found, or what is held may not be erased yet; the sentence says what to do."""


class Held(NamedTuple):
    """One thing that is held: ``what`` (a name of ``KEPT_IN``), of which account, and its data; None: erased before.

    ``key``: under which it is found again, of a person who applied the keyed digest, of one who enrolled the member's id.
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
    owner = owning.member_of(store, number)
    if owner is not None:
        people.append(_enrolled(store, vault, owner, account.account))
    return Found([account], [*_of_account(store, vault, account.account), *people])


def by_person(store: Store, vault: Vault, id: str) -> Found:
    """What is held about a person of the national system, by the opaque id."""
    key = vault.match("person", id).hex()
    rows = store.rows("person_of", person=key)
    if not rows:
        raise PersonError("nobody of this id applied, and nothing was reported of one")
    person = _person(vault, *rows[0])
    accounts = [] if person.account == NO_ACCOUNT else [_account(store, person.account)]
    return Found(accounts, [person])


def by_member(store: Store, vault: Vault, member: str) -> Found:
    """The memberships of a member, of all cards that were tied to it."""
    accounts = [row[0] for row in store.rows("members_by", member_key=vault.match(member))]
    if not accounts:
        raise PersonError("no card is tied to this member")
    held = [one for id in accounts for one in _memberships(store, vault, id)]
    return Found([_account(store, id) for id in accounts], held)


def by_login(store: Store, vault: Vault, login: str) -> Found:
    """What is held about somebody who enrolled, by the sign-in name; the cards tied to him keep their holders."""
    member = members.by_login(store, vault, login)
    if member is None:
        raise PersonError("nobody enrolled with this sign-in name")
    cards = [one.card for one in owning.owned(store, member.name)]
    held = [_enrolled(store, vault, member.name, NO_ACCOUNT)]
    for (account,) in store.rows("members_by", member_key=vault.match(member.name)):
        held += _memberships(store, vault, account)
        cards += [] if account in [one.account for one in cards] else [_account(store, account)]
    return Found(cards, held)


def _enrolled(store: Store, vault: Vault, name: str, account: int) -> Held:
    member, login = members.named(store, name), members.login_of(store, vault, name)
    if member is None:
        return Held(ENROLLED, account, None, name)
    cards = [format_number(one.card.number) for one in owning.owned(store, name)]
    data = {"login": login, "id": name, "since": iso_moment(member.since), "cards": cards}
    return Held(ENROLLED, account, data, name)


def _account(store: Store, id: int) -> Account:
    return as_account(store.rows("accounts", ids=[id])[0])


def _of_account(store: Store, vault: Vault, account: int) -> Iterable[Held]:
    for _, key, sealed in store.rows("holder_of", account=account):
        yield Held("holder", account, _fields(_unsealed(vault, key, sealed)))
    for at, both in store.rows("payees_of", account=account):
        said = None
        if both is not None:
            said = _fields(_unsealed(vault, both[:WRAPPED_BYTES], both[WRAPPED_BYTES:]))
        yield Held("payee", account, said and {"at": iso_moment(at), **said})
    yield from _memberships(store, vault, account)


def _memberships(store: Store, vault: Vault, account: int) -> Iterable[Held]:
    for key, sealed in store.rows("member_of", account=account):
        yield Held("member", account, _named("member", _unsealed(vault, key, sealed)))


def _person(
    vault: Vault, key: str, account: int, wrapped: bytes | None, sealed: bytes | None
) -> Held:
    return Held("person", account, _named("person", _unsealed(vault, wrapped, sealed)), key)


def _unsealed(vault: Vault, wrapped: bytes | None, sealed: bytes | None) -> bytes | None:
    if wrapped is None or sealed is None:
        return None
    return vault.open(vault.subject(wrapped), sealed)


def _fields(plain: bytes | None) -> dict[str, Any] | None:
    return None if plain is None else msgspec.json.decode(plain, type=dict[str, Any])


def _named(name: str, plain: bytes | None) -> dict[str, Any] | None:
    return None if plain is None else {name: plain.decode()}


def erase(store: Store, vault: Vault, found: Found, who: str, today: int, *, in_use: bool) -> int:
    """Erase all that was found; gives how much that was. ``PersonError`` when a card of theirs is still in use.

    ``in_use``: erase even so. From then on nobody can prove that the card is theirs.
    """
    held = [one for one in found.held if one.data is not None]
    used = [one for one in found.accounts if _is_used(one, today)]
    if used and not in_use and any(one.what == "holder" for one in held):
        numbers = ", ".join(format_number(one.number) for one in used)
        raise PersonError(
            f"{numbers}: still in use, and without its holder it can be neither replaced nor paid out to them;"
            " refund it first, or say --in-use to erase all the same"
        )
    if not held:
        return 0
    with erasing(store, KEPT_IN):
        for what in dict.fromkeys((one.what, one.account, one.key) for one in held):
            _erase(store, vault, *what)
        about = ", ".join(dict.fromkeys(_card(found, one) or _keyed(one) for one in held))
        note(store, who, "person-erased", about, ", ".join(one.what for one in held))
    return len(held)


def _erase(store: Store, vault: Vault, what: str, account: int, key: str | None) -> None:
    if what == "person":
        store.change("erase_person", person=key)
        return
    if what == ENROLLED:
        assert key is not None
        members.erase(store, vault, key)
        return
    if what == "holder":  # CARD-4 counts the cards of a name and birthday: one fewer
        for name_key, *_ in store.rows("holder_of", account=account):
            if name_key is not None and not store.change("no_namesake", name_key=name_key):
                store.change("one_namesake_fewer", name_key=name_key)
    store.change(f"erase_{what}", account=account)


def _is_used(account: Account, today: int) -> bool:
    expired = account.expires is not None and account.expires < today
    return account.state != "refunded" and not expired


def _keyed(held: Held) -> str:
    return f"{'member' if held.what == ENROLLED else 'person'} {held.key}"


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
