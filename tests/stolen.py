"""What is in a store's files, byte by byte: for tests that look at them as a thief would."""

from pathlib import Path

from postgres import query


def rows_left(url):
    """The bytes of every row that is in a store's files, of versions that nobody sees any more, too."""
    if url.startswith("sqlite:///"):
        return bytes_of(url)
    found = []
    for name, n in pages(url):
        items = f"public.heap_page_items(public.get_raw_page('farecard.{name}', {n}))"
        found += [row[0] for row in query(url, f"SELECT t_data FROM {items} WHERE t_data IS NOT NULL")]
    return b"".join(map(bytes, found))


def pages(url):
    """(table, number) of each page of a PostgreSQL store."""
    query(url, "CREATE EXTENSION IF NOT EXISTS pageinspect WITH SCHEMA public")
    of_ours = "relnamespace = 'farecard'::regnamespace AND relkind = 'r'"
    names = [row[0] for row in query(url, f"SELECT relname FROM pg_class WHERE {of_ours}")]
    return [
        (name, n)
        for name in names
        for n in range(query(url, f"SELECT pg_relation_size('farecard.{name}') / 8192")[0][0])
    ]


def bytes_of(url):
    """Everything in a store's files; of PostgreSQL the pages of its tables."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        return b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*") if not one.name.endswith("key"))
    raw = [query(url, f"SELECT public.get_raw_page('farecard.{name}', {n})")[0][0] for name, n in pages(url)]
    return b"".join(map(bytes, raw))


def spellings(text):
    """How a text may lie in a file."""
    return {text.encode("utf-8"), text.encode("utf-16-le"), text.encode("shift_jis"), text.encode().hex().encode()}
