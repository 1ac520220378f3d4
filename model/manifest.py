"""What must stand in bundle.json? Each rule is declared with the sentence that names it."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

FORMAT = 1
MANIFEST = "bundle.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
CARD = "README.md"
HASHED = (MODEL, TOKENIZER, CARD)
KINDS = ("single", "multi")
LONG_TEXTS = HEAD, TAIL, HEAD_TAIL = ("head", "tail", "head_tail")
"""What is read of a text that is too long: its beginning, its end, or half of both."""


def manifest_problems(manifest: Any) -> list[str]:
    """What is wrong inside bundle.json, each entry a sentence that names the key."""
    version = manifest.get("format") if isinstance(manifest, dict) else None
    if version != FORMAT:
        return [f"{MANIFEST}: format is {version!r}, this version reads format {FORMAT}"]
    rules = [
        ("name", isinstance(manifest.get("name"), str) and manifest["name"], "a non-empty string"),
        ("base", isinstance(manifest.get("base"), str), "a string"),
        ("max_tokens", _is_integer(manifest.get("max_tokens"), 3), "an integer of 3 or more"),
        (
            "long_texts",
            manifest.get("long_texts", HEAD) in LONG_TEXTS,
            f"one of {', '.join(LONG_TEXTS)}",
        ),
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
