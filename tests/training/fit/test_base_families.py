"""A base of each family: its texts are cut and read as it reads them, and its network answers alike
in torch and in the graph. The bases are small, made of local text; references are the libraries'.
"""

from __future__ import annotations

import json
import shutil
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoModel

from model.encoding import graph_inputs
from training.base import check_size, resolve_base
from training.distil.like_words import LikeWords
from training.distil.shrink import with_attention_heads, with_layers, with_neurons, with_width
from training.fit.base_tokenizer import BaseTokenizer
from training.fit.base_weights import read_base
from training.fit.network import from_base, load_network, save_network
from training.fit.pretrain import masking_reader
from training.fit.sentence_vectors import sentence_vectors
from training.fit.vocabulary import NEW, TrimmedVocabulary, trim_vocabulary, whole_vocabulary
from training.quantize.export import export_onnx
from training.recipe import RecipeError, Student
from training.rows.coverage import coverage, unknown_id
from training.studies.small_bases import FAMILIES, FOREIGN, WIDTH, write_small_base

TOLERANCE = 1e-5
MAX_TOKENS, HEAD_SIZES = 60, (2, 4, 5)
LONG = "boneless chicken breast with honey and 12 eggs, salted butter; olive oil & brown sugar"
TEXTS = ("raw honey", "Extra-Virgin olive oil", "Crème brûlée", *FOREIGN, LONG)
UNSEEN = ("quince jelly", "BUTTER knife!", "Ω 7 ÷ ½ litre", "naïve  café\tau lait", "☃ snow")
SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>")
EVERY_TIME = ("xlm-roberta", "modernbert")
"""Families that `make test` tries; the others differ from them or from the usual base in less."""
COLUMNS = np.split(np.arange(sum(HEAD_SIZES)), np.cumsum(HEAD_SIZES)[:-1])
Logits = NDArray[np.float32]


class SmallBase:
    """A base directory, its vocabulary cut to TEXTS, and a network of all of its layers."""

    def __init__(self, family: str, folder: Path) -> None:
        write_small_base(family, folder)
        self.family, self.folder = family, resolve_base(str(folder))
        self.reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.vocabulary: TrimmedVocabulary = trim_vocabulary(folder, TEXTS)
        self.base_ids = self.vocabulary.base_ids
        self.tokenizer = Tokenizer.from_str(self.vocabulary.tokenizer)
        torch.manual_seed(1)
        cls_id = self.tokenizer.encode("").ids[0]
        self.network = from_base(folder, self.base_ids, cls_id, MAX_TOKENS, HEAD_SIZES).eval()
        with torch.no_grad():
            words: Any = self.network.encoder.get_input_embeddings()
            words.weight[-3:] += 0.05 * torch.randn(3, WIDTH)
        self.graph = folder / "graph.onnx"
        export_onnx(self.network, self.graph)
        self.session = onnxruntime.InferenceSession(self.graph)

    def logits(self, texts: tuple[str, ...], tasks: tuple[int, ...]) -> Logits:
        """The graph's [texts, labels of all tasks]."""
        logits: Logits = self.session.run(None, self.inputs(texts, tasks))[0]
        return logits

    def inputs(self, texts: tuple[str, ...], tasks: tuple[int, ...]) -> dict[str, Any]:
        first = self.network.shape.first_control_id
        ids = [self.tokenizer.encode(text).ids for text in texts]
        return graph_inputs(ids, [first + task for task in tasks]).numpy()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(family, marks=[] if family in EVERY_TIME else [pytest.mark.bases])
        for family in FAMILIES
    ],
)
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SmallBase:
    return SmallBase(request.param, tmp_path_factory.mktemp(request.param))


def test_text_is_cut_as_the_base_cuts_it(small: SmallBase) -> None:
    whole = Tokenizer.from_str(whole_vocabulary(small.folder).tokenizer)
    unknown = unknown_id(whole)
    assert small.tokenizer.get_vocab_size() == len(small.base_ids) < whole.get_vocab_size() / 2
    for text in TEXTS:
        expected = small.reference.encode(text).ids
        assert whole.encode(text).ids == expected
        if unknown not in expected:  # what is unknown gets pieces
            ids = small.tokenizer.encode(text).ids
            assert [small.base_ids[place] for place in ids] == expected


def test_what_the_base_could_spell_can_still_be_spelt(small: SmallBase) -> None:
    whole = Tokenizer.from_str(whole_vocabulary(small.folder).tokenizer)
    for text in UNSEEN:
        spelt = [
            "".join(piece.removeprefix("##") for piece in tokenizer.encode(text).tokens)
            for tokenizer in (small.tokenizer, whole)
        ]
        assert spelt[0] == spelt[1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_base_of_half_precision_is_read_in_single(
    small: SmallBase, tmp_path: Path, dtype: torch.dtype
) -> None:
    half = Path(shutil.copytree(small.folder, tmp_path / "half"))
    weights = {
        name: value.to(dtype) for name, value in load_file(half / "model.safetensors").items()
    }
    save_file(weights, half / "model.safetensors", {"format": "pt"})
    config = json.loads((half / "config.json").read_text())
    dtype_name = str(dtype).removeprefix("torch.")
    (half / "config.json").write_text(json.dumps({**config, "dtype": dtype_name}))
    _, read = read_base(half, [*small.base_ids, -1])
    assert {value.dtype for value in read.values() if value.is_floating_point()} == {torch.float32}
    assert sentence_vectors(half, TEXTS, MAX_TOKENS).shape == (len(TEXTS), WIDTH)
    assert LikeWords(half).vectors.dtype == np.float32


def test_no_text_spells_a_special_token(small: SmallBase) -> None:
    special = {
        place
        for place, base_id in enumerate(small.base_ids)
        if base_id != NEW and small.reference.id_to_token(base_id) in SPECIAL
    } - {unknown_id(small.tokenizer)}
    first, last = small.tokenizer.encode("").ids
    assert {first, last} < special
    control = [f"{len(small.base_ids) + task}" for task in range(3)]
    for name in (*SPECIAL, *control):
        for text in (name, f"a {name}b{name}", f" {name}", name * 3, name.upper()):
            ids = small.tokenizer.encode(text).ids
            assert (ids[0], ids[-1]) == (first, last)
            assert not special & {*ids[1:-1]}
            assert max(ids) < small.network.shape.first_control_id


def test_pieces_are_limited_with_all_that_they_are_merged_from(small: SmallBase) -> None:
    most = len(small.base_ids) - 20
    smaller = trim_vocabulary(small.folder, TEXTS, most)
    assert most - 3 <= len(smaller.base_ids) <= most
    filled = trim_vocabulary(small.folder, TEXTS, fewest=1500)
    assert 1490 <= len(filled.base_ids) <= 1500


def test_characters_that_the_base_lacks_are_told_apart(small: SmallBase) -> None:
    texts = ("good 🦄", "so good 🦄", "bad 🥑", "so bad 🥑")
    made = trim_vocabulary(small.folder, texts)
    tokenizer = Tokenizer.from_str(made.tokenizer)
    good, bad = (tokenizer.encode(face).ids for face in ("🦄", "🥑"))
    assert good != bad
    assert coverage(tokenizer, texts, 60).unknown == 0
    on_bytes = small.family in ("roberta", "modernbert")
    assert (NEW in made.base_ids) != on_bytes


@torch.no_grad()
def test_the_network_reads_text_as_the_bases_does(small: SmallBase) -> None:
    """With positions that begin where the base's do, and its windows: LONG has more tokens."""
    reference = AutoModel.from_pretrained(small.folder).eval()
    encoder, shape = small.network.encoder, small.network.shape
    for text in TEXTS:
        ids = small.tokenizer.encode(text).ids
        original = torch.tensor([[small.base_ids[place] for place in ids]])
        if (original == NEW).any():
            continue  # a character that the base lacks
        expected = reference(original).last_hidden_state
        row = torch.tensor([ids])
        positions, visible = small.network.positions(row), torch.ones(1, len(ids), len(ids)).bool()
        hidden = encoder.embed(row, positions)
        for layer in range(shape.encoder["num_hidden_layers"]):
            hidden = encoder.layer_output(layer, hidden, visible, positions)
        torch.testing.assert_close(encoder.final_states(hidden), expected, atol=1e-5, rtol=1e-5)
    long_ids = small.tokenizer.encode(LONG).ids
    assert NEW not in [small.base_ids[place] for place in long_ids]
    assert len(long_ids) > 2 * 8 + 2


@torch.no_grad()
def test_a_masked_model_reads_text_as_the_base_does(small: SmallBase) -> None:
    path = small.folder / "trimmed.json"
    path.write_text(small.vocabulary.tokenizer, encoding="utf-8")
    reader = masking_reader(small.folder, path)
    assert reader.mask_token_id == len(small.base_ids)
    assert reader.pad_token_id < len(small.base_ids)
    config, weights = read_base(small.folder, small.base_ids)
    network = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    network.load_state_dict(weights, strict=False)
    ids = small.tokenizer.encode(LONG).ids
    original = torch.tensor([[small.base_ids[place] for place in ids]])
    expected = AutoModel.from_pretrained(small.folder).eval()(original).last_hidden_state
    read = network.eval()(torch.tensor([ids])).last_hidden_state
    torch.testing.assert_close(read, expected, atol=1e-5, rtol=1e-5)


def test_torch_and_the_graph_agree(small: SmallBase) -> None:
    inputs = small.inputs(TEXTS, (0, 1, 2))
    with torch.no_grad():
        trained = small.network(*map(torch.from_numpy, inputs.values())).numpy()
    np.testing.assert_allclose(small.logits(TEXTS, (0, 1, 2)), trained, atol=TOLERANCE)
    assert np.ptp(trained, axis=0).min() > 100 * TOLERANCE


def test_subset_order_batch_and_padding_change_nothing(small: SmallBase) -> None:
    together = small.logits(TEXTS, (0, 1, 2))
    for tasks in [order for count in (1, 2, 3) for order in permutations(range(3), count)]:
        for text, expected in zip(TEXTS[-3:], together[-3:], strict=True):
            logits = small.logits((text,), tasks)[0]
            for task in tasks:
                columns = COLUMNS[task]
                np.testing.assert_allclose(logits[columns], expected[columns], atol=TOLERANCE)


@torch.no_grad()
def test_parts_that_write_nothing_can_go(small: SmallBase, tmp_path: Path) -> None:
    save_network(small.network, tmp_path)
    network = load_network(tmp_path)
    for layer in network.encoder.encoder.layer:
        layer.output.dense.weight[:, ::2] = 0
        layer.attention.output.dense.weight.view(WIDTH, 4, WIDTH // 4)[:, 1::2] = 0
    smaller = with_attention_heads(with_neurons(network, WIDTH), 2)
    save_network(smaller, tmp_path)
    inputs = [*map(torch.from_numpy, small.inputs(TEXTS, (0, 1, 2)).values())]
    torch.testing.assert_close(load_network(tmp_path)(*inputs), network(*inputs))
    narrow = with_width(network, WIDTH // 2).eval()
    assert narrow(*inputs).shape == (len(TEXTS), sum(HEAD_SIZES))


def test_the_last_layers_state_does_not_depend_on_the_first_ones_place(small: SmallBase) -> None:
    """A student of one layer has the base's last one, with the norms and the window it has."""
    student = with_layers(small.network, 1)
    ours = student.encoder.encoder.layer[0]
    theirs = small.network.encoder.encoder.layer[1]
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value)
    if small.family == "modernbert":
        assert (theirs.window, ours.window, small.network.encoder.encoder.layer[0].window) == (
            8, 8, None,
        )  # fmt: skip


def test_like_words_are_words(small: SmallBase) -> None:
    like = LikeWords(small.folder)
    assert "honey" in like.words
    assert all(word.isalpha() for word in like.words)
    assert like.of("honey")
    assert not {*like.of("honey")} - {*like.words}


def test_positions_that_the_base_has_not_are_refused(small: SmallBase) -> None:
    check_size(small.folder, Student(layers=2), 128)
    limit = json.loads((small.folder / "config.json").read_text())["max_position_embeddings"]
    limit -= 2 * ("roberta" in small.family)
    with pytest.raises(RecipeError, match=f"max_tokens: {limit + 1}; the base has {limit}"):
        check_size(small.folder, Student(layers=2), limit + 1)


def test_a_tokenizer_that_frames_no_text_is_refused(tmp_path: Path) -> None:
    write_small_base("roberta", tmp_path)
    document = json.loads((tmp_path / "tokenizer.json").read_text())
    document["post_processor"] = {"type": "ByteLevel", "add_prefix_space": True,
                                  "trim_offsets": True, "use_regex": True}  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(RecipeError, match="its tokenizer's ByteLevel post-processor"):
        BaseTokenizer(tmp_path)
