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
    AutoModelForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
)
from transformers.trainer_utils import set_seed

from model.encoding import encode
from training.fit.base_tokenizer import BaseTokenizer
from training.fit.base_weights import read_base
from training.fit.checkpoints import has_fast_bfloat16, resume_from, trainer_arguments
from training.fit.resumable_trainer import ResumableTrainer, drawn_seed
from training.recipe import RecipeError
from training.rows.unlabelled import read_texts
from training.run import Run


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
    reader = masking_reader(run.base, run.tokenizer_path)
    ids = encode(run.tokenizer, texts, settings.max_tokens).ids
    network = _masked_model(run.base, base_ids)
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


def masking_reader(base: Path, tokenizer_path: Path) -> Any:
    """What pads and masks: the run's tokenizer, and the base's mask past its pieces, of which later
    stages know nothing. Raises RecipeError where the base has none."""
    pieces = BaseTokenizer(base)
    if pieces.mask is None:
        raise RecipeError("[pretrain]: the base has no mask token; leave the section out")
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    first, last = (tokenizer.id_to_token(place) for place in tokenizer.encode("").ids)
    special = {"cls_token": first, "sep_token": last, "pad_token": pieces.padding or last}
    if pieces.unknown is not None:
        special["unk_token"] = pieces.unknown
    tokenizer.add_special_tokens([pieces.mask])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, mask_token=pieces.mask, **special
    )


def _masked_model(base: Path, base_ids: list[int]) -> Any:
    """The base with a head that guesses pieces; its embeddings cut to `base_ids` and the mask."""
    pieces = BaseTokenizer(base)
    config, weights = read_base(base, [*base_ids, pieces.ids[pieces.mask or ""]])
    network: Any = AutoModelForMaskedLM.from_config(config)  # type: ignore[no-untyped-call]
    network.base_model.load_state_dict(weights)
    return network
