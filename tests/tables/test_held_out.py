"""Held-out answers are kept by hash, and belong to one bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tables.held_out import FORMAT, HeldOut, read_record, record_path, record_text, row_key

ANSWERS = HeldOut("mine@0123456789ab", {"topic": {row_key("Raw honey", ["food"]): ["tool"]}})


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle's directory with a record beside it."""
    path = record_path(tmp_path / "mine")
    path.parent.mkdir()
    path.write_text(record_text(ANSWERS))
    return tmp_path / "mine"


def test_a_record_is_read_back_without_any_text_in_it(bundle: Path) -> None:
    assert "honey" not in record_path(bundle).read_text()
    record = read_record(bundle, ANSWERS.bundle)
    assert record == ANSWERS
    assert record.answer("topic", "  RAW honey", ["food"]) == ["tool"], "the same row"
    assert record.answer("topic", "raw honey", ["tool"]) is None, "its label was corrected"
    assert record.answer("topic", "raw sugar", ["food"]) is None
    assert record.answer("colour", "raw honey", ["food"]) is None


def test_labels_have_no_order_and_do_not_run_into_the_text() -> None:
    assert row_key("a", ["x", "y"]) == row_key("a", ["y", "x"])
    keys = {row_key("a", []), row_key("a", ["x"]), row_key("ax", []), row_key("a", ["x", "y"])}
    assert len(keys) == 4


def test_a_record_of_another_bundle_is_none(bundle: Path) -> None:
    assert read_record(bundle, "mine@ffffffffffff") is None
    assert read_record(bundle, "renamed@0123456789ab") is not None
    assert read_record(bundle.with_name("other"), ANSWERS.bundle) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "\x00"])
def test_what_is_no_record_is_said(bundle: Path, text: str) -> None:
    record_path(bundle).write_text(text)
    with pytest.raises(ValueError, match=r"held_out\.json: no record of held-out answers"):
        read_record(bundle, ANSWERS.bundle)


def test_a_record_of_a_later_format_is_refused(bundle: Path) -> None:
    path = record_path(bundle)
    path.write_text(path.read_text().replace(f'"format":{FORMAT}', '"format":99'))
    with pytest.raises(ValueError, match=f"format 99; this version reads format {FORMAT}"):
        read_record(bundle, ANSWERS.bundle)
