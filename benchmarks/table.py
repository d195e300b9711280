"""The table of a benchmark: what was measured of whom, medians, ratios, and what is wanted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

OURS = "acc"
COLUMNS = 120

# how values in seconds or bytes are shown
_UNITS = {"s": (1, 3), "ms": (1e3, 2), "us": (1e6, 2), "MB": (1e-6, 1), "bytes": (1, 0), "requests": (1, 0)}


@dataclass
class Row:
    """One thing that was done, and what it took of each who did it.

    Attributes
    ----------
    unit : str
        One of s, ms, us, MB, bytes, requests; the values themselves are seconds, bytes or requests.
    wanted : float or None
        The ratio of ours to the other's that must not be passed.
    limit : float or None
        What ours must not pass, whatever others take.
    beside : tuple of str
        Whose medians ours is compared with; nobody named: all the others'.
    choose : callable
        Which of those medians: `min`, the best.
    memory : dict
        The peak of each side, in bytes.
    """

    unit: str = "ms"
    wanted: float | None = None
    limit: float | None = None
    beside: tuple[str, ...] = ()
    choose: Callable[[list[float]], float] = min
    values: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    def add(self, side, value):
        """Note one measurement of `side`; None, where it has no such thing, is no measurement."""
        if value is not None:
            self.values.setdefault(side, []).append(value)

    def add_memory(self, side, count):
        """Note the bytes of memory that `side` took at its peak; of several the largest stays."""
        if count is not None:
            self.memory[side] = max(count, self.memory.get(side, 0))

    def medians(self):
        """Return the median of each side."""
        return {side: median(values) for side, values in self.values.items()}

    def other(self):
        """Return what ours is compared with, or None when nobody else did it."""
        medians = self.medians()
        sides = self.beside or [side for side in medians if side != OURS]
        found = [medians[side] for side in sides if side in medians]
        return self.choose(found) if found else None

    def cells(self):
        """Return the texts of the columns: ours, the other's, ratio, wanted, our memory, whether it missed its mark."""
        ours, other = self.medians().get(OURS), self.other()
        # a difference below zero is noise, and no ratio
        ratio = ours / other if ours and other and min(ours, other) > 0 else None
        marks = [] if self.wanted is None else [f"<={self.wanted:g}"]
        marks += [] if self.limit is None else [f"<={_text(self.limit, self.unit)}"]
        missed = _passes(ratio, self.wanted) or _passes(ours, self.limit)
        return [
            _text(ours, self.unit),
            _text(other, self.unit),
            "" if ratio is None else f"{ratio:.3f}",
            " ".join(marks),
            _text(self.memory.get(OURS), "MB"),
            "missed" if missed else "",
        ]

    def others(self):
        """Return what each of the others took, in words, the least first; nothing when there is only one."""
        others = {side: value for side, value in self.medians().items() if side != OURS}
        if len(others) == 1:
            return ""
        return ", ".join(self._side(*item) for item in sorted(others.items(), key=_value))

    def _side(self, side, value):
        taken = f" in {_text(self.memory[side], 'MB')}" if side in self.memory else ""
        return f"{side} {_text(value, self.unit)}{taken}"


class Table:
    """Rows by what was done, in the order in which they were first named."""

    def __init__(self):
        self.rows = {}
        self.notes = []

    def row(self, what, **rules):
        """Return the row for `what`; the first to name it gives the rules, which are fields of `Row`."""
        return self.rows.setdefault(what, Row(**rules))

    def add(self, what, side, value, wanted=None):
        """Note one measurement of `side`, in seconds."""
        self.row(what, wanted=wanted).add(side, value)

    def note(self, text):
        """Have a sentence printed below the rows."""
        self.notes.append(text)

    def show(self):
        """Print the rows, with what each of several others took behind them; then the notes."""
        lines = [["", OURS, "other", "ratio", "wanted", "memory", ""]]
        lines += [[what, *row.cells()] for what, row in self.rows.items()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        others = ["", *(row.others() for row in self.rows.values())]
        for (what, *cells), words in zip(lines, others, strict=True):
            columns = [f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)]
            line = "  ".join([f"{what:{widths[0]}}", *columns])
            if len(line) + len(words) > COLUMNS:  # words that do not fit have a line for themselves
                print(line.rstrip())
                line = "   "
            print(f"{line}  {words}".rstrip())
        for text in self.notes:
            print(text)


def _text(value, unit):
    if value is None:
        return ""
    factor, places = _UNITS[unit]
    return f"{value * factor:,.{places}f} {unit}"


def _passes(value, mark):
    return value is not None and mark is not None and value > mark


def _value(item):
    return item[1]
