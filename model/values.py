"""Plain records. `dataclasses` would cost every start the time of its import."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class Values:
    """Compares and prints by its attributes; `changed` makes a copy with some of them replaced.

    The attributes are the arguments of its constructor.
    """

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        pairs = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({pairs})"

    def changed(self, **changes: Any) -> Self:
        return type(self)(**{**vars(self), **changes})
