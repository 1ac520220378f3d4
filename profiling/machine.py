"""On what, and with which versions, was this measured?"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("functions-framework", "gunicorn", "flask", "onnxruntime", "tokenizers", "numpy")
OTHERS = ("torch", "transformers")


def describe(python: Path = Path(sys.executable)) -> dict[str, object]:
    """Processor, kernel, load and versions, for the head of a result; `python` is what serves."""
    return {
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "system": f"{platform.system()} {platform.release()}",
        "load_average": os.getloadavg()[0],
        "python": _output(str(python), "-c", "import platform; print(platform.python_version())"),
        "node": _output("node", "--version"),
        "packages": {name: _version(name) for name in (*PACKAGES, *OTHERS)},
    }


def sentence(machine: dict[str, object]) -> str:
    """The same in a line under a table."""
    packages = machine["packages"]
    assert isinstance(packages, dict)
    versions = ", ".join(f"{name} {found}" for name, found in packages.items() if found)
    return (
        f"{machine['cpus']} CPUs of {machine['processor']}, {machine['memory_mb']} MiB, "
        f"{machine['system']}, load {machine['load_average']:.1f} at the start; "
        f"Python {machine['python']}, Node {machine['node']}; {versions}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _output(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
