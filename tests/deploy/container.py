"""What would Cloud Run start? The image's command and user, read-only, on one CPU, in 256 MiB.

runc starts it from the image's root file system. Even the shells are taken away.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY_BYTES = 256 * 2**20
PERIOD_US = 100_000
START_S = 120
SHELLS = ("usr/bin/dash", "usr/bin/bash")
TMPFS = {"type": "tmpfs", "source": "tmpfs"}


@dataclass(frozen=True)
class Container:
    """A running function and what watches over it."""

    name: str
    port: int
    root: Path
    log: Path

    def ask(self, method: str, path: str, question: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        try:
            connection.request(method, path, None if question is None else json.dumps(question))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run Python inside, as the function's user."""
        command = ["runc", "--root", str(self.root), "exec", self.name, "python3", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def limit(self, controller: str, key: str) -> int:
        """A value of the container's own control group."""
        (found,) = Path("/sys/fs/cgroup", controller).rglob(f"{self.name}/{key}")
        return int(found.read_text())


def specification(rootfs: Path, config: dict[str, Any], port: int) -> dict[str, Any]:
    """The OCI runtime's config.json: what the image says, and Cloud Run's limits."""
    user, group = map(int, config["User"].split(":"))
    mounts: list[dict[str, Any]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", **TMPFS, "options": ["mode=755"]},
        {"destination": "/tmp", **TMPFS, "options": ["mode=1777", "nosuid", "nodev", "noexec"]},
    ]
    mounts += [
        {"destination": f"/{shell}", "type": "bind", "source": "/dev/null", "options": ["bind"]}
        for shell in SHELLS
        if (rootfs / shell).exists()
    ]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": user, "gid": group},
            "args": [*config.get("Entrypoint", []), *config["Cmd"]],
            "env": [*config["Env"], f"PORT={port}"],
            "cwd": config["WorkingDir"],
            "capabilities": {},
            "noNewPrivileges": True,
        },
        "root": {"path": str(rootfs), "readonly": True},
        "mounts": mounts,
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc")],
            "resources": {
                "memory": {"limit": MEMORY_BYTES, "swap": MEMORY_BYTES},
                "cpu": {"quota": PERIOD_US, "period": PERIOD_US},
            },
        },
    }


@contextmanager
def started(rootfs: Path, config: dict[str, Any], folder: Path) -> Iterator[Container]:
    """Run the image's command until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "config.json").write_text(json.dumps(specification(rootfs, config, port)))
    container = Container(f"polyhead-{port}", port, folder / "runc", folder / "log")
    command = ["runc", "--root", str(container.root), "run", "--bundle", str(folder)]
    with container.log.open("wb") as log:
        process = subprocess.Popen([*command, container.name], stdout=log, stderr=log)
        try:
            _wait(process, container)
            yield container
        finally:
            kill = ["runc", "--root", str(container.root), "kill", container.name, "KILL"]
            subprocess.run(kill, check=False, capture_output=True)
            process.wait(START_S)


def _wait(process: subprocess.Popen[bytes], container: Container) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, container.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", container.port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"not listening after {START_S} s: {container.log.read_text()}")
