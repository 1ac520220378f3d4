"""Who takes part in the cold-start benchmark, and how is each started?

All answer POST / with the same bundle and the same text, but for `pipelines`, which has weights
of its own. What one may use, the others may: the optimized copy of the graph, one thread that
runs it, loading while the server starts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from profiling.bench import node_peers
from profiling.bench.node_peers import BARE, NODE, NODE_24, NODE_26, ON_FRAMEWORK
from profiling.bench.result import output_of
from profiling.server import FROM_IMAGE, ROOT

PEERS = NODE.parent
SERVE = ROOT / ".venv" / "bin" / "python"
PIPELINES = PEERS / "pipelines" / "models"
NETWORKS = PEERS / "lineage" / "models"
NETWORKS_PROGRAM = "training.studies.lineage_networks"
"""Makes the networks of `stages`, and runs them on torch."""
LAST_NETWORK = NETWORKS / "student" / "int8.onnx"
INSTALL_NODE_PEERS = f"npm ci --ignore-scripts --prefix {NODE}"
NEEDS = {
    SERVE: "make serve",
    node_peers.NODE_MODULES: INSTALL_NODE_PEERS,
    NODE_24: INSTALL_NODE_PEERS,
    NODE_26: INSTALL_NODE_PEERS,
    BARE: "python -m profiling coldstart --prepare",
    PIPELINES: "python profiling/bench/peers/pipelines/make_pipelines.py",
    LAST_NETWORK: f"python -m {NETWORKS_PROGRAM} make model/ingredients {NETWORKS}",
}
"""What benchmarks open, and the command that makes it."""


@dataclass(frozen=True)
class Contender:
    """One way to serve. `{port}`, `{bundle}`, `{text}` and `{graph}` are filled in at the start."""

    title: str
    command: tuple[str, ...]
    folder: Path = ROOT
    environment: dict[str, str] = field(default_factory=lambda: {"BUNDLE": "{bundle}"})
    serves: bool = True
    """False: prints its one answer and stays until its input closes."""
    own_weights: bool = False
    """Its answers are checked for their shape only."""
    needs: tuple[Path, ...] = (SERVE,)
    """Keys of NEEDS."""


def _bare(title: str, node: Path) -> Contender:
    """The bare peer on a version of Node."""
    return Contender(
        title,
        (str(node), str(BARE)),
        folder=NODE,
        environment=node_peers.environment("{bundle}", "{port}"),
        needs=(node, BARE),
    )


FRAMEWORK = ("--target", "classify", "--port", "{port}", "--source")
CONTENDERS = {
    "ours": Contender(
        "ours, as deployed",
        (str(SERVE), *FROM_IMAGE),
        environment={"BUNDLE": "{bundle}", "PORT": "{port}"},
    ),
    "node": Contender(
        "Node on functions-framework",
        ON_FRAMEWORK,
        folder=NODE,
        environment=node_peers.environment("{bundle}", "{port}"),
        needs=(NODE_24, BARE),
    ),
    "node-bare": _bare("Node at its best", NODE_24),
    "floor": Contender(
        "the floor: no server",
        (str(SERVE), str(PEERS / "floor.py"), "{bundle}", "{graph}", "{text}"),
        serves=False,
    ),
    "pipelines": Contender(
        "a transformers pipeline per task",
        (
            *(sys.executable, "-m", "functions_framework", *FRAMEWORK),
            str(PIPELINES.with_name("serve.py")),
        ),
        own_weights=True,
        needs=(PIPELINES,),
    ),
    "node-lazy": Contender(
        "Node, loading at the first request",
        ON_FRAMEWORK,
        folder=NODE,
        environment={"BUNDLE": "{bundle}", "NODE_ENV": "production"},
        needs=(NODE_24,),
    ),
    "node-naive": Contender(
        "Node, without a thought",
        (*ON_FRAMEWORK, "--source=naive.js"),
        folder=NODE,
        needs=(NODE_24,),
    ),
    "node26-bare": _bare("Node 26 at its best", NODE_26),
    "ours-source": Contender(
        "ours, deployed from source",
        (str(SERVE.with_name("functions-framework")), *FRAMEWORK, "main.py"),
    ),
}  # fmt: skip
"""By name, in the order in which they take turns."""
DEFAULT = ["ours", "node", "node-bare", "floor"]


def missing(needs: Iterable[Path]) -> list[str]:
    """What must be made first, each with the command that makes it."""
    paths = dict.fromkeys(needs)
    return [f"{path} is not there; run: {NEEDS[path]}" for path in paths if not path.exists()]


def prepare(bundle: Path) -> None:
    """Make what contenders open: our optimized graph and what the peers on Node open."""
    with_bundle = ("env", f"BUNDLE={bundle}", str(SERVE), "-m")
    output_of(*with_bundle, "function.graph", "--seal")
    output_of(*with_bundle, "function.bytecode")  # unsealed: who edits a module runs it
    node_peers.prepare(bundle)


def optimized_graph(bundle: Path) -> str:
    """The file that ours opens in place of the bundle's; empty where there is none."""
    script = (
        "import sys; from model.session import COPY, copy_folder; "
        "from model.bundle import read_bundle; print(copy_folder(read_bundle(sys.argv[1])) / COPY)"
    )
    graph = output_of(str(SERVE), "-c", script, str(bundle))
    return graph if Path(graph).exists() else ""
