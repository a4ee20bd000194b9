"""The benchmark's journal: 60 % taps, 25 % purchases, 12 % top-ups, 3 % refusals over cards hit evenly."""

import random

STATIONS = ("Osaka", "Kyoto", "Sannomiya", "Tennoji", "Nara", "Takatsuki", "Ashiya", "Kyobashi")


def stock(cards, first=0):
    """One sale a card."""
    return [
        f'{{"id":"s{n:012d}","at":"2023-03-01T05:00:00+09:00","channel":"ticket-machine",'
        f'"place":"machine-{n % 30}","do":"issue","card":"JW{n:015d}","kind":"anonymous","paid":10000}}'.encode()
        for n in range(first, first + cards)
    ]


def _at(n):
    """Twenty commands a second, from six in the morning, day after day."""
    second = n // 20
    day, second = divmod(second, 57_600)
    return (
        f"2023-{3 + day // 28:02d}-{1 + day % 28:02d}T"
        f"{6 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}+09:00"
    )


class Traffic:
    """Commands on cards that ``stock`` sold, later and later; each station pair rides a short way."""

    def __init__(self, cards, seed):
        self.cards = cards
        self.seed = seed
        self.count = 0
        self._chance = random.Random(seed)
        self._riding = {}

    def lines(self, count, part=0, parts=1):
        """The next so many, on every ``parts``-th card."""
        many = self.cards // parts
        return [self._line(self._chance.randrange(many) * parts + part) for _ in range(count)]

    def ends_of_rides(self):
        """An exit for every ride that is open; none is afterwards."""
        riding, self._riding = self._riding, {}
        lines = []
        for card, entry in riding.items():
            station = STATIONS[(entry + 1) % len(STATIONS)]
            lines.append(
                f'{{"id":"{self.seed}{self.count:012d}","at":"{_at(self.count)}","channel":"counter",'
                f'"do":"tap_out","card":"JW{card:015d}","station":"{station}"}}'.encode()
            )
            self.count += 1
        return lines

    def _line(self, card):
        chance, riding, n = self._chance, self._riding, self.count
        self.count += 1
        head = f'{{"id":"{self.seed}{n:012d}","at":"{_at(n)}",'
        tail = f'"card":"JW{card:015d}"'
        share = chance.random()
        if share < 0.60:
            entry = riding.pop(card, None)
            if entry is None:
                entry = riding[card] = chance.randrange(len(STATIONS))
                do, station = "tap_in", STATIONS[entry]
            else:
                do, station = "tap_out", STATIONS[(entry + 1) % len(STATIONS)]
            line = f'{head}"channel":"gate","place":"{station}-1","do":"{do}",{tail},"station":"{station}"}}'
        elif share < 0.85:
            yen = chance.randrange(100, 300)
            shop = chance.randrange(50)
            line = f'{head}"channel":"shop","place":"till-{shop}","do":"purchase",{tail},"amount":{yen},"merchant":"kiosk-{shop}"}}'
        else:
            # credit on an anonymous card is refused (CHG-1)
            tender = "cash" if share < 0.97 else "credit"
            line = f'{head}"channel":"ticket-machine","place":"machine-{n % 30}","do":"top_up",{tail},"amount":1000,"tender":"{tender}"}}'
        return line.encode()


def lines_of(cards, count, seed):
    """So many commands on cards hit evenly."""
    return Traffic(cards, seed).lines(count)
