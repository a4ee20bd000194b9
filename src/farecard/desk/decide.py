"""From a command and the facts to a verdict: references first, then the rules of its kind."""

from collections.abc import Callable
from typing import Any

from farecard.campaigns import Campaigns
from farecard.desk.batch import Reads
from farecard.desk.entries import Entry
from farecard.desk.facts import Ended, Facts
from farecard.model.account import NO_ACCOUNT, Account, Event
from farecard.model.commands import (
    ApplyMynaPoint,
    ChangeAppliedCard,
    CollectReissue,
    Command,
    CommitDraw,
    ConfirmAccount,
    ConfirmInsuranceCard,
    DrawLottery,
    FileAccount,
    Issue,
    JoinCampaign,
    JoinMembership,
    JoinRally,
    MoveToPhone,
    Notice,
    Purchase,
    Refund,
    RefundByPost,
    RegisterForPoints,
    ReportDamaged,
    ReportLost,
    RequestRefundForm,
    ResolveCase,
    Reverse,
    RunGrants,
    TapIn,
    TapOut,
    TopUp,
    TopUpFromPoints,
    format_number,
    name_of,
)
from farecard.model.moments import day_of, parse_day
from farecard.model.rates import Rates
from farecard.model.verdict import ACCEPTED, INVALID, Effect, No, Reason, Verdict
from farecard.network import Network, Networks
from farecard.rules import (
    grants,
    issue,
    myna_point,
    phone,
    points,
    purchase,
    referral,
    refund,
    reissue,
    reversal,
    ride,
    stamp_rally,
    state,
    top_up,
)
from farecard.rules.campaign import join_campaign
from farecard.storage.making import Inputs
from farecard.storage.rows import as_reasons
from farecard.tariff import Tariff

# what deciding finds out besides the verdict: the account, and the event a reversal reverses
Outcome = tuple[Verdict, Account | None, Event | None]


def invalid(field: str, code: str, **params: Any) -> No:
    """No command, because of the state of things: remembered like a decision."""
    return No([Reason(None, code, {"field": field, **params})], INVALID)


UNKNOWN_CARD = invalid("card", "unknown-card")


class Decider:
    """Deciding over the facts of a batch, with the tariff and networks in force."""

    def __init__(self, facts: Facts, inputs: Inputs) -> None:
        self.facts = facts
        self.tariff: Tariff = inputs.tariff
        self.networks: Networks = inputs.networks
        self.campaigns: Campaigns = inputs.campaigns
        self.reads = Reads()  # of the batch that is being decided
        self.winners: list[int] = []  # the numbers of the winners of the draw that is being decided
        self.granted = (0, 0)  # what the run that is being decided granted: how often, points
        self._turn(0)

    def _turn(self, day: int) -> None:
        """Lay out the rates and fares of a day: most commands are of the day before them."""
        self.day = day
        self.rates = self.tariff.on(day)
        self.fares = self.networks.on(day)

    def decide(self, c: Command, entry: Entry, day: int) -> Outcome:
        """The verdict on one command, read as ``entry``, on its day."""
        if day != self.day:
            self._turn(day)
        rates = self.rates
        simple = _ON_A_CARD.get(type(c))
        if simple is None:
            return _OTHERS[type(c)](self, c, entry, day, rates)
        account = self.facts.cards[c.card]  # type: ignore[attr-defined]
        if isinstance(account, Account):
            self.reads.account(account)
            return simple(self, c, account, day, rates), account, None
        return self._no_card(c, account, day), None, None

    def _no_card(self, c: Command, found: Ended | None, day: int) -> No:
        """A number never given out, or replaced."""
        if found is None:
            self.reads.absent_numbers.add(c.card)  # type: ignore[attr-defined]
            return UNKNOWN_CARD
        station = getattr(c, "station", None)
        if station is not None and not self.fares.knows(station):
            return invalid("station", "unknown-station")
        if isinstance(c, MoveToPhone) and self._is_issued(c.to):
            return invalid("to", "number-issued")
        account = self.facts.accounts[found.account]
        self.reads.account(account)
        return state.late(c.at, account) or state.replaced(
            found.cause, format_number(found.successor)
        )

    def _is_issued(self, number: int) -> bool:
        """Whether a number that is to be given out has been given out before."""
        if self.facts.cards[number] is not None:
            return True
        self.reads.absent_numbers.add(number)
        return False

    def _fares_of_ride(self, account: Account) -> Network:
        """The network of the day of entry; without an open ride, of the command's own day."""
        return self.fares if account.ride_at is None else self.networks.on(day_of(account.ride_at))

    # -- one card, one rule file -------------------------------------------------------------

    def _top_up(self, c: TopUp, account: Account, day: int, rates: Rates) -> Verdict:
        return top_up.top_up(c, account, day, rates, self._fares_of_ride(account))

    def _tap_in(self, c: TapIn, account: Account, day: int, rates: Rates) -> Verdict:
        return ride.tap_in(c, account, day, rates, self.fares)

    def _tap_out(self, c: TapOut, account: Account, day: int, rates: Rates) -> Verdict:
        return ride.tap_out(c, account, day, rates, self._fares_of_ride(account))

    def _purchase(self, c: Purchase, account: Account, day: int, rates: Rates) -> Verdict:
        return purchase.purchase(c, account, day)

    def _refund(self, c: Refund, account: Account, day: int, rates: Rates) -> Verdict:
        return refund.refund(c, account, day, rates)

    def _form(self, c: RequestRefundForm, account: Account, day: int, rates: Rates) -> Verdict:
        return refund.request_refund_form(c, account)

    def _by_post(self, c: RefundByPost, account: Account, day: int, rates: Rates) -> Verdict:
        return refund.refund_by_post(c, account, day, rates)

    def _report(
        self, c: ReportDamaged | ReportLost, account: Account, day: int, rates: Rates
    ) -> Verdict:
        return reissue.report(c, account, day, rates)

    def _move(self, c: MoveToPhone, account: Account, day: int, rates: Rates) -> Verdict:
        if self._is_issued(c.to):
            return invalid("to", "number-issued")
        return phone.move_to_phone(c, account, day, rates)

    def _register(self, c: RegisterForPoints, account: Account, day: int, rates: Rates) -> Verdict:
        return points.register_for_points(c, account, day, rates)

    def _join(self, c: JoinMembership, account: Account, day: int, rates: Rates) -> Verdict:
        return points.join_membership(c, account, day)

    def _from_points(self, c: TopUpFromPoints, account: Account, day: int, rates: Rates) -> Verdict:
        return points.top_up_from_points(c, account, day, rates)

    # -- commands that reach further ---------------------------------------------------------

    def _issue(self, c: Issue, entry: Entry, day: int, rates: Rates) -> Outcome:
        keys = entry.who
        born = None if c.holder is None else parse_day(c.holder.born)
        no = self._issue_references(c, day, rates, born)
        if no is not None:
            return no, None, None
        same_name: list[tuple[Account, bool]] = []
        if keys is not None and issue.counts_as_named(c.kind):
            same_name = self.facts.same_name(*keys)
            for other, _ in same_name:
                self.reads.account(other)
        if keys is not None:
            self.reads.names.setdefault(keys[0], self.facts.namesakes[keys[0]])
        granted = self._granted(c, NO_ACCOUNT, c.card)
        if isinstance(granted, No):
            return granted, None, None
        account = Account(c.card, c.card, c.kind)
        return issue.issue(c, day, rates, born, same_name, granted), account, None

    def _issue_references(self, c: Issue, day: int, rates: Rates, born: int | None) -> No | None:
        if self._is_issued(c.card):
            return invalid("card", "number-issued")
        if born is not None and born > day:
            return invalid("holder.born", "born-later")
        if c.pass_ is not None:
            fares = self.fares
            for field, station in (("pass.from", c.pass_.from_), ("pass.to", c.pass_.to)):
                if not fares.knows(station):
                    return invalid(field, "unknown-station")
            if fares.section(c.pass_.from_, c.pass_.to) is None:
                return invalid("pass.to", "no-line-has-both")
        if c.points_registered_on is not None:
            last = rates.points_service_last_registration
            if parse_day(c.points_registered_on) > last:
                return invalid("points_registered_on", "registered-too-late")
        return None

    def _collect(self, c: CollectReissue, _entry: Entry, day: int, rates: Rates) -> Outcome:
        paper = refund.read_paper("S", c.slip)
        account = None if paper is None else self.facts.accounts.get(paper[0])
        if account is not None:
            self.reads.account(account)
        elif paper is not None and self.facts.cards[paper[0]] is None:
            self.reads.absent_numbers.add(paper[0])
        if paper is None or account is None or paper[1] > account.slip:
            return invalid("slip", "unknown-slip"), None, None
        if self._is_issued(c.card):
            return invalid("card", "number-issued"), account, None
        promised = rates if account.slip_day is None else self.tariff.on(account.slip_day)
        return reissue.collect_reissue(c, account, paper[1], day, promised), account, None

    def _reverse(self, c: Reverse, entry: Entry, day: int, rates: Rates) -> Outcome:
        sender = c.of_sender or entry.sender
        original = self.facts.stored.find((sender, c.of))
        if original is None:
            self.reads.absent_ids.add((sender, c.of))
        if (
            original is None
            or original.account == NO_ACCOUNT
            or original.outcome != ACCEPTED
            or original.do not in reversal.REVERSIBLE
        ):
            return invalid("of", "unknown-of"), None, None
        if c.merchant is not None and c.merchant != original.merchant:
            return invalid("merchant", "other-merchant"), None, None
        account = self.facts.accounts[original.account]
        self.reads.account(account)
        granted = self._granted(c, account.account)
        if isinstance(granted, No):
            return granted, account, None
        twice = self.facts.reversed.recall(original.seq)
        every = self.campaigns.all
        verdict = reversal.reverse(c, account, original, twice, day, rates, every, granted)
        return verdict, account, original

    # -- what was left to people -------------------------------------------------------------

    def _resolve(self, c: ResolveCase, _entry: Entry, _day: int, _rates: Rates) -> Outcome:
        found = self.facts.case(c.case)
        if found is None:
            return invalid("case", "unknown-case"), None, None
        event, resolved = found
        return referral.resolve(c, _why(event).code, event, resolved), None, event

    def _granted(
        self, c: Issue | Reverse | ApplyMynaPoint, account: int, number: int | None = None
    ) -> Reason | No | None:
        """What was referred and the case that a command names has granted; a no where it has not."""
        if c.case is None:
            return None
        found = self.facts.case(c.case)
        if found is None:
            return invalid("case", "unknown-case")
        event, resolved = found
        of_this = event.do == name_of(type(c)) and event.account == account
        if not of_this or number not in (None, event.number):
            return invalid("case", "case-of-another-matter")
        why = _why(event)
        if isinstance(c, Issue) and why.params.get("kind", c.kind) != c.kind:
            return invalid("case", "case-of-another-matter")
        return referral.may_rest_on(c.case, why.code, resolved) or why

    # -- runs --------------------------------------------------------------------------------

    def _run_grants(self, c: RunGrants, _entry: Entry, day: int, rates: Rates) -> Outcome:
        return grants.run_grants(c, day, rates, self.granted), None, None

    def draws_done(self, draw: int) -> set[str]:
        """What was done of a draw: ``commit``, ``draw``."""
        store = self.facts.store
        rows = [] if store is None else store.rows("draws", draw=draw)
        return {row[0] for row in rows} | self.facts.draws.get(draw, set())

    def _draw(self, c: CommitDraw | DrawLottery, _entry: Entry, day: int, _rates: Rates) -> Outcome:
        rally = self.campaigns.rally(stamp_rally.NAME)
        no = stamp_rally.may_draw(c, day, rally, self.draws_done(c.draw))
        if no is not None:
            return no, None, None
        listed = self.facts.listed
        assert listed is not None
        count = len(listed.entrants)
        if isinstance(c, CommitDraw):
            return Effect({"root": listed.root.hex(), "entrants": count}), None, None
        numbers = [format_number(number) for number in self.winners]
        warning = None if listed.committed else [Reason("STP-8", "uncommitted")]
        return Effect({"entrants": count, "winners": numbers}, warnings=warning), None, None

    # -- people ------------------------------------------------------------------------------

    def _apply(self, c: ApplyMynaPoint, entry: Entry, day: int, rates: Rates) -> Outcome:
        account = self.facts.cards[c.card]
        if not isinstance(account, Account):
            return self._no_card(c, account, day), None, None
        assert entry.person is not None
        person = self.facts.persons[entry.person]
        self.reads.account(account)
        self.reads.person(person)
        granted = self._granted(c, account.account)
        if isinstance(granted, No):
            return granted, account, None
        campaign = self.campaigns.of(myna_point.NAME)
        return myna_point.apply(c, account, person, day, rates, campaign, granted), account, None

    def _join_campaign(self, c: JoinCampaign, account: Account, day: int, rates: Rates) -> Verdict:
        found = self.campaigns.joined_by_card(c.campaign)
        if found is None:
            return invalid("campaign", "unknown-campaign")
        return join_campaign(c, account, day, rates, found)

    def _join_rally(self, c: JoinRally, account: Account, day: int, rates: Rates) -> Verdict:
        rally = self.campaigns.rally(stamp_rally.NAME)
        programme = self.campaigns.of(myna_point.NAME)
        return stamp_rally.join_rally(c, account, day, rates, rally, programme)

    def _change_applied(
        self, c: ChangeAppliedCard, account: Account, day: int, rates: Rates
    ) -> Verdict:
        campaign = self.campaigns.of(myna_point.NAME)
        return myna_point.change_applied_card(c, account, day, campaign)

    def _notice(self, c: Notice, entry: Entry, _day: int, _rates: Rates) -> Outcome:
        assert entry.person is not None
        self.reads.person(self.facts.persons[entry.person])
        return myna_point.notice(c), None, None


def _why(event: Event) -> Reason:
    """What a case was referred with."""
    return as_reasons(event.reasons)[0]


_ON_A_CARD: dict[type[Command], Callable[..., Verdict]] = {
    TopUp: Decider._top_up,
    TapIn: Decider._tap_in,
    TapOut: Decider._tap_out,
    Purchase: Decider._purchase,
    Refund: Decider._refund,
    RequestRefundForm: Decider._form,
    RefundByPost: Decider._by_post,
    ReportDamaged: Decider._report,
    ReportLost: Decider._report,
    MoveToPhone: Decider._move,
    RegisterForPoints: Decider._register,
    JoinMembership: Decider._join,
    TopUpFromPoints: Decider._from_points,
    ChangeAppliedCard: Decider._change_applied,
    JoinCampaign: Decider._join_campaign,
    JoinRally: Decider._join_rally,
}
_OTHERS: dict[type[Command], Callable[..., Outcome]] = {
    Issue: Decider._issue,
    CollectReissue: Decider._collect,
    Reverse: Decider._reverse,
    ResolveCase: Decider._resolve,
    ApplyMynaPoint: Decider._apply,
    ConfirmInsuranceCard: Decider._notice,
    FileAccount: Decider._notice,
    ConfirmAccount: Decider._notice,
    RunGrants: Decider._run_grants,
    CommitDraw: Decider._draw,
    DrawLottery: Decider._draw,
}
