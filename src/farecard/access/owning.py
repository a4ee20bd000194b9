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
from farecard.model.moments import SECOND, moment_now
from farecard.storage.making import adding
from farecard.storage.rows import as_account
from farecard.storage.store import Store
from farecard.storage.vault import Vault

OWNING, RECOVERY = PURPOSES = ("owning", "recovery")
COUNTER = "counter"
IN_HAND = (COUNTER, "ticket-machine", "icoca-app")  # places that have the card in their hand
_OF_PHONES = (COUNTER, "icoca-app")
CODE_LETTERS = 12  # sixty bits: too many to be guessed while it is good, so tries need no counting
GOOD_FOR = 15 * 60 * SECOND
GUESSED_WITHIN = 24 * 3600 * SECOND  # without one more
MOST_OF_MEMBER, MOST_OF_CARD = 5, 20
HOLDER = "holder"  # how a card was proven, where no code was needed
_BLANK = "anonymous"  # the kind that carries no name


class Papers(NamedTuple):
    """What somebody's papers say: the name in kana, the birthday."""

    kana: str
    born: str


class Owned(NamedTuple):
    """A card that is somebody's. ``how``: by which proof, ``holder`` or the channel that gave the code."""

    card: Account
    since: int
    how: str


class Tie(NamedTuple):
    """Whose a card is. ``kind``: what it was when it was tied."""

    member: str
    since: int
    how: str
    kind: str


class Used(NamedTuple):
    """A code that was right: for which card, where it came from, and whose account it recovers."""

    card: Account
    channel: str
    member: str | None


class OwningError(CodedError):
    """Why a card is not tied, or no code given."""


def _account(store: Store, number: int) -> Account | None:
    """The account of a number, or of any it had; None where the number was never given out."""
    for row in store.rows("number_of", number=number):
        return as_account(store.rows("accounts", ids=[row[1]])[0])
    return None


def _still_tied(kind: str, card: Account) -> bool:
    """Whether a tie still holds: whoever had a card without a name has it no more once it is in a phone."""
    return kind != _BLANK or card.kind == _BLANK


def _tie_of(store: Store, card: Account) -> Tie | None:
    for tie in map(Tie._make, store.rows("owner_of", account=card.account)):
        if _still_tied(tie.kind, card):
            return tie
    return None


def _tie_at(store: Store, number: int) -> Tie | None:
    """The tie of a number's card; None where it is nobody's, or there is none."""
    card = _account(store, number)
    return None if card is None else _tie_of(store, card)


# -- what a member may speak of ------------------------------------------------------------------


def must_own(store: Store, member: str, numbers: Iterable[int], *, in_hand: bool = False) -> None:
    """``OwningError`` when one of these cards is not the member's: the same whether it is another's, nobody's or none at all.

    ``in_hand``: ``needs-code`` when it was proven by words alone.
    """
    for number in numbers:
        tie = _tie_at(store, number)
        if tie is None or tie.member != member:
            raise OwningError("not-your-card", field="card")
        if in_hand and tie.how == HOLDER:
            raise OwningError("needs-code", field="card")


def owned(store: Store, member: str) -> list[Owned]:
    """A member's cards, in the order they were tied to him."""
    rows = store.rows("owned_by", member=member)
    if not rows:
        return []
    cards = {
        one.account: one
        for one in map(as_account, store.rows("accounts", ids=[row[0] for row in rows]))
    }
    return [
        Owned(cards[account], since, how)
        for account, since, how, kind in rows
        if _still_tied(kind, cards[account])
    ]


def member_of(store: Store, number: int) -> str | None:
    """Whose a card is."""
    tie = _tie_at(store, number)
    return None if tie is None else tie.member


# -- proof ---------------------------------------------------------------------------------------


def claim_as_holder(
    store: Store, vault: Vault, member: str, number: int, papers: Papers, phone: str
) -> Owned:
    """Tie a card to a member who knows what its holder said when it was sold.

    ``OwningError``: ``not-proven`` whatever it is that does not fit; ``too-many-guesses`` where the member, or somebody for this number,
    guessed too often; ``claimed-already`` where it fits and the card is another member's: then it takes a code.
    """
    with adding(store):
        card = _account(store, number)
        # a number that nobody has is counted like any other: the answers shall not tell
        about = vault.keyed("number", str(number)).hex() if card is None else str(card.account)
        fits = card is not None and (vault.holder(*papers), vault.phone(phone)) in store.rows(
            "holder_keys", account=card.account
        )
        guesses = ((member, MOST_OF_MEMBER), (f"card {about}", MOST_OF_CARD))
        if _counted(store, guesses, fits=fits) and card is not None:
            store.change("forget_guesses", about=f"card {about}")
            tie = _tie_of(store, card)
            if tie is not None and tie.member != member:
                raise OwningError("claimed-already", field="card")
            return _tie(store, member, card, number, HOLDER)
    raise OwningError("not-proven", field="card")


def _counted(store: Store, guesses: Iterable[tuple[str, int]], *, fits: bool) -> bool:
    """``fits``, a guess that does not being counted. ``OwningError`` when there were as many as may be: then none is looked at."""
    now = moment_now()
    store.change("drop_old_guesses", since=now - GUESSED_WITHIN)
    for about, most in guesses:
        for failures, since in store.rows("guesses", about=about):
            if failures >= most and since >= now - GUESSED_WITHIN:
                raise OwningError("too-many-guesses", since + GUESSED_WITHIN)
    if not fits:
        for about, _ in guesses:
            if not store.change("guess_again", about=about, now=now):
                store.append("guess", [(about, 1, now)])
    return fits


def claim_by_code(store: Store, vault: Vault, member: str, number: int, code: str) -> Owned:
    """Tie a card to a member who has a code for it from a place that had it in its hand. ``OwningError`` ``wrong-code``.

    Whoever had it before has it no more.
    """
    with adding(store):
        used = use_code(store, vault, number, OWNING, code)
        if used is not None:
            return _tie(store, member, used.card, number, used.channel)
    raise OwningError("wrong-code", field="code")


def _tie(store: Store, member: str, card: Account, number: int, how: str) -> Owned:
    if not any(ended is None for *_, ended in store.rows("enrolled", member=member)):
        raise OwningError("session-ended")  # he left meanwhile
    tie = _tie_of(store, card)
    if tie is not None and tie.member == member and how in (tie.how, HOLDER):
        return Owned(card, tie.since, tie.how)  # nothing new
    now = moment_now()
    new = {"name": member, "since": now, "how": how, "kind": card.kind}
    if not store.change("own", account=card.account, **new):
        store.append("owned", [(card.account, *new.values())])
    said = how if tie is None or tie.member == member else f"{how}, before: {tie.member}"
    note(store, member, "card-claimed", format_number(number), said)
    return Owned(card, now, how)


def give_up(store: Store, member: str, number: int) -> None:
    """A card is the member's no more. ``OwningError`` when it was not."""
    with adding(store):
        must_own(store, member, [number])
        card = _account(store, number)
        assert card is not None
        _untie(store, card, number, member)


def _untie(store: Store, card: Account, number: int, who: str) -> None:
    store.change("disown", account=card.account)
    note(store, who, "card-given-up", format_number(number), "")


def keep_holders_cards(store: Store, member: str, card: Account) -> None:
    """Of a member's cards keep those of one holder, of whom this card is, within an open ``adding``: papers proved no more."""
    name = _holder_of(store, card)
    for one in owned(store, member):
        if name is None or _holder_of(store, one.card) != name:
            store.change("disown", account=one.card.account)


def _holder_of(store: Store, card: Account) -> bytes | None:
    """The digest of a holder's name and birthday; None where the card has none, or it was erased."""
    return next((name for name, _ in store.rows("holder_keys", account=card.account)), None)


# -- at places -----------------------------------------------------------------------------------


def give_code(
    store: Store, vault: Vault, number: int, purpose: str, channel: str, papers: Papers | None, who: str
) -> tuple[str, int]:  # fmt: skip
    """A code for whoever stands there with the card, and until when it is good. One before it is good no more.

    ``papers``: what they say, where a counter had to look at some. ``OwningError`` as of ``_is_shown``;
    ``recovery-needs-name`` and ``no-member`` where there is nothing to recover.
    """
    recovers = purpose == RECOVERY
    with adding(store):
        card, holder = _in_hand(store, number)
        if recovers and holder is None:
            raise OwningError("recovery-needs-name", field="number")
        if _is_shown(store, vault, card, holder, channel, papers, by_counter=recovers):
            tie = _tie_of(store, card) if recovers else None
            if recovers and tie is None:
                raise OwningError("no-member", field="number")
            now = moment_now()
            store.change("drop_old_desk_codes", now=now)
            store.change("end_desk_code", account=card.account, purpose=purpose)
            code, until = codes.new(CODE_LETTERS), now + GOOD_FOR
            key = _code_key(vault, card, purpose, code)
            whose = None if tie is None else tie.member
            store.append("desk_code", [(card.account, purpose, key, channel, until, whose)])
            note(store, who, "code-given", format_number(number), f"{purpose}, {channel}")
            return code, until
    raise OwningError("not-the-holder", field="born")


def release(
    store: Store, vault: Vault, number: int, channel: str, papers: Papers | None, who: str
) -> bool:
    """Whoever stands there with the card wants it to be no member's; gives whether it was one's. ``OwningError`` as of ``give_code``."""
    with adding(store):
        card, holder = _in_hand(store, number)
        if _is_shown(store, vault, card, holder, channel, papers, by_counter=False):
            tied = _tie_of(store, card) is not None
            if tied:
                _untie(store, card, number, who)
            return tied
    raise OwningError("not-the-holder", field="born")


def papers_fit(store: Store, vault: Vault, number: int, papers: Papers) -> bool:
    """Whether papers are those of a card's holder; what does not fit is counted.

    ``OwningError``: ``unknown-card``, ``no-name-on-it``, ``too-many-guesses``.
    """
    with adding(store):
        card, holder = _in_hand(store, number)
        if holder is None:
            raise OwningError("no-name-on-it", field="card")
        fits = vault.holder(*papers) == holder
        return _counted(store, [(f"papers {card.account}", MOST_OF_CARD)], fits=fits)


def _in_hand(store: Store, number: int) -> tuple[Account, bytes | None]:
    """A card that somebody shows, and its holder as of ``_holder_of``. ``OwningError`` ``unknown-card``."""
    card = _account(store, number)
    if card is None:
        raise OwningError("unknown-card", field="number")
    return card, _holder_of(store, card)


def _is_shown(
    store: Store, vault: Vault, card: Account, holder: bytes | None, channel: str, papers: Papers | None,
    *, by_counter: bool,
) -> bool:  # fmt: skip
    """Whether whoever stands there may be taken for the one whose card it is; papers that do not fit are counted.

    A card that carries no name is whoever's has it in his hand, one in a phone whoever's has the phone; for all else
    a counter looks at papers. ``OwningError``: ``code-at-counter``, ``papers-needed``, ``too-many-guesses``.
    """
    places = IN_HAND if card.kind == _BLANK else _OF_PHONES if card.kind in PHONES else (COUNTER,)
    if channel not in places or (by_counter and channel != COUNTER):
        raise OwningError("code-at-counter", field="channel")
    if holder is None or channel != COUNTER:
        return True
    if papers is None:
        raise OwningError("papers-needed", field="born")
    fits = vault.holder(*papers) == holder
    return _counted(store, [(f"papers {card.account}", MOST_OF_CARD)], fits=fits)


def _code_key(vault: Vault, card: Account, purpose: str, code: str) -> bytes:
    return vault.keyed("desk code", str(card.account), purpose, codes.plain(code))


def use_code(store: Store, vault: Vault, number: int, purpose: str, code: str) -> Used | None:
    """A code, used up by that; None when it is none. Within an open ``adding``."""
    card = _account(store, number)
    if card is None:
        return None
    which = {"account": card.account, "purpose": purpose}
    for key, channel, until, member in store.rows("desk_code", **which):
        if until >= moment_now() and key == _code_key(vault, card, purpose, code):
            store.change("end_desk_code", **which)
            return Used(card, channel, member)
    return None
