"""A small town for tests of the pages: a server whose clock stands in 2023, a counter, a machine, a shop, and cards to sell."""

import itertools

import residents
from conftest import a_store, command
from serving import Served
from state import problems

HANAKO = {"name": "桜木花子", "kana": "サクラギハナコ", "born": "1987-06-05", "phone": "090-9876-5432"}
THEN = "2023-03-03T09:00:00+09:00"
DIGITS = str.maketrans("0123456789", "アイウエオカキクケコ")
_numbers = itertools.count(1)


def fresh():
    """A number that was not used before."""
    return next(_numbers)


def opened(kind, request, tmp_path_factory, then=THEN):
    """A town on the engine of a fixture's parameter, for a fixture to yield from: nothing may have gone wrong in it."""
    served = kind(a_store(request, tmp_path_factory.mktemp("town")), "--clock", then)
    yield served
    assert served.stop() == 0, served.said
    assert '"error"' not in served.said, served.said[-3000:]
    assert problems(served.url) == []


class Town(Served):
    """A server whose clock stands at the morning of 3 March 2023. ``holders``: what each card's holder said."""

    def __init__(self, url, *options):
        super().__init__(url, "--limit", "member_rate=1000", *options)
        self.holders = {}
        self.desk = self.key("desk", "counter,icoca-app,shop,gate", ask="cards,codes,events")
        self.machine = self.key("machine", "ticket-machine", ask="codes")

    def staff(self, role):
        """Somebody who works here, by the sign-in name; the password is ``WORD``."""
        name = f"{role}-{fresh()}"
        residents.hired(self.url, name, role)
        return name

    def said_so_far(self):
        """All that the server has written so far."""
        return "".join(self._lines)

    def sell(self, kind, born=HANAKO["born"], **said):
        """A card for 2,000 yen, of a Hanako of its own where it carries a name: nobody has two (CARD-4). ``said``: more of the sale."""
        n = fresh()
        number = f"JW{n:015d}"
        more = {} if kind == "anonymous" else {"holder": HANAKO | {"kana": HANAKO["kana"] + str(n).translate(DIGITS), "born": born}}
        where = "icoca-app" if kind == "mobile" else "counter"
        line = command(f"sold {number}", "issue", channel=where, card=number, kind=kind, paid=2000, **more, **said)
        assert self.post(line, self.desk)[1]["outcome"] == "accepted"
        self.holders[number] = more.get("holder")
        return number

    def buy(self, number, amount):
        """A purchase at noon of 1 March."""
        line = command(f"bought {number}", "purchase", at="2023-03-01T12:00:00+09:00", channel="shop", card=number, amount=amount, merchant="k")
        assert self.post(line, self.desk)[1]["outcome"] == "accepted"

    def apply(self, number):
        """An application for measures 1 and 2 on 2 March, and three top-ups: at Seven Bank, at the station, at a petrol station."""
        at = "2023-03-02T{}:00:00+09:00"
        lines = [
            command(f"a {number}", "apply_myna_point", at=at.format("09"), channel="myna-point", card=number, person=f"p-{number}", measures=[1, 2]),
            *(
                command(f"{channel} {number}", "top_up", at=at.format(hour), channel=channel, card=number, amount=amount, tender="cash")
                for hour, channel, amount in ((10, "seven-bank-atm", 5000), (11, "ticket-machine", 7000), (12, "petrol-station", 5000))
            ),
        ]  # fmt: skip
        anywhere = self.key(f"anywhere-{number}", "myna-point,seven-bank-atm,ticket-machine,petrol-station")
        assert [self.post(line, anywhere)[1]["outcome"] for line in lines] == ["accepted"] * 4

    def code(self, number, channel):
        """A code for whoever shows the card there."""
        key = self.machine if channel == "ticket-machine" else self.desk
        said = f'{{"for": "owning", "channel": "{channel}"}}'.encode()
        return self.post(said, key, f"/v1/cards/{number}/code")[1]["code"]
