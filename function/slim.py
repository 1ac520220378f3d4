"""Remove what the image does not need of the installed packages.

    python3 slim.py SITE_PACKAGES

REMOVED names it; each part is printed with its size. Runs while the image is built and is not
part of it. A pattern that matches nothing stops the build: the packages have changed, look again.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

REMOVED = {
    "onnxruntime/capi/onnxruntime_pybind11_state*": "the binding; libonnxruntime.so answers",
    "onnxruntime/capi/libonnxruntime_providers_shared.so": "for other processors than the CPU",
    "onnxruntime/quantization": "makes bundles",
    "onnxruntime/tools": "makes bundles",
    "onnxruntime/transformers": "makes bundles",
    "numpy/_core/include": "for compiling extensions",
    "numpy/_core/lib": "for compiling extensions",
    "numpy/f2py": "for compiling extensions",
    "numpy/**/tests": "tests",
    "**/*.pyi": "types for checkers",
    "**/*.pxd": "types for compilers",
}
"""Patterns inside site-packages, and why nothing misses them."""


def main(packages: Path) -> int:
    for pattern, reason in REMOVED.items():
        paths = sorted(packages.glob(pattern))
        if not paths:
            print(
                f"error: {pattern} matches nothing in {packages}; correct REMOVED", file=sys.stderr
            )
            return 1
        size_mb = sum(map(_remove, paths)) / 2**20
        print(f"{size_mb:6.1f} MB  {pattern}: {reason}")
    return 0


def _remove(path: Path) -> int:
    """Remove a file or a folder; returns its bytes."""
    files = [path] if path.is_file() else [item for item in path.rglob("*") if item.is_file()]
    size = sum(file.lstat().st_size for file in files)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return size


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
