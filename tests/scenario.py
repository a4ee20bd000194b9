"""Reading and running scenarios: Markdown tables that say what a clerk does and what comes of it.

A heading ``## RFD-1 · the guide's example`` names the rules; the table below has the columns *when*
(Tokyo), *where* (channel, ``@place``, company, ``from=sender``), *what* (the command), *answer* and *why*.
Letters are cards; ``tests/scenarios/README.md`` tells the rest.
"""

import json
import re
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from farecard.desk.desk import Desk
from farecard.desk.opening import sample_network
from farecard.model.moments import parse_day, parse_moment
from farecard.model.verdict import Reason
from farecard.network import Network, Networks
from farecard.network.tables import Tables, read_tables
from farecard.questions.books import sums
from farecard.questions.card import moment, status
from farecard.storage.making import (
    Inputs,
    load_campaigns,
    load_networks,
    load_tariff,
    open_to_write,
)
from farecard.storage.rows import as_account
from farecard.storage.sql import tables
from farecard.storage.sqlite import SqliteStore
from farecard.storage.store import Store
from farecard.storage.vault import Vault
from farecard.tariff import Tariff, packaged_text
from farecard.wire.answer import encode_answer
from postgres import query

FOLDER = Path(__file__).parent / "scenarios"
PEOPLE = {
    "Mori": {"name": "森 結衣", "kana": "モリ ユイ", "born": "1990-04-02", "phone": "090-0000-0001"},
    "Mori-2": {"name": "森 結衣", "kana": "モリ　ユイ", "born": "1990-04-02", "phone": "090-9999-9999"},
    "mori": {"name": "森 ゆい", "kana": "ﾓﾘ ﾕｲ", "born": "1990-04-02", "phone": "090-0000-0001"},
    "Oka": {"name": "岡 蓮", "kana": "オカ レン", "born": "1985-11-30", "phone": "090-0000-0002"},
    "Abe": {"name": "阿部 凛", "kana": "アベ リン", "born": "1972-01-15", "phone": "090-0000-0003"},
    "Taro": {"name": "谷 太郎", "kana": "タニ タロウ", "born": "2011-04-01", "phone": "090-0000-0004"},
    "Hana": {"name": "谷 花", "kana": "タニ ハナ", "born": "2011-04-02", "phone": "090-0000-0005"},
}
BANK = {"bank": "B", "branch": "1", "kind": "ordinary", "number": "1234567", "holder_kana": "K"}
# Invalid because of the state of things, so remembered; any other code is of a line that is no command.
OF_THE_STATE = {
    "unknown-card", "unknown-slip", "unknown-of", "unknown-station", "no-fare", "no-line-has-both",
    "number-issued", "born-later", "registered-too-late", "other-merchant", "late",
}  # fmt: skip


class Step(NamedTuple):
    """One row of a table."""

    when: str
    where: str
    what: str
    answer: str
    why: str


class Scenario(NamedTuple):
    """One heading and its table."""

    file: str
    title: str
    tariff: dict[str, str]
    no_fare: frozenset[frozenset[str]]
    steps: list[Step]

    @property
    def rules(self) -> set[str]:
        """The catalogue ids that the heading names."""
        return set(re.findall(r"[A-Z]+-[0-9]+", self.title))

    @property
    def lines(self) -> list[tuple[str, bytes]]:
        """The rows as senders and their journal lines; ids are the row numbers."""
        return [
            (sender_of(step), line_of(step, str(n)))
            for n, step in enumerate(self.steps, 1)
            if step.where != "?"
        ]


def read_all() -> list[Scenario]:
    """Every scenario of the folder."""
    found = []
    for path in sorted(FOLDER.glob("*.md")):
        if path.name == "README.md":
            continue
        for part in re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            title, _, body = part.partition("\n")
            tariff = dict(re.findall(r"^tariff: (\w+) = (\S+(?: from \S+)?)$", body, flags=re.MULTILINE))
            pairs = re.findall(r"^no fare: (\S+)\.\.(\S+)$", body, flags=re.MULTILINE)
            no_fare = frozenset(frozenset(pair) for pair in pairs)
            rows = [
                [cell.strip() for cell in line.strip().strip("|").split("|")]
                for line in body.splitlines()
                if line.startswith("|")
            ][2:]
            assert rows and all(len(row) == 5 for row in rows), f"{path.name}: {title}"
            steps = [Step(*row) for row in rows]
            found.append(Scenario(path.stem, title.strip(), tariff, no_fare, steps))
    return found


def number(letter: str) -> str:
    """The card number a letter stands for; anything else stands for itself."""
    if re.fullmatch(r"[A-Z]", letter):
        return f"JW{ord(letter) - 64:015d}"
    return letter


def sender_of(step: Step) -> str:
    """Who sends a row: the journal, if it names nobody else."""
    named = [word[5:] for word in step.where.split() if word.startswith("from=")]
    return named[0] if named else "journal"


def line_of(step: Step, id: str) -> bytes:
    """A row as a journal line; a *what* in braces is a line as it stands."""
    if step.what.startswith("{"):
        return step.what.encode()
    words = re.findall(r"(?:[^\s\"]|\"[^\"]*\")+", step.what)
    do, rest = words[0], words[1:]
    when = step.when + ("" if step.when.count(":") == 2 else ":00")
    command: dict[str, Any] = {"id": id, "at": when.replace(" ", "T") + "+09:00", "do": do}
    for n, word in enumerate(step.where.split()):
        if word.startswith("@"):
            command["place"] = word[1:]
        elif not word.startswith("from="):
            command["channel" if n == 0 else "company"] = word
    for word in rest:
        key, _, value = word.partition("=")
        if not value and key in PEOPLE:
            command["holder"] = PEOPLE[key]
        elif not value and re.fullmatch(r"[A-Z]", key):
            command["card"] = number(key)
        elif not value:
            command["kind"] = key
        elif key == "pass":
            command["pass"] = _pass(value)
        elif key == "slip":
            command["slip"] = _paper("S", value)
        elif key == "form":
            command["form"] = _paper("F", value)
        elif key in ("card", "to"):
            command[key] = number(value)
        elif key == "measures":
            command[key] = [int(one) for one in value.split(",")]
        elif key.startswith("history."):
            _put(command, key.split("."), value)
        elif key in ("person", "member", "month"):
            command[key] = value
        else:
            plain = key != "of" and re.fullmatch(r"-?\d+|true|false|null", value)
            command[key] = json.loads(value) if plain else value.strip('"')
    if do == "refund_by_post":
        command.setdefault("bank_account", BANK)
    if do == "reverse":
        command.setdefault("why", "mistake")
    return json.dumps(command, ensure_ascii=False).encode()


def _put(command: dict[str, Any], path: list[str], value: str) -> None:
    """Put a value into objects within objects."""
    for name in path[:-1]:
        command = command.setdefault(name, {})
    command[path[-1]] = json.loads(value) if re.fullmatch(r"\d+|true|false", value) else value


def _paper(letter: str, value: str) -> str:
    card, _, count = value.partition("-")
    return f"{letter}{number(card)[2:]}-{count or 1}" if re.fullmatch(r"[A-Z]", card) else value


def _pass(text: str) -> dict[str, Any]:
    """``Takatsuki..Osaka,2023-03-01..2023-08-31,seller=Hankyu,discount``."""
    section, days, *more = text.split(",")
    found: dict[str, Any] = dict(zip(("from", "to"), section.split(".."), strict=True))
    found |= dict(zip(("valid_from", "valid_until"), days.split(".."), strict=True))
    for one in more:
        key, _, value = one.partition("=")
        found["disability_discount" if key == "discount" else key] = value or True
    return found


class ScenarioError(AssertionError):
    """A row that was not answered as it says."""


def check(step: Step, got: dict[str, Any]) -> None:
    """Compare an answer with what the row says of it."""
    words = step.answer.split()
    outcome = words.pop(0)
    if got["outcome"] != outcome:
        raise ScenarioError(f"{step.what}: {outcome} expected, got {got}")
    if outcome in ("refused", "referred"):
        rule = words.pop(0)
        first = got["reasons"][0]
        if first["rule"] != (None if rule == "-" else rule):
            raise ScenarioError(f"{step.what}: {rule} expected, got {first}")
    warned = {warning["code"] for warning in got.get("warnings", [])}
    named = {word[5:] for word in words if word.startswith("warn=")}
    if warned != named:
        raise ScenarioError(f"{step.what}: warnings {named or 'none'} expected, got {warned or 'none'}")
    for word in words:
        key, eq, value = word.partition("=")
        if key == "warn":
            continue
        if not eq:
            if key == "again":
                if not got.get("repeated"):
                    raise ScenarioError(f"{step.what}: not marked as repeated: {got}")
            elif got["reasons"][0]["code"] != key:
                raise ScenarioError(f"{step.what}: code {key} expected, got {got['reasons'][0]}")
            continue
        have: Any = got["reasons"][0] if key.startswith("params.") else got["result"]
        for name in key.split("."):
            have = have.get(name)
        if key in ("slip", "form"):
            value = _paper(key[0].upper(), value)
        if str(have).replace(", ", ",") != number(value):
            raise ScenarioError(f"{step.what}: {key}={value} expected, got {have}")


def remembered(answer: dict[str, Any]) -> bool:
    """Whether the same line again must get the same decision again."""
    return answer["outcome"] != "invalid" or answer["reasons"][0]["code"] in OF_THE_STATE


class Runner:
    """Runs scenarios, each on a fresh store; stores are copied from one made in advance.

    What they prove is not durability, so nothing here waits for the disk.
    """

    def __init__(self) -> None:
        fast = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(dir=fast if fast.is_dir() else None)
        self.folder = Path(self._folder.name)
        self.text = packaged_text()
        self._store: SqliteStore | None = None
        network = FOLDER / "network"
        self.tables = read_tables(network) if network.is_dir() else sample_network()
        store, self.vault = open_to_write(f"sqlite:///{self.folder}/fresh.db", self.text, lambda: self.tables)
        self.networks = load_networks(store)
        store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.close()

    def close(self) -> None:
        """Take the stores away."""
        if self._store is not None:
            self._store.close()
        self._folder.cleanup()

    def desk(
        self, changes: dict[str, str] | None = None, no_fare: frozenset[frozenset[str]] = frozenset()
    ) -> Desk:
        """A desk on a fresh store, with rows added to the tariff and pairs taken out of the fares."""
        if self._store is not None:
            self._store.close()
        for old in self.folder.glob("one.db*"):
            old.unlink()
        shutil.copy(self.folder / "fresh.db", self.folder / "one.db")
        shutil.copy(self.folder / "fresh.db.key", self.folder / "one.db.key")
        store, vault = open_to_write(f"sqlite:///{self.folder}/one.db", self.text, sample_network)
        self._store = store
        store.db.execute("PRAGMA synchronous = OFF")
        return self._desk_on(store, vault, changes, no_fare)

    def _desk_on(
        self, store: Store, vault: Vault, changes: dict[str, str] | None, no_fare: frozenset[frozenset[str]]
    ) -> Desk:
        text = self.text
        for name, change in (changes or {}).items():
            value, _, first = change.partition(" from ")
            text += f'\n[[row]]\nname = "{name}"\nvalue = {value}\nunit = "set by the scenario"\nrules = []\n'
            text += 'source = "scenario"\nchecked_on = 2026-11-24\n'
            if first:
                last = date.fromisoformat(first) - timedelta(1)
                row = f'name = "{name}"\n'
                text = text.replace(row, f"{row}until = {last}\n", 1) + f"from = {first}\n"
        networks = self._networks_without(no_fare) if no_fare else self.networks
        tariff = Tariff(text)
        tariff.version = load_tariff(store).version  # as if it were the store's
        return Desk(store, vault, Inputs(tariff, networks, load_campaigns(store)), "scenario")

    def _networks_without(self, no_fare: frozenset[frozenset[str]]) -> Networks:
        """The network, its table lacking some pairs."""
        lines, fares = self.tables.lines, self.tables.fares
        left = [row for row in fares if frozenset(row[:2]) not in no_fare]
        assert len(left) == len(fares) - len(no_fare), "a pair that has no fare anyway"
        return Networks([(0, Network(self.networks.latest, Tables(lines, left)))])

    def first_failure(self, tariff_text: str, scenarios: list[Scenario]) -> str | None:
        """Run scenarios under another tariff until one fails; which row did, or None."""
        ours, self.text = self.text, tariff_text
        try:
            for scenario in scenarios:
                try:
                    self.run(scenario)
                except AssertionError as failure:
                    return str(failure)
            return None
        finally:
            self.text = ours

    def run(self, scenario: Scenario) -> list[bytes]:
        """Run one scenario and hold the books against the cards; ``ScenarioError`` when it is not so.

        Gives the answers as they left, row by row.
        """
        desk = self.desk(scenario.tariff, scenario.no_fare)
        try:
            lines = scenario.lines
            first = []
            left = []
            waiting = iter(lines)
            for step in scenario.steps:
                if step.where == "?":
                    self._ask(desk, step)
                    continue
                left.append(encode_answer(desk.run([next(waiting)])[0]))
                got = json.loads(left[-1])
                check(step, got)
                first.append(got)
                self._books(desk, step)
            before = self._everything(desk)
            taken = {
                (line[0], answer["id"])
                for line, answer in zip(lines, first, strict=True)
                if remembered(answer)
            }
            for line, answer in zip(lines, first, strict=True):
                again = json.loads(encode_answer(desk.run([line])[0]))
                if remembered(answer):
                    as_it_should = again == {**answer, "repeated": True}
                elif (line[0], answer["id"]) in taken:
                    as_it_should = not again.get("repeated") and again["reasons"][0]["code"] == "id-used"
                else:
                    as_it_should = again == answer
                assert as_it_should, f"{line}: first {answer}, then {again}"
            assert self._everything(desk) == before, "the lines sent again changed something"
            return left
        finally:
            desk.store.close()

    def _ask(self, desk: Desk, step: Step) -> None:
        """A row that asks for a card's status as of its time: each word of its answer is a field and its value."""
        letter = step.what.split()[1]
        at = parse_moment(step.when.replace(" ", "T") + ("" if step.when.count(":") == 2 else ":00") + "+09:00")
        said = status(desk.store, int(number(letter)[2:]), moment(at))
        for word in step.answer.split():
            path, _, value = word.partition("=")
            have: Any = said
            for name in path.split("."):
                if isinstance(have, list):
                    have = have[int(name)]
                elif isinstance(have, Reason):
                    have = getattr(have, name) if name in ("rule", "code") else have.params[name]
                else:
                    have = have[name] if have is not None else None
            shown = "-" if have is None else str(have)
            if shown.lower() != value.lower():
                raise ScenarioError(f"{step.when} {step.what}: {path}={value} expected, got {have}")

    def _everything(self, desk: Desk) -> list[Any]:
        """What must be as before when every line is sent again."""
        return [sums(desk.store), *(desk.store.rows(name) for name in ("all_accounts", "all_numbers"))]

    def _books(self, desk: Desk, step: Step) -> None:
        rows = sums(desk.store)
        assert sum(d for d, _ in rows.values()) == sum(c for _, c in rows.values())
        balances, deposits, _ = desk.store.rows("stored_fare")[0]
        for name, held in (("stored-fare-liability", balances), ("deposits-held", deposits)):
            debit, credit = rows.get(name, (0, 0))
            assert credit - debit == held, f"{name}: {credit - debit} in the books, {held} on the cards"
        on_cards = [as_account(row).balance for row in desk.store.rows("all_accounts")]
        ceiling = desk.inputs.tariff.on(parse_day(step.when[:10])).balance_ceiling
        assert all(0 <= balance <= ceiling for balance in on_cards), f"{on_cards} on the cards"


class PostgresRunner(Runner):
    """The same on one database of a running server: emptied before each scenario."""

    def __init__(self, url: str) -> None:
        self.text = packaged_text()
        self.url = url
        network = FOLDER / "network"
        self.tables = read_tables(network) if network.is_dir() else sample_network()
        self._made, self.vault = open_to_write(url, self.text, lambda: self.tables)
        self.networks = load_networks(self._made)

    def close(self) -> None:
        """Leave the server to whoever started it."""
        self._made.close()

    def desk(
        self, changes: dict[str, str] | None = None, no_fare: frozenset[frozenset[str]] = frozenset()
    ) -> Desk:
        """A desk on the emptied store."""
        query(self.url, ";".join(f"DELETE FROM {name}" for name in tables() if name not in LOADED))
        store, vault = open_to_write(self.url, self.text, lambda: self.tables)
        return self._desk_on(store, vault, changes, no_fare)


LOADED = ("about", "tariff", "network", "station", "fare")
