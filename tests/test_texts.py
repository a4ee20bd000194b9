"""The sentences of reasons: whole, alike in both languages, and none without a use."""

import ast
import string
from pathlib import Path

import pytest

from farecard.model.verdict import Reason
from farecard.texts import LANGUAGES, explain, texts

SOURCE = Path(__file__).parent.parent / "src" / "farecard"
# which argument of these calls is the code
CALLS = {"refuse": 1, "refer": 1, "Reason": 1, "invalid": 1, "_wrong": 1, "_no_answer": 1, "_try": 3, "ProposalError": 0, "ShiftError": 0, "OwningError": 0}
# codes that are put together where they are used
BUILT = {
    "card-stopped-damaged", "card-stopped-lost", "card-replaced-damaged", "card-replaced-lost",
    "card-replaced-moved", "over-ceiling", "over-ceiling-none", "slip-replaced", "slip-used",
    "not-collected", "not-collected-phone", "want-flag", "want-text", "not-reported-in-time", "not-filed-in-time", "not-complete-in-time",
    "bad-campaign", "bad-tariff",
}  # fmt: skip


def codes_in_the_source():
    found = set(BUILT)
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", None))
                at = CALLS.get(name)
                if at is not None and len(node.args) > at:
                    code = node.args[at]
                    if isinstance(code, ast.Constant) and isinstance(code.value, str):
                        found.add(code.value)
    return found


def marks(entry):
    """The figures a sentence names."""
    return {
        name for text in entry.values() for _, name, _, _ in string.Formatter().parse(text) if name
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_sentences_and_every_sentence_its_code(language):
    """The list of codes is closed."""
    assert set(texts(language)) == codes_in_the_source()


def test_both_languages_say_the_same():
    """The same codes, the same figures, a next step in both or in neither."""
    ja, en = texts("ja"), texts("en")
    for code in ja:
        assert marks(ja[code]) == marks(en[code]), code
        assert set(ja[code]) == set(en[code]), code


def test_a_reason_is_written_with_its_texts_figures_and_next_step():
    """What the contract adds to rule and code."""
    said = explain(Reason("PUB-1", "over-ceiling", {"balance": 11_500, "ceiling": 20_000, "largest": 8_000}))
    assert said == {
        "rule": "PUB-1",
        "code": "over-ceiling",
        "ja": "残高は20,000円までです。いまの残高は11,500円です。8,000円まで入金できます。",
        "en": "A card holds at most ¥20,000; it holds ¥11,500 now. Up to ¥8,000 can be put on it.",
        "params": {"balance": 11_500, "ceiling": 20_000, "largest": 8_000},
        "do_next": {"ja": "8,000円まで入金できます。", "en": "Up to ¥8,000 can be put on it."},
    }
