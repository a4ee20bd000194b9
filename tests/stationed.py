"""A town with station machines: cards that are as a scenario wants them, and what a machine's paper says."""

import base64
import re
import zlib

from conftest import command
from town import fresh
from visiting import Visited

MORNING = "2023-04-20T09:00:00+09:00"  # by then the points of March have come
EVERYWHERE = "ticket-machine,charge-machine,fare-adjustment,gate,shop,counter,myna-point"


class Stationed(Visited):
    """A town on the morning of 20 April 2023."""

    def __init__(self, url, *options):
        super().__init__(url, *options)
        self.hand = self.key("hand", EVERYWHERE)
        self.office = self.key("office", "operations", unattended=True)

    def do(self, do, channel, at, **fields):
        """Something that happened before: it was accepted."""
        day, hour = at.split()
        line = command(f"before-{fresh()}", do, at=f"2023-{day}T{hour}:00+09:00", channel=channel, **fields)
        decision = self.post(line, self.office if channel == "operations" else self.hand)[1]
        assert decision["outcome"] == "accepted", decision
        return decision["result"]

    def spend(self, number, amount, at="04-19 12:00"):
        """A purchase of the day before."""
        self.do("purchase", "shop", at, card=number, amount=amount, merchant="k")

    def top_up(self, number, amount, at, tender="cash"):
        """A top-up at a ticket machine."""
        self.do("top_up", "ticket-machine", at, card=number, amount=amount, tender=tender)

    def grant_points(self, number):
        """7,500 points on a card: applied for measure 2 on 2 March, complete on 5 March, granted in April. SMART cards need no registration (WST-3)."""
        self.do("apply_myna_point", "myna-point", "03-02 09:00", card=number, person=f"p-{number}", measures=[2])
        self.do("confirm_insurance_card", "myna-point", "03-05 09:00", person=f"p-{number}")
        self.do("run_grants", "operations", "04-19 09:00", month="2023-04")

    def holding(self, balance, kind="anonymous"):
        """A card with so much on it: 1,500 from its sale, more by notes of the day before, the rest spent again."""
        number = self.sell(kind)
        rest = balance - 1500
        while rest > 0:
            amount = min(10_000, -(-rest // 1000) * 1000)
            self.top_up(number, amount, "04-19 10:00")
            rest -= amount
        if rest < 0:
            self.spend(number, -rest)
        return number

    def riding(self, balance, at="04-20 08:00", station="Kyoto"):
        """A card with so much on it, in the middle of a ride."""
        number = self.holding(balance)
        self.do("tap_in", "gate", at, card=number, station=station)
        return number

    def with_points(self):
        """A SMART card with 5,000 points: 20,000 yen were counted in March. 1,500 yen are on it."""
        number = self.sell("smart")
        self.do("apply_myna_point", "myna-point", "03-02 09:00", card=number, person=f"p-{number}", measures=[1])
        for hour in (10, 12):
            self.top_up(number, 10_000, f"03-02 {hour}:00")
            self.spend(number, 10_000, f"03-02 {hour + 1}:00")
        self.do("run_grants", "operations", "04-19 09:00", month="2023-04")
        return number

    def balance(self, number):
        """What is on a card."""
        return self.get(f"/v1/cards/{number}", self.desk)[1]["card"]["balance"]

    def events(self, number, since="2023-04-20T09"):
        """What was decided about a card by machines of a scenario: (what, amount, outcome)."""
        found = self.get("/v1/events?limit=10000", self.desk)[1]["events"]
        return [(one["do"], one["amount"], one["outcome"]) for one in found if one["card"] == number and one["at"] >= since]

    def printed(self, one, path):
        """What stands on a machine's paper, and how wide it is in millimetres."""
        cookies = "; ".join(f"{name}={value}" for name, value in one.cookies.items())
        status, headers, body = self.call("GET", path, Cookie=cookies, **{"Accept-Language": one.language})
        assert (status, headers["content-type"]) == (200, "application/pdf"), (status, headers)
        return words_of(body), round(float(re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", body)[1]) * 25.4 / 72)


def words_of(pdf):
    """The words of a document as ReportLab writes them with a Japanese face: UTF-16 in brackets."""
    found = ""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            page = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        except (ValueError, zlib.error):
            continue
        for text in re.findall(rb"\(((?:[^\\()]|\\.)*)\) Tj", page, re.DOTALL):
            plain = re.sub(rb"\\([0-7]{3}|.)", lambda one: bytes([int(one[1], 8)]) if len(one[1]) == 3 else one[1], text, flags=re.DOTALL)
            found += plain.decode("utf-16-be").replace("￥", "¥") + " "  # a Japanese face draws the wide one
    return found
