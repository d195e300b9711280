"""What commands that name a new remote take beside its URL."""

from collections.abc import Mapping
from typing import Final

from porcelain.commandline.arguments import Parser

FLAGS: Final[Mapping[str, str]] = {
    "read": "builds look there for jobs before they compute; needs --trusted",
    "write": "builds publish there what they have computed",
    "trusted": "what comes from there may be loaded, run again, and given to jobs",
}


def add_remote_options(parser: Parser) -> None:
    """Have a command take the options of a remote: `options`, and a flag each of `FLAGS`."""
    parser.add_argument(
        "-o",
        "--option",
        dest="options",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what its filesystem is given beside the URL, such as endpoint_url=https://...; TABLE.KEY=VALUE for one "
        "in a table; a VALUE that is no number, true, false, list or table of TOML is a text; repeatable",
    )
    for flag, meaning in FLAGS.items():
        parser.add_argument(f"--{flag}", action="store_true", help=meaning)
