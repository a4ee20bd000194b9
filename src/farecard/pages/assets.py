"""Our style sheet and script, under names that carry their hash: fetched once, and anew when they change."""

import hashlib
from pathlib import Path

from farecard.api.problems import ProblemError
from farecard.model.verdict import Reason

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Assets:
    """What lies in the folder ``assets``."""

    START = "/assets/"

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, bytes]] = {}
        self._address: dict[str, str] = {}
        for path in sorted((Path(__file__).parent / "assets").iterdir()):
            if path.suffix not in _KINDS:
                continue
            body = path.read_bytes()
            hashed = hashlib.sha256(body).hexdigest()[:12]
            address = f"{self.START}{path.stem}.{hashed}{path.suffix}"
            self._address[path.name] = address
            self._found[address] = (_KINDS[path.suffix], body)

    def address(self, name: str) -> str:
        """Where a file is found."""
        return self._address[name]

    def find(self, address: str) -> tuple[str, bytes]:
        """The kind and bytes of a file. ``ProblemError`` 404 where there is none."""
        found = self._found.get(address)
        if found is None:
            raise ProblemError(404, Reason(None, "no-such-address"))
        return found
