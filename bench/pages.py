"""What a page costs the server with many cards in the store, against the same page with a thousand: its own processor time."""

import re
import sys

from conftest import command
from embedded import sold
from results import result
from town import HANAKO
from visiting import Browser, Visited
from window import cpu_of

FEW = 1_000
LOOKS = 60  # at a page, for one figure
THEN = "2023-03-03T09:00:00+09:00"


class Busy(Visited):
    """A server over a store with many cards, and people who have each a page open."""

    def __init__(self, url):
        super().__init__(url, "--clock", THEN, "--log-level", "error")
        self.pid = self.process.pid
        self.number = "JW999999999000001"
        line = command(
            "bench",
            "issue",
            channel="counter",
            card=self.number,
            kind="named",
            paid=2000,
            holder=HANAKO,
        )
        assert self.post(line, self.desk)[1]["outcome"] == "accepted"
        self.holders[self.number] = HANAKO
        for n in range(20):  # a life like others'
            self.post(
                command(
                    f"b{n}",
                    "purchase",
                    at=f"2023-03-02T12:{n:02}:00+09:00",
                    channel="shop",
                    card=self.number,
                    amount=10,
                    merchant="k",
                ),
                self.desk,
            )
        self.hanako = self.member()
        self.hanako.look("/member/add")
        said = {name: HANAKO[name] for name in ("kana", "born", "phone")}
        self.hanako.press("Add this card", card=self.number, **said)
        self.clerk = self.at("counter", "clerk")
        self.clerk.look("/counter/shift")
        self.clerk.press("Open a shift", till="bench", brought="0")
        self.clerk.look("/counter/shift")
        self.shift = self.clerk.path.rpartition("/")[2]
        self.operator = self.at("operations", "operator")
        self.auditor = self.at("operations", "auditor")
        self.machine = self.inserted("ticket-machine", self.number)
        self.anybody = Browser(self)

    def cost(self, who, path):
        """Milliseconds of the server's processor for one look at a page."""
        path = path.format(shift=self.shift)
        before = cpu_of(self.pid)
        for _ in range(LOOKS):
            status, headers, body = getattr(self, who).send("GET", path, raw=True)
            assert status == 200, (path, status, headers, body[-500:])
        return (cpu_of(self.pid) - before) * 1000 / LOOKS

    def weight(self, who, path):
        """Bytes of a page."""
        return len(getattr(self, who).send("GET", path.format(shift=self.shift), raw=True)[2])


def pages(number):
    """Whose pages, and which: every page that is there to be looked at, the station machine's while the card is in it."""
    for path in ("card", "top-up", "top-up/cash", "points", "points/history", "history", "code"):
        yield "machine", f"/machine/{path}"
    card = f"/member/cards/{number}"
    for path in ("", "/add", "/account", f"/change?card={number}"):
        yield "hanako", f"/member{path}"
    for what in ("", "/history", "/points", "/myna", "/rally", "/lost", "/refund", "/apply"):
        yield "hanako", card + what
    for path in (
        "",
        "/sell",
        "/sell/named",
        "/collect",
        "/cases",
        "/shifts/{shift}",
        "/shifts",
        "/cash",
        "/no-number",
        f"/cards/{number}",
        *(
            f"/cards/{number}/{what}"
            for what in ("refund", "lost", "damaged", "myna", "rally", "change", "membership", "code")
        ),
    ):
        yield "clerk", f"/counter{path}"
    for path in (
        "",
        "/grants",
        "/grants/2023-04",
        "/draws",
        "/draws/1",
        "/books",
        "/books?as_of=2023-03-02",
        "/books/unused",
        "/books/account?name=points-liability",
        "/books/settlement/place",
        "/books/settlement/merchant",
        "/tariff",
        "/cases",
        "/proposals",
        "/campaigns",
        "/campaigns/myna-point",
        f"/reverse?card={number}",
    ):
        yield "operator", f"/operations{path}"
    yield "auditor", "/operations/audit"
    yield "anybody", "/draws"


def against_few(folder, cards, pairs):
    """Every page's cost with ``cards`` cards in the store, over its cost with a thousand: one pair a page, the median of ``pairs`` alternating rounds."""
    many, few = (
        Busy(
            f"sqlite:///{sold(folder, n) if not (folder / f'cards-{n}.db').exists() else folder / f'cards-{n}.db'}"
        )
        for n in (cards, FEW)
    )
    try:
        found, heaviest = {}, (0, "")
        for who, path in pages(many.number):
            many.cost(who, path), few.cost(who, path)  # once unmeasured
            got = [(many.cost(who, path), few.cost(who, path)) for _ in range(pairs)]
            middle = sorted(got, key=lambda one: one[0] / max(one[1], 0.01))[len(got) // 2]
            found[path] = middle
            heaviest = max(heaviest, (many.weight(who, path), path))
            print(f"  {path}: {middle[0]:.2f} ms, {middle[1]:.2f} ms", file=sys.stderr)
    finally:
        many.stop()
        few.stop()
    worst = max(found, key=lambda path: found[path][0] / found[path][1])
    setting = (
        f"{cards:,} cards, SQLite, {len(found)} pages of four windows, {LOOKS} looks each in {pairs} alternating pairs; "
        f"the worst is {_plain(worst)}, the heaviest {_plain(heaviest[1])} with {heaviest[0]:,} bytes"
    )
    return result(
        f"a page's processor time with {cards:,} cards, over that with {FEW:,}",
        "ms",
        list(found.values()),
        setting,
        better="lower",
    )


def _plain(path):
    return re.sub(r"JW\d+", "N", path)
