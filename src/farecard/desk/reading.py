"""Lines to entries: decoded once, at whichever window they came in; needs no store and no desk."""

from collections.abc import Callable

from farecard.desk.entries import Entry
from farecard.model.commands import ApplyMynaPoint, Command, Issue, Notice
from farecard.storage.vault import Vault
from farecard.wire.diagnose import Broken
from farecard.wire.line import read_line

Fill = Callable[[Command], bool]


class Reader:
    """Reads lines under a vault's keys. May be used by several threads at once."""

    def __init__(self, vault: Vault) -> None:
        self._digest = vault.digest
        self._vault = vault

    def read(self, sender: str, line: bytes, fill: Fill | None = None) -> Entry:
        """A line as an entry; ``fill`` puts in what its sender may leave out, before the body is digested."""
        command, canonical = read_line(line, fill)
        if isinstance(command, Broken):
            return Entry(sender, None, b"", command)
        entry = Entry(sender, command, self._digest(canonical))
        if type(command) is Issue:
            if command.holder is not None:
                holder = command.holder
                entry.who = (
                    self._vault.holder(holder.kana, holder.born),
                    self._vault.phone(holder.phone),
                )
        elif isinstance(command, (ApplyMynaPoint, Notice)):
            entry.person = self._person(command.person)
        return entry

    def _person(self, id: str) -> str:
        """What stands for a person in place of the opaque id."""
        return self._vault.match("person", id).hex()
