"""Every command of the docs is one, and every command, option and make target is in the docs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from profiling.__main__ import BENCHMARKS
from tests.docs_parsers import PACKAGES
from tests.docs_text import ALL, PAGES, ROOT, commands, each_default, prose, shown, table_rows
from tests.serving import serving

LINES = commands()
PLACEHOLDERS = {"N": "1", "NAME": "soak", "REPORT.json": "a"}
INSIDE = {
    "function.batch.dataflow.flex_template": "Dataflow's launcher",
    "function.preflight": "make serve",
    "function.sbom": "the Dockerfile",
    "function.slim": "the Dockerfile",
    "profiling.bench.balancer": "instances",
    "training.studies.lineage_networks": "stages",
}
"""Modules that are run by another command, not by a person."""
NO_OPTIONS = "function.start"
"""It does without a parser, which would cost every start the time of its import."""


def python_lines() -> list[tuple[str, list[str]]]:
    """(page, what follows `python -m`) of every command in the docs."""
    calls = []
    for page, line in LINES:
        for rest in re.findall(r"\bpython3? -m ([^|]+)", line):
            calls.append((page, [PLACEHOLDERS.get(word, word) for word in shlex.split(rest)]))
    return calls


PYTHON_LINES = python_lines()
WITH_ARGUMENTS = [
    (page, words) for page, words in PYTHON_LINES if len(words) > (2 if words[0] in PACKAGES else 1)
]
"""Those that are whole; others only name a command."""


@cache
def parsers() -> dict[str, Any]:
    """What the commands' own parsers say of themselves and of the documented lines."""
    lines = [words for _, words in WITH_ARGUMENTS]
    modules = [module for module in runnable_modules() if module != NO_OPTIONS]
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs_parsers"],
        cwd=ROOT,
        input=json.dumps({"lines": lines, "modules": modules}),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def runnable_modules() -> list[str]:
    modules = []
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        is_run = re.search(r"^if __name__ ==", path.read_text(encoding="utf-8"), re.MULTILINE)
        if (
            is_run
            and module not in INSIDE
            and path.stem != "__main__"
            and "peers" not in path.parts
        ):
            modules.append(module)
    return modules


def is_word(word: str, text: str) -> bool:
    """`--max` is no word of a text that has `--max-mb`."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def pages_of(package: str, command: str) -> str:
    """The text of the pages that show a command: by its line, or in code on its package's page."""
    line = rf"python3? -m {package}\s+{command}\b".removesuffix("\\s+\\b")
    named = rf"python3? -m {package}\b(?s:.*)`{command}`"
    return "\n".join(
        text for text in PAGES.values() if re.search(line, text) or re.search(named, text)
    )


# Of the docs: each is a command


def test_every_python_line_is_taken_by_its_parser() -> None:
    refused = parsers()["refused"]
    assert len(refused) == len(WITH_ARGUMENTS) >= 10
    wrong = [(*line, why) for line, why in zip(WITH_ARGUMENTS, refused, strict=True) if why]
    assert wrong == []


def test_every_command_named_exists() -> None:
    for page, (package, *rest) in PYTHON_LINES:
        if package in PACKAGES and rest and (page, [package, *rest]) not in WITH_ARGUMENTS:
            assert rest[0] in parsers()["commands"][package], f"{page}: {package} {rest[0]}"


@pytest.mark.parametrize("module", sorted({words[0] for _, words in PYTHON_LINES}))
def test_a_module_that_is_run_exists(module: str) -> None:
    path = ROOT / module.replace(".", "/")
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@pytest.mark.parametrize(("page", "line"), [it for it in LINES if it[1].startswith("make ")])
def test_a_make_line_is_made(page: str, line: str) -> None:
    words = shlex.split(line.partition("|")[0])
    if words[1:] in (["train"], ["sweep"], ["search"], ["twins"]):  # the name, without its OUT
        words.append("OUT=out")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in (word.partition("=")[0] for word in words[2:]):
        assert f"$({name})" in makefile, f"{page}: {line}: {name} is no variable of the Makefile"
    done = subprocess.run(
        ["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page}: {line}: {done.stderr}"


def test_no_command_line_lost_its_indent() -> None:
    for page, text in PAGES.items():
        lost = re.findall(r"(?<=\n\n) {0,3}(?:make|python3?|curl|gcloud) .*\n(?=\n)", prose(text))
        assert lost == [], page


def test_drawings_and_output_are_no_commands() -> None:
    first = {line.split()[0] for _, line in LINES if not re.match(r"[A-Z_]+=", line)}
    assert first == {"make", "python", "curl", "gcloud", "bq", "sed"}


# Of the project: each is in the docs


def test_every_command_is_documented() -> None:
    for package, known in parsers()["commands"].items():
        for command in known:
            assert pages_of(package, command), f"python -m {package} {command}"


def test_every_option_is_documented() -> None:
    for package, known in parsers()["commands"].items():
        for command, options in known.items():
            for option in options:
                text = pages_of(package, command)
                assert is_word(option, text), f"python -m {package} {command} {option}"


def documented_benchmark_options() -> dict[tuple[str, str], str]:
    """{(benchmark, option): default as shown}."""
    return {
        (benchmark, option): value
        for names, options, default, _ in table_rows("docs/benchmarks.md", "| command | option |")
        for option, value in each_default(re.findall(r"`(--[a-z-]+)", options), default)
        for benchmark in re.findall(r"`([a-z]+)\b", names)
    }


def test_every_option_of_a_benchmark_is_in_their_table_with_its_default() -> None:
    documented = documented_benchmark_options()
    declared = {
        (name, option): default
        for name in BENCHMARKS
        for option, default in parsers()["commands"]["profiling"][name].items()
    }
    assert documented.keys() == declared.keys()
    for key, default in declared.items():
        values = [str(value) for value in (default if isinstance(default, list) else [default])]
        if not isinstance(default, bool | None) and len(values[0]) < 40:
            assert documented[key] == " ".join(value.removesuffix(".0") for value in values), key


def test_every_module_that_can_be_run_is_documented() -> None:
    for module in runnable_modules():
        assert is_word(f"python -m {module}", ALL), module


def test_every_make_target_is_documented_and_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert {line.split()[1] for _, line in LINES if line.startswith("make ")} == targets


# What they print


def test_the_curl_lines_are_answered_as_shown(bundle_path: Path, tmp_path: Path) -> None:
    lines = [it for it in LINES if it[1].startswith("curl -s localhost:8080")]
    assert len(lines) >= 3
    with serving(bundle_path, tmp_path / "log", "image") as server:
        for page, line in lines:
            done = subprocess.run(
                ["bash", "-c", line.replace(":8080", f":{server.port}")],
                capture_output=True, text=True, check=True, timeout=60,
            )  # fmt: skip
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
