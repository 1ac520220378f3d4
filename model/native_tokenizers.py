"""The compiled part of `tokenizers` alone: the package around it costs every start 49 modules."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from tokenizers import Tokenizer

PACKAGE, MODULE = "tokenizers", "tokenizers.tokenizers"
FILE = "tokenizers.abi3.so"

# It starts a thread pool for lists otherwise, which a fork would lose.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def tokenizer_class() -> type[Tokenizer]:
    """`tokenizers.Tokenizer`, by way of the package where it is imported, or lies otherwise."""
    module = sys.modules.get(PACKAGE) or sys.modules.get(MODULE) or _compiled_part()
    if module is None:
        import tokenizers

        module = tokenizers
    tokenizer: type[Tokenizer] = module.Tokenizer
    return tokenizer


def _compiled_part() -> ModuleType | None:
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
