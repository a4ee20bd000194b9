"""What an issuer of prepaid means reports to the authorities (前払式支払手段の未使用残高)."""

from farecard.model.moments import date_of
from farecard.model.rates import Rates
from farecard.rules.catalogue import rule


@rule(
    "PUB-15",
    source="law (Payment Services Act)",
    ja="3月31日と9月30日の未使用残高を報告し、1,000万円を超えるときはその2分の1以上を保全します。デポジットは含みません。",
    tariff=("prepaid_report_days", "prepaid_threshold", "prepaid_secured_percent"),
)
def to_secure(unused: int, rates: Rates) -> int:
    """Of the unused balance at 31 March and 30 September, above 10 million yen at least half is secured.

    Takes the stored fare of all cards in yen (the deposit is not part of it), gives the yen to
    secure, rounded up.
    """
    if unused <= rates.prepaid_threshold:
        return 0
    return -(-unused * rates.prepaid_secured_percent // 100)


def is_report_day(day: int, rates: Rates) -> bool:
    """Whether the unused balance of this day is one that is reported."""
    when = date_of(day)
    return when.month * 100 + when.day in rates.prepaid_report_days
