"""A command of each kind as somebody would send it, and decisions on two of them."""

from typing import Any

from farecard.model.verdict import Reason
from farecard.texts import explain

CARD = "JW000000000000001"
NEW = "JW000000000000002"


def _at(channel: str, do: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"{do}-1",
        "at": "2023-03-01T12:00:00+09:00",
        "channel": channel,
        "do": do,
        **fields,
    }


HOLDER = {"name": "見本 花子", "kana": "ミホン ハナコ", "born": "1990-04-01", "phone": "0600000000"}
BANK = {
    "bank": "見本銀行",
    "branch": "本店",
    "kind": "普通",
    "number": "0000000",
    "holder_kana": "ミホン ハナコ",
}

_EVERY = (
    _at("counter", "issue", card=CARD, kind="named", paid=2000, holder=HOLDER),
    _at("charge-machine", "top_up", card=CARD, amount=1000, tender="cash"),
    _at("gate", "tap_in", card=CARD, station="Osaka"),
    _at("gate", "tap_out", card=CARD, station="Kyoto"),
    _at("shop", "purchase", card=CARD, amount=680, merchant="kiosk-1"),
    _at("shop", "reverse", of="purchase-1", why="wrong amount"),
    _at("counter", "refund", card=CARD),
    _at("member-page", "request_refund_form", card=CARD),
    _at("post", "refund_by_post", card=CARD, form="F-1", bank_account=BANK),
    _at("counter", "report_damaged", card=CARD),
    _at("phone", "report_lost", card=CARD),
    _at("counter", "collect_reissue", slip="S-1", card=NEW, paid=1020),
    _at("icoca-app", "move_to_phone", card=CARD, to=NEW, kind="mobile"),
    _at("ticket-machine", "register_for_points", card=CARD),
    _at("wester-app", "join_membership", card=CARD, member="m-4711"),
    _at("ticket-machine", "top_up_from_points", card=CARD, points=500),
    _at("myna-point", "apply_myna_point", card=CARD, person="p-8a1f", measures=[1, 2]),
    _at("myna-point", "confirm_insurance_card", person="p-8a1f"),
    _at("myna-point", "file_account", person="p-8a1f"),
    _at("myna-point", "confirm_account", person="p-8a1f"),
    _at("counter", "change_applied_card", person="p-8a1f", card=NEW),
    _at("operations", "run_grants", month="2023-08"),
    _at("member-page", "join_campaign", card=CARD, campaign="minato"),
    _at("member-page", "join_rally", card=CARD),
    _at("operations", "commit_draw", draw=1, seed_source="the closing value of the Nikkei 225 on 2024-02-01"),
    _at("operations", "draw_lottery", draw=1, winners=100, seed="36011.46"),
    _at("counter", "resolve_case", case="C000000000000002-7Q2MX4KD", decision="granted", why="two people: the papers were seen"),
)  # fmt: skip
EXAMPLES: dict[str, dict[str, Any]] = {one["do"]: one for one in _EVERY}
PURCHASE = EXAMPLES["purchase"]

TAKEN: dict[str, Any] = {
    "id": "purchase-1", "outcome": "accepted", "reasons": [], "warnings": [],
    "result": {"from_card": 680, "from_cash": 0, "balance": 820},
}  # fmt: skip


def refused() -> dict[str, Any]:
    """A refusal that names its figure."""
    figures = {"balance": 500, "amount": 680, "cash": 0, "shortfall": 180}
    reason = Reason("SHOP-1", "purchase-shortfall", figures)
    return {
        "id": "purchase-1", "outcome": "refused", "reasons": [explain(reason)], "warnings": [],
        "result": {"shortfall": 180},
    }  # fmt: skip
