"""From a torch network to a small ONNX graph, and whether that cost too much."""
