"""Opening a desk on a store's URL: with what ships with farecard where the store has nothing of its own."""

import gc
import os
from importlib import metadata
from pathlib import Path

import farecard.network
from farecard.campaigns import Campaigns, packaged_texts
from farecard.desk.desk import Desk
from farecard.desk.dry import DryDesk
from farecard.network import Network, Networks
from farecard.network.tables import Tables, read_tables
from farecard.storage.making import Inputs, load_inputs, open_to_write, read_vault
from farecard.storage.opening import is_there, open_to_read
from farecard.storage.store import Store
from farecard.storage.vault import Vault
from farecard.tariff import Tariff, packaged_text


def sample_network() -> Tables:
    """The network that ships with farecard; its stations are real, its fares invented."""
    return read_tables(Path(farecard.network.__file__).parent / "sample")


def making_store(url: str) -> tuple[Store, Vault]:
    """The store at ``url``, opened to write; it is made when it is not there yet."""
    return open_to_write(url, packaged_text(), sample_network)


def existing_store(url: str) -> tuple[Store, Vault]:
    """The same, but never made: ``StoreError`` when it is not there."""
    open_to_read(url).close()
    return making_store(url)


def writing_desk(url: str) -> Desk:
    """A desk on the store at ``url``, which is made when it is not there yet."""
    store, vault = making_store(url)
    return Desk(store, vault, load_inputs(store), metadata.version("farecard"))


def dry_desk(url: str) -> DryDesk:
    """A desk that keeps nothing, over the store at ``url`` or, where there is none, an empty one."""
    if is_there(url):
        store = open_to_read(url)
        store.begin_reading()
        return DryDesk(store, read_vault(store), load_inputs(store))
    return DryDesk(None, Vault(os.urandom(32)), packaged_inputs())


def packaged_inputs() -> Inputs:
    """What decisions go by where no store says otherwise."""
    networks = Networks([(0, Network(1, sample_network()))])
    campaigns = Campaigns(list(enumerate(packaged_texts(), 1)))
    return Inputs(Tariff(packaged_text()), networks, campaigns)


def collect_rarely() -> None:
    """A journal makes no reference cycles: look for them seldom, and a tenth of the time is saved."""
    gc.set_threshold(100_000, 20, 20)
