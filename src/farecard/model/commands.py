"""The commands of the wire contract, one type each: what a journal line may say.

After decoding, ``at`` is a moment (microseconds) and every card number an integer of its
fifteen digits; personal data (``holder``, ``bank_account``) has been cut out by the wire.
Fields are checked for shape here; whether a card or a slip exists is the desk's to say.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from farecard.model.account import ISSUER

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
LongText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Yen = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
YenOrNone = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

Kind = Literal["anonymous", "named", "commuter", "child", "smart", "mobile", "apple-pay"]
Channel = Literal[
    "counter", "other-counter", "ticket-machine", "charge-machine", "fare-adjustment", "gate",
    "other-rail", "convenience-store", "seven-bank-atm", "shop-machine", "petrol-station", "shop",
    "icoca-app", "wester-app", "member-page", "myna-point", "post", "phone", "operations",
]  # fmt: skip

PHYSICAL = ("anonymous", "named", "commuter", "child", "smart")
PHONES = ("mobile", "apple-pay")
KINDS = PHYSICAL + PHONES
CHANNELS: tuple[str, ...] = Channel.__args__  # type: ignore[attr-defined]  # typing has no public name for it


class Holder(msgspec.Struct, forbid_unknown_fields=True):
    """Who a card belongs to. Leaves the journal at decoding and is kept apart, encrypted."""

    name: Text
    kana: Text
    born: str
    phone: Text


class BankAccount(msgspec.Struct, forbid_unknown_fields=True):
    """Where a refund by post is paid. Kept like a holder."""

    bank: Text
    branch: Text
    kind: Text
    number: Text
    holder_kana: Text


class Pass(
    msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, rename={"from_": "from"}
):
    """A commuter pass's section and days (定期券の区間と有効期間)."""

    from_: Text
    to: Text
    valid_from: str
    valid_until: str
    disability_discount: bool = False
    seller: Text = ISSUER


class Command(
    msgspec.Struct,
    tag_field="do",
    forbid_unknown_fields=True,
    omit_defaults=True,
    kw_only=True,
    gc=False,
):
    """What every command has. ``at`` arrives as text and leaves the wire as a moment."""

    # how the wire knows which fields are card numbers: known at once, or new
    NUMBERS: ClassVar[tuple[str, ...]] = ("card",)
    DAYS: ClassVar[tuple[str, ...]] = ()

    id: Text
    at: Any
    channel: Channel
    place: Text | None = None
    by: Text | None = None
    company: Text | None = None


class Issue(Command, tag="issue"):
    """Sell a card (発売)."""

    DAYS: ClassVar[tuple[str, ...]] = ("expires", "points_registered_on")

    card: Any
    kind: Kind
    paid: YenOrNone
    holder: Holder | None = None
    pass_: Pass | None = msgspec.field(default=None, name="pass")
    expires: str | None = None
    points_registered_on: str | None = None
    case: Text | None = None


class TopUp(Command, tag="top_up"):
    """Put money on a card (チャージ)."""

    card: Any
    amount: Yen
    tender: Literal["cash", "credit", "change"]
    station: Text | None = None


class TapIn(Command, tag="tap_in"):
    """Enter through a gate (入場)."""

    card: Any
    station: Text


class TapOut(Command, tag="tap_out"):
    """Leave through a gate, or have a ride closed (出場・精算)."""

    card: Any
    station: Text


class Purchase(Command, tag="purchase"):
    """Pay in a shop with the card (電子マネー)."""

    card: Any
    amount: Yen
    merchant: Text
    cash: YenOrNone = 0


class Reverse(Command, tag="reverse"):
    """Put a mistake right (取消)."""

    NUMBERS: ClassVar[tuple[str, ...]] = ()

    of: Text
    why: LongText
    of_sender: Text | None = None
    merchant: Text | None = None
    case: Text | None = None


class Refund(Command, tag="refund"):
    """Give a card back for its money (払いもどし)."""

    card: Any
    number_legible: bool = True


class RequestRefundForm(Command, tag="request_refund_form"):
    """Ask for the form that a SMART ICOCA's refund by post needs (申込書の請求)."""

    card: Any


class RefundByPost(Command, tag="refund_by_post"):
    """A returned form and SMART ICOCA (郵送による払いもどし)."""

    card: Any
    form: Text
    bank_account: BankAccount


class ReportDamaged(Command, tag="report_damaged"):
    """Hand in a damaged card (障害再発行の申込み)."""

    card: Any


class ReportLost(Command, tag="report_lost"):
    """Report a card lost (紛失再発行の申込み)."""

    card: Any


class CollectReissue(Command, tag="collect_reissue"):
    """Collect the new card with the slip (再発行カードの受取り)."""

    slip: Text
    card: Any
    paid: YenOrNone


class MoveToPhone(Command, tag="move_to_phone"):
    """Move a card into a phone (モバイルへの移行・取り込み)."""

    NUMBERS: ClassVar[tuple[str, ...]] = ("card", "to")

    card: Any
    to: Any
    kind: Literal["mobile", "apple-pay"]


class RegisterForPoints(Command, tag="register_for_points"):
    """Register a card's use of WESTER points (利用登録)."""

    card: Any


class JoinMembership(Command, tag="join_membership"):
    """Tie a card to a WESTER membership (会員登録). ``member`` is kept like a holder."""

    card: Any
    member: Text


class OtherService(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A measure that was applied for with another cashless service."""

    measure: Literal[1, 2, 3]
    applied_on: str
    ended: bool = False


class ApplicationHistory(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What the national system knows of a person's earlier applications."""

    round_1: Literal["none", "icoca-received", "icoca-open"] = "none"
    round_1_counted: YenOrNone = 0
    other_service: OtherService | None = None


class ApplyMynaPoint(Command, tag="apply_myna_point"):
    """Apply for measures of Myna Point with a card (マイナポイントの申込み). ``person`` is kept like a holder."""

    card: Any
    person: Text
    measures: Annotated[list[Literal[1, 2, 3]], msgspec.Meta(min_length=1, max_length=3)]
    own_name: bool = True
    history: ApplicationHistory | None = None
    case: Text | None = None


class Notice(Command):
    """What the national system reports of a person."""

    NUMBERS: ClassVar[tuple[str, ...]] = ()

    person: Text


class ConfirmInsuranceCard(Notice, tag="confirm_insurance_card"):
    """The health-insurance card's use is registered (健康保険証としての利用申込み)."""


class FileAccount(Notice, tag="file_account"):
    """An account for public money was filed (公金受取口座の登録申請)."""


class ConfirmAccount(Notice, tag="confirm_account"):
    """The filed account is complete on Mynaportal (公金受取口座の登録完了)."""


class ChangeAppliedCard(Command, tag="change_applied_card"):
    """Ask for another ICOCA in place of the one applied with (申込みカードの変更)."""

    person: Text
    card: Any


class TopUpFromPoints(Command, tag="top_up_from_points"):
    """Turn points into balance (ポイントチャージ)."""

    card: Any
    points: Yen


class JoinCampaign(Command, tag="join_campaign"):
    """Take part in a campaign that is joined by card (キャンペーンへの参加)."""

    card: Any
    campaign: Text


class JoinRally(Command, tag="join_rally"):
    """Join the stamp rally with a card (スタンプラリーへの参加)."""

    card: Any


class ResolveCase(Command, tag="resolve_case"):
    """Close a case that was left to people: grant it or decline it (判断の記録)."""

    NUMBERS: ClassVar[tuple[str, ...]] = ()

    case: Text
    decision: Literal["granted", "declined"]
    why: LongText


class Run(Command):
    """What the back office does to all cards at once."""

    NUMBERS: ClassVar[tuple[str, ...]] = ()


class RunGrants(Run, tag="run_grants"):
    """Grant what is due by a month (付与)."""

    month: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class CommitDraw(Run, tag="commit_draw"):
    """Freeze a draw's list and say which public value will decide it (抽選の確定)."""

    draw: Literal[1, 2]
    seed_source: LongText


class DrawLottery(Run, tag="draw_lottery"):
    """Pick a draw's winners by the public value (抽選)."""

    draw: Literal[1, 2]
    winners: Yen
    seed: LongText


COMMANDS: tuple[type[Command], ...] = (
    Issue, TopUp, TapIn, TapOut, Purchase, Reverse, Refund, RequestRefundForm, RefundByPost,
    ReportDamaged, ReportLost, CollectReissue, MoveToPhone, RegisterForPoints, JoinMembership,
    TopUpFromPoints, ApplyMynaPoint, ConfirmInsuranceCard, FileAccount, ConfirmAccount,
    ChangeAppliedCard, RunGrants, JoinCampaign, JoinRally, CommitDraw,
    DrawLottery, ResolveCase,
)  # fmt: skip


def name_of(command: type[Command]) -> str:
    """The ``do`` of a command type."""
    tag = command.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


# told apart when read aloud: no I, L, O, U
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def format_number(number: int) -> str:
    """A card number as it is printed: ``JW`` and fifteen digits."""
    return f"JW{number:015d}"


def parse_number(text: object) -> int:
    """A printed card number as an integer; ValueError when it is none."""
    if type(text) is not str or len(text) != 17 or text[:2] != "JW":
        raise ValueError("a card number is JW and 15 digits")
    if not (text.isascii() and text[2:].isdigit()):
        raise ValueError("a card number is JW and 15 digits")
    return int(text[2:])
