"""One request after the other over a connection that is kept, tried again where that is safe."""

import random
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from urllib.parse import urlsplit

from farecard.client.answers import ProblemError, UnreachableError, problem

AGAIN = (429, 502, 503, 504)  # nothing was decided, or nobody knows: the same id tells
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds


class Patience:
    """Counts failures, and waits after each: as long as the server says, else twice as long each time."""

    def __init__(self, url: str, attempts: int) -> None:
        self._url = url
        self._attempts = attempts
        self._failed = 0

    def renew(self) -> None:
        """Something came of the last attempt: the next failure counts as the first."""
        self._failed = 0

    def after(self, error: Exception) -> None:
        """Wait for the next attempt, or raise why there is none."""
        wait = FIRST_PAUSE * 2**self._failed
        self._failed += 1
        if isinstance(error, ProblemError):
            if error.status not in AGAIN or self._failed >= self._attempts:
                raise error
            wait = wait if error.retry_after is None else error.retry_after
        elif self._failed >= self._attempts:
            raise UnreachableError(
                f"{self._url} gave no answer, {self._failed} times ({type(error).__name__}: {error});"
                " what was sent may have been decided: send the same id again later"
            ) from error
        # never all clients at one moment
        time.sleep(min(wait, LONGEST_PAUSE) * random.uniform(1.0, 1.5))  # noqa: S311  # not a secret


class Calls:
    """A connection to one server. Not for several threads at once: one each."""

    def __init__(self, url: str, key: str, timeout: float, attempts: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(
                f"{url!r}: an address like https://farecard.example or http://127.0.0.1:8080 is wanted"
            )
        if attempts < 1:
            raise ValueError("attempts: 1 or more")
        if not key.isascii() or not key.isprintable():
            raise ValueError(
                "key: not a key of farecard's; it is told once, by `farecard keys add`"
            )
        self._parts = parts
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        self._timeout = timeout
        self._attempts = attempts
        self._kept: HTTPConnection | None = None

    def connect(self) -> HTTPConnection:
        """A connection of its own."""
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            safe = ssl.create_default_context()
            return HTTPSConnection(host, port, timeout=self._timeout, context=safe)
        return HTTPConnection(host, port, timeout=self._timeout)

    def begin(
        self, connection: HTTPConnection, method: str, path: str, headers: dict[str, str]
    ) -> None:
        """A request's head."""
        connection.putrequest(
            method, self._parts.path.rstrip("/") + path, skip_accept_encoding=True
        )
        for name, value in (self._headers | headers).items():
            connection.putheader(name, value)
        connection.endheaders()

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of an answer. ``ProblemError`` or ``UnreachableError`` when there is none in the end."""
        patience = self.patience()
        while True:
            reused = self._kept is not None
            try:
                return self._call(method, path, body)
            except (ProblemError, OSError, HTTPException) as error:
                self.close()
                # a connection that was kept may have been closed for being idle: that is no failure
                if not (reused and isinstance(error, ConnectionError)):
                    patience.after(error)

    def patience(self) -> "Patience":
        """How often one thing is tried."""
        return Patience(self._parts.geturl(), self._attempts)

    def _call(self, method: str, path: str, body: bytes | None) -> bytes:
        if self._kept is None:
            self._kept = self.connect()
        headers = (
            {}
            if body is None
            else {"Content-Type": "application/json", "Content-Length": str(len(body))}
        )
        self.begin(self._kept, method, path, headers)
        if body is not None:
            self._kept.send(body)
        answer = self._kept.getresponse()
        said = whole(answer)
        if answer.status in (200, 422) and not is_problem(answer):
            return said
        raise problem(answer.status, said, answer.getheader("retry-after"))

    def close(self) -> None:
        """Hang up; the next call connects again."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def is_problem(answer: HTTPResponse) -> bool:
    """Whether an answer is a problem document."""
    return (answer.getheader("content-type") or "").startswith("application/problem+json")


def whole(answer: HTTPResponse) -> bytes:
    """The body. ``IncompleteRead`` where it, or the head that says how long it is, breaks off."""
    if answer.length is None and not answer.chunked:
        raise IncompleteRead(b"")
    return answer.read()
