"""Open the tokenizer and the graph of a bundle."""

from __future__ import annotations

import sys

from model.bundle import MODEL, TOKENIZER, BundleError
from model.stamps import stamps
from model.tokenizer_file import compiled_tokenizers, open_prepared
from profiling.timer import timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from model.bundle import Bundle
    from model.session import GraphSession


def open_both(bundle: Bundle, threads: int, sealed: bool) -> tuple[Tokenizer, GraphSession]:
    """The tokenizer and the session of a verified bundle; raises BundleError.

    `threads` share one run of the graph; what is `sealed` is not verified.
    """
    with timer.span("import_onnxruntime"):
        from model.session import copy_files, onnxruntime_version, usable_copy

        onnxruntime_version()  # loads the library, under Python's lock
    with timer.span("verify_copy"):
        before = {} if sealed else stamps(copy_files(bundle))
        copy = usable_copy(bundle, sealed=sealed)
    tokenizer = _tokenizer(bundle, copy)
    session = _session(bundle, threads, copy, sealed)
    if copy and before and stamps(copy_files(bundle)) != before:
        raise BundleError(copy, "its files were changed while they were loaded; load it again")
    return tokenizer, session


def _tokenizer(bundle: Bundle, copy: Path | None) -> Tokenizer:
    with timer.span("import_tokenizers"):
        compiled_tokenizers()
    with timer.span("tokenizer"):
        return _prepared(copy) or _read_tokenizer(bundle)


def _prepared(copy: Path | None) -> Tokenizer | None:
    """The tokenizer of the copy; None where it has none or it cannot be read."""
    try:
        return None if copy is None else open_prepared(copy)
    except Exception as error:  # tokenizers raises nothing narrower
        print(f"{copy}: its tokenizer is not used, make it anew: {error}", file=sys.__stderr__)
        return None


def _read_tokenizer(bundle: Bundle) -> Tokenizer:
    try:
        tokenizer: Tokenizer = compiled_tokenizers().Tokenizer.from_file(
            str(bundle.path / TOKENIZER)
        )
    except Exception as error:  # tokenizers raises nothing narrower
        problem = f"{TOKENIZER}: tokenizers cannot read it"
        raise BundleError(bundle.path, problem, detail=str(error)) from error
    return tokenizer


def _session(bundle: Bundle, threads: int, copy: Path | None, sealed: bool) -> GraphSession:
    with timer.span("session"):
        from model.session import open_session

        try:
            return open_session(bundle, threads, copy, sealed=sealed)
        except Exception as error:  # onnxruntime's own exceptions share no narrower base
            problem = f"{MODEL}: onnxruntime cannot load it"
            raise BundleError(bundle.path, problem, detail=str(error)) from error
