"""Why a job runs: the nearest earlier job of its method, and in one line what differs from it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from cas.errors import AccError
from cas.oid import ObjectId
from cas.store import Store
from jobs.nodes.listing import JobRow
from jobs.reuse.difference import Difference, Side, count_things, differences, size_of
from jobs.reuse.index import JobIndex

_COMPARED_AT_MOST: Final = 16
_MEASURED_AT_MOST: Final = 50
_NAMED_AT_MOST: Final = 3


class Nearest(NamedTuple):
    """The earlier job that differs least, what it was given, and what differs."""

    row: JobRow
    side: Side
    differences: list[Difference]


def why_new(store: Store, index: JobIndex, side: Side, known: dict[ObjectId, Side]) -> str:
    """Return in one line why there is no job yet that was given what `side` says.

    Parameters
    ----------
    known
        What earlier jobs of the method were given, by their runs: it is kept up to date, since the next job is compared
        with most of them.
    """
    rows = index.of_method(side.parts.method, limit=_COMPARED_AT_MOST)
    compared: list[tuple[int, JobRow, Side]] = []
    for row in rows:
        there = _find_side(store, index, row, known)
        if there is not None:
            compared.append((count_things(there, side), row, there))
            if compared[-1][0] <= 1:
                break  # a hit is not looked for here, and nothing is nearer
    for run in known.keys() - {row.run for row in rows}:
        del known[run]
    for _, row, there in sorted(compared, key=lambda each: each[0]):
        with suppress(AccError):  # objects of it are missing: it tells nothing
            return reason(Nearest(row, there, differences(there, side)))
    method = side.parts.method
    only_failed = not rows and index.count(method=method) > 0
    return f"every earlier run of '{method}' failed" if only_failed else f"first run of '{method}'"


def _find_side(store: Store, index: JobIndex, row: JobRow, known: dict[ObjectId, Side]) -> Side | None:
    if row.run not in known:
        try:
            known[row.run] = Side.of_job(store, index, row)
        except AccError:
            return None  # objects of it are missing: it tells nothing
    return known[row.run]


def reason(nearest: Nearest) -> str:
    """Return in one line what differs from the nearest earlier job."""
    if not nearest.differences:
        return f"like '{nearest.row.label}', which cannot be reused"
    named = "; ".join(map(str, nearest.differences[:_NAMED_AT_MOST]))
    more = len(nearest.differences) - _NAMED_AT_MOST
    return f"{named}; and {more} more" if more > 0 else named


def find_nearest(store: Store, index: JobIndex, rows: Iterable[JobRow], side: Side) -> Nearest | None:
    """Return the job of `rows`, newest first, in which the fewest things differ, and in these the least."""
    fewest: list[Nearest] = []
    for each in _compared(store, index, rows, side):
        if fewest and _things(each) > _things(fewest[0]):
            continue
        if not fewest or _things(each) < _things(fewest[0]):
            fewest.clear()
        fewest.append(each)
        if not each.differences:
            break
    # texts are read and compared only where the number of things does not decide
    return min(
        fewest[:_MEASURED_AT_MOST], key=lambda each: size_of(each.differences, each.side, side), default=None
    )


def _things(nearest: Nearest) -> int:
    return len({(each.kind, each.name) for each in nearest.differences})


def _compared(store: Store, index: JobIndex, rows: Iterable[JobRow], side: Side) -> Iterator[Nearest]:
    for row in rows:
        try:
            there = Side.of_job(store, index, row)
            yield Nearest(row, there, differences(there, side))
        except AccError:
            continue  # objects of it are missing: it tells nothing
