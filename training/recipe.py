"""What does a run need to know? One TOML file, read into frozen dataclasses.

Only `[data]` and `[[task]]` must be written; every other key has a default that works.

    recipe = read_recipe("training/recipes/ingredients.toml")
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from model.bundle import KINDS

T = TypeVar("T")
SPLITS = ("train", "validation", "test")
DEFAULT_BASE = "sentence-transformers/all-MiniLM-L6-v2"


class RecipeError(ValueError):
    """The recipe cannot be run; the message names the key and what it takes."""


@dataclass(frozen=True)
class DataFile:
    path: Path
    split: str | None = None
    """The split of every row of this file; None: the split column says, or it is carved."""


@dataclass(frozen=True)
class Data:
    files: tuple[DataFile, ...]
    text: str = "text"
    split: str = "split"
    group: str | None = None
    """Column of the rows that belong together; absent: rows of the same text do."""
    slice: str | None = None
    """Column that names a part of the test split to report by itself."""
    seed: int = 1
    max_tokens: int | None = None
    """Longest `[CLS] text [SEP]`; absent: what holds 99.5 % of the training texts, 32 to 256."""


@dataclass(frozen=True)
class TaskSpec:
    name: str
    kind: str
    column: str


@dataclass(frozen=True)
class TextFile:
    path: Path
    text: str = "text"
    """CSV column or JSONL field; a .txt file is a text per line."""


@dataclass(frozen=True)
class Pretrain:
    files: tuple[TextFile, ...]
    epochs: int = 3
    learning_rate: float = 1e-4
    batch_size: int = 32
    masked: float = 0.15
    """Share of the pieces to guess."""
    max_tokens: int = 128
    seed: int = 1


@dataclass(frozen=True)
class Vocabulary:
    trim: bool = True
    """Keep only the pieces that training text uses, and every single character."""
    pieces: int | None = None
    """Most pieces to keep, the frequent first; absent: all that the text uses."""


@dataclass(frozen=True)
class Fitting:
    """What the fits of teacher and student share."""

    epochs: int | None = None
    steps: int | None = None
    """Optimizer steps to stop after, whatever the epochs; absent: whole epochs."""
    learning_rate: float = 1.5e-4
    batch_size: int = 32
    accumulation_steps: int = 1
    warmup_fraction: float = 0.1
    weight_decay: float = 0.01
    piece_dropout: float = 0.1
    """Share of a text's pieces that training hides, so that no single word decides."""
    typos: float = 0.1
    """Share of texts that training reads with a letter lost, doubled, swapped or changed."""
    seed: int = 1


@dataclass(frozen=True)
class Teacher(Fitting):
    """`epochs` absent: enough for about 2,500 steps, at least 4 and at most 20."""

    attention: str = "independent"
    """`independent`: a control token sees the text and itself. `joint`: all see all."""


@dataclass(frozen=True)
class Student(Fitting):
    """`epochs` absent: for twice the teacher's steps, at least 3.

    Hidden pieces and typos are the student's alone: its teachers label the whole text.
    """

    learning_rate: float = 3e-4
    layers: int = 3
    width: int | None = None
    """Absent: the teacher's; else a multiple of its heads' width, 32 of the default base."""
    feed_forward: int | None = None
    """Neurons kept in each layer's feed-forward part, the heaviest; absent: all."""
    heads: int | None = None
    """Attention heads kept in each layer, the heaviest; absent: all."""
    sparsity: float | None = None
    """Share of the layers' weights set to zero, gradually, the smallest first; absent: none.
    No runtime here gets faster or smaller by it."""
    temperature: float = 1.0
    alpha: float = 0.8
    """Weight of the soft targets; the rest is on the labels."""
    committee: bool = True
    """The soft targets are the teacher's and a linear model's; false: the teacher's alone."""


@dataclass(frozen=True)
class Quantize:
    scheme: str = "matmul_nbits"
    """`matmul_nbits`: scales per row and block. `dynamic`: one activation scale per tensor."""
    block_size: int = 32
    """Weights that share a scale, of `matmul_nbits`."""
    embedding_bits: int = 4
    """Of each word embedding, 4 or 8."""
    per_channel: bool = True
    """The next three are `dynamic`'s: a scale per column of the weights,"""
    reduce_range: bool = False
    """weights of 7 bits, whose sums cannot overflow on x86 processors without VNNI,"""
    signed: bool = True
    """and weights of signed or unsigned bytes."""
    keep: tuple[str, ...] = ()
    """Layers left in fp32, named as the report ranks them: "layer.0.output.dense"."""
    max_drop: float = 0.3
    """Points that int8 may lose against fp32 on validation, per task."""


@dataclass(frozen=True)
class Sweep:
    """The grid of `python -m training sweep`; see training/studies/sweep/grid.py."""

    layers: tuple[int, ...] = (6, 3, 2, 1)
    widths: tuple[int, ...] = (384, 256, 128)
    precisions: tuple[str, ...] = ("fp32", "int8")
    pieces: tuple[int, ...] = (6000,)
    """Vocabulary sizes beside the recipe's own; each needs a teacher of its own."""
    max_tokens: tuple[int, ...] = (16,)
    """Sequence limits beside the recipe's own, at which the same student is served."""
    threads: tuple[int, ...] = (1, 2)
    """The first one's latency counts; the others' stand beside it."""


@dataclass(frozen=True)
class Card:
    """What only the person knows, for the model card. Markdown."""

    data: str = "Where the rows come from was not said: add `[card] data` to the recipe."
    limits: str = "Texts unlike the training rows get answers too; their scores mean little."
    licence: str = "Not said: add `[card] licence` to the recipe."
    performance: str = ""
    """Where its performance report is kept, if it is; absent: the card has no such part."""


@dataclass(frozen=True)
class Recipe:
    path: Path
    name: str
    base: str
    data: Data
    tasks: tuple[TaskSpec, ...]
    vocabulary: Vocabulary
    pretrain: Pretrain | None
    teacher: Teacher
    student: Student
    quantize: Quantize
    card: Card
    sweep: Sweep


CHOICES = {
    "attention": ("independent", "joint"),
    "scheme": ("matmul_nbits", "dynamic"),
    "kind": KINDS,
    "precisions": ("fp32", "int8"),
}
POSITIVE = {
    "epochs", "learning_rate", "batch_size", "accumulation_steps", "layers", "temperature",
    "block_size", "max_tokens", "feed_forward", "width", "widths", "steps", "pieces", "threads",
    "heads",
}  # fmt: skip
FEWEST_TOKENS = 8
FRACTIONS = {"warmup_fraction", "alpha", "piece_dropout", "typos", "masked", "sparsity"}
FILLED = {"precisions", "threads"}
SECTIONS = {
    "vocabulary": Vocabulary,
    "teacher": Teacher,
    "student": Student,
    "quantize": Quantize,
    "card": Card,
    "sweep": Sweep,
}


def read_recipe(path: str | Path) -> Recipe:
    """Read and check a recipe. Raises RecipeError with the file, the key and what it takes."""
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such recipe; give the path of a .toml file") from None
    except IsADirectoryError:
        raise RecipeError(f"{path}: is a directory; give the path of a .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from None
    try:
        return _recipe(path, document)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None


def _recipe(path: Path, document: dict[str, Any]) -> Recipe:
    known = ["name", "base", "data", "task", "pretrain", *SECTIONS]
    _reject_unknown(document, known, where="")
    for required in ("data", "task"):
        if required not in document:
            wanted = "[data] with files = [...]" if required == "data" else "at least one [[task]]"
            raise RecipeError(f"{required}: missing; a recipe needs {wanted}")
    sections: dict[str, Any] = {
        key: _section(cls, document.get(key, {}), f"[{key}]") for key, cls in SECTIONS.items()
    }
    return Recipe(
        path=path,
        name=_name(document.get("name", path.stem)),
        base=_base(path.parent, _typed(document.get("base", DEFAULT_BASE), str, "base")),
        data=_data(path, document["data"]),
        pretrain=_pretrain(path, document["pretrain"]) if "pretrain" in document else None,
        tasks=_tasks(document["task"]),
        **sections,
    )


def _base(folder: Path, base: str) -> str:
    """A hub id stays as it is; a directory may be relative to the recipe, as data files are."""
    return str(folder / base) if (folder / base).is_dir() else base


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value or not all(c.isalnum() or c in "-_." for c in value):
        raise RecipeError(f"name: {value!r}; give letters, digits, '-', '_' and '.' only")
    return value


def _data(recipe: Path, table: Any) -> Data:
    files = _files(recipe.parent, table, "[data]", DataFile)
    for file in files:
        if file.split is not None and file.split not in SPLITS:
            raise RecipeError(
                f"[data] files: split {file.split!r}; give one of {', '.join(SPLITS)}"
            )
    return _section(Data, _but_files(table), "[data]", files=files)


def _pretrain(recipe: Path, table: Any) -> Pretrain:
    files = _files(recipe.parent, table, "[pretrain]", TextFile)
    return _section(Pretrain, _but_files(table), "[pretrain]", files=files)


def _but_files(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "files"}


def _files(folder: Path, table: Any, where: str, cls: type[T]) -> tuple[T, ...]:
    """The section's `files`: each "path", or {path = "...", more}."""
    if not isinstance(table, dict):
        raise RecipeError(f"{where}: must be a table")
    entries = table.get("files")
    if not isinstance(entries, list) or not entries:
        raise RecipeError(f"{where} files: give a list of at least one file")
    return tuple(_file(folder, entry, f"{where} files:", cls) for entry in entries)


def _file(folder: Path, entry: Any, where: str, cls: type[T]) -> T:
    if isinstance(entry, str):
        entry = {"path": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise RecipeError(f'{where} {entry!r}; give "path" or {{path = "...", ...}}')
    rest = {key: value for key, value in entry.items() if key != "path"}
    return _section(cls, rest, where, path=folder / entry["path"])


def _tasks(entries: Any) -> tuple[TaskSpec, ...]:
    if not isinstance(entries, list) or not entries:
        raise RecipeError("task: give at least one [[task]] with name and kind")
    tasks = []
    for index, entry in enumerate(entries):
        where = f"[[task]] {entry.get('name', index + 1)}"
        if not isinstance(entry.get("name"), str) or not entry["name"]:
            raise RecipeError(f"{where}: name: give a non-empty string")
        if "kind" not in entry:
            raise RecipeError(f"{where}: kind: give one of {', '.join(KINDS)}")
        tasks.append(_section(TaskSpec, {"column": entry["name"], **entry}, where))
    names = [task.name for task in tasks]
    if len(set(names)) != len(names):
        raise RecipeError(f"[[task]]: two tasks share a name ({', '.join(names)})")
    return tuple(tasks)


def _section(cls: type[T], table: Any, where: str, **given: Any) -> T:
    """Fill the dataclass `cls` from a TOML table, checking names, types and ranges."""
    if not isinstance(table, dict):
        raise RecipeError(f"{where}: must be a table")
    declared = [field for field in fields(cls) if field.name not in given]  # type: ignore[arg-type]
    _reject_unknown(table, [field.name for field in declared], where=f"{where} ")
    hints = get_type_hints(cls)
    values = dict(given)
    for field in declared:
        if field.name in table:
            values[field.name] = _checked(table[field.name], hints[field.name], where, field.name)
        elif field.default is MISSING:
            raise RecipeError(f"{where} {field.name}: missing")
    return cls(**values)


def _checked(value: Any, hint: Any, where: str, key: str) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise RecipeError(f"{where} {key}: {value!r}; give a list")
        if not value and key in FILLED:
            raise RecipeError(f"{where} {key}: give at least one")
        return tuple(_checked(entry, get_args(hint)[0], where, key) for entry in value)
    value = _typed(value, hint, f"{where} {key}")
    if key in CHOICES and value not in CHOICES[key]:
        raise RecipeError(f"{where} {key}: {value!r}; give one of {', '.join(CHOICES[key])}")
    if key in POSITIVE and value is not None and value <= 0:
        raise RecipeError(f"{where} {key}: {value!r}; give a number above 0")
    if key == "max_tokens" and value is not None and value < FEWEST_TOKENS:
        raise RecipeError(f"{where} {key}: {value!r}; give {FEWEST_TOKENS} or more")
    if key == "embedding_bits" and value not in (4, 8):
        raise RecipeError(f"{where} {key}: {value!r}; give 4 or 8")
    if key == "block_size" and (value < 16 or value & (value - 1)):
        raise RecipeError(f"{where} {key}: {value!r}; give a power of two, 16 or more")
    if key in FRACTIONS and not 0 <= value <= 1:
        raise RecipeError(f"{where} {key}: {value!r}; give a number from 0 to 1")
    return value


def _typed(value: Any, hint: Any, where: str) -> Any:
    wanted = [option for option in (get_args(hint) or (hint,)) if option is not type(None)]
    if float in wanted and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) not in wanted:
        names = " or ".join(option.__name__ for option in wanted)
        raise RecipeError(f"{where}: {value!r}; give a value of type {names}")
    return value


def _reject_unknown(table: dict[str, Any], known: list[str], where: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise RecipeError(f"{where}{key}: unknown key; {hint}")
