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
ON_FRAMEWORK = (
    *(str(NODE_24), "node_modules/.bin/functions-framework"),
    *("--target=classify", "--port={port}"),
)
"""The command of the peer on functions-framework, in the folder NODE; `{port}` is filled in."""
END_S = 20


def prepare(bundle: Path) -> None:
    """Make what the peers open: the graph and tokenizer, one file of code, and that compiled."""
    shutil.rmtree(BARE.parent, ignore_errors=True)
    BARE.parent.mkdir()
    output_of(str(NODE_24), str(NODE / "prepare.js"), str(bundle), str(BARE.parent))
    esbuild = str(NODE_MODULES / "esbuild" / "bin" / "esbuild")
    bundled = ("--bundle", "--platform=node", "--target=node24", f"--outfile={BARE}")
    output_of(str(NODE_24), esbuild, str(NODE / "bare.js"), *bundled)
    _cache_code(ON_FRAMEWORK, bundle)
    for node in (NODE_24, NODE_26):
        if node.exists():
            _cache_code((str(node), str(BARE)), bundle)


def environment(bundle: str, port: int | str) -> dict[str, str]:
    """What either peer is started with."""
    return {
        "BUNDLE": bundle,
        "EAGER": "1",
        "GRAPH": str(GRAPH),
        "TOKENIZER": str(TOKENIZER),
        "PORT": str(port),
        "NODE_COMPILE_CACHE": str(CODE_CACHE),
        "NODE_ENV": "production",
    }


def _cache_code(command: tuple[str, ...], bundle: Path) -> None:
    """Answer once and end regularly, which is when Node writes its code cache."""
    files = set(CODE_CACHE.rglob("*"))
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [part.format(port=port) for part in command],
                cwd=NODE,
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
            raise SystemExit(f"{' '.join(command)}: {error}") from None
        finally:
            process_tree.end(process.pid)
            process.wait()
    if set(CODE_CACHE.rglob("*")) == files:
        raise SystemExit(f"{' '.join(command)} wrote no code cache into {CODE_CACHE}")
