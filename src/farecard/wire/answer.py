"""Decisions on their way out: one JSON object a line."""

from typing import Any

import msgspec

from farecard.model.verdict import Reason

encode = msgspec.json.Encoder().encode
encode_sorted = msgspec.json.Encoder(order="sorted").encode


class Answer(msgspec.Struct, gc=False):
    """A decision as the desk gives it. ``result`` is JSON already; texts are not made yet."""

    id: str | None
    outcome: str
    reasons: list[Reason]
    warnings: list[Reason]
    result: msgspec.Raw
    repeated: bool = False


class _Line(msgspec.Struct, omit_defaults=True, gc=False):
    id: str | None
    outcome: str
    reasons: list[Any]
    warnings: list[Any]
    result: msgspec.Raw
    repeated: bool = False


def encode_answer(answer: Answer) -> bytes:
    """A decision as the contract writes it, without a line end."""
    reasons: list[Any] = []
    warnings: list[Any] = []
    if answer.reasons or answer.warnings:
        # the texts are only read in when there is something to explain
        from farecard.texts import explain

        reasons = [explain(reason) for reason in answer.reasons]
        warnings = [explain(reason) for reason in answer.warnings]
    return encode(
        _Line(answer.id, answer.outcome, reasons, warnings, answer.result, answer.repeated)
    )
