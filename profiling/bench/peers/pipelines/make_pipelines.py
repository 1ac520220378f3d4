"""Make what the pipelines open: one BERT-base per task of a bundle, with random weights.

    python profiling/bench/peers/pipelines/make_pipelines.py [BUNDLE]

Speed and memory do not depend on what the weights say.
"""

import json
import sys
from pathlib import Path

from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
BUNDLE = HERE.parents[3] / "model" / "ingredients"


def main(bundle: Path) -> None:
    """Write models/TASK for each task."""
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(bundle / "tokenizer.json"),
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    for task in json.loads((bundle / "bundle.json").read_text())["tasks"]:
        labels = dict(enumerate(task["labels"]))
        config = BertConfig(id2label=labels)
        target = HERE / "models" / task["name"]
        BertForSequenceClassification(config).save_pretrained(target)
        tokenizer.save_pretrained(target)
        print(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLE)
