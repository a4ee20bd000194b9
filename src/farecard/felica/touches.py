"""What happens at a reader."""

from typing import NamedTuple

from farecard.felica.blocks import Card
from farecard.felica.checks import Doubt


class ReaderError(Exception):
    """Why no card can be read: a sentence that says what to do."""


class Touched(NamedTuple):
    """A card that was laid on the reader; ``untold`` is what it keeps to itself."""

    card: Card
    untold: list[Doubt]


class Away:
    """The card that was read lies there no longer."""


class Trouble(NamedTuple):
    """A card that was not read: a sentence for whoever holds it, and whether it is worth looking again at once."""

    text: str
    again: bool = False
