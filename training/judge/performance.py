"""How does the new bundle behave under load? Its performance report, made as the run's last act.

The bundle stands already, so nothing that happens here may fail the run: it is told, and left.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from training.rows.table import Table
from training.run import Run

ROOT = Path(__file__).resolve().parents[2]
REPLAY = "replay.jsonl"
LONGEST_S = 600


def report_performance(run: Run, *options: str) -> bool:
    """Load the bundle with its own test rows, into DIR.report/; whether that worked."""
    target, texts = run.target, run.work / REPLAY
    command = [sys.executable, "-m", "profiling", "report", str(target), "--data", str(texts)]
    command += ["--out", str(run.report), *options]
    try:
        write_replay(run.table, texts)
        done = subprocess.run(command, cwd=ROOT, timeout=LONGEST_S, check=False)
        problem = f"exit status {done.returncode}" if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        print(
            f"warning: no performance report ({problem}), but the bundle is whole; "
            f"python -m profiling report {target} makes one",
            file=sys.stderr,
        )
    return problem is None


def write_replay(table: Table, path: Path) -> None:
    """The test rows as a table whose columns are the tasks' names; null: not labelled."""
    with path.open("w", encoding="utf-8") as file:
        for row in table.split("test"):
            file.write(json.dumps({**table.json_labels(row), "text": row.text}) + "\n")
