"""Opening a store by its URL. What is needed to make one stands in ``making``: a question starts fast."""

from pathlib import Path

from farecard.storage.errors import StoreError
from farecard.storage.store import Store

DEFAULT_URL = "sqlite:///farecard.db"
POSTGRES = ("postgresql://", "postgres://")
UNFINISHED = "copy"  # the row of `about` that only a store has which `store copy` is still filling


def path_of(url: str) -> Path:
    """The file a SQLite URL names."""
    if (
        url.startswith(("postgresql:", "postgres:")) or "password=" in url
    ):  # it may hold a password: not quoted
        raise StoreError(
            "the store URL is none farecard opens; use sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        )
    for start in ("sqlite:///", "sqlite://"):
        if url.startswith(start):
            url = url[len(start) :]
            break
    else:
        if "://" in url:
            raise StoreError(
                f"{url.split('://')[0]}:// is no store farecard opens;"
                " use sqlite:///FILE or postgresql://USER@HOST/DATABASE"
            )
    if not url:
        raise StoreError("the store URL names no file; use sqlite:///FILE")
    return Path(url)


def open_store(url: str, *, write: bool) -> Store:
    """Open an existing store, or with ``write`` make one that is not there yet."""
    store = _open(url, write)
    try:
        refuse_unfinished(store)
    except BaseException:
        store.close()
        raise
    return store


def _open(url: str, write: bool) -> Store:
    if is_postgres(url):
        from farecard.storage.postgres import PostgresStore

        return PostgresStore(url, write=write)
    from farecard.storage.sqlite import SqliteStore

    return SqliteStore(path_of(url), write=write)


def refuse_unfinished(store: Store) -> None:
    """Half a copy answers no question and takes no command."""
    if any(name == UNFINISHED for name, _ in store.rows("about")):
        raise StoreError(
            f"{store.place} is an unfinished copy of another store;"
            " run the same `farecard store copy` again to finish it"
        )


def open_to_read(url: str) -> Store:
    """Open a store for questions: it must be there, and nothing of it changes."""
    store = open_store(url, write=False)
    if not any(name == "key" for name, _ in store.rows("about")):
        store.close()
        raise StoreError(
            f"{store.place} is only half made: whoever made it was interrupted;"
            " the next `farecard --store URL replay FILE` finishes it"
        )
    return store


def is_postgres(url: str) -> bool:
    """Whether a URL names a PostgreSQL database; else it names a SQLite file."""
    return url.startswith(POSTGRES)


def is_there(url: str) -> bool:
    """Whether a store was made at this URL."""
    if is_postgres(url):
        from farecard.storage.server import is_store

        return is_store(url)
    return path_of(url).exists()


def place_of(url: str) -> str:
    """A store's URL for people: without its password."""
    if is_postgres(url):
        from farecard.storage.server import without_password

        return without_password(url)
    return str(path_of(url))
