"""The SQL files beside this one: the schema as columns, the queries by name."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

SCHEMA_VERSION = 10
# the schema's files; what a version added is a file of its own, which a store of the version before it lacks
SCHEMA = (
    "schema.sql", "campaigns.sql", "access.sql", "cases.sql", "members.sql", "windows.sql",
    "tills.sql", "subtotals.sql",
)  # fmt: skip
ADDED = {
    3: "campaigns.sql",
    4: "since_4.sql",
    5: "access.sql",
    6: "cases.sql",
    7: "members.sql",
    8: "windows.sql",
    9: "tills.sql",
    10: "subtotals.sql",
}

# a parameter of a statement; not within a cast or a word
PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")

Translate = Callable[[str], str]


def sql_text(name: str) -> str:
    """One of the SQL files."""
    return (Path(__file__).parent / name).read_text("utf-8")


@cache
def queries(translate: Translate, file: str = "queries.sql") -> Mapping[str, str]:
    """Every named statement of a file in an engine's words."""
    text = re.sub(r"^--(?! name:).*\n", "", sql_text(file), flags=re.MULTILINE)
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {
        name: translate(sql).strip() for name, sql in zip(parts[1::2], parts[2::2], strict=True)
    }


SURVEYS = ("grants.sql", "draws.sql", "outlook.sql")  # statements over all accounts, for runs
BY_ACCOUNT = (
    "judged",
    "owed",
)  # those whose rows are of one account each: they may be asked in ranges of accounts


def survey(translate: Translate, name: str) -> str:
    """One of the surveys in an engine's words; where it names another as ``(name) AS name``, with that in it."""
    found: dict[str, str] = {}
    for file in SURVEYS:
        found |= queries(translate, file)
    others = rf"\(({'|'.join(found)})\) AS \1\b"
    return re.sub(others, lambda one: f"({found[one[1]]}) AS {one[1]}", found[name])


def schema_statements(translate: Translate, since: int = 0) -> list[str]:
    """The statements of the schema in an engine's words; ``since``: what was added after that version."""
    if since:
        files = [ADDED[version] for version in range(since + 1, SCHEMA_VERSION + 1)]
    else:
        files = list(SCHEMA)
    text = "\n".join(map(sql_text, files))
    return [one for one in translate(text).split(";\n") if one.strip()]


def _tables() -> list[tuple[str, str]]:
    """Each table's name and what stands in its parentheses."""
    text = "\n".join(map(sql_text, SCHEMA))
    return re.findall(r"CREATE TABLE (\w+) \((.*?)^\)", text, re.MULTILINE | re.DOTALL)


def tables() -> dict[str, dict[str, str]]:
    """Each table's columns in order, with PostgreSQL's name of their type."""
    found: dict[str, dict[str, str]] = {}
    for name, body in _tables():
        columns = re.findall(r'^    "?([a-z_]+)"? (BIGINT|TEXT|BYTEA)', body, re.MULTILINE)
        found[name] = dict(columns)
    return found


def keys() -> dict[str, tuple[str, ...]]:
    """Each table's primary key: its columns in order."""
    found: dict[str, tuple[str, ...]] = {}
    for name, body in _tables():
        one = re.search(r'^    "?([a-z_]+)"? \w+ PRIMARY KEY', body, re.MULTILINE)
        several = re.search(r"^    PRIMARY KEY \((.*)\)", body, re.MULTILINE)
        columns = one or several
        assert columns is not None, name
        found[name] = tuple(columns[1].replace('"', "").split(", "))
    return found
