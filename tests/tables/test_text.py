"""Tables as text, for documents and for the terminal."""

from tables.text import aligned, markdown


def test_markdown_escapes_cells_and_sets_numbers_flush_right() -> None:
    table = markdown(["task", "rows"], [["a|b", "1"], ["two\nlines", "-"]], numbers_from=1)
    assert table.splitlines() == [
        "| task | rows |",
        "| --- | ---: |",
        "| a\\|b | 1 |",
        "| two lines | - |",
    ]


def test_columns_are_aligned_and_numbers_flush_right() -> None:
    assert aligned([["task", "rows"], ["source", "5"], ["kind", "~12.5"], ["odd", "-"]]) == [
        "task     rows",
        "source      5",
        "kind    ~12.5",
        "odd         -",
    ]
    assert aligned([]) == []
