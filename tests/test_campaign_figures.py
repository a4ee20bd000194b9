"""Every figure of the campaigns that ship is proven: changed by one, some scenario fails."""

import re
from datetime import date, timedelta

import pytest

from farecard.campaigns import CampaignError, Campaigns, packaged_texts
from farecard.storage import making
from scenario import Runner, read_all

SCENARIOS = [one for one in read_all() if one.file in ("myna_point", "measures", "grants", "rally", "points")]
FIGURE = re.compile(r"^(\w+) = (\d{4}-\d\d-\d\d|\d+)(?=\s|$)", re.MULTILINE)
NO_FIGURES = ("edition", "number", "checked_on")


def changed():
    """Each figure one more and one less: which file and name, and all texts with that change."""
    texts = packaged_texts()
    for place, text in enumerate(texts):
        for found in FIGURE.finditer(text):
            if found[1] in NO_FIGURES:
                continue
            for step in (-1, 1):
                if "-" in found[2]:
                    value = str(date.fromisoformat(found[2]) + timedelta(step))
                else:
                    value = str(int(found[2]) + step)
                other = text[: found.start(2)] + value + text[found.end(2) :]
                line = text.count("\n", 0, found.start()) + 1
                yield pytest.param([*texts[:place], other, *texts[place + 1 :]], id=f"{place}:{line} {found[1]}={value}")


def first_failure(texts, monkeypatch):
    """Run the scenarios of points under other campaigns until one fails; some do not even fit together."""
    monkeypatch.setattr(making, "packaged_texts", lambda: texts)
    try:
        Campaigns(list(enumerate(texts)))
    except CampaignError as error:
        return str(error)
    runner = Runner()
    try:
        for scenario in SCENARIOS:
            try:
                runner.run(scenario)
            except AssertionError as failure:
                return str(failure) or "failed"
        return None
    finally:
        runner.close()


def test_the_campaigns_as_they_are_fail_no_scenario(monkeypatch):
    """The measure itself is right."""
    assert first_failure(packaged_texts(), monkeypatch) is None


@pytest.mark.parametrize("texts", list(changed()))
def test_a_changed_figure_fails_a_scenario(texts, monkeypatch):
    """A day, a yen, a point: each stands in some row."""
    assert first_failure(texts, monkeypatch) is not None
