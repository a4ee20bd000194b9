"""The parts that paths of an OpenAPI document are made of."""

from typing import Any

from farecard.api.known_problems import PROBLEMS
from farecard.api.problems import document
from farecard.api.schemas import CARD, COUNT, DAY, MOMENT, Schema, ref

ALWAYS = (400, 408, 431, 500, 503)
WITH_KEY = (*ALWAYS, 401, 429)
WITH_BODY = (*WITH_KEY, 403, 413, 415)


def problem_answer(status: int) -> Schema:
    """The answer of a status that is a problem, with each of its problems as an example."""
    shown = {one.code: {"value": document(status, one)} for one in PROBLEMS[status]}
    answer: Schema = {
        "description": ", ".join(shown),
        "content": {"application/problem+json": {"schema": ref("Problem"), "examples": shown}},
    }
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"schema": COUNT, "description": "seconds"}}
    return answer


def answers(statuses: tuple[int, ...], **good: Schema) -> Schema:
    """What may be answered: ``s200=`` and the like, and the problems of these statuses."""
    found = {name.removeprefix("s"): answer for name, answer in good.items()}
    return found | {str(one): {"$ref": f"#/components/responses/{one}"} for one in sorted(statuses)}


def a_json(schema: Schema, description: str, **more: Any) -> Schema:
    """An answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema, **more}}}


AS_OF = {
    "name": "as_of", "in": "query", "required": False,
    "schema": {"anyOf": [MOMENT, DAY | {"pattern": "^20"}]},
    "description": "as it was then: a time with its offset, or a day (its end, in Tokyo); without it, now",
}  # fmt: skip
NUMBER = {"name": "number", "in": "path", "required": True, "schema": CARD}
DRY_RUN = {
    "name": "dry_run", "in": "query", "required": False, "schema": {"type": "boolean", "default": False},
    "description": "decide by the same path, keep nothing and take no id",
}  # fmt: skip


def question(id: str, summary: str, answer: str, *, of_card: bool) -> Schema:
    """A question, of a card or of all."""
    statuses = (*WITH_KEY, 403, 404) if of_card else (*WITH_KEY, 403)
    return {
        "get": {
            "operationId": id,
            "summary": summary,
            "parameters": [NUMBER, AS_OF] if of_card else [AS_OF],
            "responses": answers(statuses, s200=a_json(ref(answer), summary)),
        }
    }


def a_limit(usual: int, most: int = 10_000, name: str = "limit") -> Schema:
    """A parameter that says how many at the most."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def a_body(schema: Schema) -> Schema:
    """A body in JSON."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}
