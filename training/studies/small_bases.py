"""Does a run go through with a base of another family? Small bases, made here of local text.

    python -m training.studies.small_bases modernbert --outliers --out gated
    python -m training run gated/recipe.toml --out gated/bundle --no-report

The first line writes a base directory as the hub has them, a table and a recipe, and prints the
second line. The base is a tokenizer trained on the shipped table and the docs, and an untrained
network of two layers. It knows nothing, so its bundle is no better than its rows.

`--outliers` makes a ModernBERT whose layers write mostly what is gated, two of the gated products
large and the weights that read those small, which changes nothing in fp32; large trained networks
have such channels. The recipe then asks for `scheme = "dynamic"`, under which they take the whole
scale of int8, and all else is rounded to nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModel, BertConfig, ModernBertConfig, RobertaConfig, XLMRobertaConfig

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "training" / "ingredients" / "ingredients.jsonl.gz"
ROWS = {"train": 3000, "validation": 400, "test": 400}
FOREIGN = (
    "Hühnerbrust, Käse und Äpfel", "Блины, мёд и сметана", "куриная грудка без кости",
    "新鲜的鸡胸肉", "牛奶和蜂蜜", "صدر دجاج وعسل", "queso añejo y jamón",
)  # fmt: skip
"""Beside the table's and the docs' English, so that other letters are pieces as well."""
PIECES, WIDTH, LAYERS, HEADS = 3000, 64, 2, 4
OUTLIER, CHANNELS = 3000.0, (3, 77)
LAYER_SCALE, GATED_SCALE = 5.0, 20000.0
"""Of initial weights: untrained layers of a narrow network do next to nothing."""
CONTROL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MARKUP = ("<s>", "<pad>", "</s>", "<unk>")
RECIPE = """\
name = "{name}"
base = "base"
[data]
files = ["rows.jsonl"]
[[task]]
name = "source"
kind = "single"
{other_task}
[vocabulary]
pieces = 1500
[teacher]
steps = {steps}
learning_rate = 1e-3
[student]
layers = 1
steps = {steps}
learning_rate = 1e-3
variants = 0
[quantize]
scheme = "{scheme}"
max_drop = {max_drop}
[ship]
refit = false
"""


OTHER_TASK = """\
[[task]]
name = "category"
kind = "multi"
"""


def wordpiece(texts: list[str], lowercase: bool) -> Tokenizer:
    """As BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=PIECES, special_tokens=list(CONTROL))
    tokenizer.train_from_iterator(texts, trainer)
    _frame(tokenizer, "[CLS]", "[SEP]")
    return tokenizer


def unigram(texts: list[str]) -> Tokenizer:
    """As XLM-R's; its mask is an added token past the pieces."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    parts = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    trainer = trainers.UnigramTrainer(
        vocab_size=PIECES, special_tokens=list(MARKUP), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(["<mask>"])
    _frame(tokenizer, "<s>", "</s>")
    return tokenizer


def roberta_bytes(texts: list[str]) -> Tokenizer:
    """As RoBERTa's: byte-level BPE with its special tokens among the pieces."""
    tokenizer = _bytes(texts, MARKUP)
    tokenizer.add_special_tokens(["<mask>"])
    ids: Any = {name: tokenizer.token_to_id(name) for name in MARKUP}
    first, last = (("<s>", ids["<s>"]), ("</s>", ids["</s>"]))
    tokenizer.post_processor = processors.RobertaProcessing(last, first)
    return tokenizer


def modern_bytes(texts: list[str]) -> Tokenizer:
    """As ModernBERT's: byte-level BPE with its special tokens past the pieces."""
    tokenizer = _bytes(texts, ())
    tokenizer.add_tokens(["  "])
    tokenizer.add_special_tokens(list(CONTROL))
    _frame(tokenizer, "[CLS]", "[SEP]")
    return tokenizer


def _bytes(texts: list[str], special: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _frame(tokenizer: Tokenizer, first: str, last: str) -> None:
    ids = [(name, tokenizer.token_to_id(name)) for name in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B {last}", special_tokens=ids
    )


def _bert(tokenizer: Tokenizer) -> Any:
    return BertConfig(**_sizes(tokenizer), intermediate_size=2 * WIDTH, max_position_embeddings=128)


def _roberta(kind: Callable[..., Any], tokenizer: Tokenizer) -> Any:
    sizes = {**_sizes(tokenizer), "max_position_embeddings": 130, "type_vocab_size": 1}
    return kind(**sizes, intermediate_size=2 * WIDTH, pad_token_id=1)


def _modernbert(tokenizer: Tokenizer) -> Any:
    """The first layer sees all, the second a window of eight to each side."""
    special: dict[str, Any] = {
        f"{name}_token_id": tokenizer.token_to_id(f"[{name.upper()}]")
        for name in ("pad", "cls", "sep")
    }
    ends: dict[str, Any] = {
        "bos_token_id": special["cls_token_id"],
        "eos_token_id": special["sep_token_id"],
    }
    sizes = {**_sizes(tokenizer), "intermediate_size": 2 * WIDTH, "local_attention": 16}
    return ModernBertConfig(**sizes, **special, **ends)


def _sizes(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
    }


class Family(NamedTuple):
    tokenizer: Callable[[list[str]], Tokenizer]
    config: Callable[[Tokenizer], Any]


FAMILIES: Mapping[str, Family] = {
    "bert-cased": Family(lambda texts: wordpiece(texts, lowercase=False), _bert),
    "bert-multilingual": Family(lambda texts: wordpiece([*texts, *FOREIGN * 20], False), _bert),
    "xlm-roberta": Family(
        lambda texts: unigram([*texts, *FOREIGN * 20]),
        lambda tokenizer: _roberta(XLMRobertaConfig, tokenizer),
    ),
    "multilingual-minilm": Family(lambda texts: unigram([*texts, *FOREIGN * 20]), _bert),
    "roberta": Family(roberta_bytes, lambda tokenizer: _roberta(RobertaConfig, tokenizer)),
    "modernbert": Family(modern_bytes, _modernbert),
}
"""multilingual MiniLM and E5 are BERT with the tokenizer of XLM-R."""


def write_small_base(family: str, folder: Path, outliers: bool = False) -> None:
    """Write config.json, model.safetensors and tokenizer.json of an untrained base to `folder`."""
    tokenizer = FAMILIES[family].tokenizer(list(local_texts()))
    torch.manual_seed(1)
    config = FAMILIES[family].config(tokenizer)
    network = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.dim() == 2 and "embeddings" not in name:
                value.mul_(GATED_SCALE if outliers and "mlp.Wo" in name else LAYER_SCALE)
        if outliers:
            _add_outliers(network)
    network.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def _add_outliers(network: Any) -> None:
    """Make CHANNELS of each layer's gated product large, and the weights that read them small."""
    for layer in network.layers:
        for channel in CHANNELS:
            layer.mlp.Wi.weight[layer.mlp.Wo.in_features + channel] *= OUTLIER
            layer.mlp.Wo.weight[:, channel] /= OUTLIER


def local_texts() -> Iterator[str]:
    """Texts of the shipped table, and lines of the docs."""
    yield from (row["text"] for row in _rows()[:6000])
    for page in sorted((ROOT / "docs").glob("*.md")):
        yield from filter(None, page.read_text(encoding="utf-8").splitlines())


def _rows() -> list[dict[str, Any]]:
    """Of the shipped table, those with a source, in an order drawn with a seed."""
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["source"]]
    random.Random(1).shuffle(rows)
    return rows


def write_small_run(
    family: str, folder: Path, outliers: bool = False, rows: Mapping[str, int] = ROWS,
    steps: int = 400, max_drop: float = 2.0,
) -> Path:  # fmt: skip
    """Write the base, so many rows of each split, and a recipe, whose path is returned.

    The splits are not the table's, in which words of a row that judges may be in none that trains.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_small_base(family, folder / "base", outliers)
    table = iter(_rows())
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for split, count in rows.items():
            for row in islice(table, count):
                file.write(json.dumps({**row, "split": split}, ensure_ascii=False) + "\n")
    scheme = "dynamic" if outliers else "matmul_nbits"
    recipe = folder / "recipe.toml"
    other_task = "" if outliers else OTHER_TASK
    values = {"name": family, "scheme": scheme, "steps": steps, "max_drop": max_drop}
    recipe.write_text(RECIPE.format(**values, other_task=other_task), encoding="utf-8")
    return recipe


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.studies.small_bases", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--outliers", action="store_true", help="only of modernbert")
    options = parser.parse_args(arguments)
    if options.outliers and options.family != "modernbert":
        parser.error("--outliers: only modernbert has gated products")
    recipe = write_small_run(options.family, options.out, options.outliers)
    print(f"python -m training run {recipe} --out {options.out / 'bundle'} --no-report")
    return 0


if __name__ == "__main__":
    sys.exit(main())
