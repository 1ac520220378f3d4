"""What the README and the docs say of files, settings and recipes is what the project does."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from function.settings import Settings
from tests.docs_text import ALL, PAGES, README, ROOT, each_default, fenced, prose, table_rows
from tests.test_rooms import STANDS_ON
from training import recipe
from training.recipe import read_recipe

ABSENT = re.compile(r"none|all|the [\w' ]+|from the data|by the rows|a placeholder|required")
"""What the recipe's table shows for a default that is no value of its own."""
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
LONGEST_LINE = 120


# Pages


def test_the_readme_is_read_to_its_end() -> None:
    assert README.count("\n") <= 150


def test_no_line_of_prose_is_long() -> None:
    for page, text in PAGES.items():
        for line in prose(text).splitlines():
            is_whole = line.startswith(("|", "    ", "!["))  # a table's row, a command
            assert len(line) <= LONGEST_LINE or is_whole, f"{page}: {line}"


def test_a_link_leads_somewhere() -> None:
    for page, text in PAGES.items():
        for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", text):
            path = (ROOT / page).parent / target if target else ROOT / page
            assert path.exists(), f"{page}: {target}"
            if anchor:
                titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
                slugs = {
                    re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles
                }
                assert anchor in slugs, f"{page}: {target}#{anchor}"


def test_every_file_that_a_page_names_exists() -> None:
    """As a path from the root, from a folder named like it, or as a file's name within a room."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    files = [file for file in files if (ROOT / file).exists() and not file.startswith("tests/")]
    for name in set(re.findall(r"`([\w/]+\.py)`", ALL)):
        is_there = any(file == name or file.endswith(f"/{name}") for file in files)
        assert is_there or (name.startswith("tests/") and (ROOT / name).is_file()), name
    for name in set(re.findall(r"`([a-z]\w+(?:/\w+)*/)`", PAGES["docs/contributing.md"])):
        folders = {f"/{file.rpartition('/')[0]}/" for file in files} | {"/tests/frozen/", "/tests/"}
        assert any(f"/{name}" in folder for folder in folders), name


def test_the_walks_name_files_where_they_are() -> None:
    folder = ROOT
    for name in re.findall(
        r"`([\w/]+\.py)`", PAGES["docs/contributing.md"].split("## Three walks")[1]
    ):
        path = ROOT / name if "/" in name or name == "main.py" else folder / name
        assert path.is_file(), name
        folder = path.parent


def test_the_rooms_may_import_what_is_documented() -> None:
    """Of the rooms' table; the drawing above it has the same."""
    documented = {
        room.strip("`/").replace("/", "."): set(re.findall(r"`([\w/]+)/`", rooms))
        for room, rooms, _ in table_rows("docs/contributing.md", "| room | may import |")
    }
    for room, others in STANDS_ON.items():
        if room != "main":
            assert documented[room] == {other.replace(".", "/") for other in others}, room


# Code blocks


@pytest.mark.parametrize(
    ("page", "block"), [it for it in fenced("python") if it[0] != "docs/callers.md"]
)
def test_a_python_block_runs(page: str, block: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page}: {done.stderr}"
    for comment in re.findall(r"print\(.*\)  # (\w+)$", block, re.MULTILINE):
        assert comment in done.stdout.splitlines(), page


@pytest.mark.parametrize(("page", "block"), fenced("toml"))
def test_a_recipe_block_is_read(page: str, block: str, tmp_path: Path) -> None:
    if "[data]" not in block:
        block += '[data]\nfiles = ["rows.csv"]\n[[task]]\nname = "a"\nkind = "single"\n'
    tomllib.loads(block)
    (tmp_path / "mine.toml").write_text(block)
    assert read_recipe(tmp_path / "mine.toml").tasks, page


# Settings, codes and keys


def test_every_setting_is_documented_with_its_default() -> None:
    table = inspect.cleandoc(Settings.__doc__ or "")
    rows = re.findall(r"^\| ([A-Z_]+) \| ([^|]+) \|", table, re.MULTILINE)
    assert len(rows) >= 9
    for key, default in rows:
        row = rf"^\| `{key}` \| `?{re.escape(default)}`? \|"
        assert re.search(row, PAGES["docs/http.md"], re.MULTILINE), key


def variables_read(path: Path) -> Iterator[str]:
    """Names of environment variables in the calls, lookups and lists of a file that reads any."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not re.search(r"\benviron\b|\bgetenv\b|\bmapping\b", path.read_text(encoding="utf-8")):
        return
    for node in ast.walk(tree):
        inside: list[ast.expr] = []
        if isinstance(node, ast.Call):
            inside = node.args if "environ" in ast.unparse(node) else node.args[:2]
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            inside = [node.slice] if "environ" in ast.unparse(node.value) else []
        elif isinstance(node, ast.Compare) and "environ" in ast.unparse(node):
            inside = [node.left]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            names = [name for name in node.value.elts if "_" in ast.unparse(name)]
            inside = names if "environ" not in ast.unparse(node) else []
        for value in inside:
            name = value.value if isinstance(value, ast.Constant) else None
            if isinstance(name, str) and len(name) > 3 and VARIABLE.fullmatch(name):
                yield name


def test_every_environment_variable_is_documented() -> None:
    variables = {
        name
        for room in ("function", "profiling", "training", "model", "tables")
        for path in (ROOT / room).rglob("*.py")
        if "peers" not in path.parts
        for name in variables_read(path)
    }
    known = {"IDENTITY_TOKEN", "K_REVISION", "K_SERVICE", "OTEL_SERVICE_NAME", "PORT", "WORLD_SIZE"}
    assert known <= variables
    assert {name for name in variables if f"`{name}" not in ALL and f"{name}=" not in ALL} == set()


def error_codes(tree: ast.Module) -> Iterator[str]:
    """Codes in the calls that make an error, and in those of functions that return one."""
    makers = {"RequestError", "error_document"} | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.returns or node) == "RequestError"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in makers:
            for value in node.args:
                code = value.value if isinstance(value, ast.Constant) else None
                if isinstance(code, str) and re.fullmatch("[a-z_]+", code):
                    yield code


def test_every_error_code_is_documented() -> None:
    files = sorted((ROOT / "function").rglob("*.py"))
    codes = {code for path in files for code in error_codes(ast.parse(path.read_text("utf-8")))}
    in_docs = "".join(names for names, *_ in table_rows("docs/http.md", "| code | status |"))
    fields = {name.strip("`") for name, *_ in table_rows("docs/http.md", "| field | value |")}
    assert codes - fields == set(re.findall(r"`([a-z_]+)`", in_docs))


SECTIONS: dict[str, Any] = {
    "": recipe.Recipe,
    "[data]": recipe.Data,
    "[[task]]": recipe.TaskSpec,
    "[vocabulary]": recipe.Vocabulary,
    "[pretrain]": recipe.Pretrain,
    "[teacher]": recipe.Teacher,
    "[student]": recipe.Student,
    "[quantize]": recipe.Quantize,
    "[ship]": recipe.Ship,
    "[sweep]": recipe.Sweep,
    "[card]": recipe.Card,
}


def documented_defaults() -> dict[tuple[str, str], str]:
    """{(section, key): default as shown}."""
    defaults: dict[tuple[str, str], str] = {}
    for sections, keys, default, _ in table_rows("docs/train.md", "| section | key |"):
        for name, value in each_default(re.findall(r"`(\w+)`", keys), default):
            for section in re.findall(r"`([^`]+)`", sections) or [""]:
                assert (section, name) not in defaults, name
                defaults[section, name] = value.strip("`")
    return defaults


def test_every_recipe_key_is_documented_with_its_default() -> None:
    documented = documented_defaults()
    sections = {section.strip("[]") for section in SECTIONS}
    declared = {
        (section, field.name): field.default
        for section, declaration in SECTIONS.items()
        for field in dataclasses.fields(declaration)
        if section or field.name not in sections | {"tasks"}
    }
    assert documented.keys() == declared.keys()
    wrong = [
        (key, documented[key], default)
        for key, default in declared.items()
        if not is_shown(default, documented[key])
    ]
    assert wrong == []


def is_shown(default: Any, shown: str) -> bool:
    """Whether a cell of the recipe's table tells a default."""
    if default is dataclasses.MISSING:
        return shown == "required" or shown in (recipe.DEFAULT_BASE, "the file's", "the name")
    if default is None or default in ((), ""):
        return ABSENT.fullmatch(shown) is not None and shown != "required"
    if isinstance(default, bool):
        return shown == str(default).lower()
    if isinstance(default, int | float):
        return float(shown) == default
    if isinstance(default, tuple):
        return shown == ", ".join(str(value) for value in default)
    return shown == default or (shown == "a placeholder" and " " in default)
