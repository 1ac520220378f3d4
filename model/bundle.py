"""A bundle: the four files that training hands to serving, declared once and checked on both sides.

    model.onnx      the graph: int64 input_ids and attention_mask in, float logits out
    tokenizer.json  a plain `tokenizers` file: no added tokens, no truncation, no padding
    bundle.json     this module's manifest: tasks, hashes of the other files, metrics
    README.md       the model card

Standard library only: the function imports this module on the way to its first answer.
"""

from __future__ import annotations

import json
from pathlib import Path

from model.heads import Heads
from model.manifest import (
    CARD,
    FORMAT,
    HASHED,
    HEAD,
    KINDS,
    MANIFEST,
    MODEL,
    TOKENIZER,
    manifest_problems,
)
from model.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "CARD", "FORMAT", "HASHED", "KINDS", "MANIFEST", "MODEL", "TOKENIZER", "Bundle", "BundleError",
    "Task", "file_problems", "fingerprint", "read_bundle", "read_manifest",
]  # fmt: skip


class BundleError(ValueError):
    """The directory is not a usable bundle; the message names every file that is wrong.

    `problem` is the message without paths of this machine: a client may read it.
    """

    def __init__(self, path: Path | str, *problems: str, detail: str = "") -> None:
        """`path` may be an address; `detail` is the message of a library, which may hold paths."""
        self.problem = "; ".join(problems)
        super().__init__(f"{path}: {self.problem}" + (f": {detail}" if detail else ""))


class Task(Values):
    """One task. `labels` stand in the order of the task's columns in the logits."""

    def __init__(
        self,
        name: str,
        kind: str,
        labels: tuple[str, ...],
        control_id: int,
        temperature: float = 1.0,
        thresholds: tuple[float, ...] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        """`single`: exactly one label, softmax. `multi`: any number of labels, sigmoid."""
        self.labels = labels
        self.control_id = control_id
        """The input id that selects this task; past every id the tokenizer can produce."""
        self.temperature = temperature
        """Logits are divided by it before softmax or sigmoid."""
        self.thresholds = thresholds
        """`multi` only: a label is an answer when its probability is at least its threshold."""


class Bundle(Values):
    """A verified bundle on disk."""

    def __init__(
        self,
        path: Path,
        name: str,
        base: str,
        max_tokens: int,
        tasks: tuple[Task, ...],
        metrics: dict[str, Any],
        digest: str,
        model_sha256: str,
        tokenizer_sha256: str,
        long_texts: str = HEAD,
    ) -> None:
        self.path = path
        self.name = name
        self.base = base
        self.max_tokens = max_tokens
        """Longest `[CLS] text [SEP]`, in tokens; control ids come on top."""
        self.tasks = tasks
        self.metrics = metrics
        self.digest = digest
        """First 12 hex digits of bundle.json's sha256, which covers every file by its hash."""
        self.model_sha256 = model_sha256
        self.tokenizer_sha256 = tokenizer_sha256
        self.long_texts = long_texts
        """What is read of a text of more than `max_tokens`: one of LONG_TEXTS."""

    @property
    def identity(self) -> str:
        return f"{self.name}@{self.digest}"

    @property
    def heads(self) -> Heads:
        """Which columns of the logits belong to which task."""
        return Heads(self.tasks)

    @property
    def own_metrics(self) -> dict[str, Any]:
        """The metrics of the graph that the bundle holds (`shipped` names them); empty if none."""
        metrics: dict[str, Any] = self.metrics.get(self.metrics.get("shipped", "int8"), {})
        return metrics


def read_bundle(path: str | Path) -> Bundle:
    """Read and verify the bundle at `path`.

    Raises BundleError naming each file that is missing, altered or malformed.
    """
    path = Path(path)
    if not path.is_dir():
        files = f"{MANIFEST}, {', '.join(HASHED)}"
        raise BundleError(path, f"no such directory; give a bundle directory ({files})")
    bundle, fingerprints = read_manifest(path)
    problems = file_problems(path, MANIFEST, {name: fingerprints[name] for name in HASHED})
    if problems:
        raise BundleError(path, *problems)
    return bundle


def read_manifest(path: Path, digest: str = "") -> tuple[Bundle, dict[str, Any]]:
    """The bundle that bundle.json describes, and the fingerprints of its files, not verified yet.

    `digest` is that of bundle.json where it is known. Raises BundleError.
    """
    try:
        raw = (path / MANIFEST).read_bytes()
        manifest = json.loads(raw)
    except FileNotFoundError:
        raise BundleError(path, f"{MANIFEST}: missing; is this a bundle directory?") from None
    except OSError as error:
        raise BundleError(path, f"{MANIFEST}: {error.strerror or error}") from None
    except ValueError as error:
        raise BundleError(path, f"{MANIFEST}: not JSON ({error}); restore the file") from None
    problems = manifest_problems(manifest)
    if problems:
        raise BundleError(path, *problems)
    files: dict[str, Any] = manifest["files"]
    bundle = Bundle(
        path=path,
        name=manifest["name"],
        base=manifest["base"],
        max_tokens=manifest["max_tokens"],
        tasks=tuple(_task(entry) for entry in manifest["tasks"]),
        metrics=manifest["metrics"],
        digest=digest or fingerprint(path / MANIFEST)["sha256"][:12],
        model_sha256=files[MODEL]["sha256"],
        tokenizer_sha256=files[TOKENIZER]["sha256"],
        long_texts=manifest.get("long_texts", HEAD),
    )
    return bundle, files


def _task(entry: dict[str, Any]) -> Task:
    thresholds = entry["thresholds"]
    return Task(
        name=entry["name"],
        kind=entry["kind"],
        labels=tuple(entry["labels"]),
        control_id=entry["control_id"],
        temperature=float(entry["temperature"]),
        thresholds=None if thresholds is None else tuple(map(float, thresholds)),
    )


def fingerprint(file: Path) -> dict[str, Any]:
    """`sha256` and `bytes` of a file; raises OSError."""
    import hashlib  # loads OpenSSL: only where files are verified

    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        return {"sha256": sha256, "bytes": opened.tell()}


def file_problems(folder: Path, manifest: str, entries: dict[str, Any]) -> list[str]:
    """What is wrong with the files of a folder; `entries` of its `manifest` have fingerprints."""
    problems = []
    for name, expected in entries.items():
        try:
            actual = fingerprint(folder / name)
        except OSError as error:
            problems.append(f"{name}: {error.strerror or error}")
            continue
        if actual["bytes"] != expected["bytes"]:
            problems.append(f"{name}: {actual['bytes']} bytes, {manifest} says {expected['bytes']}")
        elif actual["sha256"] != expected["sha256"]:
            problems.append(
                f"{name}: its sha256 is not the one in {manifest}; the file was altered"
            )
    return problems
