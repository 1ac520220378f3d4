"""What callers send: mostly short texts, and everything else that a function on the net meets.

Each request comes with the statuses that are right for it, and a question with its right answer.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from model.classifier import Classifier
from profiling.bench import result

CANARY = "Zanzibarzebra"
"""Part of every text, path and header that must never be seen in the log."""
DIFFERENT = {"short text": 200, "long text": 40, "list": 40, "gzip": 40}
"""Questions of a kind; they are answered for comparison before the server starts."""
KINDS = {
    "short text": 900, "long text": 20, "list": 20, "gzip": 10, "health": 30, "description": 10,
    "broken JSON": 20, "wrong field": 20, "unknown path": 10, "malformed head": 5,
    "too large": 2, "reset": 10, "stall": 5,
}  # fmt: skip
"""And the weight of each."""


@dataclass(frozen=True)
class Exchange:
    """One request as bytes, and what may come back."""

    kind: str
    data: bytes
    statuses: frozenset[int]
    labels: tuple[tuple[str, ...], ...] = ()
    """The likeliest label of each single-label task, for each text; none: not a question."""


class Traffic:
    """Requests of all kinds, drawn at random. Callers share it."""

    def __init__(self, classifier: Classifier, texts: Sequence[str], seed: int) -> None:
        dice = random.Random(seed)
        self._single = [task.name for task in classifier.bundle.tasks if task.kind == "single"]
        self._by_kind = {kind: self._made(kind, classifier, texts, dice) for kind in KINDS}

    def draw(self, dice: random.Random) -> Exchange:
        (kind,) = dice.choices(list(KINDS), weights=list(KINDS.values()))
        return dice.choice(self._by_kind[kind])

    def labels_of(self, predictions: list[dict[str, list[dict[str, object]]]]) -> object:
        """As `Exchange.labels` has them."""
        return tuple(
            tuple(str(answer[name][0]["label"]) for name in self._single) for answer in predictions
        )

    def _made(
        self, kind: str, classifier: Classifier, texts: Sequence[str], dice: random.Random
    ) -> list[Exchange]:
        if kind in DIFFERENT:
            questions = [_question(kind, texts, dice) for _ in range(DIFFERENT[kind])]
            return [self._asked(kind, question, classifier) for question in questions]
        data, statuses = _SENT[kind]
        return [Exchange(kind, data, frozenset(statuses))]

    def _asked(self, kind: str, texts: list[str], classifier: Classifier) -> Exchange:
        body = json.dumps({"inputs": texts if len(texts) > 1 else texts[0]}).encode()
        head = ""
        if kind == "gzip":
            body, head = gzip.compress(body, 1), "Content-Encoding: gzip\r\n"
        labels = self.labels_of(classifier.predict(texts))  # type: ignore[arg-type]
        return Exchange(kind, post(body, head), frozenset((200, 429)), labels)  # type: ignore[arg-type]


def post(body: bytes, headers: str = "", path: str = "/") -> bytes:
    """A POST as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nX-{CANARY}: {CANARY}\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def _question(kind: str, texts: Sequence[str], dice: random.Random) -> list[str]:
    if kind == "long text":
        return [", ".join(dice.choices(texts, k=dice.randint(20, 300)))[:9000]]
    if kind in ("list", "gzip"):
        return dice.choices(texts, k=dice.randint(2, 12))
    return [dice.choice(texts)]


HALF = post(json.dumps({"inputs": [CANARY * 10] * 100}).encode())[:-200]
_SENT: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "health": (_get("/health"), (200,)),
    "description": (_get("/"), (200,)),
    "broken JSON": (post(f'{{"inputs": "{CANARY}'.encode()), (400,)),
    "wrong field": (post(json.dumps({"inputs": "salt", CANARY: 1}).encode()), (400,)),
    "unknown path": (_get(f"/{CANARY}"), (404,)),
    "malformed head": (f"{CANARY}\r\n\r\n".encode(), (400,)),
    "too large": (post(b" " * (2**20 + 2**18)), (413, 429)),
    "reset": (HALF, ()),
    "stall": (HALF, ()),
}


def shipped_texts(count: int = 5000) -> list[str]:
    """Short texts that the shipped bundle was made for."""
    return result.sample(result.TEXTS, count)
