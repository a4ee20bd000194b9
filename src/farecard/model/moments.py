"""Moments and days: microseconds since 1970-01-01T00:00Z inside, Asia/Tokyo days outside.

Japan has kept UTC+9 without summer time since 1952, so a day is plain integer arithmetic.
A *moment* is an int of microseconds; a *day* is an int of days since 1970-01-01 in Tokyo;
a *month* is ``year * 12 + month - 1``.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TOKYO = 9 * HOUR

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
FIRST_MOMENT = (date(2000, 1, 1).toordinal() - EPOCH_ORDINAL) * DAY - TOKYO
PAST_MOMENT = (date(2100, 1, 1).toordinal() - EPOCH_ORDINAL) * DAY - TOKYO

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,6}))?(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))\Z"
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_SIXTY = [f"{n:02d}" for n in range(60)]
_HOURS = {f"{n:02d}:": n * HOUR for n in range(24)}
_MINUTES = {f"{text}:": n * 60 * SECOND for n, text in enumerate(_SIXTY)}
_SECONDS = {f"{text}+09:00": n * SECOND for n, text in enumerate(_SIXTY)}


class _Minutes(dict[str, int]):
    """``YYYY-MM-DDTHH:MM:`` in Tokyo as the moment it begins; of a journal many are of the same minute."""

    def __missing__(self, text: str) -> int:
        if text[10] != "T":
            raise KeyError
        midnight = parse_day(text[:10]) * DAY - TOKYO
        if not FIRST_MOMENT <= midnight < PAST_MOMENT:
            raise ValueError("outside 2000 to 2099")
        moment = midnight + _HOURS[text[11:14]] + _MINUTES[text[14:17]]
        if len(self) > 4096:
            self.clear()
        self[text] = moment
        return moment


_minutes = _Minutes()


def parse_moment(text: object) -> int:
    """An RFC 3339 time with its offset, as microseconds; ValueError when it is none.

    Between 2000 and 2099 (in Tokyo), with at most six decimals of a second.
    """
    if type(text) is not str:
        raise ValueError("not a text")
    if len(text) == 25:
        # the usual form: two look-ups instead of a pattern
        try:
            return _minutes[text[:17]] + _SECONDS[text[17:]]
        except KeyError:
            pass  # another form, or no time at all
    found = _RFC3339.match(text)
    if found is None:
        raise ValueError("not an RFC 3339 time with offset")
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    fraction = int((found[7] or "").ljust(6, "0"))
    moment = (date(year, month, day).toordinal() - EPOCH_ORDINAL) * DAY
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("not a time of day")
    moment += hour * HOUR + minute * 60 * SECOND + second * SECOND + fraction
    if not found[8]:
        ahead, off_hour, off_minute = found[9], int(found[10]), int(found[11])
        if off_hour > 23 or off_minute > 59:
            raise ValueError("not an offset")
        shift = off_hour * HOUR + off_minute * 60 * SECOND
        moment += -shift if ahead == "+" else shift
    if not FIRST_MOMENT <= moment < PAST_MOMENT:
        raise ValueError("outside 2000 to 2099")
    return moment


@lru_cache(maxsize=4096)
def parse_day(text: str) -> int:
    """A date ``YYYY-MM-DD`` as a day; ValueError when it is none (31 February)."""
    found = _DATE.match(text)
    if found is None:
        raise ValueError("not a date")
    return date(int(found[1]), int(found[2]), int(found[3])).toordinal() - EPOCH_ORDINAL


def parse_as_of(text: str) -> int:
    """The moment a question is about; a date means its last moment in Tokyo. ValueError when it is neither."""
    if len(text) == 10:
        return (parse_day(text) + 1) * DAY - TOKYO - 1
    return parse_moment(text)


def day_of(moment: int) -> int:
    """The calendar day of a moment in Asia/Tokyo."""
    return (moment + TOKYO) // DAY


def first_moment(day: int) -> int:
    """The first moment of a day in Asia/Tokyo."""
    return day * DAY - TOKYO


def ride_day_of(moment: int, ends: int) -> int:
    """The day a ride belongs to: it runs on to ``ends`` (microseconds past midnight)."""
    return (moment + TOKYO - ends) // DAY


def date_of(day: int) -> date:
    """The calendar date of a day."""
    return date.fromordinal(day + EPOCH_ORDINAL)


@lru_cache(maxsize=4096)
def month_of(day: int) -> int:
    """The calendar month of a day, as ``year * 12 + month - 1``."""
    when = date_of(day)
    return when.year * 12 + when.month - 1


def first_day_of(month: int) -> int:
    """The first day of a calendar month."""
    return date(month // 12, month % 12 + 1, 1).toordinal() - EPOCH_ORDINAL


@lru_cache(maxsize=4096)
def iso_day(day: int) -> str:
    """``YYYY-MM-DD``."""
    return date_of(day).isoformat()


def iso_moment(moment: int) -> str:
    """``YYYY-MM-DDTHH:MM:SS+09:00``: Tokyo time, seconds, as every answer writes it."""
    seconds = (moment + TOKYO) // SECOND
    day, rest = divmod(seconds, 86_400)
    return f"{iso_day(day)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}+09:00"


def moment_now() -> int:
    """The present moment by the machine's clock. For the windows only: nothing below them has a clock."""
    return (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
