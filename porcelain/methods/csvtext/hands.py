"""Rows of a CSV file on their way from prepare to the slices of analysis."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from porcelain.methods.csvtext.marks import Ints
from porcelain.methods.tables.scratch import Place, Scratch

NOTHING_ODD: Final[Mapping[int, list[bytes]]] = MappingProxyType({})


class Lines(NamedTuple):
    """Rows that are kept as they are: bad ones, and those that are left out."""

    lines: Ints
    texts: list[bytes]
    odd: Mapping[int, list[bytes]]


class Hands:
    """Rows of one kind, dealt out to the slices in turn.

    Parameters
    ----------
    scratch
        Where they are put.
    pack : callable
        Makes a batch of the lines, texts and odd fields of some rows of one slice.
    dealt
        Rows that were dealt before, so that the next goes to the slice after that of the last.

    Attributes
    ----------
    lines : list of int
        Number of rows of each slice.
    """

    def __init__(self, scratch: Scratch, slices: int, pack: Callable[..., Any], dealt: int = 0) -> None:
        self._scratch = scratch
        self._pack = pack
        self._places: list[list[Place]] = [[] for _ in range(slices)]
        self.lines = [0] * slices
        self.dealt = dealt

    def deal(self, lines: Ints, texts: Sequence[bytes], odd: Mapping[int, list[bytes]] = NOTHING_ODD) -> None:
        """Deal rows, given with the numbers of their lines; `odd` are fields that the texts do not give."""
        slices = len(self._places)
        for sliceno, places in enumerate(self._places):
            first = (sliceno - self.dealt) % slices
            mine = texts[first::slices]
            if mine:
                my_odd = {row // slices: fields for row, fields in odd.items() if row % slices == first}
                self.lines[sliceno] += len(mine)
                places.append(self._scratch.put(self._pack(lines[first::slices], mine, my_odd)))
        self.dealt += len(texts)

    def take(self, sliceno: int) -> Iterator[Any]:
        """Yield the batches of a slice."""
        return self._scratch.take(self._places[sliceno])
