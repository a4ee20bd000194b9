"""Money, points, days and times as people write them in each language; days are Tokyo's."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

LANGUAGES = ("ja", "en")
_TOKYO = timezone(timedelta(hours=9))
_JOIN = {"ja": "、", "en": ", "}
_DAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_ZEROS = str.maketrans("123456789", "000000000")


def yen(amount: int, language: str) -> str:
    """An amount of money: ``1,100円``, ``¥1,100``."""
    minus = "−" if amount < 0 else ""  # the sign of a figure, not a hyphen
    if language == "ja":
        return f"{minus}{abs(amount):,}円"
    return f"{minus}¥{abs(amount):,}"


def points(amount: int, language: str) -> str:
    """An amount of points."""
    if language == "ja":
        return f"{amount:,}ポイント"
    return f"{amount:,} {'point' if amount == 1 else 'points'}"


def day(text: str, language: str) -> str:
    """A day, or the day of a moment in Tokyo: ``2023年7月18日（火）``, ``Tue 18 July 2023``."""
    when = datetime.fromisoformat(text)
    if when.tzinfo is not None:
        when = when.astimezone(_TOKYO)
    name = _DAYS[language][when.weekday()]
    if language == "ja":
        return f"{when.year}年{when.month}月{when.day}日（{name}）"
    return f"{name} {when.day} {_MONTHS[when.month - 1]} {when.year}"


def short_day(text: str, language: str) -> str:
    """A day where there is little room, its year being clear: ``7/18``, ``18 July``."""
    when = date.fromisoformat(text)
    if language == "ja":
        return f"{when.month}/{when.day}"
    return f"{when.day} {_MONTHS[when.month - 1][:3]}"


def moment(text: str, language: str) -> str:
    """A day and a time of it, in Tokyo, by the 24-hour clock."""
    when = datetime.fromisoformat(text).astimezone(_TOKYO)
    return f"{day(text, language)} {when.hour}:{when.minute:02}"


def month(text: str, language: str) -> str:
    """A month of a year, from ``2023-07``: ``2023年7月``, ``July 2023``."""
    first = date.fromisoformat(f"{text}-01")
    if language == "ja":
        return f"{first.year}年{first.month}月"
    return f"{_MONTHS[first.month - 1]} {first.year}"


# how answers write these, every digit as a nought
_FORMS = {"0000-00-00": day, "0000-00": month, "0000-00-00T00:00:00+00:00": moment}


def figure(value: Any, language: str) -> str:
    """A figure of a sentence by what it is: a number, a day, month or moment of an answer, a list of these, a text."""
    if type(value) is int:
        return f"{value:,}".replace("-", "−")
    if isinstance(value, list):
        return _JOIN[language].join(figure(one, language) for one in value)
    text = str(value)
    form = text.translate(_ZEROS)
    if form not in _FORMS:
        return text
    try:
        return _FORMS[form](text, language)
    except ValueError:  # 31 February, as somebody typed it
        return text
