"""The books: the trial balance (試算表) of now or any moment, what each place, shop and company is owed, and what must be secured."""

from collections.abc import Iterator
from typing import Any

from farecard.ledger.chart import STORED_FARE
from farecard.ledger.subtotals import DAILY, WIDTH, parts_of, up_to
from farecard.model.moments import PAST_MOMENT, day_of, first_moment, iso_day, iso_moment
from farecard.model.rates import Rates
from farecard.questions.following import SEQS
from farecard.rules.prepaid import is_report_day, to_secure
from farecard.storage.store import Row, Store
from farecard.tariff import Tariff

A_STEP = 1_000  # spans asked about in one go
# whom one settles with: the ledger's head of each
HEADS = {"place": "cash:", "merchant": "merchants-payable:", "company": "fares-payable:"}


def sums(store: Store, at: int | None = None, known: int = PAST_MOMENT) -> dict[str, list[int]]:
    """Debits and credits of each ledger account in yen; ``at`` None: of everything.

    ``known``: of what was recorded until then alone, however early it happened. A moment's balance goes through the
    chains' batches from where not all of them count (``spans``), and asked outside ``begin_reading`` it may see some of
    what is committed meanwhile.
    """
    found: dict[str, list[int]] = {}
    for account, debit, credit in _rows(store, "sums", spans(store, at, known)):
        side = found.setdefault(account, [0, 0])
        side[0] += debit
        side[1] += credit
    if at is not None:
        for debit, credit, yen in _split(store, at, known):
            found.setdefault(debit, [0, 0])[0] += yen
            found.setdefault(credit, [0, 0])[1] += yen
    return dict(sorted(found.items()))


def _split(store: Store, at: int, known: int) -> Iterator[tuple[str, str, int]]:
    """What was transferred until a moment in the batches that go on after it: debit, credit and yen."""
    for (longest,) in store.rows("longest_batch"):
        split = store.rows("split_batches", at=at, last_at=at + longest, known=known)
        for (id,) in split:
            yield from store.rows("moved_by", first=id * SEQS, past=(id + 1) * SEQS, at=at)


def _rows(store: Store, what: str, found: dict[int, list[int]], **values: Any) -> Iterator[Row]:
    """The rows of a statement over spans, those of batches and those of subtotals."""
    for level, ids in found.items():
        for start in range(0, len(ids), A_STEP):
            some = ids[start : start + A_STEP]
            if level:
                yield from store.rows(f"{what}_of_subtotals", batches=some, level=level, **values)
            else:
                yield from store.rows(f"{what}_of_batches", batches=some, **values)


def spans(
    store: Store, at: int | None = None, known: int = PAST_MOMENT, highest: int | None = None
) -> dict[int, list[int]]:
    """The spans that hold every batch that was over by ``at`` and recorded by ``known``: by level, their last batches.

    Each chain in spans as far as all of it counts, its batches one by one from there; ``at`` None: all of it, which is a
    few. ``highest``: of no higher level.
    """
    found: dict[int, list[int]] = {}
    for (writer,) in store.rows("writers"):
        past = (
            [] if at is None else store.rows("first_batch_past", writer=writer, at=at, known=known)
        )
        number = past[0][0] - 1 if past else store.rows("last_batch", writer=writer)[0][1]
        for level, ids in _first(store, writer, dict(up_to(number, highest))):
            found.setdefault(level, []).extend(ids)
        if past:
            late = {"writer": writer, "number": past[0][0], "at": at, "known": known}
            rows = store.rows("whole_batches_from", **late)
            found.setdefault(0, []).extend(id for (id,) in rows)
    return found


def _first(store: Store, writer: str, wanted: dict[int, list[int]]) -> Iterator[tuple[int, list[int]]]:  # fmt: skip
    """The last batches of the spans ``wanted`` of a chain by level; where one was not summed whole, of its parts."""
    for level in range(max(wanted, default=0), -1, -1):
        numbers = wanted.get(level)
        if not numbers:
            continue
        batches = store.rows("batches_numbered", writer=writer, numbers=numbers)
        if level == 0:
            yield 0, [id for id, _ in batches]
            continue
        ids = [id for id, _ in batches]
        summed = store.rows("spans_summed", batches=ids, level=level)
        there = {id for id, of in summed if of == WIDTH ** (level - 1)}
        yield level, [id for id in ids if id in there]
        for id, number in batches:
            if id not in there:
                wanted.setdefault(level - 1, []).extend(parts_of(level, number))


def trial_balance(store: Store, tariff: Tariff, at: int | None, today: int) -> dict[str, Any]:
    """The answer of ``farecard trial-balance``; the two sums are equal.

    ``unused`` is the stored fare of all cards, and what of it must be secured (PUB-15).
    """
    found = sums(store, at)
    accounts: list[dict[str, Any]] = [
        {"account": account, "debit": debit, "credit": credit, "balance": debit - credit}
        for account, (debit, credit) in found.items()
    ]
    unused = _unused(found)
    day = day_of(today if at is None else at)
    rates = tariff.on(day)
    return {
        "accounts": accounts,
        "debit": sum(row["debit"] for row in accounts),
        "credit": sum(row["credit"] for row in accounts),
        "unused": {
            "balance": unused,
            "to_secure": to_secure(unused, rates),
            "report_day": is_report_day(day, rates),
        },
    }


def _unused(found: dict[str, list[int]]) -> int:
    debit, credit = found.get(STORED_FARE, (0, 0))
    return credit - debit


def unused_balance(store: Store, tariff: Tariff, day: int, known: int) -> dict[str, Any]:
    """The half-yearly report (未使用残高の報告): the unused balance at the end of a day, ``then`` (as known at a moment) and ``now``.

    ``recorded_from``: since when the store has kept anything; None where it is empty.
    """
    at, rates = first_moment(day + 1) - 1, tariff.on(day)
    ((recorded,),) = store.rows("first_recorded")
    return {
        "day": iso_day(day),
        "known": iso_moment(known),
        "report_day": is_report_day(day, rates),
        "threshold": rates.prepaid_threshold,
        "percent": rates.prepaid_secured_percent,
        "then": _to_report(_unused(sums(store, at, known)), rates),
        "now": _to_report(_unused(sums(store, at)), rates),
        "recorded_from": None if recorded is None else iso_moment(recorded),
    }


def _to_report(unused: int, rates: Rates) -> dict[str, int]:
    return {"balance": unused, "to_secure": to_secure(unused, rates)}


def moved(store: Store, first: int, past: int) -> dict[str, dict[int, tuple[int, int]]]:
    """What each ledger account was debited and credited on each day from ``first`` to before ``past``, in yen."""
    found: dict[str, dict[int, tuple[int, int]]] = {}
    daily = spans(store, highest=DAILY)
    for account, day, debit, credit in _rows(store, "days", daily, first=first, past=past):
        days = found.setdefault(account, {})
        before = days.get(day, (0, 0))
        days[day] = before[0] + debit, before[1] + credit
    return {account: dict(sorted(days.items())) for account, days in sorted(found.items())}


def settlement(store: Store, by: str, first: int, past: int) -> list[dict[str, Any]]:
    """What was taken and is to be settled with each of a kind (``HEADS``) over days: ``debit``, ``credit``, ``net`` in yen.

    ``net`` is what a till took in, and what a merchant or company is owed.
    """
    sign = 1 if by == "place" else -1
    found = []
    for account, days in moved(store, first, past).items():
        if account.startswith(HEADS[by]):
            debit, credit = (sum(side) for side in zip(*days.values(), strict=True))
            name = account.removeprefix(HEADS[by])
            found.append(
                {"account": account, "name": name, "debit": debit, "credit": credit, "net": sign * (debit - credit)}
            )  # fmt: skip
    return found


def account_days(store: Store, account: str, first: int, past: int) -> list[dict[str, Any]]:
    """One ledger account day by day, in yen."""
    return [
        {"day": iso_day(day), "debit": debit, "credit": credit}
        for day, (debit, credit) in moved(store, first, past).get(account, {}).items()
    ]
