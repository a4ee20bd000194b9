"""Reasons as sentences: made at the window from (rule, code, params), one file per language.

A text says what is refused and why, with the figures of the case; ``next`` says what can be done.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from farecard.model.verdict import Reason
from farecard.texts.written import LANGUAGES, figure

__all__ = ["LANGUAGES", "explain", "explain_all", "names", "texts"]


@cache
def texts(language: str) -> dict[str, dict[str, str]]:
    """Every code's ``text`` and ``next`` in one language."""
    found: dict[str, dict[str, str]] = tomllib.loads(
        (Path(__file__).parent / f"{language}.toml").read_text("utf-8")
    )
    return found


def explain(reason: Reason) -> dict[str, Any]:
    """A reason as the contract writes it: rule, code, both texts, and what to do next."""
    parts = {language: _sentences(reason, language) for language in LANGUAGES}
    said: dict[str, Any] = {"rule": reason.rule, "code": reason.code}
    for language, (text, then) in parts.items():
        gap = "" if language == "ja" else " "
        said[language] = f"{text}{gap}{then}" if then else text
    said["params"] = reason.params
    do_next = {language: then for language, (_, then) in parts.items() if then}
    if do_next:
        said["do_next"] = do_next
    if "until" in reason.params:
        said["until"] = reason.params["until"]
    return said


def explain_all(value: Any) -> Any:
    """An answer with each reason in it as the contract writes it."""
    if isinstance(value, Reason):
        return explain(value)
    if isinstance(value, dict):
        return {name: explain_all(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [explain_all(one) for one in value]
    return value


@cache
def names() -> dict[str, dict[str, dict[str, str]]]:
    """What people call the codes that stand in figures: by the figure's name and the code, in each language."""
    found: dict[str, dict[str, dict[str, str]]] = tomllib.loads(
        (Path(__file__).parent / "names.toml").read_text("utf-8")
    )
    return found


def _figure(name: str, value: Any, language: str) -> str:
    known = names().get(name, {})
    if isinstance(value, list):
        return figure([known[one][language] if one in known else one for one in value], language)
    return known[value][language] if value in known else figure(value, language)


def _sentences(reason: Reason, language: str) -> tuple[str, str]:
    entry = texts(language)[reason.code]
    figures = {name: _figure(name, value, language) for name, value in reason.params.items()}
    return entry["text"].format_map(figures), entry.get("next", "").format_map(figures)
