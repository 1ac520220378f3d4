"""What the README says is what the project does."""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from function.settings import Settings
from model.bundle import read_bundle

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (ROOT / "model" / "ingredients" / "README.md").read_text(encoding="utf-8")


def console(command: str) -> str:
    """What the README prints under a command that starts with `command`."""
    found = re.search(rf"\$ {re.escape(command)}[^\n]*\n(.*?)```", README, re.DOTALL)
    assert found, f"the README shows no {command}"
    return found[1].strip()


def test_the_metrics_are_the_shipped_bundles() -> None:
    for table in (README, CARD):
        for name, title in (("teacher", "teacher"), ("int8", "**student, int8**")):
            tasks = read_bundle(ROOT / "model" / "ingredients").metrics[name]["tasks"]
            cells = " | ".join(
                f"{found.get('accuracy', found.get('micro_f1')):.1f} ({found['macro_f1']:.1f})"
                for found in tasks.values()
            )
            assert f"| {title} | {cells} |" in table


def test_the_shipped_bundle_is_the_sweeps_choice() -> None:
    sweep = json.loads((ROOT / "training" / "reports" / "sweep.json").read_text())
    metrics = read_bundle(ROOT / "model" / "ingredients").metrics
    assert metrics["sweep"]["choice"] == sweep["choice"]
    points = {point["name"]: point for point in sweep["points"]}
    chosen = points[sweep["choice"]]
    assert chosen["test_tasks"] == {
        task: found.get("accuracy", found.get("micro_f1"))
        for task, found in metrics["int8"]["tasks"].items()
    }
    assert chosen["mb"] <= sweep["limits"]["max_mb"]
    assert f"in {points['2x384 int8']['mb']:.1f} MB" in README
    assert f"one of 128 in {points['1x128 int8']['mb']:.1f} MB" in README


def test_the_answer_shown_is_the_answer_given() -> None:
    shown = json.loads(console("curl -s localhost:8080 -H"))
    texts = ["boneless chicken breast", "raw honey", "butter knife"]
    done = subprocess.run(
        [sys.executable, "-m", "function", *texts],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    given = json.loads(done.stdout)
    assert shown["bundle"] == given["bundle"]
    for left, right in zip(shown["predictions"], given["predictions"], strict=True):
        for task, labels in right.items():
            assert [entry["label"] for entry in left[task]] == [entry["label"] for entry in labels]
            scores = [entry["score"] for entry in labels]
            assert [entry["score"] for entry in left[task]] == pytest.approx(scores, abs=0.02)


def test_the_report_shown_is_of_the_shipped_bundle() -> None:
    shown = console("make report BUNDLE=model/ingredients")
    page = (ROOT / "profiling" / "reports" / "ingredients.html").read_text(encoding="utf-8")
    identity = read_bundle(ROOT / "model" / "ingredients").identity
    assert identity in shown
    assert identity in page
    figures = re.findall(r"^(\w[\w, ]+?)  +([\d.]+) .*(?:kept|BROKEN)$", shown, re.MULTILINE)
    assert len(figures) == 8
    for title, figure in figures:
        (cell,) = re.findall(rf"{title}</\w+>\s*<[^>]+>([\d.,]+)", page)
        assert float(cell.replace(",", "")) == pytest.approx(float(figure), rel=0.01), title


REPORTS = ROOT / "profiling" / "reports"


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _recorded() -> dict[tuple[str, str], list[dict[str, str]]]:
    """Rows of the cold starts' records by condition and contender, each by column."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for path in (REPORTS / "coldstart").glob("*.md"):
        for part in path.read_text(encoding="utf-8").split("### ")[1:]:
            condition, _, rest = part.partition("\n")
            head, _, *rows = [line for line in rest.splitlines() if line.startswith("|")]
            for row in rows:
                cells = dict(zip(_cells(head), _cells(row), strict=True))
                found.setdefault((condition, cells[""]), []).append(cells)
    return found


def test_the_cold_starts_shown_are_those_recorded() -> None:
    lines = README.splitlines()
    (start,) = [number for number, line in enumerate(lines) if line.startswith("| | | n | first")]
    columns, recorded, rows = _cells(lines[start])[2:], _recorded(), 0
    for line in itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :]):
        condition, contender, *shown = _cells(line)
        given = [[row[name] for name in columns] for row in recorded[condition, contender]]
        assert shown in given, line
        rows += 1
    assert rows >= 15


@pytest.mark.parametrize("name", ["stages", "throughput"])
def test_the_tables_shown_are_those_recorded(name: str) -> None:
    record = (REPORTS / f"{name}.md").read_text(encoding="utf-8").split("\n\n")
    assert record[0] in README
    assert record[1] in README


def test_the_memory_of_the_soak_is_the_recorded_one() -> None:
    found = json.loads((REPORTS / "soak.json").read_text())
    first, last = found["rows"][0], found["rows"][-1]
    told = (
        f"Over {last['requests']} requests of mixed length from {found['users']} callers "
        f"(`python -m profiling soak`) the server's memory went from {first['memory_mb']} MiB "
        f"after the first tenth to {last['memory_mb']} MiB."
    )
    assert told in " ".join(README.split())


def test_every_setting_is_documented_with_its_default() -> None:
    assert Settings.__doc__ is not None
    rows = re.findall(r"^    \| ([A-Z_]+) \| ([^|]+) \|", Settings.__doc__, re.MULTILINE)
    assert rows
    for key, default in rows:
        assert re.search(rf"^\| `{key}` \| `?{re.escape(default)}`? \|", README, re.MULTILINE), key


def test_every_error_code_is_documented() -> None:
    source = "".join(path.read_text() for path in (ROOT / "function").rglob("*.py"))
    codes = set(
        re.findall(
            r'(?:RequestError\(\s*\d{3}|error_document\(|_invalid\()\s*,?\s*"([a-z_]+)"', source
        )
    )
    assert {"wrong_type", "invalid_json", "bundle_unusable"} <= codes
    for code in codes:
        assert f"`{code}`" in README, code


def test_every_make_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
