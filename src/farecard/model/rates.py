"""The tariff as one day sees it: what the rules read their amounts, dates and places from."""

import msgspec


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Every value of the tariff for one day. Yen, days and lists of channels.

    Which value holds from when, and who says so, stands in the tariff's rows of the same name.
    """

    deposit: int
    phone_deposit: int
    sale_price: int
    machine_sale_prices: frozenset[int]
    smart_last_sale: int
    child_age: int
    school_year_first_birthday: int
    points_service_last_registration: int
    top_up_places: frozenset[str]
    quick_charge_places: frozenset[str]
    phone_cash_places: frozenset[str]
    phone_credit_places: frozenset[str]
    change_places: frozenset[str]
    quick_charge_amounts: frozenset[int]
    quick_charge_day_limit: int
    quick_charge_month_limit: int
    quick_charge_last_day: int | None = None
    cash_step: int
    cash_most: int
    fare_adjustment_amounts: frozenset[int]
    balance_ceiling: int
    ride_day_ends: int
    refund_fee: int
    phone_refund_fee: int
    expired_child_refund_fee: int
    damaged_reissue_fee: int
    lost_reissue_fee: int
    reissue_wait: int
    slip_days: int
    move_largest_balance: int
    registration_online_places: frozenset[str]
    registration_evening: int
    registration_wait: int
    registration_evening_wait: int
    points_unit: int
    wester_points_since: int
    prepaid_report_days: frozenset[int]
    prepaid_threshold: int
    prepaid_secured_percent: int
