"""Members: enrolling, recovery, and which cards are theirs."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from farecard.access import members, owning
from farecard.access.errors import CodedError
from farecard.access.owning import PURPOSES, Owned, Papers
from farecard.access.sessions import MEMBER
from farecard.api.asking import card_number
from farecard.api.limits import Limits
from farecard.api.problems import ProblemError
from farecard.api.readers import Readers
from farecard.api.registrar import Registrar
from farecard.api.sessions import Login, MemberSignIn, Password, Sessions, wait
from farecard.api.speakers import CHALLENGE, Speaker
from farecard.model.commands import format_number
from farecard.model.moments import iso_moment, parse_day
from farecard.model.verdict import Reason
from farecard.storage.store import Store
from farecard.storage.vault import Vault
from farecard.wire.line import written_in

T = TypeVar("T")
_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
# with which status each refusal is answered
STATUS = {
    "bad-login": 400,
    "login-taken": 409,
    "wrong-code": 403,
    "not-your-card": 403,
    "not-proven": 403,
    "too-many-guesses": 429,
    "claimed-already": 409,
    "unknown-card": 404,
    "needs-code": 403,
    "session-ended": 401,
    "papers-needed": 403,
    "not-the-holder": 403,
    "code-at-counter": 403,
    "recovery-needs-name": 403,
    "no-member": 404,
}


class Recover(msgspec.Struct, forbid_unknown_fields=True):
    """A code in place of the password: a recovery code with ``login``, or a counter's code with ``card``."""

    code: _Code
    password: Password
    login: Login | None = None
    card: str | None = None


class Confirm(msgspec.Struct, forbid_unknown_fields=True):
    """The password once more."""

    password: Password


class Claim(msgspec.Struct, forbid_unknown_fields=True):
    """A card, and the proof: a code, or what its holder said when it was sold."""

    card: str
    code: _Code | None = None
    kana: _Text | None = None
    born: _Text | None = None
    phone: _Text | None = None


class Shown(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A card that somebody shows at a place: at which channel, and what the papers say where a counter looked at some."""

    channel: Literal["counter", "ticket-machine", "icoca-app"]
    kana: _Text | None = None
    born: _Text | None = None


class GiveCode(Shown, forbid_unknown_fields=True, kw_only=True, rename={"purpose": "for"}):
    """The same, and what a code shall be good for."""

    purpose: Literal["owning", "recovery"]


assert GiveCode.__annotations__["purpose"] == Literal[PURPOSES]
assert Shown.__annotations__["channel"] == Literal[owning.IN_HAND]


class Membership:
    """What members, and the places that help them, ask for."""

    def __init__(self, vault: Vault, sessions: Sessions, readers: Readers, limits: Limits) -> None:
        self._vault = vault
        self._sessions = sessions
        self._readers = readers
        # a line of their own: no flood of members keeps the office from writing
        self._registrar = Registrar(readers.url, limits.writes)

    def close(self) -> None:
        """Finish what was asked."""
        self._registrar.close()

    async def _at_door(self, work: Callable[[Store], T]) -> T:
        """Work that checks a password or makes one."""
        try:
            return await self._sessions.at_door(MEMBER, work)
        except CodedError as no:
            raise _problem(no) from None

    async def _write(self, work: Callable[[Store], T]) -> T:
        try:
            return await self._registrar.do(work)
        except CodedError as no:
            raise _problem(no) from None

    # -- an account --------------------------------------------------------------------------

    async def enrol(self, said: MemberSignIn) -> dict[str, Any]:
        """The member's id, and the recovery codes. ``ProblemError`` 400 or 409."""
        for reason in written_in("login", said.login):
            raise ProblemError(400, reason)
        name, codes = await self._at_door(
            lambda store: members.enrol(store, self._vault, said.login, said.password)
        )
        return {"member": name, "recovery_codes": codes}

    async def recover(self, said: Recover) -> dict[str, Any]:
        """The sign-in name, whose password is the new one from now on. ``ProblemError`` 400 or 403."""
        vault, code, password = self._vault, said.code, said.password
        if (said.login is None) == (said.card is None):
            raise _bad("one of login and card")
        if said.login is not None:
            login = said.login
            codes = await self._at_door(
                lambda store: members.recover(store, vault, login, code, password)
            )
            return {"login": login, "recovery_codes": codes}
        number = card_number(said.card or "", "card")
        found, codes = await self._at_door(
            lambda store: members.recover_by_card(store, vault, number, code, password)
        )
        return {"login": found, "recovery_codes": codes}

    async def new_codes(self, speaker: Speaker, said: Confirm) -> dict[str, Any]:
        """Other recovery codes in place of all there are."""
        name = speaker.must_be_member().name

        codes = await self._at_door(
            lambda store: members.new_codes(store, self._vault, name, said.password)
        )
        return {"recovery_codes": codes}

    async def end(self, speaker: Speaker, said: Confirm) -> dict[str, Any]:
        """A member leaves; what was held about him is erased."""
        name = speaker.must_be_member().name
        await self._at_door(lambda store: members.end(store, self._vault, name, said.password))
        self._sessions.forget(speaker)
        return {"ended": True}

    # -- cards -------------------------------------------------------------------------------

    async def cards(self, speaker: Speaker) -> dict[str, Any]:
        """A member's cards; and how many recovery codes are left."""
        name = speaker.must_be_member().name

        def ask(store: Store) -> tuple[list[Owned], int]:
            return owning.owned(store, name), members.codes_left(store, name)

        cards, left = await self._readers.ask(ask)
        return {"cards": [_told(one) for one in cards], "recovery_codes_left": left}

    async def claim(self, speaker: Speaker, said: Claim) -> dict[str, Any]:
        """Tie a card to a member who proves that it is his. ``ProblemError`` 400, 403, 409 or 429."""
        name, vault = speaker.must_be_member().name, self._vault
        number = card_number(said.card, "card")
        kana, born, phone, code = said.kana, said.born, said.phone, said.code
        if kana is not None and born is not None and phone is not None and code is None:
            papers = _papers(kana, born)

            def work(store: Store) -> Owned:
                return owning.claim_as_holder(store, vault, name, number, papers, phone)
        elif code is not None and kana is born is phone is None:

            def work(store: Store) -> Owned:
                return owning.claim_by_code(store, vault, name, number, code)
        else:
            raise _bad("a code, or kana, born and phone")
        return _told(await self._write(work))

    async def give_up(self, speaker: Speaker, text: str) -> dict[str, Any]:
        """A card is the member's no more."""
        name = speaker.must_be_member().name
        number = card_number(text, "number")
        await self._write(lambda store: owning.give_up(store, name, number))
        return {"given_up": format_number(number)}

    async def give_code(self, speaker: Speaker, text: str, said: GiveCode) -> dict[str, Any]:
        """A code for whoever stands there with the card. ``ProblemError`` 403, 404 or 429."""
        number, papers = _shown(speaker, text, said)
        vault, purpose, channel, who = self._vault, said.purpose, said.channel, speaker.who
        code, until = await self._write(
            lambda store: owning.give_code(store, vault, number, purpose, channel, papers, who)
        )
        return {"code": code, "until": iso_moment(until)}

    async def release(self, speaker: Speaker, text: str, said: Shown) -> dict[str, Any]:
        """A card that somebody shows is no member's any more; whether it was one's. ``ProblemError`` as of ``give_code``."""
        number, papers = _shown(speaker, text, said)
        vault, channel, who = self._vault, said.channel, speaker.who
        released = await self._write(
            lambda store: owning.release(store, vault, number, channel, papers, who)
        )
        return {"released": released}


def _shown(speaker: Speaker, text: str, said: Shown) -> tuple[int, Papers | None]:
    """The card, and the papers. ``ProblemError`` 400 or 403."""
    speaker.must_ask("codes")
    number = card_number(text, "number")
    if said.channel not in speaker.bound.channels:
        choices = sorted(speaker.bound.channels & set(owning.IN_HAND))
        reason = Reason(None, "channel-not-allowed", {"field": "channel", "choices": choices})
        raise ProblemError(403, reason)
    if (said.kana is None) != (said.born is None):
        raise _bad("kana and born: both of them, or none")
    if said.kana is None or said.born is None:
        return number, None
    return number, _papers(said.kana, said.born)


def _papers(kana: str, born: str) -> Papers:
    try:
        parse_day(born)
    except ValueError:
        raise _bad("born: a day that exists, as 1987-06-05") from None
    return Papers(kana, born)


def _bad(why: str) -> ProblemError:
    return ProblemError(400, Reason(None, "bad-body", {"why": why}))


def _problem(no: CodedError) -> ProblemError:
    if no.until is not None:
        return wait(Reason(None, no.code, {"until": iso_moment(no.until)}), no.until)
    status = STATUS[no.code]
    headers = CHALLENGE if status == 401 else ()
    return ProblemError(status, Reason(None, no.code, no.params), headers)


def _told(owned: Owned) -> dict[str, Any]:
    card = owned.card
    return {
        "card": format_number(card.number),
        "kind": card.kind,
        "since": iso_moment(owned.since),
        "how": owned.how,
    }
