"""Short scripts of what happens rarely, each on its own cards: losses, refunds, mistakes, broken lines.

A step is ``(seconds later, channel, what)``: ``what`` is the command's own fields. ``@A`` to ``@C`` are the
story's card numbers, ``@S`` the first card's first slip, ``@F`` its form, ``@H`` a holder, ``@X`` the same
holder with another phone, ``@P`` to ``@R`` people who apply, ``@ID1`` the id of the story's first step. A ``what``
beginning with ``!`` is a whole line as it stands; with ``=`` it takes the id of the step before.
"""

from collections.abc import Callable, Generator, Iterator

from farecard.sample.life import DAY, date_of
from farecard.sample.people import holder

Step = tuple[int, str, str]
HOUR = 3600

ANON = '"do":"issue","card":"@A","kind":"anonymous","paid":2000'
NAMED = '"do":"issue","card":"@A","kind":"named","paid":2000,"holder":@H'
SMART = '"do":"issue","card":"@A","kind":"smart","paid":2000,"holder":@H'
PHONE = '"do":"issue","card":"@A","kind":"mobile","paid":1000,"holder":@H'
CHILD = '"do":"issue","card":"@A","kind":"child","paid":2000,"holder":@H,"expires":"@DAY2"'
COMMUTER = (
    '"do":"issue","card":"@A","kind":"commuter","paid":2000,"holder":@H,"pass":{"from":"Takatsuki",'
    '"to":"Osaka","valid_from":"2023-03-01","valid_until":"2029-12-31","seller":"Hankyu"%s}'
)
REFUND = '"do":"refund","card":"@A"'


def top_up(amount: int, tender: str = "cash", card: str = "@A") -> str:
    """A top-up's fields."""
    return f'"do":"top_up","card":"{card}","amount":{amount},"tender":"{tender}"'


def buy(amount: int, extra: str = "", card: str = "@A") -> str:
    """A purchase's fields."""
    return f'"do":"purchase","card":"{card}","amount":{amount},"merchant":"kiosk-1"{extra}'


def tap(way: str, station: str, card: str = "@A") -> str:
    """A tap's fields."""
    return f'"do":"tap_{way}","card":"{card}","station":"{station}"'


def apply(measures: str, extra: str = "", card: str = "@A", person: str = "@P") -> str:
    """An application's fields."""
    return f'"do":"apply_myna_point","card":"{card}","person":"{person}","measures":[{measures}]{extra}'


def report(what: str, person: str = "@P") -> str:
    """A notice's fields."""
    return f'"do":"{what}","person":"{person}"'


REGISTER = '"do":"register_for_points","card":"@A"'
MEMBER = '"do":"join_membership","card":"@A","member":"member-@P"'
FROM_POINTS = '"do":"top_up_from_points","card":"@A","points":5000'
COMMIT = '"do":"commit_draw","draw":1,"seed_source":"the next day\'s closing price"'
LOTTERY = '"do":"draw_lottery","draw":1,"winners":3,"seed":"33,450.97"'
JOIN = '"do":"join_rally","card":"@A"'
ELSEWHERE = ',"history":{"other_service":{"measure":1,"applied_on":"2022-06-%s"}}'

# those who wait for their points: told as the months go by, since the runs come by the clock
SLOW: tuple[tuple[Step, ...], ...] = (
    # reaches the target after charging where it does not count, before applying and from points
    ((0, "counter", ANON), (60, "myna-point", apply("1")), (60, "wester-app", REGISTER), (60, "wester-app", REGISTER), (60, "counter", MEMBER),
     (60, "counter", MEMBER), (60, "myna-point", apply("1")), (60, "charge-machine", top_up(1000)), (2 * DAY, "myna-point", apply("1,2")),
     (60, "petrol-station", top_up(1000)), (60, "petrol-station", top_up(300, "change")), (60, "charge-machine", top_up(10_000)),
     (60, "shop", buy(9000)), (60, "other-rail", top_up(10_000)), (60, "myna-point", apply("1")), (DAY, "myna-point", report("confirm_insurance_card")),
     (60, "ticket-machine", FROM_POINTS), (60, "shop", FROM_POINTS), (60, "ticket-machine", FROM_POINTS.replace("5000", "7")),
     (60 * DAY, "ticket-machine", FROM_POINTS), (60, "operations", '"do":"reverse","of":"@ID14","why":"wrong card"'), (60, "counter", REFUND)),
    # the stamp rally: all four stamps
    ((0, "counter", SMART), (60, "counter", JOIN), (60, "counter", JOIN), (60, "shop", buy(100)), (60, "myna-point", apply("2")),
     (60, "myna-point", report("confirm_insurance_card")), (60 * DAY, "ticket-machine", FROM_POINTS)),
)  # fmt: skip

# people who collect points: each applies with a card of their own
CAMPAIGN: tuple[tuple[Step, ...], ...] = (
    # falls short, files the account and waits for the bank
    ((0, "counter", SMART), (60, "wester-app", REGISTER), (60, "myna-point", apply("1,2,3")), (60, "charge-machine", top_up(5000, "credit")),
     (DAY, "myna-point", report("file_account"))),
    # reported before applying, the account complete
    ((0, "icoca-app", PHONE), (0, "myna-point", report("confirm_insurance_card")), (60, "myna-point", report("file_account")),
     (DAY, "myna-point", report("confirm_account")), (DAY, "icoca-app", apply("2,3")), (60, "counter", report("confirm_account"))),
    # loses the card and goes on with the next; others apply with it
    ((0, "counter", NAMED), (60, "ticket-machine", REGISTER), (DAY, "myna-point", apply("1")), (60, "charge-machine", top_up(10_000)),
     (60, "shop", buy(9900)), (60, "phone", '"do":"report_lost","card":"@A"'),
     (DAY, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":1020'), (60, "charge-machine", top_up(10_000, card="@B")),
     (60, "myna-point", apply("1", card="@B", person="@Q")), (60, "myna-point", apply("2", card="@B")), (60, "myna-point", apply("2", card="@B", person="@R"))),
    # two people, two cards
    ((0, "counter", SMART), (60, "icoca-app", PHONE.replace("@A", "@B").replace("mobile", "apple-pay").replace("@H", "@X")), (60, "myna-point", apply("1")),
     (60, "myna-point", apply("2", card="@B")), (60, "myna-point", apply("1", person="@Q")), (60, "icoca-app", '"do":"move_to_phone","card":"@A","to":"@C","kind":"mobile"'),
     (60, "myna-point", apply("1", card="@C", person="@Q")), (60, "phone", '"do":"change_applied_card","card":"@C","person":"@P"'),
     (280 * DAY, "phone", '"do":"change_applied_card","card":"@C","person":"@P"')),
    # applied elsewhere, in round 1, too early, too late, in another name
    ((0, "counter", SMART), (60, "myna-point", apply("1", ',"own_name":false')), (60, "myna-point", apply("2", ELSEWHERE % 30)), (60, "myna-point", apply("2", ELSEWHERE % 29)),
     (60, "myna-point", apply("1", ',"history":{"round_1":"icoca-received"}')), (60, "myna-point", apply("1", ',"history":{"round_1":"icoca-open","round_1_counted":19000}')),
     (60, "charge-machine", top_up(1000)), (300 * DAY, "myna-point", apply("2"))),
    ((-300 * DAY, "counter", SMART), (60, "myna-point", apply("1,2")), (60, "charge-machine", top_up(1000)), (60, "myna-point", apply("3"))),
    # a pass with the discount; a child whose card expires; a card refunded before the points came
    ((0, "counter", COMMUTER % ',"disability_discount":true'), (60, "ticket-machine", REGISTER), (60, "myna-point", apply("1"))),
    ((0, "counter", CHILD.replace("@DAY2", "2023-03-31")), (60, "ticket-machine", REGISTER), (DAY, "myna-point", apply("1,2"))),
    ((0, "icoca-app", PHONE), (60, "icoca-app", apply("1,2")), (60, "icoca-app", top_up(18_000, "credit")), (DAY, "icoca-app", REFUND)),
    # the stamp rally: applied before it; too late; moved into a phone on the way
    ((-100 * DAY, "icoca-app", PHONE), (60, "icoca-app", JOIN), (60, "icoca-app", apply("1")), (120 * DAY, "icoca-app", JOIN), (60, "shop", buy(100))),
    ((0, "counter", SMART), (300 * DAY, "counter", JOIN)),
    # a draw is too early all the while, and frozen never: its root depends on a store's key, and a journal should not
    ((0, "operations", COMMIT), (60, "operations", LOTTERY)),
    ((0, "counter", SMART), (60, "counter", JOIN), (60, "icoca-app", '"do":"move_to_phone","card":"@A","to":"@B","kind":"apple-pay"'), (60, "shop", buy(100, card="@B"))),
    # an individual number in place of an id
    ((0, "counter", SMART), (60, "myna-point", apply("1", person="1234 5678 9012")), (60, "myna-point", apply("1,1")),
     (60, "myna-point", apply("1", ',"history":{"round_1_counted":1}'))),
)  # fmt: skip

STORIES: tuple[tuple[Step, ...], ...] = (
    # the guide's example, and what a dead card answers
    ((0, "counter", ANON), (HOUR, "shop", buy(680)), (DAY, "counter", REFUND),
     (60, "convenience-store", top_up(1000)), (60, "counter", REFUND)),
    # a lost card: stopped, too early, wrong money, collected, the old number tried again
    ((0, "counter", NAMED), (HOUR, "phone", '"do":"report_lost","card":"@A"'), (60, "gate", tap("in", "Osaka")),
     (60, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":1020'),
     (DAY, "other-counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":1020,"company":"Hankyu"'),
     (60, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":520'),
     (60, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":1020'),
     (60, "counter", '"do":"collect_reissue","slip":"@S","card":"@C","paid":1020'), (60, "shop", buy(100)),
     (60, "shop", buy(100, card="@B"))),
    # a damaged card
    ((0, "counter", NAMED), (HOUR, "counter", '"do":"report_damaged","card":"@A"'), (60, "shop", buy(100)),
     (DAY, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":0'), (60, "shop", buy(100)),
     (60, "shop", buy(100, card="@B"))),
    # a slip that was forgotten
    ((0, "counter", NAMED), (HOUR, "member-page", '"do":"report_lost","card":"@A"'),
     (15 * DAY, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":1020'),
     (60, "counter", '"do":"report_lost","card":"@A"'),
     (DAY, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":1020'),
     (60, "counter", '"do":"collect_reissue","slip":"@S2","card":"@B","paid":1020')),
    # a pass sold by another company is collected there
    ((0, "other-counter", COMMUTER % ""), (HOUR, "gate", tap("in", "Takatsuki")), (HOUR, "gate", tap("out", "Osaka")),
     (HOUR, "gate", tap("in", "Osaka")), (HOUR, "gate", tap("out", "Tennoji")),
     (HOUR, "counter", '"do":"report_damaged","card":"@A"'),
     (DAY, "counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":0'),
     (60, "other-counter", '"do":"collect_reissue","slip":"@S","card":"@B","paid":0,"company":"Hankyu"')),
    # anonymous cards: lost, damaged, unreadable
    ((0, "ticket-machine", ANON), (60, "counter", '"do":"report_lost","card":"@A"'),
     (60, "counter", '"do":"report_damaged","card":"@A"'), (60, "member-page", REFUND), (60, "counter", REFUND + ',"number_legible":false'),
     (60, "counter", REFUND)),
    # one named card a person
    ((0, "counter", NAMED), (60, "counter", NAMED.replace("@A", "@B")),
     (60, "counter", NAMED.replace("@A", "@B").replace("@H", "@X")), (60, "counter", REFUND),
     (60, "counter", NAMED.replace("@A", "@B"))),
    # SMART ICOCA: quick charges to the limits, and its refund by post
    ((0, "counter", SMART), (60, "ticket-machine", top_up(4000, "credit")), (60, "convenience-store", top_up(3000, "credit")),
     (60, "charge-machine", top_up(10_000, "credit")), (60, "shop", buy(9000)), (60, "ticket-machine", top_up(10_000, "credit")),
     (60, "shop", buy(9000)), (60, "ticket-machine", top_up(3000, "credit")), (DAY, "ticket-machine", top_up(10_000, "credit")),
     (60, "shop", buy(9000)), (60, "ticket-machine", top_up(10_000, "credit")), (DAY, "ticket-machine", top_up(3000, "credit")),
     (60, "counter", REFUND), (60, "member-page", '"do":"request_refund_form","card":"@A"'),
     (DAY, "post", '"do":"refund_by_post","card":"@A","form":"F0","bank_account":@BANK'),
     (60, "post", '"do":"refund_by_post","card":"@A","form":"@F","bank_account":@BANK')),
    # a phone: app only, refunded in the app
    ((0, "icoca-app", PHONE), (60, "ticket-machine", top_up(1000)), (60, "icoca-app", top_up(1234, "credit")),
     (60, "seven-bank-atm", top_up(1000)), (60, "counter", REFUND), (60, "phone", '"do":"report_lost","card":"@A"'),
     (60, "icoca-app", REFUND)),
    # moving to a phone
    ((0, "counter", NAMED), (60, "icoca-app", '"do":"move_to_phone","card":"@A","to":"@B","kind":"apple-pay"'),
     (60, "shop", buy(100)), (60, "icoca-app", '"do":"move_to_phone","card":"@B","to":"@C","kind":"mobile"'),
     (60, "shop", buy(100, card="@B"))),
    # a child card past its expiry
    ((0, "counter", CHILD), (60, "gate", tap("in", "Osaka")), (HOUR, "gate", tap("out", "Kyoto")),
     (60, "icoca-app", '"do":"move_to_phone","card":"@A","to":"@B","kind":"mobile"'),
     (5 * DAY, "gate", tap("in", "Osaka")), (60, "counter", REFUND)),
    # rides that go wrong
    ((0, "ticket-machine", ANON.replace("2000", "1000")), (60, "gate", tap("out", "Osaka")), (60, "gate", tap("in", "Osaka")),
     (60, "gate", tap("in", "Osaka")), (60, "gate", tap("out", "Osaka")), (60, "counter", REFUND),
     (HOUR, "gate", tap("out", "Nara")), (60, "fare-adjustment", top_up(260) + ',"station":"Nara"'),
     (60, "fare-adjustment", top_up(500) + ',"station":"Nara"'), (60, "gate", tap("out", "Nara")),
     (HOUR, "gate", tap("in", "Osaka")), (DAY, "gate", tap("out", "Kyoto")), (60, "gate", tap("in", "Osaka")),
     (60, "fare-adjustment", tap("out", "Osaka"))),
    # amounts that do not fit
    ((0, "counter", ANON), (60, "charge-machine", top_up(1500)), (60, "charge-machine", top_up(11_000)),
     (60, "charge-machine", top_up(10_000)), (60, "charge-machine", top_up(10_000)), (60, "ticket-machine", top_up(3000, "credit")),
     (60, "counter", top_up(1000)), (60, "petrol-station", top_up(333, "change")), (60, "shop", buy(30_000)),
     (60, "shop", buy(15_000, ',"cash":4000')), (60, "shop", buy(30_000, ',"cash":10000'))),
    # mistakes put right
    ((0, "counter", ANON), (60, "charge-machine", top_up(2000)), (60, "counter", '"do":"reverse","of":"@ID2","why":"changed my mind"'),
     (60, "operations", '"do":"reverse","of":"@ID2","why":"wrong card"'), (60, "operations", '"do":"reverse","of":"@ID2","why":"again"'),
     (60, "shop", buy(500)), (60, "shop", '"do":"reverse","of":"@ID6","why":"returned","merchant":"kiosk-1"'), (60, "shop", buy(500)),
     (DAY, "shop", '"do":"reverse","of":"@ID8","why":"next day"'), (60, "operations", '"do":"reverse","of":"@ID8","why":"next day"'),
     (60, "operations", '"do":"reverse","of":"@ID1","why":"not this"'), (60, "operations", '"do":"reverse","of":"nothing","why":"?"')),
    # prices, sales that have ended, cards of grown-ups
    ((0, "counter", ANON.replace("2000", "1000")), (60, "ticket-machine", ANON.replace("2000", "3000")),
     (660 * DAY, "counter", SMART.replace("@A", "@B")), (60, "icoca-app", PHONE.replace("@A", "@C").replace("1000", "20001")),
     (60, "counter", '"do":"issue","card":"@C","kind":"child","paid":2000,"holder":@H')),
    # lines that are no commands, and the state of things
    ((0, "counter", ANON), (60, "", '!{"id":"'), (60, "", "![1,2]"), (60, "counter", ANON + ',"colour":"red"'),
     (60, "counter", '"do":"issue","card":"@B","kind":"anonymous"'), (60, "counter", ANON + ',"paid":2000'),
     (60, "counter", '"do":"issue","card":"@B","kind":"anonymous","paid":"2000"'), (60, "shop", buy(100, card="@B")),
     (60, "counter", ANON), (60, "gate", tap("in", "Nowhere")), (60, "shop", buy(100)), (0, "shop", "=" + buy(100)),
     (0, "shop", "=" + buy(101)), (-DAY, "shop", buy(100)), (DAY, "counter", '"do":"collect_reissue","slip":"S1","card":"@B","paid":0'),
     (60, "gate", top_up(1000)), (60, "moon", buy(100)), (60, "shop", '"do":"teleport"')),
    *SLOW,
    *CAMPAIGN,
)  # fmt: skip


class Story:
    """One telling of a story: its cards, its clock, its ids."""

    def __init__(self, number: int, now: Callable[[], int], next_id: Callable[[], str]) -> None:
        self.base = 200_000_000_000_000 + number * 10
        self.person = holder(50_000_000 + number)
        self.now = now
        self.next_id = next_id
        self.ids: list[str] = []

        self._shown = 0

    def tell(self, steps: tuple[Step, ...]) -> Iterator[bytes]:
        """The story's lines; its clock starts where ordinary life stands."""
        second = self.now()
        # by daylight, so that a few minutes never fall into another day by chance
        second += (10 * HOUR - second % DAY) % DAY
        first = second
        for later, channel, what in steps:
            second += later
            if what.startswith("!"):
                yield what[1:].encode()
                continue
            again = what.startswith("=")
            id = self.ids[-1] if again else self.next_id()
            self._shown = self._shown if again else second
            self.ids.append(id)
            head = f'{{"id":"{id}","at":"{_at(self._shown)}","channel":"{channel}","place":"{channel}-1",'
            line = f"{head}{what[again:]}}}"
            yield self._filled(line, first).encode()

    def errands(self, steps: tuple[Step, ...]) -> Generator[Step, str, None]:
        """The story's steps as they come due; each line's id is sent back."""
        first = self.now()
        for step in steps:
            later, channel, what = step
            self.ids.append((yield later, channel, self._filled(what, first)))

    def _filled(self, line: str, first: int) -> str:
        if "@" not in line:
            return line
        other_phone = self.person.replace('"phone":"000', '"phone":"999')
        bank = '{"bank":"B","branch":"1","kind":"ordinary","number":"1234567","holder_kana":"K"}'
        for mark, value in (
            ("@BANK", bank), ("@DAY2", _at(first + 2 * DAY)[:10]), ("@S2", f"S{self.base:015d}-2"),
            ("@A", f"JW{self.base:015d}"), ("@B", f"JW{self.base + 1:015d}"), ("@C", f"JW{self.base + 2:015d}"),
            ("@S", f"S{self.base:015d}-1"), ("@F", f"F{self.base:015d}-1"), ("@H", self.person), ("@X", other_phone),
            ("@P", f"p-{self.base}"), ("@Q", f"q-{self.base}"), ("@R", f"r-{self.base}"),
            *((f'@ID{n}"', f'{id}"') for n, id in enumerate(self.ids, 1)),
        ):  # fmt: skip
            line = line.replace(mark, value)
        return line


def _at(second: int) -> str:
    day, rest = divmod(second, DAY)
    return f"{date_of(day)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}+09:00"
