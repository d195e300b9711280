"""`acc count-objects`: how many objects there are, where, and what they take."""

from collections.abc import Sequence
from dataclasses import asdict

from cas.local.census import take_census
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "count-objects",
        "Count the objects of the store.",
        prints="OBJECTS<TAB>STORED BYTES in one line; with -v NAME<TAB>VALUE, a line each: loose, packs,\n"
        "packed, garbage and trash are counts, what ends in raw, stored or bytes is bytes",
    )
    parser.add_argument(
        "-v", action="store_true", dest="verbose", help="tell loose, packed, garbage and trash apart"
    )
    parser.add_json()
    given = parser.parse(arguments)
    census = take_census(storage.open_store(config.here()))
    found = {name.replace("_", "-"): value for name, value in asdict(census).items()}
    if given.json:
        term.emit_json(found)
    elif given.verbose:
        for name, value in found.items():
            term.record(name, value)
    else:
        term.record(census.loose + census.packed, census.loose_stored + census.packed_stored)
    return 0
