"""`acc sherlock`: which job made a file."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import Final, NamedTuple

from cas.oid import ObjectId, oid_of_file
from jobs.errors import NoSuchFile
from jobs.nodes.listing import JobRow
from porcelain import config, stamp, term
from porcelain.commandline.arguments import Parser
from porcelain.looking.holders import Holder, find_code, find_jobs, find_results
from porcelain.spec import Resolver, open_resolver
from porcelain.stamp import Stamp
from porcelain.views.plain import View
from porcelain.watching.ticker import Ticker

_SHOWN: Final = 5


class _Clue(NamedTuple):
    """What a file says by itself: its content id, its stamp, and its content id without that."""

    path: str
    oid: ObjectId
    stamp: Stamp | None = None
    unstamped: ObjectId | None = None

    @property
    def ids(self) -> list[ObjectId]:
        return [self.oid] if self.unstamped is None else [self.oid, self.unstamped]


def sherlock(arguments: Sequence[str]) -> int:
    """Tell which job made a file."""
    parser = Parser(
        "sherlock",
        "tell which job made a file",
        prints="for each FILE the first job that made it, others that made the same or were given it, and the\n"
        "result links that lead to it. An unchanged file is known by its content, whatever it is called and\n"
        "wherever it lies; a picture that the board gave out by the stamp in it, also when it was changed since.\n"
        "Exit code 1 when a FILE cannot be read, or nothing is known of it",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="any file")
    parser.add_json()
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    clues = [*_clues(given.files)]
    views = _views(resolver, clues)
    if given.json:
        term.emit_json(views)
    else:
        for number, view in enumerate(views):
            term.line() if number else None
            _print(view)
    return 0 if len(clues) == len(given.files) and all(view["known_by"] for view in views) else 1


# -- what is known ---------------------------------------------------------------------------------------------


def _clues(paths: Sequence[str]) -> Iterator[_Clue]:
    """Yield what each file says; one that cannot be read is told of, and left out."""
    for path in paths:
        try:
            yield _clue(path)
        except (OSError, ValueError) as err:
            reason = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
            term.error(NoSuchFile(f"cannot read '{path}': {reason.lower()}"))


def _clue(path: str) -> _Clue:
    oid = oid_of_file(path)
    with open(path, "rb") as stream:
        found = stamp.find(stream)
        if found is None:
            return _Clue(path, oid)
        said, placed = found
        return _Clue(path, oid, said, stamp.oid_without(stream, placed))


def _views(resolver: Resolver, clues: Sequence[_Clue]) -> list[View]:
    blobs = {oid for clue in clues for oid in clue.ids}
    rows = resolver.index.rows()
    with Ticker("reading", "outcome") as ticker:
        jobs = find_jobs(resolver, rows, blobs, ticker.show)
    unknown = {clue.oid for clue in clues if clue.stamp is None and not jobs[clue.oid]}
    code = _find_code(resolver, rows, unknown)
    results = find_results(resolver, blobs)
    views = []
    for clue in clues:
        held: dict[ObjectId, list[Holder]] = {oid: jobs[oid] + code.get(oid, []) for oid in clue.ids}
        known = next((oid for oid in clue.ids if held[oid] or results[oid]), None)
        views.append(
            {
                "path": clue.path,
                "id": clue.oid,
                "known_by": "content" if known == clue.oid else "stamp" if clue.stamp else None,
                "jobs": [holder.to_view() for holder in held[known]] if known else [],
                "results": results[known] if known else [],
                "stamp": _stamp_view(resolver, clue) if clue.stamp else None,
            }
        )
    return views


def _find_code(
    resolver: Resolver, rows: Sequence[JobRow], blobs: Collection[ObjectId]
) -> dict[ObjectId, list[Holder]]:
    if not blobs:
        return {}
    with Ticker("reading", "source") as ticker:
        return find_code(resolver, rows, blobs, ticker.show)


def _stamp_view(resolver: Resolver, clue: _Clue) -> View:
    assert clue.stamp is not None, "it has one"
    here = resolver.find_row(clue.stamp.run)
    return asdict(clue.stamp) | {
        "unchanged": clue.unstamped == clue.stamp.blob,
        "known_here": here.label if here else None,
    }


# -- what is printed -------------------------------------------------------------------------------------------


def _print(view: View) -> None:
    term.heading(term.printable(view["path"]))
    told = dict(_told(view))
    term.fields(told or {"unknown": f"no job here made it, or was given it; its id is {view['id']}"})


def _told(view: View) -> Iterator[tuple[str, str]]:
    by_how = {how: [each for each in view["jobs"] if each["how"] == how] for how in ("made", "given", "code")}
    if by_how["made"]:
        first, *others = by_how["made"]
        yield "made by", _line(first)
        if others:
            yield "again by", _lines(others)
    if by_how["given"]:
        yield "given to", _lines(by_how["given"])
    if by_how["code"]:
        yield "code of", _lines(by_how["code"])
    if view["results"]:
        yield "result", "\n".join(view["results"])
    if view["stamp"]:
        yield from _told_by_stamp(view["stamp"])


def _told_by_stamp(said: View) -> Iterator[tuple[str, str]]:
    yield "stamp", f"{said['job']}:{said['file']}, {said['method']}, {said['when']}, acc {said['acc']}"
    yield (
        "run",
        f"{said['run']}, " + (f"here {said['known_here']}" if said["known_here"] else "not known here"),
    )
    yield (
        "content",
        "as it was, but for the stamp" if said["unchanged"] else "changed since it was stamped",
    )


def _lines(holders: Sequence[View]) -> str:
    lines = [*map(_line, holders[:_SHOWN])]
    left = len(holders) - len(lines)
    return "\n".join([*lines, f"... and {term.count(left, 'other job')}"] if left > 0 else lines)


def _line(holder: View) -> str:
    return f"{holder['job']}:{holder['name']}, {holder['method']}, {term.moment(holder['ended'])}"
