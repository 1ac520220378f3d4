"""Five minutes of load on a bundle, and the page that shows what came of it.

python -m profiling report BUNDLE --out DIR
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """See command.py; imported late, since parts of this package run in processes of their own."""
    from profiling.report.report_command import main

    return main(arguments)
