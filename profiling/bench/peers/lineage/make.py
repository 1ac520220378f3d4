"""Makes the networks of the stages table, with random weights: speed does not depend on them.

    python profiling/bench/peers/lineage/make.py [BUNDLE]

models/bert       BERT-base, 12 layers of 768, one control token per task, as torch and ONNX
models/teacher    the shipped bundle's teacher: 6 layers of 384
models/student    the shipped bundle's student: 3 layers of 384, as fp32 and int8
All take texts of 64 tokens, control tokens included.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from transformers import BertConfig  # noqa: E402

from training.fit.network import ControlTokenClassifier, Shape, save_network  # noqa: E402
from training.quantize.export import export_onnx  # noqa: E402
from training.quantize.schemes import quantize_onnx  # noqa: E402
from training.recipe import Quantize  # noqa: E402

MODELS = Path(__file__).resolve().parent / "models"
TOKENS = 64
BERT_PIECES = 30522


def network(layers: int, width: int, pieces: int, heads: tuple[int, ...]) -> ControlTokenClassifier:
    """An encoder of BERT's proportions with a head per control token."""
    config = BertConfig(
        num_hidden_layers=layers,
        hidden_size=width,
        intermediate_size=4 * width,
        num_attention_heads=12,
        vocab_size=pieces + len(heads),
        max_position_embeddings=TOKENS + 1,
    )
    return ControlTokenClassifier(Shape(config.to_dict(), pieces, TOKENS, heads)).eval()


def main(bundle: Path) -> None:
    """Write all of models/."""
    tasks = json.loads((bundle / "bundle.json").read_text())["tasks"]
    heads = tuple(len(task["labels"]) for task in tasks)
    pieces = min(task["control_id"] for task in tasks)
    torch.manual_seed(0)
    for name, layers, width, vocabulary in (
        ("bert", 12, 768, BERT_PIECES),
        ("teacher", 6, 384, pieces),
        ("student", 3, 384, pieces),
    ):
        folder = MODELS / name
        made = network(layers, width, vocabulary, heads)
        save_network(made, folder)
        export_onnx(made, folder / "fp32.onnx")
        print(folder)
    quantize_onnx(MODELS / "student" / "fp32.onnx", MODELS / "student" / "int8.onnx", Quantize())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "model" / "ingredients")
