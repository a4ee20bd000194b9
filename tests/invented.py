"""Campaigns nobody has thought of: files at random, all of them valid."""

import random
from datetime import date, timedelta

CHANNELS = ("shop", "convenience-store", "petrol-station", "charge-machine", "ticket-machine", "icoca-app")
TENDERS = ("cash", "credit")


def campaign(seed):
    """The text of a campaign file; its name is ``invented-SEED``."""
    chance = random.Random(seed)
    measures = [_measure(chance, number) for number in range(1, chance.randrange(2, 5))]
    until = date(2023, 4, 10) + timedelta(chance.randrange(200))
    until = max(until, min(first for first, _ in measures))
    head = (
        f'name = "invented-{seed}"\nedition = 1\ntitle = {{ ja = "試", en = "a try" }}\nowes = "payer-{seed}"\n'
        f"apply_until = {until}\ngrant_day = {chance.choice((1, 5, 17, 18, 19, 27, 28))}\n"
    )
    return head + "".join(text for _, text in measures)


def _measure(chance, number):
    first = date(2023, 1, 1) + timedelta(chance.randrange(150))
    until = first + timedelta(chance.choice((0, 1, 6, 30, 31, 59, 120, 200, 400)))
    lines = [f"number = {number}", 'title = { ja = "一", en = "one" }', 'source = "invented"', "checked_on = 2026-11-26",
             f"apply_from = {first}", f"counts_until = {until}"]  # fmt: skip
    if chance.random() < 0.4:
        lines.append(f"counts_from = {min(first + timedelta(chance.randrange(20)), until)}")
    kind = chance.choice(("target", "target and share", "share", "monthly"))
    if kind.startswith("target"):
        lines += [f"target = {chance.choice((1, 500, 8_000, 20_000))}", f"reward = {chance.choice((1, 777, 5_000))}"]
    if kind != "target":
        lines.append(f"percent = {chance.choice((1, 3, 20, 33, 100))}")
        if chance.random() < 0.6:
            lines.append(f"cap = {chance.choice((1, 99, 1_000))}")
    if kind == "monthly":
        lines.append("monthly = true")
    for do in chance.sample(("top_up", "purchase"), chance.randrange(1, 3)):
        channels = chance.sample(CHANNELS, chance.randrange(1, len(CHANNELS) + 1))
        lines += ["[[measure.counts]]", f'do = "{do}"', f"channels = {channels}".replace("'", '"')]
        if do == "top_up":
            lines.append(f"tenders = {list(TENDERS[: chance.randrange(1, 3)])}".replace("'", '"'))
    return first, "[[measure]]\n" + "\n".join(lines) + "\n"
