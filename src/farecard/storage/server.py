"""Reaching a PostgreSQL server: its URL, a connection set up as every statement here expects, its errors in words."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from farecard.storage.errors import StoreError
from farecard.storage.store import ConflictError

OLDEST_SERVER = 140000
UNREADABLE = (
    "the store URL cannot be read; write postgresql://USER@HOST:PORT/DATABASE, with any of % @ / : ? and spaces"
    " within a name or password percent-encoded (a password may also stand in PGPASSWORD or a PGPASSFILE), and"
    " after ? only what PostgreSQL's libpq knows"
)

SESSION = """
SET search_path = farecard;
SET client_min_messages = warning;
SET jit = off;
"""
# an answer is durable, whatever the database's default is
DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""

# the server says FATAL of these too, but they pass by themselves
_PASSES = re.compile("terminating connection|starting up|shutting down|recovery")


def _parts(url: str) -> dict[str, Any]:
    """What a URL says; what cannot be read is not quoted, since its password may stand anywhere in it."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        parts = {"port": "?"}
    if "@" in str(parts.get("host", "")) or not re.fullmatch(r"[\d,]*", str(parts.get("port", ""))):
        raise StoreError(UNREADABLE)
    return parts


def without_password(url: str) -> str:
    """A store's URL for people."""
    parts = _parts(url)
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


def key_beside(url: str) -> Path:
    """A key file of this database in the user's own configuration."""
    parts = _parts(url)
    config = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    names = [str(parts.get(name) or "") for name in ("host", "port", "dbname")]
    stem = "-".join(re.sub(r"[^\w.]+", "_", name).strip("_") for name in names if name)
    return Path(config) / "farecard" / f"{stem or 'default'}.key"


def connect(url: str) -> psycopg.Connection:
    """A connection, set up."""
    given = _parts(url)
    defaults: dict[str, Any] = {"connect_timeout": 10, "application_name": "farecard"}
    with in_words(without_password(url)):
        connection = psycopg.connect(
            url,
            autocommit=True,
            **{name: value for name, value in defaults.items() if name not in given},
            # psycopg forgets all that is prepared when it rolls back after preparing by itself, ours too
            prepare_threshold=None,
            client_encoding="UTF8",  # whatever the URL or PGCLIENTENCODING says: our own bytes are UTF-8
        )
        connection.execute(SESSION)
        connection.execute(DURABLE)
        return connection


def is_gone(connection: psycopg.Connection) -> bool:
    """Whether an idle connection has ended: what waits on its socket is the server's farewell, or nothing."""
    with suppress(psycopg.Error):
        while not connection.closed and select([connection.pgconn.socket], [], [], 0)[0]:
            connection.pgconn.consume_input()
    return connection.closed


def check_server(connection: psycopg.Connection, place: str) -> None:
    """That the server and the database can hold a store."""
    info = connection.info
    if info.server_version < OLDEST_SERVER:
        raise StoreError(f"{place} runs PostgreSQL {info.server_version // 10000}; use 14 or newer")
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(f"the database at {place} is encoded in {encoding}; make one in UTF8")


def is_store(url: str) -> bool:
    """Whether a store was made in this database."""
    with in_words(without_password(url)), connect(url) as connection:
        return is_made(connection)


def is_made(connection: psycopg.Connection) -> bool:
    """Whether this database has our tables."""
    row = connection.execute("SELECT to_regclass('farecard.about') IS NOT NULL").fetchone()
    return bool(row and row[0])


@contextmanager
def in_words(place: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into sentences a person can act on."""
    try:
        yield
    except (
        errors.DivisionByZero,  # a proof that failed: see proofs.sql
        errors.UniqueViolation,
        errors.DeadlockDetected,
        errors.SerializationFailure,
        errors.LockNotAvailable,
    ) as error:
        if "recovery" in str(error):  # no batch of ours collided: we asked a standby
            raise StoreError(
                f"the store {place}: the standby ended this question, since the primary cleaned up"
                " what it was reading; ask again, or set hot_standby_feedback = on there"
            ) from error
        raise ConflictError(type(error).__name__) from error
    except psycopg.Error as error:
        text = str(error).strip().splitlines()
        why = text[0] if text else type(error).__name__
        if isinstance(error, errors.DiskFull):
            why = f"the server's disk is full ({why}); free space and run it again"
        elif isinstance(error, errors.InsufficientPrivilege):
            why = f"the role lacks a right ({why}); its owner can GRANT it"
        elif isinstance(error, errors.ReadOnlySqlTransaction):
            why = (
                "the server only reads; if it is a standby, name the primary;"
                " if not, default_transaction_read_only is on for this role or database"
            )
        elif isinstance(error, (errors.UndefinedColumn, errors.UndefinedTable)):
            why = f"its schema farecard is none of this program's ({why}); name another database"
        elif isinstance(error, errors.QueryCanceled):
            why = f"the server ended what was asked ({why}); run it again"
        elif "FATAL:" in why and not _PASSES.search(why):
            why = f"the server lets nobody in like this ({why.rpartition('FATAL:')[2].strip()})"
        elif isinstance(error, psycopg.OperationalError):
            why = (
                f"the server cannot be reached or went away ({why}); when it is back, run it again"
            )
        raise StoreError(f"the store {place}: {why}") from error
