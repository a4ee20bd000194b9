"""Members: enrolling, proof that a card is one's own, signing in, recovery; and what a number alone never does. The store's side."""

import json
from contextlib import closing
from threading import Barrier, Thread

import pytest

from conftest import a_store, answers, command
from farecard.access import codes, members, owning, sessions
from farecard.access.keys import AccessError
from farecard.access.members import MemberError
from farecard.access.owning import OwningError, Papers
from farecard.access.rights import QUESTIONS, may_say
from farecard.access.roles import MEMBER_ROLE, member_bound
from farecard.access.trail import lines as trail_lines
from farecard.api.examples import EXAMPLES
from farecard.desk.opening import existing_store, writing_desk
from farecard.model.commands import CHANNELS, COMMANDS, LETTERS, name_of, parse_number
from farecard.model.moments import SECOND, moment_now
from farecard.rules.places import PLACES
from farecard.wire.line import read_line
from residents import WORD

OTHER_WORD = "a blue umbrella in June"
LOGIN = "hanako@example.com"
AGE = 12 * 3600 * SECOND
HANAKO = {"name": "桜木花子", "kana": "サクラギハナコ", "born": "1987-06-05", "phone": "090-9876-5432"}
TARO = {"name": "梅田太郎", "kana": "ウメダタロウ", "born": "1990-01-31", "phone": "0671234567"}
PLAIN, NAMED, SMART, PHONE, TAROS = (parse_number(f"JW00000000000000{n}") for n in range(1, 6))
NOBODYS = parse_number("JW000000000000099")
PROOF = (HANAKO["kana"], HANAKO["born"], HANAKO["phone"])


def text(number):
    return f"JW{number:015d}"


def sold(number, kind, holder=None, channel="counter"):
    more = {} if holder is None else {"holder": holder}
    return command(f"sold {number}", "issue", channel=channel, card=text(number), kind=kind, paid=2000, **more)


SOLD = [
    sold(PLAIN, "anonymous"), sold(NAMED, "named", HANAKO), sold(SMART, "smart", HANAKO),
    sold(PHONE, "mobile", HANAKO, "icoca-app"), sold(TAROS, "named", TARO),
]  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A store of either engine with a card of each sort."""
    url = a_store(request, tmp_path)
    desk = writing_desk(url)
    got = answers(desk, SOLD)
    assert [one["outcome"] for one in got] == ["accepted"] * len(SOLD), got
    desk.store.close()
    return url


@pytest.fixture
def opened(url):
    """The same, open to write: the store and its vault."""
    store, vault = existing_store(url)
    with closing(store):
        yield store, vault


@pytest.fixture
def hanako(opened):
    """Somebody who enrolled: her id."""
    return members.enrol(*opened, LOGIN, WORD)[0]


@pytest.fixture
def taro(opened):
    """Somebody else."""
    return members.enrol(*opened, "taro@example.com", WORD)[0]


@pytest.fixture
def later(monkeypatch):
    """Moves the clock of sessions, members and their cards by so many microseconds."""

    def move(by):
        for module in (sessions, members, owning):
            monkeypatch.setattr(module, "moment_now", lambda: moment_now() + by)

    return move


def refused(code, work, *args):
    """That it is refused with this code; gives the error."""
    with pytest.raises((MemberError, OwningError)) as no:
        work(*args)
    assert no.value.code == code
    return no.value


def prove(store, vault, member, number, kana, born, phone):
    return owning.claim_as_holder(store, vault, member, number, Papers(kana, born), phone)


PAPERS = {number: Papers(one["kana"], one["born"]) for number, one in
          ((NAMED, HANAKO), (SMART, HANAKO), (PHONE, HANAKO), (TAROS, TARO))}  # fmt: skip


def give(store, vault, number, purpose, channel, papers=None):
    """A code, whoever asks for it having looked at the holder's papers."""
    return owning.give_code(store, vault, number, purpose, channel, papers or PAPERS.get(number), "clerk")


def own(store, member):
    return {one.card.number: one.how for one in owning.owned(store, member)}


# -- what a member may say -----------------------------------------------------------------------


def test_a_member_says_what_the_members_page_may():
    """Each command at each channel: yes where the table of places lets the member's page do it for some kind of card, else no."""
    bound = member_bound("M-1")
    says = set()
    for kind in COMMANDS:
        for channel in CHANNELS:
            c, _ = read_line(json.dumps(EXAMPLES[name_of(kind)]).encode())
            c.channel, c.by, c.place, c.company = channel, None, None, None
            if name_of(kind) == "join_membership":
                c.member = "M-1"
            if may_say(bound, c) is None:
                says.add((channel, name_of(kind)))
    at_page = {do for (do, _, channel), no in PLACES.items() if channel == "member-page" and no is None}
    assert says == {("member-page", do) for do in at_page}
    assert set(MEMBER_ROLE.ask) == {"cards"} < set(QUESTIONS)
    assert bound.member == "M-1"


def test_a_member_joins_under_no_other_id():
    """Else somebody's card could be tied to whoever's membership."""
    c, _ = read_line(command("1", "join_membership", channel="member-page", card=text(PLAIN), member="M-2"))
    assert may_say(member_bound("M-1"), c).code == "member-not-allowed"
    assert may_say(member_bound("M-2"), c) is None


@pytest.mark.parametrize("field", ["by", "place", "company"])
def test_a_member_says_nothing_of_clerks_and_counters(field):
    """Else it would stand in the journal as if a clerk had done it."""
    c, _ = read_line(command("1", "report_lost", channel="member-page", card=text(PLAIN), **{field: "x"}))
    assert may_say(member_bound("M-1"), c).code == "not-a-members-field"


# -- enrolling -----------------------------------------------------------------------------------


def test_whoever_enrols_gets_an_id_and_recovery_codes(opened):
    """An id that says nothing, eight codes of eighty bits; the password is kept as argon2id, the sign-in name sealed."""
    store, vault = opened
    name, made = members.enrol(store, vault, LOGIN, WORD)
    assert name.startswith("M-")
    assert len(set(made)) == members.CODES
    assert all(len(codes.plain(one)) == 16 and set(codes.plain(one)) <= set(LETTERS) for one in made)
    assert members.named(store, name).password.startswith("$argon2id$")
    assert members.login_of(store, vault, name) == LOGIN
    assert members.by_login(store, vault, LOGIN).name == name
    assert members.codes_left(store, name) == members.CODES
    assert [(one["did"], one["about"]) for one in trail_lines(store, 100, 100)] == [("enrolled", name)]


@pytest.mark.parametrize("same", ["HANAKO@EXAMPLE.COM", " hanako@example.com ", "ｈａｎａｋｏ@example.com"])
def test_a_sign_in_name_is_one_in_every_spelling(opened, hanako, same):
    """Capitals, gaps around it and full-width letters: it is taken, and lets in."""
    store, vault = opened
    refused("login-taken", members.enrol, store, vault, same, WORD)
    assert members.sign_in(store, vault, same, WORD, AGE)[1].name == hanako


def test_names_that_only_look_alike_are_two(opened, hanako):
    """A hyphen makes another address."""
    name, _ = members.enrol(*opened, "hana-ko@example.com", WORD)
    assert name != hanako


@pytest.mark.parametrize(
    ("login", "good"),
    [("ab", False), ("abc", True), ("a" * 254, True), ("a" * 255, False), ("a b c", False), ("a\nbc", False),
     ("a\u200bbc", False), ("花子の名", True), ("   ab   ", False)],
)  # fmt: skip
def test_what_a_sign_in_name_is(opened, login, good):
    """3 to 254 characters that can be seen."""
    if good:
        members.enrol(*opened, login, WORD)
    else:
        refused("bad-login", members.enrol, *opened, login, WORD)


@pytest.mark.parametrize("password", ["eleven char", "x" * 129, "aaaaaaaaaaab", f"I am {LOGIN}", "123456789012", "1234 5678-9012"])
def test_a_weak_password_is_none(opened, password):
    """Short, long, letters again and again, the sign-in name, digits alone."""
    with pytest.raises(AccessError):
        members.enrol(*opened, LOGIN, password)


def test_two_who_enrol_at_once_under_one_name_are_one(url):
    """Eight at the same moment: one is in, seven are told."""
    start, got = Barrier(8), []

    def enrol():
        store, vault = existing_store(url)
        with closing(store):
            start.wait(30)
            try:
                got.append(members.enrol(store, vault, LOGIN, WORD)[0])
            except MemberError as no:
                got.append(no.code)

    threads = [Thread(target=enrol) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert got.count("login-taken") == 7
    assert len(got) == 8


# -- signing in, the lock, recovery --------------------------------------------------------------


def test_a_member_has_sessions_of_his_own_realm(opened, hanako):
    """The token tells the realm; a session ends when it is signed out."""
    store, vault = opened
    token, session = members.sign_in(store, vault, LOGIN, WORD, AGE)
    assert token.startswith("fm_")
    assert (session.realm, session.role, session.sender) == ("member", "member", f"member:{hanako}")
    assert sessions.find(store, token) == session
    assert sessions.find(store, "fs_" + token[3:]) is None  # in the other realm it is nobody's
    sessions.sign_out(store, token)
    assert sessions.find(store, token) is None


def test_five_wrong_passwords_lock_and_a_recovery_code_unlocks(opened, hanako, later):
    """For a quarter of an hour to the microsecond; whoever has a recovery code need not wait, and is not locked out by strangers."""
    store, vault = opened
    _, made = members.enrol(store, vault, "x@example.com", WORD)
    for n in range(5):
        with pytest.raises(sessions.SignInError) as wrong:
            members.sign_in(store, vault, "x@example.com", "wrong wrong wrong", AGE)
        assert (wrong.value.until is not None) == (n == 4)
    with pytest.raises(sessions.SignInError):
        members.sign_in(store, vault, "x@example.com", WORD, AGE)
    members.recover(store, vault, "x@example.com", made[0], OTHER_WORD)
    assert members.sign_in(store, vault, "x@example.com", OTHER_WORD, AGE)
    later(sessions.LOCKED_FOR)
    assert members.sign_in(store, vault, LOGIN, WORD, AGE)[1].name == hanako  # the others are not touched


@pytest.mark.usefixtures("taro")
def test_a_recovery_code_is_good_once_and_for_one_member(opened, hanako):
    """However it is typed; used, another's, or with another name it is wrong, and so is one where nobody is, or of the sheet before."""
    store, vault = opened
    made = members.new_codes(store, vault, hanako, WORD)
    token, _ = members.sign_in(store, vault, LOGIN, WORD, AGE)
    typed = made[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    new = members.recover(store, vault, LOGIN, typed, OTHER_WORD)
    assert sessions.find(store, token) is None, "every session ends"
    with pytest.raises(sessions.SignInError):
        members.sign_in(store, vault, LOGIN, WORD, AGE)
    assert members.sign_in(store, vault, LOGIN, OTHER_WORD, AGE)
    assert members.codes_left(store, hanako) == members.CODES
    for login, code in ((LOGIN, made[0]), (LOGIN, made[1]), ("taro@example.com", new[1]), ("nobody@example.com", new[1]), (LOGIN, "")):
        refused("wrong-code", members.recover, store, vault, login, code, WORD)
    with pytest.raises(AccessError):
        members.recover(store, vault, LOGIN, new[1], "short")
    members.recover(store, vault, LOGIN, new[1], WORD)  # a weak password used nothing up


def test_new_codes_end_the_old_ones(opened, hanako):
    """Whoever lost the sheet has them all replaced."""
    store, vault = opened
    old = members.new_codes(store, vault, hanako, WORD)
    new = members.new_codes(store, vault, hanako, WORD)
    refused("wrong-code", members.recover, store, vault, LOGIN, old[0], OTHER_WORD)
    members.recover(store, vault, LOGIN, new[0], OTHER_WORD)


def test_another_password_ends_the_sessions(opened, hanako):
    """For whoever knows the old one."""
    store, vault = opened
    token, _ = members.sign_in(store, vault, LOGIN, WORD, AGE)
    with pytest.raises(sessions.SignInError):
        members.change_password(store, vault, hanako, "wrong wrong wrong", OTHER_WORD)
    with pytest.raises(AccessError):
        members.change_password(store, vault, hanako, WORD, f"it is {LOGIN}")
    assert sessions.find(store, token)
    old = members.new_codes(store, vault, hanako, WORD)
    new = members.change_password(store, vault, hanako, WORD, OTHER_WORD)
    assert sessions.find(store, token) is None
    refused("wrong-code", members.recover, store, vault, LOGIN, old[0], WORD)
    assert len(new) == members.codes_left(store, hanako) == members.CODES
    assert members.confirm(store, hanako, OTHER_WORD).name == hanako


# -- proof by what the holder said ---------------------------------------------------------------


@pytest.mark.parametrize(
    "proof",
    [
        PROOF,
        ("サクラギ ハナコ", "1987-06-05", "09098765432"),
        ("ｻｸﾗｷﾞﾊﾅｺ", "1987-06-05", "０９０９８７６５４３２"),
    ],
)
def test_a_card_is_its_holders(opened, hanako, proof):
    """Kana, birthday and phone as they were said at the sale, in any spelling."""
    store, vault = opened
    refused("not-your-card", owning.must_own, store, hanako, [NAMED])
    made = prove(store, vault, hanako, NAMED, *proof)
    assert (made.card.number, made.how) == (NAMED, "holder")
    owning.must_own(store, hanako, [NAMED])
    assert own(store, hanako) == {NAMED: "holder"}
    assert trail_lines(store, 100, 1)[0]["about"] == text(NAMED)


@pytest.mark.parametrize(
    ("number", "proof"),
    [
        (NAMED, ("サクラギハナエ", *PROOF[1:])),
        (NAMED, (PROOF[0], "1987-06-06", PROOF[2])),
        (NAMED, (*PROOF[:2], "090-9876-5433")),
        (NAMED, (TARO["kana"], TARO["born"], TARO["phone"])),
        (NAMED, ("", "", "")),
        (PLAIN, PROOF),
        (NOBODYS, PROOF),
    ],
)
def test_whatever_does_not_fit_is_answered_alike(opened, hanako, number, proof):
    """A wrong letter, day or digit, another person, a card without a name, a number nobody has: nothing is told by the answer."""
    store, vault = opened
    no = refused("not-proven", prove, store, vault, hanako, number, *proof)
    assert no.params == {"field": "card"}
    assert own(store, hanako) == {}


def test_five_wrong_proofs_a_day_are_all_a_member_has(opened, hanako, taro, later):
    """Over all cards together, those that nobody has, too; then not even a right one is looked at, until a day after the first."""
    store, vault = opened
    for number in (NAMED, SMART, TAROS, NOBODYS, NOBODYS):
        refused("not-proven", prove, store, vault, hanako, number, "ア", "2000-01-01", "1")
    no = refused("too-many-guesses", prove, store, vault, hanako, NAMED, *PROOF)
    assert 0 < no.until - moment_now() <= owning.GUESSED_WITHIN
    prove(store, vault, taro, NAMED, *PROOF)  # somebody else has five of his own
    later(owning.GUESSED_WITHIN - 60 * SECOND)
    refused("too-many-guesses", prove, store, vault, hanako, SMART, *PROOF)
    later(owning.GUESSED_WITHIN + 1)
    prove(store, vault, hanako, SMART, *PROOF)


def test_a_day_is_counted_from_the_last_wrong_proof(opened, hanako, later):
    """Four, a fifth almost a day later: that is five, and no nine within a minute."""
    store, vault = opened
    for _ in range(4):
        refused("not-proven", prove, store, vault, hanako, NAMED, "ア", "2000-01-01", "1")
    later(owning.GUESSED_WITHIN - 60 * SECOND)
    refused("not-proven", prove, store, vault, hanako, NAMED, "ア", "2000-01-01", "1")
    later(owning.GUESSED_WITHIN + 60 * SECOND)
    refused("too-many-guesses", prove, store, vault, hanako, SMART, *PROOF)


@pytest.mark.parametrize("number", [NAMED, NOBODYS])
def test_twenty_wrong_proofs_a_day_are_all_a_number_has(opened, hanako, number):
    """Whoever enrols four times has no more, and one that nobody has is told from no other by that; the twentieth is looked at, not what comes after."""
    store, vault = opened
    for n in range(4):
        name, _ = members.enrol(store, vault, f"guesser-{n}", WORD)
        for _ in range(5):
            refused("not-proven", prove, store, vault, name, number, "ア", "2000-01-01", str(n))
    refused("too-many-guesses", prove, store, vault, hanako, number, *PROOF)
    refused("not-proven", prove, store, vault, hanako, TAROS, *PROOF)  # of another card she has five of her own


def test_a_counter_helps_whoevers_card_was_guessed_at(opened, hanako):
    """A code is not a guess."""
    store, vault = opened
    for n in range(4):
        name, _ = members.enrol(store, vault, f"guesser-{n}", WORD)
        for _ in range(5):
            refused("not-proven", prove, store, vault, name, NAMED, "ア", "2000-01-01", str(n))
    code, _ = give(store, vault, NAMED, "owning", "counter")
    owning.claim_by_code(store, vault, hanako, NAMED, code)
    owning.must_own(store, hanako, [NAMED])


def test_a_right_proof_forgives_the_card_and_not_the_member(opened, hanako):
    """Else a card of one's own would buy guesses at those of others."""
    store, vault = opened
    for _ in range(4):
        refused("not-proven", prove, store, vault, hanako, NAMED, "ア", "2000-01-01", "1")
    prove(store, vault, hanako, NAMED, *PROOF)
    refused("not-proven", prove, store, vault, hanako, TAROS, *PROOF)
    refused("too-many-guesses", prove, store, vault, hanako, TAROS, *PROOF)


def test_what_somebody_knows_does_not_take_a_card_from_another_member(opened, hanako, taro):
    """It takes a code from a counter, which looks at papers; then whoever had it before has it no more."""
    store, vault = opened
    prove(store, vault, taro, NAMED, *PROOF)
    told = trail_lines(store, 100, 100)
    prove(store, vault, taro, NAMED, *PROOF)
    assert trail_lines(store, 100, 100) == told, "again: nothing changes"
    refused("claimed-already", prove, store, vault, hanako, NAMED, *PROOF)
    code, _ = give(store, vault, NAMED, "owning", "counter")
    assert owning.claim_by_code(store, vault, hanako, NAMED, code).how == "counter"
    assert own(store, taro) == {}
    assert trail_lines(store, 100, 1)[0]["said"] == f"counter, before: {taro}"


# -- proof by a code -----------------------------------------------------------------------------

# where a code is given out, by kind of card: having it in the hand is enough where it carries no name, or is in one's phone
GIVERS = {"anonymous": {"counter", "ticket-machine", "icoca-app"}, "mobile": {"counter", "icoca-app"}, "named": {"counter"},
          "smart": {"counter"}}  # fmt: skip
OF_KIND = {"anonymous": PLAIN, "mobile": PHONE, "named": NAMED, "smart": SMART}


@pytest.mark.parametrize("kind", GIVERS)
def test_where_a_code_is_given_out(opened, hanako, kind):
    """Every kind at every place that has cards in its hand; to recover an account, only at a counter and only with a card that carries a name."""
    store, vault = opened
    number = OF_KIND[kind]
    for channel in owning.IN_HAND:
        if channel in GIVERS[kind]:
            code, _ = give(store, vault, number, "owning", channel)
            assert owning.claim_by_code(store, vault, hanako, number, code).how == channel
        else:
            refused("code-at-counter", give, store, vault, number, "owning", channel)
    for channel in owning.IN_HAND:
        if kind == "anonymous":
            refused("recovery-needs-name", give, store, vault, number, "recovery", channel)
        elif channel != "counter":
            refused("code-at-counter", give, store, vault, number, "recovery", channel)


def test_a_code_is_good_for_a_quarter_of_an_hour(opened, hanako):
    """To the microsecond."""
    store, vault = opened
    code, until = give(store, vault, PLAIN, "owning", "ticket-machine")
    assert 0 < until - moment_now() <= owning.GOOD_FOR
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owning, "moment_now", lambda: until + 1)
        refused("wrong-code", owning.claim_by_code, store, vault, hanako, PLAIN, code)
        patched.setattr(owning, "moment_now", lambda: until)
        owning.claim_by_code(store, vault, hanako, PLAIN, code.lower())
    owning.must_own(store, hanako, [PLAIN])


def test_a_code_is_good_once_for_one_card_and_one_purpose(opened, hanako, taro):
    """And the newest alone."""
    store, vault = opened
    prove(store, vault, hanako, NAMED, *PROOF)
    first, _ = give(store, vault, NAMED, "owning", "counter")
    code, _ = give(store, vault, NAMED, "owning", "counter")
    for number, said in ((NAMED, first), (PLAIN, code), (NOBODYS, code)):
        refused("wrong-code", owning.claim_by_code, store, vault, taro, number, said)
    refused("wrong-code", members.recover_by_card, store, vault, NAMED, code, OTHER_WORD)
    owning.claim_by_code(store, vault, taro, NAMED, code)
    refused("wrong-code", owning.claim_by_code, store, vault, hanako, NAMED, code)


def test_nobody_ends_a_code_by_guessing(opened, hanako, taro):
    """Sixty bits: there is no need to count, so no stranger can use up what a clerk has just printed."""
    store, vault = opened
    code, _ = give(store, vault, PLAIN, "owning", "ticket-machine")
    assert len(codes.plain(code)) * 5 == 60
    for _ in range(30):
        refused("wrong-code", owning.claim_by_code, store, vault, taro, PLAIN, "0000-0000-0000")
    owning.claim_by_code(store, vault, hanako, PLAIN, code)


WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: f" {code} ", lambda code: code.translate(WIDE), lambda code: code.replace("-", "ー")]
)
def test_however_a_code_is_typed(opened, hanako, typed):
    """Small letters, gaps, full width, other dashes."""
    store, vault = opened
    code, _ = give(store, vault, PLAIN, "owning", "ticket-machine")
    owning.claim_by_code(store, vault, hanako, PLAIN, typed(code))


def test_a_counter_looks_at_papers(opened):
    """For a card that has a holder the number alone gives no code, nor do another's papers; those that do not fit are counted."""
    store, vault = opened

    def ask(number, papers, purpose="owning"):
        return owning.give_code(store, vault, number, purpose, "counter", papers, "clerk")

    for purpose in owning.PURPOSES:
        refused("papers-needed", ask, NAMED, None, purpose)
        refused("not-the-holder", ask, NAMED, PAPERS[TAROS], purpose)
        refused("not-the-holder", ask, NAMED, Papers(HANAKO["kana"], "1987-06-06"), purpose)
    for _ in range(owning.MOST_OF_CARD - 4):
        refused("not-the-holder", ask, NAMED, PAPERS[TAROS])
    refused("too-many-guesses", ask, NAMED, PAPERS[NAMED])
    assert ask(TAROS, PAPERS[TAROS])
    assert ask(PLAIN, None)  # no holder, no papers


def test_no_code_for_a_card_that_is_none(opened):
    """It says so: whoever asks has the card in his hand."""
    refused("unknown-card", give, *opened, NOBODYS, "owning", "counter")


def test_who_forgot_all_comes_back_by_a_counter(opened, hanako):
    """With a card that carries the name: the clerk looks at papers, the code gives the sign-in name and another password."""
    store, vault = opened
    refused("no-member", give, store, vault, NAMED, "recovery", "counter")
    prove(store, vault, hanako, NAMED, *PROOF)
    token, _ = members.sign_in(store, vault, LOGIN, WORD, AGE)
    code, _ = give(store, vault, NAMED, "recovery", "counter")
    refused("wrong-code", owning.claim_by_code, store, vault, hanako, NAMED, code)
    refused("wrong-code", members.recover_by_card, store, vault, NAMED, "0000-0000", OTHER_WORD)
    refused("wrong-code", members.recover_by_card, store, vault, NOBODYS, code, OTHER_WORD)
    assert members.recover_by_card(store, vault, NAMED, code, OTHER_WORD)[0] == LOGIN
    assert sessions.find(store, token) is None
    assert members.sign_in(store, vault, LOGIN, OTHER_WORD, AGE)
    refused("wrong-code", members.recover_by_card, store, vault, NAMED, code, WORD)


def test_a_password_that_holds_the_sign_in_name_tells_it_to_nobody_without_a_code(opened, hanako):
    """A stranger who tries names as passwords for a card's number hears of the code alone; with the code it is weak, and the code still good."""
    store, vault = opened
    prove(store, vault, hanako, NAMED, *PROOF)
    code, _ = give(store, vault, NAMED, "recovery", "counter")
    refused("wrong-code", members.recover_by_card, store, vault, NAMED, "0000-0000", f"am I {LOGIN}")
    with pytest.raises(AccessError):
        members.recover_by_card(store, vault, NAMED, code, f"am I {LOGIN}")
    assert members.recover_by_card(store, vault, NAMED, code, OTHER_WORD)[0] == LOGIN


def test_papers_open_no_account_of_somebody_elses_cards(opened, hanako):
    """Hanako has her card, Taro's and one without a name among hers. Taro comes with papers: the account opens with his card alone."""
    store, vault = opened
    prove(store, vault, hanako, NAMED, *PROOF)
    prove(store, vault, hanako, TAROS, TARO["kana"], TARO["born"], TARO["phone"])
    code, _ = give(store, vault, PLAIN, "owning", "ticket-machine")
    owning.claim_by_code(store, vault, hanako, PLAIN, code)
    code, _ = give(store, vault, TAROS, "recovery", "counter")
    members.recover_by_card(store, vault, TAROS, code, OTHER_WORD)
    assert set(own(store, hanako)) == {TAROS}
    prove(store, vault, hanako, NAMED, *PROOF)
    code, _ = give(store, vault, NAMED, "recovery", "counter")
    members.recover_by_card(store, vault, NAMED, code, OTHER_WORD)
    assert set(own(store, hanako)) == {NAMED}


def test_a_recovery_code_is_for_whose_the_card_was(opened, hanako, taro):
    """The card passes to another member in the meantime: his account is not opened by it."""
    store, vault = opened
    prove(store, vault, hanako, NAMED, *PROOF)
    recovery, _ = give(store, vault, NAMED, "recovery", "counter")
    code, _ = give(store, vault, NAMED, "owning", "counter")
    owning.claim_by_code(store, vault, taro, NAMED, code)
    refused("wrong-code", members.recover_by_card, store, vault, NAMED, recovery, OTHER_WORD)


def test_a_card_is_released_at_a_counter_or_machine(opened, hanako):
    """Whoever has it in the hand, and shows papers where it has a holder, ends a tie that is not wanted."""
    store, vault = opened
    prove(store, vault, hanako, NAMED, *PROOF)
    code, _ = give(store, vault, PLAIN, "owning", "ticket-machine")
    owning.claim_by_code(store, vault, hanako, PLAIN, code)

    def release(number, channel, papers=None):
        return owning.release(store, vault, number, channel, papers, "clerk")

    refused("papers-needed", release, NAMED, "counter")
    refused("not-the-holder", release, NAMED, "counter", PAPERS[TAROS])
    refused("code-at-counter", release, NAMED, "ticket-machine")
    refused("unknown-card", release, NOBODYS, "counter")
    assert release(NAMED, "counter", PAPERS[NAMED])
    assert not release(NAMED, "counter", PAPERS[NAMED])
    assert release(PLAIN, "ticket-machine")
    assert own(store, hanako) == {}


# -- ties ----------------------------------------------------------------------------------------


def test_a_tie_outlives_a_reissue(url, opened, hanako):
    """Lost, stopped and replaced: the new number is hers, and so is what happened under the old one."""
    store, vault = opened
    prove(store, vault, hanako, NAMED, *PROOF)
    desk = writing_desk(url)
    with closing(desk.store):
        slip = answers(desk, [command("2", "report_lost", card=text(NAMED))])[0]["result"]["slip"]
        new = parse_number("JW000000000000007")
        got = answers(desk, [command("3", "collect_reissue", at="2023-03-03T09:00:00+09:00", slip=slip, card=text(new), paid=1020)])
        assert got[0]["outcome"] == "accepted", got
    assert own(store, hanako) == {new: "holder"}
    owning.must_own(store, hanako, [new, NAMED])
    code, _ = give(store, vault, NAMED, "owning", "counter")
    assert owning.claim_by_code(store, vault, hanako, new, code).card.number == new


def test_who_had_a_card_without_a_name_has_it_no_more_once_it_is_in_a_phone(url, opened, hanako, taro):
    """Another moves it into his phone: the account is the same, the tie is not; a code of the app makes a new one, a name's tie stays."""
    store, vault = opened
    code, _ = give(store, vault, PLAIN, "owning", "ticket-machine")
    owning.claim_by_code(store, vault, hanako, PLAIN, code)
    prove(store, vault, hanako, NAMED, *PROOF)
    phone, hers = parse_number("JW000000000000007"), parse_number("JW000000000000008")
    desk = writing_desk(url)
    with closing(desk.store):
        moved = [
            command(f"m{new}", "move_to_phone", channel="icoca-app", card=text(old), to=text(new), kind="mobile",
                    at="2023-03-02T09:00:00+09:00")
            for old, new in ((PLAIN, phone), (NAMED, hers))
        ]  # fmt: skip
        assert [one["outcome"] for one in answers(desk, moved)] == ["accepted"] * 2
    assert own(store, hanako) == {hers: "holder"}
    for number in (PLAIN, phone):
        refused("not-your-card", owning.must_own, store, hanako, [number])
    refused("recovery-needs-name", give, store, vault, phone, "recovery", "counter")
    code, _ = give(store, vault, phone, "owning", "icoca-app")
    owning.claim_by_code(store, vault, taro, phone, code)
    owning.must_own(store, taro, [phone], in_hand=True)
    refused("needs-code", lambda: owning.must_own(store, hanako, [hers], in_hand=True))
    code, _ = give(store, vault, hers, "owning", "icoca-app")
    owning.claim_by_code(store, vault, hanako, hers, code)
    owning.must_own(store, hanako, [hers], in_hand=True)


def test_whoever_left_gets_no_card(opened, hanako):
    """A request that was under way when he left: the tie would be of nobody, and in the way of others."""
    store, vault = opened
    members.end(store, vault, hanako, WORD)
    refused("session-ended", prove, store, vault, hanako, NAMED, *PROOF)
    assert owning.member_of(store, NAMED) is None


def test_what_was_confirmed_with_an_old_password_is_not_done_after_it_changed(opened, hanako, monkeypatch):
    """A recovery comes between the password's check and the deed: no fresh codes, and no end, for whoever knew the old one."""
    store, vault = opened
    made = members.new_codes(store, vault, hanako, WORD)
    real, codes_now = members.confirm, list(made)

    def overtaken(store, name, password):
        found = real(store, name, password)
        codes_now[:] = members.recover(store, vault, LOGIN, codes_now[0], f"{OTHER_WORD} {len(passwords_seen)}")
        passwords_seen.append(1)
        return found

    passwords_seen = []
    monkeypatch.setattr(members, "confirm", overtaken)
    with pytest.raises(sessions.SignInError):
        members.new_codes(store, vault, hanako, WORD)
    with pytest.raises(sessions.SignInError):
        members.end(store, vault, hanako, f"{OTHER_WORD} 0")
    assert members.named(store, hanako) is not None
    assert members.codes_left(store, hanako) == members.CODES


def test_a_card_that_is_given_up_is_nobodys(opened, hanako, taro):
    """Only whoever has it can; and every card in a question or command must be one's own."""
    store, vault = opened
    prove(store, vault, hanako, NAMED, *PROOF)
    prove(store, vault, hanako, SMART, *PROOF)
    owning.must_own(store, hanako, [NAMED, SMART])
    refused("not-your-card", owning.give_up, store, taro, NAMED)
    refused("not-your-card", owning.give_up, store, taro, NOBODYS)
    owning.give_up(store, hanako, NAMED)
    assert own(store, hanako) == {SMART: "holder"}
    refused("not-your-card", owning.must_own, store, hanako, [SMART, NAMED])
    prove(store, vault, taro, NAMED, *PROOF)


def test_who_leaves_is_erased(opened, hanako):
    """The name is free again, no token and no code is good, the cards are nobody's; the id is not given again."""
    store, vault = opened
    made = members.new_codes(store, vault, hanako, WORD)
    prove(store, vault, hanako, NAMED, *PROOF)
    desk = writing_desk(store.url)
    with closing(desk.store):
        joined = answers(desk, [command("j", "join_membership", card=text(NAMED), member=hanako)])
        assert joined[0]["outcome"] == "accepted"
    assert store.rows("members_by", member_key=vault.match(hanako))
    token, _ = members.sign_in(store, vault, LOGIN, WORD, AGE)
    with pytest.raises(sessions.SignInError):
        members.end(store, vault, hanako, "wrong wrong wrong")
    members.end(store, vault, hanako, WORD)
    assert sessions.find(store, token) is None
    assert (members.named(store, hanako), members.login_of(store, vault, hanako)) == (None, None)
    assert store.rows("members_by", member_key=vault.match(hanako)) == []
    assert owning.member_of(store, NAMED) is None
    refused("wrong-code", members.recover, store, vault, LOGIN, made[0], WORD)
    with pytest.raises(sessions.SignInError):
        members.sign_in(store, vault, LOGIN, WORD, AGE)
    assert members.enrol(store, vault, LOGIN, WORD)[0] != hanako
