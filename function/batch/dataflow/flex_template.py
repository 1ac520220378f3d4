"""What Dataflow's launcher runs: the parameters of the template are options of `beam`."""

from __future__ import annotations

import sys

from function.__main__ import BEAM, main

if __name__ == "__main__":
    # A parameter's name has no dash.
    words = [word.replace("--top_k=", "--top-k=", 1) for word in sys.argv[1:]]
    sys.exit(main([BEAM, *words]))
