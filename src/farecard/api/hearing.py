"""Lines as this window takes them: read, filled in, held against what their sender may say and against the clock."""

from farecard.api.clock import Clock
from farecard.api.speakers import Speaker
from farecard.desk.entries import Entry
from farecard.desk.reading import Reader
from farecard.model.moments import SECOND
from farecard.model.verdict import Reason
from farecard.wire.diagnose import Broken


class Hearing:
    """Reads lines for the desk."""

    def __init__(self, reader: Reader, ahead: int, clock: Clock) -> None:
        self._read = reader.read
        self._ahead = ahead * SECOND
        self._clock = clock

    def line(self, speaker: Speaker, line: bytes) -> tuple[Entry, Reason | None]:
        """A line as an entry, and why its sender may not say it; None when he may."""
        entry = self._read(speaker.name, line, speaker.fill)
        c = entry.command
        if c is None:
            return entry, None
        no = speaker.may_say(c)
        if no is not None:
            return entry, no
        return self._in_time(entry), None

    def own_line(self, sender: str, line: bytes) -> Entry:
        """A line that the server itself sends for people."""
        return self._in_time(self._read(sender, line))

    def _in_time(self, entry: Entry) -> Entry:
        """The same, or no command when its clock is ahead of ours."""
        c = entry.command
        if c is None or c.at <= self._clock.now() + self._ahead:
            return entry
        reason = Reason(None, "clock-ahead", {"field": "at", "seconds": self._ahead // SECOND})
        return Entry(entry.sender, None, b"", Broken(c.id, [reason]))

    def journal_line(self, speaker: Speaker, line: bytes) -> Entry:
        """The same within a journal: what its sender may not say is no command, and the rest goes on."""
        entry, no = self.line(speaker, line)
        if no is None:
            return entry
        assert entry.command is not None
        return Entry(speaker.name, None, b"", Broken(entry.command.id, [no]))
