"""`acc grep`: rows of datasets that match a pattern."""

import re
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cas.errors import AccError
from cas.threads import usable_cores
from porcelain import term
from porcelain.commandline.arguments import Parser
from porcelain.looking.grepoptions import make_parser
from porcelain.stored import StoredProject

if TYPE_CHECKING:
    from jobs.dataset.dataset import Dataset
    from porcelain.looking.hitlines import Layout
    from porcelain.looking.patterns import Patterns
    from porcelain.looking.search import Part, Search

MATCHED, NOTHING, WRONG = 0, 1, 2

# with fewer rows one process is done before others have started
_MANY_ROWS = 200_000
_LINES_TOGETHER = 256


def grep(arguments: Sequence[str]) -> int:
    """Print the rows that match a pattern."""
    parser = make_parser()
    given = parser.parse(arguments, intermixed=True)
    _check(parser, given)
    try:
        with StoredProject.here() as project:
            return _search(parser, given, project)
    except AccError as err:
        # exit code 1 says that nothing matched
        term.error(err)
        return WRONG


def _check(parser: Parser, given: Namespace) -> None:
    """Leave with code 2 when options do not go together."""
    if given.fixed_strings and given.numeric:
        parser.error("--numeric does not go with --fixed-strings")
    if given.count and (given.list_matching or given.only_matching):
        parser.error("--count does not go with --list-matching and --only-matching")
    if not given.patterns:
        if not given.words:
            parser.error("give a PATTERN and a SPEC")
        given.patterns.append(given.words.pop(0))


# -- what to look for, and where -----------------------------------------------------------------------------------


def _search(parser: Parser, given: Namespace, project: StoredProject) -> int:
    from porcelain.looking.search import Search

    patterns = _patterns(parser, given)
    parts = _parts(parser, given, project)
    both = given.context or 0
    search = Search(
        patterns,
        given.invert_match,
        both if given.before_context is None else given.before_context,
        both if given.after_context is None else given.after_context,
    )
    if given.count:
        return _print_counts(given, search, parts)
    if given.list_matching and not given.only_matching:
        return _print_names(given, search, parts)
    return _print_rows(given, search, parts)


def _patterns(parser: Parser, given: Namespace) -> "Patterns":
    from porcelain.looking.patterns import NumberPatterns, TextPatterns

    try:
        if given.numeric:
            return NumberPatterns(given.patterns)
        return TextPatterns(given.patterns, fixed=given.fixed_strings, ignore_case=given.ignore_case)
    except (re.error, ValueError) as err:
        parser.error(f"bad pattern: {err}")


def _parts(parser: Parser, given: Namespace, project: StoredProject) -> "list[Part]":
    from porcelain.looking.search import Part
    from porcelain.looking.sources import follow, open_dataset, slices_of

    named = [open_dataset(project.resolver, spec) for spec in given.datasets]
    named, columns = _sort_words(given, project, named)
    if not named:
        parser.error("give a SPEC: which dataset to look in")
    parts = []
    for dataset in follow(project.resolver, named, given):
        shown = _columns(dataset, columns, missing=given.allow_missing_columns)
        searched = _columns(dataset, given.grep, missing=given.allow_missing_columns) if given.grep else shown
        slices = slices_of(dataset, given.slices)
        if shown and searched:
            together = given.roundrobin and not (given.count or given.list_matching)
            groups = [tuple(slices)] if together and slices else [(number,) for number in slices]
            parts += [Part(dataset, group, shown, searched) for group in groups]
    return parts


def _sort_words(
    given: Namespace, project: StoredProject, named: "list[Dataset]"
) -> "tuple[list[Dataset], list[str]]":
    """Return the datasets and the columns: words are datasets, until one is none."""
    from porcelain.looking.sources import open_dataset

    found, columns = list(named), list(given.columns)
    for word in given.words:
        if found and columns:
            columns.append(word)
            continue
        try:
            found.append(open_dataset(project.resolver, word))
        except AccError:
            if not found:
                raise
            columns.append(word)
    return found, columns


def _columns(dataset: "Dataset", wanted: Sequence[str], *, missing: bool) -> list[str]:
    if not wanted:
        return sorted(dataset.columns)
    names = list(dict.fromkeys(wanted))
    if missing:
        return [name for name in names if name in dataset.columns]
    for name in names:
        dataset.get_column_node(name)
    return names


def _processes(parts: "Sequence[Part]") -> int:
    rows = sum(part.dataset.lines[number] for part in parts for number in part.slices)
    return min(usable_cores(), len(parts)) if rows >= _MANY_ROWS else 1


# -- what is printed -----------------------------------------------------------------------------------------------


class _Hit(NamedTuple):
    """A line to print: whether its row matches or comes after one that does, and what makes it unique."""

    part: int
    match: bool
    after: bool
    line: bytes
    key: tuple[str, ...]


def _print_rows(given: Namespace, search: "Search", parts: "Sequence[Part]") -> int:
    layout = _layout(given)
    hits = _found(partial(_hits, given, search, layout, parts), parts)
    if given.unique:
        hits = _unique(hits)
    if given.max_count is not None:
        hits = _first(hits, given.max_count, search.after)
    lines = _with_headers(layout, hits, parts) if given.headers and layout.form != "json" else _bare(hits)
    code = NOTHING
    while some := b"".join(islice(lines, _lines_together())):
        term.raw(some, hold=not term.is_terminal())
        code = MATCHED
    return code


def _bare(hits: Iterable[_Hit]) -> Iterator[bytes]:
    return (hit.line for hit in hits)


def _with_headers(layout: "Layout", hits: Iterable[_Hit], parts: "Sequence[Part]") -> Iterator[bytes]:
    """Yield the lines, and before each that has other columns than the one before the names of its columns."""
    titles = None
    for hit in hits:
        if parts[hit.part].shown != titles:
            titles = parts[hit.part].shown
            yield layout.header(titles)
        yield hit.line


def _lines_together() -> int:
    """Return how many lines are printed at once: on a terminal each as soon as it is found."""
    return 1 if term.is_terminal() else _LINES_TOGETHER


def _found(work: "Callable[[int], Iterator[list[_Hit]]]", parts: "Sequence[Part]") -> Iterator[_Hit]:
    from porcelain.looking.processes import part_by_part

    for hits in part_by_part(work, range(len(parts)), _processes(parts)):
        yield from hits


def _hits(
    given: Namespace, search: "Search", layout: "Layout", parts: "Sequence[Part]", number: int
) -> Iterator[list[_Hit]]:
    """Yield the lines of a part, some at a time."""
    lines = _lines(given, search, layout, parts[number], number)
    if given.max_count is not None and not given.unique:
        lines = _first(lines, given.max_count, search.after)
    chosen_later = given.unique or given.max_count is not None
    while some := list(islice(lines, _lines_together())):
        if not chosen_later:
            # one piece of text passes between processes in a tenth of the time of its lines
            some = [some[0]._replace(line=b"".join(hit.line for hit in some))]
        yield some


def _lines(given: Namespace, search: "Search", layout: "Layout", part: "Part", number: int) -> Iterator[_Hit]:
    from porcelain.looking.hitlines import PartLines

    lines = PartLines(layout, search.patterns, part)
    names = [name for name in given.unique or () if name]
    for found in search.find(part):
        key = lines.key(found, names, ignore_case=given.ignore_case) if given.unique else ()
        yield _Hit(number, found.match, found.after, lines.line(found), key)


def _unique(hits: Iterable[_Hit]) -> Iterator[_Hit]:
    seen = set()
    for hit in hits:
        if hit.key not in seen:
            seen.add(hit.key)
            yield hit


def _first(hits: Iterable[_Hit], limit: int, after: int) -> Iterator[_Hit]:
    """Yield hits until so many have matched, with what comes after the last of them."""
    if limit == 0:
        return
    due = after
    for hit in hits:
        if limit == 0:
            if not hit.after:
                return
            due -= 1
        limit -= hit.match
        yield hit
        if limit == 0 and due == 0:
            return


def _layout(given: Namespace) -> "Layout":
    from porcelain.looking.hitlines import Layout, Tabs

    aligned = term.is_terminal() and given.separator is None and given.format is None
    return Layout(
        form=given.format or "csv",
        separator="\t" if given.separator is None else given.separator,
        tabs=given.tab_length or (Tabs() if aligned else None),
        only=("columns" if given.list_matching else "part") if given.only_matching else "",
        color=given.color == "always" or (given.color == "auto" and term.colors()),
        escape=term.is_terminal() and given.format != "raw",
        dataset=given.show_dataset,
        slice=given.show_sliceno,
        line=given.show_lineno,
    )


def _print_names(given: Namespace, search: "Search", parts: "Sequence[Part]") -> int:
    from porcelain.looking.processes import part_by_part

    def look(number: int) -> Iterator[int]:
        yield from (number for _ in islice(search.find(parts[number]), 1))

    numbers = part_by_part(look, range(len(parts)), _processes(parts))
    places = dict.fromkeys(_place(given, parts[number]) for number in numbers)
    layout = _layout(given)
    for place in islice(places, given.max_count):
        _print_place(layout, place)
    return MATCHED if places else NOTHING


def _print_counts(given: Namespace, search: "Search", parts: "Sequence[Part]") -> int:
    from porcelain.looking.processes import part_by_part

    def count_rows(number: int) -> Iterator[int]:
        yield search.count(parts[number])

    totals: dict[tuple[str | int, ...], int] = {}
    counts = part_by_part(count_rows, range(len(parts)), _processes(parts))
    for part, rows in zip(parts, counts, strict=True):
        place = _place(given, part)
        totals[place] = totals.get(place, 0) + rows
    layout = _layout(given)
    for place, rows in totals.items():
        if layout.form != "json" and len(totals) == 1 and not (given.show_dataset or given.show_sliceno):
            term.record(rows)
        else:
            _print_place(layout, place, rows)
    return MATCHED if any(totals.values()) else NOTHING


def _place(given: Namespace, part: "Part") -> tuple[str | int, ...]:
    spec = part.dataset.spec
    return (spec, part.slices[0]) if given.show_sliceno else (spec,)


def _print_place(layout: "Layout", place: Sequence[str | int], rows: int | None = None) -> None:
    from porcelain.looking.export import json_line

    if layout.form == "json":
        named = dict(zip(("dataset", "sliceno"), place, strict=False))
        term.raw(json_line(named if rows is None else named | {"count": rows}), hold=True)
    else:
        term.raw(
            layout.join([str(value) for value in (*place, *([] if rows is None else [rows]))]), hold=True
        )
