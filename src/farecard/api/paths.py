"""What can be asked where, as paths of an OpenAPI document: what terminals, shops and companies ask for."""

from farecard.api.examples import PURCHASE, TAKEN
from farecard.api.path_parts import (
    ALWAYS,
    AS_OF,
    DRY_RUN,
    WITH_BODY,
    WITH_KEY,
    a_json,
    a_limit,
    answers,
    question,
)
from farecard.api.schemas import CASE, TEXT, Schema, ref
from farecard.questions import referrals


def paths() -> Schema:
    """All but what people ask for."""
    decided = {
        "s200": a_json(ref("Decision"), "accepted, refused or referred", example=TAKEN),
        "s422": a_json(ref("Decision"), "invalid: no command, or not as things are"),
    }
    lines = {"application/x-ndjson": {"schema": TEXT}}
    plain: Schema = {"security": []}
    return {
        "/v1/commands": {"post": {
            "operationId": "command", "summary": "one command, one decision", "parameters": [DRY_RUN],
            "requestBody": {"required": True, "content": {"application/json": {
                "schema": ref("Command"), "example": PURCHASE}}},
            "responses": answers(WITH_BODY, **decided),
        }},
        "/v1/journal": {"post": {
            "operationId": "journal", "summary": "commands, one a line; decisions, one a line, as they are committed",
            "requestBody": {"required": True, "content": lines},
            "responses": answers((*WITH_KEY, 403, 415), s200={"description": "a Decision a line", "content": lines}),
        }},
        "/v1/cards/{number}": question("status", "what a card is", "Status", of_card=True),
        "/v1/cards/{number}/history": question("history", "what happened with it, newest first", "History", of_card=True),
        "/v1/cards/{number}/refund-quote": question("refundQuote", "what a refund would pay, or why not", "RefundQuote", of_card=True),
        "/v1/cards/{number}/reissue-quote": question("reissueQuote", "what a new card would cost, or why there is none", "ReissueQuote", of_card=True),
        "/v1/cards/{number}/quick-charge-quote": question("quickChargeQuote", "what is left for quick charges, or why there are none", "QuickChargeQuote", of_card=True),
        "/v1/cards/{number}/points": question("points", "what became of its points, in sentences", "Points", of_card=True),
        "/v1/cases": {"get": {
            "operationId": "cases", "summary": "what was left to people, newest first",
            "parameters": [
                {"name": "state", "in": "query", "required": False, "schema": {"enum": list(referrals.STATES)}},
                {"name": "refer_to", "in": "query", "required": False, "schema": {"enum": list(referrals.PLACES)}},
                a_limit(1_000),
                AS_OF,
            ],
            "responses": answers((*WITH_KEY, 403), s200=a_json(ref("Cases"), "the cases")),
        }},
        "/v1/cases/{case}": {"get": {
            "operationId": "case", "summary": "one case: what it is about, where it goes, how it was closed",
            "parameters": [{"name": "case", "in": "path", "required": True, "schema": CASE}, AS_OF],
            "responses": answers((*WITH_KEY, 403, 404), s200=a_json(ref("Case"), "the case")),
        }},
        "/v1/trial-balance": question("trialBalance", "the books", "TrialBalance", of_card=False),
        "/v1/events": {"get": {
            "operationId": "events", "summary": "what was decided after a place: one's own commands, or all with --ask events",
            "parameters": [
                {"name": "after", "in": "query", "required": False, "schema": TEXT,
                 "description": "the next of an earlier answer; without it, from the beginning"},
                a_limit(1_000),
                {"name": "wait", "in": "query", "required": False,
                 "schema": {"type": "integer", "minimum": 0, "maximum": 30, "default": 0},
                 "description": "seconds to wait for something where there is nothing yet"},
            ],
            "responses": answers(WITH_KEY, s200=a_json(ref("Events"), "the next commands, in order")),
        }},
        "/v1/checkpoint": {"get": {
            "operationId": "checkpoint", "summary": "where the log ends now, signed: with --ask events",
            "responses": answers((*WITH_KEY, 403), s200=a_json(ref("Checkpoint"), "the end of each writer's chain")),
        }},
        "/healthz": {"get": {
            "operationId": "health", "summary": "whether the server lives and its store answers", **plain,
            "responses": answers(ALWAYS, s200=a_json(ref("Health"), "it does")),
        }},
        "/metrics": {"get": {
            "operationId": "metrics", "summary": "numbers for Prometheus: to this machine, or to a key with --ask metrics",
            "security": [{}, {"key": []}],
            "responses": answers((*WITH_KEY, 403), s200={
                "description": "text", "content": {"text/plain": {"schema": TEXT}}}),
        }},
    }  # fmt: skip
