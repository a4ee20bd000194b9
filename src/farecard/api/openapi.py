"""What can be said to this window, as an OpenAPI 3.1 document."""

from functools import cache
from typing import Any

from farecard.api.known_problems import PROBLEMS
from farecard.api.path_parts import problem_answer
from farecard.api.paths import paths
from farecard.api.paths_of_people import of_members, of_staff
from farecard.api.schemas import ANSWERS, commands, decision, problem, reason


@cache
def openapi(version: str) -> dict[str, Any]:
    """The document."""
    command, parts = commands()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "farecard",
            "version": version,
            "summary": "A transit IC card's desk: commands in, decisions out, every refusal with its rule.",
            "description": "Send the same id and body again whenever an answer did not come: it happens once.",
        },
        "security": [{"key": []}],
        "paths": {**paths(), **of_staff(), **of_members()},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "responses": {str(status): problem_answer(status) for status in PROBLEMS},
            "schemas": {
                "Command": command,
                "Decision": decision(),
                "Reason": reason(),
                "Problem": problem(),
                **parts,
                **ANSWERS,
            },
        },
    }
