"""`acc cat-dataset`: the rows of a dataset as CSV, JSON lines or an Arrow stream, in constant memory."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from porcelain import term
from porcelain.commandline.arguments import Parser
from porcelain.stored import StoredProject

if TYPE_CHECKING:
    from jobs.dataset.dataset import Dataset
    from porcelain.looking.pieces import Columns


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = _parse(arguments)
    with StoredProject.here() as project:
        # here, not above: plumbing that reads no rows loads no numpy
        from porcelain.looking.sources import check_columns, open_dataset

        dataset = open_dataset(project.resolver, given.spec)
        names = given.columns or sorted(dataset.columns)
        check_columns([dataset], names)
        _write(given, dataset, names)
    return 0


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "cat-dataset",
        "Print the rows of a dataset, slice after slice, in as little memory as a few batches take.",
        prints="csv: a line of column names, then the rows, values in quotes where they need them, None as None\n"
        "and in json columns null. json: an object a line; dates and times in ISO form, nan, inf and\n"
        "complex numbers as text, bytes as text in which what is no UTF-8 is \\udc80 to \\udcff. arrow: an\n"
        "IPC stream, with the types that Dataset.to_arrow gives. A pickle column is refused, as is what Arrow\n"
        "cannot hold exactly",
    )
    parser.add_argument("spec", metavar="SPEC", help="the dataset, as dev-12 or dev-12/NAME")
    parser.add_argument(
        "columns", nargs="*", metavar="COL", help="these columns, in this order; by default all, sorted"
    )
    parser.add_argument(
        "-f", "--format", choices=("csv", "json", "arrow"), default="csv", help="by default csv"
    )
    parser.add_slices()
    parser.add_argument("-r", "--roundrobin", action="store_true", help="one row of each slice in turn")
    parser.add_argument("--no-header", action="store_true", help="csv without the line of column names")
    given = parser.parse(arguments, intermixed=True)
    if given.roundrobin and given.format == "arrow":
        parser.error("-r goes with csv and json")
    return given


def _write(given: Namespace, dataset: "Dataset", names: Sequence[str]) -> None:
    from porcelain.looking import export

    if given.format == "arrow":
        from porcelain.looking.arrowstream import write_arrow
        from porcelain.looking.sources import slices_of

        write_arrow(term.binary(), dataset, slices_of(dataset, given.slices), names)
        return
    pieces = _pieces(given, dataset, names)
    if given.format == "csv" and not given.no_header:
        term.raw(export.csv_text([names]), hold=True)
    lines = export.csv_lines if given.format == "csv" else export.json_lines
    for text in lines(dataset, names, pieces):
        term.raw(text, hold=True)


def _pieces(given: Namespace, dataset: "Dataset", names: Sequence[str]) -> "Iterator[Columns]":
    from porcelain.looking.pieces import pieces, pieces_in_turn
    from porcelain.looking.sources import slices_of

    read = pieces_in_turn if given.roundrobin else pieces
    return read(dataset, slices_of(dataset, given.slices), names)
