"""`acc ds`: what datasets hold."""

from argparse import Namespace
from collections.abc import Sequence
from itertools import islice
from typing import Any

from cas.errors import AccError
from jobs.errors import NoSuchJob
from porcelain import config, term
from porcelain.commandline.arguments import Parser, count
from porcelain.layout import Column
from porcelain.spec import Resolver, Target, get_oid, open_resolver
from porcelain.views import dataset_views
from porcelain.views.plain import View, plain

_WIDEST_CELL = 40


def ds(arguments: Sequence[str]) -> int:
    """Show datasets."""
    given = _parse(arguments)
    resolver = open_resolver(config.here())
    make = _list if given.list or given.chained_list else _view
    views, errors = [], []
    for spec in given.specs:
        try:
            views.append(make(resolver, spec, given))
        except AccError as err:
            errors.append(err)
    _print_all(given, views)
    if given.suppress_errors:
        return 0
    for error in errors:
        term.error(error)
    return 1 if errors else 0


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "ds",
        "show a dataset: columns, types, lines, chain, first rows",
        prints="where it comes from, how many lines it has and how they are spread over the slices, and a line for\n"
        "each column: name, type ('+None' when None may be in it), smallest and largest value, raw bytes, and those\n"
        "that they are stored in",
    )
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="a dataset, as dev-12 or dev-12/NAME")
    parser.add_argument("-r", "--rows", type=count, default=0, metavar="N", help="print so many rows too")
    for short, long, to, what in (
        (
            "-c",
            "--chain",
            "chain",
            "list the chain that ends here, oldest first; smallest and largest of all of it",
        ),
        ("-C", "--non-empty-chain", "full_chain", "the same, without the datasets that have no lines"),
        (
            "-s",
            "--slices",
            "slices",
            "print the lines of each slice, the longest first, and how uneven they are",
        ),
        ("-S", "--chainedslices", "chained_slices", "the same of all the chain"),
        ("-w", "--location", "location", "print which dataset each column is from"),
        ("-m", "--suppress-minmax", "suppress_minmax", "without smallest and largest values"),
        ("-n", "--suppress-columns", "suppress_columns", "without the columns"),
        ("-l", "--list", "list", "only list the datasets of the job, with their lines"),
        ("-L", "--chainedlist", "chained_list", "the same, with the lines of their chains"),
        ("-q", "--suppress-errors", "suppress_errors", "say nothing of what is no dataset"),
    ):
        parser.add_argument(short, long, dest=to, action="store_true", help=what)
    parser.add_json()
    return parser.parse(arguments, intermixed=True)


# -- what is shown -------------------------------------------------------------------------------------------------


def _view(resolver: Resolver, spec: str, given: Namespace) -> View:
    target = resolver.dataset(spec)
    view = dataset_views.dataset(resolver, target)
    if given.chain or given.full_chain:
        links = dataset_views.dataset_chain(resolver, target)
        view["links"] = [link for link in links if link["lines"] or not given.full_chain]
    if given.chain or given.full_chain or given.chained_slices:
        bounds = dataset_views.chain_bounds(resolver, target)
        for column in view["columns"]:
            column["min"], column["max"] = bounds[column["name"]]
    if given.chained_slices:
        view["chain_slices"] = dataset_views.chain_slices(resolver, target)
    if given.location:
        origins = dataset_views.origins(resolver, target)
        for column in view["columns"]:
            column["from"] = origins[column["name"]]
    if given.rows:
        view["rows"] = _first_rows(resolver, target, given.rows)
    return view


def _list(resolver: Resolver, spec: str, given: Namespace) -> View:
    row = resolver.job(spec)
    datasets = dataset_views.datasets_of_job(resolver, row, chained=given.chained_list)
    return {"job": row.label, "datasets": datasets}


def _first_rows(resolver: Resolver, target: Target, wanted: int) -> list[list[Any]]:
    # here, not above: only rows need numpy
    from jobs.dataset.dataset import Dataset
    from jobs.job import Job
    from porcelain.stored import StoredProject

    if target.row is None:
        raise NoSuchJob(f"no job here has the dataset '{target.oid}'")
    with StoredProject(resolver.config):
        dataset = Dataset.of(Job.of(target.row), target.name, get_oid(target))
        rows = dataset.iterate("roundrobin", list(dataset.columns))
        return [[plain(value) for value in row] for row in islice(rows, wanted)]


# -- how it is printed ---------------------------------------------------------------------------------------------


def _print_all(given: Namespace, views: Sequence[View]) -> None:
    if given.json:
        if views:
            term.emit_json(views[0] if len(given.specs) == 1 else views)
        return
    for number, view in enumerate(views):
        if number:
            term.line()
        if "datasets" in view:
            _print_list(view)
        else:
            _print_view(view, given)


def print_dataset(view: View, *, as_json: bool) -> None:
    """Print a dataset's view."""
    if as_json:
        term.emit_json(view)
        return
    _print_about(view)
    _print_columns(view, bounds=True)


def _print_view(view: View, given: Namespace) -> None:
    _print_about(view)
    if not given.suppress_columns:
        _print_columns(view, bounds=not given.suppress_minmax)
    if "links" in view:
        _print_chain(view["links"])
    if given.slices or given.chained_slices:
        _print_slices(view.get("chain_slices") or view["slices"])
    if "rows" in view:
        term.line()
        names = [Column(column["name"], cut=True) for column in view["columns"]]
        term.table(names, [[_cell(value) for value in row] for row in view["rows"]])


def _print_about(view: View) -> None:
    term.heading(f"{view['dataset']}  {view['method'] or ''}".rstrip())
    about = {
        "caption": view["caption"],
        "lines": f"{view['lines']:,} in {_slices_text(view['slices'])}",
        "size": _size_text(view["columns"]),
        "hashlabel": view["hashlabel"],
        "filename": view["filename"],
        "previous": view["previous"]
        and f"{view['previous']} ({term.count(view['chain'], 'dataset')} in the chain)",
        "parent": ", ".join(view["parents"]),
    }
    term.fields({name: value for name, value in about.items() if value})


def _slices_text(slices: Sequence[int]) -> str:
    """Return how many slices there are, and how long.

    >>> _slices_text([3, 2]), _slices_text([5])
    ('2 slices of 2 to 3', '1 slice')
    """
    text = term.count(len(slices), "slice")
    if len(slices) < 2:
        return text
    low, high = min(slices), max(slices)
    return f"{text} of {low:,}" + (f" to {high:,}" if low < high else "")


def _size_text(columns: Sequence[View]) -> str:
    raw = term.size(sum(column["raw_bytes"] for column in columns))
    stored = [column["stored_bytes"] for column in columns]
    return f"{raw}, stored in {term.size(sum(stored))}" if None not in stored else raw


def _print_columns(view: View, *, bounds: bool) -> None:
    term.line()
    titles = [Column("column", cut=True), Column("type")]
    titles += [Column("min", cut=True), Column("max", cut=True)] if bounds else []
    titles += [Column("raw", right=True), Column("stored", right=True)]
    with_origin = any("from" in column for column in view["columns"])
    titles += [Column("from")] if with_origin else []
    rows = []
    for column in view["columns"]:
        cells = [column["name"], column["type"] + ("+None" if column["none_support"] else "")]
        cells += [_bound(column[end]) for end in ("min", "max")] if bounds else []
        cells += [
            "-" if column[size] is None else term.size(column[size]) for size in ("raw_bytes", "stored_bytes")
        ]
        cells += [_origin_text(column)] if with_origin else []
        rows.append(cells)
    term.table(titles, rows)


def _origin_text(column: View) -> str:
    if column["from"] is None:
        return "here"
    name, dataset = column["from"]["column"], column["from"]["dataset"]
    return dataset if name == column["name"] else f"{dataset}, {name}"


def _bound(value: Any) -> str:
    return "-" if value is None else str(value)


def _cell(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _WIDEST_CELL or not term.is_terminal() else text[: _WIDEST_CELL - 3] + "..."


def _print_chain(links: Sequence[View]) -> None:
    term.line()
    columns = [
        Column("dataset"),
        Column("columns", right=True),
        Column("lines", right=True),
        Column("filename", cut=True),
    ]
    rows = [
        [view["dataset"], str(view["columns"]), f"{view['lines']:,}", view["filename"] or ""]
        for view in links
    ]
    term.table(columns, rows)
    lines = sum(view["lines"] for view in links)
    term.line(f"{term.count(len(links), 'dataset')}, {term.count(lines, 'line')}")


def _print_slices(slices: Sequence[int]) -> None:
    """Print the lines of slices, the longest first, and how many times the average that one has."""
    term.line()
    total = sum(slices)
    ordered = sorted(enumerate(slices), key=lambda pair: -pair[1])
    rows = [[str(number), f"{lines:,}", f"{lines / (total or 1):.2%}"] for number, lines in ordered]
    term.table([Column(title, right=True) for title in ("slice", "lines", "share")], rows)
    if total:
        term.line(f"the longest has {max(slices) * len(slices) / total:.3f} times the average")


def _print_list(view: View) -> None:
    term.heading(view["job"])
    term.columns([[line["dataset"], f"{line['lines']:,}"] for line in view["datasets"]])
