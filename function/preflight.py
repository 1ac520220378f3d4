"""Before the server starts: can it start, and what can be sent to it?

    python -m function.preflight PORT

`make serve` runs this first. It prints a line to try, or what to correct.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys

from function.settings import Settings, SettingsError
from model.bundle import BundleError, read_bundle

EXAMPLE = {"inputs": ["boneless chicken breast", "raw honey", "butter knife"]}


def main() -> int:
    """Print one line to try, or one on what to correct. Exit status 0 or 1."""
    parser = argparse.ArgumentParser("python -m function.preflight", description=__doc__)
    parser.add_argument("port", nargs="?", default="", metavar="PORT", help="default: $PORT")
    port = parser.parse_args().port or os.environ.get("PORT", "")
    try:
        settings = Settings.from_mapping({**os.environ, "PORT": port})
        bundle = read_bundle(settings.bundle)
        check_port(settings.host, settings.port)
    except (BundleError, SettingsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    header = "-H 'content-type: application/json'"
    print(f"{bundle.identity} on port {settings.port}; try:\n")
    print(f"curl -s localhost:{settings.port} {header} -d '{json.dumps(EXAMPLE)}'\n", flush=True)
    return 0


def check_port(host: str, port: int) -> None:
    """Raise OSError with what to do when nothing can listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            remedy = "give another, such as PORT=8081"
            raise OSError(f"port {port} of {host}: {reason}; {remedy}") from None


if __name__ == "__main__":
    sys.exit(main())
