"""Members: card holders who enrolled themselves, with a sign-in name and a password.

A member is known by an id that says nothing about anybody. The sign-in name is kept as a keyed digest, to be found by,
and sealed under a key of the member's own; the password as argon2id; recovery codes as keyed digests.
"""

import unicodedata
from typing import Any, NamedTuple

from farecard.access import codes, owning, passwords, sessions
from farecard.access.errors import CodedError
from farecard.access.sessions import Session
from farecard.access.trail import note
from farecard.model.moments import moment_now
from farecard.storage.making import adding, erasing
from farecard.storage.store import Store
from farecard.storage.vault import Vault

REALM = ROLE = sessions.MEMBER
SHORTEST_LOGIN, LONGEST_LOGIN = 3, 254
CODES, CODE_LETTERS = 8, 16
# the tables that hold something of a member
KEPT_IN = ("enrolled", "recovery", "owned", "guess", "login", "member")


class Member(NamedTuple):
    """A member. ``name`` is the id; ``ended``: when everything about him was erased."""

    name: str
    password: str | None
    since: int
    failures: int
    locked_until: int
    ended: int | None


class MemberError(CodedError):
    """Why a member cannot do this."""


# -- enrolling -----------------------------------------------------------------------------------


def _plain(login: str) -> str:
    """A sign-in name as it is compared: an address is the same in capitals."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def check_login(login: str) -> str:
    """A sign-in name as it is kept. ``MemberError`` when it is none to have."""
    kept = unicodedata.normalize("NFKC", login).strip()
    good = SHORTEST_LOGIN <= len(kept) <= LONGEST_LOGIN and kept.isprintable()
    if not good or any(c.isspace() for c in kept):
        raise MemberError(
            "bad-login", field="login", shortest=SHORTEST_LOGIN, longest=LONGEST_LOGIN
        )
    return kept


def enrol(store: Store, vault: Vault, login: str, password: str) -> tuple[str, list[str]]:
    """Open an account; gives the member's id and the recovery codes, which are not kept.

    ``MemberError`` for a sign-in name that is none or another's, ``AccessError`` for a password that is none.
    """
    login = check_login(login)
    kept = passwords.hashed(login, password)
    name = f"M-{codes.new(12)}"
    key, wrapped = vault.new_subject()
    sealed = vault.seal(key, login.encode())
    login_key = _login_key(vault, login)
    with adding(store):
        if store.rows("enrolled_as", login_key=login_key):
            raise MemberError("login-taken", field="login")
        store.append(
            "enrolled", [(name, login_key, kept, wrapped, sealed, moment_now(), 0, 0, None)]
        )
        made = _add_codes(store, vault, name)
        note(store, name, "enrolled", name, "")
    return name, made


def _login_key(vault: Vault, login: str) -> bytes:
    return vault.keyed("login", _plain(login))


def _code_key(vault: Vault, name: str, code: str) -> bytes:
    return vault.keyed("recovery", name, codes.plain(code))


def _add_codes(store: Store, vault: Vault, name: str) -> list[str]:
    made = [codes.new(CODE_LETTERS) for _ in range(CODES)]
    store.append("recovery", [(name, _code_key(vault, name, one), None) for one in made])
    return made


def by_login(store: Store, vault: Vault, login: str) -> Member | None:
    """Who has this sign-in name."""
    return _one(store.rows("enrolled_as", login_key=_login_key(vault, login)))


def named(store: Store, name: str) -> Member | None:
    """The member of an id; None when there is none, or everything about him was erased."""
    return _one(store.rows("enrolled", member=name))


def _one(rows: list[tuple[Any, ...]]) -> Member | None:
    return next((one for one in map(Member._make, rows) if one.ended is None), None)


def login_of(store: Store, vault: Vault, name: str) -> str | None:
    """A member's sign-in name, opened; None when it was erased."""
    ((wrapped, sealed),) = store.rows("enrolled_sealed", member=name) or [(None, None)]
    if wrapped is None or sealed is None:
        return None
    return vault.open(vault.subject(wrapped), sealed).decode()


# -- signing in ----------------------------------------------------------------------------------


def sign_in(store: Store, vault: Vault, login: str, password: str, age: int) -> tuple[str, Session]:
    """A token and its session of ``age`` microseconds at the most; ``SignInError`` when it is not to be, which is counted."""

    def look() -> Member | None:
        return by_login(store, vault, login)

    member = sessions.confirm(store, REALM, look, password)
    with adding(store):
        return sessions.begin(store, REALM, look, member, ROLE, age)


def confirm(store: Store, name: str, password: str) -> Member:
    """That it is him, once more. ``SignInError`` when it is not, which is counted."""
    return sessions.confirm(store, REALM, lambda: named(store, name), password)


def _start_anew(store: Store, vault: Vault, name: str, kept: str) -> list[str]:
    """Another password, within an open ``adding``: a lock is off, all sessions end, and other recovery codes replace all there are.

    So nothing is left that somebody else may have got hold of.
    """
    store.change("member_password", name=name, password=kept)
    store.change("end_logins", realm=REALM, who=name)
    store.change("end_recovery", name=name)
    return _add_codes(store, vault, name)


def _must_still_be(store: Store, member: Member) -> None:
    """``SignInError`` when he left, or has another password, since he was confirmed."""
    sessions.still(lambda: named(store, member.name), member)


def change_password(store: Store, vault: Vault, name: str, old: str, new: str) -> list[str]:
    """Another password, for whoever knows the old one, and other recovery codes, which are not kept.

    ``SignInError``; ``AccessError`` when it is none to have.
    """
    member = confirm(store, name, old)
    kept = passwords.hashed(login_of(store, vault, name) or name, new)
    with adding(store):
        _must_still_be(store, member)
        made = _start_anew(store, vault, name, kept)
        note(store, name, "member-password", name, "")
    return made


# -- recovery ------------------------------------------------------------------------------------


def codes_left(store: Store, name: str) -> int:
    """How many recovery codes were not used yet."""
    ((left,),) = store.rows("recovery_left", member=name)
    return int(left)


def new_codes(store: Store, vault: Vault, name: str, password: str) -> list[str]:
    """Other recovery codes in place of all there are. ``SignInError`` when it is not him."""
    member = confirm(store, name, password)
    with adding(store):
        _must_still_be(store, member)
        store.change("end_recovery", name=name)
        made = _add_codes(store, vault, name)
        note(store, name, "recovery-codes", name, "")
    return made


def recover(store: Store, vault: Vault, login: str, code: str, password: str) -> list[str]:
    """Another password for a recovery code; gives other codes. ``MemberError`` ``wrong-code``; ``AccessError`` for a password that is none."""
    kept = passwords.hashed(login, password)
    with adding(store):
        member = by_login(store, vault, login)
        if member is None or not store.change(
            "use_recovery",
            name=member.name,
            code=_code_key(vault, member.name, code),
            used=moment_now(),
        ):
            raise MemberError("wrong-code", field="code")
        made = _start_anew(store, vault, member.name, kept)
        note(store, member.name, "recovered", member.name, "recovery code")
    return made


def recover_by_card(
    store: Store, vault: Vault, number: int, code: str, password: str
) -> tuple[str, list[str]]:
    """The same for a code that a counter gave for a card of the member's; gives the sign-in name, too.

    Papers prove a card's holder: of the member's cards those of other holders are his no more.
    """
    kept = passwords.hashed("", password)
    with adding(store):
        used = owning.use_code(store, vault, number, owning.RECOVERY, code)
        name = owning.member_of(store, number)
        login = None if name is None else login_of(store, vault, name)
        if used is not None and name is not None and name == used.member and login is not None:
            # not before: a stranger's guess at the name shall tell nothing
            passwords.check(login, password)
            owning.keep_holders_cards(store, name, used.card)
            made = _start_anew(store, vault, name, kept)
            note(store, name, "recovered", name, f"a code of a {used.channel}")
            return login, made
    raise MemberError("wrong-code", field="code")


# -- the end -------------------------------------------------------------------------------------


def erase(store: Store, vault: Vault, name: str) -> None:
    """Erase all about a member, within an open ``erasing`` of ``KEPT_IN``. What was sent stays under an id that is nobody's."""
    store.change("erase_memberships", member_key=vault.match(name))
    store.change("erase_enrolled", name=name, ended=moment_now())
    store.change("end_recovery", name=name)
    store.change("disown_all", name=name)
    store.change("forget_guesses", about=name)
    store.change("end_logins", realm=REALM, who=name)


def end(store: Store, vault: Vault, name: str, password: str) -> None:
    """A member leaves: all about him is erased. ``SignInError`` when it is not him."""
    member = confirm(store, name, password)
    with erasing(store, KEPT_IN):
        _must_still_be(store, member)
        erase(store, vault, name)
        note(store, name, "member-ended", name, "")
