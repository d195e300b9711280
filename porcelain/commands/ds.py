"""`acc ds`: what a dataset holds."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from jobs.errors import NoSuchJob
from porcelain import config, dataset_views, term
from porcelain.arguments import Parser, count
from porcelain.plain import View, plain
from porcelain.spec import Resolver, Target, get_oid, open_resolver
from porcelain.term import Column

_WIDEST_CELL = 40


def ds(arguments: Sequence[str]) -> int:
    """Show a dataset."""
    parser = Parser(
        "ds",
        "show a dataset: columns, types, lines, chain, first rows",
        prints="where it comes from, and a line for each column: name, type ('+None' when None may be in it),\n"
        "smallest and largest value",
    )
    parser.add_argument("spec", metavar="SPEC", help="the dataset, as dev-12 or dev-12/NAME")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "-c", "--chain", action="store_true", help="list the chain that ends here, oldest first"
    )
    which.add_argument("-s", "--slices", action="store_true", help="print the lines of each slice")
    which.add_argument("-n", "--rows", type=count, default=0, metavar="N", help="print so many rows too")
    parser.add_json()
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    target = resolver.dataset(given.spec)
    if given.chain:
        _print_chain(dataset_views.dataset_chain(resolver, target), as_json=given.json)
        return 0
    view = dataset_views.dataset(resolver, target)
    if given.rows:
        view["rows"] = _first_rows(resolver, target, given.rows)
    if given.slices and not given.json:
        _print_slices(view)
    else:
        print_dataset(view, as_json=given.json)
    return 0


def print_dataset(view: View, *, as_json: bool) -> None:
    """Print a dataset's view."""
    if as_json:
        term.emit_json(view)
        return
    term.heading(f"{view['dataset']}  {view['method'] or ''}".rstrip())
    about = {
        "caption": view["caption"],
        "lines": f"{view['lines']:,} in {term.count(len(view['slices']), 'slice')}",
        "hashlabel": view["hashlabel"],
        "filename": view["filename"],
        "previous": view["previous"]
        and f"{view['previous']} ({term.count(view['chain'], 'dataset')} in the chain)",
        "parent": ", ".join(view["parents"]),
    }
    term.fields({name: value for name, value in about.items() if value})
    term.line()
    titles = [Column("column", cut=True), Column("type"), Column("min", cut=True), Column("max", cut=True)]
    term.table(titles, [_column_cells(column) for column in view["columns"]])
    if "rows" in view:
        term.line()
        names = [Column(column["name"], cut=True) for column in view["columns"]]
        term.table(names, [[_cell(value) for value in row] for row in view["rows"]])


def _column_cells(column: View) -> list[str]:
    kind = column["type"] + ("+None" if column["none_support"] else "")
    return [
        column["name"],
        kind,
        *("-" if column[end] is None else str(column[end]) for end in ("min", "max")),
    ]


def _cell(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _WIDEST_CELL or not term.is_terminal() else text[: _WIDEST_CELL - 3] + "..."


def _first_rows(resolver: Resolver, target: Target, wanted: int) -> list[list[Any]]:
    # here, not above: only rows need numpy
    from jobs.dataset.dataset import Dataset
    from jobs.job import Job
    from porcelain.project import Project

    if target.row is None:
        raise NoSuchJob(f"no job here has the dataset '{target.oid}'")
    with Project(resolver.config):
        dataset = Dataset.of(Job.of(target.row), target.name, get_oid(target))
        rows = dataset.iterate("roundrobin", list(dataset.columns))
        return [[plain(value) for value in row] for row in islice(rows, wanted)]


def _print_chain(shown: list[View], *, as_json: bool) -> None:
    if as_json:
        term.emit_json(shown)
        return
    columns = [
        Column("dataset"),
        Column("columns", right=True),
        Column("lines", right=True),
        Column("filename", cut=True),
    ]
    rows = [
        [view["dataset"], str(view["columns"]), f"{view['lines']:,}", view["filename"] or ""]
        for view in shown
    ]
    term.table(columns, rows)
    term.line()
    term.line(
        f"{term.count(len(shown), 'dataset')}, {term.count(sum(view['lines'] for view in shown), 'line')}"
    )


def _print_slices(view: View) -> None:
    rows = [[str(number), f"{lines:,}"] for number, lines in enumerate(view["slices"])]
    term.table([Column("slice", right=True), Column("lines", right=True)], rows)
