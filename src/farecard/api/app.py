"""The application: which request goes where, who may make it, and what is said when it goes wrong."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from importlib import metadata
from time import monotonic, perf_counter
from traceback import format_tb
from typing import Any, Protocol, TypeVar

import msgspec

from farecard.api import asking, members, office
from farecard.api.clock import Clock
from farecard.api.connection import LIVE, Connection, Quick, sweep
from farecard.api.hearing import Hearing
from farecard.api.journal import MEDIA_TYPES, BrokenOffError, Upload
from farecard.api.limits import Limits
from farecard.api.logs import tell_decided
from farecard.api.membership import Membership
from farecard.api.metrics import MEDIA_TYPE as METRICS_TYPE
from farecard.api.metrics import Metrics
from farecard.api.news import News
from farecard.api.openapi import openapi
from farecard.api.page import POLICY, page
from farecard.api.problems import MEDIA_TYPE as PROBLEM_TYPE
from farecard.api.problems import ProblemError, busy, encoded
from farecard.api.proposing import Proposing
from farecard.api.readers import Readers
from farecard.api.registrar import Registrar
from farecard.api.replies import PRIVATE, Receive, Scope, Send, reply, reply_json, reply_problem
from farecard.api.requests import (
    CLOSE,
    GoneError,
    as_of,
    body_of,
    choice,
    flag,
    must_be,
    parameters,
    said,
    whole,
)
from farecard.api.sessions import Sessions, keep_awake
from farecard.api.speakers import Speaker, Speakers
from farecard.api.tasks import Tasks
from farecard.desk.desk import Desk
from farecard.desk.dry import DryDesk
from farecard.desk.entries import Entry
from farecard.desk.looped import LoopQueue
from farecard.desk.queue import QueueClosedError, QueueFullError
from farecard.desk.threaded import ThreadQueue
from farecard.desk.waiting import AsyncWindow, Future
from farecard.model.moments import SECOND
from farecard.model.verdict import INVALID, Reason
from farecard.questions import referrals
from farecard.storage.errors import StoreError
from farecard.storage.making import Inputs, load_inputs
from farecard.storage.store import Store
from farecard.wire.answer import Answer, encode_answer

_log = logging.getLogger("farecard.api")

T = TypeVar("T")
Handler = Callable[["App", Scope, Receive, Send], Awaitable[None]]
COMMANDS, JOURNAL, CARDS, CASES = "/v1/commands", "/v1/journal", "/v1/cards/", "/v1/cases"
_OPEN = (b"127.0.0.1", b"::1")


class Pages(Protocol):
    """Pages under the same address."""

    def route(self, path: str) -> tuple[str, dict[str, Handler] | None]:
        """A path's route, for counting, and what may be done there; None when it is none of theirs."""


class App:
    """An ASGI application over one desk. ``open_desk`` is called when the server starts."""

    def __init__(
        self, open_desk: Callable[[], Desk], limits: Limits, metrics: Metrics, clock: Clock | None = None,
        until_idle: float | None = None,
    ) -> None:  # fmt: skip
        """``until_idle``: seconds without a request after which the process is told to end; None: never."""
        self._open_desk = open_desk
        self._until_idle = until_idle
        self._heard = monotonic()
        self.clock = clock or Clock()
        self.limits = limits
        self.metrics = metrics
        self.version = metadata.version("farecard")
        self.pages: Pages | None = None  # what answers beside the API
        self._known: tuple[tuple[int, int, int], Inputs] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the server's life -------------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open the desk before the first request, close it after the last answer."""
        await receive()
        try:
            await self._open()
        except StoreError as error:
            _log.error("cannot serve: %s", error)
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        watching = asyncio.create_task(self._watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watching.cancel()
        self.tasks.leave()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.queue.leave()
        await asyncio.to_thread(self._close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> None:
        Connection.limits = self.limits
        Connection.quick = staticmethod(self.quick)
        desk = await asyncio.to_thread(self._open_desk)
        kind = LoopQueue if desk.overlaps else ThreadQueue
        self.queue = kind(desk, most_waiting=self.limits.waiting, watch=self.metrics.kept)
        self.window = AsyncWindow(self.queue)
        self.hearing = Hearing(desk.reader, self.limits.ahead, self.clock)
        self.readers = Readers(desk.store.url, self.limits.readers, self.limits.questions)
        self.news = News(self.readers)
        self.registrar = Registrar(desk.store.url, self.limits.writes)
        self.speakers = Speakers(self.readers, self.limits, self._keep_awake)
        self.sessions = Sessions(desk.store.url, desk.vault, self.speakers, self.limits)
        self.membership = Membership(desk.vault, self.sessions, self.readers, self.limits)
        self.proposing = Proposing(
            self.readers, self.registrar, self.hearing, self.clock, self._tried, self._decided
        )
        self.surveyors = Readers(desk.store.url, 1, self.limits.questions)
        self.tasks = Tasks(self.readers, self.registrar, self.surveyors, self.soon)
        await self.speakers.look()
        self.soon(self.proposing.finish_all())

    def _keep_awake(self, token: str) -> None:
        self.soon(keep_awake(self.registrar, token))

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; the server does, when it leaves."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _close(self) -> None:
        self.sessions.close()
        self.membership.close()
        self.registrar.close()
        self.surveyors.close()
        self.readers.close()
        self.queue.desk.store.close()
        self.metrics.leave()

    async def _watch(self) -> None:
        """Once a second: clients that stall, keys that changed, numbers for the other workers."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            if self._until_idle is not None and monotonic() - self._heard > self._until_idle:
                _log.info("nobody asked for %d seconds", self._until_idle)
                signal.raise_signal(signal.SIGTERM)
                return
            try:
                sweep(loop.time())
                self.metrics.share(self._gauges())
                with suppress(ProblemError, StoreError):  # /healthz tells of it
                    await self.speakers.look()
            except Exception as error:  # noqa: BLE001  # nothing ends the watch but the server's end
                self.failed("watch", error)

    def _gauges(self) -> dict[str, float]:
        return {"queue_waiting": self.queue.waiting, "connections": len(LIVE)}

    # -- a request ---------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's life."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._live(receive, send)
            return
        started = perf_counter()
        self._heard = monotonic()
        status = 0

        async def say(message: dict[str, Any]) -> None:
            nonlocal status
            if not status:
                status = message["status"]
            await send(message)

        route, handlers = _route(scope["path"])
        if handlers is None and self.pages is not None:
            route, handlers = self.pages.route(scope["path"])
        try:
            handler = self._handler(handlers, scope["method"])
            await handler(self, scope, receive, say)
        except ProblemError as problem:
            if problem.status >= 500:
                _log.warning("%s: %s", route, problem.reason.code)
            await reply_problem(say, problem)
        except StoreError as error:
            _log.error("the store cannot be asked: %s", error)
            await reply_problem(say, busy(Reason(None, "store-unavailable"), 5))
        except (GoneError, BrokenOffError) as error:
            status = status or 499
            await self._hang_up(scope, receive, error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # our own fault, and nobody shall see more of it than that
            self.failed(route, error)
            if status:
                await self._hang_up(scope, receive, error)
            else:
                await reply_problem(say, ProblemError(500, Reason(None, "failed")))
        finally:
            self.metrics.request(route, status, perf_counter() - started)

    def _handler(self, handlers: dict[str, Handler] | None, method: str) -> Handler:
        """What answers a request."""
        if len(LIVE) > self.limits.connections:
            reason = Reason(None, "too-many-connections")
            raise ProblemError(503, reason, (*CLOSE, (b"retry-after", b"5")))
        if handlers is None:
            raise ProblemError(404, Reason(None, "no-such-address"))
        handler = handlers.get(method)
        if handler is None:
            allowed = (b"allow", ", ".join(handlers).encode())
            raise ProblemError(
                405, Reason(None, "method-not-allowed", {"known": list(handlers)}), (allowed,)
            )
        return handler

    async def _hang_up(self, scope: Scope, receive: Receive, error: Exception) -> None:
        """End the connection: what was said so far goes out, and the client sees that it is not whole."""
        connection: Connection | None = scope.get("farecard")
        if connection is None:
            raise error
        connection.transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass

    def failed(self, where: str, error: Exception) -> None:
        """Log a fault of our own, with the place and without its words."""
        # an error's own words stay out of the log: they may quote what somebody sent
        _log.error(
            "%s failed: %s",
            where,
            type(error).__name__,
            extra={"where": "".join(format_tb(error.__traceback__))},
        )

    async def speaker(self, scope: Scope) -> Speaker:
        """Who sends a request, counted. ``ProblemError`` 401 or 429."""
        speaker = await self.speakers.find(scope["headers"])
        if speaker.rate is not None:
            speaker.take(asyncio.get_running_loop().time())
        return speaker

    async def heard(self, scope: Scope, receive: Receive, kind: type[T]) -> tuple[Speaker, T]:
        """Who sends a request with a body, and that body; who was let go while it came is nobody any more."""
        await self.speaker(scope)
        body = await said(scope, receive, self.limits, kind)
        return await self.speakers.find(scope["headers"]), body

    # -- what can be asked -------------------------------------------------------------------

    async def command(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``POST /v1/commands``: one command, one decision."""
        speaker = await self.speaker(scope)
        must_be(scope, b"application/json")
        dry = scope["query_string"] and flag(parameters(scope, "dry_run"), "dry_run")
        body = await body_of(scope, receive, self.limits)
        speaker = await self.speakers.find(scope["headers"])
        answer = await self.send(speaker, body, dry=bool(dry))
        status = 422 if answer.outcome == INVALID else 200
        await reply(send, status, encode_answer(answer))

    async def send(self, speaker: Speaker, line: bytes, *, dry: bool = False) -> Answer:
        """What becomes of a command, from whichever window; ``dry``: what would. ``ProblemError`` 400, 403 or 503."""
        if not line or line.isspace():
            raise ProblemError(400, Reason(None, "no-body"))
        entry, no = self.hearing.line(speaker, line)
        if no is not None:
            raise ProblemError(403, no)
        if speaker.bound.member is not None and entry.command is not None:
            oldest = self.clock.now() - self.limits.behind * SECOND
            await asking.must_be_his(self.readers, speaker, entry.command, oldest)
        return await (self._tried(entry) if dry else self._decided(entry))

    async def _decided(self, entry: Entry) -> Answer:
        future = self.window.hand_in([entry])
        with suppress(QueueFullError, QueueClosedError, StoreError):
            await future
        return self._outcome(entry, future)

    def quick(self, connection: Connection, quick: Quick) -> bool:
        """The same for a plain command of a known key, without a task of its own; False: it takes the long way.

        What is wrong with it, or with its sender, is said there.
        """
        speaker = self.speakers.known(connection.headers)
        if speaker is None or speaker.rate is not None or len(LIVE) > self.limits.connections:
            return False
        for name, value in connection.headers:
            if name == b"content-type" and value != b"application/json":
                return False
        body = bytes(quick.body)
        if not body or body.isspace():
            return False
        started = perf_counter()
        try:
            entry, no = self.hearing.line(speaker, body)
        except Exception:  # noqa: BLE001  # the long way tells of it
            return False
        if no is not None:
            return False
        future = self.window.hand_in([entry])
        future.add_done_callback(partial(self._quick_done, connection, quick, entry, started))
        return True

    def _quick_done(
        self, connection: Connection, quick: Quick, entry: Entry, started: float, future: Future
    ) -> None:
        status = 499
        try:
            answer = self._outcome(entry, future)
            status = 422 if answer.outcome == INVALID else 200
            connection.answer_quick(quick, status, encode_answer(answer))
        except ProblemError as problem:
            status = problem.status
            _log.warning("%s: %s", COMMANDS, problem.reason.code)
            headers = (*PRIVATE, *problem.headers)
            connection.answer_quick(quick, status, encoded(problem), PROBLEM_TYPE, headers)
        except Exception as error:  # noqa: BLE001  # our own fault: the connection ends, the id can be asked again
            self.failed(COMMANDS, error)
            connection.transport.close()
        finally:
            self.metrics.request(COMMANDS, status, perf_counter() - started)

    def _outcome(self, entry: Entry, future: Future) -> Answer:
        """The answer that has come; ``ProblemError`` 503 where none could be had."""
        try:
            answers = future.result()
        except QueueFullError:
            raise busy(Reason(None, "queue-full")) from None
        except QueueClosedError:
            raise busy(Reason(None, "going-home")) from None
        except StoreError as error:
            told = {"sender": entry.sender, "id": getattr(entry.command, "id", None)}
            _log.error("the desk could not answer: %s", error, extra=told)
            raise busy(Reason(None, "outcome-unknown"), 5) from None
        self.metrics.answered(answers)
        if _log.isEnabledFor(logging.DEBUG):
            tell_decided(_log, entry.sender, answers)
        return answers[0]

    async def _tried(self, entry: Entry) -> Answer:
        """The same, keeping nothing."""
        vault = self.queue.desk.vault

        def attempt(store: Store) -> Answer:
            return DryDesk(store, vault, self._inputs(store)).settle([entry])[0]

        return await self.readers.ask(attempt)

    def _inputs(self, store: Store) -> Inputs:
        """What decisions on a store go by now: read anew only when there is another version of some."""
        tariff, network, _, campaign = store.rows("versions")[0]
        versions = tariff, network, campaign
        known = self._known
        if known is None or known[0] != versions:
            self._known = known = versions, load_inputs(store)
        return known[1]

    async def journal(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``POST /v1/journal``: commands in, decisions out, both streamed."""
        speaker = await self.speaker(scope)
        if speaker.bound.member is not None:
            raise ProblemError(403, Reason(None, "one-at-a-time"), CLOSE)
        must_be(scope, *MEDIA_TYPES)
        parameters(scope)
        still = partial(self.speakers.is_good, scope["headers"])
        read, tally = self.hearing.journal_line, self.metrics.answered
        upload = Upload(self.window, speaker, still, read, self.limits, tally)
        await upload.run(scope, receive, send)

    async def card(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /v1/cards/…``."""
        speaker = await self.speaker(scope)
        at = as_of(parameters(scope, "as_of"))
        number, _, what = scope["path"].removeprefix(CARDS).partition("/")
        ask = asking.OF_A_CARD[what]
        await reply_json(
            send, await asking.of_a_card(self.readers, speaker, number, ask, at, self.clock.now())
        )

    async def cases(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /v1/cases``: what was left to people."""
        speaker = await self.speaker(scope)
        values = parameters(scope, "state", "refer_to", "limit", "as_of")
        state = choice(values, "state", referrals.STATES)
        place = choice(values, "refer_to", referrals.PLACES)
        most = whole(values, "limit", 1_000, self.limits.events)
        at = as_of(values)
        await reply_json(send, await asking.cases(self.readers, speaker, state, place, most, at))

    async def case(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /v1/cases/…``."""
        speaker = await self.speaker(scope)
        at = as_of(parameters(scope, "as_of"))
        number = scope["path"].removeprefix(f"{CASES}/")
        await reply_json(send, await asking.case(self.readers, speaker, number, at))

    async def trial_balance(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /v1/trial-balance``."""
        speaker = await self.speaker(scope)
        at = as_of(parameters(scope, "as_of"))
        await reply_json(
            send, await asking.trial_balance(self.readers, speaker, at, self.clock.now())
        )

    async def events(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /v1/events``: what was decided, for those who follow along."""
        speaker = await self.speaker(scope)
        values = parameters(scope, "after", "limit", "wait")
        most = whole(values, "limit", 1_000, self.limits.events)
        wait = whole(values, "wait", 0, self.limits.follow, least=0)
        connection: Connection | None = scope.get("farecard")
        leaving = None if connection is None else connection.leaving
        found = await asking.events(
            self.readers, self.news, speaker, values.get("after", ""), most, wait, leaving
        )
        await reply_json(send, found)

    async def checkpoint(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /v1/checkpoint``: where the log ends now, signed."""
        speaker = await self.speaker(scope)
        parameters(scope)
        vault = self.queue.desk.vault
        await reply_json(send, await asking.checkpoint(self.readers, speaker, vault))

    async def health(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /healthz``: whether the store answers."""
        parameters(scope)
        try:
            async with asyncio.timeout(self.limits.store_within):
                await self.readers.ask(lambda store: store.rows("about"))
        except (StoreError, TimeoutError):
            raise busy(Reason(None, "store-unavailable"), 5) from None
        said = {"status": "ok", "store": "ok", "version": self.version, **self._gauges()}
        await reply_json(send, said)

    async def measured(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /metrics``, for who asks on this machine or has a key for it."""
        parameters(scope)
        client = scope.get("client")
        if client is not None and client[0].encode() not in _OPEN:
            (await self.speaker(scope)).must_ask("metrics")
        text = self.metrics.text(self._gauges())
        await reply(send, 200, text, (b"content-type", METRICS_TYPE))

    async def described(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /openapi.json``."""
        parameters(scope)
        await reply(send, 200, msgspec.json.encode(openapi(self.version)))

    async def explained(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /docs``: the same to read."""
        parameters(scope)
        kind = (b"content-type", b"text/html; charset=utf-8")
        await reply(send, 200, page(self.version), kind, ((b"content-security-policy", POLICY),))


_POST_COMMAND: dict[str, Handler] = {"POST": App.command}
_POST_JOURNAL: dict[str, Handler] = {"POST": App.journal}


def _asked(handler: Handler) -> dict[str, Handler]:
    return {"GET": handler, "HEAD": handler}


_GET_CARD = _asked(App.card)
_AT_PLACES: dict[str, dict[str, Handler]] = {
    members.CODE: {"POST": members.give_code},
    members.RELEASE: {"POST": members.release},
}
_OWN_CARD: dict[str, Handler] = {"DELETE": members.give_up}
_GET_CASE = _asked(App.case)
_A_PROPOSAL = _asked(office.proposal) | {"POST": office.judge}
_PLACES: dict[str, dict[str, Handler]] = {
    COMMANDS: _POST_COMMAND,
    JOURNAL: _POST_JOURNAL,
    CASES: _asked(App.cases),
    "/v1/trial-balance": _asked(App.trial_balance),
    "/v1/events": _asked(App.events),
    "/v1/checkpoint": _asked(App.checkpoint),
    "/v1/sign-in": {"POST": office.sign_in},
    "/v1/sign-out": {"POST": office.sign_out},
    "/v1/me": _asked(office.me),
    "/v1/password": {"POST": office.password},
    office.PROPOSALS: _asked(office.proposals) | {"POST": office.propose},
    "/v1/trail": _asked(office.trails),
    members.MEMBERS: {"POST": members.enrol},
    f"{members.MEMBERS}/sign-in": {"POST": members.sign_in},
    f"{members.MEMBERS}/recover": {"POST": members.recover},
    f"{members.MEMBERS}/recovery-codes": {"POST": members.new_codes},
    f"{members.MEMBERS}/end": {"POST": members.end},
    members.CARDS: _asked(members.cards) | {"POST": members.claim},
    "/healthz": _asked(App.health),
    "/metrics": _asked(App.measured),
    "/openapi.json": _asked(App.described),
    "/docs": _asked(App.explained),
}


def _route(path: str) -> tuple[str, dict[str, Handler] | None]:
    """A path's route, for counting, and what may be done there."""
    found = _PLACES.get(path)
    if found is not None:
        return path, found
    if path.startswith(CARDS):
        number, slash, what = path.removeprefix(CARDS).partition("/")
        if number and what in asking.OF_A_CARD and (what or not slash):
            return f"{CARDS}{{number}}{slash}{what}", _GET_CARD
        if number and what in _AT_PLACES:
            return f"{CARDS}{{number}}/{what}", _AT_PLACES[what]
    if path.startswith(f"{members.CARDS}/"):
        return f"{members.CARDS}/{{number}}", _OWN_CARD
    if path.startswith(f"{office.PROPOSALS}/"):
        return f"{office.PROPOSALS}/{{proposal}}", _A_PROPOSAL
    if path.startswith(f"{CASES}/"):
        return f"{CASES}/{{case}}", _GET_CASE
    return "(none)", None
