"""Arrows point down: which room may import which."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "farecard"

# each room, and the rooms below it that it may look into
MAY_IMPORT = {
    "model": set(),
    "rules": {"model"},
    "draws": set(),
    "ledger": {"model"},
    "wire": {"model", "rules", "texts"},
    "texts": {"model"},
    "tariff": {"model"},
    "network": {"model"},
    "campaigns": {"model"},
    "storage": {"model", "campaigns", "network", "tariff"},
    "desk": {"model", "rules", "draws", "ledger", "wire", "campaigns", "tariff", "network", "storage"},
    "questions": {"model", "rules", "draws", "ledger", "campaigns", "tariff", "network", "storage", "desk", "texts"},
    "access": {"model", "ledger", "storage"},
    "client": {"model"},
    "api": {"model", "access", "wire", "texts", "storage", "desk", "questions"},
    "pages": {"model", "rules", "draws", "access", "wire", "texts", "storage", "questions", "api"},
    "export": {"model", "tariff", "storage", "desk", "questions"},
    "sample": {"model"},
    "felica": set(),
    "cli": {"model", "rules", "draws", "ledger", "wire", "texts", "campaigns", "tariff", "network", "storage", "desk",
            "questions", "export", "sample", "access", "api", "felica"},
}  # fmt: skip


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_rooms_below_it(room):
    """A line of code reaches down, never up."""
    for path in (SOURCE / room).rglob("*.py"):
        for module in imports(path):
            parts = module.split(".")
            if parts[0] == "farecard":
                other = parts[1] if len(parts) > 1 else ""
                assert other == room or other in MAY_IMPORT[room], f"{path.name} imports {module}"


def test_every_room_is_listed():
    """A new room must say what it may look into."""
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize("room", ["model", "rules", "ledger"])
def test_the_core_has_no_clock_and_no_input_or_output(room):
    """Rules and books decide from what they are given; only the windows know the time."""
    forbidden = {"os", "sys", "io", "time", "socket", "sqlite3", "pathlib", "random", "subprocess"}
    for path in (SOURCE / room).rglob("*.py"):
        assert not forbidden & {module.split(".")[0] for module in imports(path)}, path
        if path.name != "moments.py":
            assert "moment_now" not in path.read_text("utf-8"), path
