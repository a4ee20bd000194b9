"""The register of rules: which function decides which id of the catalogue, and from what source."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

FAQ = "000_a80ef9bc104c6b3d.txt"
GUIDE = "004_301d6b5f5a29f2e0.txt"

F = TypeVar("F", bound=Callable[..., object])


class Rule(msgspec.Struct, frozen=True):
    """One rule of the catalogue and where it stands in the code."""

    id: str
    source: str
    ja: str
    en: str
    tariff: tuple[str, ...]
    module: str
    function: str
    line: int


RULES: dict[str, Rule] = {}


def rule(id: str, *, source: str, ja: str, tariff: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Register a function as the place where a rule is decided; the function stays itself.

    The first paragraph of its docstring says in English what the rule promises, ``ja`` in Japanese. ``tariff`` names
    the rows it reads. An id stands in one place: a second one is an error at import.
    """

    def register(function: F) -> F:
        assert id not in RULES, f"{id} stands twice"
        assert function.__doc__, f"{id} has no docstring"
        code = function.__code__
        # the first paragraph is the promise; what follows is for whoever calls the function
        text = " ".join(function.__doc__.partition("\n\n")[0].split())
        RULES[id] = Rule(
            id, source, ja, text, tariff, function.__module__, code.co_name, code.co_firstlineno
        )
        return function

    return register
