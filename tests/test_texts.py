"""The sentences of reasons: whole, alike in both languages, and none without a use."""

import ast
import re
import string
from pathlib import Path

import pytest

from farecard.model.verdict import Reason
from farecard.pages.language import Language, words
from farecard.rules.catalogue import RULES
from farecard.texts import LANGUAGES, explain, texts, written

SOURCE = Path(__file__).parent.parent / "src" / "farecard"
# which argument of these calls is the code
CALLS = {"refuse": 1, "refer": 1, "Reason": 1, "invalid": 1, "_wrong": 1, "_no_answer": 1, "_try": 3, "ProposalError": 0, "ShiftError": 0, "OwningError": 0}
# codes that are put together where they are used
BUILT = {
    "card-stopped-damaged", "card-stopped-lost", "card-replaced-damaged", "card-replaced-lost",
    "card-replaced-moved", "over-ceiling", "over-ceiling-none", "slip-replaced", "slip-used",
    "not-collected", "not-collected-now", "not-collected-stopped", "not-collected-phone", "want-flag", "want-text", "not-reported-in-time", "not-filed-in-time", "not-complete-in-time",
    "bad-campaign", "bad-tariff", "register-at-machine", "too-late-to-register",
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


def test_days_and_times_stand_in_sentences_as_people_write_them():
    """A machine reads them in params, as the contract writes them."""
    said = explain(Reason("RIS-3", "collect-too-early", {"collect_from": "2023-02-02"}))
    assert said["ja"].startswith("新しいカードは2023年2月2日（木）から受け取れます。")
    assert said["en"].startswith("The new card can be collected from Thu 2 February 2023.")
    assert said["params"] == {"collect_from": "2023-02-02"}
    ride = {"station": "minato", "since": "2023-02-01T09:05:00+09:00"}
    said = explain(Reason("RIDE-1", "mid-ride", ride))
    assert "began at minato on Wed 1 February 2023 9:05." in said["en"]
    assert "2023年2月1日（水） 9:05" in said["ja"]


@pytest.mark.parametrize(
    ("value", "ja", "en"),
    [
        (20_000, "20,000", "20,000"),
        ("2024-02-29", "2024年2月29日（木）", "Thu 29 February 2024"),
        ("2023-02-29", "2023-02-29", "2023-02-29"),  # no such day: as it was typed
        ("2023-02-31T10:00:00+09:00", "2023-02-31T10:00:00+09:00", "2023-02-31T10:00:00+09:00"),
        ("2023-03-31T15:00:00+00:00", "2023年4月1日（土） 0:00", "Sat 1 April 2023 0:00"),  # Tokyo's
        ("2023-03", "2023年3月", "March 2023"),
        ("2023-13", "2023-13", "2023-13"),  # nor such a month
        (-2_000, "−2,000", "−2,000"),
        ("till-3", "till-3", "till-3"),
        (["2023-03-01", 1_000], "2023年3月1日（水）、1,000", "Wed 1 March 2023, 1,000"),
        (None, "None", "None"),
    ],
)
def test_a_figure_is_written_by_what_it_is(value, ja, en):
    """Only a whole day or moment of an answer is a date; anything else stays as it is."""
    assert (written.figure(value, "ja"), written.figure(value, "en")) == (ja, en)


def figures_with_rules():
    """The figures of each reason that names a rule: of its sentences, and of the calls that make it."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(node.func, "id", getattr(node.func, "attr", None)) if isinstance(node, ast.Call) else None
            if name not in ("Reason", "refuse", "refer") or len(node.args) < 2:
                continue
            rule, code, *given = node.args
            if isinstance(rule, ast.Constant) and rule.value is None:
                continue
            if isinstance(code, ast.Constant):
                found |= marks(texts("en")[code.value])
            found |= {one.arg for one in node.keywords if one.arg}
            dicts = [one for one in given if isinstance(one, ast.Dict)]
            found |= {key.value for one in dicts for key in one.keys if key is not None}
    return found


# said where nothing was refused, or where the sentence is itself what to do: how a field is to be written
SAY_ALL = {
    "want-text", "want-whole-yen", "want-whole-number", "want-object", "want-date", "points-lost", "points-do-not-count", "taken-back",
    "before-applying", "after-the-end", "before-the-beginning", "applied-on", "nobody-applied", "not-applied-for", "joined-on",
    "month-granted", "points-granted", "share-where-short",
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_refused_says_what_to_do_next(language):
    """No dead end: every sentence has its next step, but for those that tell how things are."""
    assert {code for code, one in texts(language).items() if not one.get("next")} == SAY_ALL


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_it_is_done_is_said_by_the_places_names(language):
    """A machine reads codes of places in the figures; people read their names, also in the page's list of figures."""
    told = explain(Reason(None, "not-at-this-place", {"places": ["counter", "icoca-app"]}))
    joined = {"ja": "窓口、ICOCAアプリ", "en": "counter, ICOCA app"}[language]
    assert joined in told["do_next"][language]
    assert told["params"] == {"places": ["counter", "icoca-app"]}
    assert joined in Language(language).figure("places", ["counter", "icoca-app"])
    closed = explain(Reason(None, "case-closed", {"decision": "granted", "closed_at": "2023-03-02T09:00:00+09:00"}))
    assert "granted" not in closed["ja"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_a_rule_decides_by_has_a_name_on_the_pages(language):
    """What a decision was made of is told to people, not only to programs."""
    named = {key.removeprefix("figure.") for key in words(language) if key.startswith("figure.")}
    used = figures_with_rules()
    assert {"shortfall", "until", "refer_to"} <= used
    assert used - named == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_source_has_a_title_on_the_pages(language):
    """People know documents by title; a file's name says nothing to them."""
    say = Language(language)
    for rule in RULES.values():
        assert say.titled(rule.source)
        assert ".txt" not in say.titled(rule.source)


def test_rules_say_days_as_people_do():
    """Their sentences stand on pages."""
    for rule in RULES.values():
        assert not re.search(r"\d{4}-\d\d", rule.en + rule.ja), rule.id


# -- as pages say them ---------------------------------------------------------------------------

# what only a program is told: of lines, bodies, headers and parameters that no page sends
TO_PROGRAMS = {
    "bad-json", "not-an-object", "line-too-long", "duplicate-key", "want-object", "want-flag", "unknown-place", "unknown-parameter", "want-as-of",
    "no-key", "no-body", "no-encoding", "wrong-media-type", "headers-too-large", "for-people", "for-members", "one-at-a-time", "needs-no-second",
}  # fmt: skip
OF_MACHINES = {
    "en": r"/docs|/v1|farecard |--\w|this address|question mark|percent|\bids?\b|JSON|UTF|RFC|YYYY|\bPOST\b|\bGET\b|\btoken|parameter|\bbody\b|header|\bserver\b|\b(?:a|this|that) command\b|commands|request|this key is bound|a key of|decimal|_",
    "ja": r"/docs|/v1|farecard |--\w|このアドレス|「\?」|パーセント|[^A-Za-z]id[^A-Za-z]|識別子|JSON|UTF|RFC|YYYY|\bPOST\b|\bGET\b|トークン|パラメーター|本文|ヘッダー|サーバー|コマンド|この要求|キー|ビット|_",
}  # fmt: skip


def as_on_a_page(code, language):
    """What a page says of a code, each figure as its name in angles."""
    figures = {name: f"<{name}>" for name in marks(texts("en")[code])}
    both = explain(Reason(None, code, figures)) | {"code": code}
    for name in ("en", "ja"):
        both[name] = both[name].replace("<field>: ", "", 1)
    return Language(language).said(both)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_speaks_of_addresses_commands_or_ids(language):
    """Whoever reads a page has buttons and fields; the sentences for programs stay where programs are told."""
    assert codes_in_the_source() >= TO_PROGRAMS
    machines = re.compile(OF_MACHINES[language])
    for code in set(texts(language)) - TO_PROGRAMS:
        said = as_on_a_page(code, language)
        assert not machines.search(re.sub(r"<\w+>", "", said)), (code, said)
        assert not re.search("<(choices|field|question|channel|known)>", said), (code, said)


def test_what_only_programs_are_told_no_page_says():
    """Or it would need words for people."""
    pages = "".join(path.read_text("utf-8") for path in (SOURCE / "pages").rglob("*.py"))
    assert not [code for code in TO_PROGRAMS if f'"{code}"' in pages]


def test_what_pages_say_instead_is_of_a_code_with_its_figures():
    """A word for a code that is gone, or a figure it does not have, would never be seen."""
    said = {key.removeprefix("says."): word for key, word in words("en").items() if key.startswith("says.")}
    then = {key.removeprefix("then."): word for key, word in words("en").items() if key.startswith("then.")}
    assert then.keys() <= said.keys() <= texts("en").keys()
    assert not said.keys() & TO_PROGRAMS
    for code, word in said.items():
        assert marks({"text": word, "next": then.get(code, "")}) <= marks(texts("en")[code]), code


def test_a_role_is_called_by_its_name():
    """In Japanese no word of English."""
    said = explain(Reason(None, "not-your-role", {"role": "clerk"}))
    assert Language("ja").said(said) == "役割「窓口係」ではできません。担当の人に頼んでください。"
    assert Language("en").why(said) == "This is not for the role clerk."
    assert Language("en").then(said) == "Ask somebody whose role it is."
    assert "farecard staff role" in said["en"], "programs are told as before"
