"""How much of what waits an idle desk takes first: all of it, or half."""

FEW = 16  # so few are one batch
FORGET = 0.98  # the weight of what was measured, one batch later


class Pace:
    """Learns what a commit takes, and what deciding takes.

    Callers who are told together come back together. As one batch they wait for the desk and then for the
    store, in turn; as two halves the one is decided while the other is kept, for the price of a second
    commit. That pays as long as a commit by itself, whatever is in it, takes less time than the desk does.
    """

    def __init__(self) -> None:
        self._count = self._seconds = self._counts = self._squares = self._products = 0.0
        self._decided = self._deciding = 0.0

    def kept(self, count: int, seconds: float) -> None:
        """A batch of so many commands was durable so long after it was sent."""
        self._count = self._count * FORGET + 1
        self._seconds = self._seconds * FORGET + seconds
        self._counts = self._counts * FORGET + count
        self._squares = self._squares * FORGET + count * count
        self._products = self._products * FORGET + count * seconds

    def decided(self, count: int, seconds: float) -> None:
        """The desk computed so long over so many commands."""
        self._decided = self._decided * FORGET + count
        self._deciding = self._deciding * FORGET + seconds

    @property
    def commit(self) -> float:
        """Seconds a commit takes by itself: a line through what was measured; 0 while all were alike."""
        spread = self._count * self._squares - self._counts * self._counts
        if spread <= self._counts:  # counts that differ by one or so, or none yet
            return 0.0
        at_none = (self._squares * self._seconds - self._counts * self._products) / spread
        return max(0.0, at_none)

    def first(self, waiting: int) -> int:
        """How many of those waiting at an idle desk to take first."""
        if waiting < FEW or not self._decided:
            return waiting
        deciding = waiting * self._deciding / self._decided
        return waiting if self.commit > deciding else (waiting + 1) // 2
