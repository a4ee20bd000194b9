"""Making a store and adding to it: its key, its tariff, its networks; and reading those again."""

from farecard.model.moments import moment_now
from farecard.network import Network, Networks
from farecard.network.tables import Tables
from farecard.storage.errors import StoreError
from farecard.storage.opening import open_store, refuse_unfinished
from farecard.storage.store import Store
from farecard.storage.vault import Vault, key_path, make_key, read_key
from farecard.tariff import ALWAYS, Tariff


def open_to_write(url: str, tariff_text: str, sample: Tables) -> tuple[Store, Vault]:
    """Open a store for commands; a new one gets a key, the tariff and the sample network."""
    store = open_store(url, write=True)
    try:
        store.begin_making()
        refuse_unfinished(store)  # a copy may have begun since it was opened
        if "key" in about(store):
            vault = read_vault(store)
            store.rollback()
            return store, vault
        vault = Vault(make_key(key_path(store.key_beside)))
        now = moment_now()
        store.append("about", [("key", vault.fingerprint)])
        store.append("tariff", [(1, ALWAYS, now, tariff_text)])
        add_network(store, sample, "sample", ALWAYS)
        store.commit()
    except BaseException:
        store.close()
        raise
    return store, vault


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
