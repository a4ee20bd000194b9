"""Reading and checking a campaign's data file: a field that cannot be used is named, with the way out."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from farecard.model.campaign import MYNA_POINT, STAMP_RALLY, Campaign, Counts, Measure, Rally
from farecard.model.commands import CHANNELS, Notice, TopUp, name_of

T = TypeVar("T")

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MOST_OF_NAME = 40
YEARS = range(2000, 2100)  # those of moments
MOST_DAYS = 20 * 366  # a campaign's days are rows of a calendar
MOST = 10**9  # yen or points
TENDERS = frozenset(TopUp.__annotations__["tender"].__args__)
PROCEDURES = tuple(name_of(one) for one in Notice.__subclasses__())


class CampaignError(ValueError):
    """A campaign file that cannot be used; the text names the field and what is wrong."""


@lru_cache(maxsize=64)  # a store's files are read for every page and question, and stay as they are
def read_file(text: str) -> Campaign | Rally:
    """What a file describes: a rally has draws, a campaign grants points. Raises ``CampaignError``."""
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise CampaignError(f"this is no TOML: {error}") from None
    if "draw" in data:
        return _checked(_convert(data, Rally, "draw"), _wrong_in_rally)
    return _checked(_convert(data, Campaign, "measure"), _wrong_in_campaign)


def _convert(data: dict[str, Any], kind: type[T], table: str) -> T:
    """A file's data as a type; its ``[[table]]`` rows are the type's list of that name."""
    data = {**data, f"{table}s": data.get(table, [])}
    data.pop(table, None)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise CampaignError(f"this is no {kind.__name__.lower()}: {error}") from None


def _checked(read: T, wrong: Any) -> T:
    for field, what in wrong(read):
        raise CampaignError(f"{field}: {what}")
    return read


def _wrong_in_name(name: str, edition: int) -> Iterator[tuple[str, str]]:
    if not NAME.fullmatch(name) or len(name) > MOST_OF_NAME:
        yield "name", f"small letters, digits and single hyphens, at most {MOST_OF_NAME}"
    if not 1 <= edition <= MOST:
        yield "edition", "a whole number from 1 on; a changed file gets the next one"


def _wrong_in_rally(rally: Rally) -> Iterator[tuple[str, str]]:
    yield from _wrong_in_name(rally.name, rally.edition)
    if rally.name != STAMP_RALLY:
        yield "name", f"there is one rally, {STAMP_RALLY}"
    yield from _wrong_in_days({"first_day": rally.first_day, "last_day": rally.last_day})
    if rally.first_day > rally.last_day:
        yield "last_day", "before first_day"
    untils = [draw.until for draw in rally.draws]
    if [draw.number for draw in rally.draws] != [1, 2]:
        yield "draw", "two of them, numbered 1 and 2"
    elif not rally.first_day <= untils[0] < untils[1] <= rally.last_day:
        yield "draw", "each until a later day than the one before, within the rally"
    if not 0 <= rally.shows_within <= 366:
        yield "shows_within", "days, from 0 to 366"


def _wrong_in_campaign(campaign: Campaign) -> Iterator[tuple[str, str]]:
    yield from _wrong_in_name(campaign.name, campaign.edition)
    if campaign.name == STAMP_RALLY:
        yield "name", f"{STAMP_RALLY} is the rally's"
    if not NAME.fullmatch(campaign.owes) or len(campaign.owes) > MOST_OF_NAME:
        yield "owes", f"small letters, digits and single hyphens, at most {MOST_OF_NAME}"
    numbers = [one.number for one in campaign.measures]
    if not numbers or len(set(numbers)) < len(numbers) or not all(0 < n < 63 for n in numbers):
        yield "measure", "one or more, each with a number of its own from 1 to 62"
    if (campaign.applied_for_by == "person") != (campaign.name == MYNA_POINT):
        yield (
            "applied_for_by",
            f"people apply for {MYNA_POINT} alone; every other campaign is joined with a card",
        )
    if campaign.name == MYNA_POINT and sorted(numbers) != [1, 2, 3]:
        yield "measure", f"{MYNA_POINT} has the measures 1, 2 and 3"
    if campaign.name == MYNA_POINT and campaign.enquiries_until is None:
        yield "enquiries_until", f"{MYNA_POINT} has an enquiry line, and its last day"
    if not 1 <= campaign.grant_day <= 28:
        yield "grant_day", "a day that every month has, from 1 to 28"
    days: dict[str, date | None] = {
        "apply_until": campaign.apply_until, "other_service_until": campaign.other_service_until,
        "enquiries_until": campaign.enquiries_until,
    }  # fmt: skip
    yield from _wrong_in_days(days)
    for one in campaign.measures:
        for field, what in _wrong_in_measure(one, campaign):
            yield f"measure {one.number}: {field}", what
    starts = [one.apply_from for one in campaign.measures]
    if min(starts) > campaign.apply_until:
        yield "apply_until", "before it can be applied for (apply_from)"
    ends = [one.counts_until or one.done_until or campaign.apply_until for one in campaign.measures]
    if (max(ends) - min(starts)).days > MOST_DAYS:
        yield "apply_from", f"a campaign lasts {MOST_DAYS // 366} years at the most"


def _wrong_in_days(days: dict[str, date | None]) -> Iterator[tuple[str, str]]:
    for field, day in days.items():
        if day is not None and day.year not in YEARS:
            yield field, f"a day from {YEARS[0]} to {YEARS[-1]}"


def _wrong_in_measure(one: Measure, campaign: Campaign) -> Iterator[tuple[str, str]]:
    """What does not fit together in a measure."""
    days = {
        name: getattr(one, name)
        for name in ("apply_from", "counts_from", "counts_until", "filed_until", "done_until")
    }
    yield from _wrong_in_days(days)
    for name in ("target", "cap", "percent"):
        if getattr(one, name) is not None and not 1 <= getattr(one, name) <= MOST:
            yield name, "a whole number from 1 on"
    if not 0 <= one.reward <= MOST:
        yield "reward", "points, 0 or more"
    if bool(one.counts) == (one.done is not None):
        yield "counts", "it either counts yen (counts) or waits for a procedure (done)"
    elif one.done is None:
        yield from _wrong_in_counting(one)
    else:
        yield from _wrong_in_procedure(one, campaign)


def _wrong_in_procedure(one: Measure, campaign: Campaign) -> Iterator[tuple[str, str]]:
    if campaign.applied_for_by == "card":
        yield "done", "procedures are reported of people, and this campaign is joined with a card"
    for name in ("done", "filed"):
        if getattr(one, name) not in (None, *PROCEDURES):
            yield name, f"one of {', '.join(PROCEDURES)}"
    if one.done == one.filed:
        yield "filed", "another report than done"
    if one.done_until is None or (one.filed is None) != (one.filed_until is None):
        yield "done_until", "a procedure has its last day: done_until, and filed_until with filed"
    elif one.filed_until is not None and one.filed_until > one.done_until:
        yield "filed_until", "not after done_until"
    elif one.done_until < one.apply_from:
        yield "done_until", "before apply_from"
    counting = (one.percent, one.cap, one.target, one.counts_from, one.counts_until)
    if one.reward < 1 or one.monthly or counting != (None,) * len(counting):
        yield "reward", "a procedure is worth its reward, and nothing is counted"


def _wrong_in_counting(one: Measure) -> Iterator[tuple[str, str]]:
    if one.counts_until is None:
        yield "counts_until", "until when yen count"
    elif one.counts_until < (one.counts_from or one.apply_from):
        yield "counts_until", "before yen begin to count"
    if (one.filed, one.filed_until, one.done_until) != (None, None, None):
        yield "filed", "what counts yen waits for no procedure"
    if one.percent is not None and one.percent > 100:
        yield "percent", "from 1 to 100"
    if one.monthly and (one.percent is None or one.target is not None):
        yield "monthly", "a percent and no target"
    if not one.monthly and (one.target is None or one.reward < 1) and one.percent is None:
        yield "target", "a target with its reward, or a percent"
    for some in one.counts:
        yield from _wrong_in_places(some)


def _wrong_in_places(some: Counts) -> Iterator[tuple[str, str]]:
    strange = some.channels - set(CHANNELS)
    if strange or not some.channels:
        what = f"{min(strange)!r} is none" if strange else "where"
        yield "channels", f"{what}; there are {', '.join(CHANNELS)}"
    tenders = TENDERS if some.do == "top_up" else frozenset([""])
    if not some.tenders or some.tenders - tenders:
        yield (
            "tenders",
            f"how a top-up was paid: some of {', '.join(sorted(TENDERS))}; a purchase has none",
        )
