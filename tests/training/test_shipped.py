"""What `make ship` writes into the pages."""

from __future__ import annotations

from training.shipped import with_outputs

PAGE = """Type:

```console
$ make report BUNDLE=model/ingredients OUT=report
old line
```

```console
$ curl -s localhost:8080 -d 1
{"old": 1}
$ curl -s localhost:8080 -d 2
{"old": 2}
```
"""


def test_each_command_gets_its_own_output() -> None:
    page = with_outputs(PAGE, "curl -s localhost:8080", lambda line: f"new {line[-1]}\n")
    assert page == PAGE.replace('{"old": 1}', "new 1").replace('{"old": 2}', "new 2")


def test_what_is_printed_may_hold_backslashes() -> None:
    page = with_outputs(PAGE, "make report", lambda _: r"\1 \d")
    assert page == PAGE.replace("old line", r"\1 \d")
