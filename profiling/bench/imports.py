"""Which modules does the cold path import, how many, and what do they cost?

    python -m profiling imports            # the report
    python -m profiling imports --write    # allow what is imported now

The real process is started as deployed, with Python's own `-X importtime`, and asked one text;
master and worker are both in its output. Times are of that run, self time, importtime's own cost
included. What may be imported is in allowed_modules.txt: modules of packages by full name, of
the standard library by their first name.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from profiling.bench import result
from profiling.bench.contenders import SERVE
from profiling.server import FROM_IMAGE, ServerError, listening
from tables.text import markdown

ALLOWED = Path(__file__).resolve().parent / "allowed_modules.txt"
HEAD = """# Modules that the cold path may import; a test compares. Written by
# python -m profiling imports --write
"""
IMPORT = re.compile(r"^import time: *(\d+) \| *\d+ \| *(\S+)", re.MULTILINE)
"""Self time in microseconds and name of a module."""


def main(arguments: Sequence[str]) -> int:
    """Print the report, or write the list; 1 when something is imported that is not allowed."""
    parser = result.parser("imports", __doc__, bundle_and_out=False)
    parser.add_argument("--write", action="store_true", help="allow what is imported now as well")
    parser.add_argument("--top", type=int, default=25, help="packages shown (default: 25)")
    options = parser.parse_args(arguments)
    try:
        modules = cold_path(str(SERVE) if SERVE.exists() else sys.executable, result.BUNDLE)
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


def cold_path(python: str, bundle: Path) -> dict[str, int]:
    """{module: microseconds} that the deployed process imports up to its first answer."""
    command = ("-X", "importtime", *FROM_IMAGE)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with listening(bundle, log, python=python, command=command) as server:
            server.expect("POST", "/", b'{"inputs": "raw honey"}')
        modules: dict[str, int] = {}
        for self_us, name in IMPORT.findall(log.read_text(encoding="utf-8")):
            modules.setdefault(name, int(self_us))
        return modules


def allowable(modules: Collection[str]) -> set[str]:
    """Names as the list has them; private parts of the standard library are left out."""
    standard_library = {_package(name) for name in modules} & sys.stdlib_module_names
    of_packages = {name for name in modules if _package(name) not in standard_library}
    return of_packages | {name for name in standard_library if not name.startswith("_")}


def allowed() -> set[str]:
    """The committed list."""
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if not line.startswith("#")}


def table(modules: dict[str, int], top: int) -> str:
    """Modules and self time by package, the most expensive first."""
    by_package: dict[str, list[int]] = defaultdict(list)
    for name, self_us in modules.items():
        by_package[_package(name)].append(self_us)
    packages = sorted(by_package.items(), key=lambda item: -sum(item[1]))
    rest = [self_us for _, times_us in packages[top:] for self_us in times_us]
    rows = [
        *packages[:top],
        (f"{len(packages[top:])} others", rest),
        ("**all**", list(modules.values())),
    ]
    cells = [(name, str(len(us)), f"{sum(us) / 1000:.1f}") for name, us in rows]
    return markdown(("package", "modules", "self, ms"), cells)


def _package(module: str) -> str:
    return module.partition(".")[0]
