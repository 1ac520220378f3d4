"""Make the optimized copy of the graph of $BUNDLE, which opens faster on this machine.

    python -m function.graph
    python -m function.graph --seal    # while an image is built, which nobody writes to afterwards

`make serve` does this for you, and an image when it is built; see model/optimized_copy.py. What is
sealed is verified now, and by a start after its first answer instead of before (model/seal.py).
"""

from __future__ import annotations

import argparse
import os
import sys

from function.settings import Settings, SettingsError
from model.bundle import BundleError, read_bundle
from model.optimized_copy import make_copy
from model.seal import seal


def main() -> int:
    """Make the copy and print where it is. Exit status 0 or 1."""
    parser = argparse.ArgumentParser(
        "python -m function.graph",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seal", action="store_true", help="note that the files were verified")
    options = parser.parse_args()
    try:
        bundle = read_bundle(Settings.from_mapping(os.environ).bundle)
        print(f"{bundle.identity}: {make_copy(bundle)}")
        if options.seal:
            print(f"sealed: {seal(bundle)}")
    except (BundleError, SettingsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
