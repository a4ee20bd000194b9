"""The pages' way in: which page is asked for, by whom, and how it goes out."""

import asyncio
import logging
import re
from typing import Any
from urllib.parse import quote

from farecard.api.app import App, Handler
from farecard.api.problems import ProblemError, document
from farecard.api.replies import Receive, Scope, Send, reply
from farecard.api.requests import GoneError, body_of, must_be
from farecard.model.verdict import Reason
from farecard.pages import counter, draws, machine, member, operations
from farecard.pages.assets import Assets
from farecard.pages.door import (
    DEVICE,
    NOBODY,
    SESSIONS,
    VISIT,
    VISIT_SECONDS,
    Show,
    Window,
    realm_of,
    then_to,
)
from farecard.pages.house import House
from farecard.pages.render import Renderer
from farecard.pages.requests import FORM, THEMES, Answer, File, Page, Redirect, Request
from farecard.storage.errors import StoreError
from farecard.texts import LANGUAGES

_log = logging.getLogger("farecard.pages")
WINDOWS: dict[str, Window] = {
    "/member": member.WINDOW,
    "/machine": machine.WINDOW,
    "/counter": counter.WINDOW,
    "/operations": operations.WINDOW,
    "/draws": draws.WINDOW,
}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'{}; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"vary", b"cookie, accept-language"),
)
_HTML = (b"content-type", b"text/html; charset=utf-8")
_FOR_EVER = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"x-content-type-options", b"nosniff"),
)
_AGE = 365 * 24 * 3600
_SAFE = "/?&=%#:;,+@~!$'()*.-_"  # stands in an address as it is


class Site:
    """All pages."""

    def __init__(self, app: App, *, behind_tls: bool) -> None:
        self.app = app
        self.assets = Assets()
        self.renderer = Renderer(self.assets)
        self._behind_tls = behind_tls
        self._pages = {
            name: [(method, _pattern(path), show) for method, path, show in window.pages]
            for name, window in WINDOWS.items()
        }

    def route(self, path: str) -> tuple[str, dict[str, Handler] | None]:
        """Where a path leads: a window, or a file of ours."""
        if path.startswith(self.assets.START):
            return self.assets.START, {"GET": self._asset, "HEAD": self._asset}
        if path == "/":
            return path, {"GET": self._start, "HEAD": self._start}
        for window in WINDOWS:
            if path == window or path.startswith(f"{window}/"):
                return window, {"GET": self._page, "HEAD": self._page, "POST": self._page}
        return "(none)", None

    # -- a request ---------------------------------------------------------------------------

    async def _page(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        house = House(app)
        request.back = self._back(request)
        try:
            answer = await self._answer(house, request, scope, receive)
            said = self._body(request, house, answer)
        except GoneError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, a person gets a page
            problem = self._problem(request, error)
            figures: dict[str, Any] = {"problem": document(problem.status, problem.reason), "again": {}}  # fmt: skip
            if (
                problem.reason.code == "outcome-unknown"
            ):  # sent again as it was, it is not done twice
                figures["again"] = request.form
            answer = Page("problem.html", figures, problem.status)
            said = self._body(request, house, answer)
        await self._reply(send, request, answer, *said)

    async def _start(self, app: App, scope: Scope, _receive: Receive, send: Send) -> None:
        """``GET /``: the windows there are."""
        request = Request(scope)
        answer = Page("start.html", {"windows": [*WINDOWS]})
        await self._reply(send, request, answer, *self._body(request, House(app), answer))

    def _problem(self, request: Request, error: Exception) -> ProblemError:
        """What somebody is told of an error; our own fault is logged."""
        if isinstance(error, ProblemError):
            if error.status >= 500:
                _log.warning("%s: %s", request.window, error.reason.code)
            return error
        if isinstance(error, StoreError):
            _log.error("the store cannot be asked: %s", error)
            return ProblemError(503, Reason(None, "store-unavailable"))
        self.app.failed(f"/{request.window}", error)
        return ProblemError(500, Reason(None, "failed"))

    def _back(self, request: Request) -> str:
        """Where a look at what is shown is: its address; of what a form sent, the form's own, or where one goes on."""
        if request.method != "POST":
            return request.address
        pages = self._pages[f"/{request.window}"]
        if any(way == "GET" and one.fullmatch(request.path) for way, one, _ in pages):
            return quote(request.path)
        return WINDOWS[f"/{request.window}"].goes_on or f"/{request.window}"

    async def _answer(
        self, house: House, request: Request, scope: Scope, receive: Receive
    ) -> Answer:
        if request.method == "POST":
            must_be(scope, FORM)
            request.read_form(await body_of(scope, receive, house.app.limits))
            request.must_be_ours()
        await self._take_seat(house, request)
        if request.unreadable is not None:
            raise request.unreadable
        # a sign-in form may be older than a session begun in another tab; that it is ours is known already
        if request.method == "POST" and house.csrf and not request.path.endswith("/sign-in"):
            request.must_carry(house.csrf)
        if request.path.endswith("/settings"):
            return self._settings(request)
        show = self._find(request)
        return await show(house, request)

    def _find(self, request: Request) -> Show:
        """What shows a page. ``ProblemError`` 404 or 405."""
        method = "GET" if request.method == "HEAD" else request.method
        other = False
        for allowed, pattern, show in self._pages[f"/{request.window}"]:
            found = pattern.fullmatch(request.path)
            if found is not None and allowed == method:
                request.parts = found.groupdict()
                return show
            other = other or found is not None
        if other:
            raise ProblemError(405, Reason(None, "method-not-allowed", {"known": ["GET"]}))
        raise ProblemError(404, Reason(None, "no-such-address"))

    async def _take_seat(self, house: House, request: Request) -> None:
        """Who has signed in at this window, counted; nobody where nobody has, or not any more."""
        session = WINDOWS[f"/{request.window}"].session
        token = request.cookies.get(self._cookie(session))
        if session == NOBODY or not token:
            return
        try:
            found = await self.app.speakers.of(token)
        except ProblemError as problem:
            if problem.status == 401:
                return
            raise
        if realm_of(found) != session:  # another window's token, put there by hand
            return
        found.take(asyncio.get_running_loop().time())
        house.speaker, house.token = found, token

    def _settings(self, request: Request) -> Redirect:
        """Another language, or light and dark: kept in a cookie, back to the page."""
        back = request.said("back")
        choices = {"lang": LANGUAGES, "theme": THEMES}
        kept: dict[str, str | None] = {
            name: request.said(name) for name, known in choices.items() if request.said(name) in known
        }  # fmt: skip
        return Redirect(then_to(f"/{request.window}", back), kept)

    # -- an answer ---------------------------------------------------------------------------

    def _body(self, request: Request, house: House, answer: Answer) -> tuple[int, bytes]:
        """An answer's status and bytes."""
        if isinstance(answer, Redirect):
            return 303, b""
        if isinstance(answer, File):
            return 200, answer.body
        return answer.status, self.renderer.page(request, house, answer).encode()

    async def _reply(
        self, send: Send, request: Request, answer: Answer, status: int, body: bytes
    ) -> None:
        window = WINDOWS.get(f"/{request.window}")
        elsewhere = () if window is None else window.connect(request)
        policy = _POLICY.format("".join(f" {one}" for one in elsewhere))
        headers = [*_HEADERS, (b"content-security-policy", policy.encode())]
        headers.append((b"cache-control", b"no-store"))
        kind = _HTML
        if isinstance(answer, Redirect):
            # whatever somebody typed into an address, a header has no line breaks
            headers += [(b"location", quote(answer.to, safe=_SAFE).encode())]
            headers += [self._set(name, value) for name, value in answer.cookies.items()]
        elif isinstance(answer, File):
            kind = (b"content-type", answer.kind.encode())
            way = "inline" if answer.inline else "attachment"
            headers += [(b"content-disposition", f'{way}; filename="{answer.name}"'.encode())]
        await reply(send, status, body, kind, tuple(headers))

    def _cookie(self, name: str) -> str:
        return f"__Host-{name}" if self._behind_tls else name

    def _set(self, name: str, value: str | None) -> tuple[bytes, bytes]:
        """A cookie as a header. A person's session ends with the browser, a visit soon; a device's, and what was chosen, stay for a year."""
        age: int | None = 0 if value is None else VISIT_SECONDS if name == VISIT else _AGE
        if name in SESSIONS:
            age = None if value is not None and name != DEVICE else age
            name = self._cookie(name)
        parts = [f"{name}={value or ''}", "Path=/", "HttpOnly", "SameSite=Strict"]
        parts += [] if age is None else [f"Max-Age={age}"]
        parts += ["Secure"] if self._behind_tls else []
        return b"set-cookie", "; ".join(parts).encode()

    async def _asset(self, _app: App, scope: Scope, _receive: Receive, send: Send) -> None:
        kind, body = self.assets.find(scope["path"])
        await reply(send, 200, body, (b"content-type", kind.encode()), _FOR_EVER)


def _pattern(path: str) -> re.Pattern[str]:
    """A path with names in braces, as an expression."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))
