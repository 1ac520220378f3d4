"""What the README and the docs say is what the project does."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from function.settings import Settings
from model.bundle import read_bundle
from tests.docs_text import ALL, PAGES, README, ROOT, commands, fenced, shown
from tests.serving import serving
from training.recipe import Recipe, read_recipe

CARD = (ROOT / "model" / "ingredients" / "README.md").read_text(encoding="utf-8")
REPORTS = ROOT / "profiling" / "reports"
TEXTS = ["boneless chicken breast", "raw honey", "butter knife"]
LINES = commands()
MODULES = sorted(
    {found for _, line in LINES for found in re.findall(r"python3? -m ([\w.]+)", line)}
)
PROGRAMS = {
    "function": ("", "batch"),
    "profiling": (
        "agree", "compare", "coldstart", "imports", "instances", "logs", "report", "smoke", "soak",
        "stages", "throughput", "timer",
    ),
    "training": ("check", "compare", "run", "search", "sweep", "teacher", "twins"),
}  # fmt: skip


def test_the_readme_is_read_to_its_end() -> None:
    assert README.count("\n") <= 150


# Commands


@cache
def options_of(program: str, command: str) -> frozenset[str]:
    """The options that a command's --help lists."""
    words = [sys.executable, "-m", program, *([command] if command else []), "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return frozenset(re.findall(r"(?<![\w-])--[a-z][a-z-]+", done.stdout)) - {"--help"}


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_of_a_package_has_the_options_shown(page: str, line: str) -> None:
    for found in re.finditer(r"python3? -m (\w+)(?: ([a-z]+)\b)?([^|]*)", line):
        program, command, rest = found.groups()
        if (
            program in PROGRAMS
            and rest.strip() not in ("NAME", "CMD")
            and "." not in found[0].split()[2]
        ):
            known = PROGRAMS[program]
            name = command if command in known else ""
            assert name or "" in known, f"{page}: {line}: no such command"
            used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest))
            assert used <= options_of(program, name), f"{page}: {line}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if "." in name))
def test_a_module_that_is_run_exists(module: str) -> None:
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize(
    ("program", "command"), [(name, it) for name, names in PROGRAMS.items() for it in names]
)
def test_every_option_is_documented(program: str, command: str) -> None:
    for option in options_of(program, command):
        assert f"`{option}" in ALL or f" {option}" in ALL, f"{program} {command} {option}"


@pytest.mark.parametrize(("page", "line"), [it for it in LINES if it[1].startswith("make ")])
def test_a_make_line_is_made(page: str, line: str) -> None:
    words = shlex.split(line.partition("|")[0])
    done = subprocess.run(
        ["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page}: {line}: {done.stderr}"


def test_every_make_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z-]+)\b", re.sub(r"```toml.*?```", "", ALL))):
        known = re.search(rf"^{target}:", makefile, re.MULTILINE)
        assert known or target in ("it",), target


def test_the_curl_lines_are_answered_as_shown(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log", "image") as server:
        for page, line in LINES:
            if line.startswith("curl -s localhost:8080"):
                done = subprocess.run(
                    ["bash", "-c", line.replace(":8080", f":{server.port}")],
                    capture_output=True,
                    text=True,
                    check=True,
                    timeout=60,
                )
                assert_alike(json.loads(shown(line, page)), json.loads(done.stdout))


def test_the_answer_shown_for_one_text_is_the_answer_given() -> None:
    (line,) = (line for _, line in LINES if line.startswith('python -m function "raw honey"'))
    done = subprocess.run(
        [sys.executable, *shlex.split(line)[1:]],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert_alike(json.loads(shown(line, "docs/python.md")), json.loads(done.stdout))


def assert_alike(documented: Any, actual: Any) -> None:
    """The same JSON, scores within 0.02."""
    if isinstance(documented, float):
        assert actual == pytest.approx(documented, abs=0.02)
    elif isinstance(documented, dict):
        assert documented.keys() == actual.keys()
        for key, value in documented.items():
            assert_alike(value, actual[key])
    elif isinstance(documented, list):
        for left, right in zip(documented, actual, strict=True):
            assert_alike(left, right)
    else:
        assert documented == actual


@pytest.mark.parametrize(("page", "block"), fenced("python"))
def test_a_python_block_runs(page: str, block: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page}: {done.stderr}"
    for comment in re.findall(r"print\(.*\)  # (\w+)$", block, re.MULTILINE):
        assert comment in done.stdout.splitlines() or " " in comment, page


@pytest.mark.parametrize(("page", "block"), fenced("toml"))
def test_a_recipe_block_is_read(page: str, block: str, tmp_path: Path) -> None:
    if "[data]" not in block:
        block += '[data]\nfiles = ["rows.csv"]\n[[task]]\nname = "a"\nkind = "single"\n'
    tomllib.loads(block)
    (tmp_path / "mine.toml").write_text(block)
    assert read_recipe(tmp_path / "mine.toml").tasks


def test_a_link_leads_somewhere() -> None:
    for page, text in PAGES.items():
        for target in re.findall(r"\]\((?!https?://)([^)#]*)(?:#[^)]*)?\)", text):
            path = (ROOT / page).parent / target if target else ROOT / page
            assert path.exists(), f"{page}: {target}"
        for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]*)\)", text):
            path = (ROOT / page).parent / target if target else ROOT / page
            titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{page}: {target}#{anchor}"


# Settings, codes and keys


def test_every_setting_is_documented_with_its_default() -> None:
    assert Settings.__doc__ is not None
    rows = re.findall(r"^    \| ([A-Z_]+) \| ([^|]+) \|", Settings.__doc__, re.MULTILINE)
    assert len(rows) >= 9
    for key, default in rows:
        row = rf"^\| `{key}` \| `?{re.escape(default)}`? \|"
        assert re.search(row, PAGES["docs/http.md"], re.MULTILINE), key


def test_every_error_code_is_documented() -> None:
    source = "".join(path.read_text() for path in (ROOT / "function").rglob("*.py"))
    codes = set(re.findall(r'\(\s*(?:\d{3},\s*)?"([a-z]+_[a-z_]+|empty|internal)",\s', source))
    assert {"wrong_type", "invalid_json", "bundle_unusable", "internal"} <= codes
    for code in codes:
        assert f"`{code}`" in PAGES["docs/http.md"], code


def test_every_recipe_key_is_documented() -> None:
    for name, section in sections(Recipe).items():
        for field in dataclasses.fields(section):
            assert f"`{field.name}`" in PAGES["docs/train.md"] or field.name == "path", (
                f"[{name}] {field.name}"
            )


def sections(recipe: Any) -> dict[str, Any]:
    """{section: dataclass} of the recipe, its own keys left out."""
    import training.recipe as declared

    names = ("Data", "TaskSpec", "Vocabulary", "Pretrain", "Teacher", "Student", "Quantize",
             "Sweep", "Card")  # fmt: skip
    assert recipe is declared.Recipe
    return {name: getattr(declared, name) for name in names}


# Figures


def test_the_metrics_are_the_shipped_bundles() -> None:
    for table in (README, CARD):
        for name, title in (("teacher", "teacher"), ("int8", "**student, int8**")):
            tasks = read_bundle(ROOT / "model" / "ingredients").metrics[name]["tasks"]
            cells = " | ".join(
                f"{score.get('accuracy', score.get('micro_f1')):.1f} ({score['macro_f1']:.1f})"
                for score in tasks.values()
            )
            assert f"| {title} | {cells} |" in table


def test_the_shipped_bundle_is_the_sweeps_choice() -> None:
    sweep = json.loads((ROOT / "training" / "reports" / "sweep.json").read_text())
    metrics = read_bundle(ROOT / "model" / "ingredients").metrics
    assert metrics["sweep"]["choice"] == sweep["choice"]
    points = {point["name"]: point for point in sweep["points"]}
    chosen = points[sweep["choice"]]
    assert chosen["test_tasks"] == {
        task: figures.get("accuracy", figures.get("micro_f1"))
        for task, figures in metrics["int8"]["tasks"].items()
    }
    assert chosen["mb"] <= sweep["limits"]["max_mb"]
    assert f"The shipped bundle, {chosen['mb']:.1f} MB," in README
    assert f"in {points['2x384 int8']['mb']:.1f} MB" in PAGES["docs/train.md"]
    assert f"one of 128 in {points['1x128 int8']['mb']:.1f} MB" in PAGES["docs/train.md"]


def test_the_report_shown_is_of_the_shipped_bundle() -> None:
    console = shown("make report BUNDLE=model/ingredients", "docs/observe.md")
    page = (REPORTS / "ingredients.html").read_text(encoding="utf-8")
    identity = read_bundle(ROOT / "model" / "ingredients").identity
    assert identity in console
    assert identity in page
    figures = re.findall(r"^(\w[\w, ]+?)  +([\d.]+) .*(?:kept|BROKEN)$", console, re.MULTILINE)
    assert len(figures) == 8
    for title, figure in figures:
        (cell,) = re.findall(rf"{title}</\w+>\s*<[^>]+>([\d.,]+)", page)
        assert float(cell.replace(",", "")) == pytest.approx(float(figure), rel=0.01), title


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _recorded() -> dict[tuple[str, str], list[dict[str, str]]]:
    """Rows of the cold starts' records by condition and contender, each by column."""
    rows_by_contender: dict[tuple[str, str], list[dict[str, str]]] = {}
    for path in (REPORTS / "coldstart").glob("*.md"):
        for part in path.read_text(encoding="utf-8").split("### ")[1:]:
            condition, _, rest = part.partition("\n")
            head, _, *rows = [line for line in rest.splitlines() if line.startswith("|")]
            for row in rows:
                cells = dict(zip(_cells(head), _cells(row), strict=True))
                rows_by_contender.setdefault((condition, cells[""]), []).append(cells)
    return rows_by_contender


def test_the_cold_starts_shown_are_those_recorded() -> None:
    lines = PAGES["docs/benchmarks.md"].splitlines()
    (start,) = [place for place, line in enumerate(lines) if line.startswith("| | | n | first")]
    columns, recorded, rows = _cells(lines[start])[2:], _recorded(), 0
    for line in itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :]):
        condition, contender, *cells = _cells(line)
        known = [[row[name] for name in columns] for row in recorded[condition, contender]]
        assert cells in known, line
        rows += 1
    assert rows >= 15


def test_the_readme_tells_the_recorded_start() -> None:
    rows = {
        contender: row
        for (condition, contender), rows in _recorded().items()
        if condition == "1 CPU, warm page cache"
        for row in rows
    }
    ours, pipelines = rows["ours, as deployed"], rows["a transformers pipeline per task"]
    first, other = (row["first answer, ms"].split()[0] for row in (ours, pipelines))
    told = " ".join(README.split())
    assert f"it takes {first} ms on one CPU, a transformers pipeline per task {other} ms" in told
    assert f"{ours['warm p50, ms']} ms against {pipelines['warm p50, ms']} ms" in told


@pytest.mark.parametrize("name", ["stages", "throughput"])
def test_the_tables_shown_are_those_recorded(name: str) -> None:
    record = (REPORTS / f"{name}.md").read_text(encoding="utf-8").split("\n\n")
    assert record[0] in PAGES["docs/benchmarks.md"]
    assert record[1] in PAGES["docs/benchmarks.md"]


def test_the_memory_of_the_soak_is_the_recorded_one() -> None:
    record = json.loads((REPORTS / "soak.json").read_text())
    first, last = record["rows"][0], record["rows"][-1]
    told = (
        f"Over {last['requests']} requests of mixed length from {record['users']} callers "
        f"(`python -m profiling soak`) the server's memory went from {first['memory_mb']} MiB "
        f"after the first tenth to {last['memory_mb']} MiB."
    )
    assert told in " ".join(PAGES["docs/benchmarks.md"].split())


def test_prices_are_those_that_the_report_uses() -> None:
    prices = tomllib.loads((ROOT / "profiling" / "report" / "prices.toml").read_text())
    request, told = prices["request_based"], " ".join(PAGES["docs/deploy.md"].split())
    assert f"on {prices['date']}" in told
    assert f"{request['vcpu_second']:.6f} $ per vCPU-second" in told
    assert f"{request['gib_second']:.7f} $ per GiB-second" in told
    assert f"{request['million_requests']:.2f} $ per million requests" in told
    assert f"{request['free_vcpu_seconds']:,} vCPU-seconds" in told
    assert f"{request['free_gib_seconds']:,} GiB-seconds" in told


def test_a_file_that_contributing_names_exists_once() -> None:
    files = [
        path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if ".venv" not in str(path)
    ]
    for name in set(re.findall(r"`([\w/]+\.py)`", PAGES["docs/contributing.md"])):
        places = [file for file in files if file == name or file.endswith(f"/{name}")]
        assert [place for place in places if not place.startswith("tests/")], name
