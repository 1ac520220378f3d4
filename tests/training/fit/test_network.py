"""A task's answer depends on the text and on nothing else, in torch and in the exported graph."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tests.training.conftest import HEAD_SIZES, MAX_TOKENS, TEXTS
from training.distil.shrink import with_layers
from training.fit.batches import head_logits, network_logits, network_states
from training.fit.network import (
    ControlTokenClassifier,
    Shape,
    from_base,
    load_network,
    save_network,
)
from training.fit.vocabulary import TrimmedVocabulary
from training.quantize.export import export_onnx
from training.recipe import ATTENTIONS

TOLERANCE = 1e-5  # DESIGN.md: what fp32 logits agree to, whatever stands beside a text
PARITY = 5e-5  # torch and onnxruntime order their sums differently
Logits = NDArray[np.float32]
Forward = Callable[[NDArray[np.int64], NDArray[np.int64]], Logits]
COLUMNS = np.split(np.arange(sum(HEAD_SIZES)), np.cumsum(HEAD_SIZES)[:-1])


@pytest.fixture(scope="module")
def onnx_path(network: ControlTokenClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(network, path)
    return path


@pytest.fixture(scope="module", params=["torch", "onnx"])
def forward(
    request: pytest.FixtureRequest, network: ControlTokenClassifier, onnx_path: Path
) -> Forward:
    if request.param == "torch":

        @torch.no_grad()
        def run_torch(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Logits:
            logits: Logits = network(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
            return logits

        return run_torch
    session = onnxruntime.InferenceSession(onnx_path)

    def run_onnx(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Logits:
        logits: Logits = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]
        return logits

    return run_onnx


def row(
    ids: list[int], tasks: tuple[int, ...], first: int, width: int
) -> tuple[list[int], list[int]]:
    filled = [*ids, *(first + task for task in tasks)]
    padding = [0] * (width - len(filled))
    return filled + padding, [1] * len(filled) + padding


def answer(forward: Forward, rows: list[tuple[list[int], list[int]]]) -> Logits:
    ids, mask = (np.array(part, np.int64) for part in zip(*rows, strict=True))
    return forward(ids, mask)


def test_every_subset_and_order_of_tasks_answers_alike(
    forward: Forward, network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    first = network.shape.first_control_id
    ids = tokenizer.encode(TEXTS[1]).ids
    alone = [answer(forward, [row(ids, (t,), first, len(ids) + 1)])[0] for t in range(3)]
    for tasks in [order for count in (2, 3) for order in permutations(range(3), count)]:
        logits = answer(forward, [row(ids, tasks, first, len(ids) + len(tasks))])[0]
        for task in tasks:
            columns = COLUMNS[task]
            np.testing.assert_allclose(logits[columns], alone[task][columns], atol=TOLERANCE)


def test_batch_and_padding_change_nothing(
    forward: Forward, network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    first = network.shape.first_control_id
    encoded = [tokenizer.encode(text).ids for text in TEXTS]
    together = answer(forward, [row(ids, (2, 0, 1), first, 30) for ids in encoded])
    for ids, expected in zip(encoded, together, strict=True):
        alone = answer(forward, [row(ids, (0, 1, 2), first, len(ids) + 3)])[0]
        np.testing.assert_allclose(alone, expected, atol=TOLERANCE)


def test_texts_and_tasks_do_get_different_answers(
    forward: Forward, network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    """The agreement above is not that of a constant."""
    first = network.shape.first_control_id
    logits = answer(
        forward, [row(tokenizer.encode(text).ids, (0, 1, 2), first, 20) for text in TEXTS]
    )
    assert np.ptp(logits, axis=0).min() > 100 * TOLERANCE


def test_networks_of_one_shape_are_exported_with_their_own_weights(
    network: ControlTokenClassifier, onnx_path: Path, tmp_path: Path
) -> None:
    """The shape alone is traced, once."""
    other = ControlTokenClassifier(network.shape).eval()
    export_onnx(other, tmp_path / "other.onnx")
    ids = torch.tensor([[2, 5, 6, 3, *network.control_ids.tolist()]])
    inputs = {"input_ids": ids.numpy(), "attention_mask": np.ones_like(ids)}
    for trained, path in ((network, onnx_path), (other, tmp_path / "other.onnx")):
        (served,) = onnxruntime.InferenceSession(path).run(None, inputs)
        with torch.no_grad():
            np.testing.assert_allclose(served, trained(ids, torch.ones_like(ids)), atol=PARITY)


def test_a_teachers_heads_read_the_text_too_and_whatever_stands_beside_it_changes_nothing(
    network: ControlTokenClassifier, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    teacher = ControlTokenClassifier(replace(network.shape, pooled=True)).eval()
    teacher.load_state_dict(network.state_dict())
    export_onnx(teacher, tmp_path / "teacher.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "teacher.onnx")

    def logits(ids: list[int], tasks: tuple[int, ...], width: int) -> Logits:
        inputs = np.array([row(ids, tasks, teacher.shape.first_control_id, width)] * 2, np.int64)
        ids_, mask = inputs.transpose(1, 0, 2)
        with torch.no_grad():
            trained = teacher(torch.from_numpy(ids_), torch.from_numpy(mask))[0].numpy()
        (served,) = session.run(None, {"input_ids": ids_, "attention_mask": mask})
        np.testing.assert_allclose(served[0], trained, atol=PARITY)
        alike: Logits = served[0]
        return alike

    ids = tokenizer.encode(TEXTS[1]).ids
    for task in range(3):
        alone, columns = logits(ids, (task,), len(ids) + 1), COLUMNS[task]
        for tasks in ((0, 1, 2), (2, 0, 1), (task, (task + 1) % 3)):
            together = logits(ids, tasks, 24)
            np.testing.assert_allclose(together[columns], alone[columns], atol=TOLERANCE)
        tensors = torch.tensor([[*ids, teacher.shape.first_control_id + task]])
        read = teacher.states(tensors, torch.ones_like(tensors))[0, task]
        control = network.states(tensors, torch.ones_like(tensors))[0, task]
        hidden = teacher.encoder(torch.tensor([ids])).last_hidden_state
        torch.testing.assert_close(read - 0.5 * control, hidden[0].mean(0), atol=1e-4, rtol=0)


def test_logits_are_what_the_heads_make_of_the_states(
    network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    rows = [{"input_ids": tokenizer.encode(text).ids} for text in TEXTS]
    states = network_states(network, rows, False)
    assert states.shape[1] == len(HEAD_SIZES)
    logits = network_logits(network, rows, False)
    np.testing.assert_allclose(head_logits(network, states), logits, atol=TOLERANCE)


def test_torch_and_onnx_agree(
    network: ControlTokenClassifier, onnx_path: Path, tokenizer: Tokenizer
) -> None:
    first = network.shape.first_control_id
    rows = [row(tokenizer.encode(text).ids, (0, 1, 2), first, 24) for text in TEXTS]
    ids, mask = (np.array(part, np.int64) for part in zip(*rows, strict=True))
    session = onnxruntime.InferenceSession(onnx_path)
    (served,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    with torch.no_grad():
        trained = network(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    np.testing.assert_allclose(served, trained, atol=PARITY)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_training_hides_pieces_from_every_other_position(
    network: ControlTokenClassifier, attention: str
) -> None:
    """A control token that sees the others must not find the hidden text."""
    shape = replace(network.shape, attention=attention)
    blind = ControlTokenClassifier(shape).train()
    blind.piece_dropout = 1.0
    first = shape.first_control_id
    ids, mask = (torch.tensor([part]) for part in row([5, 6, 7], (0, 1), first, 6))
    text, control, padding = slice(0, 3), slice(3, 5), slice(5, 6)
    seen = blind.visible(ids, mask)[0]
    assert torch.equal(seen[text, text], torch.eye(3, dtype=torch.bool))
    assert not seen[control, text].any()
    assert not seen[:, padding].any()
    assert bool(seen[3, 4]) == (attention == "joint")
    assert blind.eval().visible(ids, mask)[0][control, text].all()


def test_joint_attention_is_not_independent(
    base: Path, vocabulary: TrimmedVocabulary, tokenizer: Tokenizer, network: ControlTokenClassifier
) -> None:
    """The ablation that shipping independence is compared with really lets tokens see all."""
    shape = network.shape
    joint = ControlTokenClassifier(
        Shape(shape.encoder, shape.first_control_id, MAX_TOKENS, HEAD_SIZES, "joint")
    )
    joint.load_state_dict(network.state_dict())
    first, ids = shape.first_control_id, tokenizer.encode(TEXTS[0]).ids

    @torch.no_grad()
    def first_task(tasks: tuple[int, ...]) -> Logits:
        one = row(ids, tasks, first, len(ids) + len(tasks))
        ids_, mask = (torch.tensor([part]) for part in one)
        logits: Logits = joint.eval()(ids_, mask)[0, : HEAD_SIZES[0]].numpy()
        return logits

    assert np.abs(first_task((0,)) - first_task((0, 1, 2))).max() > 100 * TOLERANCE


def test_a_student_starts_from_evenly_spaced_layers(
    base: Path, vocabulary: TrimmedVocabulary
) -> None:
    whole = from_base(base, vocabulary.base_ids, 2, MAX_TOKENS, HEAD_SIZES)
    student = with_layers(whole, 3)
    for new, old in enumerate((1, 3, 5)):
        ours = student.encoder.encoder.layer[new].state_dict()
        for name, value in whole.encoder.encoder.layer[old].state_dict().items():
            assert torch.equal(ours[name], value)


def test_a_saved_network_loads_as_it_was(network: ControlTokenClassifier, tmp_path: Path) -> None:
    save_network(network, tmp_path)
    again = load_network(tmp_path)
    assert again.shape == network.shape
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
