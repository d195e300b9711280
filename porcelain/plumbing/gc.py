"""`acc gc`: take away what nothing reaches, and old jobs first if asked."""

import argparse
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from porcelain import carelog, config, storage, term
from porcelain.cleaning import Cleaned, Cleaner
from porcelain.commandline.arguments import Parser
from porcelain.remotecare import sweep_remote
from porcelain.spec import open_resolver
from porcelain.watching.ticker import Ticker

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
# long enough to notice on Monday what was dropped on Friday
_GRACE: Final = "7d"
# long enough for who reads, by what he knew before, what was dropped
_REMOTE_GRACE: Final = "1d"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "gc",
        "Move what no ref and no running build reaches to the trash (.acc/trash), where it is still read, and\n"
        "delete what has been there for the grace. Also drops copies of stored files in job directories that no\n"
        "result link points to, and what killed builds left. Safe while builds run.",
        prints="with a policy drop<TAB>LABEL<TAB>METHOD for each job first; then NAME<TAB>VALUE, a line each:\n"
        "reached, dead (objects), what ends in bytes in bytes; --dry-run prints the same and does nothing",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument(
        "--prune",
        type=_seconds,
        metavar="AGE",
        help=f"delete what was dropped so long ago: 'now', or as 12h, 30d (default: {_GRACE})",
    )
    parser.add_argument(
        "--keep-jobs",
        nargs="+",
        metavar="SPEC",
        help="first drop the labels of all jobs but these, what they were made from, linked results and urd sessions",
    )
    parser.add_argument(
        "--older-than",
        type=_seconds,
        metavar="AGE",
        help="first drop the labels of jobs that ended so long ago, but for what others need, linked results and urd "
        "sessions",
    )
    parser.add_argument(
        "--remote",
        metavar="NAME",
        help="drop what the refs of a remote do not reach, and delete there what was dropped for the grace; "
        "with --older-than first forget actions that ended so long ago, if only they name their runs",
    )
    parser.add_argument(
        "--grace",
        type=_seconds,
        metavar="AGE",
        help=f"with --remote: delete what was dropped so long ago, and what writers who died left then "
        f"(default: {_REMOTE_GRACE})",
    )
    parser.add_json()
    given = parser.parse(arguments)
    project = config.here()
    if given.remote:
        if given.prune is not None or given.keep_jobs is not None:
            parser.error("--remote goes with --grace, --older-than, --dry-run and --json")
        return sweep_remote(
            project,
            given.remote,
            grace_seconds=_seconds(_REMOTE_GRACE) if given.grace is None else given.grace,
            older_than=given.older_than,
            dry_run=given.dry_run,
            json=given.json,
        )
    if given.grace is not None:
        parser.error("--grace goes with --remote")
    cleaner = Cleaner(project, storage.open_store(project), storage.open_refs(project))
    dropped = []
    if given.keep_jobs is not None or given.older_than is not None:
        keep = None
        if given.keep_jobs is not None:
            resolver = open_resolver(project)
            keep = {resolver.job(spec).run for spec in given.keep_jobs}
        dropped = cleaner.find_droppable(keep, given.older_than)
    with Ticker("marking", "object") as ticker:
        cleaned = cleaner.clean(
            dropped,
            grace_seconds=_seconds(_GRACE) if given.prune is None else given.prune,
            dry_run=given.dry_run,
            progress=ticker.show,
        )
    if not given.dry_run:
        carelog.note(project.data, "gc", dict(_counts(cleaned)) | {"dropped": len(cleaned.dropped)})
    if given.json:
        term.emit_json(_view(cleaned))
    else:
        _print(cleaned)
    return 0


def _seconds(text: str) -> float:
    """Return the seconds of an age such as 'now', '90s', '12h' or '30d'."""
    if text == "now":
        return 0.0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no age; say now, 90s, 15m, 12h, 30d or 2w")
    return float(match[1]) * _UNITS[match[2]]


def _print(cleaned: Cleaned) -> None:
    for row in cleaned.dropped:
        term.record("drop", row.label, row.method)
    for number in cleaned.builds:
        term.record("drop", f"build-{number}", "")
    for name, value in _counts(cleaned):
        term.record(name, value)


def _counts(cleaned: Cleaned) -> Iterator[tuple[str, int]]:
    collected = cleaned.collected
    yield "reached", collected.reached
    yield "dead", collected.dead
    yield "dead-bytes", collected.dead_bytes
    yield "left-bytes", collected.left_bytes
    yield "restored", collected.restored
    yield "deleted", collected.deleted
    yield "copies", cleaned.copies.files
    yield "scratch", cleaned.scratch.files
    yield "freed-bytes", collected.freed_bytes + cleaned.copies.bytes + cleaned.scratch.bytes


def _view(cleaned: Cleaned) -> dict[str, Any]:
    view: dict[str, Any] = dict(_counts(cleaned))
    view["dropped"] = [
        {"label": row.label, "method": row.method, "run": row.run, "caption": row.caption}
        for row in cleaned.dropped
    ]
    view["dropped_builds"] = cleaned.builds
    return view
