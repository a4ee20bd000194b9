"""What the generator knows of a card, and its calendar: seconds and days since 2023-03-01T00:00 in Tokyo."""

from datetime import date

DAY = 86_400
FIRST_NUMBER = 100_000_000_000_000
_FIRST = date(2023, 3, 1).toordinal()


class Card:
    """Enough of a card to mostly ask for what will be accepted; ``is_gone``: refunded, or lost for good."""

    __slots__ = (
        "balance",
        "home",
        "is_gone",
        "kind",
        "number",
        "quick_day",
        "riding",
        "since",
        "work",
    )

    def __init__(self, number: int, kind: str, balance: int, home: str, work: str) -> None:
        self.number = number
        self.kind = kind
        self.balance = balance
        self.home = home
        self.work = work
        self.riding: str | None = None
        self.since = 0
        self.quick_day = -1
        self.is_gone = False

    @property
    def name(self) -> str:
        """``JW`` and 15 digits."""
        return f"JW{self.number:015d}"

    @property
    def is_phone(self) -> bool:
        """Whether it is charged in an app."""
        return self.kind in ("mobile", "apple-pay")


def date_of(day: int) -> str:
    """``YYYY-MM-DD`` of a day."""
    return date.fromordinal(_FIRST + day).isoformat()
