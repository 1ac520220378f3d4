"""What a person should hear before the server starts: what is wrong, or what to send it.

python -m function.preflight PORT
"""

from __future__ import annotations

import json
import os
import socket
import sys

from function.settings import Settings, SettingsError
from model.bundle import BundleError, read_bundle

QUESTION = {"inputs": ["boneless chicken breast", "raw honey", "butter knife"]}


def main(port: str) -> int:
    """Print one line to try, or one on what to mend. Exit status 0 or 1."""
    try:
        bundle = read_bundle(Settings.from_mapping(os.environ).bundle)
        take(port)
    except (BundleError, SettingsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    header = "-H 'content-type: application/json'"
    print(f"{bundle.identity} on port {port}; try:\n")
    print(f"curl -s localhost:{port} {header} -d '{json.dumps(QUESTION)}'\n", flush=True)
    return 0


def take(port: str) -> None:
    """Raise OSError with what to do when nothing can listen on `port`."""
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise OSError(f"PORT={port!r}: give a number from 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", int(port)))
        except OSError as error:
            reason = error.strerror or str(error)
            raise OSError(f"port {port}: {reason}; give another, such as PORT=8081") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
