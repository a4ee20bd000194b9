"""Making a store and adding to it: its key, its tariff, its networks; and reading those again."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from farecard.campaigns import Campaigns, packaged_texts, read_file
from farecard.model.campaign import Campaign, day_number, past
from farecard.model.moments import date_of, moment_now, month_of
from farecard.network import Network, Networks
from farecard.network.tables import Tables
from farecard.storage.errors import StoreError
from farecard.storage.opening import open_store, refuse_unfinished
from farecard.storage.store import Store
from farecard.storage.vault import Vault, key_path, make_key, read_key
from farecard.tariff import ALWAYS, Tariff


class Inputs(NamedTuple):
    """The dated inputs that decisions go by."""

    tariff: Tariff
    networks: Networks
    campaigns: Campaigns


def open_to_write(url: str, tariff_text: str, sample: Callable[[], Tables]) -> tuple[Store, Vault]:
    """Open a store for commands; a new one gets a key, the tariff, the ``sample`` network, read only then, and the campaigns.

    One that was filled by an older farecard gets what that did not have.
    """
    store = open_store(url, write=True)
    try:
        store.begin_making()
        refuse_unfinished(store)  # a copy may have begun since it was opened
        if "key" in about(store):
            vault = read_vault(store)
            add_tariff(store, tariff_text)
            add_campaigns(store, packaged_texts())
            store.commit()
            return store, vault
        vault = Vault(make_key(key_path(store.key_beside)))
        now = moment_now()
        store.append("about", [("key", vault.fingerprint)])
        store.append("tariff", [(1, ALWAYS, now, tariff_text)])
        add_network(store, sample(), "sample", ALWAYS)
        add_campaigns(store, packaged_texts())
        store.commit()
    except BaseException:
        store.close()
        raise
    return store, vault


@contextmanager
def adding(store: Store) -> Iterator[None]:
    """Add to a store within this, whole or not at all."""
    store.begin_making()
    try:
        yield
        store.commit()
    except BaseException:
        store.rollback()
        raise


@contextmanager
def erasing(store: Store, tables: Sequence[str]) -> Iterator[None]:
    """Change these tables within this, whole or not at all, so that their files do not keep what was there."""
    store.overwrite()
    with adding(store):
        yield
    store.sweep(tables)


def _edition(text: str) -> int:
    found = re.search(r"^(?:version|edition) *= *(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


def add_tariff(store: Store, text: str) -> int | None:
    """Add a checked tariff within the open ``begin_making``, unless it or a newer edition is there; gives the new version."""
    version, _, newest = store.rows("tariffs")[-1]
    if _edition(text) <= _edition(newest):
        return None
    store.append("tariff", [(version + 1, ALWAYS, moment_now(), text)])
    return int(version) + 1


def about(store: Store) -> dict[str, str]:
    """What a store says of itself: the fingerprint of its key, the version of its schema."""
    return {row[0]: row[1] for row in store.rows("about")}


def read_vault(store: Store) -> Vault:
    """The vault of an existing store, its key proven to be the right one."""
    path = key_path(store.key_beside)
    vault = Vault(read_key(path))
    if vault.fingerprint != about(store)["key"]:
        raise StoreError(f"the key file {path} is not the one this store was made with")
    return vault


def add_network(store: Store, tables: Tables, name: str, since: int) -> int:
    """Add a version of the network within the open ``begin_making``; gives its number."""
    version = max((row[0] for row in store.rows("networks")), default=0) + 1
    store.append("network", [(version, since, moment_now(), name)])
    store.append(
        "station",
        [
            (version, line, place, station, company)
            for line, stations in tables.lines.items()
            for place, (station, company) in enumerate(stations)
        ],
    )
    store.append("fare", [(version, *fare) for fare in tables.fares])
    return version


def add_campaigns(store: Store, texts: list[str]) -> list[int]:
    """Add campaigns within the open ``begin_making``, unless theirs or a newer edition is there; gives the new versions."""
    rows = store.rows("campaigns")
    editions = {name: _edition(text) for _, name, text in rows}
    stored = {text for _, _, text in rows}
    version = max((row[0] for row in rows), default=0)
    added = []
    for text in texts:
        if text in stored:  # nothing to read: so it is whenever a store is opened
            continue
        campaign = read_file(text)
        if campaign.edition <= editions.get(campaign.name, 0):
            continue
        version += 1
        added.append(version)
        store.append("campaign", [(version, campaign.name, moment_now(), text)])
        if isinstance(campaign, Campaign):
            _add_columns(store, version, campaign)
    return added


def _add_columns(store: Store, version: int, campaign: Campaign) -> None:
    """A campaign in columns, for SQL; and the days it reaches over."""

    def after(when: date | None) -> int | None:
        return None if when is None else past(when)

    for one in campaign.measures:
        store.append(
            "measure",
            [(version, campaign.name, one.number, one.first_at, one.past_at,
              one.target, one.reward, one.percent, one.cap, int(one.monthly), one.filed, after(one.filed_until),
              one.done, after(one.done_until), campaign.grant_day)],
        )  # fmt: skip
        store.append(
            "counted",
            [(version, one.number, *kind) for kind in sorted(one.kinds)],
        )
    _add_days(store, campaign)


def _add_days(store: Store, campaign: Campaign) -> None:
    """The calendar from two months before a campaign begins to three after it has ended."""
    dates = [one.counts_from or one.apply_from for one in campaign.measures]
    ends = [one.counts_until or one.done_until or campaign.apply_until for one in campaign.measures]
    first = day_number(min(dates).replace(day=1)) - 62
    last = day_number(max([*ends, campaign.apply_until])) + 92
    there = {row[0] for row in store.rows("calendar")}
    rows = []
    for day in range(first, last + 1):
        when = date_of(day)
        if day not in there:
            rows.append((day, month_of(day), day - when.day + 1))
    store.append("calendar", rows)


def load_inputs(store: Store) -> Inputs:
    """What decisions on a store go by now."""
    return Inputs(load_tariff(store), load_networks(store), load_campaigns(store))


def load_campaigns(store: Store) -> Campaigns:
    """The campaigns of a store."""
    return Campaigns([(version, text) for version, _, text in store.rows("campaigns")])


def load_tariff(store: Store) -> Tariff:
    """The newest tariff of a store."""
    rows = store.rows("tariffs")
    tariff = Tariff(rows[-1][2])
    tariff.version = rows[-1][0]
    return tariff


def load_networks(store: Store) -> Networks:
    """All versions of a store's network."""
    versions = []
    for version, since, _ in store.rows("networks"):
        lines: dict[str, list[tuple[str, str]]] = {}
        for line, _, station, company in store.rows("stations", version=version):
            lines.setdefault(line, []).append((station, company))
        fares = store.rows("fares", version=version)
        versions.append((since, Network(version, Tables(lines, fares))))
    return Networks(versions)
