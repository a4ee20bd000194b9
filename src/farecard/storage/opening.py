"""Opening a store by its URL. What is needed to make one stands in ``making``: a question starts fast."""

from pathlib import Path

from farecard.storage.errors import StoreError
from farecard.storage.sqlite import SqliteStore

DEFAULT_URL = "sqlite:///farecard.db"


def path_of(url: str) -> Path:
    """The file a store URL names."""
    for start in ("sqlite:///", "sqlite://"):
        if url.startswith(start):
            url = url[len(start) :]
            break
    else:
        if "://" in url:
            raise StoreError(
                f"{url.split('://')[0]}:// is no store this version opens; use sqlite:///FILE"
            )
    if not url:
        raise StoreError("the store URL names no file; use sqlite:///FILE")
    return Path(url)


def open_to_read(url: str) -> SqliteStore:
    """Open a store for questions: it must be there, and nothing of it changes."""
    return SqliteStore(path_of(url), write=False)
