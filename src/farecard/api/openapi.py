"""What can be said to this window, as an OpenAPI 3.1 document: made from the types that read and answer it."""

from functools import cache
from typing import Any

import msgspec

from farecard.access.proposals import STATES
from farecard.access.roles import ROLES
from farecard.api.examples import EXAMPLES, PURCHASE, TAKEN, refused
from farecard.api.known_problems import PROBLEMS
from farecard.api.problems import document
from farecard.model.commands import CHANNELS, COMMANDS, name_of
from farecard.questions import checkpoints, referrals
from farecard.texts import texts

Schema = dict[str, Any]

ALWAYS = (400, 408, 431, 500, 503)
WITH_KEY = (*ALWAYS, 401, 429)

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


def _object(required: dict[str, Schema], more: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": required | (more or {}),
        "required": list(required),
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


PAYOUT = _object({"deposit": YEN, "balance": YEN, "fee": YEN, "total": YEN})
_SLIP = {"slip": TEXT, "collect_from": DAY, "due": YEN}
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
    "collect_reissue": {"card": CARD, "deposit": YEN, "balance": YEN, "points": POINTS},
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


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _commands() -> tuple[Schema, dict[str, Schema]]:
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
                part["properties"][name] = DAY if name in part["required"] else _or_null(DAY)
    for one in COMMANDS:
        parts[one.__name__]["examples"] = [EXAMPLES[name_of(one)]]
    every = {
        "oneOf": [_ref(one.__name__) for one in COMMANDS],
        "discriminator": {
            "propertyName": "do",
            "mapping": {name_of(one): _ref(one.__name__)["$ref"] for one in COMMANDS},
        },
        "description": "One command. Its id is the sender's own, once and for ever.",
    }
    return every, parts


def _reason() -> Schema:
    sentence = _object({"ja": TEXT, "en": TEXT})
    return _object(
        {
            "rule": _or_null({"type": "string", "description": "an id of the rule catalogue"}),
            "code": {"enum": sorted(texts("en"))},
            "ja": TEXT,
            "en": TEXT,
            "params": {"type": "object", "description": "the figures in the sentences"},
        },
        {"do_next": sentence, "until": {"type": "string", "description": "by when"}},
    )


def _decision() -> Schema:
    accepted = [
        {**_object(fields), "title": f"{name}, accepted"} for name, fields in RESULTS.items()
    ]
    figures = {
        "type": "object",
        "properties": FIGURES,
        "title": "not accepted: the figures it names",
    }
    return {
        **_object(
            {
                "id": _or_null({"type": "string", "maxLength": 64}),
                "outcome": {"enum": ["accepted", "refused", "referred", "invalid"]},
                "reasons": {"type": "array", "items": _ref("Reason")},
                "warnings": {"type": "array", "items": _ref("Reason")},
                "result": {"anyOf": [*accepted, figures]},
            },
            {
                "repeated": {"const": True, "description": "it had been decided before"},
                "case": CASE | {"description": "referred: the number of the case it is"},
            },
        ),
        "examples": [TAKEN, refused()],
    }


def _problem() -> Schema:
    codes = sorted(one.code for some in PROBLEMS.values() for one in some)
    return {
        **_object(
            {
                "type": {"type": "string", "format": "uri-reference"},
                "title": TEXT,
                "status": {"enum": sorted(PROBLEMS)},
                "detail": TEXT,
                "code": {"enum": codes},
                "ja": TEXT,
                "en": TEXT,
                "params": {"type": "object"},
                "do_next": _object({"ja": TEXT, "en": TEXT}),
            },
            {"rule": {"type": "null"}, "until": TEXT},
        ),
        "description": "RFC 9457, with a code, both languages and what to do next.",
    }


def _status() -> Schema:
    card = _object({
        "number": CARD, "kind": TEXT,
        "state": {"enum": ["refunded", "replaced", "stopped", "expired", "riding", "active"]},
        "balance": YEN, "deposit": YEN, "points": POINTS, "expires": _or_null(DAY), "successor": _or_null(CARD),
    })  # fmt: skip
    measure = _object(
        {
            "state": {
                "enum": ["not-applied", "counting", "waiting", "due", "granted", "not-granted"]
            },
            "points": POINTS,
            "grant_on": _or_null(DAY),
            "reasons": {"type": "array", "items": _ref("Reason")},
        },
        {"counted": YEN, "remaining": YEN},
    )
    myna = _object({
        "applied_at": MOMENT, "measures": {"type": "object", "additionalProperties": measure},
    })  # fmt: skip
    stamp = _or_null(_object({"achieved_at": MOMENT, "shows_by": DAY}))
    rally = _object({
        "stamps": {"type": "object", "additionalProperties": stamp},
        "draw": _or_null({"enum": [1, 2]}),
    })  # fmt: skip
    waiting = _object({"proposal": TEXT, "proposed_by": TEXT, "proposed_at": MOMENT})
    return _object(
        {"card": card, "myna": _or_null(myna), "rally": _or_null(rally)},
        {"proposals": {"type": "array", "items": waiting}},
    )


_LIST: Schema = {"type": "array", "items": TEXT}
_REASONS = _object({"reasons": {"type": "array", "items": _ref("Reason")}})
ANSWERS: dict[str, Schema] = {
    "Status": _status(),
    "History": {
        "type": "array",
        "items": _object({
            "id": TEXT, "at": MOMENT, "do": TEXT, "channel": {"enum": list(CHANNELS)},
            "amount": YEN, "balance": YEN, "points": {"type": "integer"},
        }),
    },
    "RefundQuote": {"anyOf": [_object(_PAID), _REASONS]},
    "ReissueQuote": {
        "anyOf": [_object({"due": YEN, "collect_from": DAY, "due_if_damaged": YEN}), _REASONS]
    },
    "Points": {"type": "array", "items": {"allOf": [_ref("Reason"), _object({"measure": _or_null(COUNT)})]}},
    "Events": _object({
        "events": {"type": "array", "items": _object({
            "sender": TEXT, "id": TEXT, "at": MOMENT, "recorded_at": MOMENT, "do": TEXT,
            "channel": {"enum": list(CHANNELS)}, "place": _or_null(TEXT), "by": _or_null(TEXT), "company": _or_null(TEXT),
            "card": _or_null(CARD), "outcome": {"enum": ["accepted", "refused", "referred", "invalid"]},
            "reasons": {"type": "array", "items": _ref("Reason")}, "warnings": {"type": "array", "items": _ref("Reason")},
            "result": {"type": "object"}, "amount": YEN, "balance": _or_null(YEN), "points": {"type": "integer"},
        }, {"case": CASE})},
        "next": {"type": "string", "description": "the place to ask after next time"},
        "more": {"type": "boolean", "description": "there is more at once"},
    }),
    "Case": _object({
        "case": CASE, "state": {"enum": list(referrals.STATES)}, "refer_to": {"enum": list(referrals.PLACES)},
        "at": MOMENT, "do": TEXT, "card": CARD, "sender": TEXT, "id": TEXT,
        "channel": {"enum": list(CHANNELS)}, "place": _or_null(TEXT), "by": _or_null(TEXT),
        "reasons": {"type": "array", "items": _ref("Reason")},
        "closed": _or_null(_object({
            "at": MOMENT, "channel": {"enum": list(CHANNELS)}, "place": _or_null(TEXT), "by": _or_null(TEXT),
            "why": TEXT, "sender": TEXT, "id": TEXT,
        })),
    }),
    "Cases": {"type": "array", "items": _ref("Case")},
    "Checkpoint": _object({
        "format": {"const": checkpoints.FORMAT}, "store": TEXT, "made_at": MOMENT,
        "heads": {"type": "array", "items": _object({"writer": TEXT, "number": COUNT, "hash": TEXT})},
        "key": {"type": "string", "description": "the public key, Ed25519"}, "signature": TEXT,
    }),
    "Session": _object({
        "name": TEXT, "role": {"enum": list(ROLES)}, "channels": _LIST, "commands": _LIST, "ask": _LIST, "acts": _LIST,
        "since": MOMENT, "until": MOMENT, "idle_until": MOMENT,
    }, {"token": {"type": "string", "description": "to be sent in place of a key; shown once"}}),
    "Proposal": _object({
        "proposal": TEXT, "state": {"enum": list(STATES)}, "about": TEXT, "why": _or_null(TEXT),
        "proposed_by": TEXT, "proposed_at": MOMENT,
        "preview": {"type": "object", "description": "what it would do: of a command its decision, of a run also the measures"},
        "decided_by": _or_null(TEXT), "decided_at": _or_null(MOMENT), "decided_why": _or_null(TEXT),
        "answer": _or_null({"type": "object", "description": "what came of it: of a command its decision"}),
    }, {"command": {"type": "object"}, "campaign": TEXT, "tariff": TEXT}),
    "Proposals": {"type": "array", "items": _ref("Proposal")},
    "Trail": {"type": "array", "items": _object({
        "n": COUNT, "at": MOMENT, "who": TEXT, "did": TEXT, "about": TEXT, "said": TEXT,
    })},
    "TrialBalance": _object({
        "accounts": {"type": "array", "items": _object({"account": TEXT, "debit": YEN, "credit": YEN, "balance": YEN})},
        "debit": YEN, "credit": YEN,
        "unused": _object({"balance": YEN, "to_secure": YEN, "report_day": {"type": "boolean"}}),
    }),
    "Health": _object({
        "status": {"const": "ok"}, "store": {"const": "ok"}, "version": TEXT, "queue_waiting": COUNT, "connections": COUNT,
    }),
}  # fmt: skip


def _problem_answer(status: int) -> Schema:
    shown = {one.code: {"value": document(status, one)} for one in PROBLEMS[status]}
    answer: Schema = {
        "description": ", ".join(shown),
        "content": {"application/problem+json": {"schema": _ref("Problem"), "examples": shown}},
    }
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"schema": COUNT, "description": "seconds"}}
    return answer


def _answers(statuses: tuple[int, ...], **good: Schema) -> Schema:
    found = {name.removeprefix("s"): answer for name, answer in good.items()}
    return found | {str(one): {"$ref": f"#/components/responses/{one}"} for one in sorted(statuses)}


def _json(schema: Schema, description: str, **more: Any) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema, **more}}}


_AS_OF = {
    "name": "as_of", "in": "query", "required": False,
    "schema": {"anyOf": [MOMENT, DAY | {"pattern": "^20"}]},
    "description": "as it was then: a time with its offset, or a day (its end, in Tokyo); without it, now",
}  # fmt: skip
_NUMBER = {"name": "number", "in": "path", "required": True, "schema": CARD}
_DRY_RUN = {
    "name": "dry_run", "in": "query", "required": False, "schema": {"type": "boolean", "default": False},
    "description": "decide by the same path, keep nothing and take no id",
}  # fmt: skip


def _question(id: str, summary: str, answer: str, *, of_card: bool) -> Schema:
    statuses = (*WITH_KEY, 403, 404) if of_card else (*WITH_KEY, 403)
    return {
        "get": {
            "operationId": id,
            "summary": summary,
            "parameters": [_NUMBER, _AS_OF] if of_card else [_AS_OF],
            "responses": _answers(statuses, s200=_json(_ref(answer), summary)),
        }
    }


def _limit(usual: int, most: int = 10_000, name: str = "limit") -> Schema:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_MORE: Schema = {"additionalProperties": False}
_PASSWORD: Schema = {"type": "string", "minLength": 1, "maxLength": 128}
_A_WHY: Schema = _or_null({"type": "string", "minLength": 1, "maxLength": 500})


def _office() -> Schema:
    """What people who work here ask for."""
    body_problems = (*WITH_KEY, 403, 413, 415)
    sign_in = (
        _object(
            {"name": {"type": "string", "minLength": 1, "maxLength": 64}, "password": _PASSWORD}
        )
        | _MORE
    )
    new_password = _object({"old": _PASSWORD, "new": _PASSWORD}) | _MORE
    kinds: Schema = {
        "command": _or_null({"type": "object"}),
        "campaign": _or_null(TEXT),
        "tariff": _or_null(TEXT),
    }
    proposed = _object({}, kinds | {"why": _A_WHY}) | _MORE
    judged = (
        _object({"decision": {"enum": ["approve", "decline", "withdraw"]}}, {"why": _A_WHY}) | _MORE
    )
    number = {
        "name": "proposal",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^P-[0-9A-Z]{10}$"},
    }
    return {
        "/v1/sign-in": {"post": {
            "operationId": "signIn", "summary": "a name and a password for a token", "security": [],
            "requestBody": _body(sign_in),
            "responses": _answers(body_problems, s200=_json(_ref("Session"), "the token, and what may be done with it")),
        }},
        "/v1/sign-out": {"post": {
            "operationId": "signOut", "summary": "end this session", "requestBody": _body({"type": "object"}),
            "responses": _answers(body_problems, s200=_json(_object({"signed_out": {"const": True}}), "it has ended")),
        }},
        "/v1/me": {"get": {
            "operationId": "me", "summary": "who has signed in, and what may be done",
            "responses": _answers((*WITH_KEY, 403), s200=_json(_ref("Session"), "the session")),
        }},
        "/v1/password": {"post": {
            "operationId": "password", "summary": "another password; all sessions end", "requestBody": _body(new_password),
            "responses": _answers(body_problems, s200=_json(_object({"changed": {"const": True}}), "it is changed")),
        }},
        "/v1/proposals": {
            "get": {
                "operationId": "proposals", "summary": "what takes two people, newest first",
                "parameters": [{"name": "state", "in": "query", "required": False, "schema": {"enum": list(STATES)}}, _limit(100)],
                "responses": _answers((*WITH_KEY, 403), s200=_json(_ref("Proposals"), "the proposals")),
            },
            "post": {
                "operationId": "propose", "summary": "propose a command of operations, a campaign or a tariff, with its preview",
                "requestBody": _body(proposed),
                "responses": _answers(
                    body_problems, s200=_json(_ref("Proposal"), "it waits for another to approve it"),
                    s422=_json(_ref("Decision"), "it would not be accepted; nothing was kept"),
                ),
            },
        },
        "/v1/proposals/{proposal}": {
            "get": {
                "operationId": "proposal", "summary": "one proposal", "parameters": [number],
                "responses": _answers((*WITH_KEY, 403, 404), s200=_json(_ref("Proposal"), "the proposal")),
            },
            "post": {
                "operationId": "judge", "summary": "approve and do it, decline it, or withdraw one's own", "parameters": [number],
                "requestBody": _body(judged),
                "responses": _answers((*body_problems, 404, 409), s200=_json(_ref("Proposal"), "what became of it")),
            },
        },
        "/v1/trail": {"get": {
            "operationId": "trail", "summary": "who did what to keys, people and proposals, newest first",
            "parameters": [_limit(10**9 - 1, 10**9 - 1, "before"), _limit(100)],
            "responses": _answers((*WITH_KEY, 403), s200=_json(_ref("Trail"), "the lines")),
        }},
    }  # fmt: skip


def _paths() -> Schema:
    decided = {
        "s200": _json(_ref("Decision"), "accepted, refused or referred", example=TAKEN),
        "s422": _json(_ref("Decision"), "invalid: no command, or not as things are"),
    }
    lines = {"application/x-ndjson": {"schema": TEXT}}
    plain: Schema = {"security": []}
    return {
        "/v1/commands": {"post": {
            "operationId": "command", "summary": "one command, one decision", "parameters": [_DRY_RUN],
            "requestBody": {"required": True, "content": {"application/json": {
                "schema": _ref("Command"), "example": PURCHASE}}},
            "responses": _answers((*WITH_KEY, 403, 413, 415), **decided),
        }},
        "/v1/journal": {"post": {
            "operationId": "journal", "summary": "commands, one a line; decisions, one a line, as they are committed",
            "requestBody": {"required": True, "content": lines},
            "responses": _answers((*WITH_KEY, 415), s200={"description": "a Decision a line", "content": lines}),
        }},
        "/v1/cards/{number}": _question("status", "what a card is", "Status", of_card=True),
        "/v1/cards/{number}/history": _question("history", "what happened with it, newest first", "History", of_card=True),
        "/v1/cards/{number}/refund-quote": _question("refundQuote", "what a refund would pay, or why not", "RefundQuote", of_card=True),
        "/v1/cards/{number}/reissue-quote": _question("reissueQuote", "what a new card would cost, or why there is none", "ReissueQuote", of_card=True),
        "/v1/cards/{number}/points": _question("points", "what became of its points, in sentences", "Points", of_card=True),
        "/v1/cases": {"get": {
            "operationId": "cases", "summary": "what was left to people, newest first",
            "parameters": [
                {"name": "state", "in": "query", "required": False, "schema": {"enum": list(referrals.STATES)}},
                {"name": "refer_to", "in": "query", "required": False, "schema": {"enum": list(referrals.PLACES)}},
                _limit(1_000),
                _AS_OF,
            ],
            "responses": _answers((*WITH_KEY, 403), s200=_json(_ref("Cases"), "the cases")),
        }},
        "/v1/cases/{case}": {"get": {
            "operationId": "case", "summary": "one case: what it is about, where it goes, how it was closed",
            "parameters": [{"name": "case", "in": "path", "required": True, "schema": CASE}, _AS_OF],
            "responses": _answers((*WITH_KEY, 403, 404), s200=_json(_ref("Case"), "the case")),
        }},
        "/v1/trial-balance": _question("trialBalance", "the books", "TrialBalance", of_card=False),
        "/v1/events": {"get": {
            "operationId": "events", "summary": "what was decided after a place: one's own commands, or all with --ask events",
            "parameters": [
                {"name": "after", "in": "query", "required": False, "schema": TEXT,
                 "description": "the next of an earlier answer; without it, from the beginning"},
                _limit(1_000),
                {"name": "wait", "in": "query", "required": False,
                 "schema": {"type": "integer", "minimum": 0, "maximum": 30, "default": 0},
                 "description": "seconds to wait for something where there is nothing yet"},
            ],
            "responses": _answers(WITH_KEY, s200=_json(_ref("Events"), "the next commands, in order")),
        }},
        "/v1/checkpoint": {"get": {
            "operationId": "checkpoint", "summary": "where the log ends now, signed: with --ask events",
            "responses": _answers((*WITH_KEY, 403), s200=_json(_ref("Checkpoint"), "the end of each writer's chain")),
        }},
        **_office(),
        "/healthz": {"get": {
            "operationId": "health", "summary": "whether the server lives and its store answers", **plain,
            "responses": _answers(ALWAYS, s200=_json(_ref("Health"), "it does")),
        }},
        "/metrics": {"get": {
            "operationId": "metrics", "summary": "numbers for Prometheus: to this machine, or to a key with --ask metrics",
            "security": [{}, {"key": []}],
            "responses": _answers((*WITH_KEY, 403), s200={
                "description": "text", "content": {"text/plain": {"schema": TEXT}}}),
        }},
    }  # fmt: skip


@cache
def openapi(version: str) -> dict[str, Any]:
    """The document."""
    command, parts = _commands()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "farecard",
            "version": version,
            "summary": "A transit IC card's desk: commands in, decisions out, every refusal with its rule.",
            "description": "Send the same id and body again whenever an answer did not come: it happens once.",
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "responses": {str(status): _problem_answer(status) for status in PROBLEMS},
            "schemas": {
                "Command": command,
                "Decision": _decision(),
                "Reason": _reason(),
                "Problem": _problem(),
                **parts,
                **ANSWERS,
            },
        },
    }
