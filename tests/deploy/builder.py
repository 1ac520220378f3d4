"""How is the image built where there is no docker? By buildah, without a daemon, as root.

`docker` becomes a two-line script over buildah, so that the pipeline's image step runs as written.
Where no registry can be reached, the base is a Debian with Python, made by debootstrap, without the
standard library's bytecode, as the official image has none.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLS = ("buildah", "debootstrap", "runc")
SUITE, MIRROR = "trixie", "http://deb.debian.org/debian"  # the pinned base's Debian
PACKAGES = "python3,python3-pip,ca-certificates"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
LOCAL_BASE = "localhost/base"
DOCKER = """#!/bin/sh
verb="$1"; shift
[ "$verb" = build ] && exec {buildah} build --isolation chroot --network host {base} "$@"
exec {buildah} "$verb" "$2" "oci:{folder}/pushed"
"""


@dataclass(frozen=True)
class Builder:
    """buildah with a store of its own in `folder`."""

    folder: Path

    @property
    def command(self) -> list[str]:
        where = [f"--root={self.folder}/store", f"--runroot={self.folder}/run"]
        return ["buildah", *where, "--storage-driver=vfs"]

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self.command, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def docker(self, dockerfile: str) -> tuple[Path, str]:
        """A folder with a `docker` for PATH, and the base that it builds on."""
        (pinned,) = re.findall(r"^ARG BASE=(\S+)$", dockerfile, re.MULTILINE)
        base = pinned if self._reachable(pinned) else self._debian()
        folder = self.folder / "bin"
        folder.mkdir()
        script = DOCKER.format(
            buildah=" ".join(self.command), base=f"--build-arg BASE={base}", folder=self.folder
        ).replace('"$verb" "$2"', '"$verb" "$1"')
        (folder / "docker").write_text(script)
        (folder / "docker").chmod(0o755)
        return folder, base

    def mounted(self, image: str) -> Path:
        return Path(self.run("mount", self.run("from", "--pull-never", image)))

    def context(self, checkout: Path) -> Path:
        """What a build of `checkout` is given: all that its .dockerignore lets through."""
        everything = self.folder / "everything"
        everything.write_text("FROM scratch\nCOPY . /\n")
        name = "localhost/context"
        self.run("build", "--quiet", "--file", str(everything), "--tag", name, str(checkout))
        return self.mounted(name)

    def config(self, image: str) -> dict[str, Any]:
        """What the image says of itself: Cmd, Env, User, WorkingDir, Labels."""
        inspected = json.loads(self.run("inspect", "--type=image", image))
        config: dict[str, Any] = inspected["OCIv1"]["config"]
        return config

    def _reachable(self, image: str) -> bool:
        pull = [*self.command, "pull", "--quiet", image]  # which tries three times
        try:
            return (
                subprocess.run(pull, capture_output=True, check=False, timeout=30).returncode == 0
            )
        except subprocess.TimeoutExpired:
            return False

    def _debian(self) -> str:
        root = self.folder / "debian"
        made = [
            "debootstrap",
            "--variant=minbase",
            f"--include={PACKAGES}",
            SUITE,
            str(root),
            MIRROR,
        ]
        subprocess.run(made, check=True, capture_output=True)
        for cache in list(root.rglob("__pycache__")):
            shutil.rmtree(cache)
        for unneeded in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
            shutil.rmtree(root / unneeded)
        # The package index is reached as this machine reaches it, perhaps through a mirror.
        shutil.copyfile(f"/{CERTIFICATES}", root / CERTIFICATES)
        container = self.run("from", "scratch")
        self.run("add", "--quiet", container, str(root), "/")
        self.run("commit", "--quiet", container, LOCAL_BASE)
        return LOCAL_BASE


def missing() -> str | None:
    """Why no image can be built here; None when one can."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"{', '.join(absent)}: not installed; apt-get install {' '.join(TOOLS)}"
    return None if os.geteuid() == 0 else "building in a chroot and limiting memory need root"
