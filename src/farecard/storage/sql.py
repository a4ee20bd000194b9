"""The SQL files beside this one: the schema as columns, the queries by name."""

import re
from collections.abc import Callable
from pathlib import Path

SCHEMA_VERSION = 2

Translate = Callable[[str], str]


def sql_text(name: str) -> str:
    """One of the SQL files."""
    return (Path(__file__).parent / name).read_text("utf-8")


def queries(translate: Translate, file: str = "queries.sql") -> dict[str, str]:
    """Every named statement of a file in an engine's words."""
    text = re.sub(r"^--(?! name:).*\n", "", sql_text(file), flags=re.MULTILINE)
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {
        name: translate(sql).strip() for name, sql in zip(parts[1::2], parts[2::2], strict=True)
    }


def schema_statements(translate: Translate, name: str = "schema.sql") -> list[str]:
    """The statements of the schema, or of a step to it, in an engine's words."""
    return [one for one in translate(sql_text(name)).split(";\n") if one.strip()]


def tables() -> dict[str, dict[str, str]]:
    """Each table's columns in order, with PostgreSQL's name of their type."""
    found: dict[str, dict[str, str]] = {}
    schema = sql_text("schema.sql")
    for name, body in re.findall(
        r"CREATE TABLE (\w+) \((.*?)^\)", schema, re.MULTILINE | re.DOTALL
    ):
        columns = re.findall(r'^    "?([a-z_]+)"? (BIGINT|TEXT|BYTEA)', body, re.MULTILINE)
        found[name] = dict(columns)
    return found


def keys() -> dict[str, tuple[str, ...]]:
    """Each table's primary key: its columns in order."""
    found: dict[str, tuple[str, ...]] = {}
    for name, body in re.findall(
        r"CREATE TABLE (\w+) \((.*?)^\)", sql_text("schema.sql"), re.MULTILINE | re.DOTALL
    ):
        one = re.search(r'^    "?([a-z_]+)"? \w+ PRIMARY KEY', body, re.MULTILINE)
        several = re.search(r"^    PRIMARY KEY \((.*)\)", body, re.MULTILINE)
        columns = one or several
        assert columns is not None, name
        found[name] = tuple(columns[1].replace('"', "").split(", "))
    return found
