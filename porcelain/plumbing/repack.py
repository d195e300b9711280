"""`acc repack`: fewer and larger packs, and small loose objects into packs."""

from collections.abc import Sequence

from cas.local.repack import repack
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser
from porcelain.watching.ticker import Ticker


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "repack",
        "Merge packs where there are many of a size, pack small loose objects, index all packs together.\n"
        "Builds and readers go on meanwhile.",
        prints="NAME<TAB>VALUE, a line each: merged (packs that are gone), packed (loose objects),\n"
        "written (packs); then damaged<TAB>PATH for each file that was left alone, and exit code 1",
    )
    parser.add_argument("--all", action="store_true", help="merge all packs that are not full")
    parser.add_json()
    given = parser.parse(arguments)
    with Ticker("repacking", "object") as ticker:
        done = repack(storage.open_store(config.here()), everything=given.all, progress=ticker.show)
    counts = {"merged": done.merged, "packed": done.packed, "written": done.written}
    if given.json:
        term.emit_json({**counts, "damaged": done.damaged})
    else:
        for name, value in counts.items():
            term.record(name, value)
        for path in done.damaged:
            term.record("damaged", path)
    if done.damaged:
        term.note("hint: 'acc fsck' says what is wrong with them, 'acc fsck --repair' mends it")
    return 1 if done.damaged else 0
