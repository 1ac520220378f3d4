"""Which Node runs the peers, and what is made for them before a start?"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from profiling import process_tree
from profiling.bench.asking import Caller
from profiling.bench.result import output_of
from profiling.server import ROOT, ServerError, connect, free_port

NODE = ROOT / "profiling" / "bench" / "peers" / "node"
NODE_MODULES = NODE / "node_modules"
NODE_24 = NODE_MODULES / "node-24" / "bin" / "node"
NODE_26 = NODE_MODULES / "node-26" / "bin" / "node"
GRAPH = NODE / "prepared" / "model.onnx"
TOKENIZER = NODE / "prepared" / "tokenizer.json"
BARE = NODE / "prepared" / "bare.js"
CODE_CACHE = NODE / "prepared" / "code-cache"
"""V8's compiled code; each version of Node has a folder in it."""
END_S = 20


def prepare(bundle: Path) -> None:
    """Make what the peers open: the graph and tokenizer, one file of code, and that compiled."""
    shutil.rmtree(BARE.parent, ignore_errors=True)
    BARE.parent.mkdir()
    output_of(str(NODE_24), str(NODE / "prepare.js"), str(bundle), str(BARE.parent))
    esbuild = str(NODE_MODULES / "esbuild" / "bin" / "esbuild")
    bundled = ("--bundle", "--platform=node", "--target=node24", f"--outfile={BARE}")
    output_of(str(NODE_24), esbuild, str(NODE / "bare.js"), *bundled)
    for node in (NODE_24, NODE_26):
        if node.exists():
            _compile(node, bundle)


def environment(bundle: str, port: int | str) -> dict[str, str]:
    """What the bare peer is started with."""
    return {
        "BUNDLE": bundle,
        "GRAPH": str(GRAPH),
        "TOKENIZER": str(TOKENIZER),
        "PORT": str(port),
        "NODE_COMPILE_CACHE": str(CODE_CACHE),
        "NODE_ENV": "production",
    }


def _compile(node: Path, bundle: Path) -> None:
    """Answer once and end regularly, which is when Node writes its code cache."""
    folders = set(CODE_CACHE.glob("*"))
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(node), str(BARE)],
                env={**os.environ, **environment(str(bundle.resolve()), port)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            with closing(Caller(port, log, connect(process, port, log))) as caller:
                caller.post(["raw honey"])
            process.send_signal(signal.SIGTERM)
            process.wait(END_S)
        except ServerError as error:
            raise SystemExit(f"{BARE}: {error}") from None
        finally:
            process_tree.end(process.pid)
            process.wait()
    if set(CODE_CACHE.glob("*")) == folders:
        raise SystemExit(f"{node} wrote no code cache into {CODE_CACHE}")
