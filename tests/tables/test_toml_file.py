"""A TOML file as a dataclass: every fault with its key, its value and what to give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy
import pytest
from pydantic import Field

from tables.toml_file import Section, TomlError, read_toml, validated


@dataclass(frozen=True)
class Oven(Section):
    heat: Annotated[int, Field(gt=0)]
    mode: Literal["fan", "grill"] = "fan"


@dataclass(frozen=True)
class Kitchen(Section):
    ovens: tuple[Oven, ...]
    light: float = 0.5


def written(folder: Path, text: str) -> Path:
    path = folder / "kitchen.toml"
    path.write_text(text)
    return path


def test_lists_are_tuples_and_tables_are_sections(tmp_path: Path) -> None:
    path = written(tmp_path, 'light = 1\n[[ovens]]\nheat = 200\nmode = "grill"\n')
    assert read_toml(Kitchen, path) == Kitchen((Oven(200, "grill"),), 1.0)


def test_a_document_made_in_python_is_checked_like_one_of_a_file() -> None:
    assert validated(Kitchen, {"ovens": ({"heat": numpy.int64(1)},)}, "here") == Kitchen((Oven(1),))
    with pytest.raises(TomlError, match=r"^here: \[\[ovens\]\] 1 heat: '9'; give a whole number$"):
        validated(Kitchen, {"ovens": [{"heat": Path("9")}]}, "here")


def test_every_fault_has_a_line(tmp_path: Path) -> None:
    text = 'light = true\ndoor = 1\n[[ovens]]\nheat = "hot"\nmode = "gas"\n[[ovens]]\nheet = 3\n'
    with pytest.raises(TomlError) as error:
        read_toml(Kitchen, written(tmp_path, text), hints={"door": "doors are gone"})
    assert str(error.value).splitlines() == [
        f"{tmp_path}/kitchen.toml: [[ovens]] 1 heat: 'hot'; give a whole number",
        "  [[ovens]] 1 mode: 'gas'; give 'fan' or 'grill'",
        "  [[ovens]] 2 heat: missing; give a value",
        "  [[ovens]] 2 heet: unknown key; did you mean 'heat'?",
        "  light: True; give a number",
        "  door: doors are gone",
    ]


def test_a_key_of_another_section_says_which_one(tmp_path: Path) -> None:
    with pytest.raises(TomlError, match=r"heat: unknown key; it is one of \[\[ovens\]\]$"):
        read_toml(Kitchen, written(tmp_path, "heat = 1\novens = []\n"))


def test_what_is_no_toml_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(TomlError, match=r"kitchen\.toml: not valid TOML: "):
        read_toml(Kitchen, written(tmp_path, "[ovens"))
    with pytest.raises(TomlError, match="Is a directory; give the path of a"):
        read_toml(Kitchen, tmp_path)
