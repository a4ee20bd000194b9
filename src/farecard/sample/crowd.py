"""Ordinary life: commuters, shoppers, children, phones and quick charges, day after day."""

import random

from farecard.sample.applicants import Errands
from farecard.sample.life import DAY, FIRST_NUMBER, Card, date_of
from farecard.sample.people import holder
from farecard.sample.town import HOMES, MERCHANTS, PASSES, STATIONS, WORKS

# how busy each hour is, from midnight on
HOURS = (2, 1, 1, 1, 1, 5, 21, 61, 71, 31, 16, 16, 26, 21, 16, 21, 31, 56, 66, 41, 26, 19, 13, 6)
# how much faster than evenly things happen in each
BUSY = tuple(24 * share / sum(HOURS) for share in HOURS)
KINDS = (
    ("anonymous", 0.55), ("named", 0.15), ("commuter", 0.12), ("smart", 0.05), ("child", 0.05),
    ("mobile", 0.05), ("apple-pay", 0.03),
)  # fmt: skip
CASH_PLACES = (
    "ticket-machine", "charge-machine", "fare-adjustment", "other-rail", "convenience-store",
    "seven-bank-atm", "shop-machine", "petrol-station",
)  # fmt: skip
SHOPS = ("shop", "shop", "convenience-store", "petrol-station")
MOST_CARDS = 60_000
MONTHS_LONG = 275.0  # of days; some lines are no step of the clock


class Crowd:
    """A bounded population of cards and a clock that moves on by the hour's traffic."""

    def __init__(self, chance: random.Random, commands: int) -> None:
        self.chance = chance.random
        self.cards: list[Card] = []
        self.wanted = min(commands // 20 + 5, MOST_CARDS)
        # the whole journal reaches from March to November, through every month of the campaigns
        self.pace = MONTHS_LONG * DAY / max(commands, 4_000)
        self.second = 6 * 3600.0  # since 2023-03-01T00:00 in Tokyo
        self.serial = 0
        self.sold = 0
        self._day = -1
        self._date = ""
        self.errands = Errands(chance)

    def next_id(self) -> str:
        """A new id, in time order."""
        self.serial += 1
        return f"{self.serial:012d}"

    def now(self) -> int:
        """The whole second, in seconds since 2023-03-01T00:00+09:00."""
        return int(self.second)

    def _pick(self, some: tuple[str, ...]) -> str:
        return some[int(self.chance() * len(some))]

    def _head(self, channel: str, place: str, id: str | None = None) -> str:
        second = int(self.second)
        day, rest = divmod(second, DAY)
        if day != self._day:
            self._day = day
            self._date = date_of(day)
        at = f"{self._date}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}+09:00"
        return (
            f'{{"id":"{id or self.next_id()}","at":"{at}","channel":"{channel}","place":"{place}",'
        )

    def step(self) -> bytes:
        """The next command of ordinary life."""
        self._go_on(self.pace * 2 * self.chance())
        errand = self._errand()
        if errand is not None:
            return errand
        if not self.cards or (len(self.cards) < self.wanted and self.chance() < 0.06):
            return self._sell()
        card = self._anybody()
        if card.riding is not None:
            return self._leave(card)
        share = self.chance()
        if share < 0.43:
            return self._enter(card)
        if share < 0.80:
            return self._buy(card)
        if share < 0.985:
            return self._charge(card)
        return self._mistake(card)

    def _go_on(self, evenly: float) -> None:
        """Move the clock on by what would be so many seconds if all hours were alike."""
        while True:
            hour = int(self.second) // 3600
            busy = BUSY[hour % 24]
            left = ((hour + 1) * 3600 - self.second) * busy
            if evenly <= left:
                self.second += evenly / busy
                return
            evenly -= left
            self.second = (hour + 1) * 3600.0

    def _errand(self) -> bytes | None:
        """What somebody who collects points has to do by now."""
        if not self.errands.is_due(self.now()):
            return None
        id = self.next_id()
        channel, fields = self.errands.next(self.now(), id)
        return f"{self._head(channel, channel, id)}{fields}}}".encode()

    def _anybody(self) -> Card:
        """Any card that is still about."""
        while True:
            place = int(self.chance() * len(self.cards))
            card = self.cards[place]
            if not card.is_gone:
                return card
            last = self.cards.pop()
            if last is not card:
                self.cards[place] = last

    def _sell(self) -> bytes:
        share = self.chance()
        kind = KINDS[-1][0]
        for name, part in KINDS:
            if share < part:
                kind = name
                break
            share -= part
        number = FIRST_NUMBER + self.sold
        self.sold += 1
        home, work = self._pick(HOMES), self._pick(WORKS)
        phone = kind in ("mobile", "apple-pay")
        paid = int(self.chance() * 10_000) if phone else 2_000
        if kind == "commuter":
            home, work = PASSES[int(self.chance() * len(PASSES))]
        card = Card(number, kind, paid if phone else paid - 500, home, work)
        self.cards.append(card)
        self.errands.begin(card, self.sold, self.now())
        extra = ""
        if kind != "anonymous":
            extra = f',"holder":{holder(self.sold, child=kind == "child")}'
        if kind == "child" and self.chance() < 0.5:
            extra += (
                f',"expires":"{date_of(int(self.second) // DAY + 20 + int(self.chance() * 200))}"'
            )
        if kind == "commuter":
            start, end = date_of(int(self.second) // DAY), date_of(int(self.second) // DAY + 182)
            extra += f',"pass":{{"from":"{home}","to":"{work}","valid_from":"{start}","valid_until":"{end}"}}'
        channel = "icoca-app" if phone else ("counter" if kind != "anonymous" else "ticket-machine")
        return (
            f'{self._head(channel, home)}"do":"issue","card":"JW{number:015d}","kind":"{kind}","paid":{paid}{extra}}}'
        ).encode()

    def _enter(self, card: Card) -> bytes:
        if self.second % DAY > 23.5 * 3600 or self.second % DAY < 5 * 3600:
            self.second += 6 * 3600  # the last trains have gone
        morning = self.second % DAY < 12 * 3600
        station = card.home if morning else card.work
        if self.chance() < 0.15:
            station = self._pick(STATIONS)
        card.riding = station
        card.since = int(self.second)
        return (
            f'{self._head("gate", station)}"do":"tap_in","card":"{card.name}","station":"{station}"}}'
        ).encode()

    def _leave(self, card: Card) -> bytes:
        station = card.work if card.riding == card.home else card.home
        if station == card.riding or self.chance() < 0.1:
            station = self._pick(STATIONS)
        if card.balance < 2_000:
            return self._charge_for_fare(card, station)
        stale = (card.since - 3 * 3600) // DAY != (int(self.second) - 3 * 3600) // DAY
        where = "fare-adjustment" if stale or station == card.riding else "gate"
        card.riding = None
        card.balance -= 330  # about; the gate knows better
        return (
            f'{self._head(where, station)}"do":"tap_out","card":"{card.name}","station":"{station}"}}'
        ).encode()

    def _charge_for_fare(self, card: Card, station: str) -> bytes:
        """Enough for any fare of the network, where the kind of card is charged."""
        card.balance += 5_000
        if card.is_phone:
            head, more = self._head("icoca-app", "app"), '"tender":"credit"'
        else:
            head = self._head("fare-adjustment", station)
            more = f'"tender":"cash","station":"{station}"'
        return f'{head}"do":"top_up","card":"{card.name}","amount":5000,{more}}}'.encode()

    def _buy(self, card: Card) -> bytes:
        merchant = self._pick(MERCHANTS)
        amount = 80 + int(self.chance() * 900)
        split = ""
        if amount > card.balance:
            split = f',"cash":{amount - max(card.balance // 2, 0)}'
            card.balance -= max(card.balance // 2, 0)
        else:
            card.balance -= amount
        return (
            f'{self._head(self._pick(SHOPS), merchant)}"do":"purchase","card":"{card.name}",'
            f'"amount":{amount},"merchant":"{merchant}"{split}}}'
        ).encode()

    def _charge(self, card: Card) -> bytes:
        room = (16_000 - card.balance) // 1000
        if room < 1:
            return self._buy(card)
        amount = 1000 * (1 + int(self.chance() * min(room, 5)))
        channel, tender = self._pick(CASH_PLACES), "cash"
        day = int(self.second) // DAY
        if card.is_phone:
            channel, tender = "icoca-app", "credit"
            amount += int(self.chance() * 500)
        elif card.kind == "smart" and day - card.quick_day > 7 and room >= 5:
            channel, tender, amount = "charge-machine", "credit", 5000
            card.quick_day = day
        elif channel == "petrol-station" and self.chance() < 0.5:
            tender, amount = "change", 1 + int(self.chance() * 900)
        card.balance += amount
        return (
            f'{self._head(channel, self._pick(STATIONS))}"do":"top_up","card":"{card.name}",'
            f'"amount":{amount},"tender":"{tender}"}}'
        ).encode()

    def _mistake(self, card: Card) -> bytes:
        """What goes wrong every day at machines and tills."""
        share = self.chance()
        name = card.name
        if share < 0.3:
            return (
                f'{self._head("charge-machine", "m-1")}"do":"top_up","card":"{name}","amount":1500,"tender":"cash"}}'
            ).encode()
        if share < 0.6:
            return (
                f'{self._head("ticket-machine", "m-2")}"do":"top_up","card":"{name}","amount":20000,"tender":"credit"}}'
            ).encode()
        if share < 0.8:
            return (
                f'{self._head("shop", "kiosk-9")}"do":"purchase","card":"{name}","amount":45000,"merchant":"kiosk-9"}}'
            ).encode()
        return (
            f'{self._head("gate", "Osaka")}"do":"tap_out","card":"{name}","station":"Osaka"}}'
        ).encode()
