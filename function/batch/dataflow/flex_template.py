"""What Dataflow's launcher runs: `python -m function beam` with the template's parameters."""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":
    # A parameter's name has no dash.
    words = [word.replace("--top_k=", "--top-k=", 1) for word in sys.argv[1:]]
    sys.argv = [sys.argv[0], "beam", *words]
    runpy.run_module("function", run_name="__main__")
