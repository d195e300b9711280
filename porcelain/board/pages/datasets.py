"""A dataset: what it is, how its columns, slices and chain look."""

from collections.abc import Sequence
from typing import Any, Final

from jobs.column.types import get_type
from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError
from porcelain import term
from porcelain.board import addresses
from porcelain.board.drawing.plots import LARGE, SMALL, STRIP, Bar, Size, lying, upright
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot, WrongQuestion
from porcelain.board.tables.batches import UNREAD
from porcelain.board.tables.counting import LONGEST_VALUE, count_column
from porcelain.board.tables.finding import late_after
from porcelain.board.tables.opening import find_target, open_dataset, open_table
from porcelain.views import dataset_views
from porcelain.views.plain import View, plain

_PAGE_COLUMNS: Final = 24
_PAGE_LINKS: Final = 100
_PATIENCE_SECONDS: Final = 1.5
_LONGER_SECONDS: Final = 20.0
# more bars than this cannot be told apart
_MOST_BARS: Final = 160
_LONGEST_BOUND: Final = 40
# smaller numbers may be years, and are read as well without commas
_GROUPED: Final = 10_000
# what was counted is kept under this name; another one when something else is counted
_COUNTED: Final = "columncounts-1"


# ---- the dataset


def dataset(project: ShownProject, asked: Asked) -> Page:
    """Show a dataset, with a page of its columns."""
    target = find_target(project, asked)
    head = dataset_views.head_of(project.resolver, target)
    names = list(head.columns)
    slot = Slot(asked.number("page", 1), _PAGE_COLUMNS, len(names))
    if slot.number > slot.last:
        raise WrongQuestion(f"there are {slot.last} pages of columns")
    shown = names[slot.start : slot.start + slot.size]
    view = dataset_views.dataset(project.resolver, target, shown)
    origins = dataset_views.origins(project.resolver, target, shown)
    for column in view["columns"]:
        column["from"] = origins[column["name"]]
    view["column_pages"] = slot.to_view()
    view["uneven"] = _unevenness(view["slices"])
    stored = [column["stored_bytes"] for column in view["columns"]]
    drawn = {
        "slot": slot,
        "slices": _draw_slices(view["slices"]) if len(view["slices"]) > 1 and view["lines"] else None,
        "raw": sum(column["raw_bytes"] for column in view["columns"]),
        "stored": None if None in stored else sum(stored),
        "bound": _bound,
    }
    return Page("dataset.html", view["dataset"], view, drawn)


def _bound(value: Any) -> str:
    """Return a smallest or largest value, or the end of a bin, in few characters."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = f"{value:,}" if type(value) is int and abs(value) >= _GROUPED else str(value)
    if len(text) <= _LONGEST_BOUND:
        return text
    # of a type that is not known here it may be anything
    about = f" ({len(str(abs(value))):,} digits)" if isinstance(value, int) else ""
    return f"{text[: _LONGEST_BOUND - 1]}…{about}"


def _unevenness(slices: Sequence[int]) -> float | None:
    """Return how many times the average the longest slice has; None without lines."""
    total = sum(slices)
    return round(max(slices) * len(slices) / total, 3) if total else None


def _draw_slices(slices: Sequence[int]) -> Any:
    bars = [
        Bar(f"slice {first}" if first == last else f"slices {first} to {last}", lines)
        for first, last, lines in _grouped(slices)
    ]
    about = f"lines of {term.count(len(slices), 'slice')}, from {min(slices):,} to {max(slices):,}"
    return upright(bars, STRIP, about)


def _grouped(counts: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return first, last and sum of so many groups of neighbours that all can be seen."""
    size = -(-len(counts) // _MOST_BARS)
    return [
        (at, min(at + size, len(counts)) - 1, sum(counts[at : at + size]))
        for at in range(0, len(counts), size or 1)
    ]


# ---- a column


def column(project: ShownProject, asked: Asked) -> Page:
    """Show how the values of a column are distributed."""
    target = find_target(project, asked)
    data = open_dataset(project, target)
    name = asked.text("name")
    if name not in data.head.columns:
        hint = "it has " + ", ".join(list(data.head.columns)[:20]) if data.head.columns else ""
        raise NoSuchColumn(f"dataset '{data.spec}' has no column '{term.printable(name)}'", hint=hint)
    of = data.head.columns[name]
    found = _count(project, data, name, longer=bool(asked.text("longer")))
    # the same values may go by another name elsewhere
    view: View = {"dataset": dataset_views.spec_of_dataset(target), **found, "name": name}
    view |= {"none_support": of.none_support, "min": plain(of.min), "max": plain(of.max)}
    bars = _bars(view)
    drawn = {
        "small": _draw(view, bars, SMALL),
        "large": _draw(view, bars, LARGE),
        "bars": bars,
        "bound": _bound,
    }
    drawn |= {"is_unread": get_type(of.type).base == UNREAD}
    return Page("column.html", f"{name}: {view['dataset']}", view, drawn)


def _count(project: ShownProject, data: Dataset, name: str, *, longer: bool) -> View:
    """Return how the values of a column are distributed, as it is known, or as it is found out now."""
    node = data.head.columns[name].node
    known = project.cache.get(_COUNTED, node)
    if isinstance(known, dict) and (known["read"] == known["rows"] or not longer):
        return known
    found = count_column(data, name, late_after(_LONGER_SECONDS if longer else _PATIENCE_SECONDS))
    project.cache.put(_COUNTED, node, found)
    return found


class NoSuchColumn(DatasetError, LookupError):
    """A name that no column of the dataset has."""


def _bars(view: View) -> list[Bar]:
    """Return a bar for each bin or value that was counted, which leads to its rows."""
    if view["bins"]:
        last = len(view["bins"]) - 1
        return [
            Bar(_label(each), each["count"], _rows_between(view, each, is_last=place == last))
            for place, each in enumerate(view["bins"])
        ]
    return [
        Bar(each["value"] or '""', each["count"], _rows_with(view, each["value"]))
        for each in view["values"] or ()
    ]


def _label(each: View) -> str:
    low, high = _bound(each["low"]), _bound(each["high"])
    return low if low == high else f"{low} to {high}"


def _rows_between(view: View, each: View, *, is_last: bool) -> str:
    ends_with = is_last or view["type"] in ("int64", "int32", "date") or each["low"] == each["high"]
    return _rows(view, f">= {each['low']} and {'<=' if ends_with else '<'} {each['high']}")


def _rows_with(view: View, text: str) -> str:
    # of a long value only the beginning was counted, and an escaped one is not as it was
    if len(text) >= LONGEST_VALUE or "\\" in text:
        return ""
    return _rows(view, f'= "{text}"')


def _rows(view: View, condition: str) -> str:
    return addresses.rows(view["dataset"], **{f"where.{view['name']}": condition})


def _draw(view: View, bars: Sequence[Bar], size: Size) -> Any:
    if not bars:
        return None
    if view["bins"]:
        ends = _bound(view["bins"][0]["low"]), _bound(view["bins"][-1]["high"])
        about = f"histogram of column {view['name']}, from {ends[0]} to {ends[1]}"
        return upright([bar._replace(address="") for bar in bars], size, about, ends=ends)
    return lying(bars[:5] if size is SMALL else bars, size, f"most frequent values of column {view['name']}")


# ---- the chain


def chain(project: ShownProject, asked: Asked) -> Page:
    """Show the chain that ends in a dataset: a bar for each, and a page of them as a list."""
    target = find_target(project, asked)
    spec = dataset_views.spec_of_dataset(target)
    links = open_table(project, target, chain=True).links
    slot = Slot(asked.number("page", 1), _PAGE_LINKS, len(links))
    if slot.number > slot.last:
        raise WrongQuestion(f"there are {slot.last} pages")
    # the newest first, as other lists are
    end = len(links) - slot.start
    shown = [
        {
            "dataset": link.spec,
            "lines": sum(link.head.lines),
            "columns": len(link.head.columns),
            "filename": link.head.filename,
            "caption": link.head.caption,
        }
        for link in reversed(links[max(end - slot.size, 0) : end])
    ]
    lines = [sum(link.head.lines) for link in links]
    view: View = {"dataset": spec, "lines": sum(lines), **slot.to_view(), "chain": shown}
    bars = [
        Bar(links[last].spec, count, addresses.dataset(links[last].spec), _note(first, last))
        for first, last, count in _grouped(lines)
    ]
    about = f"lines of {term.count(len(links), 'dataset')} in the chain, the newest last"
    return Page("chain.html", f"{spec}: chain", view, {"slot": slot, "plot": upright(bars, STRIP, about)})


def _note(first: int, last: int) -> str:
    return f"{last - first + 1} datasets that end with it" if first < last else ""
