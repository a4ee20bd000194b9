"""The same schema and statements would do over Citus: none of them is of a kind that it refuses.

Held against the list in ``citus.py`` by PostgreSQL's own parser; no statement needs an exception.
"""

import re
from pathlib import Path

import pytest

from citus import refused, spread_of
from farecard.storage.pipeline import numbered
from farecard.storage.sql import queries, schema_statements, tables
from farecard.storage.statements import DESK, READS, desk_writes, in_postgres

PAGE = (Path(__file__).parent.parent / "ARCHITECTURE.md").read_text("utf-8")
SPREAD = spread_of(PAGE, tables())


READ = queries(str, "queries.sql")
WRITTEN = desk_writes()


def test_the_page_says_of_every_table_how_it_is_spread():
    """No table is forgotten, none is made up, and each key is a column of its tables."""
    assert set(SPREAD.key) == set(tables())
    for table, key in SPREAD.key.items():
        assert key is None or key in tables()[table], table
    assert {table for table, key in SPREAD.key.items() if key is None} >= {"batch", "about"}


@pytest.mark.parametrize("statement", schema_statements(in_postgres), ids=lambda text: text.split("(")[0].split()[-1])
def test_the_schema_can_be_spread(statement):
    """Unique only with the key, no foreign key across keys, no trigger."""
    assert refused(statement, SPREAD) == []


@pytest.mark.parametrize("name", WRITTEN)
def test_every_statement_of_a_commit_would_be_taken(name):
    """Proofs and inserts: what a desk writes."""
    assert refused(numbered(WRITTEN[name])[0], SPREAD) == []


@pytest.mark.parametrize("name", READ)
def test_every_statement_that_reads_would_be_taken(name):
    """What a desk reads, and what questions and the audit ask: no exception is needed."""
    assert refused(numbered(READ[name])[0], SPREAD) == []


def test_nothing_is_left_out():
    """The statements looked at are those of the driver: its reads are among them, its tables are written."""
    assert set(READS) <= set(READ)
    assert set(tables()) <= set(WRITTEN)
    assert {f"proof_{name}" for name in queries(str, "proofs.sql")} <= set(WRITTEN)


def test_the_page_names_the_setting_that_citus_cannot_plan_with():
    """A statement over several shards gets no generic plan there; as long as a desk forces one, the page says so."""
    part = re.search(r"^\*\*Over Citus\*\*(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1]
    assert ("force_generic_plan" in DESK) == ("force_generic_plan" in part)


BAD = {
    "SELECT * FROM account WHERE account = 1 FOR UPDATE": "FOR UPDATE",
    "SELECT * FROM account FOR SHARE": "FOR UPDATE or SHARE",
    "CREATE TABLE number (number BIGINT, account BIGINT PRIMARY KEY)": "without its key number",
    "CREATE TABLE event (seq BIGINT, account BIGINT, PRIMARY KEY (seq))": "without its key account",
    "CREATE TABLE event (seq BIGINT UNIQUE, account BIGINT)": "without its key account",
    "CREATE TABLE event (seq BIGINT, EXCLUDE USING btree (seq WITH =))": "without its key account",
    "CREATE UNIQUE INDEX one ON holder (phone_key)": "without its key account",
    "ALTER TABLE holder ADD CONSTRAINT one UNIQUE (phone_key)": "without its key account",
    "CREATE TABLE number (number BIGINT PRIMARY KEY, account BIGINT REFERENCES account)": "a foreign key",
    "CREATE TABLE event (seq BIGINT, account BIGINT, FOREIGN KEY (seq) REFERENCES account (account))": "a foreign key",
    "CREATE TABLE batch (id BIGINT, FOREIGN KEY (id) REFERENCES event (account))": "a foreign key",
    "ALTER TABLE number ADD FOREIGN KEY (account) REFERENCES account (account)": "a foreign key",
    "CREATE TRIGGER t AFTER INSERT ON event EXECUTE FUNCTION f()": "a trigger",
    "CREATE RULE r AS ON INSERT TO event DO NOTHING": "a rule",
    "UPDATE account SET account = 2 WHERE account = 1": "its key account is updated",
    "UPDATE number SET number = u.n FROM unnest($1::int8[]) AS u (n) WHERE number.account = u.n": "its key number",
    "INSERT INTO namesake VALUES ('', 1) ON CONFLICT (name_key) DO UPDATE SET name_key = ''": "its key name_key",
    "UPDATE account SET balance = balance * random()": "random() in a change",
    "DELETE FROM command WHERE seq < clock_timestamp()": "clock_timestamp() in a change",
    "INSERT INTO event (seq) VALUES (1)": "without its key account",
    "INSERT INTO command (sender, id) VALUES ('a', (SELECT max(id) FROM command))": "a subquery among the VALUES",
    "SELECT * FROM account a JOIN number n ON n.account = a.account": "account joined with number",
    "SELECT * FROM account a, number n WHERE a.account = n.number": "account joined with number",
    "SELECT * FROM event e JOIN transfer t ON t.seq = e.seq": "on other columns than their key",
    "SELECT * FROM event e JOIN transfer t ON t.seq = e.seq OR t.account = e.account": "on other columns",
    "SELECT * FROM event e, transfer t WHERE e.account = ANY($1) AND t.account = ANY($1)": "on other columns",
    "SELECT * FROM account a, event e, transfer t WHERE a.account = e.account": "event joined with transfer",
    "SELECT * FROM (SELECT e.seq FROM event e JOIN command c ON c.seq = e.seq) x": "event joined with command",
    "WITH x AS (SELECT e.seq FROM event e JOIN command c ON c.seq = e.seq) SELECT * FROM x": "event joined with command",
    "SELECT seq FROM event UNION SELECT e.seq FROM event e JOIN command c ON c.seq = e.seq": "event joined with command",
    "INSERT INTO total SELECT e.seq, 0, '', 0, 0 FROM event e JOIN command c ON c.seq = e.seq": "event joined with command",
    "UPDATE account SET balance = 0 FROM number WHERE number.account = account.account": "account joined with number",
    "UPDATE account SET balance = 0 FROM event e WHERE e.seq = account.last_seq": "on other columns than their key",
    "DELETE FROM command USING number WHERE number.account = command.account": "command joined with number",
    "UPDATE batch SET events = 0 FROM event e WHERE e.seq = batch.id": "on every node, is changed",
    "SELECT * FROM batch b LEFT JOIN event e ON e.seq = b.id": "an outer join that keeps",
    "SELECT * FROM event e RIGHT JOIN unnest($1::int8[]) AS u (n) ON e.account = u.n": "an outer join that keeps",
    "SELECT * FROM event e FULL JOIN batch b ON e.seq = b.id": "an outer join that keeps",
    "SELECT * FROM account WHERE last_seq IN (SELECT seq FROM event)": "a subquery over event",
    "SELECT (SELECT count(*) FROM command)": "a subquery over command",
    "DELETE FROM number WHERE EXISTS (SELECT FROM account a WHERE a.number = number.number)": "a subquery over account",
    "SELECT account, count(*) FROM event GROUP BY GROUPING SETS ((account), ())": "GROUPING SETS",
    "SELECT * FROM event TABLESAMPLE SYSTEM (1)": "TABLESAMPLE",
    "WITH RECURSIVE c (seq) AS (SELECT $1::int8 UNION ALL SELECT e.prev FROM c JOIN event e ON e.seq = c.seq)"
    " SELECT * FROM c": "WITH RECURSIVE",
    "WITH RECURSIVE c (seq) AS (SELECT $1::int8 UNION ALL SELECT e.prev FROM c JOIN event e ON e.seq = c.seq"
    " WHERE e.account = $2) SELECT e.* FROM c JOIN event e ON e.seq = c.seq WHERE e.account = $3": "WITH RECURSIVE",
    "WITH kept AS (UPDATE account SET account = 1 RETURNING 1) SELECT count(*) FROM kept": "its key account",
    "MERGE INTO account USING batch ON false WHEN NOT MATCHED THEN DO NOTHING": "nobody has looked",
}  # fmt: skip


@pytest.mark.parametrize("statement", BAD)
def test_what_citus_refuses_is_found(statement):
    """Each check fails where it should."""
    assert any(BAD[statement] in said for said in refused(statement, SPREAD)), refused(statement, SPREAD)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account SET balance = u.b FROM unnest($1::int8[], $2::int8[]) AS u (a, b) WHERE account.account = u.a",
        "INSERT INTO namesake VALUES ('', 1) ON CONFLICT (name_key) DO UPDATE SET cards = 2",
        "SELECT * FROM event e JOIN transfer t ON t.seq = e.seq AND t.account = e.account",
        "SELECT * FROM event e, transfer t WHERE e.account = $1 AND t.account = $1",
        "SELECT * FROM event e JOIN batch b ON b.id = e.seq LEFT JOIN network n ON n.version = b.network",
        "SELECT * FROM batch b RIGHT JOIN event e ON e.seq = b.id",
        "CREATE TABLE event (seq BIGINT, account BIGINT REFERENCES account (account), PRIMARY KEY (account, seq))",
        "CREATE TABLE total (batch BIGINT REFERENCES batch (id), UNIQUE (batch))",
        "CREATE TABLE network (version BIGINT, UNIQUE (version))",
        "CREATE INDEX one ON holder (phone_key)",
        "SELECT (SELECT max(version) FROM network), 1",
    ],
)
def test_what_citus_takes_is_not_refused(statement):
    """The checks are no blunter than they need to be."""
    assert refused(statement, SPREAD) == []
