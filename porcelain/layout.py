"""Texts in columns and in lines of a width: tables as a terminal has room for them."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

GAP: Final = "  "
_LEAST_WIDTH: Final = 8


class Column(NamedTuple):
    """A column of a table: its title, the side of its cells, and whether a narrow terminal may cut them."""

    title: str
    right: bool = False
    cut: bool = False


def aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for each of `rows`, padded so that columns stand under each other."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    return [GAP.join(map(_pad, row, widths, columns)).rstrip() for row in rows]


def by_column(
    columns: Sequence[Column], cells: Sequence[Sequence[str]]
) -> Iterable[tuple[Column, tuple[str, ...]]]:
    """Return each column with its cells."""
    return ((column, tuple(row[i] for row in cells)) for i, column in enumerate(columns))


def fitted(natural: Sequence[int], columns: Sequence[Column], room: int) -> list[int]:
    """Return widths that fit `room`: the widest of the columns that may be cut gives way first."""
    widths = list(natural)
    giving = [i for i, column in enumerate(columns) if column.cut]
    while sum(widths) > room:
        widest = max(giving, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _LEAST_WIDTH:
            break
        widths[widest] -= 1
    return widths


def filled(text: str, first: str, further: str, width: int) -> list[str]:
    """Return `text` in lines of `width` characters, set in by `first` and then by `further`; no word is broken."""
    import textwrap

    lines = textwrap.wrap(
        text,
        max(width, len(further) + 2 * _LEAST_WIDTH),
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first.rstrip()]


def _pad(cell: str, width: int, column: Column) -> str:
    return cell.rjust(width) if column.right else cell.ljust(width)
