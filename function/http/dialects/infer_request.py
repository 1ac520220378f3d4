"""A request for inference of the Open Inference protocol, validated: JSON, and bytes behind it."""

from __future__ import annotations

from function.http.body import parse_json
from function.http.contract import (
    check_count,
    check_fields,
    check_object,
    missing,
    parse_score,
    parse_text,
    parse_top_k,
    wrong,
    wrong_type,
)
from function.http.errors import RequestError
from profiling.timer import timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from function.http.service import Call

TEXT, TRUNCATED = "text", "truncated"
"""The input tensor, and the output that says which texts were cut."""
BINARY_SIZE, BINARY_OUTPUT, BINARY_OUTPUTS = "binary_data_size", "binary_data", "binary_data_output"
"""Parameters of a tensor, an output and a request with which Triton's client asks for bytes."""
FIELDS = ("id", "inputs", "outputs", "parameters")
PARAMETERS = ("top_k", "min_score", BINARY_OUTPUTS)
INPUT = ("name", "datatype", "shape", "data", "parameters")
OUTPUT = ("name", "parameters")
JSON_LENGTH = "Inference-Header-Content-Length"
"""Header of a request whose body goes on, behind so many bytes of JSON, with a tensor."""
LENGTH_BYTES = 4


class InferRequest:
    """A valid request; whether the bundle has the outputs is checked later."""

    def __init__(
        self,
        request_id: str | None,
        texts: tuple[str, ...],
        outputs: list[str] | None,
        top_k: int,
        min_score: float,
    ) -> None:
        self.request_id = request_id
        self.texts = texts
        self.outputs = outputs
        """Names in their order; None: all."""
        self.top_k = top_k
        self.min_score = min_score


@timer.span("parse")
def parse_infer_request(call: Call) -> InferRequest:
    """The request in the body of a call; raises RequestError."""
    body = call.read_body()
    length = _json_length(call.request.headers.get(JSON_LENGTH, ""), len(body))
    value, settings = parse_json(body[:length]), call.settings
    check_object(value, f'{{"inputs": [{{"name": "{TEXT}", "datatype": "BYTES", ...}}]}}')
    check_fields(value, FIELDS)
    parameters = value.get("parameters", {})
    check_object(parameters, '{"top_k": 2}', field="parameters")
    check_fields(parameters, PARAMETERS, "parameters.")
    _check_flag(parameters, BINARY_OUTPUTS, "parameters")
    request_id = value.get("id")
    if not isinstance(request_id, str | None):
        raise wrong_type("id", request_id, "a string")
    texts = _texts(value, body[length:], settings.max_texts)
    return InferRequest(
        request_id,
        tuple(
            parse_text(text, f"inputs[0].data[{index}]", settings.max_chars)
            for index, text in enumerate(texts)
        ),
        _output_names(value["outputs"]) if "outputs" in value else None,
        parse_top_k(parameters.get("top_k", 1), "parameters.top_k"),
        parse_score(parameters.get("min_score", 0), "parameters.min_score"),
    )


def _json_length(header: str, size: int) -> int:
    if not header:
        return size
    if not (header.isascii() and header.isdecimal() and int(header[:9]) <= size):
        raise RequestError(400, "invalid_body", f"{JSON_LENGTH} is not a length within the body.")
    return int(header[:9])


def _texts(value: dict[str, Any], binary: bytearray, max_texts: int) -> list[Any]:
    """What the one input tensor holds: strings, or what is wrongly in their place."""
    inputs = value.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1:
        raise missing(field="inputs", expected=f"a list of one tensor, with the name {TEXT!r}")
    (tensor,), field = inputs, "inputs[0]"
    check_object(tensor, f'{{"name": "{TEXT}", ...}}', field)
    check_fields(tensor, INPUT, f"{field}.")
    for key, expected in (("name", TEXT), ("datatype", "BYTES")):
        if tensor.get(key) != expected:
            raise wrong("out_of_range", f"{field}.{key}", f"is not {expected!r}; send that")
    parameters = _parameters(tensor, BINARY_SIZE, field)
    if BINARY_SIZE in parameters:
        texts = list(_strings(binary, max_texts + 1))
    else:
        texts = _flat(tensor.get("data"))
    check_count(texts, max_texts, f"{field}.data")
    shape = tensor.get("shape")
    is_shape = shape in ([len(texts)], [len(texts), 1]) and not isinstance(shape[0], bool)
    if not is_shape or isinstance(shape[-1], bool):  # true is 1 to Python
        problem = f"is not that of its data; send [{len(texts)}]"
        raise wrong("out_of_range", f"{field}.shape", problem)
    return texts


def _flat(values: Any) -> list[Any]:
    """The texts of `data`, which may be a list of lists of one."""
    if not isinstance(values, list):
        raise wrong_type("inputs[0].data", values, "a list of strings")
    return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]


def _strings(binary: bytearray, most: int) -> Iterator[str]:
    """The elements of a BYTES tensor: each is its length, little-endian, and so many bytes."""
    start = 0
    while start < len(binary) and most:
        length = int.from_bytes(binary[start : start + LENGTH_BYTES], "little")
        start, end = start + LENGTH_BYTES, start + LENGTH_BYTES + length
        if end > len(binary):
            raise RequestError(400, "invalid_body", "The tensor behind the JSON breaks off.")
        try:
            yield binary[start:end].decode()
        except UnicodeDecodeError:
            message = "The tensor behind the JSON is not UTF-8; send texts encoded as UTF-8."
            raise RequestError(400, "invalid_encoding", message) from None
        start, most = end, most - 1


def _output_names(outputs: Any) -> list[str]:
    if not isinstance(outputs, list) or not outputs:
        raise wrong("empty", "outputs", problem="is no list of outputs; leave it out for all")
    names: list[str] = []
    for index, output in enumerate(outputs):
        field = f"outputs[{index}]"
        check_object(output, f'{{"name": "{TRUNCATED}"}}', field)
        check_fields(output, OUTPUT, f"{field}.")
        _check_flag(_parameters(output, BINARY_OUTPUT, field), BINARY_OUTPUT, f"{field}.parameters")
        if not isinstance(output.get("name"), str):
            raise missing(f"{field}.name", "the name of an output")
        if output["name"] in names:
            raise wrong("duplicate_task", f"{field}.name", "is there twice; send it once")
        names.append(output["name"])
    return names


def _parameters(tensor: dict[str, Any], only: str, field: str) -> dict[str, Any]:
    """The parameters of an input or output, which may have one."""
    parameters: dict[str, Any] = tensor.get("parameters", {})
    check_object(parameters, "{}", f"{field}.parameters")
    check_fields(parameters, (only,), f"{field}.parameters.")
    return parameters


def _check_flag(parameters: dict[str, Any], name: str, within: str) -> None:
    if not isinstance(parameters.get(name, True), bool):
        raise wrong_type(f"{within}.{name}", parameters[name], "true or false")
