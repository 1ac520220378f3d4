"""A bundle answers in Node as in Python, and refuses what is wrong with it or with a call."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from model.bundle import fingerprint, read_bundle
from model.classifier import Classifier
from tests.clients.comparison import assert_same_answers, labels_of, scores_of
from tests.clients.javascript import CLIENT, ROOT, node_command, run_node, served
from tests.clients.odd_texts import odd_texts
from tests.docs_text import PAGES, fenced

pytestmark = pytest.mark.js
OPTIONS: list[dict[str, Any]] = [
    {},
    {"tasks": ["source"]},
    {"tasks": ["category", "ingredient", "category"]},
    {"topK": 2, "minScore": {"source": 0.1, "category": 0.9}},
    {"topK": 99, "tasks": ["source"]},
    {"minScore": {"ingredient": 1}},
]
FEW = ["raw honey", "butter knife", "Crème fraîche", "salt " * 500, "", "[CLS] [SEP]"]
WRONG_CALLS: list[tuple[Any, Any, str]] = [
    ("raw honey", {}, "TypeError: texts is one string; send a list of strings"),
    (None, {}, "TypeError: texts is null; send a list of strings"),
    ({"0": "a"}, {}, "TypeError: texts is a value of type object; send a list of strings"),
    (["a", 3], {}, "TypeError: texts[1] is 3; send a list of strings"),
    (["a", ["b"]], {}, "TypeError: texts[1] is a list; send a list of strings"),
    ([""], {"tasks": "source"}, 'TypeError: tasks is "source"; send a list with some of: '),
    ([""], {"tasks": []}, "TypeError: tasks is an empty list; send a list with some of: "),
    ([""], {"tasks": ["source", "x"]}, 'RangeError: unknown tasks: "x"; this bundle knows: '),
    ([], {"minScore": {"x": 1}}, 'RangeError: unknown tasks: "x"; this bundle knows: '),
    ([""], {"minScore": {"source": "1"}}, 'TypeError: minScore.source is "1"; send a number'),
    ([""], {"minScore": 1}, "TypeError: minScore is 1; send an object of numbers by task"),
    ([""], {"topK": 0}, "RangeError: topK is 0; ask for 1 label or more"),
    ([""], {"topK": 1.5}, "RangeError: topK is 1.5; ask for 1 label or more"),
    ([""], {"top_k": 2}, "TypeError: unknown option top_k; there are tasks, topK, minScore"),
    ([""], 2, "TypeError: options is 2; send an object with some of: tasks, topK, minScore"),
]


def call_node(bundle: str | Path, *calls: tuple[Any, Any]) -> Any:
    request = [{"texts": texts, "options": options} for texts, options in calls]
    return run_node("node_calls.js", {"bundle": str(bundle), "calls": request})


# Answers


def test_the_whole_test_split(
    bundle_path: Path, classifier: Classifier, held_out_texts: list[str]
) -> None:
    assert len(held_out_texts) > 4000
    outcome = call_node(bundle_path, (held_out_texts, {}))
    assert outcome["identity"] == classifier.bundle.identity
    assert_same_answers(outcome["answers"][0], classifier, held_out_texts)


def test_the_whole_test_split_by_standard_operators(
    standard_path: Path, held_out_texts: list[str]
) -> None:
    outcome = call_node(standard_path, (held_out_texts, {}))
    assert_same_answers(outcome["answers"][0], Classifier.load(standard_path), held_out_texts)


def test_standard_operators_change_few_labels_and_no_score_by_much(
    standard_path: Path, classifier: Classifier, held_out_texts: list[str]
) -> None:
    copied = Classifier.load(standard_path).predict(held_out_texts)
    original = classifier.predict(held_out_texts)
    labels = zip(labels_of(copied), labels_of(original), strict=True)
    same = [index for index, (copy, first) in enumerate(labels) if copy == first]
    assert len(same) > 0.99 * len(held_out_texts)
    assert scores_of([copied[index] for index in same]) == pytest.approx(
        scores_of([original[index] for index in same]), abs=0.03
    )


def test_every_option(bundle_path: Path, classifier: Classifier) -> None:
    outcome = call_node(bundle_path, *((FEW, options) for options in OPTIONS))
    assert [task["name"] for task in outcome["tasks"]] == [
        task.name for task in classifier.bundle.tasks
    ]
    for answers, options in zip(outcome["answers"], OPTIONS, strict=True):
        assert_same_answers(answers, classifier, FEW, options)


def test_odd_texts(standard_path: Path) -> None:
    texts = odd_texts(600, seed=1)
    (answers,) = call_node(standard_path, (texts, {"topK": 3}))["answers"]
    assert_same_answers(answers, Classifier.load(standard_path), texts, {"topK": 3})


def test_no_text(bundle_path: Path) -> None:
    (answers,) = call_node(bundle_path, ([], {}))["answers"]
    assert answers == {"predictions": [], "truncated": [], "tokens": 0}


def test_a_bundle_at_an_address(classifier: Classifier) -> None:
    with served({}) as address:
        (answers,) = call_node(f"{address}/model/ingredients", (FEW, {}))["answers"]
    assert_same_answers(answers, classifier, FEW)


@pytest.mark.parametrize("part", ["tail", "head_tail"])
def test_the_part_of_long_texts_that_the_bundle_says(
    copy: Path, held_out_texts: list[str], part: str
) -> None:
    manifest = json.loads((copy / "bundle.json").read_text("utf-8"))
    (copy / "bundle.json").write_text(json.dumps({**manifest, "long_texts": part}))
    texts = [" ".join(held_out_texts[start : start + 20]) for start in range(0, 400, 20)]
    (answers,) = call_node(copy, (texts, {}))["answers"]
    assert answers["truncated"] == list(range(len(texts)))
    assert_same_answers(answers, Classifier.load(copy), texts)


# Refusals


def test_a_wrong_call_is_told_what_to_send(bundle_path: Path) -> None:
    outcome = call_node(bundle_path, *((texts, options) for texts, options, _ in WRONG_CALLS))
    for (texts, options, message), answer in zip(WRONG_CALLS, outcome["answers"], strict=True):
        assert answer.get("error", "").startswith(message), (texts, options, answer)


@pytest.fixture
def copy(bundle_path: Path, tmp_path: Path) -> Path:
    """A bundle to change."""
    return Path(shutil.copytree(bundle_path, tmp_path / "bundle"))


def refusal(bundle: Path) -> str:
    return str(call_node(bundle)["error"])


def change(bundle: Path, name: str, text: str) -> None:
    """Give a file other bytes, which bundle.json vouches for."""
    (bundle / name).write_text(text, encoding="utf-8")
    manifest = json.loads((bundle / "bundle.json").read_text("utf-8"))
    manifest["files"][name] = fingerprint(bundle / name)
    (bundle / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_every_damaged_file_is_named(copy: Path) -> None:
    (copy / "README.md").unlink()
    tokenizer = (copy / "tokenizer.json").read_bytes()
    (copy / "tokenizer.json").write_bytes(tokenizer.replace(b"[UNK]", b"[unk]"))
    (copy / "model.onnx").write_bytes(b"short")
    size = read_bundle(ROOT / "model" / "ingredients").path.joinpath("model.onnx").stat().st_size
    message = refusal(copy)
    assert message.startswith(f"BundleError: {copy}: ")
    assert f"model.onnx: 5 bytes, bundle.json says {size}" in message
    assert "tokenizer.json: its sha256 is not the one in bundle.json" in message
    assert "README.md: ENOENT" in message


def test_what_is_no_bundle(tmp_path: Path) -> None:
    assert "bundle.json: ENOENT" in refusal(tmp_path)
    (tmp_path / "bundle.json").write_text('{"format": 1', encoding="utf-8")
    assert "bundle.json: not JSON" in refusal(tmp_path)
    (tmp_path / "bundle.json").write_text('{"format": 2}', encoding="utf-8")
    assert "bundle.json: format is 2, this version reads format 1" in refusal(tmp_path)


def test_a_place_without_a_bundle() -> None:
    with served({}) as address:
        message = str(call_node(f"{address}/none")["error"])
    assert f"bundle.json: 404 File not found at {address}/none/bundle.json" in message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("max_tokens", 2, "bundle.json: max_tokens must be an integer of 3 or more"),
        ("long_texts", "all", "bundle.json: long_texts must be one of head, tail, head_tail"),
        ("tasks", [], "bundle.json: tasks must be a list of tasks"),
        ("temperature", 0, "tasks[1]: temperature must be a positive number"),
        ("labels", ["a", "a"], "tasks[1]: labels must be different non-empty strings"),
        ("thresholds", [0.5], "tasks[1]: thresholds must be null (single)"),
        ("control_id", 7, "tasks: control_id values must be one contiguous range"),
        ("name", "ingredient", "tasks: two tasks share a name"),
    ],
)
def test_a_wrong_manifest_names_the_key(copy: Path, key: str, value: Any, message: str) -> None:
    manifest = json.loads((copy / "bundle.json").read_text("utf-8"))
    (manifest if key in ("max_tokens", "long_texts", "tasks") else manifest["tasks"][1])[key] = (
        value
    )
    (copy / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert message in refusal(copy)


def test_another_tokenizer_is_named(copy: Path) -> None:
    description = json.loads((copy / "tokenizer.json").read_text("utf-8"))
    description["model"]["type"] = "Unigram"
    description["normalizer"] = None
    change(copy, "tokenizer.json", json.dumps(description))
    message = refusal(copy)
    assert "tokenizer.json: its model is Unigram, supported: WordPiece" in message
    assert "its normalizer is none, supported: BertNormalizer" in message


def test_parts_that_do_not_belong_together(copy: Path) -> None:
    manifest = json.loads((copy / "bundle.json").read_text("utf-8"))
    manifest["tasks"][0]["labels"].append("another")
    (copy / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    labels = sum(len(task["labels"]) for task in manifest["tasks"])
    assert f"gives {labels - 1} logits, bundle.json names {labels} labels" in refusal(copy)
    change(copy, "model.onnx", "no graph")
    assert "model.onnx: cannot be opened: " in refusal(copy)


# The package


def test_the_lines_of_the_docs(tmp_path: Path) -> None:
    ((_, lines),) = fenced("js")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "polyhead").symlink_to(CLIENT)
    (tmp_path / "lines.mjs").write_text(lines, encoding="utf-8")
    done = subprocess.run(
        [node_command(), str(tmp_path / "lines.mjs")],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.split() == re.findall(r"// (\w+)$", lines, re.MULTILINE)


def test_the_types_name_what_there_is() -> None:
    types = (CLIENT / "index.d.ts").read_text("utf-8")
    code = (CLIENT / "classifier.js").read_text("utf-8")
    declared = re.search(r"^export class Classifier \{\n(.*?)^\}", types, re.DOTALL | re.MULTILINE)
    assert declared
    names = set(re.findall(r"^  (?:readonly )?([a-z]\w+)[(:]", declared[1], re.MULTILINE))
    assert names == {"identity", "tasks", "predict", "predictDetailed", "release"}
    for name in names:
        assert re.search(rf"^  (?:get |async )?{name}\(|this\.{name} =", code, re.MULTILINE), name


def test_the_package_pins_what_it_needs() -> None:
    package = json.loads((CLIENT / "package.json").read_text("utf-8"))
    locked = json.loads((CLIENT / "package-lock.json").read_text("utf-8"))["packages"]
    assert package["peerDependencies"] == package["devDependencies"]
    for name, version in package["peerDependencies"].items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert f"{name}@{version}" in PAGES["docs/javascript.md"]
