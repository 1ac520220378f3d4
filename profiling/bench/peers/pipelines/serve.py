"""What people deploy: one transformers pipeline per task on torch, behind functions-framework."""

from pathlib import Path

import functions_framework
import torch
from flask import Request
from transformers import pipeline

torch.set_num_threads(1)
MODELS = sorted((Path(__file__).resolve().parent / "models").iterdir())
PIPELINES = {
    path.name: pipeline("text-classification", model=str(path), device="cpu") for path in MODELS
}


@functions_framework.http
def classify(request: Request) -> dict[str, object]:
    """The best label of each task for each text."""
    inputs = request.get_json()["inputs"]
    texts = [inputs] if isinstance(inputs, str) else inputs
    answers = {name: ask(texts, truncation=True, max_length=64) for name, ask in PIPELINES.items()}
    rows = [{name: [labels[row]] for name, labels in answers.items()} for row in range(len(texts))]
    return {"predictions": rows}
