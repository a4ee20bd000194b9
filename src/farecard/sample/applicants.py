"""Campaign months: people who collect points with their cards, each after a plan of their own, and the runs by the clock.

A plan is a generator of errands ``(seconds to wait, channel, fields)``; the id that its line got is sent back into it.
What a person does between two errands is ordinary life, so a card's balance is only known about.
"""

import heapq
import random
from collections.abc import Callable, Generator, Iterator
from typing import TypeAlias

from farecard.sample.life import DAY, Card, date_of

HOUR = 3600
Errand: TypeAlias = tuple[int, str, str]
Plan: TypeAlias = Generator[Errand, str, None]

REISSUED = 50_000_000_000_000  # how far the number of a reissued card lies above the lost one's
SHARE_OF_APPLICANTS = 0.3
A_CHARGE = 10_000  # yen; two of them reach the target of measure 1 (MYN-3)


class Errands:
    """What is to be done when: the earliest first."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance.random
        self._waiting: list[tuple[int, int, str, str, Plan]] = []
        self._order = 0
        self._put(0, runs())

    def take(self, plan: Plan, now: int) -> None:
        """Do what a plan says, from now on."""
        self._put(now, plan)

    def begin(self, card: Card, person: int, now: int) -> None:
        """Somebody who was sold a card may begin to collect points with it."""
        if card.kind == "anonymous" or self._chance() >= SHARE_OF_APPLICANTS:
            return
        share = self._chance()
        for plan, part in PLANS:
            if share < part:
                self.take(plan(Person(card, f"person-{person}", self._chance)), now)
                return
            share -= part

    def is_due(self, now: int) -> bool:
        """Whether there is something to be done by now."""
        return bool(self._waiting) and self._waiting[0][0] <= now

    def next(self, now: int, id: str) -> tuple[str, str]:
        """The channel and fields of the errand that is due longest; its line gets this id."""
        _, _, channel, fields, plan = heapq.heappop(self._waiting)
        self._put(now, plan, id)
        return channel, fields

    def _put(self, now: int, plan: Plan, id: str | None = None) -> None:
        try:
            wait, channel, fields = next(plan) if id is None else plan.send(id)
        except StopIteration:
            return
        self._order += 1
        heapq.heappush(self._waiting, (now + wait, self._order, channel, fields, plan))


class Person:
    """Somebody with a card, and what a plan is made of."""

    def __init__(self, card: Card, id: str, chance: Callable[[], float]) -> None:
        self.card = card
        self.id = id
        self.chance = chance

    def days(self, most: int) -> int:
        """Some hours to so many days, in seconds."""
        return HOUR + int(self.chance() * most * DAY)

    def errand(self, do: str, fields: str = "") -> str:
        """A command on the card."""
        return f'"do":"{do}","card":"{self.card.name}"{fields}'

    def applies(self, measures: str) -> Plan:
        """Register where the kind of card must, then apply the day after (WST-1)."""
        if not self.card.is_phone and self.card.kind != "smart":
            yield self.days(5), "ticket-machine", self.errand("register_for_points")
        yield DAY + self.days(2), "myna-point", self._application(measures, self.id)

    def somebody_else_applies(self, measures: str) -> Plan:
        """With the same card."""
        yield self.days(5), "myna-point", self._application(measures, f"{self.id}-else")

    def _application(self, measures: str, person: str) -> str:
        return self.errand("apply_myna_point", f',"person":"{person}","measures":[{measures}]')

    def charges(self, yen: int, where: str = "charge-machine") -> Generator[Errand, str, str]:
        """Spend what would not fit, then charge; gives the charge's id."""
        while self.card.balance + yen > 19_000:
            spent = min(self.card.balance // 2 + 50, 9_000)
            self.card.balance -= spent
            fields = f',"amount":{spent},"merchant":"kiosk-1"'
            yield self.days(3), "shop", self.errand("purchase", fields)
        self.card.balance += yen
        tender = "credit" if self.card.is_phone else "cash"
        channel = "icoca-app" if self.card.is_phone else where
        id = yield (
            self.days(6),
            channel,
            self.errand("top_up", f',"amount":{yen},"tender":"{tender}"'),
        )
        return id

    def reports(self, what: str, most_days: int = 30) -> Plan:
        """The national system reports a procedure of this person."""
        yield self.days(most_days), "myna-point", f'"do":"{what}","person":"{self.id}"'

    def spends_points(self) -> Plan:
        """Points to yen on the card, once they may have come (PUB-8: at a machine or in the app)."""
        channel = "icoca-app" if self.card.is_phone else "ticket-machine"
        yield 60 * DAY + self.days(20), channel, self.errand("top_up_from_points", ',"points":1000')


def reaches_the_target(one: Person) -> Plan:
    """Charges 20,000 yen and has the insurance card confirmed; some join the rally and collect its stamps."""
    if one.chance() < 0.4:
        yield one.days(3), "member-page", one.errand("join_rally")
    yield from one.applies("1,2")
    for _ in range(2):
        yield from one.charges(A_CHARGE)
    if one.chance() < 0.8:
        yield from one.reports("confirm_insurance_card")
    yield from one.spends_points()


def falls_short(one: Person) -> Plan:
    """Charges once and means to go on."""
    yield from one.applies("1")
    yield from one.charges(1000 * (1 + int(one.chance() * 8)))


def charges_at_petrol_stations(one: Person) -> Plan:
    """Where it does not count (MYN-4); on a phone it charges nothing."""
    yield from one.applies("1")
    for _ in range(2):
        if not one.card.is_phone:
            yield from one.charges(5000, "petrol-station")


def loses_the_card(one: Person) -> Plan:
    """The next card goes on with what the lost one had; with some of them somebody else applies (MYN-10)."""
    yield from one.applies("1,2")
    yield from one.charges(A_CHARGE)
    if not one.card.is_phone:
        lost = one.card.number
        yield one.days(5), "phone", one.errand("report_lost")
        fields = f',"slip":"S{lost:015d}-1","card":"JW{lost + REISSUED:015d}","paid":1020'
        one.card.number, one.card.riding = lost + REISSUED, None
        yield DAY + HOUR, "counter", f'"do":"collect_reissue"{fields}'
        if one.chance() < 0.5:
            yield from one.somebody_else_applies("1,2")
    yield from one.charges(A_CHARGE)


def waits_for_the_bank(one: Person) -> Plan:
    """Files the account; the bank takes weeks, months, or never says (MYN-7). Some file when it is late."""
    yield from one.applies("2,3")
    yield from one.reports("file_account", 150)
    if one.chance() < 0.6:
        yield 20 * DAY, "myna-point", f'"do":"confirm_account","person":"{one.id}"'
        yield from one.reports("confirm_account", 90)


def reported_before_applying(one: Person) -> Plan:
    """What was done before counts as done when it is applied for."""
    yield from one.reports("confirm_insurance_card", 5)
    yield from one.applies("1,2,3")


def refunds_the_card(one: Person) -> Plan:
    """Before the points have come (MYN-16)."""
    yield from one.applies("1,2")
    yield from one.reports("confirm_insurance_card", 3)
    yield from one.charges(A_CHARGE)
    one.card.is_gone = True
    yield one.days(2), "icoca-app" if one.card.is_phone else "counter", one.errand("refund")


def charges_by_mistake(one: Person) -> Plan:
    """A top-up that is taken back counts no more."""
    yield from one.applies("1")
    id = yield from one.charges(A_CHARGE)
    one.card.balance -= A_CHARGE
    yield HOUR, "operations", f'"do":"reverse","of":"{id}","why":"wrong card"'


PLANS: tuple[tuple[Callable[[Person], Plan], float], ...] = (
    (reaches_the_target, 0.3), (falls_short, 0.14), (charges_at_petrol_stations, 0.1), (loses_the_card, 0.12),
    (waits_for_the_bank, 0.14), (reported_before_applying, 0.08), (refunds_the_card, 0.06), (charges_by_mistake, 0.06),
)  # fmt: skip


def runs() -> Plan:
    """A run each month, in the morning of the 18th."""
    now = 0
    for day in _run_days():
        due = day * DAY + 6 * HOUR
        yield due - now, "operations", f'"do":"run_grants","month":"{date_of(day)[:7]}"'
        now = due


def _run_days() -> Iterator[int]:
    day = 0
    while True:
        if date_of(day).endswith("-18"):
            yield day
        day += 1
