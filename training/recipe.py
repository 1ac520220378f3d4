"""What does a run need to know? One TOML file, read into frozen dataclasses.

Only `[data]` and `[[task]]` must be written; every other key has a default that works.

    recipe = read_recipe("training/recipes/ingredients.toml")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tables.remote_table import RemoteTable, table_location
from tables.toml_file import Section, TableFile, TomlError, toml_document, validated
from training.data_spec import SPLITS as SPLITS
from training.data_spec import Data as Data
from training.data_spec import DataFile as DataFile
from training.data_spec import Split as Split
from training.data_spec import Tokens
from training.task_spec import PRICES as PRICES
from training.task_spec import Kind as Kind
from training.task_spec import Name, task_faults
from training.task_spec import TaskSpec as TaskSpec

Attention = Literal["independent", "joint"]
Precision = Literal["fp32", "int8"]
ATTENTIONS: tuple[Attention, ...] = get_args(Attention)
DEFAULT_BASE = "sentence-transformers/all-MiniLM-L6-v2"
WITH_FILES = ("data", "pretrain")
"""Sections with a list of files."""
HINTS = {
    "data": "a [data] section with files = [...]",
    "task": "at least one [[task]] with name and kind",
    "files": "a list of at least one file",
    "name": "a string that is not empty",
    "kind": "'single' or 'multi'",
    "path": 'path = "..."',
    "sparsity": "this key is gone, since zeros made no bundle smaller or faster "
    "(training/LOG.md); remove the line",
}


class RecipeError(ValueError):
    """The recipe cannot be run; the message names the key and what it takes."""


def _power_of_two(size: int) -> int:
    if size & (size - 1):
        raise PydanticCustomError("power_of_two", "a power of two, 16 or more")
    return size


Count = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
FileName = Annotated[str, Field(pattern=r"^[\w.-]+$")]
BlockSize = Annotated[int, Field(ge=16), AfterValidator(_power_of_two)]


@dataclass(frozen=True)
class TextFile(Section):
    path: TableFile
    text: str = "text"
    """CSV column or JSONL field; a .txt file is a text per line."""


@dataclass(frozen=True)
class Pretrain(Section):
    files: Annotated[tuple[TextFile, ...], Field(min_length=1)]
    epochs: Count = 3
    learning_rate: Rate = 1e-4
    batch_size: Count = 32
    masked: Fraction = 0.15
    """Share of the pieces to guess."""
    max_tokens: Tokens = 128
    seed: int = 1


@dataclass(frozen=True)
class Vocabulary(Section):
    trim: bool = True
    """Keep the pieces that training text uses, every single character, and common ones of the base
    up to 10,000 in all."""
    pieces: Count | None = None
    """Most pieces to keep, the frequent first, and no others; absent: all that the text uses."""


@dataclass(frozen=True)
class Fitting(Section):
    """What the fits of teacher and student share."""

    epochs: Count | None = None
    steps: Count | None = None
    """Optimizer steps to stop after, whatever the epochs; absent: whole epochs."""
    learning_rate: Rate | None = None
    batch_size: Count = 32
    accumulation_steps: Count = 1
    warmup_fraction: Fraction = 0.1
    weight_decay: float = 0.01
    piece_dropout: Fraction = 0.1
    """Share of a text's pieces that training hides, so that no single word decides."""
    typos: Fraction = 0.1
    """Share of texts that training reads with a letter lost, doubled, swapped or changed."""
    seed: int = 1


@dataclass(frozen=True)
class Teacher(Fitting):
    """`epochs` absent: enough for about 1,250 steps, at least 4 and at most 6."""

    learning_rate: Rate = 1.5e-4
    attention: Attention = "independent"
    """`independent`: a control token sees the text and itself. `joint`: all see all."""


@dataclass(frozen=True)
class Student(Fitting):
    """`epochs` absent: for twice the teacher's texts, at least 3 epochs (of at most 3,000
    rows 2) and 14,000 texts.

    Hidden pieces and typos are the student's alone: its teachers label the whole text.
    """

    learning_rate: Rate | None = None
    """Absent: 4e-4, or 2e-4 where at most 3,000 rows train and `layers` is not set."""
    batch_size: Count = 64
    layers: Count | None = None
    """Absent: 3, or 6 where at most 3,000 rows train."""
    width: Count | None = None
    """Absent: the teacher's; else a multiple of its heads' width, 32 of the default base."""
    feed_forward: Count | None = None
    """Neurons kept of each feed-forward part, the heaviest, before `width` narrows them as much as
    all else; absent: all."""
    heads: Count | None = None
    """Attention heads kept in each layer, the heaviest; absent: all."""
    temperature: Rate = 1.0
    alpha: Fraction = 0.8
    """Weight of the soft targets; the rest is on the labels."""
    committee: bool = True
    """The soft targets are of the teacher, the base without training and a linear model; false:
    the teacher's alone."""
    variants: Annotated[int, Field(ge=0)] | None = None
    """Texts made of training texts that the student learns from; absent: by the rows."""


@dataclass(frozen=True)
class Quantize(Section):
    scheme: Literal["matmul_nbits", "dynamic"] = "matmul_nbits"
    """`matmul_nbits`: scales per row and block. `dynamic`: one activation scale per tensor."""
    block_size: BlockSize = 32
    """Weights of 8 bits that share a scale, of `matmul_nbits`."""
    embedding_bits: Literal[4, 8] = 4
    """Of each word embedding."""
    weight_bits: Literal[4, 8] | None = None
    """Of a layer's weights in `matmul_nbits`, the heads' aside, which have 8; of 4 bits twice
    `block_size` share a scale. Absent: 8, or 4 where at most 3,000 rows train and the student's
    layers are not set."""
    per_channel: bool = True
    """The next three are `dynamic`'s: a scale per column of the weights,"""
    reduce_range: bool = False
    """weights of 7 bits, whose sums cannot overflow on x86 processors without VNNI,"""
    signed: bool = True
    """and weights of signed or unsigned bytes."""
    keep: tuple[str, ...] = ()
    """Layers left in fp32, named as the report ranks them: "layer.0.output.dense"."""
    max_drop: float = 0.3
    """Points that int8 may lose against fp32 on validation, per task, as measured."""


@dataclass(frozen=True)
class Ship(Section):
    """What is done with the student that won, before it ships."""

    refit: bool = True
    """Fit it on to all labelled rows; false: the held-out fit ships, which never saw them all."""
    never_fitted: tuple[Name, ...] = ()
    """Slices of the test split that stay out of this fit, so that they always judge."""


@dataclass(frozen=True)
class Sweep(Section):
    """The grid of `python -m training sweep`; see training/studies/sweep/grid.py."""

    layers: tuple[Count, ...] = (6, 3, 2, 1)
    widths: tuple[Count, ...] = (384, 256, 128)
    precisions: Annotated[tuple[Precision, ...], Field(min_length=1)] = ("fp32", "int8")
    pieces: tuple[Count, ...] = (6000,)
    """Vocabulary sizes beside the recipe's own; each needs a teacher of its own."""
    max_tokens: tuple[Tokens, ...] = (16,)
    """Sequence limits beside the recipe's own, at which the same student is served."""
    threads: Annotated[tuple[Count, ...], Field(min_length=1)] = (1, 2)
    """The first one's latency counts; the others' stand beside it."""


@dataclass(frozen=True)
class Card(Section):
    """What only the person knows, for the model card. Markdown."""

    data: str = "The recipe does not say where the rows come from: add `[card] data` to the recipe."
    limits: str = "Texts unlike the training rows get answers too; their scores mean little."
    licence: str = "Not stated: add `[card] licence` to the recipe."
    performance: str = ""
    """Where its performance report is kept, if it is; absent: the card has no such part."""


@dataclass(frozen=True)
class Recipe(Section):
    name: FileName
    """Absent: the file's."""
    base: str
    """Hub id or directory; absent: DEFAULT_BASE."""
    data: Data
    tasks: Annotated[tuple[TaskSpec, ...], Field(alias="task", min_length=1)]
    vocabulary: Vocabulary = Vocabulary()
    pretrain: Pretrain | None = None
    teacher: Teacher = Teacher()
    student: Student = Student()
    quantize: Quantize = Quantize()
    ship: Ship = Ship()
    card: Card = Card()
    sweep: Sweep = Sweep()


def read_recipe(path: str | Path) -> Recipe:
    """Read and check a recipe. Raises RecipeError with the file, the keys and what they take."""
    path = Path(path)
    try:
        document = toml_document(path)
    except TomlError as error:
        raise RecipeError(str(error)) from None
    return recipe_of(document, str(path), path.parent, path.stem)


def recipe_of(document: dict[str, Any], source: str, folder: Path, name: str) -> Recipe:
    """A recipe from what its file holds. Raises RecipeError, whose message calls it `source`.

    Paths are from `folder`; `name` is the bundle's unless the document has one.
    """
    document = _with_defaults(folder, name, document)
    try:
        recipe = validated(Recipe, document, source, HINTS)
    except TomlError as error:
        raise RecipeError(str(error)) from None
    names = [task.name for task in recipe.tasks]
    if len(set(names)) < len(names):
        raise RecipeError(f"{source}: [[task]]: two tasks share a name ({', '.join(names)})")
    faults = [
        f"[[task]] {task.name} {fault}" for task in recipe.tasks for fault in task_faults(task)
    ]
    if faults:
        raise RecipeError("\n  ".join([f"{source}: {faults[0]}", *faults[1:]]))
    return recipe


def _with_defaults(folder: Path, name: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document with defaults that depend on its path, and every file and column in full.

    A value of a wrong type is left for the validation to report.
    """
    document = {"name": name, "base": DEFAULT_BASE, **document}
    base = document["base"]
    if isinstance(base, str) and (folder / base).is_dir():
        document["base"] = str(folder / base)  # else a hub id
    if isinstance(tasks := document.get("task"), list):
        document["task"] = [
            {"column": str(task.get("name", "")), **task} if isinstance(task, dict) else task
            for task in tasks
        ]
    for key in WITH_FILES:
        section = document.get(key)
        if isinstance(section, dict) and isinstance(files := section.get("files"), list):
            document[key] = {**section, "files": [_file(folder, file) for file in files]}
    return document


def _file(folder: Path, file: Any) -> Any:
    """A table with a path from `folder` or an address, of "path" or {path = "...", ...}."""
    if isinstance(file, str):
        file = {"path": file}
    if isinstance(file, dict) and isinstance(path := file.get("path"), str):
        if isinstance(table_location(path), RemoteTable):
            return file
        return {**file, "path": str(folder / path)}
    return file
