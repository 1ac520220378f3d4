"""What counts as a change of a stage's code, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.stage_code import code_digests, digest_and_imports
from training.stages import STAGES

FILES = {
    "house/__init__.py": "",
    "house/stage.py": (
        '"""Makes it."""\nimport json\nfrom house import parts\nfrom house.parts import LIMIT\n\n\n'
        "def run():\n    from house.late import finish\n\n    return finish(LIMIT)\n"
    ),
    "house/parts.py": 'LIMIT = 3\n"""Most of them."""\n',
    "house/late.py": "def finish(limit):\n    return limit\n",
    "house/other.py": "UNUSED = 1\n",
    "training/recipe.py": "DEFAULT = 1\n",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def edited(house: Path, name: str, old: str, new: str) -> set[str]:
    """The files whose digests change when one is edited."""
    digest_and_imports.cache_clear()
    before = code_digests("house.stage", house)
    path = house / name
    path.write_text(path.read_text().replace(old, new))
    digest_and_imports.cache_clear()
    after = code_digests("house.stage", house)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_all_that_a_module_imports_counts_also_what_it_imports_late(house: Path) -> None:
    assert list(code_digests("house.stage", house)) == [
        "house/__init__.py",
        "house/late.py",
        "house/parts.py",
        "house/stage.py",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("house/stage.py", '"""Makes it."""', '"""Makes another."""'),
        ("house/stage.py", "def run():", "def run():\n    # for every row"),
        ("house/parts.py", "LIMIT = 3", "LIMIT   =   3  # rows"),
        ("house/parts.py", '"""Most of them."""', ""),
        ("house/other.py", "1", "2"),
    ],
)
def test_words_format_and_other_files_do_not_count(
    house: Path, name: str, old: str, new: str
) -> None:
    assert edited(house, name, old, new) == set()


def test_a_change_is_told_by_its_file(house: Path) -> None:
    assert edited(house, "house/parts.py", "3", "4") == {"house/parts.py"}
    assert edited(house, "house/late.py", "return limit", "return -limit") == {"house/late.py"}
    imports = "import json\nimport training.recipe\nimport house.other"
    assert edited(house, "house/stage.py", "import json", imports) == {
        "house/stage.py",
        "house/other.py",
    }, "the values of a recipe count, and not its code"


def test_every_stage_depends_on_its_module_and_on_how_rows_are_read() -> None:
    for stage in STAGES:
        digests = code_digests(stage.module)
        assert f"{stage.module.replace('.', '/')}.py" in digests, stage.name
        assert "training/rows/table.py" in digests, stage.name
        assert "training/pipeline.py" not in digests, stage.name
        assert "training/recipe.py" not in digests, stage.name
