"""The two commands that must agree, started as a person does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.docs_text import ROOT

LONGEST_S = 1800


def require_beam() -> None:
    """Skip the module where Beam is not installed; where it is broken, importing it fails."""
    if find_spec("apache_beam") is None:
        reason = "apache_beam is not installed: make test-beam installs it"
        pytest.skip(reason, allow_module_level=True)


def beam_words(source: Path | str, target: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "function", "beam", "--input", str(source)]
    return [*command, "--output", str(target), *options]


def run(words: Sequence[str], status: int = 0, **environment: str) -> str:
    """Run a command and return what it said on stderr."""
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        check=False, timeout=LONGEST_S,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stderr


def beam(source: Path | str, target: Path, *options: str, **environment: str) -> str:
    return run(beam_words(source, target, *options), 0, **environment)


def batch(source: Path | str, target: Path, *options: str, **environment: str) -> str:
    words = [sys.executable, "-m", "function", "batch", str(source), str(target), *options]
    return run(words, 0, **environment)


def shards(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f"{target.name}-*-of-*.jsonl"))


def scored_lines(target: Path) -> list[str]:
    """The lines of all shards, sorted: shards keep no order."""
    return sorted(line for shard in shards(target) for line in lines(shard))


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def assert_as_batch(source: Path | str, folder: Path, *options: str, **environment: str) -> None:
    """Whatever `beam` left in folder/beam is what `batch` makes of the same table."""
    batch(source, folder / "batch.jsonl", *options, **environment)
    assert scored_lines(folder / "beam") == sorted(lines(folder / "batch.jsonl"))
    rejected = [folder / f"{name}.rejected.jsonl" for name in ("beam", "batch.jsonl")]
    assert [path.exists() for path in rejected] in ([True, True], [False, False])
    if rejected[0].exists():
        assert sorted(lines(rejected[0])) == sorted(lines(rejected[1]))


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
