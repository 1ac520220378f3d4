"""Who takes part in the cold-start benchmark, and how is each started?

All answer POST / with the same bundle and the same text, but for `pipelines`, which has weights
of its own. What one may use, the others may: the optimized copy of the graph, one thread that
runs it, loading while the server starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "profiling" / "bench" / "peers"
NODE = PEERS / "node"
NODE_SERVER = ("node_modules/.bin/functions-framework", "--target=classify", "--port={port}")
SERVE = ROOT / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class Contender:
    """One way to serve. `{port}`, `{bundle}`, `{text}` and `{graph}` are filled in at the start."""

    name: str
    title: str
    command: tuple[str, ...]
    folder: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    serves: bool = True
    """False: prints its one answer and stays until its input closes."""
    own_weights: bool = False
    """Its answers are checked for their shape only."""
    needs: tuple[tuple[Path, str], ...] = ()
    """What must be there, and the command that makes it."""

    @property
    def missing(self) -> str | None:
        """What to do before this contender can take part; None when nothing."""
        for path, remedy in self.needs:
            if not path.exists():
                return f"{self.name}: {path} is not there; run: {remedy}"
        return None


NODE_NEEDS = (
    (NODE / "node_modules", f"npm ci --ignore-scripts --prefix {NODE}"),
    (NODE / "graph" / "model.onnx", "python -m profiling coldstart --prepare"),
)


def contenders() -> dict[str, Contender]:
    """By name, in the order in which they take turns."""
    found = [
        Contender(
            "ours",
            "ours, as deployed",
            ("sh", "-c", _make_run()),
            needs=((SERVE, "make serve"),),
        ),
        Contender(
            "node",
            "Node, written well",
            NODE_SERVER,
            folder=NODE,
            environment={
                "BUNDLE": "{bundle}",
                "EAGER": "1",
                "GRAPH": str(NODE / "graph" / "model.onnx"),
                "NODE_ENV": "production",
            },
            needs=NODE_NEEDS,
        ),
        Contender(
            "floor",
            "the floor: no server",
            (str(SERVE), str(PEERS / "floor.py"), "{bundle}", "{graph}", "{text}"),
            serves=False,
            needs=((SERVE, "make serve"),),
        ),
        Contender(
            "pipelines",
            "a transformers pipeline per task",
            (
                *(sys.executable, "-m", "functions_framework"),
                *("--target", "classify", "--port", "{port}"),
                *("--source", str(PEERS / "pipelines" / "main.py")),
            ),
            environment={"BUNDLE": "{bundle}"},
            own_weights=True,
            needs=(
                (
                    PEERS / "pipelines" / "models",
                    "python profiling/bench/peers/pipelines/make.py",
                ),
            ),
        ),
        Contender(
            "node-lazy",
            "Node, loading at the first request",
            NODE_SERVER,
            folder=NODE,
            environment={"BUNDLE": "{bundle}", "NODE_ENV": "production"},
            needs=NODE_NEEDS[:1],
        ),
        Contender(
            "node-naive",
            "Node, without a thought",
            (*NODE_SERVER, "--source=naive.js"),
            folder=NODE,
            environment={"BUNDLE": "{bundle}"},
            needs=NODE_NEEDS[:1],
        ),
        Contender(
            "ours-source",
            "ours, deployed from source",
            (
                *(str(SERVE.with_name("functions-framework")), "--source", "main.py"),
                *("--target", "classify", "--port", "{port}"),
            ),
            environment={"BUNDLE": "{bundle}"},
            needs=((SERVE, "make serve"),),
        ),
    ]
    return {contender.name: contender for contender in found}


DEFAULT = ("ours", "node", "floor", "pipelines")


def prepare(bundle: Path) -> None:
    """Make what contenders open: our optimized graph and Node's, by each one's own runtime."""
    _run([str(SERVE), "-m", "function.graph"], ROOT, {"BUNDLE": str(bundle)})
    graph = NODE / "graph"
    shutil.rmtree(graph, ignore_errors=True)
    graph.mkdir()
    _run(["node", "prepare.js", str(bundle / "model.onnx"), str(graph / "model.onnx")], NODE, {})


def optimized_graph(bundle: Path) -> str:
    """The file that ours opens in place of the bundle's; empty where there is none."""
    script = (
        "import sys; from model.session import MODEL, copy_folder; "
        "from model.bundle import read_bundle; print(copy_folder(read_bundle(sys.argv[1])) / MODEL)"
    )
    found = _run([str(SERVE), "-c", script, str(bundle)], ROOT, {})
    return found if Path(found).exists() else ""


def _make_run() -> str:
    """The line that `make run` hands to the shell."""
    variables = ["PORT={port}", "BUNDLE={bundle}"]
    return _run(["make", "--no-print-directory", "--dry-run", "run", *variables], ROOT, {})


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
