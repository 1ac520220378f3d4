"""Which columns of the logits belong to which task? The labels of all tasks side by side.

The one place that knows it, for training, judging and serving alike. Standard library only.
"""

from __future__ import annotations

from model.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Protocol

    class HasLabels(Protocol):
        """What a head is made from: a bundle's Task, or a task of a training table."""

        @property
        def name(self) -> str: ...
        @property
        def kind(self) -> str: ...
        @property
        def labels(self) -> tuple[str, ...]: ...


class Head(Values):
    """One task's part of the logits."""

    def __init__(self, name: str, kind: str, labels: tuple[str, ...], columns: slice) -> None:
        self.name = name
        self.kind = kind
        """`single` or `multi`."""
        self.labels = labels
        self.columns = columns
        """Its columns in an array [..., labels of all tasks]."""

    def of(self, array: Any) -> Any:
        """Its columns [..., labels of this task] of a numpy array or a torch tensor; a view."""
        return array[..., self.columns]


class Heads:
    """The heads of all tasks, in their order."""

    def __init__(self, tasks: Iterable[HasLabels]) -> None:
        heads: list[Head] = []
        self.width = 0
        """Columns of all heads together."""
        for task in tasks:
            columns = slice(self.width, self.width + len(task.labels))
            heads.append(Head(task.name, task.kind, task.labels, columns))
            self.width = columns.stop
        self._heads = tuple(heads)

    def __iter__(self) -> Iterator[Head]:
        return iter(self._heads)

    def __len__(self) -> int:
        return len(self._heads)

    def __getitem__(self, name: str) -> Head:
        """The head of the task `name`; raises KeyError."""
        for head in self._heads:
            if head.name == name:
                return head
        raise KeyError(name)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Labels of each task."""
        return tuple(len(head.labels) for head in self._heads)
