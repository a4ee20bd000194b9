"""The chart of accounts (勘定科目). A name is a head, and what divides it after a colon.

Debit-side (the issuer has or is owed): ``cash:CHANNEL:PLACE``, ``card-company-receivable``.
Credit-side (the issuer owes or has earned): all others.
"""

STORED_FARE = "stored-fare-liability"
DEPOSITS_HELD = "deposits-held"
DEPOSITS_FORFEITED = "deposits-forfeited"
CARD_COMPANY = "card-company-receivable"
REFUND_FEES = "refund-fees"
REISSUE_FEES = "reissue-fees"
POINTS = "points-liability"
POINTS_LAPSED = "points-lapsed"

HEADS = {
    "cash": "cash taken in and paid out, by channel and place (or company)",
    CARD_COMPANY: "what card companies owe for quick charges and app charges",
    STORED_FARE: "what all cards hold: owed to their holders",
    DEPOSITS_HELD: "deposits held in trust for holders",
    DEPOSITS_FORFEITED: "deposits of lost cards, kept",
    "fares-payable": "fares, owed to the company that ran the train",
    "merchants-payable": "purchases, owed to the shop",
    REFUND_FEES: "fees of refunds",
    REISSUE_FEES: "fees of reissues after loss",
    "programme-receivable": "points granted, owed by whoever pays for the campaign",
    POINTS: "points on all cards, a yen each: owed to their holders",
    POINTS_LAPSED: "points of refunded cards, which nobody can use any more",
    "refunds-payable": "refunds still to be sent: by bank transfer, through the app",
}


def cash(channel: str, place: str | None, company: str | None) -> str:
    """The cash account of a till: its channel and, of company and place, what is known."""
    return f"cash:{channel}:{company or place or '-'}"


def is_cash(account: str | None) -> bool:
    """Whether a ledger account is the cash of some till."""
    return account is not None and account.startswith("cash:")


def fares_payable(company: str) -> str:
    """What is owed to a transport company."""
    return f"fares-payable:{company}"


def programme(name: str) -> str:
    """What a campaign's programme owes for the points granted."""
    return f"programme-receivable:{name}"


def merchants_payable(merchant: str) -> str:
    """What is owed to a shop."""
    return f"merchants-payable:{merchant}"


def refunds_payable(way: str) -> str:
    """Refunds on their way: ``bank-transfer`` or ``app``."""
    return f"refunds-payable:{way}"
