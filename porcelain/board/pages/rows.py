"""The rows of a dataset or of a chain: pages of them, in an order, those that conditions hold of; and all as CSV."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from starlette.responses import Response

from porcelain.board import addresses
from porcelain.board.content.sending import Breaking
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot, WrongQuestion
from porcelain.board.tables.batches import UNREAD
from porcelain.board.tables.cells import RIGHT, cell_of, json_of
from porcelain.board.tables.conditions import GRAMMAR
from porcelain.board.tables.finding import Search, Wanted, late_after, look_through
from porcelain.board.tables.opening import find_target, open_table
from porcelain.board.tables.sorting import DEPTH, UNSORTED, Order
from porcelain.board.tables.table import Missing, Table
from porcelain.looking.export import csv_text
from porcelain.methods.valuetexts import bytes_text
from porcelain.spec import Target
from porcelain.views import dataset_views
from porcelain.views.plain import View

_PAGE_ROWS: Final = 50
_MOST_ROWS: Final = 500
_SHOWN_COLUMNS: Final = 20
# of so many columns each can be chosen by a box
_MOST_BOXES: Final = 300
# what takes longer goes on when it is asked for again
_PATIENCE_SECONDS: Final = 1.5
_CSV_ROWS: Final = 4096
_WHERE, _SHOW = "where.", "show."


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows and columns are asked for.

    Attributes
    ----------
    names : list of str
        The columns to show.
    sort : str
        The column to sort by, or "".
    first : int
        The number of the row from which on rows are looked for, from 0; where there are conditions and no order.
    problem : str
        What is wrong with the conditions: who fills in the form is shown it again, with what he wrote.
    """

    target: Target
    table: Table
    wanted: Wanted
    names: Sequence[str]
    sort: str
    descending: bool
    first: int
    slot: Slot
    problem: str = ""

    @classmethod
    def of(cls, project: ShownProject, asked: Asked) -> "Question":
        """Return what is asked; raise `WrongQuestion` when it makes no sense."""
        target = find_target(project, asked)
        table = open_table(project, target, chain=bool(asked.text("chain")))
        texts = {name: text.strip() for name, text in _prefixed(asked.query, _WHERE).items() if text.strip()}
        sort, descending = _sort_of(table, asked.text("sort"))
        size = asked.number("rows", _PAGE_ROWS, most=_MOST_ROWS)
        first = asked.number("from", 1, most=max(table.lines, 1)) - 1
        slot = Slot(asked.number("page", 1), size, table.lines)
        names = _names_of(table, asked)
        try:
            wanted, problem = Wanted(table, texts), ""
        except WrongQuestion as err:
            if asked.wants_json:
                raise
            wanted, problem = Wanted(table, {}), str(err)
        return cls(target, table, wanted, names, sort, descending, first, slot, problem)

    @property
    def key(self) -> tuple[Any, ...]:
        """What decides which rows are found."""
        wanted = tuple(self.wanted.texts.items())
        return ("rows", self.target.oid, len(self.table.links), wanted, self.sort, self.descending)


def _sort_of(table: Table, text: str) -> tuple[str, bool]:
    """Return the column to sort by, and whether the largest comes first: it is "-name" then."""
    if text and text not in table.names and text.startswith("-"):
        return text[1:], True
    return text, False


def _names_of(table: Table, asked: Asked) -> list[str]:
    chosen = _prefixed(asked.query, _SHOW)
    if chosen:
        found = [name for name in table.names if name in chosen]
        if not found:
            raise WrongQuestion(
                f"no column '{next(iter(chosen))}'", hint="it has " + ", ".join(table.names[:20])
            )
        return found
    first = asked.number("column", 1, most=max(len(table.names), 1)) - 1
    return table.names[first : first + _SHOWN_COLUMNS]


def _prefixed(query: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name[len(prefix) :]: value for name, value in query.items() if name.startswith(prefix)}


# ---- the page


def rows(project: ShownProject, asked: Asked) -> Page:
    """Show rows."""
    question = Question.of(project, asked)
    numbers, found = _find(project, question)
    table, names = question.table, question.names
    spec = dataset_views.spec_of_dataset(question.target)
    values = table.rows(numbers, names)
    types = [" or ".join(table.types(name)) for name in names]
    view: View = {
        "dataset": spec,
        "chain": len(table.links) if asked.text("chain") else None,
        "columns": [{"name": name, "type": kind} for name, kind in zip(names, types, strict=True)],
        "lines": table.lines,
        "sort": question.sort or None,
        "descending": question.descending,
        "where": question.wanted.texts,
        **found,
        "numbers": [number + 1 for number in numbers],
        "rows": [list(map(json_of, types, row)) for row in values],
    }
    if asked.wants_json:
        return Page("rows.html", spec, view)
    drawn = {
        "cells": [list(map(cell_of, row)) for row in values],
        "right": {name for name in names if RIGHT.issuperset(table.types(name))},
        "unsorted": {name for name in names if not UNSORTED.isdisjoint(table.types(name))},
        "unread": {name for name in names if UNREAD in table.types(name)},
        "grammar": GRAMMAR,
        "problem": question.problem,
        "conditions": _prefixed(asked.query, _WHERE),
        "slot": Slot(question.slot.number, question.slot.size, found["rows_in_all"] or 0),
        "depth": DEPTH,
        "all_names": table.names if len(table.names) <= _MOST_BOXES else [],
        "has_boxes": bool(_prefixed(asked.query, _SHOW)),
        "column_slot": Slot(asked.number("column", 1), _SHOWN_COLUMNS, len(table.names)),
        "kept": _kept(asked, names),
        "csv": addresses.csv(spec, asked.query),
        "csv_shown": addresses.csv(spec, {**asked.query, "shown": 1}),
        "depth_in_chain": table.links[-1].head.depth,
    }
    return Page("rows.html", f"{spec}: rows", view, drawn)


def _kept(asked: Asked, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the parameters that the form hands on unseen: an order, conditions on columns that are not shown."""
    fields = {_WHERE + name for name in names}
    return [
        (name, value)
        for name, value in asked.query.items()
        if value and (name in ("sort", "rows", "column") or (name.startswith(_WHERE) and name not in fields))
    ]


def _find(project: ShownProject, question: Question) -> tuple[list[int], View]:
    """Return the numbers of the rows to show, and how they were found."""
    slot, lines = question.slot, question.table.lines
    if question.problem:
        return [], {"looked_at": 0, "found": 0, "complete": True, "rows_in_all": None, "next": None}
    if question.sort:
        return _find_sorted(project, question)
    if question.wanted.names:
        return _find_wanted(project, question)
    if slot.number > slot.last:
        raise WrongQuestion(f"there are {slot.last} pages")
    numbers = list(range(slot.start, min(slot.start + slot.size, lines)))
    return numbers, {"looked_at": lines, "found": lines, "complete": True, "rows_in_all": lines, "next": None}


def _find_sorted(project: ShownProject, question: Question) -> tuple[list[int], View]:
    slot = question.slot
    if slot.start >= DEPTH:
        raise WrongQuestion(
            f"of rows in an order the first {DEPTH:,} are shown",
            hint="conditions choose fewer rows; CSV has all",
        )

    def make() -> Order:
        return Order(question.table, question.wanted, question.sort, descending=question.descending)

    with project.lately.going_on(question.key, make) as order:
        first, looked_at, found = order.go_on(late_after(_PATIENCE_SECONDS))
    return first[slot.start : slot.start + slot.size], {
        "looked_at": looked_at,
        "found": found,
        "complete": looked_at >= question.table.lines,
        "rows_in_all": len(first),
        "next": None,
    }


def _find_wanted(project: ShownProject, question: Question) -> tuple[list[int], View]:
    key = (*question.key, question.first, question.slot.size)

    def make() -> Search:
        return Search(question.table, question.wanted, question.first, question.slot.size)

    with project.lately.going_on(key, make) as search:
        found, stop = search.go_on(late_after(_PATIENCE_SECONDS))
    is_complete = stop >= question.table.lines or len(found) == question.slot.size
    return found, {
        "looked_at": stop - question.first,
        "found": len(found),
        "complete": is_complete,
        "rows_in_all": None,
        "next": stop + 1 if is_complete and stop < question.table.lines else None,
    }


# ---- CSV


def csv(project: ShownProject, asked: Asked) -> Response:
    """Answer with rows as CSV: of all those that are wanted, or with "shown" of the page."""
    question = Question.of(project, asked)
    if question.problem:
        raise WrongQuestion(question.problem, hint=GRAMMAR)
    # columns that are chosen; all, not a window of them, when none are
    names = question.names if asked.text("shown") or _prefixed(asked.query, _SHOW) else question.table.names
    names = [name for name in names if question.table.types(name) != [UNREAD]]
    numbers = _find(project, question)[0] if asked.text("shown") else None
    lines = chain([csv_text([names])], _csv_lines(question, names, numbers))
    name = dataset_views.spec_of_dataset(question.target).replace("/", "-")
    plain_name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name)
    return Breaking(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{plain_name}.csv"'},
    )


def _csv_lines(question: Question, names: Sequence[str], numbers: Sequence[int] | None) -> Iterator[bytes]:
    """Yield rows, some thousands at a time, as `acc export` writes them."""
    pieces = _pieces(question, names) if numbers is None else [question.table.rows(numbers, names)]
    for piece in pieces:
        yield csv_text([*map(_in_csv, row)] for row in piece)


def _pieces(question: Question, names: Sequence[str]) -> Iterator[Iterable[Sequence[Any]]]:
    """Yield the rows that are wanted, each batch read once."""
    for looked in look_through(question.table, question.wanted, also=names):
        rows = looked.rows - looked.start
        for at in range(0, len(rows), _CSV_ROWS):
            yield zip(*looked.columns(names, rows[at : at + _CSV_ROWS]), strict=True)


def _in_csv(value: Any) -> str:
    if isinstance(value, bytes):
        return bytes_text(value)
    return "" if isinstance(value, Missing) else str(value)
