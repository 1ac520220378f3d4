"""What does the base make of this world's language? Masked language modelling on unlabelled text.

A share of the pieces is hidden and guessed from the rest (Devlin and others, 2019), with the
trimmed vocabulary; the encoder that comes out takes the base's place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from transformers.models.auto.configuration_auto import AutoConfig
from transformers.trainer_utils import set_seed

from training.fit.trainer import has_fast_bfloat16, newest_checkpoint
from training.recipe import Pretrain

MASK = "[MASK]"
SPECIAL = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}


def pretrain(
    base: Path,
    base_ids: list[int],
    tokenizer: Tokenizer,
    texts: list[str],
    settings: Pretrain,
    folder: Path,
) -> None:
    """Write the pretrained encoder, with the vocabulary of `base_ids`, to `folder`."""
    set_seed(settings.seed)
    pieces = len(base_ids)
    tokenizer.add_special_tokens([MASK])  # its id is `pieces`, past what the bundle will hold
    tokenizer.enable_truncation(settings.max_tokens)
    rows = [{"input_ids": row.ids} for row in tokenizer.encode_batch(texts)]
    network = _masked_model(base, base_ids, tokenizer)
    reader: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, mask_token=MASK, **SPECIAL
    )
    trainer = Trainer(
        model=network,
        args=_arguments(settings, len(rows), folder / "checkpoints"),
        train_dataset=rows,
        data_collator=DataCollatorForLanguageModeling(reader, mlm_probability=settings.masked),
    )
    trainer.train(resume_from_checkpoint=newest_checkpoint(folder / "checkpoints"))
    network.resize_token_embeddings(pieces)
    if trainer.is_world_process_zero():
        network.base_model.save_pretrained(folder)


def _masked_model(base: Path, base_ids: list[int], tokenizer: Tokenizer) -> Any:
    """The base with a head that guesses pieces; its embeddings cut to `base_ids` and [MASK]."""
    weights = AutoModel.from_pretrained(base, add_pooling_layer=False).state_dict()
    words = "embeddings.word_embeddings.weight"
    mask_id = Tokenizer.from_file(str(base / "tokenizer.json")).token_to_id(MASK)
    weights[words] = weights[words][[*base_ids, mask_id]]
    config: Any = AutoConfig.from_pretrained(base)
    config.vocab_size = tokenizer.get_vocab_size()
    network: Any = AutoModelForMaskedLM.from_config(config)  # type: ignore[no-untyped-call]
    network.base_model.load_state_dict(weights)
    return network


def _arguments(settings: Pretrain, rows: int, folder: Path) -> TrainingArguments:
    steps = max(1, rows // settings.batch_size) * settings.epochs
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        warmup_steps=0.1,
        weight_decay=0.01,
        seed=settings.seed,
        train_sampling_strategy="group_by_length",
        save_steps=max(1, steps // 10),
        save_total_limit=2,
        logging_steps=max(1, steps // 50),
        report_to="none",
        ddp_backend="gloo" if "WORLD_SIZE" in os.environ else None,
        bf16=has_fast_bfloat16(),
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
    )
