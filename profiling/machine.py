"""On what, and with which versions, was this measured? Head of every result."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("functions-framework", "gunicorn", "flask", "waitress", "onnxruntime", "tokenizers",
            "numpy", "torch", "transformers")  # fmt: skip
VERSIONS = """
import json, platform, sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

packages = dict.fromkeys(sys.argv[1:])
for name in packages:
    with suppress(PackageNotFoundError):
        packages[name] = version(name)
print(json.dumps({"python": platform.python_version(), "packages": packages}))
"""


def describe(
    server_python: Path | str = sys.executable, node: Path | str = "node"
) -> dict[str, Any]:
    """Processor, memory in MiB, kernel, load, and the versions of what serves.

    `python` and `packages` (None: not installed) are those of the Python that serves. `driver` has
    the same of the one that runs this, where it is another: torch of the peers is among them.
    """
    driver = {} if str(server_python) == sys.executable else {"driver": versions(sys.executable)}
    return {
        "processor": processor(),
        "cpus": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "system": f"{platform.system()} {platform.release()}",
        "load_average": os.getloadavg()[0],
        "node": _output(str(node), "--version"),
        **versions(server_python),
        **driver,
    }


def sentence(machine: dict[str, Any]) -> str:
    """The same in a line under a table; of the driver only what differs."""
    parts = [
        f"{machine['cpus']} CPUs of {machine['processor']}, {machine['memory_mb']} MiB, "
        f"{machine['system']}, load {machine['load_average']:.1f} at the start",
        f"Python {machine['python']}, Node {machine['node']}",
        _listed(machine["packages"]),
    ]
    if sandbox := machine.get("sandbox"):
        parts.append(f"gVisor of runsc {sandbox['runsc']}, platform {sandbox['platform']}")
    if driver := machine.get("driver"):
        others = dict(driver["packages"].items() - machine["packages"].items())
        parts += [f"driven by Python {driver['python']}", _listed(others)]
    return f"{'; '.join(parts)}."


def versions(python: Path | str) -> dict[str, Any]:
    """`python` and `packages` of an interpreter, asked of itself; no packages if it cannot run."""
    answer = _output(str(python), "-c", VERSIONS, *PACKAGES)
    described: dict[str, Any] = json.loads(answer) if answer else {"python": None, "packages": {}}
    return described


def processor() -> str:
    """The processor's name, as the kernel gives it."""
    name = re.search(r"^model name\s*: (.+)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return name[1] if name else platform.processor() or "unknown"


def _listed(packages: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {packages[name]}" for name in PACKAGES if packages.get(name))


def _output(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
