"""Every problem this window may answer with, by its status, with figures to show it by."""

from farecard.model.verdict import Reason
from farecard.questions import referrals

DECIDED = {"state": "approved", "decided_by": "kato", "decided_at": "2026-03-01T12:00:00+09:00"}
# which problems each status stands for, with figures to show them by
PROBLEMS: dict[int, tuple[Reason, ...]] = {
    400: (
        Reason(None, "bad-request"),
        Reason(None, "bad-query"),
        Reason(None, "unknown-parameter", {"known": ["as_of"]}),
        Reason(None, "want-as-of", {"field": "as_of"}),
        Reason(None, "want-card-number", {"field": "number"}),
        Reason(None, "want-flag", {"field": "dry_run"}),
        Reason(None, "unknown-place", {"field": "after"}),
        Reason(None, "want-choice", {"field": "state", "choices": list(referrals.STATES)}),
        Reason(None, "want-count", {"field": "limit", "least": 1, "most": 10_000}),
        Reason(None, "no-body"),
        Reason(None, "bad-body", {"why": "Object missing required field `name`"}),
        Reason(None, "password-too-weak", {"shortest": 12, "longest": 128}),
        Reason(None, "needs-no-second", {"choices": ["reverse"]}),
        Reason(None, "bad-campaign", {"why": "edition = 1: edition 1 of minato is in the store"}),
        Reason(None, "bad-tariff", {"why": "row 'deposit': ends before it begins"}),
    ),
    401: (
        Reason(None, "no-key"),
        Reason(None, "unknown-key"),
        Reason(None, "session-ended"),
        Reason(None, "wrong-password"),
    ),
    403: (
        Reason(None, "channel-not-allowed", {"field": "channel", "choices": ["shop"]}),
        Reason(None, "place-not-allowed", {"field": "place", "bound": "till-3"}),
        Reason(None, "merchant-not-allowed", {"field": "merchant", "bound": "kiosk-1"}),
        Reason(None, "company-not-allowed", {"field": "company", "bound": "hanshin"}),
        Reason(None, "may-not-ask", {"question": "cards"}),
        Reason(None, "for-people"),
        Reason(None, "not-your-role", {"role": "clerk"}),
        Reason(None, "needs-two", {"do": "run_grants"}),
        Reason(None, "command-not-allowed", {"field": "do", "choices": ["resolve_case"]}),
        Reason(None, "by-not-allowed", {"field": "by", "bound": "sato"}),
        Reason(None, "your-own-proposal"),
        Reason(None, "not-your-proposal", {"proposed_by": "sato"}),
    ),
    404: (
        Reason(None, "no-such-address"),
        Reason(None, "unknown-card", {"field": "number"}),
        Reason(None, "unknown-case", {"field": "case"}),
        Reason(None, "unknown-proposal", {"field": "proposal"}),
    ),
    405: (Reason(None, "method-not-allowed", {"known": ["POST"]}),),
    408: (Reason(None, "too-slow"),),
    409: (Reason(None, "proposal-decided", DECIDED),),
    413: (Reason(None, "body-too-large", {"most": 65_536}),),
    415: (
        Reason(None, "wrong-media-type", {"known": ["application/json"]}),
        Reason(None, "no-encoding"),
    ),
    429: (
        Reason(None, "over-rate", {"rate": 100, "seconds": 1}),
        Reason(None, "locked", {"until": "2026-03-01T12:15:00+09:00"}),
    ),
    431: (Reason(None, "headers-too-large", {"most": 16_384}),),
    500: (Reason(None, "failed"),),
    503: (
        Reason(None, "queue-full"),
        Reason(None, "readers-busy"),
        Reason(None, "too-many-connections"),
        Reason(None, "going-home"),
        Reason(None, "outcome-unknown"),
        Reason(None, "store-unavailable"),
    ),
}
