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
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from profiling import process_tree
from profiling.bench.contenders import ROOT, SERVE
from profiling.server import free_port

ALLOWED = Path(__file__).resolve().parent / "allowed_modules.txt"
HEAD = """# Modules that the cold path may import; a test compares. Written by
# python -m profiling imports --write
"""
PREFIX = "import time:"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Imported:
    """One module, as `-X importtime` tells it."""

    name: str
    self_us: int


def main(arguments: list[str]) -> int:
    """Print the report, or write the list; 1 when something is imported that is not allowed."""
    parser = argparse.ArgumentParser("python -m profiling imports")
    parser.add_argument("--write", action="store_true", help="allow what is imported now as well")
    parser.add_argument("--top", type=int, default=25, help="packages shown (default: 25)")
    options = parser.parse_args(arguments)
    found = cold_path(str(SERVE) if SERVE.exists() else sys.executable)
    if options.write:
        names = sorted(allowed() | allowable(found))
        ALLOWED.write_text(HEAD + "\n".join(names) + "\n", encoding="utf-8")
    print(table(found, options.top))
    surplus = sorted(allowable(found) - allowed())
    if surplus:
        print(f"\nnot in {ALLOWED.name}: {', '.join(surplus)}")
    return 1 if surplus else 0


def cold_path(python: str, bundle: Path | None = None) -> list[Imported]:
    """Every module that the deployed process imports up to its first answer."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port)}
    if bundle:
        environment["BUNDLE"] = str(bundle)
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [python, "-X", "importtime", "-m", "function.start"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            _ask(process, port)
        finally:
            process_tree.end(process.pid)
            process.wait()
        errors.seek(0)
        return _parse(errors.read())


def allowable(found: list[Imported]) -> set[str]:
    """Names as the list has them; private and test-only parts of the standard library left out."""
    names = {entry.name for entry in found}
    packages = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    library = {name.partition(".")[0] for name in names - packages}
    return packages | {name for name in library if not name.startswith("_")}


def allowed() -> set[str]:
    """The committed list."""
    if not ALLOWED.exists():
        return set()
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def table(found: list[Imported], top: int) -> str:
    """Modules and self time by package, the most expensive first."""
    times: dict[str, list[int]] = defaultdict(list)
    for entry in found:
        times[entry.name.partition(".")[0]].append(entry.self_us)
    rows = sorted(times.items(), key=lambda item: -sum(item[1]))
    lines = ["| package | modules | self, ms |", "|---|---|---|"]
    lines += [f"| {name} | {len(us)} | {sum(us) / 1000:.1f} |" for name, us in rows[:top]]
    rest = [time_us for _, us in rows[top:] for time_us in us]
    lines.append(f"| {len(rows[top:])} others | {len(rest)} | {sum(rest) / 1000:.1f} |")
    total = sum(entry.self_us for entry in found) / 1000
    lines.append(f"| **all** | {len(found)} | {total:.1f} |")
    return "\n".join(lines)


def _ask(process: subprocess.Popen[bytes], port: int) -> None:
    """One text, as soon as the process listens."""
    deadline_s = time.monotonic() + PATIENCE_S
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    while True:
        try:
            connection.connect()
            break
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise SystemExit("the function did not start; try: make serve") from None
            time.sleep(0.01)
    connection.request("POST", "/", json.dumps({"inputs": "raw honey"}))
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise SystemExit(f"the function answered {status}")


def _parse(errors: str) -> list[Imported]:
    """Lines `import time: self [us] | cumulative | imported package`, each module once."""
    found: dict[str, Imported] = {}
    for line in errors.splitlines():
        parts = line.removeprefix(PREFIX).split("|")
        if line.startswith(PREFIX) and len(parts) == 3 and parts[0].strip().isdecimal():
            name = parts[2].strip()
            found.setdefault(name, Imported(name, int(parts[0])))
    return list(found.values())
