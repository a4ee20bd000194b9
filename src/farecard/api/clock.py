"""The windows' clock: ours, or one that was set to another time and goes on from there."""

from farecard.model.moments import moment_now


class Clock:
    """Tells the moment that commands are held against and questions are asked as of.

    A clock set to another time is for training, demonstrations and tests; what the store records of itself stays the machine's own time.
    """

    def __init__(self, ahead: int = 0) -> None:
        """``ahead``: microseconds ahead of the machine's clock; behind it, less than 0."""
        self.ahead = ahead

    def now(self) -> int:
        """The moment."""
        return moment_now() + self.ahead
