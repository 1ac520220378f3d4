"""Where is runsc, gVisor's kernel as a program, and how does a command run inside it?

    python -m profiling.bench.sandbox

prints where runsc is, and fetches Debian's package first if there is none that is new enough.
gVisor is the kernel under Cloud Run's first generation. The sandbox sees this machine's own files
and network; what is written to files inside is gone when it ends.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from profiling.server import ROOT

RUNSC = ROOT / "profiling" / "bench" / "tools" / "runsc"
"""Fetched here; git ignores the folder."""
COMMAND = "python -m profiling.bench.sandbox"
PLATFORM = "systrap"
OLDEST = 20240729
"""Debian 12 has one of 2022, which does not run here."""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCE = f"deb [signed-by={KEYRING}] http://deb.debian.org/debian trixie main\n"


class SandboxError(RuntimeError):
    """There is no runsc, and none can be had; the message says why."""


def installed() -> Path | None:
    """The runsc that was fetched, or one on the path that is new enough."""
    on_path = shutil.which("runsc")
    candidates = [RUNSC, *([Path(on_path)] if on_path else [])]
    return next((path for path in candidates if release_of(version(path)) >= OLDEST), None)


def version(runsc: Path) -> str:
    """As it tells it, for instance 0.0~20240729.0; empty where it does not run."""
    try:
        printed = subprocess.run(
            [str(runsc), "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return printed.stdout.partition("\n")[0].removeprefix("runsc version ")


def release_of(version: str) -> int:
    """The day of a release as a number, 20240729; 0 where a version has none."""
    day = re.search(r"\d{8}", version)
    return int(day[0]) if day else 0


def require() -> Path:
    """The runsc to use; raises SandboxError."""
    if not (runsc := installed()):
        raise SandboxError(f"runsc of {OLDEST} or later is not there; run: {COMMAND}")
    return runsc


def describe(runsc: Path) -> dict[str, Any]:
    """What made the sandbox, for the description of the machine."""
    return {"sandbox": {"runsc": version(runsc), "platform": PLATFORM}}


def wrapped(command: list[str], folder: Path, runsc: Path) -> list[str]:
    """The command in a sandbox of its own, started in `folder` with the same environment."""
    options = ("--rootless", "--network=host", "--ignore-cgroups", f"--platform={PLATFORM}")
    return [str(runsc), *options, "do", "-quiet", "-cwd", str(folder), "--", *command]


def fetch() -> Path:
    """Unpack Debian's package of runsc where it is looked for; raises SandboxError.

    apt-get keeps lists of its own in a temporary folder, and checks signature and sha256.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "trixie.list"
        source.write_text(SOURCE)
        for state in ("lists/partial", "archives/partial"):
            (folder / state).mkdir(parents=True)
        apt_get = (
            *("apt-get", "-qq", "-o", f"Dir::Etc::sourcelist={source}"),
            *("-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::State={folder}"),
            *("-o", f"Dir::Cache={folder}", "-o", "Acquire::Languages=none"),
            *("-o", "APT::Sandbox::User="),
        )
        try:
            _run(*apt_get, "update", folder=folder)
            _run(*apt_get, "download", "runsc", folder=folder)
            (package,) = folder.glob("runsc_*.deb")
            _run("dpkg", "-x", str(package), name, folder=folder)
        except OSError as error:
            raise SandboxError(f"Debian's tools are needed to fetch runsc: {error}") from error
        RUNSC.parent.mkdir(exist_ok=True)
        shutil.move(folder / "usr" / "bin" / "runsc", RUNSC)
    return require()


def _run(*command: str, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(f"runsc cannot be had: {' '.join(command)} failed:\n{done.stderr}")


def main() -> int:
    """Print where runsc is and its version. Exit status 0 or 1."""
    argparse.ArgumentParser(
        COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    try:
        runsc = installed() or fetch()
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{runsc}: {version(runsc)}, platform {PLATFORM}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
