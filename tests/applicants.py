"""Generated applicants: what they charge and spend, lose, refund and have reported, close around every deadline."""

import json
import random
from datetime import datetime, timedelta

START = datetime.fromisoformat("2023-01-05T09:00:00")
# moments that decide something, and a second on either side of each
EDGES = [
    datetime.fromisoformat(text)
    for text in (
        "2023-03-01T00:00:00", "2023-04-01T00:00:00", "2023-07-01T00:00:00", "2023-08-01T00:00:00",
        "2023-09-01T00:00:00", "2023-10-01T00:00:00", "2023-10-14T00:00:00",
    )
]  # fmt: skip
LAST = datetime.fromisoformat("2023-11-20T00:00:00")
RUNS = [("2023-03-18T06:00:00", "2023-03"), ("2023-06-20T06:00:00", "2023-06"), ("2023-10-18T06:00:00", "2023-10")]
MORE_RUNS = [(f"2023-{month:02d}-18T06:00:00", f"2023-{month:02d}") for month in (4, 5, 7, 8, 9)]


class Applicants:
    """Journal lines of so many people, each with a card of their own, in the order of time."""

    def __init__(self, count, seed, rally=False, campaigns=("minato-shops",)):
        """``rally``: more of them collect stamps, and move into phones; ``campaigns``: those that cards join."""
        self.rally = rally
        self.campaigns = campaigns
        self.chance = random.Random(seed)
        self.lines = []
        self.serial = 0
        for number in range(1, count + 1):
            self._one(number)
        for at, month in [*RUNS, *(MORE_RUNS if rally else ())]:
            self._put(datetime.fromisoformat(at), "operations", do="run_grants", month=month)
        self.lines.sort(key=lambda one: one[:2])

    def journal(self):
        """The lines as bytes."""
        return [json.dumps(one, ensure_ascii=False).encode() for _, _, one in self.lines]

    def _put(self, at, channel, **fields):
        self.serial += 1
        id = str(self.serial)
        self.lines.append((at, self.serial, {"id": id, "at": at.isoformat() + "+09:00", "channel": channel, **fields}))
        return id

    def _moment(self, after):
        """Some time later, often at the edge of something."""
        chance = self.chance
        later = [edge for edge in EDGES if edge > after]
        if later and chance.random() < 0.4:
            return max(after, later[0] + timedelta(seconds=chance.choice((-1, 0, 1))))
        return after + timedelta(seconds=chance.randrange(1, 40 * 86_400))

    def _one(self, number):
        chance = self.chance
        card, person = f"JW{number:015d}", f"p-{number}"
        holder = {"name": "x", "kana": f"カナ {number}", "born": "2011-01-01", "phone": str(number)}
        kind = chance.choice(("mobile", "mobile", "smart", "child", "child"))
        at = START + timedelta(minutes=number)
        if kind == "mobile":
            self._put(at, "icoca-app", do="issue", card=card, kind=kind, paid=chance.randrange(5000), holder=holder)
        else:
            more = {"points_registered_on": "2022-12-01"}
            if kind == "child":
                more["expires"] = chance.choice(("2023-03-17", "2023-03-18", "2023-03-31", "2023-10-17", "2023-10-31"))
            self._put(at, "counter", do="issue", card=card, kind=kind, paid=2000, holder=holder, **more)
        self._notices(person)
        if self.rally and chance.random() < 0.7:
            at = datetime.fromisoformat("2023-02-27T00:00:00") + timedelta(hours=chance.randrange(72))
            self._put(at, "myna-point", do="apply_myna_point", card=card, person=person, measures=[2])
            self._put(at, "myna-point", do="confirm_insurance_card", person=person)
        for name in chance.sample(self.campaigns, 8) if len(self.campaigns) > 8 else ():
            later = at + timedelta(seconds=chance.randrange(240 * 86_400))
            self._put(later, "member-page", do="join_campaign", card=card, campaign=name)
        charged = []
        for _ in range(chance.randrange(14)):
            at = self._moment(at)
            if at > LAST:
                break
            self._step(at, card, person, kind, charged)

    def _notices(self, person):
        for what in ("confirm_insurance_card", "file_account", "confirm_account"):
            for _ in range(self.chance.choice((0, 1, 1, 2))):
                at = self._moment(START + timedelta(days=self.chance.randrange(240)))
                self._put(at, "myna-point", do=what, person=person)

    def _step(self, at, card, person, kind, charged):
        chance = self.chance
        if self.rally and chance.random() < 0.5:
            self._collect(at, card, kind)
            return
        share = chance.random()
        if share < 0.22:
            measures = chance.sample((1, 2, 3), chance.randrange(1, 4))
            more = {}
            if chance.random() < 0.3:
                more["history"] = {"round_1": "icoca-open", "round_1_counted": chance.choice((1, 12_000, 19_999, 20_000))}
            self._put(at, "myna-point", do="apply_myna_point", card=card, person=person, measures=measures, **more)
        elif share < 0.32:
            self._put(at, "member-page", do="join_campaign", card=card, campaign=chance.choice(self.campaigns))
        elif share < 0.68:
            if kind == "mobile":
                channel, tender, amount = "icoca-app", "credit", chance.choice((1, 3, 4, 8_000, 10_000, 19_999, 20_000))
            else:
                channel, tender = chance.choice(("charge-machine", "charge-machine", "petrol-station")), "cash"
                amount = chance.choice((1000, 5000, 10_000))
            charged.append(self._put(at, channel, do="top_up", card=card, amount=amount, tender=tender))
        elif share < 0.86:
            self._put(at, "shop", do="purchase", card=card, amount=chance.choice((10, 500, 4_000, 9_000)), merchant="m")
        elif share < 0.93 and charged:
            self._put(at, "operations", do="reverse", of=chance.choice(charged), why="mistake")
        elif share < 0.96:
            channel = "icoca-app" if kind == "mobile" else "ticket-machine"
            self._put(at, channel, do="top_up_from_points", card=card, points=1000)
        elif share < 0.975 and kind != "smart":
            self._put(at, "icoca-app" if kind == "mobile" else "counter", do="refund", card=card)

    def _collect(self, at, card, kind):
        chance = self.chance
        share = chance.random()
        phone = kind == "mobile"
        if share < 0.4:
            self._put(at, "member-page", do="join_rally", card=card)
        elif share < 0.65:
            self._put(at, "icoca-app" if phone else "ticket-machine", do="top_up_from_points", card=card, points=10)
        elif share < 0.85:
            id = self._put(at, "shop", do="purchase", card=card, amount=10, merchant="m")
            if chance.random() < 0.3:
                self._put(at + timedelta(hours=1), "operations", do="reverse", of=id, why="mistake")
        elif kind == "smart":
            moved = f"JW9{card[3:]}"
            self._put(at, "icoca-app", do="move_to_phone", card=card, to=moved, kind="apple-pay")
            self._put(at + timedelta(seconds=5), "shop", do="purchase", card=moved, amount=10, merchant="m")
            self._put(at + timedelta(seconds=6), "icoca-app", do="top_up_from_points", card=moved, points=10)
