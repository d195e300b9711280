"""Which jobs keep their labels when old ones go: by age, or all but those that are named."""

from collections.abc import Callable, Iterable

from cas.errors import AccError
from cas.formats.node import decode
from cas.oid import ObjectId
from cas.store import Store
from jobs.facets.runs import get_run
from jobs.nodes.listing import JobRow
from jobs.nodes.run import MICROSECONDS, Run
from jobs.reuse.index import JobIndex


def find_droppable(
    store: Store,
    index: JobIndex,
    *,
    may_go: Callable[[JobRow], bool],
    kept_runs: Iterable[ObjectId] = (),
) -> list[JobRow]:
    """Return the runs whose labels can go, oldest first.

    What a kept job was made from is kept with it, since its run links to theirs: to drop only their labels would
    free nothing and hide where the job came from.

    Parameters
    ----------
    may_go
        Whether the policy lets a run go.
    kept_runs
        Runs that stay whatever the policy says, such as those that result links point to.
    """
    rows = index.rows()
    going = {row.run for row in rows if may_go(row)}
    above = [row.run for row in rows if row.run not in going] + list(kept_runs)
    seen: set[ObjectId] = set()
    while above:
        run = above.pop()
        if run not in seen:
            seen.add(run)
            above.extend(_made_from(store, run))
    return [row for row in reversed(rows) if row.run in going - seen]


def has_ended(run: bytes, *, before: float) -> bool:
    """Return whether a run, given as the bytes of its node, ended before a time, in seconds since 1970.

    Of what is no run, or one of another version, that is not known.
    """
    try:
        return decode(run, Run).times.end < before * MICROSECONDS
    except AccError:
        return False


def _made_from(store: Store, run: ObjectId) -> Iterable[ObjectId]:
    try:
        node = get_run(store, run)
    except AccError:
        return ()  # fsck says what is wrong with it; it keeps nothing else
    return [*(given.run for given in node.inputs), *(subjob.run for subjob in node.subjobs)]
