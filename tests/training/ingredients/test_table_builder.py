"""Is the shipped table what its data card says? Everything here reads the table itself."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from training.ingredients import build, transfer
from training.ingredients.families import assign_splits, merge_families
from training.ingredients.lexicon import Lexicon
from training.ingredients.names import CATEGORIES, SLICES, SOURCES, Name, labels, seeded, words
from training.ingredients.off import Tree
from training.ingredients.phrases import Writer, compose
from training.ingredients.sources import REQUIRED, are_there, cells, packed
from training.ingredients.usda import single_food
from training.recipe import SPLITS
from training.rows.splits import group_key, normalise

SOURCES_FOLDER = Path(__file__).parents[4] / "shared" / "data"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def table() -> list[Row]:
    with gzip.open(build.OUT, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    """Only the hand-written names: enough for what needs a few known foods."""
    return Lexicon([], frozenset())


def food(text: str, *category: str, entry: str = "e", source: str = "plant") -> Name:
    return Name(text, True, source, tuple(sorted(category)), entry, "names", "test")


# What the table holds


def test_columns_and_labels_are_exactly_the_declared_ones(table: list[Row]) -> None:
    columns = {"text", "ingredient", "source", "category", "split", "entry", "slice"}
    assert {frozenset(row) for row in table} == {frozenset(columns)}
    assert {row["ingredient"] for row in table} == {"ingredient", "not_ingredient"}
    assert {row["source"] for row in table} == {*SOURCES, None}
    assert {label for row in table for label in row["category"] or ()} == set(CATEGORIES)
    assert {row["split"] for row in table} == set(SPLITS)
    assert {row["slice"] for row in table} == set(SLICES)


def test_no_group_straddles_splits(table: list[Row]) -> None:
    splits_of = defaultdict(set)
    for row in table:
        splits_of[row["entry"]].add(row["split"])
    assert [entry for entry, splits in splits_of.items() if len(splits) > 1] == []


def test_texts_of_the_same_letters_do_not_straddle_splits(table: list[Row]) -> None:
    splits_of = defaultdict(set)
    for row in table:
        if row["slice"] != "handwritten":
            splits_of[row["ingredient"], group_key(row["text"])].add(row["split"])
    assert [key for key, splits in splits_of.items() if len(splits) > 1] == []


def test_every_text_is_there_once_whatever_its_case_and_spaces(table: list[Row]) -> None:
    counts = Counter(normalise(row["text"]) for row in table)
    assert [text for text, count in counts.items() if count > 1 or not text] == []


def test_every_handwritten_text_is_tested_and_never_trained_on(table: list[Row]) -> None:
    written = {normalise(row["text"]) for row in cells(build.HANDWRITTEN)}
    splits_of = {normalise(r["text"]): (r["split"], r["slice"]) for r in table}
    assert {splits_of.get(text) for text in written} == {("test", "handwritten")}


def test_what_is_no_ingredient_has_no_source_and_an_empty_category(table: list[Row]) -> None:
    for row in table:
        if row["ingredient"] == "not_ingredient":
            assert (row["source"], row["category"]) == (None, []), row
        else:
            assert row["category"] != [], row


def test_the_table_is_balanced_and_affordable(table: list[Row]) -> None:
    train = [row for row in table if row["split"] == "train"]
    assert 32_000 <= len(train) <= 36_000
    share = sum(row["ingredient"] == "ingredient" for row in train) / len(train)
    assert 0.6 <= share <= 0.7
    labels_held = Counter(label for row in train for label in row["category"] or ())
    assert {label: n for label, n in labels_held.items() if n < 200} == {}
    for split in ("validation", "test"):
        counts = Counter(row["slice"] for row in table if row["split"] == split)
        for title in ("names", "phrases", "negatives", "hard_negatives"):
            assert counts[title] >= 250, (split, title)
    assert build.OUT.stat().st_size < 1_500_000


@pytest.mark.parametrize(
    ("text", "source", "category"),
    [
        ("honey", "animal_product", ["sweetener"]),
        ("gelatin", "animal", ["additive"]),
        ("lard", "animal", ["fat_oil"]),
        ("pork lard", "animal", ["fat_oil"]),
        ("salt", "other", ["mineral"]),
        ("nori", "other", ["algae"]),
        ("agar", "other", ["additive", "algae"]),
        ("mushrooms", "other", ["mushroom"]),
        ("yeast", "other", ["additive"]),
        ("parmesan", "animal_product", ["dairy"]),
        ("olive oil", "plant", ["fat_oil"]),
        ("butter", "animal_product", ["dairy", "fat_oil"]),
        ("pine nuts", "plant", ["nut", "seed"]),
        ("peanut butter", "plant", ["legume", "nut"]),
        ("chickpea flour (besan)", "plant", ["legume"]),
        ("cumin seeds", "plant", ["seed", "spice"]),
        ("rapeseed", "plant", ["seed"]),
        ("orange juice", "plant", ["beverage", "fruit"]),
        ("lime juice", "plant", ["fruit"]),
        ("sparkling water", "other", ["beverage", "mineral"]),
        ("fish sauce", "animal", ["condiment", "seafood"]),
        ("mayonnaise", None, ["condiment"]),
        ("milk chocolate", None, ["cocoa"]),
        ("lambs' kidneys", "animal", ["meat"]),
        ("eggs", "animal_product", ["egg"]),
        ("citric acid", "other", ["additive"]),
        ("pectin", "plant", ["additive"]),
        ("xanthan gum", "other", ["additive"]),
        ("vanilla extract", "plant", ["flavouring"]),
        ("red wine", "plant", ["alcohol"]),
        ("beet", "plant", ["vegetable"]),
        ("cherry", "plant", ["fruit"]),
        ("tangerine", "plant", ["fruit"]),
        ("durian", "plant", ["fruit"]),
        ("turnip", "plant", ["vegetable"]),
        ("manchego", "animal_product", ["dairy"]),
        ("casein", "animal_product", ["dairy"]),
        ("curds", "animal_product", ["dairy"]),
        ("caviar", "animal", ["seafood"]),
        ("lager", "plant", ["alcohol"]),
        ("cider", "plant", ["alcohol"]),
        ("matzah", "plant", ["bakery"]),
        ("gochujang paste", "plant", ["condiment"]),
        ("butter knife", None, []),
        ("coffee table", None, []),
        ("apple tree", None, []),
        ("foxglove", None, []),
    ],
)
def test_labels_that_nobody_disputes(
    table: list[Row], text: str, source: str | None, category: list[str]
) -> None:
    rows = [row for row in table if normalise(row["text"]) == text]
    assert [(row["source"], row["category"]) for row in rows] == [(source, category)]


def test_spellings_of_one_name_have_one_label_in_the_single_label_tasks(table: list[Row]) -> None:
    for task in ("ingredient", "source"):
        labels_of = defaultdict(set)
        for row in table:
            labels_of[words(row["text"])].add(row[task])
        assert {key: found for key, found in labels_of.items() if key and len(found) > 1} == {}


@pytest.mark.parametrize("text", ["lasagne al forno", "chili con carne", "apple pie", "martini"])
def test_a_dish_has_no_row_that_guesses_its_label(table: list[Row], text: str) -> None:
    assert [row for row in table if normalise(row["text"]) == text] == []


@pytest.mark.parametrize("text", ["thickener", "coating", "no11", "glazing agent", "cow", "juice"])
def test_words_for_functions_are_neither_ingredient_nor_negative(
    table: list[Row], text: str
) -> None:
    assert [row for row in table if normalise(row["text"]) == text] == []


@pytest.mark.parametrize("text", ["salt", "onions", "chicken", "butter", "honey", "rice"])
def test_a_staple_is_trained_on_unless_it_is_handwritten(table: list[Row], text: str) -> None:
    (row,) = [row for row in table if normalise(row["text"]) == text]
    assert row["split"] == "train" or row["slice"] == "handwritten"


# How it is made


def test_relatives_by_words_become_one_family() -> None:
    names = [
        food("Cheese, blue", "dairy", entry="a"),
        food("blue cheese", "dairy", entry="b"),
        food("Brie", "dairy", entry="c"),
    ]
    assert [name.entry for name in merge_families(names)] == ["a", "a", "c"]


def test_relatives_are_not_made_of_food_and_what_is_no_food() -> None:
    thing = Name("salmon pink", False, None, (), "not:pink", "negatives", "test")
    names = [food("pink salmon", "seafood", entry="off:salmon"), thing]
    assert [name.entry for name in merge_families(names)] == ["off:salmon", "not:pink"]


def test_staples_train_and_families_are_held_out_whole() -> None:
    names = [food(f"fruit {i} {j}", "fruit", entry=f"f{i}") for i in range(400) for j in range(3)]
    names.append(food("chicken", "meat", entry="bird", source="animal"))
    splits = assign_splits(names)
    assert splits["bird"] == "train"
    counts = Counter(splits[f"f{i}"] for i in range(400))
    assert 28 <= counts["test"] <= 52  # a tenth, give or take two deviations
    assert 21 <= counts["validation"] <= 43


def test_new_names_move_no_family_to_another_split() -> None:
    names = [food(f"fruit {i}", "fruit", entry=f"f{i}") for i in range(200)]
    more = [food(f"nut {i}", "nut", entry=f"n{i}") for i in range(50)]
    before, after = assign_splits(names), assign_splits([*more, *names])
    assert {entry: after[entry] for entry in before} == before


def test_a_phrase_keeps_labels_family_and_words_of_its_name() -> None:
    names = [food("zucchini", "vegetable", entry="z"), food("quark", "dairy", entry="q")]
    written = compose(names, 60, "phrases", "seed")
    assert len(written) > 30
    for phrase in written:
        (name,) = [n for n in names if n.entry == phrase.entry]
        assert (phrase.source, phrase.category) == (name.source, name.category)
        assert phrase.slice == "phrases"
    plain = [p for p in written if "zucchini" in p.text or "quark" in p.text]
    assert len(plain) > len(written) * 0.6


def test_phrases_do_not_depend_on_what_else_is_written() -> None:
    one = food("zucchini", "vegetable")
    assert [Writer().phrase(one, seeded(i)) for i in range(5)] == [
        Writer().phrase(one, seeded(i)) for i in range(5)
    ]


@pytest.mark.parametrize(
    ("description", "group", "texts"),
    [
        (
            "Beef, ground, 80% lean meat, raw",
            "Beef Products",
            ["Beef, ground, 80% lean meat, raw", "ground beef 80% lean meat raw"],
        ),
        ("Fish, cod, raw", "Fish", ["Fish, cod, raw", "raw cod"]),
        ("Beef, corned beef hash, with potato", "Beef Products", []),
        ("HORMEL ALWAYS TENDER, Pork Loin Filets", "Pork Products", []),
        ("Pizza, cheese", "Pizza", []),
    ],
)
def test_usda_descriptions_are_spoken_or_left_out(
    lexicon: Lexicon, description: str, group: str, texts: list[str]
) -> None:
    names = single_food(description, group, lexicon)
    assert [name.text for name in names] == texts


def test_a_family_is_found_inside_a_name() -> None:
    salmon = Name("Salmon", True, "animal", ("seafood",), "off:salmon", "names", "off")
    lexicon = Lexicon([salmon], frozenset())
    assert lexicon.family("smoked salmon fillets") == "off:salmon"
    assert lexicon.known["salmon fillets"].entry == "off:salmon"


def test_the_nearest_labelled_ancestor_decides_and_the_head_of_a_name_overrules() -> None:
    tree = Tree(
        {
            "en:seed": {"vegan": {"en": "yes"}},
            "en:sunflower-seed": {"parents": ["en:seed"]},
            "en:pressed": {"parents": ["en:sunflower-seed"]},
            "en:dairy": {"vegan": {"en": "no"}, "vegetarian": {"en": "maybe"}},
            "en:odd-cheese": {"parents": ["en:dairy"]},
            "en:e999x": {"vegan": {"en": "yes"}},
        }
    )
    assert tree.label("en:sunflower-seed", "Sunflower seed") == (("seed",), "plant")
    assert tree.label("en:pressed", "Sunflower oil") == (("fat_oil",), "plant")
    assert tree.label("en:odd-cheese", "Odd cheese") == (("dairy",), "animal_product")
    assert tree.label("en:e999x", "E999x") == (("additive",), "other")
    families = tree.families
    assert families["en:sunflower-seed"] == families["en:pressed"] != families["en:seed"]


def test_an_unknown_label_names_itself() -> None:
    with pytest.raises(ValueError, match=r"unknown category 'diary' in 'diary\|egg'"):
        labels("diary|egg")


def test_a_missing_source_names_the_file_and_its_place_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "table.jsonl.gz"
    assert build.main(["--sources", str(tmp_path), "--out", str(out)]) == 2
    printed = capsys.readouterr().err.splitlines()
    assert len(printed) == len(REQUIRED)
    for line, (name, place) in zip(printed, REQUIRED.items(), strict=True):
        assert line == f"missing {tmp_path / name}: get it from {place}"
    assert not out.exists()


def test_packing_the_same_rows_gives_the_same_bytes() -> None:
    rows: list[Row] = [{"text": "crème brûlée", "category": None}]
    content = packed(rows)
    assert content == packed(rows)
    assert content[4:8] == b"\0\0\0\0", "a time stamp in the gzip header"
    assert json.loads(gzip.decompress(content)) == rows[0]


@pytest.mark.slow
def test_building_again_gives_the_shipped_bytes(tmp_path: Path) -> None:
    if not are_there(SOURCES_FOLDER, REQUIRED):
        pytest.skip(f"NOT CHECKED that the table can be rebuilt: no sources in {SOURCES_FOLDER}")
    out = tmp_path / "table.jsonl.gz"
    assert build.main(["--sources", str(SOURCES_FOLDER), "--out", str(out)]) == 0
    assert gzip.decompress(out.read_bytes()) == gzip.decompress(build.OUT.read_bytes())


@pytest.mark.slow
def test_building_the_transfer_texts_again_gives_the_shipped_ones(tmp_path: Path) -> None:
    if not are_there(SOURCES_FOLDER, transfer.SOURCES):
        pytest.skip(f"NOT CHECKED that transfer.jsonl.gz can be rebuilt: no {SOURCES_FOLDER}")
    out = tmp_path / "transfer.jsonl.gz"
    assert transfer.main(["--sources", str(SOURCES_FOLDER), "--out", str(out)]) == 0
    assert gzip.decompress(out.read_bytes()) == gzip.decompress(transfer.OUT.read_bytes())


def test_a_row_with_more_cells_than_its_header_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.tsv"
    path.write_text("word\tgroup\nspoon\tkitchen tool\nfork\n")
    assert list(cells(path)) == [
        {"word": "spoon", "group": "kitchen tool"},
        {"word": "fork", "group": ""},
    ]
    path.write_text("word\tgroup\nspoon\tkitchen\ttool\n")
    with pytest.raises(ValueError, match=r"list\.tsv line 2: more cells than its header names"):
        list(cells(path))


def test_the_data_card_shows_the_counts_of_the_table(table: list[Row]) -> None:
    card = (build.HERE / "README.md").read_text(encoding="utf-8")
    (shown,) = [block for block in card.split("```")[1::2] if "handwritten" in block]
    assert shown.strip().splitlines() == build.summary(table).splitlines()
