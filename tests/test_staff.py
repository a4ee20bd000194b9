"""People who work here: accounts, roles, passwords, sessions and locks, as the command line and the store have them."""

import json
import sqlite3
from contextlib import closing
from threading import Barrier, Thread

import pytest

from conftest import a_store, farecard
from farecard.access import sessions, staff
from farecard.access.keys import AccessError
from farecard.access.rights import NEEDS_TWO, QUESTIONS, may_say
from farecard.access.roles import ACTS, ROLES, bound_of
from farecard.api.examples import EXAMPLES
from farecard.desk.opening import making_store
from farecard.model.commands import CHANNELS, COMMANDS, name_of
from farecard.model.moments import SECOND, moment_now
from farecard.wire.line import read_line
from residents import WORD

AGE = 12 * 3600 * SECOND


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty store of either engine."""
    return a_store(request, tmp_path)


@pytest.fixture
def store(url):
    """The same, open to write."""
    with closing(making_store(url)[0]) as one:
        yield one


def office(url, *words, check=True, stdin=None):
    return farecard("--store", url, "staff", *words, check=check, stdin=stdin)


def refused(url, *words, stdin=None):
    done = office(url, *words, check=False, stdin=stdin)
    assert done.returncode == 2
    return done.stderr.decode()


# -- the table of roles --------------------------------------------------------------------------

# what each role sends by itself; everything else of operations that moves much or cannot be undone it may not
COUNTER = {
    "issue", "top_up", "tap_in", "tap_out", "purchase", "reverse", "refund", "request_refund_form", "refund_by_post",
    "report_damaged", "report_lost", "collect_reissue", "move_to_phone", "register_for_points", "join_membership",
    "top_up_from_points", "apply_myna_point", "confirm_insurance_card", "file_account", "confirm_account",
    "change_applied_card", "join_campaign", "join_rally",
}  # fmt: skip
TWO = {"run_grants", "commit_draw", "draw_lottery", "reverse"}
SENDS = {
    "clerk": {("counter", do) for do in COUNTER},
    "operator": {("operations", "resolve_case")},
    "approver": {("counter", "resolve_case"), ("operations", "resolve_case")},
    "auditor": set(),
}
ASKS = {
    "clerk": {"cards", "cases", "codes"},
    "operator": {"cards", "cases", "trial-balance", "proposals"},
    "approver": {"cards", "cases", "trial-balance", "proposals"},
    "auditor": set(QUESTIONS) - {"codes"},
}
DOES = {"clerk": set(), "operator": {"propose"}, "approver": {"approve"}, "auditor": set()}


@pytest.mark.parametrize("role", SENDS)
def test_every_cell_of_the_role_table(role):
    """Each command at each channel, each question, each act: yes where the table of this test says so, else no."""
    bound = bound_of(role, "sato")
    sends = set()
    for kind in COMMANDS:
        for channel in CHANNELS:
            command, _ = read_line(json.dumps(EXAMPLES[name_of(kind)]).encode())
            command.channel, command.by = channel, "sato"
            no = may_say(bound, command)
            if no is None:
                sends.add((channel, name_of(kind)))
            elif channel == "operations" and channel in bound.channels and name_of(kind) in TWO:
                assert no.code == "needs-two"
    assert sends == SENDS[role]
    assert {one for one in QUESTIONS if one in bound.ask} == ASKS[role]
    assert {one for one in ACTS if one in ROLES[role].acts} == DOES[role]


def test_the_tables_are_whole():
    """No role and no command is left out of what this file says."""
    assert set(SENDS) == set(ASKS) == set(DOES) == set(ROLES)
    assert NEEDS_TWO == TWO
    assert {name_of(one) for one in COMMANDS} == COUNTER | TWO | {"resolve_case"}
    assert not any("propose" in one.acts and "approve" in one.acts for one in ROLES.values())


# -- accounts ------------------------------------------------------------------------------------


def test_an_account_is_opened_and_its_password_kept_as_argon2(url, store):
    """The password is the last word, once; the store has a hash of it with its own salt."""
    told = office(url, "add", "sato", "--role", "operator")
    word = told.stdout.decode().split()[-1]
    assert b"not shown again" in told.stderr
    assert len(word) >= 20
    other = json.loads(office(url, "add", "kato", "--role", "approver", "--json").stdout)
    assert (other["name"], other["role"]) == ("kato", "approver")
    hashes = [one.password for one in staff.load(store)]
    assert all(one.startswith("$argon2id$v=19$m=65536,t=3,p=1$") for one in hashes)  # 64 MiB, three times over
    assert not any(word in one or other["password"] in one for one in hashes)
    assert [one["role"] for one in json.loads(office(url, "list", "--json").stdout)] == ["operator", "approver"]
    assert word not in office(url, "list").stdout.decode()


def test_a_password_that_is_given_is_not_shown(url):
    """From standard input, a line; nothing of it is said."""
    told = office(url, "add", "sato", "--role", "clerk", "--password-stdin", stdin=WORD.encode() + b"\n")
    assert WORD.encode() not in told.stdout + told.stderr
    with closing(making_store(url)[0]) as store:
        assert staff.confirm(store, "sato", WORD).role == "clerk"


@pytest.mark.parametrize(
    ("words", "word", "said"),
    [
        (["add", "sato", "--role", "boss"], None, "boss: unknown; known are clerk, operator, approver, auditor"),
        (["add", "", "--role", "clerk"], None, "NAME: 1 to 64"),
        (["add", "sato", "--role", "clerk", "--password-stdin"], "eleven char", "12 to 128"),
        (["add", "sato", "--role", "clerk", "--password-stdin"], "x" * 129, "12 to 128"),
        (["add", "sato", "--role", "clerk", "--password-stdin"], "aaaaaaaaaaab", "more than a few letters"),
        (["add", "sato", "--role", "clerk", "--password-stdin"], "my name is Sato", "not the name"),
        (["add", "sato", "--role", "clerk", "--ask"], "", "nobody is there to be asked"),
    ],
)  # fmt: skip
def test_an_account_that_would_be_weak_or_wrong_is_not_opened(tmp_path, words, word, said):
    """It says which word; no store is made for it."""
    url = f"sqlite:///{tmp_path}/s.db"
    assert said in refused(url, *words, stdin=None if word is None else word.encode() + b"\n")
    assert not (tmp_path / "s.db").exists()


def test_a_name_is_given_once(url):
    """What was done under it stands in the trail: nobody else gets it, not even when the account is closed."""
    office(url, "add", "sato", "--role", "clerk")
    assert "there is, or was, somebody called sato" in refused(url, "add", "sato", "--role", "clerk")
    office(url, "end", "sato")
    assert "there is, or was" in refused(url, "add", "sato", "--role", "auditor")
    assert "nobody here is called sato" in refused(url, "role", "sato", "auditor")
    assert json.loads(office(url, "list", "--json").stdout)[0]["ended"] is not None


def test_no_key_takes_the_name_of_people(tmp_path):
    """A key's name is a sender; those of people and proposals are theirs alone."""
    url = f"sqlite:///{tmp_path}/s.db"
    for name in ("staff:sato", "member:1", "proposal"):
        done = farecard("--store", url, "keys", "add", name, "--channels", "shop", check=False)
        assert done.returncode == 2
        assert b"are of people and proposals" in done.stderr


def test_the_roles_are_told(tmp_path):
    """For people a table, for machines JSON, without a store."""
    url = f"sqlite:///{tmp_path}/none.db"
    assert "resolve_case" in office(url, "roles").stdout.decode()
    assert {one["role"] for one in json.loads(office(url, "roles", "--json").stdout)} == set(ROLES)
    assert not (tmp_path / "none.db").exists()


# -- sessions ------------------------------------------------------------------------------------


@pytest.fixture
def sato(store):
    """Somebody who works here."""
    staff.add(store, "sato", "operator", WORD, "test")
    return "sato"


def test_whoever_signs_in_has_a_session(store, sato):
    """Two sessions side by side; signing out ends the one."""
    first, session = staff.sign_in(store, sato, WORD, AGE)
    second, _ = staff.sign_in(store, sato, WORD, AGE)
    assert (session.role, session.until - session.since) == ("operator", AGE)
    assert sessions.find(store, first).name == "sato"
    sessions.sign_out(store, first)
    assert sessions.find(store, first) is None
    assert sessions.find(store, second) is not None
    assert sessions.find(store, first + "x") is None


def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(store, sato, monkeypatch):
    """The fourth does not, the fifth does; even the right one waits then, to the microsecond; afterwards all is well."""
    for _ in range(4):
        with pytest.raises(sessions.SignInError) as wrong:
            staff.confirm(store, sato, "wrong wrong wrong")
        assert wrong.value.until is None
    staff.confirm(store, sato, WORD)  # a right one in time: counting begins anew
    for n in range(5):
        with pytest.raises(sessions.SignInError) as wrong:
            staff.confirm(store, sato, "wrong wrong wrong")
        assert (wrong.value.until is not None) == (n == 4)
    until = wrong.value.until
    assert 0 < until - moment_now() <= sessions.LOCKED_FOR
    with pytest.raises(sessions.SignInError) as locked:
        staff.confirm(store, sato, WORD)
    assert locked.value.until == until
    monkeypatch.setattr(sessions, "moment_now", lambda: until - 1)
    with pytest.raises(sessions.SignInError):
        staff.confirm(store, sato, WORD)
    monkeypatch.setattr(sessions, "moment_now", lambda: until)
    assert staff.confirm(store, sato, WORD).failures == 0


def test_many_guesses_at_once_are_no_more_than_five(url, sato):
    """Twelve at the same time, the right one among the last: five count, then it is locked for all that are under way."""
    start, got = Barrier(12), [None] * 12

    def guess(n):
        with closing(making_store(url)[0]) as own:
            start.wait(30)
            try:
                staff.confirm(own, sato, f"wrong wrong wrong {n}")
            except sessions.SignInError as no:
                got[n] = no.until

    threads = [Thread(target=guess, args=(n,)) for n in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert got.count(None) == 4  # the fifth and all after it are told of the lock
    with closing(making_store(url)[0]) as own, pytest.raises(sessions.SignInError):
        staff.confirm(own, sato, WORD)


def test_unlocking_lets_in_at_once(url, store, sato):
    """Somebody with access to the machine takes the lock off."""
    for _ in range(5):
        with pytest.raises(sessions.SignInError):
            staff.confirm(store, sato, "wrong wrong wrong")
    office(url, "unlock", "sato")
    assert staff.confirm(store, sato, WORD).name == "sato"


@pytest.mark.parametrize("how", ["role", "password", "end"])
def test_a_change_ends_all_sessions(url, store, sato, how):
    """Another role, another password, a closed account: whoever is signed in is not any more."""
    token, _ = staff.sign_in(store, sato, WORD, AGE)
    if how == "password":
        office(url, "password", "sato", "--password-stdin", stdin=b"another umbrella, blue\n")
    else:
        office(url, how, "sato", *(["auditor"] if how == "role" else []))
    assert sessions.find(store, token) is None
    with pytest.raises(sessions.SignInError) if how != "role" else closing(making_store(url)[0]):
        staff.sign_in(store, sato, WORD, AGE)


def test_a_stranger_is_told_no_more_than_one_with_a_wrong_password(store, sato):
    """The same error; and a hash is computed for both, so that the time tells nothing."""
    with pytest.raises(sessions.SignInError) as stranger:
        staff.confirm(store, "nobody", WORD)
    with pytest.raises(sessions.SignInError) as wrong:
        staff.confirm(store, sato, "wrong wrong wrong")
    assert stranger.value.until is wrong.value.until is None


def test_sessions_that_ended_are_swept_out(store, sato):
    """Their rows go when somebody signs in."""
    token, _ = staff.sign_in(store, sato, WORD, 1)
    staff.sign_in(store, sato, WORD, AGE)
    assert sessions.find(store, token) is None


def test_nothing_of_a_password_or_token_is_in_the_files(tmp_path):
    """A stolen store holds hashes."""
    url = f"sqlite:///{tmp_path}/s.db"
    with closing(making_store(url)[0]) as store:
        staff.add(store, "sato", "operator", WORD, "test")
        token, _ = staff.sign_in(store, "sato", WORD, AGE)
        for path in tmp_path.iterdir():
            assert WORD.encode() not in path.read_bytes()
            assert token.encode() not in path.read_bytes()
    trail = sqlite3.connect(tmp_path / "s.db").execute("SELECT who, did, about FROM trail ORDER BY n").fetchall()
    assert trail == [("test", "staff-added", "sato"), ("sato", "signed-in", "sato")]


def test_wrong_words_are_errors_in_words(store):
    """As the library is used."""
    with pytest.raises(AccessError, match="nobody here is called x"):
        staff.end(store, "x", "test")
    with pytest.raises(AccessError, match="unknown; known are"):
        staff.add(store, "x", "boss", WORD, "test")
