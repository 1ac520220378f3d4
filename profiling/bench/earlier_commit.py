"""What did the commits since then cost? An earlier one takes its turn at starting, too."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from profiling.bench.contenders import CONTENDERS, SERVE, Contender
from profiling.bench.result import output_of
from profiling.server import ROOT


@contextmanager
def earlier_commit(commit: str, bundle: Path) -> Iterator[Contender]:
    """Ours as of `commit`, in a checkout of its own, on the packages that are installed now.

    Raises SystemExit where git knows no such commit, or the commit cannot open the bundle.
    """
    git = ("git", "-C", str(ROOT), "worktree")
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder, "checkout")
        output_of(*git, "add", "--detach", str(checkout), commit)
        try:
            for module in (("function.graph", "--seal"), ("function.bytecode",)):
                output_of("env", "-C", str(checkout), f"BUNDLE={bundle}", str(SERVE), "-m", *module)
            ours = CONTENDERS["ours"]
            yield dataclasses.replace(ours, title=f"ours at {commit}", folder=checkout)
        finally:
            output_of(*git, "remove", "--force", str(checkout))
