"""Which modules does the cold path import, how many, and what do they cost?

    python -m profiling imports            # the report
    python -m profiling imports --write    # allow what is imported now

The real process is started as deployed, with Python's own `-X importtime`, and asked one text;
master and worker are both in its output. Times are of that run, self time, importtime's own cost
included. What may be imported is in allowed_modules.txt: modules of packages by full name, of
the standard library by their first name.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from profiling.bench.contenders import SERVE
from profiling.bench.result import BUNDLE
from profiling.server import FROM_IMAGE, ServerError, listening
from tables.text import markdown

ALLOWED = Path(__file__).resolve().parent / "allowed_modules.txt"
HEAD = """# Modules that the cold path may import; a test compares. Written by
# python -m profiling imports --write
"""
PREFIX = "import time:"


@dataclass(frozen=True)
class ImportedModule:
    """One module, as `-X importtime` reports it."""

    name: str
    self_us: int

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


def main(arguments: list[str]) -> int:
    """Print the report, or write the list; 1 when something is imported that is not allowed."""
    parser = argparse.ArgumentParser(
        "python -m profiling imports",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="allow what is imported now as well")
    parser.add_argument("--top", type=int, default=25, help="packages shown (default: 25)")
    options = parser.parse_args(arguments)
    try:
        modules = cold_path(str(SERVE) if SERVE.exists() else sys.executable, BUNDLE)
    except ServerError as error:
        print(f"error: {error}; try: make serve", file=sys.stderr)
        return 1
    if options.write:
        names = sorted(allowed() | allowable(modules))
        ALLOWED.write_text(HEAD + "\n".join(names) + "\n", encoding="utf-8")
    print(table(modules, options.top))
    surplus = sorted(allowable(modules) - allowed())
    if surplus:
        print(f"\nnot in {ALLOWED.name}: {', '.join(surplus)}")
    return 1 if surplus else 0


def cold_path(python: str, bundle: Path) -> list[ImportedModule]:
    """Every module that the deployed process imports up to its first answer, each once."""
    command = ("-X", "importtime", *FROM_IMAGE)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with listening(bundle, log, python=python, command=command) as server:
            server.expect("POST", "/", b'{"inputs": "raw honey"}')
        return _parse(log.read_text(encoding="utf-8"))


def allowable(modules: list[ImportedModule]) -> set[str]:
    """Names as the list has them; private and test-only parts of the standard library left out."""
    standard_library = {module.package for module in modules} & sys.stdlib_module_names
    of_packages = {module.name for module in modules if module.package not in standard_library}
    return of_packages | {name for name in standard_library if not name.startswith("_")}


def allowed() -> set[str]:
    """The committed list."""
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if not line.startswith("#")}


def table(modules: list[ImportedModule], top: int) -> str:
    """Modules and self time by package, the most expensive first."""
    by_package: dict[str, list[int]] = defaultdict(list)
    for module in modules:
        by_package[module.package].append(module.self_us)
    packages = sorted(by_package.items(), key=lambda item: -sum(item[1]))
    rest = [self_us for _, times_us in packages[top:] for self_us in times_us]
    rows = [
        *packages[:top],
        (f"{len(packages[top:])} others", rest),
        ("**all**", [module.self_us for module in modules]),
    ]
    cells = [(name, str(len(us)), f"{sum(us) / 1000:.1f}") for name, us in rows]
    return markdown(("package", "modules", "self, ms"), cells)


def _parse(log: str) -> list[ImportedModule]:
    """Lines `import time: self [us] | cumulative | imported package`, each module once."""
    modules: dict[str, ImportedModule] = {}
    for line in log.splitlines():
        parts = line.removeprefix(PREFIX).split("|")
        if line.startswith(PREFIX) and len(parts) == 3 and parts[0].strip().isdecimal():
            name = parts[2].strip()
            modules.setdefault(name, ImportedModule(name, int(parts[0])))
    return list(modules.values())
