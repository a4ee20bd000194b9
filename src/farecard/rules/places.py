"""Which command may come from which kind of place, for which kind of card.

``PLACES`` is the one table. A cell is True, or the refusal that names the rule which speaks of
the place (or no rule). Top-ups depend on the tariff and stand in ``top_up``; where a reversal
may come from depends on what it reverses and stands in ``reversal``.
"""

from collections.abc import Callable

from farecard.model.commands import CHANNELS, KINDS, PHONES
from farecard.model.verdict import No, refuse
from farecard.rules.catalogue import FAQ, GUIDE, rule

COUNTER_KINDS = ("anonymous", "named", "commuter", "child")
COUNTERS = frozenset({"counter", "other-counter"})


@rule(
    "RFD-3",
    source=GUIDE,
    ja="無記名式・記名式・定期券・こどものICOCAは、ICOCAを取り扱う当社の窓口で、その場で現金で払いもどします。",
)
def refunded_at_counters(do: str, kind: str, channel: str) -> No | None:
    """Anonymous, named, commuter and child cards are refunded (払いもどし) at the issuer's counters, in cash."""
    if kind in COUNTER_KINDS and not (do == "refund" and channel == "counter"):
        return refuse("RFD-3", "refund-at-counter")
    return None


@rule(
    "RFD-4",
    source=GUIDE,
    ja="SMART ICOCAの払いもどしは郵送です。WEBか電話で申込書を請求し、カードと一緒に返送すると、指定の口座に振り込まれます。",
)
def refunded_by_post(do: str, kind: str, channel: str) -> No | None:
    """SMART ICOCA is refunded by post: ask for the form by web or phone, return it with the card."""
    if kind != "smart":
        return None
    if do == "request_refund_form":
        return (
            None if channel in ("member-page", "phone") else refuse("RFD-4", "form-by-web-or-phone")
        )
    if do == "refund_by_post" and channel == "post":
        return None
    return refuse("RFD-4", "refund-by-post")


@rule(
    "RFD-5",
    source=GUIDE,
    ja="モバイルICOCA・Apple PayのICOCAは、アプリか会員メニューから払いもどします。デポジットはありません。",
)
def refunded_in_app(do: str, kind: str, channel: str) -> No | None:
    """Mobile and Apple Pay ICOCA are refunded from the app or the member's page; no deposit in the sum."""
    if kind in PHONES and not (do == "refund" and channel in ("icoca-app", "member-page")):
        return refuse("RFD-5", "refund-in-app")
    return None


@rule(
    "WST-5",
    source=FAQ,
    ja="ポイントチャージは、ICOCAエリア内の駅の券売機・精算機でできます。アプリのICOCAは端末の操作でできます。",
)
def charged_from_points(_do: str, kind: str, channel: str) -> No | None:
    """Points charge onto the card (ポイントチャージ) at the issuer's ticket and fare-adjustment machines; for the app's cards on the phone."""
    places = ("icoca-app",) if kind in PHONES else ("ticket-machine", "fare-adjustment")
    return None if channel in places else refuse("WST-5", "points-elsewhere")


def _refund(do: str, kind: str, channel: str) -> No | None:
    return (
        refunded_at_counters(do, kind, channel)
        or refunded_by_post(do, kind, channel)
        or refunded_in_app(do, kind, channel)
    )


def elsewhere(rule_id: str | None, *channels: str) -> No:
    """Not at this kind of place; ``places`` are those where it is done."""
    return refuse(rule_id, "not-at-this-place", places=list(channels))


def _only(rule_id: str | None, *channels: str) -> Callable[[str, str, str], No | None]:
    def check(_do: str, _kind: str, channel: str) -> No | None:
        return None if channel in channels else elsewhere(rule_id, *channels)

    return check


def _issue(do: str, kind: str, channel: str) -> No | None:
    if kind in PHONES:
        return _only(None, "icoca-app")(do, kind, channel)
    return _only(None, "counter", "other-counter", "ticket-machine")(do, kind, channel)


_CHECKS: dict[str, Callable[[str, str, str], No | None]] = {
    "issue": _issue,
    "tap_in": _only(None, "gate"),
    "tap_out": _only(None, "gate", "fare-adjustment", "counter"),
    "purchase": _only(None, "shop", "convenience-store", "petrol-station"),
    "refund": _refund,
    "request_refund_form": _refund,
    "refund_by_post": _refund,
    "report_damaged": _only(None, "counter", "other-counter"),
    "report_lost": _only(None, "counter", "other-counter", "phone", "member-page"),
    "collect_reissue": _only("RIS-4", "counter", "other-counter"),
    "move_to_phone": _only(None, "icoca-app"),
    "register_for_points": _only(None, "ticket-machine", "wester-app", "member-page"),
    "join_membership": _only(None, "wester-app", "member-page", "icoca-app", "counter"),
    "apply_myna_point": _only(
        None, "myna-point", "counter", "ticket-machine", "wester-app", "member-page", "icoca-app"
    ),
    "join_rally": _only(None, "wester-app", "member-page", "icoca-app", "counter"),
    "join_campaign": _only(None, "wester-app", "member-page", "icoca-app", "counter"),
    "change_applied_card": _only(None, "counter", "phone", "member-page", "myna-point"),
    "top_up_from_points": charged_from_points,
}

PLACES: dict[tuple[str, str, str], No | None] = {
    (do, kind, channel): check(do, kind, channel)
    for do, check in _CHECKS.items()
    for kind in KINDS
    for channel in CHANNELS
}
