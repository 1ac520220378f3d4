"""Does the shipped bundle answer the same on a processor without VNNI? Run under qemu's Haswell.

8-bit products are summed in pairs of 16 bits there, which can overflow without a word: `dynamic`
with 8-bit weights does. See training/LOG.md.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.classifier import Classifier

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "training" / "ingredients" / "ingredients.jsonl.gz"
QEMU = shutil.which("qemu-x86_64")
TEXTS = 60
MAX_DIFFERENCE = 0.1  # of a logit
PROGRAM = """
import json, sys
from model.classifier import Classifier
texts, bundle = json.load(sys.stdin)
json.dump(Classifier.load(bundle).logits(texts).tolist(), sys.stdout)
"""

pytestmark = [
    pytest.mark.cpu,
    pytest.mark.skipif(QEMU is None, reason="no qemu-x86_64: apt-get install qemu-user"),
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="qemu's Haswell runs x86-64 alone"),
]


def test_avx2_without_vnni_gives_the_same_labels(bundle_path: Path) -> None:
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [row["text"] for row in rows if row["split"] == "test"][:TEXTS]
    classifier = Classifier.load(bundle_path)
    here = classifier.logits(texts)
    assert QEMU is not None
    done = subprocess.run(
        [QEMU, "-cpu", "Haswell", sys.executable, "-c", PROGRAM],
        input=json.dumps([texts, str(bundle_path)]),
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    there = np.array(json.loads(done.stdout), np.float32)
    assert np.abs(there - here).max() < MAX_DIFFERENCE
    for head in classifier.bundle.heads:
        first, second = np.sort(head.of(here), 1)[:, :-3:-1].T
        sure = first - second > 2 * MAX_DIFFERENCE
        assert sure.any()
        assert (head.of(here)[sure].argmax(1) == head.of(there)[sure].argmax(1)).all()
