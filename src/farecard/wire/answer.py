"""Decisions on their way out: one JSON object a line."""

import msgspec
from msgspec.structs import replace

from farecard.model.verdict import Reason

encode = msgspec.json.Encoder().encode
encode_sorted = msgspec.json.Encoder(order="sorted").encode


class Answer(msgspec.Struct, omit_defaults=True, gc=False):
    """A decision as the desk gives it. ``result`` is JSON already; texts are not made yet."""

    id: str | None
    outcome: str
    reasons: list[Reason]
    warnings: list[Reason]
    result: msgspec.Raw
    repeated: bool = False
    case: str | None = None  # referred: the number of the case it is


def encode_answer(answer: Answer) -> bytes:
    """A decision as the contract writes it, without a line end."""
    if not answer.reasons and not answer.warnings:
        return encode(answer)
    # the texts are only read in when there is something to explain
    from farecard.texts import explain

    return encode(
        replace(
            answer,
            reasons=[explain(reason) for reason in answer.reasons],
            warnings=[explain(reason) for reason in answer.warnings],
        )
    )
