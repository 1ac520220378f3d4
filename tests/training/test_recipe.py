"""A recipe says everything a run needs, and a wrong one says what is wrong."""

from pathlib import Path
from typing import get_args

import pytest

from model.bundle import KINDS
from tables.remote_table import RemoteTable
from training.recipe import Kind, RecipeError, read_recipe

SHORTEST = """
[data]
files = ["rows.csv"]
[[task]]
name = "intent"
kind = "single"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "short.toml"
    path.write_text(text)
    return path


def test_all_but_data_and_task_has_defaults(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, SHORTEST))
    assert recipe.name == "short"
    assert recipe.base == "sentence-transformers/all-MiniLM-L6-v2"
    assert recipe.data.files[0].path == tmp_path / "rows.csv"
    assert recipe.tasks[0].column == "intent"
    assert recipe.student.layers is None
    assert recipe.quantize.max_drop == 0.3


def test_an_address_is_no_path_from_the_recipes_folder(tmp_path: Path) -> None:
    files = 'files = ["bq://p.d.t", {path = "hf://o/n#train", split = "test"}, "bq.csv"]'
    data = read_recipe(written(tmp_path, SHORTEST.replace('files = ["rows.csv"]', files))).data
    table, dataset = RemoteTable("bq://p.d.t"), RemoteTable("hf://o/n#train")
    assert [file.path for file in data.files] == [table, dataset, tmp_path / "bq.csv"]
    assert data.files[1].split == "test"


def test_the_shipped_recipes_read() -> None:
    for path in Path("training/recipes").glob("*.toml"):
        assert read_recipe(path).tasks, path


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            ("[data]", "[dat]"),
            r"dat: unknown key; did you mean 'data'\?",
        ),
        (
            ('files = ["rows.csv"]', "files = []"),
            r"\[data\] files: \[\]; give a list of at",
        ),
        (('["rows.csv"]', "[{path = 3}]"), r"\[data\] files path: 3; give a string"),
        (
            ('["rows.csv"]', '[{path = "a.csv", split = "dev"}]'),
            "split: 'dev'; give 'train', 'val",
        ),
        (
            ('kind = "single"', 'kind = "sole"'),
            "intent kind: 'sole'; give 'single' or 'multi'$",
        ),
        (('kind = "single"', ""), "intent kind: missing; give 'single' or 'multi'"),
        (("[[task]]", "[student]\nlayer = 3\n[[task]]"), r"did you mean 'layers'\?"),
        (("[[task]]", "[student]\nlayers = 0\n[[task]]"), "layers: 0; give a number above 0"),
        (("[[task]]", "[student]\nalpha = 2\n[[task]]"), "alpha: 2; give 1 or less"),
        (("[[task]]", "[teacher]\nepochs = 'ten'\n[[task]]"), "epochs: 'ten'; give a whole number"),
        (
            ("[[task]]", '[teacher]\nattention = "causal"\n[[task]]'),
            "give 'independent' or 'joint'",
        ),
        (("[[task]]", "[sweep]\nwidths = 256\n[[task]]"), "widths: 256; give a list"),
        (("[[task]]", "[sweep]\nlayers = [3, 0]\n[[task]]"), "layers: 0; give a number above 0"),
        (
            ("[[task]]", '[sweep]\nprecisions = ["int4"]\n[[task]]'),
            "'int4'; give 'fp32' or 'int8'$",
        ),
        (
            ("[[task]]", "[sweep]\nthreads = []\n[[task]]"),
            r"threads: \[\]; give a list of at",
        ),
        (
            ('kind = "single"', 'kind = "multi"\nmax_cost = { other = 1.0 }'),
            "intent max_cost: only a task of kind 'single' takes it",
        ),
        (
            ('kind = "single"', 'kind = "single"\nmin_recall = { other = 1.0 }'),
            "intent min_recall other: 1.0; give a number below 1",
        ),
        (
            ('kind = "single"', 'kind = "single"\nmin_recall = 0.5'),
            "intent min_recall: 0.5; give a table, {name = value}",
        ),
        (("[data]", 'name = "a/b"\n[data]'), "name: 'a/b'; give letters"),
        (('"intent"', '"a/b"'), r"\[\[task\]\] a/b name: has a `/`, which a path of the server"),
        (("[data]", "[data"), "not valid TOML"),
        (
            ("[data]", "[pretrain]\n[data]"),
            r"\[pretrain\] files: missing; give a list",
        ),
        (("[data]", "[data]\nmax_tokens = 2"), "max_tokens: 2; give 8 or more"),
        (("[[task]]", "[student]\nsparsity = 0.5\n[[task]]"), "sparsity: this key is gone, since"),
        (("[[task]]", "[student]\nlayers = 3.0\n[[task]]"), "layers: 3.0; give a whole number"),
        (("[[task]]", "[student]\nalpha = nan\n[[task]]"), "alpha: nan; give a finite number"),
        (("[[task]]", "[student]\nseed = true\n[[task]]"), "seed: True; give a whole number"),
        (("[data]", "student = 3\n[data]"), "student: 3; give a table"),
        (('["rows.csv"]', "[3]"), r'files: 3; give "path" or {path = "...", ...}$'),
        (
            ("[[task]]", "[quantize]\nblock_size = 48\n[[task]]"),
            "block_size: 48; give a power of two",
        ),
    ],
)
def test_a_wrong_recipe_names_the_key_and_what_it_takes(
    tmp_path: Path, edit: tuple[str, str], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(written(tmp_path, SHORTEST.replace(*edit)))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = SHORTEST + "[student]\nlayers = 0\nlayer = 1\n[quantize]\nembedding_bits = 3\n"
    with pytest.raises(RecipeError) as error:
        read_recipe(written(tmp_path, text))
    assert str(error.value).splitlines() == [
        f"{tmp_path}/short.toml: [student] layers: 0; give a number above 0",
        "  [student] layer: unknown key; did you mean 'layers'?",
        "  [quantize] embedding_bits: 3; give 4 or 8",
    ]


def test_kinds_are_those_of_a_bundle() -> None:
    assert get_args(Kind) == KINDS


def test_two_tasks_may_not_share_a_name(tmp_path: Path) -> None:
    text = SHORTEST + '[[task]]\nname = "intent"\nkind = "multi"\n'
    with pytest.raises(RecipeError, match="two tasks share a name"):
        read_recipe(written(tmp_path, text))


def test_a_missing_recipe_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.toml: No such file or directory; give the path"):
        read_recipe(tmp_path / "none.toml")
