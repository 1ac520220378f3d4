"""A TOML file as a dataclass: every fault with its key, its value and what to give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from tables.toml_file import Section, TomlError, read_toml


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


def test_what_depends_on_the_file_is_completed_before_it_is_checked(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    kitchen = read_toml(Kitchen, path, lambda document: {"ovens": [{"heat": 1}], **document})
    assert kitchen.ovens == (Oven(1),)


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


def test_what_is_no_toml_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(TomlError, match=r"kitchen\.toml: not valid TOML: "):
        read_toml(Kitchen, written(tmp_path, "[ovens"))
    with pytest.raises(TomlError, match="Is a directory; give the path of a"):
        read_toml(Kitchen, tmp_path)
