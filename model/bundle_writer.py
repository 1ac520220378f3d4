"""Write a bundle: aside, verified, then moved into place whole."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from model.aside import directory_aside, write_json
from model.bundle import (
    CARD,
    FORMAT,
    HASHED,
    MANIFEST,
    MODEL,
    TOKENIZER,
    Bundle,
    BundleError,
    Task,
    fingerprint,
    read_bundle,
)
from model.manifest import HEAD


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
    long_texts: str = HEAD,
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
            "long_texts": long_texts,
            "tasks": [vars(task) for task in tasks],
            "files": {file: fingerprint(aside / file) for file in HASHED},
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
        "long_texts": source.long_texts,
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
