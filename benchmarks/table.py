"""The table of a benchmark: what was measured of whom, medians, ratios, and what is wanted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

OURS = "acc"

# how values in seconds or bytes are shown
_UNITS = {"s": (1, 3), "ms": (1e3, 2), "us": (1e6, 2), "MB": (1e-6, 1), "bytes": (1, 0)}


@dataclass
class Row:
    """One thing that was done, and what it took of each who did it.

    Attributes
    ----------
    unit : str
        One of s, ms, us, MB, bytes; the values themselves are seconds or bytes.
    wanted : float or None
        The ratio of ours to the other's that must not be passed.
    limit : float or None
        What ours must not pass, whatever others take.
    beside : tuple of str
        Whose medians ours is compared with; nobody named: all the others'.
    choose : callable
        Which of those medians: `min`, the best.
    """

    unit: str = "ms"
    wanted: float | None = None
    limit: float | None = None
    beside: tuple[str, ...] = ()
    choose: Callable[[list[float]], float] = min
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side, value):
        """Note one measurement of `side`; None, where it has no such thing, is no measurement."""
        if value is not None:
            self.values.setdefault(side, []).append(value)

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
        """Return the texts of the columns: ours, the other's, ratio, wanted, and the words behind them."""
        medians, other = self.medians(), self.other()
        ours = medians.pop(OURS, None)
        ratio = ours / other if ours is not None and other else None
        words = ["missed"] if _passes(ratio, self.wanted) or _passes(ours, self.limit) else []
        if len(medians) > 1:
            words += [f"{side} {self._text(value)}" for side, value in sorted(medians.items(), key=_value)]
        marks = [] if self.wanted is None else [f"<={self.wanted:g}"]
        marks += [] if self.limit is None else [f"<={self._text(self.limit)}"]
        shown = "" if ratio is None else f"{ratio:.3f}"
        return [self._text(ours), self._text(other), shown, " ".join(marks), ", ".join(words)]

    def _text(self, value):
        if value is None:
            return ""
        factor, places = _UNITS[self.unit]
        return f"{value * factor:,.{places}f} {self.unit}"


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
        """Print medians, the ratio of ours to the other's, and what is wanted; then the notes."""
        print(f"{'':52}{'acc':>18}{'other':>18}{'ratio':>8}{'wanted':>12}")
        for what, row in self.rows.items():
            ours, other, ratio, wanted, words = row.cells()
            print(f"{what:52}{ours:>18}{other:>18}{ratio:>8}{wanted:>12}  {words}".rstrip())
        for text in self.notes:
            print(text)


def _passes(value, mark):
    return value is not None and mark is not None and value > mark


def _value(item):
    return item[1]
