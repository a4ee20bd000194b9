"""A stream of bytes as lines, whatever pieces it comes in and however long a line is."""

from farecard.wire.line import LONGEST_LINE


class Lines:
    """Cuts pieces into lines without their ends; blank lines are left out.

    Of a line longer than the contract allows only a beginning that is too long is kept, at once.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that end in this piece."""
        parts = (self._rest + piece).split(b"\n")
        self._rest = parts.pop()
        if self._skipping and parts:
            parts.pop(0)
            self._skipping = False
        lines = [part for part in parts if part and not part.isspace()]
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > LONGEST_LINE:
            lines.append(self._rest[: LONGEST_LINE + 1])
            self._rest = b""
            self._skipping = True
        return lines

    def end(self) -> list[bytes]:
        """The last line, if it had no end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest and not rest.isspace() and not self._skipping else []
