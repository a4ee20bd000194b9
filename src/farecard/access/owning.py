"""Which cards are whose: what ties a card to a member, and what a number alone never does.

A number is printed on the card for everyone to read. So a card is tied to a member by proof only: by what its holder
said when it was sold, or by a code from a place that has the card in its hand. A tie is to the account, so it outlives a
reissue; a card has one member at a time. Times are moments.
"""

from collections.abc import Iterable
from typing import NamedTuple

from farecard.access import codes
from farecard.access.errors import CodedError
from farecard.access.trail import note
from farecard.model.account import Account
from farecard.model.commands import PHONES, format_number
from farecard.model.moments import moment_now
from farecard.storage.making import adding
from farecard.storage.rows import as_account
from farecard.storage.store import Store
from farecard.storage.vault import Vault

SECOND = 1_000_000
OWNING, RECOVERY = PURPOSES = ("owning", "recovery")
COUNTER = "counter"
IN_HAND = (COUNTER, "ticket-machine", "icoca-app")  # places that have the card in their hand
_OF_PHONES = (COUNTER, "icoca-app")
CODE_LETTERS = 8
GOOD_FOR = 15 * 60 * SECOND
MOST_TRIES = 5
MOST_GUESSES, GUESSED_WITHIN = 5, 24 * 3600 * SECOND
HOLDER = "holder"  # how a card was proven, where no code was needed


class Owned(NamedTuple):
    """A card that is somebody's. ``how``: by which proof, ``holder`` or the channel that gave the code."""

    card: Account
    since: int
    how: str


class OwningError(CodedError):
    """Why a card is not tied, or no code given."""


def _account(store: Store, number: int) -> Account | None:
    """The account of a number, or of any it had; None where the number was never given out."""
    for row in store.rows("number_of", number=number):
        return as_account(store.rows("accounts", ids=[row[1]])[0])
    return None


# -- what a member may speak of ------------------------------------------------------------------


def must_own(store: Store, member: str, numbers: Iterable[int]) -> None:
    """``OwningError`` when one of these cards is not the member's: the same whether it is another's, nobody's or none at all."""
    for number in numbers:
        account = _account(store, number)
        if account is None or _owner(store, account.account) != member:
            raise OwningError("not-your-card", field="card")


def owned(store: Store, member: str) -> list[Owned]:
    """A member's cards, in the order they were tied to him."""
    rows = store.rows("owned_by", member=member)
    if not rows:
        return []
    accounts = {
        one.account: one
        for one in map(as_account, store.rows("accounts", ids=[row[0] for row in rows]))
    }
    return [Owned(accounts[account], since, how) for account, since, how in rows]


def member_of(store: Store, number: int) -> str | None:
    """Whose a card is."""
    account = _account(store, number)
    return None if account is None else _owner(store, account.account)


def _owner(store: Store, account: int) -> str | None:
    return next((row[0] for row in store.rows("owner_of", account=account)), None)


# -- proof ---------------------------------------------------------------------------------------


def claim_as_holder(
    store: Store, vault: Vault, member: str, number: int, kana: str, born: str, phone: str
) -> Owned:
    """Tie a card to a member who knows what its holder said when it was sold.

    ``OwningError``: ``not-proven`` whatever it is that does not fit; ``too-many-guesses`` after five a day, of the member or for the card;
    ``claimed-already`` where it fits and the card is another member's: then it takes a code.
    """
    with adding(store):
        now = moment_now()
        account = _account(store, number)
        guessed = [member] if account is None else [member, _about(account.account)]
        store.change("drop_old_guesses", since=now - GUESSED_WITHIN)
        for about in guessed:
            _must_not_have_guessed(store, about, now)
        fits = account is not None and _is_holder(store, vault, account.account, kana, born, phone)
        if account is not None and fits:
            store.change("forget_guesses", about=_about(account.account))
            if _owner(store, account.account) not in (None, member):
                raise OwningError("claimed-already", field="card")
            return _tie(store, member, account, number, HOLDER)
        for about in guessed:
            if not store.change("guess_again", about=about):
                store.append("guess", [(about, 1, now)])
    raise OwningError("not-proven", field="card")


def _about(account: int) -> str:
    return f"card {account}"


def _must_not_have_guessed(store: Store, about: str, now: int) -> None:
    for failures, since in store.rows("guesses", about=about):
        if failures >= MOST_GUESSES and since >= now - GUESSED_WITHIN:
            raise OwningError("too-many-guesses", since + GUESSED_WITHIN)


def _is_holder(store: Store, vault: Vault, account: int, kana: str, born: str, phone: str) -> bool:
    said = (vault.match(kana, born), vault.match(phone))
    return said in store.rows("holder_keys", account=account)


def claim_by_code(store: Store, vault: Vault, member: str, number: int, code: str) -> Owned:
    """Tie a card to a member who has a code for it from a place that had it in its hand. ``OwningError`` ``wrong-code``.

    Whoever had it before has it no more.
    """
    with adding(store):
        channel = use_code(store, vault, number, OWNING, code)
        account = _account(store, number)
        if account is not None and channel is not None:
            return _tie(store, member, account, number, channel)
    raise OwningError("wrong-code", field="code")


def _tie(store: Store, member: str, account: Account, number: int, how: str) -> Owned:
    now = moment_now()
    before = _owner(store, account.account)
    if not store.change("own", account=account.account, name=member, since=now, how=how):
        store.append("owned", [(account.account, member, now, how)])
    said = how if before in (None, member) else f"{how}, before: {before}"
    note(store, member, "card-claimed", format_number(number), said)
    return Owned(account, now, how)


def give_up(store: Store, member: str, number: int) -> None:
    """A card is the member's no more. ``OwningError`` when it was not."""
    with adding(store):
        must_own(store, member, [number])
        account = _account(store, number)
        assert account is not None
        store.change("disown", account=account.account, name=member)
        note(store, member, "card-given-up", format_number(number), "")


# -- codes from places ---------------------------------------------------------------------------


def give_code(
    store: Store, vault: Vault, number: int, purpose: str, channel: str, who: str
) -> tuple[str, int]:
    """A code for whoever stands there with the card, and until when it is good. One before it is good no more.

    ``OwningError``: ``unknown-card``; ``code-at-counter`` when only a counter, which looks at papers, may give it;
    ``recovery-needs-name`` and ``no-member`` where there is nothing to recover.
    """
    with adding(store):
        account = _account(store, number)
        if account is None:
            raise OwningError("unknown-card", field="number")
        _must_give(store, account, purpose, channel)
        now = moment_now()
        store.change("drop_old_desk_codes", now=now)
        store.change("end_desk_code", account=account.account, purpose=purpose)
        code, until = codes.new(CODE_LETTERS), now + GOOD_FOR
        key = _code_key(vault, account, purpose, code)
        store.append("desk_code", [(account.account, purpose, key, channel, until, 0)])
        note(store, who, "code-given", format_number(number), f"{purpose}, {channel}")
    return code, until


def _must_give(store: Store, account: Account, purpose: str, channel: str) -> None:
    if purpose == RECOVERY and account.kind == "anonymous":
        raise OwningError("recovery-needs-name", field="number")
    if channel not in _givers(account.kind, purpose):
        raise OwningError("code-at-counter", field="channel")
    if purpose == RECOVERY and _owner(store, account.account) is None:
        raise OwningError("no-member", field="number")


def _givers(kind: str, purpose: str) -> tuple[str, ...]:
    """Where such a code is given out: having a card in the hand proves that it is one's own if it carries no name, or is in one's phone."""
    if purpose == OWNING and kind == "anonymous":
        return IN_HAND
    return _OF_PHONES if purpose == OWNING and kind in PHONES else (COUNTER,)


def _code_key(vault: Vault, account: Account, purpose: str, code: str) -> bytes:
    return vault.keyed("desk code", str(account.account), purpose, codes.plain(code))


def use_code(store: Store, vault: Vault, number: int, purpose: str, code: str) -> str | None:
    """Where a code came from, which is used up by that; None when it is none, which is counted. Within an open ``adding``."""
    account = _account(store, number)
    if account is None:
        return None
    which = {"account": account.account, "purpose": purpose}
    for key, channel, until, tries in store.rows("desk_code", **which):
        if until < moment_now() or tries >= MOST_TRIES:
            return None
        if key != _code_key(vault, account, purpose, code):
            store.change("count_try", **which)
            return None
        store.change("end_desk_code", **which)
        return str(channel)
    return None
