"""What lies ahead of a card: the slip or form it waits with, the last day of its pass, from when Myna Point may be applied for, what people still have to decide."""

from typing import Any

from farecard.desk.cases import case_at
from farecard.model.account import ISSUER
from farecard.model.campaign import MYNA_POINT
from farecard.model.moments import day_of, iso_day
from farecard.questions.card import AsOf, find, number_before, numbers_until
from farecard.questions.referrals import of_account
from farecard.rules import reissue, stamp_rally, state
from farecard.rules.points import is_exempt
from farecard.rules.refund import paper
from farecard.storage.history import account_at
from farecard.storage.making import load_campaigns
from farecard.storage.store import Store
from farecard.tariff import Tariff


def ahead(store: Store, tariff: Tariff, number: int, when: AsOf) -> dict[str, Any]:
    """``slip`` (with ``collect_from``, ``until``, ``collect_at``, ``cause`` and the yen ``due``), ``pass_until``, ``apply_from``, the refund ``form`` asked for last, the ``seller`` of another company's pass; None for what it has not; ``cases``: those of the card, under whichever of its numbers; ``apply_until``: the last day to apply for Myna Point; ``before``: the number it had before this one; ``points_unit``: fewer points are not charged. Raises ``UnknownCardError``."""
    unit = tariff.on(day_of(when.now)).points_unit
    told: dict[str, Any] = {
        "slip": None,
        "pass_until": None,
        "apply_from": None,
        "form": None,
        "seller": None,
        "cases": [],
        "apply_until": load_campaigns(store).of(MYNA_POINT).apply_until.isoformat(),
        "before": None,
        "points_unit": unit,
    }
    found = find(store, number, when.until)
    told["before"] = number_before(store, found, when.until)
    if found.is_replaced(when.until):
        return told
    account = account_at(store, found.account, when.until)
    told["cases"] = of_account(store, numbers_until(store, found, when.until), when.until)
    if account.state == "stopped" and account.slip_day is not None:
        promised = tariff.on(account.slip_day)
        told["slip"] = {
            "slip": paper("S", account.account, account.slip),
            "collect_from": iso_day(account.slip_day + promised.reissue_wait),
            "until": iso_day(state.slip_last_day(account)),
            "collect_at": account.seller,
            "cause": account.stop_cause,
            "due": reissue.due_for(account.stop_cause == "lost", promised),
        }
    told["seller"] = None if account.seller == ISSUER else account.seller
    if account.form and account.state != "refunded":
        told["form"] = paper("F", account.account, account.form)
    if account.pass_until is not None:
        told["pass_until"] = iso_day(account.pass_until)
    since = None if account.apply_from is None else iso_day(account.apply_from)
    if since is not None and since <= told["apply_until"] and not is_exempt(account.kind):
        told["apply_from"] = since
    return told


def no_stamps(store: Store, tariff: Tariff, number: int, when: AsOf) -> dict[str, Any]:
    """Of a card that joined the rally: ``why`` a stamp does not come, by its number, and whether all four still can (``reachable``).

    Stamp 2 also says why what was applied for so far gives none. Raises ``UnknownCardError``.
    """
    found = find(store, number, when.until)
    account = account_at(store, found.account, when.until)
    campaigns = load_campaigns(store)
    rally, programme = campaigns.rally(stamp_rally.NAME), campaigns.of(MYNA_POINT)
    case = case_at(store, MYNA_POINT, account, when.until, when.now)
    gone = stamp_rally.out_of_reach(case, rally, programme, tariff.on(day_of(when.now)))
    before = stamp_rally.applied_before(account, rally)
    why = gone if before is None else {2: before, **gone}
    return {"why": why, "reachable": not gone}
