"""`acc hist`: the values of a column in bins, or the most frequent ones."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cas.threads import usable_cores
from jobs.errors import DatasetError
from porcelain import term
from porcelain.commandline.arguments import Parser, count
from porcelain.stored import StoredProject
from porcelain.views.plain import View, plain

if TYPE_CHECKING:
    from jobs.dataset.dataset import Dataset
    from porcelain.looking.histogram import Binned, Part, Top

_SEPARATORS = {"csv": ",", "ssv": ";", "tsv": "\t"}
_TOP = 20
_LEAST_BAR = 8

# with fewer rows one process is done before others have started
_MANY_ROWS = 200_000


def hist(arguments: Sequence[str]) -> int:
    """Show how the values of columns are distributed."""
    given = _parse(arguments)
    with StoredProject.here() as project:
        # here, not above: only rows need numpy
        from porcelain.looking.histogram import count_bins, count_top, sort_values
        from porcelain.looking.sources import check_columns, follow, open_dataset, slices_of

        datasets = follow(project.resolver, [open_dataset(project.resolver, given.spec)], given)
        names = given.columns or _only_column(datasets)
        check_columns(datasets, names)
        parts = [(dataset, number) for dataset in datasets for number in slices_of(dataset, given.slices)]
        processes = _processes(parts)
        binned = None
        if len(names) == 1 and not given.toplist and given.max_count != 0:
            binned = count_bins(parts, names[0], given.max_count, processes)
        if binned is not None:
            _print_bins(given, names[0], binned)
        else:
            limit = _TOP if given.max_count is None else given.max_count
            top = count_top(parts, names, limit, processes)
            _print_top(given, names, top if given.toplist or limit else sort_values(top))
    return 0


def _parse(arguments: Sequence[str]) -> Namespace:
    from porcelain.looking.sources import add_chain

    parser = Parser(
        "hist",
        "show how the values of a column are distributed",
        prints="on a terminal a line with a bar for each of about 20 bins of numbers and times, and for each of the\n"
        "20 most frequent values of other columns, or combinations of values of several. Elsewhere, with tabs\n"
        "between, the ends of the bin and its number of rows; or the values and theirs. Whole numbers and days are\n"
        "in the bin that ends with them, others in the next, but for the largest. What is in no bin is said on stderr",
    )
    parser.add_argument("spec", metavar="SPEC", help="the dataset, as dev-12 or dev-12/NAME")
    parser.add_argument("columns", nargs="*", metavar="COL", help="a column, or several for combinations")
    add_chain(parser)
    parser.add_slices()
    parser.add_argument("-t", "--toplist", action="store_true", help="the most frequent values, not bins")
    parser.add_argument(
        "-m",
        "--max-count",
        type=count,
        metavar="N",
        help="so many bins or values; 0: all values, by themselves",
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=("bars", "aligned", *_SEPARATORS),
        help="by default bars on a terminal, else tsv",
    )
    parser.add_json()
    return parser.parse(arguments, intermixed=True)


def _only_column(datasets: "Sequence[Dataset]") -> list[str]:
    shared = [name for name in sorted(datasets[-1].columns) if all(name in each.columns for each in datasets)]
    if len(shared) != 1:
        raise DatasetError(
            f"dataset '{datasets[-1].spec}' has not one column, but {len(shared)}",
            hint="name one of " + ", ".join(shared) if shared else "",
        )
    return shared


def _processes(parts: "Sequence[Part]") -> int:
    rows = sum(dataset.lines[number] for dataset, number in parts)
    return min(usable_cores(), len(parts)) if rows >= _MANY_ROWS else 1


# -- what is printed -----------------------------------------------------------------------------------------------


def _print_bins(given: Namespace, name: str, binned: "Binned") -> None:
    bounds = [binned.bins.bounds(number) for number in range(len(binned.counts))]
    if given.json:
        bins = [
            {"low": plain(low), "high": plain(high), "count": rows}
            for (low, high), rows in zip(bounds, binned.counts, strict=True)
        ]
        term.emit_json({"columns": [name], "bins": bins, "none": binned.nones, "nan": binned.nans})
        return
    if _for_people(given):
        _draw(given, _range_texts(bounds), binned.counts)
    else:
        _print_fields(given, [[str(low), str(high)] for low, high in bounds], binned.counts)
    for what, number in (("None", binned.nones), ("nan", binned.nans)):
        if number:
            term.note(f"{number:,} {what}, in no bin")
    if not binned.bins.even:
        term.note("the bins are not equally wide")


def _print_top(given: Namespace, names: Sequence[str], top: "Top") -> None:
    counts = [rows for _, rows in top.values]
    if given.json:
        values: list[View] = [
            {"values": [plain(_readable(value)) for value in key], "count": rows} for key, rows in top.values
        ]
        term.emit_json({"columns": list(names), "values": values, "distinct": top.distinct})
        return
    rows = [[str(_readable(value)) for value in key] for key, _ in top.values]
    if _for_people(given):
        _draw(given, [term.printable(", ".join(texts)) for texts in rows], counts)
    else:
        _print_fields(given, rows, counts)
    if top.distinct > len(rows):
        term.note(f"{top.distinct:,} different values in all; -m 0 lists them")


def _readable(value: Any) -> Any:
    from porcelain.methods.valuetexts import bytes_text

    return bytes_text(value) if isinstance(value, bytes) else value


def _print_fields(given: Namespace, rows: Sequence[Sequence[str]], counts: Sequence[int]) -> None:
    from porcelain.looking.export import csv_text

    fields = [[*texts, str(number)] for texts, number in zip(rows, counts, strict=True)]
    term.raw(csv_text(fields, separator=_SEPARATORS[given.format or "tsv"]), hold=True)


def _for_people(given: Namespace) -> bool:
    return term.is_terminal() if given.format is None else given.format not in _SEPARATORS


def _draw(given: Namespace, labels: Sequence[str], counts: Sequence[int]) -> None:
    """Print a line for each label: its count, and a bar if there is room for one."""
    numbers = [f"{number:,}" for number in counts]
    right = max(map(len, numbers), default=0)
    left = min(max(map(len, labels), default=0), term.width() - right - _LEAST_BAR - 4)
    room = term.width() - left - right - 4
    most = max(counts, default=0) or 1
    for label, number, rows in zip(labels, numbers, counts, strict=True):
        cut = label if len(label) <= left else label[: left - 3] + "..."
        drawn = "" if given.format == "aligned" else "  " + term.bar(rows / most, room)
        term.line(f"{cut.ljust(left)}  {number.rjust(right)}{drawn}".rstrip())


def _range_texts(bounds: Sequence[tuple[Any, Any]]) -> list[str]:
    lows, highs = [_short(low) for low, _ in bounds], [_short(high) for _, high in bounds]
    left, right = max(map(len, lows)), max(map(len, highs))
    return [f"{low.rjust(left)} - {high.rjust(right)}" for low, high in zip(lows, highs, strict=True)]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.10g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
