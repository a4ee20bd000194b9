"""Questions: of now, and of any moment as if nothing had happened after it."""

import json
import random
import re

import pytest

from conftest import a_store, answers, farecard, new_desk
from farecard.desk.opening import writing_desk
from farecard.model.commands import format_number
from farecard.model.moments import iso_moment, parse_moment
from farecard.questions import books, card, quotes
from farecard.sample import journal


def asked(desk, number, at):
    """Everything that can be asked about a card at a moment."""
    when = card.moment(at)
    try:
        status = card.status(desk.store, number, when)
    except card.UnknownCardError:
        return "unknown"
    return (
        status,
        card.history(desk.store, number, when),
        quotes.quote_refund(desk.store, desk.inputs.tariff, number, when),
        quotes.quote_reissue(desk.store, desk.inputs.tariff, number, when),
    )


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_as_of_a_moment_equals_a_store_fed_only_what_happened_by_then(tmp_path, seed):
    """Status, history, quotes and the trial balance of a moment are those of a store that ends there."""
    lines = list(journal(4_000, seed))
    full = new_desk(tmp_path, "full.db")
    got = answers(full, lines, batch=128)
    times = {}
    for line, answer in zip(lines, got, strict=True):
        if answer["id"] is not None and answer["outcome"] == "accepted":
            times[answer["id"]] = parse_moment(json.loads(line)["at"])
    moments = sorted(times.values())
    chance = random.Random(seed)
    for number, at in enumerate(chance.sample(moments, 2)):
        short = new_desk(tmp_path, f"short{number}.db")
        known = [
            line
            for line, answer in zip(lines, got, strict=True)
            if answer["id"] in times and times[answer["id"]] <= at
        ]
        answers(short, known)
        assert books.sums(full.store, at) == books.sums(short.store, None)
        for (one,) in full.store.db.execute("SELECT number FROM number"):
            assert asked(full, one, at) == asked(short, one, at), format_number(one)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_newest_entries_are_the_first_of_all_of_them(engine, tmp_path, request):
    """Of every card, replaced and moved ones too; now, and as of a moment; none, some, as many as there are, more."""
    request.param = engine
    desk = writing_desk(a_store(request, tmp_path))
    lines = list(journal(3_000, seed=14))
    answers(desk, lines, batch=512)
    numbers = sorted({int(one) for one in re.findall(r"JW(\d{15})", b"".join(lines).decode())})
    half = parse_moment(json.loads(lines[1_500])["at"])
    replaced = 0
    for number in numbers[::5]:
        for when in (card.everything(half), card.moment(half)):
            try:
                every = card.history(desk.store, number, when)
            except card.UnknownCardError:
                continue
            replaced += card.status(desk.store, number, when)["card"]["state"] == "replaced"
            for most in (0, 1, 5, len(every), len(every) + 1):
                assert card.history(desk.store, number, when, most) == every[:most], (number, most)
    assert replaced > 0


def test_the_json_of_every_question_has_the_contracts_fields(tmp_path):
    """Names and shapes as the contract writes them."""
    lines = list(journal(2_000, seed=6))
    (tmp_path / "j").write_bytes(b"\n".join(lines))
    farecard("replay", "j", cwd=tmp_path)

    def ask(*args):
        return json.loads(farecard(*args, "--json", cwd=tmp_path).stdout)

    number = "JW" + f"{next(iter(numbers(tmp_path))):015d}"
    status = ask("status", number)
    assert set(status) >= {"card", "myna", "rally"}
    assert list(status["card"]) == ["number", "kind", "state", "balance", "deposit", "points", "expires", "successor", "ride"]
    for entry in ask("history", number):
        assert list(entry) == ["id", "at", "do", "channel", "amount", "balance", "points"]
    assert {"payout", "reasons"} & set(ask("quote", "refund", number))
    assert {"due", "reasons"} & set(ask("quote", "reissue", number))
    assert {"amounts", "reasons"} & set(ask("quote", "quick-charge", number))
    balance = ask("trial-balance")
    assert balance["debit"] == balance["credit"] == sum(a["debit"] for a in balance["accounts"])
    assert ask("check")["ok"] is True


def numbers(folder):
    from farecard.storage.opening import open_to_read

    store = open_to_read(f"sqlite:///{folder}/farecard.db")
    found = [row[0] for row in store.db.execute("SELECT number FROM number")]
    store.close()
    return found


def test_options_stand_before_or_after_the_command(tmp_path):
    """``--store``, ``--json`` and ``--lang`` may come first or last."""
    (tmp_path / "j").write_bytes(b"\n".join(journal(50, seed=6)))
    farecard("--store", "sqlite:///x.db", "replay", "j", cwd=tmp_path)
    one = farecard("--store", "sqlite:///x.db", "--json", "trial-balance", cwd=tmp_path)
    other = farecard("trial-balance", "--json", "--store", "sqlite:///x.db", cwd=tmp_path)
    assert one.stdout == other.stdout != b""


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (("status", "JW000000000999999"), 1, "no such card"),
        (("history", "JW000000000999999"), 1, "no such card"),
        (("quote", "refund", "JW000000000999999"), 1, "no such card"),
        (("status", "card-1"), 2, "JW and 15 digits"),
        (("status", "JW000000000000001", "--as-of", "yesterday"), 2, "--as-of"),
        (("status", "JW000000000000001", "--as-of", "2023-02-31"), 2, "--as-of"),
        (("explain", "RFD-99"), 2, "did you mean RFD-"),
        (("sample", "--commands", "-1"), 2, "--commands"),
        (("replay", "j", "--batch", "0"), 2, "--batch"),
        (("replay", "j", "--sender", ""), 2, "--sender"),
        (("network", "load", "nowhere"), 2, "lines.csv is missing"),
        (("--store", "mysql://x", "check"), 2, "mysql://"),
        (("--store", "sqlite:///no/such/folder/x.db", "replay", "j"), 2, "does not exist"),
    ],
)
def test_bad_input_is_said_in_one_line_with_the_way_out(tmp_path, args, status, words):
    """Status 1 for an unknown card, 2 for anything that cannot be done; never a traceback."""
    (tmp_path / "j").write_bytes(b"\n".join(journal(50, seed=6)))
    farecard("replay", "j", cwd=tmp_path)
    done = farecard(*args, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (status, b"")
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_moment_before_the_card_was_sold_does_not_know_it(tmp_path):
    """As of the second before its sale a card is unknown; at its second it is there."""
    desk = new_desk(tmp_path)
    answers(desk, list(journal(200, seed=2)))
    number, since = desk.store.db.execute("SELECT number, since_at FROM number").fetchone()
    with pytest.raises(card.UnknownCardError):
        card.status(desk.store, number, card.moment(since - 1))
    assert card.status(desk.store, number, card.moment(since))["card"]["number"] == format_number(number)
    assert iso_moment(since)
