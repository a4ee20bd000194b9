"""Making a store and adding to it: its key, its tariff, its networks; and reading those again."""

from farecard.model.moments import moment_now
from farecard.network import Network, Networks
from farecard.network.tables import Tables
from farecard.storage.errors import StoreError
from farecard.storage.opening import path_of
from farecard.storage.sqlite import SqliteStore
from farecard.storage.vault import Vault, key_path, make_key, read_key
from farecard.tariff import ALWAYS, Tariff


def open_to_write(url: str, tariff_text: str, sample: Tables) -> tuple[SqliteStore, Vault]:
    """Open a store for commands; a new one gets a key, the tariff and the sample network."""
    path = path_of(url)
    store = SqliteStore(path, write=True)
    store.begin()
    try:
        if store.rows("about"):
            vault = read_vault(store)
            store.rollback()
            return store, vault
        vault = Vault(make_key(key_path(path)))
        now = moment_now()
        store.write("about", [("key", vault.fingerprint)])
        store.write("tariff", [(1, ALWAYS, now, tariff_text)])
        add_network(store, sample, "sample", ALWAYS)
        store.commit()
    except BaseException:
        store.rollback()
        raise
    return store, vault


def read_vault(store: SqliteStore) -> Vault:
    """The vault of an existing store, its key proven to be the right one."""
    path = key_path(store.path)
    vault = Vault(read_key(path))
    if vault.fingerprint != dict(store.rows("about"))["key"]:
        raise StoreError(f"the key file {path} is not the one this store was made with")
    return vault


def add_network(store: SqliteStore, tables: Tables, name: str, since: int) -> int:
    """Add a version of the network within the open transaction; gives its number."""
    version = max((row[0] for row in store.rows("networks")), default=0) + 1
    store.write("network", [(version, since, moment_now(), name)])
    store.write(
        "station",
        [
            (version, line, place, station, company)
            for line, stations in tables.lines.items()
            for place, (station, company) in enumerate(stations)
        ],
    )
    store.write("fare", [(version, *fare) for fare in tables.fares])
    return version


def load_tariff(store: SqliteStore) -> Tariff:
    """The newest tariff of a store."""
    rows = store.rows("tariffs")
    tariff = Tariff(rows[-1][2])
    tariff.version = rows[-1][0]
    return tariff


def load_networks(store: SqliteStore) -> Networks:
    """All versions of a store's network."""
    versions = []
    for version, since, _ in store.rows("networks"):
        lines: dict[str, list[tuple[str, str]]] = {}
        for line, _, station, company in store.rows("stations", version=version):
            lines.setdefault(line, []).append((station, company))
        fares = store.rows("fares", version=version)
        versions.append((since, Network(version, Tables(lines, fares))))
    return Networks(versions)
