"""What `acc grep` can be told."""

import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from porcelain.commandline.arguments import Parser, count

if TYPE_CHECKING:
    from porcelain.looking.hitlines import Tabs


def make_parser() -> Parser:
    """Return what reads the arguments of the command."""
    parser = Parser(
        "grep",
        "print the rows of datasets that match a pattern",
        prints="each row with a value that matches PATTERN, a regular expression, in the order of datasets, slices\n"
        "and rows: its values with tabs between, those with a tab, a newline or a quote at their start in quotes;\n"
        "on a terminal aligned, what matches in colour. Values are looked at as csvexport writes them. Exit code 0\n"
        "when a row was found, 1 when none was, 2 when something is wrong",
    )
    parser.add_argument("words", nargs="*", metavar="PATTERN SPEC [SPEC ...] [COL ...]", help=_WORDS)
    _add_words(parser)
    _add_choice(parser)
    _add_output(parser)
    return parser


_WORDS = "what to look for, in which datasets, and which columns to print and look in; by default all, sorted"


def _add_words(parser: Parser) -> None:
    for short, long, to, metavar, what in (
        ("-e", "--regexp", "patterns", "PATTERN", "a pattern; any of several may match"),
        ("-d", "--dataset", "datasets", "SPEC", "a dataset"),
        ("-n", "--column", "columns", "COL", "print this column, and look in it"),
        ("-g", "--grep", "grep", "COL", "look only in this column"),
    ):
        parser.add_argument(
            short, long, dest=to, action="append", default=[], metavar=metavar, help=f"{what}; repeatable"
        )
    _flag(parser, "-F", "--fixed-strings", "patterns are texts, not regular expressions")
    _flag(
        parser,
        "-N",
        "--numeric",
        "patterns are numbers: 3, <3, <=3, >3, >=3, 3:5 (without 5), 3:=5 (with it), 3<:5 (without 3), or '' for any",
    )
    _flag(parser, "-i", "--ignore-case", "upper and lower case are one")
    _flag(parser, "-v", "--invert-match", "rows that do not match")


def _add_choice(parser: Parser) -> None:
    from porcelain.looking.sources import add_chain

    add_chain(parser)
    parser.add_slices()
    _flag(parser, "-M", "--allow-missing-columns", "a dataset need not have all columns")
    _flag(parser, "-r", "--roundrobin", "one row of each slice in turn")
    _flag(parser, "-O", "--ordered", "slice after slice, as it always is")
    for short, long, what in (
        ("-B", "--before-context", "print N rows before each, too"),
        ("-A", "--after-context", "print N rows after each, too"),
        ("-C", "--context", "both; of the same slice of the same dataset"),
    ):
        parser.add_argument(short, long, type=count, metavar="N", help=what)
    parser.add_argument("-m", "--max-count", type=count, metavar="N", help="stop after N rows that match")
    parser.add_argument(
        "-u",
        "--unique",
        nargs="?",
        const="",
        action="append",
        metavar="COL",
        help="of rows with equal values [in this column; repeatable] only the first",
    )


def _add_output(parser: Parser) -> None:
    _flag(
        parser,
        "-l",
        "--list-matching",
        "print only the names of datasets, with -S their slices, that have such a row",
    )
    parser.add_argument("--count", action="store_true", help="print only how many rows match in each dataset")
    _flag(
        parser,
        "-o",
        "--only-matching",
        "print only what matches; with -l only the values in which something does",
    )
    _flag(parser, "-H", "--headers", "print the names of columns first, and where they change")
    _flag(parser, "-D", "--show-dataset", "print the dataset before each row")
    _flag(parser, "-S", "--show-sliceno", "print the slice before each row")
    _flag(parser, "-L", "--show-lineno", "print the number of the row in its slice, from 0, before each row")
    parser.add_argument(
        "-f", "--format", choices=("csv", "raw", "json"), help="raw: without quotes; json: an object a line"
    )
    parser.add_argument("-t", "--separator", metavar="TEXT", help="between values, in place of a tab")
    parser.add_argument(
        "-T",
        "--tab-length",
        type=_tabs,
        metavar="TAB/FIELD/MIN",
        help="align values by spaces: to multiples of TAB (8), at least FIELD (16) wide, MIN (2) spaces between",
    )
    parser.add_argument(
        "--color",
        "--colour",
        choices=("auto", "always", "never"),
        default="auto",
        help="by default on a terminal",
    )


def _flag(parser: Parser, short: str, long: str, what: str) -> None:
    parser.add_argument(short, long, action="store_true", help=what)


def _tabs(text: str) -> "Tabs":
    from porcelain.looking.hitlines import Tabs

    parts = re.split("[/, ]", text)
    # a number alone is a tab as it is elsewhere
    made = Tabs(field=0, least=1) if len(parts) == 1 else Tabs()
    try:
        numbers = {name: int(part) for name, part in zip(Tabs._fields, parts, strict=False) if part}
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not TAB/FIELD/MIN") from None
    made = made._replace(**numbers)
    if len(parts) > len(Tabs._fields) or made.tab < 1 or made.field < 0 or made.least < 1:
        raise ArgumentTypeError(f"'{text}' is not TAB/FIELD/MIN")
    return made
