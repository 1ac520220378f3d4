"""Write the bytecode of all that a start imports into one file.

    python -m function.bytecode            # each module's file is looked at before it is used
    python -m function.bytecode --seal     # not even that: for an image, which nobody writes to

The function is started and asked once, as it will be, and Python says what it imported
(-X importtime). function/packed.py reads the file.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import marshal
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from pathlib import Path
from typing import Any

from function.packed import LENGTH_BYTES, SEALED, content_hash, made_for, pack_file
from model.aside import file_aside

ROOT = Path(__file__).resolve().parent.parent
START = ROOT / "function" / "start.py"
IMPORTED = re.compile(r"^import time: *\d+ \| *\d+ \| *(\S+)", re.MULTILINE)
STARTS_S = 60.0


def main() -> int:
    """Write the pack and print where it is. Exit status 0 or 1."""
    parser = argparse.ArgumentParser("python -m function.bytecode", description=__doc__)
    parser.add_argument("--seal", action="store_true", help="files are not looked at any more")
    options = parser.parse_args()
    target = Path(pack_file(str(ROOT)))
    target.unlink(missing_ok=True)  # what it holds would not be named
    try:
        modules = packed_modules(imported_modules())
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_pack(target, modules, options.seal)
    print(f"{len(modules)} modules: {target}")
    return 0


def imported_modules() -> list[str]:
    """The modules that a start and one answer import; raises OSError when it does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1"}
    command = [sys.executable, "-I", "-S", "-X", "importtime", str(START)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _ask(port, process)
    finally:
        process.terminate()
        _, log = process.communicate()
    return list(dict.fromkeys(IMPORTED.findall(log)))


def _ask(port: int, process: subprocess.Popen[str]) -> None:
    """One answer, for whose coming the imports of a start are needed; raises OSError."""
    url, body = f"http://127.0.0.1:{port}", json.dumps({"inputs": "ready"}).encode()
    deadline_s = time.monotonic() + STARTS_S
    while True:
        try:
            with urllib.request.urlopen(url, body, timeout=STARTS_S):
                return
        except urllib.error.HTTPError:  # it answers, and says what is wrong
            return
        except ConnectionError:
            pass
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise OSError("the function does not start; try: python -m function.start")
        time.sleep(0.05)


def packed_modules(names: list[str]) -> dict[str, tuple[list[Any], bytes]]:
    """{module: the entry of its file, its code}, without what is built in or frozen."""
    modules: dict[str, tuple[list[Any], bytes]] = {}
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        code = b""
        if isinstance(spec.loader, SourceFileLoader):
            code = marshal.dumps(spec.loader.get_code(name))
        elif not isinstance(spec.loader, ExtensionFileLoader):
            continue
        status = Path(spec.origin).stat()
        is_package = spec.submodule_search_locations is not None
        entry = [spec.origin, status.st_size, int(status.st_mtime), is_package]
        modules[name] = (entry, code)
    return modules


def write_pack(target: Path, modules: dict[str, tuple[list[Any], bytes]], seal: bool) -> None:
    """Write the pack aside and move it into place whole."""
    entries, position = {}, 0
    for name, (entry, code) in modules.items():
        entries[name] = (*entry, position, position + len(code))
        position += len(code)
    header = marshal.dumps({"made_for": made_for(str(ROOT)), "modules": entries})
    blobs = [code for _, code in modules.values()]
    content = b"".join([len(header).to_bytes(LENGTH_BYTES, "big"), header, *blobs])
    target.parent.mkdir(exist_ok=True)
    with file_aside(target) as aside:
        aside.write_bytes((SEALED if seal else content_hash(content)) + content)


if __name__ == "__main__":
    sys.exit(main())
