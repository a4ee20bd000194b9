"""A store of applicants and their top-ups, written row by row as a desk would have left it; and what is asked of it."""

import json
import random
import sys
from datetime import datetime, timedelta

from farecard.desk.batch import SEQS_PER_BATCH
from farecard.desk.opening import writing_desk
from farecard.model.moments import parse_moment

ROUNDS = 10  # top-ups of each person
EVENTS_A_BATCH = 8192
DAY = 86_400_000_000
NAME = "myna-point"
BEGAN = parse_moment("2023-01-10T09:00:00+09:00")


# a day's life of a phone's card: what it spends is what it charges
DAYS = (
    {"do": "tap_in", "channel": "gate", "station": "Osaka"}, {"do": "tap_out", "channel": "gate", "station": "Kyobashi"},
    *[{"do": "purchase", "channel": "shop", "amount": 40, "merchant": "kiosk-1"}] * 3,
    {"do": "tap_in", "channel": "gate", "station": "Kyobashi"}, {"do": "tap_out", "channel": "gate", "station": "Osaka"},
    *[{"do": "purchase", "channel": "shop", "amount": 40, "merchant": "kiosk-1"}] * 2,
    {"do": "top_up", "channel": "icoca-app", "amount": 565, "tender": "credit"},
)  # fmt: skip


def lived(url, number, events):
    """A phone's card that a desk decides so many commands for, from its sale on; of ten one is a top-up."""
    desk = writing_desk(url)
    card = {"card": f"JW{number:015d}"}
    holder = {"name": "x", "kana": f"カナ {number}", "born": "1990-01-01", "phone": str(number)}
    first = [
        {"do": "issue", "channel": "icoca-app", "kind": "mobile", "paid": 5000, "holder": holder},
        {"do": "apply_myna_point", "channel": "myna-point", "person": f"p-{number}", "measures": [1, 2]},
    ]
    life = (DAYS * (events // len(DAYS) + 1))[len(first) - events :]
    began, lines = datetime.fromisoformat("2023-03-01T06:00:00+09:00"), []
    for n, one in enumerate([*first, *life]):
        cycle, step = divmod(n, len(DAYS))  # two of them a day
        at = began + timedelta(days=cycle // 2, hours=7 * (cycle % 2), minutes=10 * step)
        lines.append(json.dumps({"id": f"{number}-{n}", "at": at.isoformat(), **card, **one}).encode())
    for start in range(0, len(lines), 100):
        for answer in desk.run([("bench", line) for line in lines[start : start + 100]]):
            assert answer.outcome == "accepted", answer
    desk.store.close()


class Writing:
    """Rows that wait for their batch."""

    def __init__(self, store):
        self.store = store
        self.batch = 1
        self.rows = {name: [] for name in ("batch", "event", "application", "notice", "reversal", "account", "number")}
        self.last = {}  # each account's last event

    def event(self, account, at, do, channel, result, amount=0, tender=None, of=None, sets=None):
        """One accepted event; gives its seq."""
        events = self.rows["event"]
        if len(events) == EVENTS_A_BATCH:
            self.flush()
            events = self.rows["event"]
        seq = self.batch * SEQS_PER_BATCH + len(events)
        debit, credit = ("card-company-receivable", "stored-fare-liability") if amount else (None, None)
        events.append(
            (seq, account, "bench", str(seq), at, do, channel, None, None, None, "accepted", result, b"0123456789abcdef",
             account, self.last.get(account), amount, 2000, 0, 0, debit, credit, abs(amount), None, None, tender, of, None,
             sets, None, None)
        )  # fmt: skip
        self.last[account] = seq
        return seq

    def flush(self):
        """Commit what waits."""
        events = self.rows["event"]
        if events:
            self.rows["batch"].append(
                (self.batch, "bench", self.batch, events[-1][4], events[0][4], events[-1][4], len(events), 1, 1, 2, "bench",
                 b"", b"")
            )  # fmt: skip
        self.store.begin_making()
        for table, rows in self.rows.items():
            self.store.append(table, rows)
        self.store.commit()
        self.rows = {name: [] for name in self.rows}
        self.batch += 1


def filled(url, people, seed=8):
    """People who apply for measure 1, half of them for 2 as well, and charge ten times from March to November.

    A twentieth of the top-ups is made at petrol stations, a thousandth is taken back; two of three have had their
    insurance card confirmed.
    """
    store = writing_desk(url).store
    writing, chance = Writing(store), random.Random(seed)
    applied, stride = {}, 7_919
    for n in range(people):
        account = n * stride % people + 1
        at = BEGAN + n * 30 * DAY // people
        person = f"{account:032x}"
        wanted = (1, 2) if account % 2 else (1,)
        applied[account] = {f"{NAME}/{one}": at for one in wanted}
        sets = {"applicant": person, "applied_as": account, "applied": applied[account]}
        seq = writing.event(account, at, "apply_myna_point", "myna-point", '{"measures":[1,2]}', sets=json.dumps(sets))
        writing.rows["application"] += [(account, seq, one, NAME, person, at, 0, 1) for one in wanted]
        if account % 3:
            at += 20 * DAY
            writing.rows["notice"] += [(id, person, seq, "confirm_insurance_card", at) for id in (-1, account)]
    for turn in range(ROUNDS):
        began = parse_moment("2023-03-02T06:00:00+09:00") + turn * 24 * DAY
        for n in range(people):
            account = n * stride % people + 1
            at = began + n * 20 * DAY // people
            share = chance.random()
            channel, tender = ("icoca-app", "credit") if account % 4 else ("charge-machine", "cash")
            if share < 0.05:
                channel, tender = "petrol-station", "cash"
            amount = 1000 * int(1 + share * 5)
            seq = writing.event(account, at, "top_up", channel, '{"balance":2000}', amount, tender)
            if share > 0.999:
                back = writing.event(account, at, "reverse", "operations", '{"balance":2000}', -amount, of=seq)
                writing.rows["reversal"].append((seq, account, back, at))
        print(f"  {(turn + 1) * people:,} top-ups", file=sys.stderr)
    at = parse_moment("2023-11-01T00:00:00+09:00")
    for account in range(1, people + 1):
        details = {"applicant": f"{account:032x}", "applied_as": account, "applied": applied[account]}
        writing.rows["account"].append(
            (account, account, "mobile", "active", 2000, 0, 0, None, at, writing.last[account], None, None,
             json.dumps(details))
        )  # fmt: skip
        writing.rows["number"].append((account, account, 1, BEGAN, None, None, None, None))
        if account % EVENTS_A_BATCH == 0:
            writing.flush()
    writing.flush()
    store.close()
