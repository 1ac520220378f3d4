"""A hurried report on the shipped bundle, made for real and once."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Report:
    folder: Path
    output: str

    @property
    def document(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return content

    @property
    def page(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def report(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("report")
    process = subprocess.run(
        [sys.executable, "-m", "profiling", "report", str(bundle_path), "--out", str(folder),
         "--duration", "10", "--rate", "20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return Report(folder, process.stdout + process.stderr)
