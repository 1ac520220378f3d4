"""How does it behave, and why? One command for each way to ask.

    python -m profiling coldstart
    python -m profiling logs --file log

Each command is a module with `main(arguments) -> exit status`, imported when it is asked for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "agree": "profiling.bench.agreement",
    "coldstart": "profiling.bench.coldstart",
    "compare": "profiling.report.two_reports",
    "imports": "profiling.bench.imports",
    "logs": "profiling.logs.logs_command",
    "report": "profiling.report.report_command",
    "smoke": "profiling.smoke",
    "soak": "profiling.bench.soak",
    "stages": "profiling.bench.lineage",
    "throughput": "profiling.bench.throughput",
    "timer": "profiling.bench.overhead",
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status is its own, or 2 when there is no such command."""
    name, *rest = arguments or ["--help"]
    if name in COMMANDS:
        command = importlib.import_module(COMMANDS[name])
        return int(command.main(rest))
    wanted = name in ("-h", "--help")
    usage = f"python -m profiling COMMAND ..., COMMAND one of: {', '.join(COMMANDS)}"
    problem = "usage" if wanted else f"error: there is no command {name!r}; give"
    print(f"{problem}: {usage}" if wanted else f"{problem} {usage}", file=sys.stderr)
    return 0 if wanted else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
