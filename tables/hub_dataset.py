"""A dataset of the Hugging Face hub, hf://OWNER/NAME[/CONFIG][#SPLIT], by its Parquet files.

The hub makes these of every public dataset that it can, as CONFIG/SPLIT/0000.parquet of the
revision refs/convert/parquet. A local folder of that layout is read likewise.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tables.optional import optional_module
from tables.parquet import ParquetRows
from tables.row import TableError, TableRow
from tables.saved_dataset import SPLIT, SPLITS

SCHEME = "hf://"
ADDRESS = re.compile(r"hf://([^/#]+/[^/#]+)(?:/([^/#]+))?(?:#([^/#]+))?")
REVISION = "refs/convert/parquet"
DEFAULT_CONFIG = "default"
PARTIAL = "partial-"
"""Before the name of a split that the hub has made into Parquet only in part."""
SHOWN = 20


def is_hub_layout(path: Path) -> bool:
    """Whether a folder has SPLIT/*.parquet or CONFIG/SPLIT/*.parquet."""
    return any(any(path.glob(pattern)) for pattern in ("*/*.parquet", "*/*/*.parquet"))


def version(address: str) -> dict[str, Any]:
    """The commit of the Parquet files; raises TableError."""
    repository, _, _ = _parts(address)
    return {"commit": _description(repository).sha}


def open_hub_dataset(address: str) -> HubLayoutRows:
    """The rows, of files that are downloaded unless the cache has them; raises TableError."""
    repository, config, split = _parts(address)
    description = _description(repository)
    names = [sibling.rfilename.split("/") for sibling in description.siblings or ()]
    parquet = [name for name in names if len(name) == 3 and name[2].endswith(".parquet")]
    config = _chosen_config({name[0] for name in parquet}, config, f"hf://{repository}")
    _check_split(split, {_split_of(name[1]) for name in parquet if name[0] == config})
    folder = _from_hub(
        repository,
        "snapshot_download",
        repo_type="dataset",
        revision=description.sha,
        allow_patterns=[f"{config}/{part}{split or '*'}/*.parquet" for part in ("", PARTIAL)],
    )
    return HubLayoutRows(Path(folder) / config, split)


class HubLayoutRows:
    """The rows of one configuration, which have their folder's name as `split`."""

    def __init__(self, path: Path, split: str | None = None) -> None:
        """`split`: the only one to read. Raises TableError without the folder's name."""
        if not any(path.glob("*/*.parquet")):
            configs = {file.parts[-3] for file in path.glob("*/*/*.parquet")}
            path /= _chosen_config(configs, None, str(path))
        files = [
            (_split_of(file.parent.name), file)
            for file in sorted(path.glob("*/*.parquet"), key=_place)
        ]
        _check_split(split, {name for name, _ in files})
        self._files = [(name, file) for name, file in files if split in (None, name)]
        self.total_bytes = sum(file.stat().st_size for _, file in self._files)
        with _open_part(self._files[0][1]) as first:
            self.columns: list[str] | None = list(dict.fromkeys([SPLIT, *(first.columns or [])]))
            self.notes = list(first.notes)
        for name in dict.fromkeys(name for name, _ in self._files):
            if name not in SPLITS:
                self.notes.append(f"its part {name!r} is no split: its rows have none")
            if (path / f"{PARTIAL}{name}").is_dir():
                self.notes.append(f"the hub has made only a part of {name!r} into Parquet")
        self.empty_rows = 0
        self.read_bytes = 0

    def __iter__(self) -> Iterator[TableRow]:
        line = 0
        for name, path in self._files:
            split = name if name in SPLITS else None
            with _open_part(path) as rows:
                for row in rows:
                    fields = {SPLIT: split, **(row.fields or {})}
                    yield TableRow(line + row.line, fields, row.problem)
            line += rows.rows
            self.empty_rows += rows.empty_rows
            self.read_bytes += path.stat().st_size

    def close(self) -> None:
        """Nothing is open between two files."""


@contextmanager
def _open_part(path: Path) -> Iterator[ParquetRows]:
    """One file, whose TableErrors name it."""
    try:
        with closing(ParquetRows(path)) as rows:
            yield rows
    except TableError as error:
        raise TableError(f"{path.parent.name}/{path.name}: {error}") from None


def _split_of(folder: str) -> str:
    return folder.removeprefix(PARTIAL)


def _place(path: Path) -> tuple[int, str, str]:
    """Splits in their usual order, then others."""
    name = _split_of(path.parent.name)
    return (SPLITS.index(name) if name in SPLITS else len(SPLITS), name, path.name)


def _parts(address: str) -> tuple[str, str | None, str | None]:
    """Repository, configuration and split; None: not given."""
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise TableError("no dataset of the hub; give hf://OWNER/NAME[/CONFIG][#SPLIT]")
    repository, config, split = match.groups()
    return repository, config, split


def _chosen_config(configs: Collection[str], config: str | None, place: str) -> str:
    """The one that is meant; raises TableError where that is open."""
    if not configs:
        raise TableError("the hub has no Parquet files of it; download it and give its files")
    if config is None:
        config = next(iter(configs)) if len(configs) == 1 else DEFAULT_CONFIG
        if config not in configs:
            names = _listed(sorted(configs))
            raise TableError(f"several configurations; add one to it, as {place}/CONFIG: {names}")
    if config not in configs:
        raise TableError(f"no configuration {config!r}; give one of {_listed(sorted(configs))}")
    return config


def _check_split(split: str | None, splits: Collection[str]) -> None:
    if split is not None and split not in splits:
        raise TableError(f"no split {split!r}; give one of {_listed(sorted(splits))}")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _description(repository: str) -> Any:
    """What the hub says of the dataset's Parquet files: a huggingface_hub DatasetInfo."""
    return _from_hub(repository, "dataset_info", revision=REVISION)


def _from_hub(repository: str, method: str, **options: Any) -> Any:
    """What a method of huggingface_hub.HfApi gives; raises TableError with what to do."""
    hub, errors = optional_module("huggingface_hub"), optional_module("huggingface_hub.errors")
    try:
        return getattr(hub.HfApi(), method)(repository, **options)
    except errors.HFValidationError:
        raise TableError("no dataset of the hub; give hf://OWNER/NAME[/CONFIG][#SPLIT]") from None
    except errors.RevisionNotFoundError:
        remedy = "download it and give its files"
        raise TableError(f"the hub has no Parquet files of it; {remedy}") from None
    except (errors.RepositoryNotFoundError, errors.GatedRepoError):
        remedy = "check the name; for a private or gated one set HF_TOKEN to a token that may read"
        raise TableError(f"the hub has no such dataset, or not for you; {remedy}") from None
    except (errors.HTTPError, OSError) as error:
        download = f"hf download {repository} --repo-type dataset --revision {REVISION}"
        raise TableError(
            f"the hub cannot be reached ({type(error).__name__}); where it can, run `{download} "
            "--local-dir DIR`, and give the folder DIR"
        ) from None
