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
from functools import cache
from pathlib import Path

from profiling.bench.result import ROOT

PEERS = ROOT / "profiling" / "bench" / "peers"
NODE = PEERS / "node"
NODE_GRAPH = NODE / "graph" / "model.onnx"
SERVE = ROOT / ".venv" / "bin" / "python"
PIPELINES = PEERS / "pipelines" / "models"
NETWORKS = PEERS / "lineage" / "models"
NETWORKS_PROGRAM = "training.studies.lineage_networks"
"""Makes the networks of `stages`, and runs them on torch."""
LAST_NETWORK = NETWORKS / "student" / "int8.onnx"
NEEDS = {
    SERVE: "make serve",
    NODE / "node_modules": f"npm ci --ignore-scripts --prefix {NODE}",
    NODE_GRAPH: "python -m profiling coldstart --prepare",
    PIPELINES: "python profiling/bench/peers/pipelines/make_pipelines.py",
    LAST_NETWORK: f"python -m {NETWORKS_PROGRAM} make model/ingredients {NETWORKS}",
}
"""What benchmarks open, and the command that makes it."""


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
    needs: tuple[Path, ...] = (SERVE,)
    """Keys of NEEDS."""


@cache
def contenders() -> dict[str, Contender]:
    """By name, in the order in which they take turns."""
    environment = {"BUNDLE": "{bundle}"}
    framework = ("--target", "classify", "--port", "{port}", "--source")
    node = ("node_modules/.bin/functions-framework", "--target=classify", "--port={port}")
    modules = NODE / "node_modules"
    members = [
        Contender("ours", "ours, as deployed", ("sh", "-c", _make_run())),
        Contender(
            "node",
            "Node, written well",
            node,
            folder=NODE,
            environment={
                **environment, "EAGER": "1", "GRAPH": str(NODE_GRAPH), "NODE_ENV": "production",
            },
            needs=(modules, NODE_GRAPH),
        ),
        Contender(
            "floor",
            "the floor: no server",
            (str(SERVE), str(PEERS / "floor.py"), "{bundle}", "{graph}", "{text}"),
            serves=False,
        ),
        Contender(
            "pipelines",
            "a transformers pipeline per task",
            (
                *(sys.executable, "-m", "functions_framework"),
                *(*framework, str(PEERS / "pipelines" / "serve.py")),
            ),
            environment=environment,
            own_weights=True,
            needs=(PIPELINES,),
        ),
        Contender(
            "node-lazy",
            "Node, loading at the first request",
            node,
            folder=NODE,
            environment={**environment, "NODE_ENV": "production"},
            needs=(modules,),
        ),
        Contender(
            "node-naive",
            "Node, without a thought",
            (*node, "--source=naive.js"),
            folder=NODE,
            environment=environment,
            needs=(modules,),
        ),
        Contender(
            "ours-source",
            "ours, deployed from source",
            (str(SERVE.with_name("functions-framework")), *framework, "main.py"),
            environment=environment,
        ),
    ]  # fmt: skip
    return {member.name: member for member in members}


DEFAULT = ("ours", "node", "floor", "pipelines")


def missing(*needs: tuple[Path, ...]) -> list[str]:
    """What must be made first, each with the command that makes it."""
    paths = dict.fromkeys(path for paths in needs for path in paths)
    return [f"{path} is not there; run: {NEEDS[path]}" for path in paths if not path.exists()]


def prepare(bundle: Path) -> None:
    """Make what contenders open: our optimized graph and Node's, by each one's own runtime."""
    _run([str(SERVE), "-m", "function.graph"], ROOT, {"BUNDLE": str(bundle)})
    shutil.rmtree(NODE_GRAPH.parent, ignore_errors=True)
    NODE_GRAPH.parent.mkdir()
    _run(["node", "prepare.js", str(bundle / "model.onnx"), str(NODE_GRAPH)], NODE)


def optimized_graph(bundle: Path) -> str:
    """The file that ours opens in place of the bundle's; empty where there is none."""
    script = (
        "import sys; from model.session import MODEL, copy_folder; "
        "from model.bundle import read_bundle; print(copy_folder(read_bundle(sys.argv[1])) / MODEL)"
    )
    graph = _run([str(SERVE), "-c", script, str(bundle)], ROOT)
    return graph if Path(graph).exists() else ""


def _make_run() -> str:
    """The line that `make run` hands to the shell."""
    variables = ["PORT={port}", "BUNDLE={bundle}"]
    return _run(["make", "--no-print-directory", "--dry-run", "run", *variables], ROOT)


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
