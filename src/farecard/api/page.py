"""The page to read the OpenAPI document by: plain HTML, no script, nothing from anywhere else."""

from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from typing import Any

import msgspec

from farecard.api.known_problems import PROBLEMS
from farecard.api.openapi import openapi
from farecard.api.problems import document
from farecard.model.commands import COMMANDS, name_of

POLICY = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --strong: #0b57a4 }
@media (prefers-color-scheme: dark) { :root { --strong: #8ab4f8 } }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem }
h1, h2, h3 { line-height: 1.25 } h2 { margin-top: 3rem } h3 { margin-top: 2rem }
a { color: var(--strong) } nav a { margin-right: 1rem }
table { border-collapse: collapse; width: 100% } caption { text-align: left; font-weight: 600 }
th, td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top }
pre { background: var(--soft); padding: .8rem; overflow-x: auto } code { font-family: ui-monospace, monospace }
.wide { overflow-x: auto }
"""


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _shown(value: Any) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return f'<pre tabindex="0">{escape(text)}</pre>'


def _kind(schema: dict[str, Any]) -> str:
    """What a field takes, in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    said = str(schema.get("type", ""))
    if "description" in schema:
        said += f", {schema['description']}"
    if "maxLength" in schema:
        said += f", {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return said


def _table(caption: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    titles = "".join(f'<th scope="col">{one}</th>' for one in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table><caption>{caption}</caption><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _fields(schema: dict[str, Any], caption: str) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (_code(name), "yes" if name in required else "", escape(_kind(one)))
        for name, one in schema["properties"].items()
    ]
    return _table(caption, ("field", "required", "what it takes"), rows)


def _operations(paths: dict[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, one in methods.items():
            yield f'<h3 id="{one["operationId"]}">{_code(f"{method.upper()} {path}")}</h3><p>{escape(one["summary"])}.</p>'
            if one.get("parameters"):
                rows = [
                    (
                        _code(each["name"]),
                        each["in"],
                        escape(each.get("description") or _kind(each["schema"])),
                    )
                    for each in one["parameters"]
                ]
                yield _table("parameters", ("name", "in", "what it is"), rows)
            statuses = ", ".join(
                f'<a href="#status-{status}">{status}</a>' if int(status) in PROBLEMS else status
                for status in one["responses"]
            )
            yield f"<p>answers: {statuses}</p>"


def _commands(schemas: dict[str, Any]) -> Iterator[str]:
    for one in COMMANDS:
        name, schema = name_of(one), schemas[one.__name__]
        yield f'<h3 id="{name}">{_code(name)}</h3><p>{escape(schema["description"])}</p>'
        yield _fields(schema, "fields")
        yield _shown(schema["examples"][0])
    for name in ("Holder", "Pass", "BankAccount", "ApplicationHistory", "OtherService"):
        yield f'<h3 id="{name}">{_code(name)}</h3>{_fields(schemas[name], "fields")}'


def _problems() -> Iterator[str]:
    for status, reasons in sorted(PROBLEMS.items()):
        yield f'<h3 id="status-{status}">{status}</h3>'
        for reason in reasons:
            said = document(status, reason)
            yield (
                f'<h4 id="{reason.code}">{_code(reason.code)}</h4>'
                f'<p>{escape(said["en"])}</p><p lang="ja">{escape(said["ja"])}</p>'
            )


@cache
def page(version: str) -> bytes:
    """The page, whole."""
    said = openapi(version)
    schemas = said["components"]["schemas"]
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>farecard over HTTP</title><style>{STYLE}</style></head><body><main>",
        f"<h1>farecard {escape(version)} over HTTP</h1><p>{escape(said['info']['summary'])}</p>",
        (
            f"<p>{escape(said['info']['description'])} Each request but the open ones carries a key:"
            " <code>Authorization: Bearer SECRET</code>.</p>"
        ),
        (
            '<nav aria-label="On this page"><a href="#requests">Requests</a><a href="#commands">Commands</a>'
            '<a href="#decisions">Decisions</a><a href="#problems">Problems</a><a href="/openapi.json">OpenAPI 3.1</a></nav>'
        ),
        '<h2 id="requests">Requests</h2>',
        *_operations(said["paths"]),
        '<h2 id="commands">Commands</h2>',
        *_commands(schemas),
        '<h2 id="decisions">Decisions</h2>',
        _fields(schemas["Decision"], "a decision"),
        *map(_shown, schemas["Decision"]["examples"]),
        '<h2 id="problems">Problems</h2>',
        *_problems(),
        "</main></body></html>",
    ]
    return "".join(parts).encode()
