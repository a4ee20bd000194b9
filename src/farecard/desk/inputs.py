"""Dated inputs that are added to a store at work: tariffs and campaigns, each checked, and what each would change."""

from typing import Any

from farecard.campaigns import CampaignError, read_file
from farecard.storage.making import add_campaigns, add_tariff, load_tariff
from farecard.storage.store import Store
from farecard.tariff import Row, Tariff, TariffError


class InputError(ValueError):
    """A file that cannot be used; the sentence says why."""


def add_input(store: Store, what: str, text: str) -> int | None:
    """Add a ``tariff`` or ``campaign`` within the open ``adding``; its version, None when it, or a newer edition, is there."""
    if what == "tariff":
        read_tariff(text)
        return add_tariff(store, text)
    try:
        added = add_campaigns(store, [text])
    except CampaignError as error:
        raise InputError(str(error)) from None
    return added[0] if added else None


def read_tariff(text: str) -> Tariff:
    """A tariff's text, checked. ``InputError`` when it is none."""
    try:
        return Tariff(text)
    except TariffError as error:
        raise InputError(str(error)) from None


def input_preview(store: Store, what: str, text: str) -> tuple[str, dict[str, Any]]:
    """What a file is about, and what it would change. ``InputError`` when it would not be taken."""
    return _tariff_preview(store, text) if what == "tariff" else _campaign_preview(store, text)


def _tariff_preview(store: Store, text: str) -> tuple[str, dict[str, Any]]:
    new, old = read_tariff(text), load_tariff(store)
    held = Tariff(old.text).version
    if new.version <= held:
        raise InputError(
            f"version = {new.version}: version {held} holds; give a changed file the next version"
        )
    were, are = ({_spoken(row) for row in one.rows} for one in (old, new))
    return "tariff", {
        "version": new.version,
        "replaces": held,
        "added": [_row(row) for row in new.rows if _spoken(row) not in were],
        "removed": [_row(row) for row in old.rows if _spoken(row) not in are],
    }


def _spoken(row: Row) -> tuple[str, str, int, int]:
    return row.name, repr(row.value), row.first_day, row.last_day


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "value": row.value,
        "unit": row.unit,
        "from": row.from_,
        "until": row.until,
        "rules": row.rules,
        "source": row.source,
    }


def _campaign_preview(store: Store, text: str) -> tuple[str, dict[str, Any]]:
    try:
        campaign = read_file(text)
    except CampaignError as error:
        raise InputError(str(error)) from None
    held = [read_file(row[2]).edition for row in store.rows("campaigns") if row[1] == campaign.name]
    if held and campaign.edition <= max(held):
        raise InputError(
            f"edition = {campaign.edition}: edition {max(held)} of {campaign.name} is in the store; give a changed"
            " file the next edition"
        )
    return f"campaign:{campaign.name}", {
        "campaign": campaign.name,
        "edition": campaign.edition,
        "replaces": max(held, default=None),
        "measures": [one.number for one in getattr(campaign, "measures", ())],
    }
