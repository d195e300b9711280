"""`acc log`, `acc chain`, `acc results`, `acc workdir`: what there is, one line each."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from jobs.nodes.listing import JobRow
from jobs.nodes.run import MICROSECONDS
from porcelain import config, term
from porcelain.commandline.arguments import Parser, count
from porcelain.layout import Column
from porcelain.spec import Resolver, open_resolver
from porcelain.views import job_views
from porcelain.views.plain import View, moment

_SCREENFUL = 40
_BRANCH, _LAST_BRANCH = "\N{BOX DRAWINGS LIGHT VERTICAL AND RIGHT}", "\N{BOX DRAWINGS LIGHT UP AND RIGHT}"


def log(arguments: Sequence[str]) -> int:
    """List jobs, newest first."""
    parser = Parser(
        "log",
        "list jobs, newest first",
        prints="a line for each job: label, method, done or failed, end, seconds, caption, why it ran; with --builds "
        "for each build: name, script, start, seconds, how many jobs it built and reused, how it ended",
    )
    parser.add_argument("spec", nargs="?", metavar="SPEC", help="only this job and all that it was made from")
    parser.add_argument("--graph", action="store_true", help="the inputs of each job below it")
    parser.add_argument("-m", "--method", metavar="METHOD", help="only jobs of this method")
    parser.add_argument("-b", "--builds", action="store_true", help="runs of build scripts in place of jobs")
    remote_help = "those of a remote, by their labels there; by default of origin or the only one"
    parser.add_argument("--remote", nargs="?", const="", metavar="REMOTE", help=remote_help)
    limit_help = f"at most so many, 0 for all; by default all, on a terminal {_SCREENFUL}"
    parser.add_argument("-n", dest="limit", type=count, metavar="N", help=limit_help)
    parser.add_json()
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    if given.remote is not None:
        resolver = _look_at(resolver, given)
    # newest first: on a terminal the newest would scroll away
    is_screen = term.is_terminal() and not given.json
    limit = (_SCREENFUL if given.limit is None and is_screen else given.limit) or None
    if given.builds:
        if given.spec or given.method or given.graph:
            parser.error("--builds lists builds, whatever jobs they have")
        return _log_builds(resolver, limit, as_json=given.json)
    rows, total = _find_rows(resolver, given.spec, given.method, limit)
    shown = job_views.log(resolver, rows, graph=given.graph)
    if given.json:
        term.emit_json(shown)
        return 0
    _print_log(shown, graph=given.graph, method=given.method)
    if len(shown) < total:
        option = f" --remote {given.remote}" if given.remote else ""
        term.note(
            f"... and {term.count(total - len(shown), 'earlier job')}; 'acc log{option} -n 0' lists all"
        )
    return 0


def _look_at(resolver: Resolver, given: Namespace) -> Resolver:
    """Return what finds names at a remote, as it is now; when it does not answer, as it was, and say so."""
    # here, not above: what is here is listed without
    from porcelain.commandline.remotename import usual_remote
    from porcelain.sharing.looking import look_if_reached, looked_at
    from porcelain.storage import open_remote

    given.remote = given.remote or usual_remote(resolver.config)
    remote = open_remote(resolver.config, given.remote)
    trouble = look_if_reached(remote)
    if trouble is not None:
        then = looked_at(remote)
        when = "some time ago" if then is None else term.moment(moment(round(then * MICROSECONDS)))
        term.warn(f"{trouble}; this is what it had {when}")
    return resolver.at(given.remote)


def chain(arguments: Sequence[str]) -> int:
    """List a job and those before it in its chain, oldest first."""
    parser = Parser(
        "chain",
        "list a job and those before it in its chain, oldest first",
        prints="a line for each job, as 'acc log' does; the chain leads along the input 'previous'",
    )
    parser.add_argument("spec", metavar="SPEC", help="the newest job of the chain")
    parser.add_argument("-n", "--length", type=count, default=-1, metavar="N", help="only the last N of it")
    parser.add_json()
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    shown = job_views.log(resolver, job_views.chain(resolver, resolver.job(given.spec), given.length))
    if given.json:
        term.emit_json(shown)
    else:
        _print_log(shown)
    return 0


def results(arguments: Sequence[str]) -> int:
    """List the result links."""
    parser = Parser(
        "results",
        "list the result links",
        prints="a line for each link: its name, job and file behind it, and what the build script says of it",
    )
    parser.add_json()
    given = parser.parse(arguments)
    shown = job_views.results(open_resolver(config.here()))
    if given.json:
        term.emit_json(shown)
        return 0
    if not shown:
        term.note("no results yet; job.link_result() in a build script or 'acc link' makes some")
        return 0
    said = [view["header"] or view["description"].partition("\n")[0] for view in shown]
    columns = [Column("result"), Column("file", cut=True)]
    columns += [Column("header", cut=True)] if any(said) else []
    rows = [
        [view["name"], f"{view['job']}:{view['file']}"]
        + ([header] if any(said) else [])
        + ["" if view["present"] else "link is gone"]
        for view, header in zip(shown, said, strict=True)
    ]
    term.table([*columns, Column("")], rows)
    return 0


def workdir(arguments: Sequence[str]) -> int:
    """List workdirs."""
    parser = Parser(
        "workdir",
        "list workdirs",
        prints="a line for each workdir: name ('*': new jobs go there), number of jobs, newest job, folder",
    )
    parser.add_json()
    given = parser.parse(arguments)
    shown = job_views.workdirs(open_resolver(config.here()))
    if given.json:
        term.emit_json(shown)
        return 0
    columns = [Column("workdir"), Column("jobs", right=True), Column("newest"), Column("folder", cut=True)]
    mark = {True: " *", False: ""}
    rows = [
        [view["name"] + mark[view["target"]], str(view["jobs"]), view["newest"] or "-", view["path"]]
        for view in shown
    ]
    term.table(columns, rows)
    return 0


def _find_rows(
    resolver: Resolver, spec: str | None, method: str | None, limit: int | None
) -> tuple[list[JobRow], int]:
    """Return the newest jobs that a log is to show, and the number of all."""
    if spec is None:
        # of 100,000 jobs the newest are read in 0.2 ms, all in 1.5 s
        return resolver.index.rows(limit, method=method), resolver.index.count(method=method)
    rows = [row for row in job_views.ancestry(resolver, resolver.job(spec)) if method in (None, row.method)]
    return rows[:limit], len(rows)


def _log_builds(resolver: Resolver, limit: int | None, *, as_json: bool) -> int:
    from porcelain.views import build_views  # here, not above: a log of jobs loads no builds

    shown, total = build_views.builds(resolver, limit)
    if as_json:
        term.emit_json(shown)
        return 0
    if not shown:
        term.note("no builds yet; 'acc build' makes some")
        return 0
    columns = [
        Column("build"),
        Column("script", cut=True),
        Column("time"),
        Column("seconds", right=True),
        Column("built", right=True),
        Column("reused", right=True),
        Column("status", cut=True),
    ]
    rows = [
        [
            view["build"],
            view["script"],
            term.moment(view["started"], short=term.is_terminal()),
            term.duration(view["seconds"]),
            str(view["built"]),
            str(view["reused"]),
            view["status"],
        ]
        for view in shown
    ]
    term.table(columns, rows)
    if len(shown) < total:
        term.note(
            f"... and {term.count(total - len(shown), 'earlier build')}; 'acc log --builds -n 0' lists all"
        )
    return 0


def _print_log(shown: Sequence[View], *, graph: bool = False, method: str | None = None) -> None:
    if not shown:
        term.note(f"no jobs of method '{method}'" if method else "no jobs yet; 'acc build' makes some")
        return
    has_captions = any(view["caption"] for view in shown)
    columns = [
        Column("job"),
        # the inputs of a graph stand there too, and half a spec is of no use
        Column("method", cut=not graph),
        Column("state"),
        Column("time"),
        Column("seconds", right=True),
        *[Column("caption", cut=True)] * has_captions,
        Column("why", cut=True),
    ]
    term.table(columns, [line for view in shown for line in _log_lines(view, has_captions=has_captions)])


def _log_lines(view: View, *, has_captions: bool) -> Iterator[list[str]]:
    when = term.moment(view["ended"], short=term.is_terminal())
    why = view["why"] + (f"; came out as {view['earlier']}" if view["earlier"] else "")
    caption = [view["caption"]] * has_captions
    yield [view["label"], view["method"], view["state"], when, term.duration(view["seconds"]), *caption, why]
    inputs = view.get("inputs", [])
    for number, entry in enumerate(inputs, start=1):
        branch = _LAST_BRANCH if number == len(inputs) else _BRANCH
        name = entry["path"].partition(".")[2]
        yield [f"  {branch} {name}", entry["spec"], "", "", "", *[""] * has_captions, ""]
