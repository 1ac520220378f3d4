"""How does it behave, and why? One command for each way to ask.

Each command is a module with `main(arguments) -> exit status`, imported when it is asked for.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

TOOLS = {
    "logs": ("logs.logs_command", "what a deployed function's log says, or two revisions compared"),
    "report": ("report.report_command", "load a bundle; a page and JSON of how it bears it"),
    "compare": ("report.two_reports", "what changed between two of these reports"),
    "reliability": (
        "reliability.reliability_command",
        "whether anything takes it down: bursts, halves, faults",
    ),
    "smoke": ("smoke", "does a deployed service answer rightly, and only to those it may?"),
}
BENCHMARKS = {
    "coldstart": ("bench.coldstart", "how soon a fresh process answers, beside its peers"),
    "throughput": ("bench.throughput", "texts a second of a long list, beside the graph's limit"),
    "beam": ("bench.beam_throughput", "rows a second on Beam, beside the classifier alone"),
    "instances": ("bench.instances", "whether more instances behind one address carry more"),
    "soak": ("bench.soak", "whether memory stays bounded over many requests"),
    "stages": ("bench.lineage", "what each step from three BERTs to one int8 student gained"),
    "imports": ("bench.imports", "what the cold path imports, and what that costs"),
    "timer": ("bench.overhead", "what a span costs"),
    "agree": ("bench.agreement", "whether the report's load generator agrees with wrk"),
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status is its own, or 2 when there is no such command."""
    parser = argparse.ArgumentParser(
        prog="python -m profiling",
        usage="%(prog)s COMMAND ...",
        description="How does it behave, and why? One command for each way to ask.",
        epilog=f"tools:\n{_listed(TOOLS)}\n\nbenchmarks:\n{_listed(BENCHMARKS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = TOOLS | BENCHMARKS
    parser.add_argument(
        "command", choices=commands, metavar="COMMAND", help="COMMAND --help shows its options"
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments or ["--help"])
    module = importlib.import_module(f"profiling.{commands[options.command][0]}")
    return int(module.main(options.arguments))


def _listed(commands: dict[str, tuple[str, str]]) -> str:
    return "\n".join(f"  {name:<12}{summary}" for name, (_, summary) in commands.items())


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # as of `| head`; what is left is not flushed either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
