"""A bundle: the four files that training hands to serving, declared once and checked on both sides.

    model.onnx      the graph: int64 input_ids and attention_mask in, float logits out
    tokenizer.json  a plain `tokenizers` file: no added tokens, no truncation, no padding
    bundle.json     this module's manifest: tasks, hashes of the other files, metrics
    README.md       the model card

Standard library only: the function imports this module on the way to its first answer.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeGuard

from model.aside import directory_aside, write_json
from model.heads import Heads

FORMAT = 1
MANIFEST = "bundle.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
CARD = "README.md"
HASHED = (MODEL, TOKENIZER, CARD)
KINDS = ("single", "multi")


class BundleError(ValueError):
    """The directory is not a usable bundle; the message names every file that is wrong.

    `problem` is the message without paths of this machine: a client may read it.
    """

    def __init__(self, path: Path, *problems: str, detail: str = "") -> None:
        """`detail` is the message of a library, which may hold paths."""
        self.problem = "; ".join(problems)
        super().__init__(f"{path}: {self.problem}" + (f": {detail}" if detail else ""))


@dataclass(frozen=True)
class Task:
    """One task. `labels` stand in the order of the task's columns in the logits."""

    name: str
    kind: str
    """`single`: exactly one label, softmax. `multi`: any number of labels, sigmoid."""
    labels: tuple[str, ...]
    control_id: int
    """The input id that selects this task; past every id the tokenizer can produce."""
    temperature: float = 1.0
    """Logits are divided by it before softmax or sigmoid."""
    thresholds: tuple[float, ...] | None = None
    """`multi` only: a label is an answer when its probability is at least its threshold."""


@dataclass(frozen=True)
class Bundle:
    """A verified bundle on disk."""

    path: Path
    name: str
    base: str
    max_tokens: int
    """Longest `[CLS] text [SEP]`, in tokens; control ids come on top."""
    tasks: tuple[Task, ...]
    metrics: dict[str, Any]
    digest: str
    """First 12 hex digits of bundle.json's sha256; it covers every file through their hashes."""
    model_sha256: str

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
    try:
        raw = (path / MANIFEST).read_bytes()
        manifest = json.loads(raw)
    except FileNotFoundError:
        raise BundleError(path, f"{MANIFEST}: missing; is this a bundle directory?") from None
    except OSError as error:
        raise BundleError(path, f"{MANIFEST}: {error.strerror or error}") from None
    except ValueError as error:
        raise BundleError(path, f"{MANIFEST}: not JSON ({error}); restore the file") from None
    problems = _manifest_problems(manifest) or _file_problems(path, manifest["files"])
    if problems:
        raise BundleError(path, *problems)
    return Bundle(
        path=path,
        name=manifest["name"],
        base=manifest["base"],
        max_tokens=manifest["max_tokens"],
        tasks=tuple(_task(entry) for entry in manifest["tasks"]),
        metrics=manifest["metrics"],
        digest=hashlib.sha256(raw).hexdigest()[:12],
        model_sha256=manifest["files"][MODEL]["sha256"],
    )


def write_bundle(
    target: str | Path,
    *,
    name: str,
    base: str,
    max_tokens: int,
    tasks: tuple[Task, ...],
    model: Path,
    tokenizer: Path,
    card: str,
    metrics: dict[str, Any],
) -> Bundle:
    """Write a bundle aside, verify it, and move it to `target` whole, replacing an older one."""
    target = Path(target)
    refuse_other_files(target)
    with directory_aside(target) as aside:
        shutil.copyfile(model, aside / MODEL)
        shutil.copyfile(tokenizer, aside / TOKENIZER)
        (aside / CARD).write_text(card, encoding="utf-8")
        manifest = {
            "format": FORMAT,
            "name": name,
            "base": base,
            "max_tokens": max_tokens,
            "tasks": [asdict(task) for task in tasks],
            "files": {file: _fingerprint(aside / file) for file in HASHED},
            "metrics": metrics,
        }
        write_json(aside / MANIFEST, manifest)
        read_bundle(aside)
    return read_bundle(target)


def copied_bundle(source: Bundle, target: Path, **changes: Any) -> Bundle:
    """Write `source` to `target` with `changes`, arguments of `write_bundle`."""
    parts: dict[str, Any] = {
        "name": source.name,
        "base": source.base,
        "max_tokens": source.max_tokens,
        "tasks": source.tasks,
        "model": source.path / MODEL,
        "tokenizer": source.path / TOKENIZER,
        "card": (source.path / CARD).read_text(encoding="utf-8"),
        "metrics": source.metrics,
    }
    return write_bundle(target, **{**parts, **changes})


def refuse_other_files(target: Path) -> None:
    """Raise BundleError when replacing `target` would take more than an older bundle with it."""
    if not target.exists():
        return
    if not target.is_dir():
        raise BundleError(target, "is a file; give a directory to write the bundle to")
    names = {path.name for path in target.iterdir()}
    others = sorted(names - {MANIFEST, *HASHED} if MANIFEST in names else names)
    if others:
        names_shown = ", ".join(others[:3])
        raise BundleError(target, f"holds {names_shown} besides a bundle; give a new directory")


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


def _fingerprint(file: Path) -> dict[str, Any]:
    data = file.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _file_problems(path: Path, manifest_entries: dict[str, Any]) -> list[str]:
    problems = []
    for name in HASHED:
        expected = manifest_entries[name]
        try:
            actual = _fingerprint(path / name)
        except OSError as error:
            problems.append(f"{name}: {error.strerror or error}")
            continue
        if actual["bytes"] != expected["bytes"]:
            problems.append(f"{name}: {actual['bytes']} bytes, {MANIFEST} says {expected['bytes']}")
        elif actual["sha256"] != expected["sha256"]:
            problems.append(
                f"{name}: its sha256 is not the one in {MANIFEST}; the file was altered"
            )
    return problems


def _manifest_problems(manifest: Any) -> list[str]:
    """What is wrong inside bundle.json, each entry a sentence that names the key."""
    version = manifest.get("format") if isinstance(manifest, dict) else None
    if version != FORMAT:
        return [f"{MANIFEST}: format is {version!r}, this version reads format {FORMAT}"]
    rules = [
        ("name", isinstance(manifest.get("name"), str) and manifest["name"], "a non-empty string"),
        ("base", isinstance(manifest.get("base"), str), "a string"),
        ("max_tokens", _is_integer(manifest.get("max_tokens"), 3), "an integer of 3 or more"),
        ("metrics", isinstance(manifest.get("metrics"), dict), "an object"),
        ("files", _files_valid(manifest.get("files")), f"sha256 and bytes of {', '.join(HASHED)}"),
        ("tasks", isinstance(manifest.get("tasks"), list) and manifest["tasks"], "a list of tasks"),
    ]
    problems = [
        f"{MANIFEST}: {key} must be {expected}" for key, valid, expected in rules if not valid
    ]
    if problems:
        return problems
    for index, entry in enumerate(manifest["tasks"]):
        problems += [f"{MANIFEST}: tasks[{index}]: {problem}" for problem in _task_problems(entry)]
    if not problems:
        names = [entry["name"] for entry in manifest["tasks"]]
        ids = sorted(entry["control_id"] for entry in manifest["tasks"])
        if len(set(names)) != len(names):
            problems.append(f"{MANIFEST}: tasks: two tasks share a name")
        if ids != list(range(ids[0], ids[0] + len(ids))):
            problems.append(f"{MANIFEST}: tasks: control_id values must be one contiguous range")
    return problems


def _task_problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["must be an object"]
    labels, thresholds = entry.get("labels"), entry.get("thresholds")
    labels_valid = (
        isinstance(labels, list)
        and bool(labels)
        and all(isinstance(label, str) and label for label in labels)
        and len(set(labels)) == len(labels)
    )
    thresholds_valid = (
        thresholds is None
        if entry.get("kind") == "single"
        else isinstance(thresholds, list)
        and len(thresholds) == (len(labels) if isinstance(labels, list) else -1)
        and all(_is_number(value) and 0 <= value <= 1 for value in thresholds)
    )
    temperature = entry.get("temperature")
    rules = [
        (isinstance(entry.get("name"), str) and entry["name"], "name must be a non-empty string"),
        (entry.get("kind") in KINDS, f"kind must be one of {', '.join(KINDS)}"),
        (labels_valid, "labels must be different non-empty strings"),
        (_is_integer(entry.get("control_id"), 1), "control_id must be a positive integer"),
        (_is_number(temperature) and temperature > 0, "temperature must be a positive number"),
        (thresholds_valid, "thresholds must be null (single) or one in 0..1 per label (multi)"),
    ]
    return [problem for valid, problem in rules if not valid]


def _files_valid(files: Any) -> bool:
    return isinstance(files, dict) and all(
        isinstance(files.get(name), dict)
        and isinstance(files[name].get("sha256"), str)
        and _is_integer(files[name].get("bytes"), 0)
        for name in HASHED
    )


def _is_integer(value: Any, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
