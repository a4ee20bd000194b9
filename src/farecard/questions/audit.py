"""``farecard check``: does the whole store fit together? From the events up, nothing taken on trust."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from farecard.desk.batch import SEQS_PER_BATCH, chain_hash
from farecard.draws import root
from farecard.ledger.chart import DEPOSITS_HELD, POINTS, STORED_FARE
from farecard.ledger.subtotals import DAILY, EVERY_DAY, ending_with
from farecard.model.account import NO_ACCOUNT, Account, Event, post
from farecard.model.commands import format_number
from farecard.model.moments import day_of
from farecard.storage.rows import account_row, as_event
from farecard.storage.sql import tables
from farecard.storage.store import Store

MOST_TOLD = 100

Sums = dict[tuple[int, str], list[int]]  # by day and ledger account: debits and credits in yen


class Audit:
    """One pass over the journal in order, folding every account, then the tables beside it.

    ``problems`` are sentences; ``events`` and ``batches`` how much was read.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.problems: list[str] = []
        self.more = 0
        self.events = 0
        self.batches = 0
        self._sums: dict[str, list[int]] = {}
        self._reversals: dict[int, tuple[int, int, int]] = {}
        self._cases: dict[int, int] = {}  # referred events: their accounts
        self._closed: dict[int, tuple[Any, ...]] = {}  # of them, how each was closed
        self._remembered = 0
        self._campaigns = _Campaigns(store)
        self._subtotals = _Subtotals()

    def _say(self, problem: str) -> None:
        if len(self.problems) < MOST_TOLD:
            self.problems.append(problem)
        else:
            self.more += 1

    def run(self) -> Iterator[int]:
        """Audit; yields the number of events read so far, for a progress bar."""
        store = self.store
        store.begin_reading()
        try:
            if store.integrity() != "ok":
                self._say(f"the file itself is damaged: {store.integrity()}")
            yield from self._journal()
            self._tables()
        finally:
            store.rollback()

    # -- the journal -------------------------------------------------------------------------

    def _journal(self) -> Iterator[int]:
        chains: dict[str, tuple[int, bytes]] = {}  # each writer's last batch: its number and hash
        folded = _Folded(self.store)
        for row in self.store.stream("batches"):
            id, header, said_prev, said = row[0], row[:11], row[11], row[12]
            number, prev = chains.get(header[1], (0, b""))
            self.batches += 1
            bounds = {"first": id * SEQS_PER_BATCH, "past": (id + 1) * SEQS_PER_BATCH}
            events, transfers, totals, subtotals = self.store.ask(
                [
                    ("events_of_batch", bounds),
                    ("transfers_of_batch", bounds),
                    ("totals_of_batch", {"batch": id}),
                    ("subtotals_of_batch", {"batch": id}),
                ]
            )
            if header[2] != number + 1:
                self._say(
                    f"batch {id}: its number is {header[2]}, expected {number + 1}: a batch is missing"
                )
            if said_prev != prev:
                self._say(f"batch {id}: does not follow the batch before it: the chain is cut")
            more = self._campaigns.rows_of(events)
            if chain_hash(prev, header, events, transfers, totals, *more) != said:
                self._say(f"batch {id}: its rows are not those it was committed with")
            if header[6] != len(events):
                self._say(f"batch {id}: {len(events)} events, {header[6]} when it was committed")
            chains[header[1]] = header[2], said
            decided = [as_event(row) for row in events]
            self._batch(id, decided, transfers, totals, folded)
            if not self._subtotals.fit(header[1], header[2], totals, subtotals):
                self._say(f"batch {id}: its subtotals are not the sums of the batches before it")
            self._commands(decided)
            self.events += len(events)
            yield self.events
        folded.finish(self._say)
        self._campaigns.finish(self._say)

    def _commands(self, events: list[Event]) -> None:
        """Every event's id is remembered, and leads to it."""
        ids: dict[str, list[str]] = {}
        for event in events:
            ids.setdefault(event.sender, []).append(event.id)
            if event.outcome == "referred":
                self._cases[event.seq] = event.account
            if event.do == "resolve_case" and event.of is not None:
                self._close(event, event.of)
            elif event.of is not None:
                self._reversals[event.of] = (event.account, event.seq, event.at)
        kept = {
            (sender, id): row
            for sender, some in ids.items()
            for id, *row in self.store.rows("commands", sender=sender, ids=some)
        }
        for event in events:
            row = kept.get((event.sender, event.id))
            if event.do == "run_grants" and event.account != NO_ACCOUNT:
                continue  # what a run granted: the id is the run's own
            if row != [event.account, event.seq]:
                self._say(f"event {event.seq}: its sender's id is not remembered")
            else:
                self._remembered += 1

    def _close(self, event: Event, of: int) -> None:
        """A case is closed once, and after it came up."""
        if of not in self._cases or of in self._closed:
            self._say(f"event {event.seq}: closes no case that is open")
            return
        decision = msgspec.json.decode(event.result)["decision"]
        self._closed[of] = self._cases[of], event.seq, event.at, decision

    def _batch(
        self,
        id: int,
        events: list[Event],
        transfers: list[Any],
        totals: list[Any],
        folded: "_Folded",
    ) -> None:
        sums: Sums = {}
        days = {}
        for event in events:
            day = days[event.seq] = day_of(event.at)
            if event.yen:
                assert event.debit is not None and event.credit is not None
                _add(sums, day, event.debit, event.credit, event.yen)
            if event.outcome == "accepted" and not (
                event.account == NO_ACCOUNT and event.do in _OF_NO_CARD
            ):
                folded.take(event, self._say)
            elif event.amount or event.deposit or event.points or event.yen:
                self._say(f"event {event.seq}: {event.outcome}, and yet it moved something")
        for seq, _, _, debit, credit, yen in transfers:
            if seq not in days:
                self._say(f"transfer of event {seq}: there is no such event")
                continue
            _add(sums, days[seq], debit, credit, yen)
        said = {(day, account): [debit, credit] for _, day, account, debit, credit in totals}
        if said != sums:
            self._say(f"batch {id}: its totals are not the sums of its transfers")
        for (_, account), (debit, credit) in sums.items():
            side = self._sums.setdefault(account, [0, 0])
            side[0] += debit
            side[1] += credit

    # -- the tables beside it ----------------------------------------------------------------

    def _tables(self) -> None:
        held = self.store.rows("stored_fare")[0]
        for account, sum in zip((STORED_FARE, DEPOSITS_HELD, POINTS), held, strict=True):
            debit, credit = self._sums.get(account, [0, 0])
            if credit - debit != sum:
                self._say(f"{account} is {credit - debit:,} yen in the books, {sum:,} on the cards")
        if self.store.rows("command_count")[0][0] != self._remembered:
            self._stray_commands()
        for of, *found in self.store.stream("all_reversals"):
            if self._reversals.pop(of, None) != tuple(found):
                self._say(f"reversal of event {of}: one of its two events is not there")
        for _, seq, _ in self._reversals.values():
            self._say(f"event {seq}: reverses another and is not in the list of reversals")
        for of, *found in self.store.stream("all_resolutions"):
            if self._closed.pop(of, None) != tuple(found):
                self._say(f"case of event {of}: is said to be closed, and not as its event says")
        for seq in self._closed:
            self._say(f"case of event {seq}: was closed, and is not in the list of closed cases")
        if self.store.rows("held_cards") != self.store.rows("all_namesakes"):
            self._say("the cards counted a person are not the cards that have a holder")
        for name, sentence in _ORPHANS.items():
            for row in self.store.rows(name):
                self._say(sentence.format(*row))

    def _stray_commands(self) -> None:
        """Which remembered ids lead nowhere."""
        for some in _thousands(self.store.stream("all_commands")):
            seqs = [seq for _, _, seq in some]
            owners = sorted({account for _, account, _ in some})
            rows = self.store.rows("events", seqs=seqs, accounts=owners)
            there = {row[0] for row in rows}
            for sender, _, seq in some:
                if seq not in there:
                    self._say(f"command of {sender}: leads to no event ({seq})")


def _thousands(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Rows in handfuls."""
    every = iter(rows)
    while some := list(islice(every, 1000)):
        yield some


_ORPHANS = {
    "events_without_batch": "event {0}: belongs to no batch",
    "subtotals_without_batch": "subtotals of batch {0}: there is no such batch",
    "accounts_without_holder": "account {0}: a card of its kind has a holder, none is kept",
}


class _Campaigns:
    """What campaigns keep beside the journal, held against the events that made it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.applications = 0
        self.granted = 0
        self.draws = 0
        self.notices: dict[int, tuple[str, int]] = {}  # by event: what and when

    def rows_of(self, events: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """The applications, grants and draws of a batch's events."""
        made: dict[str, list[Any]] = {"apply": [], "grant": [], "draw": []}
        for row in events:
            event = row[_SEQ], row[_ACCOUNT]
            if row[_OUTCOME] == "accepted":
                if row[_DO] in _MADE:
                    made[_MADE[row[_DO]]].append(event)
                elif row[_DO] in _NOTICES:
                    self.notices[row[_SEQ]] = row[_DO], row[_AT]
        applications = self._rows("applications_of", made["apply"])
        granted = self._rows("granted_of", made["grant"])
        self.applications += len(applications)
        self.granted += len(granted)
        seqs = [seq for seq, _ in made["draw"]]
        draws = self.store.rows("draws_of", seqs=seqs) if seqs else []
        self.draws += len(draws)
        return applications, granted, draws

    def _rows(self, name: str, events: list[tuple[int, int]]) -> list[Any]:
        if not events:
            return []
        seqs, accounts = zip(*events, strict=True)
        return self.store.rows(name, seqs=list(seqs), accounts=sorted(set(accounts)))

    def finish(self, say: Any) -> None:
        """What no event made; people and notices that do not fit the applications."""
        applied: dict[str, list[int]] = {}
        count = 0
        for account, person, measure in self.store.stream("all_applications"):
            count += 1
            if person:
                applied.setdefault(person, [account, 0])[1] |= 1 << measure
        if count != self.applications:
            say(f"{count - self.applications} applications that no event made")
        granted = self.store.rows("granted_count")[0][0]
        if granted != self.granted:
            say(f"{granted - self.granted} grants that no event made")
        self._draws(say)
        heard, copied = self._notices(say)
        for person, account, measures in self.store.stream("all_persons"):
            if [account, measures] != applied.pop(person, [NO_ACCOUNT, 0]):
                say(f"a person of account {account}: is said to have applied for other measures")
            if account != NO_ACCOUNT and heard.get(person) != copied.get((account, person)):
                say(
                    f"account {account}: not all that was reported of its applicant is kept with it"
                )
        for account, _ in applied.values():
            say(f"account {account}: nobody is kept who applied with it")

    def _draws(self, say: Any) -> None:
        """The list of each draw gives the root that was told."""
        draws = self.store.rows("all_draws")
        if len(draws) != self.draws:
            say(f"{len(draws) - self.draws} draws that no event made")
        for draw, what, told, entrants in draws:
            leaves = [row[0] for row in self.store.rows("entrants_of", draw=draw)]
            if (root(leaves), len(leaves)) != (told, entrants):
                say(f"draw {draw}, {what}: its list is not the one whose root was told")

    def _notices(self, say: Any) -> tuple[dict[str, list[Any]], dict[tuple[int, str], list[Any]]]:
        """What was reported, by person; and by account and person where it was copied to."""
        heard: dict[str, list[Any]] = {}
        copied: dict[tuple[int, str], list[Any]] = {}
        for account, person, *notice in self.store.stream("all_notices"):
            if account != NO_ACCOUNT:
                copied.setdefault((account, person), []).append(notice)
                continue
            heard.setdefault(person, []).append(notice)
            seq, what, at = notice
            if self.notices.pop(seq, None) != (what, at):
                say(f"a report of event {seq}: no such event made it")
        for seq in self.notices:
            say(f"event {seq}: what it reported is not kept")
        return heard, copied


_MADE = {
    "apply_myna_point": "apply",
    "join_campaign": "apply",
    "join_rally": "apply",
    "run_grants": "grant",
    "commit_draw": "draw",
    "draw_lottery": "draw",
}
_NOTICES = ("confirm_insurance_card", "file_account", "confirm_account")
_OF_NO_CARD = (*_NOTICES, "run_grants", "commit_draw", "draw_lottery", "resolve_case")
_SEQ, _ACCOUNT, _DO, _OUTCOME, _AT = (
    tuple(tables()["event"]).index(name) for name in ("seq", "account", "do", "outcome", "at")
)


_SUMMED = EVERY_DAY, ""  # in its debit: of how many spans of level 1 a subtotal is


class _Subtotals:
    """What the spans that are still open have come to, by chain and level."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], Sums] = {}

    def fit(self, writer: str, number: int, totals: list[Any], said: list[Any]) -> bool:
        """Take a batch's totals; whether the subtotals that stand with it are the sums of theirs.

        Where an older farecard left some out, those over them are not used, and not looked at.
        """
        self._add(writer, 1, {(day, account): [*sides] for _, day, account, *sides in totals})
        right, levels = True, ending_with(number)
        for level in levels:
            if level == 1:
                self._add(writer, 1, {_SUMMED: [1, 0]})
            part = self._open.pop((writer, level), {})
            self._add(writer, level + 1, part)
            found = {(day, account): [*sides] for of, day, account, *sides in said if of == level}
            right &= found.get(_SUMMED) != part.get(_SUMMED) or found == part
        return right and all(level in levels for level, *_ in said)

    def _add(self, writer: str, level: int, part: Sums) -> None:
        sums = self._open.setdefault((writer, level), {})
        for (day, account), (debit, credit) in part.items():
            side = sums.setdefault((day if level <= DAILY else EVERY_DAY, account), [0, 0])
            side[0] += debit
            side[1] += credit


class _Folded:
    """Accounts folded from the events, held in bounded memory by comparing at their last event."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts: dict[int, Account] = {}
        self.numbers: dict[int, list[Any]] = {}

    def take(self, event: Event, say: Any) -> None:
        """Post an accepted event to its account."""
        if event.account == NO_ACCOUNT:
            say(f"event {event.seq}: accepted, and for no account")
            return
        account = self.accounts.get(event.account)
        if account is None:
            account = self.accounts[event.account] = Account(event.account, event.account, "")
            if event.do != "issue":
                say(f"event {event.seq}: the account's first event is {event.do}")
        elif event.prev != account.last_seq:
            say(f"event {event.seq}: its account's history is cut before it")
        elif event.at < account.last_at:
            say(f"event {event.seq}: older than the account's event before it")
        old = account.number
        prev = account.last_seq
        post(account, event)
        if event.do == "issue" or account.number != old:
            self.numbers[account.number] = [account.account, event.seq, event.at, *[None] * 4]
        if account.number != old and old in self.numbers:
            cause = account.stop_cause if event.do == "collect_reissue" else "moved"
            self.numbers[old][3:] = [cause, event.at, prev, account.number]
        if account.balance != event.balance:
            say(
                f"event {event.seq}: says balance {event.balance}, the events give {account.balance}"
            )
        if account.balance < 0 or account.deposit < 0 or account.points < 0:
            say(f"event {event.seq}: a balance below zero")

    def finish(self, say: Any) -> None:
        """Compare every account with its row."""
        seen = 0
        for row in self.store.stream("all_accounts"):
            account = self.accounts.get(row[0])
            seen += 1
            if account is None:
                say(f"account of {format_number(row[0])[-4:]}: a card without a history")
            elif account_row(account) != row:
                pairs = zip(tables()["account"], account_row(account), row, strict=True)
                wrong = [name for name, ours, theirs in pairs if ours != theirs]
                say(f"account {row[0]}: {', '.join(wrong)} differ from what its events give")
        self._compare_numbers(say)
        if seen < len(self.accounts):
            say(f"{len(self.accounts) - seen} accounts have a history and no row")

    def _compare_numbers(self, say: Any) -> None:
        """Hold the list of numbers against what the events gave out."""
        for number, *row in self.store.stream("all_numbers"):
            expected = self.numbers.pop(number, None)
            if expected is None:
                say(f"number {number}: no event gave it out")
            elif expected != row:
                say(f"number {number}: leads to another successor or time than its events say")
        for number, (account, *_) in self.numbers.items():
            say(f"number {number} of account {account} is not in the list of numbers")


def _add(sums: Sums, day: int, debit: str, credit: str, yen: int) -> None:
    sums.setdefault((day, debit), [0, 0])[0] += yen
    sums.setdefault((day, credit), [0, 0])[1] += yen
