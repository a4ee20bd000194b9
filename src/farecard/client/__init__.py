"""A client: commands as types, decisions as types, and retries that cannot do anything twice.

A command's id is its own for ever. So whatever went wrong on the way, the same command may be sent again: if it was
decided, its decision comes back (``repeated``), and if not it is decided now. This client does so by itself.

    from farecard.client import Farecard, TopUp, new_id, now

    with Farecard("http://127.0.0.1:8080", key) as farecard:
        decision = farecard.send(TopUp(id=new_id(), at=now(), channel="ticket-machine", card=number, amount=1000, tender="cash"))
"""

import os
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import msgspec

from farecard.client.answers import (
    Decision,
    FarecardError,
    ProblemError,
    Text,
    Told,
    UnreachableError,
    decision,
)
from farecard.client.calls import Calls
from farecard.client.uploading import Source, Upload
from farecard.model.commands import (
    ApplicationHistory,
    ApplyMynaPoint,
    BankAccount,
    ChangeAppliedCard,
    CollectReissue,
    Command,
    CommitDraw,
    ConfirmAccount,
    ConfirmInsuranceCard,
    DrawLottery,
    FileAccount,
    Holder,
    Issue,
    JoinCampaign,
    JoinMembership,
    JoinRally,
    MoveToPhone,
    OtherService,
    Pass,
    Purchase,
    Refund,
    RefundByPost,
    RegisterForPoints,
    ReportDamaged,
    ReportLost,
    RequestRefundForm,
    ResolveCase,
    Reverse,
    RunGrants,
    TapIn,
    TapOut,
    TopUp,
    TopUpFromPoints,
)
from farecard.model.moments import iso_moment, moment_now

__all__ = [
    "ApplicationHistory",
    "ApplyMynaPoint",
    "BankAccount",
    "ChangeAppliedCard",
    "CollectReissue",
    "Command",
    "CommitDraw",
    "ConfirmAccount",
    "ConfirmInsuranceCard",
    "Decision",
    "DrawLottery",
    "Farecard",
    "FarecardError",
    "FileAccount",
    "Holder",
    "Issue",
    "JoinCampaign",
    "JoinMembership",
    "JoinRally",
    "MoveToPhone",
    "OtherService",
    "Pass",
    "ProblemError",
    "Purchase",
    "Refund",
    "RefundByPost",
    "RegisterForPoints",
    "ReportDamaged",
    "ReportLost",
    "RequestRefundForm",
    "ResolveCase",
    "Reverse",
    "RunGrants",
    "TapIn",
    "TapOut",
    "Text",
    "Told",
    "TopUp",
    "TopUpFromPoints",
    "UnreachableError",
    "new_id",
    "now",
]


def new_id() -> str:
    """An id nobody has used: by time, so that ids of one sender lie together, and by chance."""
    return f"{time.time_ns() // 1_000_000:012x}-{os.urandom(8).hex()}"


def now() -> str:
    """The present moment as a command says it, in Tokyo's time."""
    return iso_moment(moment_now())


class Farecard:
    """A farecard that serves at ``url``, spoken to with a key.

    ``timeout`` are the seconds an answer may take; a call that fails on the way, or that the server has no room for,
    is tried ``attempts`` times. One for each thread. Calls raise ``ProblemError`` when the server says no, with a code and
    what to do next, and ``UnreachableError`` when nothing came back.
    """

    def __init__(self, url: str, key: str, *, timeout: float = 30.0, attempts: int = 6) -> None:
        self._calls = Calls(url, key, timeout, attempts)

    def send(self, command: Command, *, dry_run: bool = False) -> Decision:
        """Have one command decided; ``dry_run`` tells what the decision would be, and keeps nothing."""
        path = "/v1/commands?dry_run=true" if dry_run else "/v1/commands"
        return decision(self._calls.call("POST", path, msgspec.json.encode(command)))

    def journal(self, source: Source) -> Iterator[Decision]:
        """The decisions on a journal: a file of lines, or commands. Bounded memory, whatever its length.

        After a break it goes on with the first line that has no answer yet: so what is given must be there to be read again.
        """
        if isinstance(source, Iterator):
            raise TypeError(
                "source: a path or a list, so that what a break took away can be read again"
            )
        return Upload(self._calls, source).decisions()

    def status(self, number: str, as_of: str | None = None) -> Any:
        """A card: its state, balance (yen), points and applications."""
        return self._card(number, "", as_of)

    def history(self, number: str, as_of: str | None = None) -> Any:
        """What happened to a card, newest last."""
        return self._card(number, "/history", as_of)

    def points(self, number: str, as_of: str | None = None) -> Any:
        """A card's points: what was granted, what is owed, and why not where not."""
        return self._card(number, "/points", as_of)

    def refund_quote(self, number: str, as_of: str | None = None) -> Any:
        """What a refund would pay (yen), and by which rules."""
        return self._card(number, "/refund-quote", as_of)

    def reissue_quote(self, number: str, as_of: str | None = None) -> Any:
        """What a reissue would cost (yen)."""
        return self._card(number, "/reissue-quote", as_of)

    def quick_charge_quote(self, number: str, as_of: str | None = None) -> Any:
        """What is left for quick charges (yen)."""
        return self._card(number, "/quick-charge-quote", as_of)

    def cases(
        self, state: str | None = None, refer_to: str | None = None, as_of: str | None = None
    ) -> Any:
        """What was left to people, newest first; ``state``: ``open``, ``granted`` or ``declined``."""
        return self._ask("/v1/cases", state=state, refer_to=refer_to, as_of=as_of)

    def trial_balance(self, as_of: str | None = None) -> Any:
        """The books, in yen."""
        return self._ask("/v1/trial-balance", as_of=as_of)

    def events(
        self, after: str = "", limit: int | None = None, wait: int | None = None
    ) -> Iterator[tuple[dict[str, Any], str]]:
        """What was decided after a place, each page's events with the place after them, until there is no more.

        ``wait``: seconds (30 at the most) to wait for something where there is nothing yet.

        Keep the place once you have dealt with its events, and go on from there next time: each comes at least once.
        """
        while True:
            page = self._ask("/v1/events", after=after or None, limit=limit, wait=wait)
            after = page["next"]
            for event in page["events"]:
                yield event, after
            if not page["more"]:
                return

    def health(self) -> Any:
        """Whether the server and its store are well."""
        return self._ask("/healthz")

    def close(self) -> None:
        """Hang up."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def _card(self, number: str, what: str, as_of: str | None) -> Any:
        return self._ask(f"/v1/cards/{quote(number, safe='')}{what}", as_of=as_of)

    def _ask(self, path: str, **values: Any) -> Any:
        said = urlencode({name: value for name, value in values.items() if value is not None})
        return msgspec.json.decode(self._calls.call("GET", f"{path}?{said}" if said else path))
