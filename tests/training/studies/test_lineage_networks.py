"""The torch networks of the stages benchmark answer in a process of their own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model.bundle import TOKENIZER
from training.fit.network import save_network
from training.studies.lineage_networks import MAX_TOKENS, ids_answer, random_network, text_answer

ROOT = Path(__file__).parents[3]
SIZES = (2, 4, 24)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    bundle = ROOT / "model" / "ingredients"
    pieces = json.loads((bundle / "bundle.json").read_text())["tasks"][0]["control_id"]
    save_network(random_network(1, 48, pieces, SIZES), folder)
    shutil.copyfile(bundle / TOKENIZER, folder / TOKENIZER)
    return folder


def test_a_text_has_probabilities_and_ids_have_logits_for_every_task(network: Path) -> None:
    for text in ("raw honey", "honey " * 200):
        answer = text_answer(network, text)()
        assert isinstance(answer, list)
        assert [len(row) for ((row),) in answer] == list(SIZES)
        assert [sum(row) for ((row),) in answer] == pytest.approx([1, 1, 1], abs=1e-5)
    logits = ids_answer(network, str(MAX_TOKENS))()
    assert isinstance(logits, torch.Tensor)
    assert logits.shape == (1, sum(SIZES))


def test_the_process_prints_its_first_answer_then_its_times(network: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.studies.lineage_networks",
         "answer", "ids", str(network), "16", "3"],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    first, times = map(json.loads, done.stdout.splitlines())
    assert first == {"answered": True}
    assert len(times["run_ms"]) == 3
    assert min(times["run_ms"]) > 0
