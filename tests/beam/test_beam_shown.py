"""What docs/beam.md shows is what happens, and the template's files are enough to score."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.beam.commands import lines, require_beam, write_jsonl
from tests.docs_text import PAGES, ROOT, shown

pytestmark = pytest.mark.beam
require_beam()

PAGE = "docs/beam.md"


def test_the_documented_table_is_scored_as_shown(tmp_path: Path) -> None:
    (table,) = re.findall(r"```json\n(.*?)```", PAGES[PAGE], re.DOTALL)
    (tmp_path / "products.jsonl").write_text(table)
    words = [sys.executable, "-m", "function", "beam", "--input", "products.jsonl"]
    done = subprocess.run(
        [*words, "--output", "scored/products"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stderr.strip() == shown("make beam IN=products.jsonl", PAGE)
    for name in ("scored/products-00000-of-00001.jsonl", "scored/products.rejected.jsonl"):
        first = json.loads(lines(tmp_path / name)[0])
        assert without_scores(json.loads(shown(f"sed -n 1p {name}", PAGE))) == without_scores(first)


def without_scores(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_scores(item) for key, item in value.items() if key != "score"}
    return [without_scores(item) for item in value] if isinstance(value, list) else value


def test_the_documented_pipeline_prints_what_is_shown() -> None:
    (block,) = (text.partition("```")[0] for text in PAGES["docs/beam.md"].split("```py\n")[1:])
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert sorted(done.stdout.splitlines()) == sorted(re.findall(r"^# (.+)$", block, re.MULTILINE))


def test_the_files_of_the_template_score_by_themselves(tmp_path: Path) -> None:
    """What the image copies is enough, and the launcher's words are taken."""
    folder = tmp_path / "template"
    dockerfile = (ROOT / "function" / "batch" / "dataflow" / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        *patterns, target = line.split()
        place = folder / target.removeprefix("/template/")
        place.mkdir(parents=True, exist_ok=True)
        for path in (path for pattern in patterns for path in ROOT.glob(pattern)):
            shutil.copy(path, place)
    source = write_jsonl(tmp_path / "in.jsonl", [{"name": "raw honey"}])
    words = [f"--input={source}", f"--output={tmp_path / 'out'}", "--text=name", "--top_k=2"]
    words += ["--tasks=source", "--runner=FnApiRunner", "--job_name=a", "--project=my-project"]
    script = folder / "function" / "batch" / "dataflow" / "flex_template.py"
    subprocess.run(
        [sys.executable, str(script), *words],
        cwd=tmp_path, env={"PYTHONPATH": str(folder), "HOME": str(tmp_path)}, check=True,
    )  # fmt: skip
    (shard,) = tmp_path.glob("out-*.jsonl")
    assert shard.read_text().count('"label"') == 2
