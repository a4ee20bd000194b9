"""What a desk says to PostgreSQL: the schema in its words, what is read, and how a batch is written and proven."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from farecard.storage.sql import PARAMETER, queries, tables
from farecard.storage.store import EVERYDAY, Ask, Row, Writes

# the schema's word → PostgreSQL's. Text sorts by its bytes, as SQLite sorts it.
DIALECT = (
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
    (re.compile(r"^\) /\* rewritten in place \*/;", re.MULTILINE), ") WITH (fillfactor = 80);"),
)

# A desk's statements walk the lists they are given in order, over the tables' keys: planned once, and
# two batches lock the rows they share in the same order.
DESK = """
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET lock_timeout = '10s';
"""
# A survey goes over all accounts; nothing is known of how large its parts are, and looking each row up in
# another would take for ever where they are large.
SURVEY = "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '128MB'"
# what a desk reads while it decides
READS = (
    "accounts", "numbers", "commands", "events", "reversed", "holders", "namesakes",
    "versions", "last_batch", "persons", "notices", "referred_of_card", "resolutions",
)  # fmt: skip

# a statement that must reach as many rows as it is given; if not, dividing by 0 ends the transaction at once
PROOF = "WITH kept AS ({} RETURNING 1) SELECT 1 / (count(*) = :expected::int8)::int4 FROM kept"
# no tariff, network or campaign was loaded since: asked when all a batch rests on is locked, so whoever decides by it
# comes after
INPUTS = (
    "SELECT 1 / ((SELECT max(version) FROM tariff) = :tariff::int8"
    " AND (SELECT max(version) FROM network) = :network::int8"
    " AND (SELECT max(version) FROM campaign) = :campaign::int8)::int4"
)
LOCK = "UPDATE account SET last_seq = last_seq WHERE account = ANY(:account)"

_TYPES = {"BIGINT": "int8", "TEXT": "text", "BYTEA": "bytea"}
COLUMNS = tables()

# these tables are written last, in the round trip of the commit
LAST = ("total", "batch")
# and then what sums them up
SUBTOTALS = ("subtotal_of_batches", "subtotal_of_subtotals")
BEGIN: Ask = ("begin", {})
COMMIT: Ask = ("commit", {})


def in_postgres(text: str) -> str:
    """Translate the schema."""
    for word, here in DIALECT:
        text = word.sub(here, text)
    return text


def for_cursor(text: str) -> str:
    """A named statement as psycopg's cursors take it, its values binary."""
    return PARAMETER.sub(r"%(\1)b", text.replace("%", "%%"))


def desk_reads() -> dict[str, str]:
    """The statements a desk reads with."""
    every = queries(str)
    return {name: every[name] for name in READS}


def desk_writes() -> dict[str, str]:
    """Every statement of a commit: proofs, and an insert a table with a list a column."""
    statements = {"begin": "BEGIN", "commit": "COMMIT", "rollback": "ROLLBACK"}
    for table, columns in COLUMNS.items():
        lists = ", ".join(f":{name}::{_TYPES[type]}[]" for name, type in columns.items())
        statements[table] = f"INSERT INTO {table} SELECT * FROM unnest({lists})"
    for name, text in queries(str, "proofs.sql").items():
        statements[f"proof_{name}"] = PROOF.format(text)
    every = queries(str)
    statements |= {name: every[name] for name in SUBTOTALS}
    statements["proof_inputs"] = INPUTS
    statements["lock"] = LOCK
    return statements


def insert(table: str, rows: Sequence[Sequence[Any]]) -> Ask:
    """One statement that inserts rows."""
    return table, dict(zip(COLUMNS[table], zip(*rows, strict=True), strict=True))


def column_types(table: str) -> list[str]:
    """PostgreSQL's names of the types of a table's columns."""
    return [_TYPES[one] for one in COLUMNS[table].values()]


def proofs(writes: Writes) -> Iterator[Ask]:
    """Statements that fail unless they reach as many rows as they are given."""
    account = tuple(COLUMNS["account"])
    for name, columns, rows in (
        ("everyday", ("was", "account", *EVERYDAY), writes.everyday),
        ("changed", ("was", *account), writes.changed),
        (
            "ended_numbers",
            ("ended", "ended_at", "head", "successor", "number"),
            writes.ended_numbers,
        ),
        ("claim_numbers", ("number",), [(number,) for number in writes.absent_numbers]),
        ("unclaim_numbers", ("number",), [(number,) for number in writes.absent_numbers]),
        ("persons", ("was", "person", "account", "measures", "last_seq"), writes.persons),
        ("claim_persons", ("person",), [(key,) for key in writes.absent_persons]),
        ("unclaim_persons", ("person",), [(key,) for key in writes.absent_persons]),
        *_names(writes.namesakes),
        ("claim_ids", ("sender", "id"), writes.absent_ids),
        ("unclaim_ids", ("sender", "id"), writes.absent_ids),
    ):
        if rows:
            values = dict(zip(columns, zip(*rows, strict=True), strict=True))
            yield f"proof_{name}", values | {"expected": len(rows)}


def _names(
    rows: list[tuple[bytes, int, int]],
) -> Iterator[tuple[str, tuple[str, ...], Sequence[Row]]]:
    """A person still has as many cards as were read."""
    new = [(key, now) for key, was, now in rows if was == 0]
    yield "new_namesakes", ("name_key", "cards"), new
    yield "unclaim_namesakes", ("name_key",), [(key,) for key, now in new if now == 0]
    yield "more_namesakes", ("name_key", "was", "cards"), [row for row in rows if row[1]]
