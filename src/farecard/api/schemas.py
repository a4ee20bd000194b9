"""The shapes of what is said and answered here, as JSON Schemas: made from the types that read and answer it."""

from typing import Any

import msgspec

from farecard.access import owning
from farecard.access.proposals import STATES
from farecard.access.roles import ROLES
from farecard.access.sessions import MEMBER
from farecard.api.examples import EXAMPLES, TAKEN, refused
from farecard.api.known_problems import PROBLEMS
from farecard.model.commands import CHANNELS, COMMANDS, KINDS, name_of
from farecard.questions import checkpoints, referrals
from farecard.texts import texts

Schema = dict[str, Any]

YEN: Schema = {"type": "integer", "description": "yen"}
POINTS: Schema = {"type": "integer", "minimum": 0, "description": "points"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
CARD: Schema = {"type": "string", "pattern": "^JW[0-9]{15}$", "description": "a card number"}
CASE: Schema = {
    "type": "string", "pattern": "^C[0-9]{15}-[0-9A-HJKMNP-TV-Z]{8}$", "description": "a case's number",
}  # fmt: skip
MOMENT: Schema = {
    "type": "string", "format": "date-time", "pattern": "^20",
    "description": "RFC 3339 with its offset, 2000 to 2099, at most 6 decimals",
}  # fmt: skip
DAY: Schema = {"type": "string", "format": "date", "description": "a day in Tokyo"}


def an_object(required: dict[str, Schema], more: dict[str, Schema] | None = None) -> Schema:
    """An object with fields that are always there, and others."""
    return {
        "type": "object",
        "properties": required | (more or {}),
        "required": list(required),
    }


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


PAYOUT = an_object({"deposit": YEN, "balance": YEN, "fee": YEN, "total": YEN})
_SLIP = {
    "slip": TEXT, "collect_from": DAY, "collect_until": DAY, "due": YEN, "fee": YEN,
    "collect_at": {"type": "string", "description": "who sold it and hands over the new one: `issuer`, or a company's name"},
}  # fmt: skip
_PAID = {"payout": PAYOUT, "paid_by": {"enum": ["cash", "app", "bank-transfer"]}}
# what an accepted command's ``result`` says
RESULTS: dict[str, dict[str, Schema]] = {
    "issue": {"deposit": YEN, "balance": YEN},
    "top_up": {"balance": YEN},
    "tap_in": {"balance": YEN},
    "tap_out": {"fare": YEN, "balance": YEN},
    "purchase": {"from_card": YEN, "from_cash": YEN, "balance": YEN},
    "reverse": {"balance": YEN},
    "refund": _PAID,
    "request_refund_form": {"form": TEXT},
    "refund_by_post": _PAID,
    "report_damaged": _SLIP,
    "report_lost": _SLIP,
    "collect_reissue": {"card": CARD, "deposit": YEN, "balance": YEN, "points": POINTS, "fee": YEN},
    "move_to_phone": {"card": CARD, "balance": YEN, "points": POINTS},
    "register_for_points": {"may_apply_from": DAY},
    "join_membership": {"member": TEXT, "point_history_at": {"type": "array", "items": TEXT}},
    "top_up_from_points": {"balance": YEN, "points": POINTS},
    "apply_myna_point": {"measures": {"type": "array", "items": {"enum": [1, 2, 3]}}},
    "confirm_insurance_card": {},
    "file_account": {},
    "confirm_account": {},
    "change_applied_card": {},
    "run_grants": {"grants": COUNT, "points": POINTS, "points_name": TEXT},
    "join_campaign": {"campaign": TEXT, "measures": {"type": "array", "items": COUNT}},
    "join_rally": {"rally": TEXT},
    "commit_draw": {"root": TEXT, "entrants": COUNT},
    "draw_lottery": {"entrants": COUNT, "winners": {"type": "array", "items": CARD}},
    "resolve_case": {"case": CASE, "decision": {"enum": ["granted", "declined"]}},
}
FIGURES: dict[str, Schema] = {  # that a refusal may name
    "shortfall": YEN, "largest": YEN, "expected": YEN, "latest": MOMENT,
    "left_today": YEN, "left_this_month": YEN, "points": POINTS, "from": DAY,
}  # fmt: skip
_DAYS = {"born", "expires", "points_registered_on", "valid_from", "valid_until", "applied_on"}


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def commands() -> tuple[Schema, dict[str, Schema]]:
    """One schema for all commands, and those it refers to: as the types have them, with what their text must be."""
    kinds: Any = COMMANDS[0]
    for one in COMMANDS[1:]:
        kinds = kinds | one
    _, parts = msgspec.json.schema_components([kinds], ref_template="#/components/schemas/{name}")
    for part in parts.values():
        for name, schema in part["properties"].items():
            if name == "at":
                schema.update(MOMENT)
            elif name in ("card", "to") and not schema:
                schema.update(CARD)
            elif name in _DAYS:
                part["properties"][name] = DAY if name in part["required"] else or_null(DAY)
    for one in COMMANDS:
        parts[one.__name__]["examples"] = [EXAMPLES[name_of(one)]]
    every = {
        "oneOf": [ref(one.__name__) for one in COMMANDS],
        "discriminator": {
            "propertyName": "do",
            "mapping": {name_of(one): ref(one.__name__)["$ref"] for one in COMMANDS},
        },
        "description": "One command. Its id is the sender's own, once and for ever.",
    }
    return every, parts


def reason() -> Schema:
    """A reason."""
    sentence = an_object({"ja": TEXT, "en": TEXT})
    return an_object(
        {
            "rule": or_null({"type": "string", "description": "an id of the rule catalogue"}),
            "code": {"enum": sorted(texts("en"))},
            "ja": TEXT,
            "en": TEXT,
            "params": {"type": "object", "description": "the figures in the sentences"},
        },
        {"do_next": sentence, "until": {"type": "string", "description": "by when"}},
    )


def decision() -> Schema:
    """A decision."""
    accepted = [
        {**an_object(fields), "title": f"{name}, accepted"} for name, fields in RESULTS.items()
    ]
    figures = {
        "type": "object",
        "properties": FIGURES,
        "title": "not accepted: the figures it names",
    }
    return {
        **an_object(
            {
                "id": or_null({"type": "string", "maxLength": 64}),
                "outcome": {"enum": ["accepted", "refused", "referred", "invalid"]},
                "reasons": {"type": "array", "items": ref("Reason")},
                "warnings": {"type": "array", "items": ref("Reason")},
                "result": {"anyOf": [*accepted, figures]},
            },
            {
                "repeated": {"const": True, "description": "it had been decided before"},
                "case": CASE | {"description": "referred: the number of the case it is"},
            },
        ),
        "examples": [TAKEN, refused()],
    }


def problem() -> Schema:
    """A problem document."""
    codes = sorted(one.code for some in PROBLEMS.values() for one in some)
    return {
        **an_object(
            {
                "type": {"type": "string", "format": "uri-reference"},
                "title": TEXT,
                "status": {"enum": sorted(PROBLEMS)},
                "detail": TEXT,
                "code": {"enum": codes},
                "ja": TEXT,
                "en": TEXT,
                "params": {"type": "object"},
                "do_next": an_object({"ja": TEXT, "en": TEXT}),
            },
            {"rule": or_null(TEXT), "until": TEXT},
        ),
        "description": "RFC 9457, with a code, both languages and what to do next.",
    }


def _status() -> Schema:
    card = an_object({
        "number": CARD, "kind": TEXT,
        "state": {"enum": ["refunded", "replaced", "stopped", "expired", "riding", "active"]},
        "balance": YEN, "deposit": YEN, "points": POINTS, "expires": or_null(DAY), "successor": or_null(CARD),
        "ride": or_null(an_object({"station": TEXT, "since": MOMENT})),
    })  # fmt: skip
    measure = an_object(
        {
            "state": {
                "enum": ["not-applied", "counting", "waiting", "due", "granted", "not-granted"]
            },
            "points": POINTS,
            "grant_on": or_null(DAY),
            "reasons": {"type": "array", "items": ref("Reason")},
        },
        {
            "target": YEN,
            "counted": YEN,
            "remaining": YEN,
            "outlook": an_object(
                {},
                {
                    name: an_object({"points": POINTS, "grant_on": DAY})
                    for name in ("as_it_is", "at_target")
                },
            ),
            "top_ups": {
                "type": "array",
                "items": an_object(
                    {
                        "at": MOMENT,
                        "channel": {"enum": list(CHANNELS)},
                        "amount": YEN,
                        "counts": {"type": "boolean"},
                        "reasons": {"type": "array", "items": ref("Reason")},
                    }
                ),
            },
        },
    )
    myna = an_object({
        "applied_at": MOMENT, "measures": {"type": "object", "additionalProperties": measure},
    })  # fmt: skip
    stamp = or_null(an_object({"achieved_at": MOMENT, "shows_by": DAY}))
    rally = an_object({
        "stamps": {"type": "object", "additionalProperties": stamp},
        "draw": or_null({"enum": [1, 2]}),
    })  # fmt: skip
    waiting = an_object({"proposal": TEXT, "proposed_by": TEXT, "proposed_at": MOMENT})
    return an_object(
        {"card": card, "myna": or_null(myna), "rally": or_null(rally)},
        {"proposals": {"type": "array", "items": waiting}},
    )


_LIST: Schema = {"type": "array", "items": TEXT}
_REASONS = an_object({"reasons": {"type": "array", "items": ref("Reason")}})
RECOVERY_CODES: Schema = {
    "type": "array",
    "items": TEXT,
    "description": "shown once; each is good once, for another password",
}
_OWN_CARD = an_object({
    "card": CARD, "kind": {"enum": list(KINDS)}, "since": MOMENT,
    "how": {"enum": [owning.HOLDER, *owning.IN_HAND], "description": "the proof: what the holder had said, or a code from where"},
})  # fmt: skip
ANSWERS: dict[str, Schema] = {
    "Status": _status(),
    "History": {
        "type": "array",
        "items": an_object({
            "id": TEXT, "at": MOMENT, "do": TEXT, "channel": {"enum": list(CHANNELS)},
            "amount": YEN, "balance": YEN, "points": {"type": "integer"},
        }),
    },
    "RefundQuote": {"anyOf": [an_object(_PAID), _REASONS]},
    "ReissueQuote": {
        "anyOf": [an_object({"due": YEN, "fee": YEN, "deposit": YEN, "collect_from": DAY, "collect_until": DAY, "due_if_damaged": YEN}), _REASONS]
    },
    "QuickChargeQuote": {
        "anyOf": [an_object({
            "amounts": {"type": "array", "items": YEN}, "left_today": YEN, "left_this_month": YEN,
            "day_limit": YEN, "month_limit": YEN,
        }), _REASONS]
    },
    "Points": {"type": "array", "items": {"allOf": [ref("Reason"), an_object({"measure": or_null(COUNT)})]}},
    "Events": an_object({
        "events": {"type": "array", "items": an_object({
            "sender": TEXT, "id": TEXT, "at": MOMENT, "recorded_at": MOMENT, "do": TEXT,
            "channel": {"enum": list(CHANNELS)}, "place": or_null(TEXT), "by": or_null(TEXT), "company": or_null(TEXT),
            "card": or_null(CARD), "outcome": {"enum": ["accepted", "refused", "referred", "invalid"]},
            "reasons": {"type": "array", "items": ref("Reason")}, "warnings": {"type": "array", "items": ref("Reason")},
            "result": {"type": "object"}, "amount": YEN, "balance": or_null(YEN), "points": {"type": "integer"},
        }, {"case": CASE})},
        "next": {"type": "string", "description": "the place to ask after next time"},
        "more": {"type": "boolean", "description": "there is more at once"},
    }),
    "Case": an_object({
        "case": CASE, "state": {"enum": list(referrals.STATES)}, "refer_to": {"enum": list(referrals.PLACES)},
        "at": MOMENT, "do": TEXT, "card": CARD, "sender": TEXT, "id": TEXT,
        "channel": {"enum": list(CHANNELS)}, "place": or_null(TEXT), "by": or_null(TEXT),
        "reasons": {"type": "array", "items": ref("Reason")},
        "closed": or_null(an_object({
            "at": MOMENT, "channel": {"enum": list(CHANNELS)}, "place": or_null(TEXT), "by": or_null(TEXT),
            "why": TEXT, "sender": TEXT, "id": TEXT,
        })),
    }),
    "Cases": {"type": "array", "items": ref("Case")},
    "Checkpoint": an_object({
        "format": {"const": checkpoints.FORMAT}, "store": TEXT, "made_at": MOMENT,
        "heads": {"type": "array", "items": an_object({"writer": TEXT, "number": COUNT, "hash": TEXT})},
        "key": {"type": "string", "description": "the public key, Ed25519"}, "signature": TEXT,
    }),
    "Session": an_object({
        "name": TEXT, "role": {"enum": [*ROLES, MEMBER]}, "channels": _LIST, "commands": _LIST, "ask": _LIST, "acts": _LIST,
        "since": MOMENT, "until": MOMENT, "idle_until": MOMENT,
    }, {"token": {"type": "string", "description": "to be sent in place of a key; shown once"}}),
    "RecoveryCodes": an_object({"recovery_codes": RECOVERY_CODES}),
    "Enrolled": an_object({"member": {"type": "string", "description": "the id; the sender of what is sent is member:ID"},
                           "recovery_codes": RECOVERY_CODES}),
    "OwnCard": _OWN_CARD,
    "OwnCards": an_object({"cards": {"type": "array", "items": _OWN_CARD}, "recovery_codes_left": COUNT}),
    "GivenCode": an_object({"code": TEXT, "until": MOMENT}),
    "Proposal": an_object({
        "proposal": TEXT, "state": {"enum": list(STATES)}, "about": TEXT, "why": or_null(TEXT),
        "proposed_by": TEXT, "proposed_at": MOMENT,
        "preview": {"type": "object", "description": "what it would do: of a command its decision, of a run also the measures"},
        "decided_by": or_null(TEXT), "decided_at": or_null(MOMENT), "decided_why": or_null(TEXT),
        "answer": or_null({"type": "object", "description": "what came of it: of a command its decision"}),
    }, {"command": {"type": "object"}, "campaign": TEXT, "tariff": TEXT}),
    "Proposals": {"type": "array", "items": ref("Proposal")},
    "Trail": {"type": "array", "items": an_object({
        "n": COUNT, "at": MOMENT, "who": TEXT, "did": TEXT, "about": TEXT, "said": TEXT,
    })},
    "TrialBalance": an_object({
        "accounts": {"type": "array", "items": an_object({"account": TEXT, "debit": YEN, "credit": YEN, "balance": YEN})},
        "debit": YEN, "credit": YEN,
        "unused": an_object({"balance": YEN, "to_secure": YEN, "report_day": {"type": "boolean"}}),
    }),
    "Health": an_object({
        "status": {"const": "ok"}, "store": {"const": "ok"}, "version": TEXT, "queue_waiting": COUNT, "connections": COUNT,
    }),
}  # fmt: skip
