"""What is asked of the board, and what a page answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cas.errors import AccError
from porcelain.views.plain import View


class NoSuchPage(AccError, LookupError):
    """An address that stands for nothing."""


class WrongQuestion(AccError):
    """A parameter of an address with a value that it cannot have."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows.

    Attributes
    ----------
    template : str
        The file in templates/ that shows it.
    title : str
        In the title bar of the browser.
    view : dict
        What the page is about, as JSON has it: this is the answer to who asks for JSON.
    drawn : mapping
        What only the template needs: pictures, marked up text.
    live : bool
        It is shown anew, as it then is, when something changes.
    """

    template: str
    title: str
    view: View
    drawn: Mapping[str, Any] = field(default_factory=dict)
    live: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes
    ----------
    path : str
        Of the page, as an address has it: what is special there is quoted.
    names : mapping of str to str
        What the path names: "spec", "name" ...
    query : mapping of str to str
        The parameters behind the "?".
    wants_json : bool
        Not HTML.
    headers : mapping of str to str
        The header fields, their names in lower case.
    only_head : bool
        The answer without its body.
    """

    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    wants_json: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    only_head: bool = False

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter."""
        return self.query.get(name, default)

    def number(self, name: str, default: int, *, least: int = 1, most: int = 1 << 53) -> int:
        """Return a parameter that is a whole number; raise `WrongQuestion` when it is not or out of bounds."""
        text = self.query.get(name, "")
        if not text:
            return default
        # no more digits than the largest that is allowed has: int() takes long for a million of them
        if not text.isascii() or not text.isdecimal() or len(text) > len(str(most)):
            raise WrongQuestion(f"'{name}' must be a whole number from {least} to {most}")
        if not least <= int(text) <= most:
            raise WrongQuestion(f"'{name}' must be a whole number from {least} to {most}")
        return int(text)

    def one_of(self, name: str, words: Mapping[str, Any] | tuple[str, ...], default: str) -> str:
        """Return a parameter that is one of some words; raise `WrongQuestion` when it is none of them."""
        text = self.query.get(name, default)
        if text not in words:
            raise WrongQuestion(f"'{name}' must be one of: {', '.join(words)}")
        return text


@dataclass(frozen=True, slots=True)
class Slot:
    """One page of a long list: which one, of how many entries a page, and how many there are in all."""

    number: int
    size: int
    total: int

    @property
    def start(self) -> int:
        """How many entries are before it."""
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))

    def to_view(self) -> View:
        """Return what JSON says of it."""
        return {"page": self.number, "pages": self.last, "page_size": self.size, "total": self.total}
