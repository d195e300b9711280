"""A label as a text: whatever is done with it is looking at it."""

from abc import abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

# not what Python itself asks of any text; and whether there is a label at all is no secret
_SILENT: Final = frozenset(
    [
        "__new__",
        "__doc__",
        "__hash__",
        "__len__",
        "__sizeof__",
        "__getattribute__",
        "__getnewargs__",
        "maketrans",
    ]
)


class LabelText(str):
    """A text whose every method says first that it was looked at.

    What C code does with a text it does without a method: `"".join([job])`, `file.write(job)` and `json.dumps(job)`
    are not seen.
    """

    __slots__ = ()

    @abstractmethod
    def note_label(self) -> None:
        """Hear that somebody looks at the text."""

    __hash__ = str.__hash__


def _noting(name: str) -> Callable[..., Any]:
    plain = getattr(str, name)

    @wraps(plain)
    def look(self: LabelText, *arguments: Any, **options: Any) -> Any:
        self.note_label()
        return plain(self, *arguments, **options)

    return look


def _radd(self: LabelText, other: str) -> str:
    self.note_label()
    return other + str.__str__(self)


for _name in vars(str).keys() - _SILENT:
    setattr(LabelText, _name, _noting(_name))
LabelText.__radd__ = _radd  # type: ignore[attr-defined]  # str has none, and adds by itself without asking
