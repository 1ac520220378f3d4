"""Make the optimized copy of the graph of $BUNDLE, which opens faster on this machine.

    python -m function.graph

`make serve` does this for you, and an image when it is built; see model/optimized_copy.py.
"""

from __future__ import annotations

import argparse
import os
import sys

from function.settings import Settings, SettingsError
from model.bundle import BundleError, read_bundle
from model.optimized_copy import make_copy


def main() -> int:
    """Make the copy and print where it is. Exit status 0 or 1."""
    argparse.ArgumentParser("python -m function.graph", description=__doc__).parse_args()
    try:
        bundle = read_bundle(Settings.from_mapping(os.environ).bundle)
        print(f"{bundle.identity}: {make_copy(bundle)}")
    except (BundleError, SettingsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
