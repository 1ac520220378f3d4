"""How is the base fitted to the domain's text? Masked language modelling on unlabelled text.

A share of the pieces is hidden and guessed from the rest (Devlin and others, 2019), with the
trimmed vocabulary; the encoder that comes out takes the base's place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
)
from transformers.models.auto.configuration_auto import AutoConfig
from transformers.trainer_utils import set_seed

from model.encoding import encode
from training.fit.checkpoints import has_fast_bfloat16, resume_from, trainer_arguments
from training.fit.network import piece_embeddings
from training.fit.resumable_trainer import ResumableTrainer, drawn_seed
from training.rows.unlabelled import read_texts
from training.run import Run

MASK = "[MASK]"
SPECIAL = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}


class Masking(DataCollatorForLanguageModeling):
    """Hides pieces of a batch by its content, whatever was hidden before."""

    def torch_call(self, examples: list[Any]) -> dict[str, Any]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(drawn_seed([example["input_ids"] for example in examples]))
            batch: dict[str, Any] = super().torch_call(examples)
            return batch


def run(run: Run, folder: Path) -> None:
    """The stage `pretrain`: write the encoder, with the trimmed vocabulary, to `folder`."""
    settings = run.recipe.pretrain
    assert settings is not None
    texts = read_texts(settings.files, run.table)
    set_seed(settings.seed)
    base_ids = run.facts("vocabulary")["base_ids"]
    pieces = len(base_ids)
    tokenizer = Tokenizer.from_file(str(run.tokenizer_path))  # later stages know no [MASK]
    tokenizer.add_special_tokens([MASK])  # its id is `pieces`, past what the bundle will hold
    ids = encode(tokenizer, texts, settings.max_tokens).ids
    network = _masked_model(run.base, base_ids, tokenizer)
    reader: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, mask_token=MASK, **SPECIAL
    )
    trainer = ResumableTrainer(
        model=network,
        args=trainer_arguments(
            settings,
            folder / "checkpoints",
            max(1, len(ids) // settings.batch_size) * settings.epochs,
            has_fast_bfloat16(),
            num_train_epochs=settings.epochs,
            warmup_steps=0.1,
            weight_decay=0.01,
        ),
        train_dataset=[{"input_ids": row} for row in ids],
        data_collator=Masking(reader, mlm_probability=settings.masked),
    )
    trainer.train(resume_from_checkpoint=resume_from(folder / "checkpoints"))
    network.resize_token_embeddings(pieces)
    if trainer.is_world_process_zero():
        network.base_model.save_pretrained(folder)


def _masked_model(base: Path, base_ids: list[int], tokenizer: Tokenizer) -> Any:
    """The base with a head that guesses pieces; its embeddings cut to `base_ids` and [MASK]."""
    weights = AutoModel.from_pretrained(base, add_pooling_layer=False).state_dict()
    words = "embeddings.word_embeddings.weight"
    mask_id: int = Tokenizer.from_file(str(base / "tokenizer.json")).get_vocab()[MASK]
    weights[words] = piece_embeddings(weights[words], [*base_ids, mask_id])
    config: Any = AutoConfig.from_pretrained(base)
    config.vocab_size = tokenizer.get_vocab_size()
    network: Any = AutoModelForMaskedLM.from_config(config)  # type: ignore[no-untyped-call]
    network.base_model.load_state_dict(weights)
    return network
