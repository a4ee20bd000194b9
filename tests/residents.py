"""Who a scenario needs and is not about: people who work here, members, keys; entered in the store by this process, not by one started for each.

Passwords made within the tests are hashed at the least cost (``conftest.passwords_cost_little``). A hash says what it
cost, so a server that compares them is quick as well; what it hashes itself costs what it costs everywhere.
"""

import io
from contextlib import closing, redirect_stdout

from farecard.access import members, staff
from farecard.cli.main import main
from farecard.desk.opening import making_store

WORD = "a red umbrella in May"


def hired(url, name, role):
    """Somebody who works here; the password is ``WORD``."""
    with closing(making_store(url)[0]) as store:
        staff.add(store, name, role, WORD, "test")


def enrolled(url, login):
    """A member with the password ``WORD``; gives the id and the recovery codes."""
    store, vault = making_store(url)
    with closing(store):
        return members.enrol(store, vault, login, WORD)


def key(url, name, channels="", **options):
    """A key's secret. ``options``: those of ``farecard keys add``."""
    words = ["--channels", channels] if channels else []
    for option, value in options.items():
        words += [f"--{option}"] if value is True else [f"--{option}", str(value)]
    with redirect_stdout(io.StringIO()) as told:
        assert main(["--store", url, "keys", "add", name, *words]) == 0
    return told.getvalue().split()[-1]
