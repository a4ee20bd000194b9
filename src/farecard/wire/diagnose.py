"""What is wrong with a line that is no command: which field, and what it should be.

Never echoes a value: it could be a name, a number, anything. Names of unknown fields are
shortened and stripped of control characters; one that holds an individual number is not shown.
"""

import json
import types
import unicodedata
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from farecard.model.commands import COMMANDS, Command, name_of, parse_number
from farecard.model.moments import parse_moment
from farecard.model.verdict import Reason
from farecard.rules.privacy import holds_individual_number

_BY_NAME = {name_of(one): one for one in COMMANDS}


class Broken(msgspec.Struct):
    """No command: the id if it can be read, and why."""

    id: str | None
    reasons: list[Reason]


class _Object(dict[str, Any]):
    twice: list[str]


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    found.twice = []
    if len(found) != len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                found.twice.append(key)
            seen.add(key)
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def diagnose(line: bytes) -> Broken:
    """All that is wrong with a line, in the order of its fields; no reasons when nothing is."""
    try:
        value = json.loads(
            line.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        return Broken(None, [Reason(None, "bad-json")])
    if not isinstance(value, _Object):
        return Broken(None, [Reason(None, "not-an-object")])
    id = value.get("id")
    if not _readable(id) or "id" in value.twice:
        id = None
    reasons: list[Reason] = []
    _strict(value, "", reasons)
    if not reasons:
        _fields(value, reasons)
    return Broken(id, reasons)


def _readable(id: object) -> bool:
    return isinstance(id, str) and 1 <= len(id) <= 64 and not has_control(id) and _encodable(id)


def is_name(text: str) -> bool:
    """Whether a text can be a sender's name, as it can be an id: 1 to 64 characters, none a control."""
    return 1 <= len(text) <= 64 and _encodable(text) and not has_control(text)


def _encodable(text: str) -> bool:
    return not any(0xD800 <= ord(c) <= 0xDFFF for c in text)


def has_control(text: str) -> bool:
    """Whether a control character stands in a text."""
    return any(unicodedata.category(c) == "Cc" for c in text)


def _shown(name: str) -> str:
    clean = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cs"))
    if holds_individual_number(clean):
        clean = "..."
    return clean if len(clean) <= 64 else clean[:61] + "..."


def _strict(value: Any, path: str, reasons: list[Reason]) -> None:
    """Duplicate keys, control characters and lone surrogates, at any depth."""
    todo: list[tuple[Any, str]] = [(value, path)]
    while todo:
        one, where = todo.pop()
        if isinstance(one, _Object):
            reasons += [_wrong(_join(where, key), "duplicate-key") for key in one.twice]
            for key, inner in one.items():
                if has_control(key) or not _encodable(key):
                    reasons.append(_wrong(_join(where, key), "control-character"))
                todo.append((inner, _join(where, key)))
        elif isinstance(one, list):
            todo += [(inner, where) for inner in one]
        elif isinstance(one, str) and (has_control(one) or not _encodable(one)):
            reasons.append(_wrong(where, "control-character"))


def _join(path: str, key: str) -> str:
    return _shown(f"{path}.{key}" if path else key)


def _wrong(field: str, code: str, **params: Any) -> Reason:
    return Reason(None, code, {"field": field, **params})


def _fields(value: _Object, reasons: list[Reason]) -> None:
    do = value.get("do")
    if do is None:
        reasons.append(_wrong("do", "missing-field"))
        return
    command = _BY_NAME.get(do) if isinstance(do, str) else None
    if command is None:
        reasons.append(_wrong("do", "want-choice", choices=sorted(_BY_NAME)))
        return
    _struct(value, command, "", reasons, {"do"})


def _struct(
    value: _Object, wanted: type[msgspec.Struct], path: str, reasons: list[Reason], known: set[str]
) -> None:
    """Hold an object against a struct type, field by field."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name, field in fields.items():
        where = _join(path, name)
        if name not in value:
            if field.required:
                reasons.append(_wrong(where, "missing-field"))
            continue
        one = value[name]
        if one is None and not field.required and field.default is None:
            continue
        if issubclass(wanted, Command) and name == "at":
            _try(parse_moment, one, where, "want-moment", reasons)
        elif issubclass(wanted, Command) and name in wanted.NUMBERS:
            _try(parse_number, one, where, "want-card-number", reasons)
        else:
            _value(one, field.type, where, reasons)
    strange = [name for name in value if name not in fields and name not in known]
    reasons += [_wrong(_join(path, name), "unknown-field") for name in strange]


def _try(parse: Any, value: Any, where: str, code: str, reasons: list[Reason]) -> None:
    try:
        parse(value)
    except (ValueError, TypeError):
        reasons.append(_wrong(where, code))


def _value(value: Any, wanted: Any, where: str, reasons: list[Reason]) -> None:
    bare = _bare(wanted)
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        if isinstance(value, _Object):
            _struct(value, bare, where, reasons, set())
        else:
            reasons.append(_wrong(where, "want-object"))
        return
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        if get_origin(bare) is list:
            choices = list(get_args(get_args(bare)[0]))
            reasons.append(_wrong(where, "want-choices", choices=choices))
        elif get_origin(bare) is Literal:
            reasons.append(_wrong(where, "want-choice", choices=list(get_args(bare))))
        elif bare is int and where in _NO_YEN:
            reasons.append(_wrong(where, "want-whole-number"))
        elif bare is int:
            reasons.append(_wrong(where, "want-whole-yen"))
        elif where == "month":
            reasons.append(_wrong(where, "want-month"))
        elif bare is bool:
            reasons.append(_wrong(where, "want-flag"))
        else:
            reasons.append(_wrong(where, "want-text", most=_longest(wanted)))


_NO_YEN = ("points", "winners")  # whole numbers of something else


def _longest(wanted: Any) -> int | None:
    """How many characters a text's type takes."""
    for one in get_args(wanted):
        if isinstance(one, msgspec.Meta):
            return one.max_length
        found = _longest(one)
        if found is not None:
            return found
    return None


def _bare(wanted: Any) -> Any:
    """A type without ``Annotated`` and without its ``None``."""
    if get_origin(wanted) is Annotated:
        return _bare(get_args(wanted)[0])
    if get_origin(wanted) in (Union, types.UnionType):
        return _bare(next(one for one in get_args(wanted) if one is not type(None)))
    return wanted
