"""The least that Python must do: open a bundle's files and answer once, with no server.

    python floor.py BUNDLE GRAPH TEXT

GRAPH is the file that is opened in place of the bundle's model.onnx, or an empty string. The
answer is one line; the process then waits for its input to close, so that it can be weighed.
"""

import gc

gc.disable()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

bundle, graph, text = sys.argv[1:]
with open(f"{bundle}/bundle.json") as file:  # noqa: PTH123
    tasks = json.load(file)["tasks"]
tokenizer = Tokenizer.from_file(f"{bundle}/tokenizer.json")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
if graph:
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(graph or f"{bundle}/model.onnx", options)
ids = np.array([[*tokenizer.encode(text).ids, *(task["control_id"] for task in tasks)]])
logits = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
prediction = {}
start = 0
for task in tasks:
    scores = logits[start : start + len(task["labels"])] / task["temperature"]
    start += len(scores)
    if task["kind"] == "single":
        powers = np.exp(scores - scores.max())
        best = int(powers.argmax())
        ranked = [(best, powers[best] / powers.sum())]
    else:
        scores = 1 / (1 + np.exp(-scores))
        order = np.argsort(-scores)
        ranked = [(i, scores[i]) for i in order if scores[i] >= task["thresholds"][i]]
    prediction[task["name"]] = [
        {"label": task["labels"][i], "score": float(score)} for i, score in ranked
    ]
print(json.dumps({"predictions": [prediction]}), flush=True)
sys.stdin.read()
