"""Which code does a stage's result depend on? Its module and all of this project that it imports.

A digest is of the syntax tree without docstrings, so that comments, docstrings and format do not
count. The recipe's own code is left out: its values count where a stage declares them.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = frozenset({"training/recipe.py", "training/task_spec.py", "tables/toml_file.py"})


def code_digests(module: str, root: Path = ROOT) -> dict[str, str]:
    """{file, from `root`: sha256} of `module` and what it imports, also inside functions."""
    digests: dict[str, str] = {}
    waiting = list(_files(module, root))
    assert waiting, f"no module {module}"
    while waiting:
        path = waiting.pop()
        name = path.relative_to(root).as_posix()
        if name in digests or name in LEFT_OUT:
            continue
        digests[name], imports = digest_and_imports(path)
        waiting += [file for imported in imports for file in _files(imported, root)]
    return dict(sorted(digests.items()))


def _files(module: str, root: Path) -> Iterator[Path]:
    """The files of this project that importing `module` runs; none for any other project's."""
    path = root.joinpath(*module.split("."))
    yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())


@functools.cache
def digest_and_imports(path: Path) -> tuple[str, list[str]]:
    """Of one file, read once a process: a stage that runs has imported what was digested."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = list(_imports(tree))
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            code = [statement for statement in body if not _is_text(statement)]
            node.body = code or [ast.Pass()]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest(), imports


def _is_text(statement: ast.stmt) -> bool:
    """Whether it is a docstring, of a module, class, function or field."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _imports(tree: ast.AST) -> Iterator[str]:
    """The modules that the code imports; `from a import b` may import a.b as well as a."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
