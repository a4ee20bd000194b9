"""A request for a page: who sends it, in which language, and what a form said."""

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from farecard.api.problems import ProblemError
from farecard.api.replies import Scope
from farecard.model.verdict import Reason
from farecard.pages.language import Language
from farecard.texts import LANGUAGES

THEMES = ("system", "light", "dark")
FORM = b"application/x-www-form-urlencoded"
MOST_FIELDS = 100
TOKEN = "csrf"  # noqa: S105  # the field's name
_OURS = (TOKEN, "step", "id", "shown")  # what a form carries of its own


class Redirect(NamedTuple):
    """An answer to a deed: the page that tells what came of it, and cookies to set (None: to drop)."""

    to: str
    cookies: Mapping[str, str | None] = MappingProxyType({})


class Page(NamedTuple):
    """An answer to a look: a template and its figures."""

    template: str
    figures: Mapping[str, Any] = MappingProxyType({})
    status: int = 200


class File(NamedTuple):
    """An answer to be kept: its bytes, kind and name."""

    body: bytes
    kind: str
    name: str
    inline: bool = False  # shown where it can be, like what is to be printed


Answer = Page | Redirect | File


def at(path: str, /, **query: Any) -> str:
    """An address with its question; what is empty is not asked."""
    said = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(said)}" if said else path


class Request:
    """What a page is asked."""

    def __init__(self, scope: Scope) -> None:
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.query: dict[str, str] = {}
        self.unreadable: ProblemError | None = None  # what is wrong with the address's question
        try:
            self.query = _fields(scope["query_string"])
        except ProblemError as problem:
            self.unreadable = problem
        self.form: dict[str, str] = {}
        self.parts: dict[str, str] = {}  # what stands in the path
        self.back = ""  # where a look at the same thing is, for who changes how it is shown
        self.cookies = self._cookies()
        self.language = Language(self._language())
        theme = self.cookies.get("theme", THEMES[0])
        self.theme = theme if theme in THEMES else THEMES[0]

    @property
    def address(self) -> str:
        """Path and question, as they stand in a link."""
        question = f"?{urlencode(self.query)}" if self.query else ""
        return quote(self.path) + question

    @property
    def window(self) -> str:
        """The window it is for: the first part of the path."""
        return self.path.split("/")[1]

    def header(self, name: bytes) -> str:
        """The first header of a name; the empty text where there is none."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")

    def _cookies(self) -> dict[str, str]:
        """Each name with its value. Other applications of this host set cookies, too, however they write them."""
        pairs = (one.partition("=") for one in self.header(b"cookie").split(";"))
        return {name.strip(): value.strip().strip('"') for name, _, value in pairs}

    def _language(self) -> str:
        """What was chosen, else the first of ours that the browser names."""
        chosen = self.cookies.get("lang")
        if chosen in LANGUAGES:
            return chosen
        for one in self.header(b"accept-language").split(","):
            name = one.split(";")[0].strip()[:2].lower()
            if name in LANGUAGES:
                return name
        return LANGUAGES[0]

    def read_form(self, body: bytes) -> None:
        """What a form said."""
        self.form = _fields(body)

    def said(self, name: str) -> str:
        """A field of the form, without the gaps around it; the empty text where it is not there."""
        return self.form.get(name, "").strip()

    def all_but(self, *names: str) -> dict[str, str]:
        """What the address asks for besides."""
        return {name: value for name, value in self.query.items() if name not in names}

    def answers(self) -> dict[str, str]:
        """What was filled in: the fields that are not our own, without the gaps around them."""
        return {name: value.strip() for name, value in self.form.items() if name not in _OURS}

    def must_be_ours(self) -> None:
        """``ProblemError`` 403 when a browser says that another site's page sent this."""
        site = self.header(b"sec-fetch-site")
        origin = self.header(b"origin")
        if site and site not in ("same-origin", "none"):
            raise _strange()
        if not site and origin and urlsplit(origin).netloc != self.header(b"host"):
            raise _strange()

    def must_carry(self, token: str) -> None:
        """``ProblemError`` 403 when the form is none that we gave this session."""
        if not hmac.compare_digest(self.form.get(TOKEN, "").encode(), token.encode()):
            raise _strange()


def _strange() -> ProblemError:
    return ProblemError(403, Reason(None, "not-our-page"))


def _fields(text: bytes) -> dict[str, str]:
    """The fields of a query or form. ``ProblemError`` 400 for what is none."""
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise ProblemError(400, Reason(None, "bad-query")) from None
    return dict(pairs)
