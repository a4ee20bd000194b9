"""A campaign's file that cannot be used says which field and what would do; one that can is taken as it is."""

import json
from pathlib import Path

import pytest

from conftest import farecard
from farecard.campaigns import CampaignError, packaged_texts, read_file
from invented import campaign

MINATO = (Path(__file__).parent / "campaigns" / "minato.toml").read_text("utf-8")
MYNA, RALLY = packaged_texts()

WRONG = [
    # file, what stands there, what is put in its place, what is said
    (MINATO, '"minato-shops"', '"minato/shops"', "name: small letters, digits and single hyphens"),
    (MINATO, '"minato-shops"', '""', "name: small letters"),
    (MINATO, '"minato-shops"', f'"{"x" * 41}"', "at most 40"),
    (MINATO, '"minato-shops"', '"stamp-rally"', "name: stamp-rally is the rally's"),
    (MINATO, "edition = 1", "edition = 0", "edition: a whole number from 1 on"),
    (MINATO, "edition = 1", 'edition = "1"', "this is no campaign: Expected `int`, got `str` - at `$.edition`"),
    (MINATO, "edition = 1", "edition = 1\ncolour = 3", "unknown field `colour`"),
    (MINATO, "edition = 1\n", "", "missing required field `edition`"),
    (MINATO, '"minato-city"', '"Minato:City"', "owes: small letters"),
    (MINATO, "grant_day = 25", "grant_day = 29", "grant_day: a day that every month has"),
    (MINATO, "grant_day = 25", "grant_day = 0", "grant_day: a day that every month has"),
    (MINATO, "apply_until = 2023-08-31", "apply_until = 2023-02-31", "this is no TOML"),
    (MINATO, "apply_until = 2023-08-31", "apply_until = 1999-08-31", "apply_until: a day from 2000 to 2099"),
    (MINATO, "apply_until = 2023-08-31", "apply_until = 2023-05-31", "apply_until: before it can be applied for"),
    (MINATO, "apply_until = 2023-08-31", "apply_until = 2023-08-31T00:00:00+09:00", "at `$.apply_until`"),
    (MINATO, "counts_until = 2023-08-31", "counts_until = 2023-06-14", "measure 1: counts_until: before yen begin to count"),
    (MINATO, "counts_until = 2023-08-31", "counts_until = 2063-08-31", "a campaign lasts 20 years at the most"),
    (MINATO, "counts_until = 2023-08-31\n", "", "measure 1: counts_until: until when yen count"),
    (MINATO, "number = 2", "number = 1", "measure: one or more, each with a number of its own"),
    (MINATO, "percent = 20", "percent = 101", "measure 1: percent: from 1 to 100"),
    (MINATO, "percent = 20", "percent = 0", "measure 1: percent: a whole number from 1 on"),
    (MINATO, "percent = 20", "percent = 12.5", "Expected `int | null`, got `float`"),
    (MINATO, "percent = 20\n", "", "measure 1: monthly: a percent and no target"),
    (MINATO, "percent = 3\n", "", "measure 2: target: a target with its reward, or a percent"),
    (MINATO, "percent = 3", "target = 5000", "measure 2: target: a target with its reward, or a percent"),
    (MINATO, "cap = 250", "cap = -1", "measure 2: cap: a whole number from 1 on"),
    (MINATO, "cap = 250", "reward = -1", "measure 2: reward: points, 0 or more"),
    (MINATO, "cap = 250", "target = 99999999999999999999", "target"),
    (MINATO, 'channels = ["charge-machine"]', 'channels = ["moon"]', "channels: 'moon' is none; there are"),
    (MINATO, 'channels = ["charge-machine"]', "channels = []", "channels: where; there are"),
    (MINATO, 'tenders = ["cash"]\n', "", "tenders: how a top-up was paid"),
    (MINATO, 'tenders = ["cash"]', 'tenders = ["gold"]', "tenders: how a top-up was paid"),
    (MINATO, 'do = "top_up"', 'do = "refund"', "Invalid enum value 'refund'"),
    (MINATO, "cap = 250", 'done = "confirm_account"\ndone_until = 2023-08-01', "either counts yen (counts) or waits"),
    (MINATO, "cap = 250", 'filed = "file_account"', "measure 2: filed: what counts yen waits for no procedure"),
    (MINATO, "edition = 1", 'edition = 1\napplied_for_by = "person"', "people apply for myna-point alone"),
    (MYNA, 'applied_for_by = "person"', 'applied_for_by = "card"', "people apply for myna-point alone"),
    (MYNA, "number = 3", "number = 4", "myna-point has the measures 1, 2 and 3"),
    (MYNA, 'done = "confirm_account"', 'done = "run_grants"', "measure 3: done: one of confirm_insurance_card"),
    (MYNA, 'filed = "file_account"', 'filed = "confirm_account"', "measure 3: filed: another report than done"),
    (MYNA, "filed_until = 2023-09-30", "filed_until = 2023-10-14", "measure 3: filed_until: not after done_until"),
    (MYNA, "filed_until = 2023-09-30", "# none", "filed_until with filed"),
    (MYNA, "done_until = 2023-10-13", "done_until = 2022-06-29", "measure 3: filed_until: not after done_until"),
    (MYNA, "enquiries_until = 2023-10-31", "", "enquiries_until: myna-point has an enquiry line"),
    (RALLY, '"stamp-rally"', '"other-rally"', "name: there is one rally, stamp-rally"),
    (RALLY, "last_day = 2023-09-30", "last_day = 2023-02-01", "last_day: before first_day"),
    (RALLY, "until = 2023-07-20", "until = 2023-09-30", "draw: each until a later day"),
    (RALLY, "number = 2", "number = 3", "draw: two of them, numbered 1 and 2"),
    (RALLY, "shows_within = 7", "shows_within = -1", "shows_within: days"),
]


@pytest.mark.parametrize(("text", "old", "new", "says"), WRONG)
def test_a_field_that_cannot_be_used_is_named(text, old, new, says):
    """One thing wrong at a time, each with its own words."""
    changed = text.replace(old, new, 1)
    assert changed != text
    with pytest.raises(CampaignError) as error:
        read_file(changed)
    assert says in str(error.value)


def test_a_card_campaign_waits_for_no_procedure():
    """Procedures are reported of people; nobody would be told why nothing comes."""
    procedure = MINATO[: MINATO.index("counts_until = 2023-07-31")] + (
        'reward = 500\ndone = "confirm_account"\ndone_until = 2023-08-01\n'
    )
    with pytest.raises(CampaignError, match="measure 2: done: procedures are reported of people"):
        read_file(procedure)


@pytest.mark.parametrize("text", ["", "draw = []", "draw = 3", "measure = 3", "[[measure]]", "name = [", "\x00"])
def test_what_is_no_campaign_at_all_is_said(text):
    """Nothing of it gets through as anything else."""
    with pytest.raises(CampaignError):
        read_file(text)


def test_what_is_valid_is_taken():
    """Those that ship, the municipality's, many at random; written on another system too."""
    for text in (MYNA, RALLY, MINATO, *map(campaign, range(300))):
        assert read_file(text) == read_file("\ufeff" + text.replace("\n", "\r\n"))


def loaded(tmp_path, text, check=True):
    """What loading a file says."""
    (tmp_path / "c.toml").write_text(text, "utf-8")
    store = f"sqlite:///{tmp_path}/s.db"
    done = farecard("--store", store, "--json", "campaign", "load", tmp_path / "c.toml", check=check)
    return json.loads(done.stdout) if check else done.stderr.decode()


def test_a_file_that_cannot_be_used_loads_nothing(tmp_path):
    """A sentence that names the file and the field, and no store is made for it."""
    said = loaded(tmp_path, MINATO.replace("grant_day = 25", "grant_day = 31"), check=False)
    assert "c.toml: grant_day: a day that every month has, from 1 to 28" in said
    assert not (tmp_path / "s.db").exists()


def test_a_newer_edition_holds_and_an_older_one_is_refused(tmp_path):
    """Editions only go up, however the file is laid out; what was loaded stays."""
    assert loaded(tmp_path, MINATO.replace("edition = 1", "edition=3"))["edition"] == 3
    for edition in (1, 2, 3):
        said = loaded(tmp_path, MINATO.replace("edition = 1", f"edition = {edition} # again"), check=False)
        assert f"edition {edition} of minato-shops, or a newer one, is in the store already" in said
    assert loaded(tmp_path, MINATO.replace("edition = 1", "edition = 10"))["edition"] == 10
    listed = farecard("--store", f"sqlite:///{tmp_path}/s.db", "--json", "campaign", "list").stdout
    assert {one["campaign"]: one["edition"] for one in json.loads(listed)} == {"minato-shops": 10, "myna-point": 1}
