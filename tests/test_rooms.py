"""Imports run one way, and no name stands for two things: read from the code itself."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [ROOT / "main.py"] + [
    path
    for folder in ("tables", "model", "function", "profiling", "training")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]
STANDS_ON = {
    "tables": set(),
    "profiling.timer": set(),
    "model": {"profiling.timer"},
    "function": {"model", "tables", "profiling.timer"},
    "profiling": {"model", "tables", "profiling.timer"},
    "training": {"model", "tables", "profiling"},
    "main": {"function", "profiling.timer"},
}
"""Each room, and the rooms below it that it may import. A peer is a program of its own."""
HEAVY = {"torch", "transformers", "grpc", "google.cloud"}
"""What nothing may import on the way to an answer."""


def room_of(module: str) -> str | None:
    """The room of a module of this project; None for any other."""
    if module == "profiling.timer" or module.startswith("profiling.timer."):
        return "profiling.timer"
    first = module.partition(".")[0]
    return first if first in STANDS_ON else None


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its head or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_runs_up(path: Path) -> None:
    room_here = room_of(module_of(path))
    assert room_here is not None
    allowed = STANDS_ON[room_here] | {room_here}
    for module in imported(path):
        room = room_of(module)
        assert room is None or room in allowed, f"{room_here} imports {module}"


@pytest.mark.parametrize("room", ["model", "function"])
def test_what_answers_imports_nothing_heavy(room: str) -> None:
    for path in FILES:
        if room_of(module_of(path)) == room:
            heavy = [name for name in imported(path) if name.startswith(tuple(HEAVY))]
            assert heavy == [], path


def test_no_two_files_share_a_name() -> None:
    places = defaultdict(list)
    for path in FILES:
        if not path.name.startswith("__"):
            places[path.stem].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_two_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("house", ["function", "profiling", "training"])
def test_the_folders_of_a_room_import_in_no_circle(house: str) -> None:
    below: dict[str, set[str]] = defaultdict(set)
    for path in FILES:
        module = module_of(path)
        if module.startswith(f"{house}."):
            folder = module.split(".")[1]
            parts = [name.split(".") for name in imported(path) if name.startswith(f"{house}.")]
            below[folder] |= {part[1] for part in parts} - {folder}
    list(TopologicalSorter(below).static_order())  # raises CycleError


def test_no_file_is_long() -> None:
    for path in FILES:
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 300, f"{path}: {lines} lines"
