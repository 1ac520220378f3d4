"""Open a tokenizer soon: the compiled part of `tokenizers` alone, and a prepared vocabulary.

The package around the compiled part costs every start 49 modules. Most of the time of reading
tokenizer.json goes into its vocabulary; where the model is a WordPiece, as lines of text it takes
half. Preparing compares the result with the original, so other tokenizers are simply not prepared.
"""

from __future__ import annotations

import json
import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers import Tokenizer

PACKAGE, MODULE = "tokenizers", "tokenizers.tokenizers"
FILE = "tokenizers.abi3.so"
RULES, VOCABULARY = "rules.json", "vocabulary.txt"
"""tokenizer.json without its vocabulary, and that: a token a line, in the order of their ids."""

# It starts a thread pool for lists otherwise, which a fork would lose.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def compiled_tokenizers() -> Any:
    """The module with `Tokenizer` and `models`: the package where it is imported already."""
    module = sys.modules.get(PACKAGE) or sys.modules.get(MODULE) or _compiled_part()
    if module is None:
        import tokenizers

        module = tokenizers
    return module


def _compiled_part() -> Any:
    """The module, known by its own name so that the package finds it later; None: no such file."""
    for folder in sys.path:
        file = os.path.join(folder, PACKAGE, FILE)  # noqa: PTH118 (Path costs a start)
        if os.path.exists(file):  # noqa: PTH110
            loader = ExtensionFileLoader(MODULE, file)
            module = loader.create_module(ModuleSpec(MODULE, loader, origin=file))
            loader.exec_module(module)
            sys.modules[MODULE] = module
            return module
    return None


def prepare(tokenizer_json: Path, folder: Path) -> list[str]:
    """Write the prepared files to `folder`, and name them; none where that does not pay."""
    document = json.loads(tokenizer_json.read_text(encoding="utf-8"))
    model = document["model"]
    if model.get("type") != "WordPiece":
        return []
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    model["vocab"] = {model["unk_token"]: 0}
    (folder / VOCABULARY).write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    (folder / RULES).write_text(json.dumps(document), encoding="utf-8")
    original = compiled_tokenizers().Tokenizer.from_file(str(tokenizer_json))
    prepared = open_prepared(folder)
    if prepared is None or prepared.to_str() != original.to_str():
        for name in (RULES, VOCABULARY):
            (folder / name).unlink()
        return []
    return [RULES, VOCABULARY]


def open_prepared(folder: Path) -> Tokenizer | None:
    """The tokenizer of the prepared files in `folder`; None where there are none."""
    rules_file = folder / RULES
    if not rules_file.exists():
        return None
    rules = rules_file.read_text(encoding="utf-8")
    model = json.loads(rules)["model"]
    arguments = {key: model[key] for key in model if key not in ("type", "vocab")}
    module = compiled_tokenizers()
    tokenizer: Tokenizer = module.Tokenizer.from_str(rules)
    tokenizer.model = module.models.WordPiece.from_file(str(folder / VOCABULARY), **arguments)
    return tokenizer
