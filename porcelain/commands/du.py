"""`acc du`: what jobs cost in the store."""

from argparse import Namespace
from collections.abc import Callable, Sequence

from cas.store import Sizes
from jobs.footprint import Cost, Costs
from jobs.nodes.listing import JobRow
from porcelain import config, term
from porcelain.commandline.arguments import Parser, count
from porcelain.layout import Column
from porcelain.spec import Resolver, open_resolver
from porcelain.views.plain import View
from porcelain.watching.ticker import Ticker

_SCREENFUL = 40


def du(arguments: Sequence[str]) -> int:
    """Show what jobs cost, alone and shared with others."""
    given = _parse(arguments)
    resolver = open_resolver(config.here())
    named = {row.run: row for row in map(resolver.job, given.specs)}
    everyone = resolver.index.rows()
    costs = _add_up(resolver, everyone)
    rows = list(named.values()) or everyone
    views = [_view(row, costs.of([row.run])) for row in rows]
    if not named:
        views.sort(key=_stored_bytes, reverse=True)
    total = {"jobs": len(views)} | _sizes(costs.of(row.run for row in rows))
    if given.json:
        term.emit_json({"jobs": views[: given.limit or None], "total": total})
    elif views:
        _print_table(views, total, given)
    else:
        term.note("no jobs yet; 'acc build' makes some")
    return _warn(costs)


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "du",
        "show what jobs cost, alone and shared with others",
        prints="a line for each job: raw and stored bytes that it alone holds, which go when it goes, and those\n"
        "that other jobs hold too; last a line for all of them together, each object once. A job holds its\n"
        "nodes, source, files and datasets, not what it was given. Exit code 1 when something is missing or\n"
        "corrupt, which counts as nothing",
    )
    spec_help = "these jobs, in this order; by default all, the largest first"
    parser.add_argument("specs", nargs="*", metavar="SPEC", help=spec_help)
    limit_help = f"at most so many lines, 0 for all; by default all, on a terminal {_SCREENFUL}"
    parser.add_argument("-n", dest="limit", type=count, metavar="N", help=limit_help)
    parser.add_argument("--bytes", action="store_true", help="exact numbers of bytes")
    parser.add_json()
    return parser.parse(arguments)


def _add_up(resolver: Resolver, rows: Sequence[JobRow]) -> Costs:
    costs = Costs(resolver.store)
    with Ticker("adding up", "job") as ticker:
        for number, row in enumerate(rows):
            ticker.show(number, len(rows))
            costs.add(row.run)
    return costs


def _view(row: JobRow, cost: Cost) -> View:
    return {"job": row.label, "method": row.method, "state": row.state, **_sizes(cost)}


def _sizes(cost: Cost) -> View:
    return {"alone": cost.alone._asdict(), "shared": cost.shared._asdict()}


def _stored_bytes(view: View) -> int:
    return int(view["alone"]["stored_bytes"] + view["shared"]["stored_bytes"])


def _print_table(views: Sequence[View], total: View, given: Namespace) -> None:
    size: Callable[[int], str] = str if given.bytes else term.size
    # the largest come first: on a terminal they would scroll away
    limit = _SCREENFUL if given.limit is None and term.is_terminal() else given.limit
    shown = views[: limit or None]
    last = {"job": "total", "method": term.count(len(views), "job")} | total
    amounts = [(group, field) for group in ("alone", "shared") for field in Sizes._fields]
    columns = [Column(f"{group} {field.partition('_')[0]}", right=True) for group, field in amounts]
    term.table(
        [Column("job"), Column("method", cut=True), *columns],
        [
            [view["job"], view["method"], *(size(view[group][field]) for group, field in amounts)]
            for view in (*shown, last)
        ],
    )
    if len(shown) < len(views):
        term.note(f"... and {term.count(len(views) - len(shown), 'more job')}; 'acc du -n 0' lists all")


def _warn(costs: Costs) -> int:
    """Say that not all could be read; return the exit code."""
    if not costs.damaged:
        return 0
    term.warn(
        f"objects of {term.count(len(costs.damaged), 'job')} are missing or corrupt, and count as nothing; "
        "'acc fsck' names them"
    )
    return 1
