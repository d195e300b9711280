"""`acc verify`, `acc rerun`: run jobs again as they were, from their stored source and inputs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from jobs.nodes.listing import JobRow
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.project import Project
from porcelain.spec import Resolver
from porcelain.views.plain import View
from porcelain.watching.progress import Progress

if TYPE_CHECKING:
    from jobs.comparison.outcomes import OutcomeDifference
    from jobs.verify import Verification

_LABEL_WIDTH = 8
_METHOD_WIDTH = 20


def verify(arguments: Sequence[str]) -> int:
    """Run jobs again from their stored source and inputs, and compare what comes of them."""
    parser = Parser(
        "verify",
        "run jobs again and compare what comes of them",
        prints="a line for each job: equal, same values (in other bytes), different, failed, or not run; then what\n"
        "differs: which file, or which column, slice and row. Nothing of these runs is kept. The exit code is 1\n"
        "unless all are equal",
    )
    parser.add_argument("specs", nargs="*", metavar="SPEC", help="a job, or build-7 for all jobs of a build")
    parser.add_argument("--all", action="store_true", help="all finished jobs, oldest first")
    parser.add_json()
    given = parser.parse(arguments)
    if bool(given.specs) == given.all:
        parser.error("name jobs, or give --all")
    with Project(config.here()) as project:
        rows = _all_rows(project) if given.all else _named_rows(project.resolver, given.specs)
        found = []
        for number, row in enumerate(rows):
            term.tick(f"verifying {row.label}  {row.method}  ({number + 1} of {len(rows)})")
            try:
                found.append(project.verifier.verify(row))
            finally:
                term.tick("")
            if not given.json:
                _print_verification(found[-1])
    if given.json:
        term.emit_json(list(map(_view, found)))
    elif len(found) != 1:
        term.line(_summary(found))
    return 0 if all(each.result == "equal" for each in found) else 1


def rerun(arguments: Sequence[str]) -> int:
    """Run a job again as it was, whatever became of its source, and keep it under a new label."""
    parser = Parser(
        "rerun",
        "run a job again as it was, and keep it under a new label",
        prints="the new job, and whether its outcome is equal, or what differs",
    )
    parser.add_argument("spec", metavar="SPEC", help="the job")
    parser.add_argument("-w", "--workdir", default="", help="where the new job goes; by default where it was")
    given = parser.parse(arguments)
    with Progress() as progress, Project(config.here(), progress) as project:
        row = project.resolver.job(given.spec)
        own = (
            row.workdir if row.workdir in project.config.workdirs else ""
        )  # a remote has workdirs of its own
        workdir = project.builder.checked_workdir(given.workdir or own)
        again = project.verifier.rerun(row, workdir=workdir)
        if again.differences:
            term.line(f"'{again.row.label}' differs from '{row.label}':")
            _print_differences(again.differences)
        else:
            term.line(f"'{again.row.label}' is equal to '{row.label}'")
    return 0


# -- which jobs ------------------------------------------------------------------------------------------------


def _all_rows(project: Project) -> list[JobRow]:
    return _each_once(row for row in reversed(project.index.rows()) if row.state == "done")


def _named_rows(resolver: Resolver, specs: Iterable[str]) -> list[JobRow]:
    return _each_once(row for spec in specs for row in _rows(resolver, spec))


def _rows(resolver: Resolver, spec: str) -> list[JobRow]:
    target = resolver.resolve(spec)
    if target.kind != "build" or target.oid is None:
        return [resolver.job(spec)]
    # here, not above: only builds need it
    from cas.formats.node import get_node
    from jobs.nodes.build import Build

    node = get_node(resolver.store, target.oid, Build)
    return [resolver.row_of_run(entry.run) for entry in node.jobs]


def _each_once(rows: Iterable[JobRow]) -> list[JobRow]:
    """Return one of the rows of each job: equal runs of it need not be verified twice."""
    return list({row.job or row.run: row for row in rows}.values())


# -- what came of it -------------------------------------------------------------------------------------------


def _print_verification(found: "Verification") -> None:
    row = found.row
    why = found.problem or found.failed
    term.line(
        term.printable(
            f"{row.label:<{_LABEL_WIDTH}}{row.method:<{_METHOD_WIDTH}}  {found.result}"
            + (f": {why}" if why else "")
        )
    )
    if found.hint:
        term.line(f"    hint: {found.hint}")
    _print_differences(found.differences)
    if found.result != "equal":
        for name, then, now in found.environment:
            term.line(term.printable(f"    it ran with {name} {then}, and now with {name} {now}"))
    term.flush()


def _print_differences(differences: Sequence["OutcomeDifference"]) -> None:
    for each in differences:
        name = f" '{each.name}'" if each.name else ""
        where = f"dataset{name}, column '{each.column}'" if each.column else f"{each.kind}{name}"
        values = [
            part
            for part in (each.before and f"was {each.before}", each.after and f"now {each.after}")
            if part
        ]
        term.line(
            term.printable("    " + f"{where}: {each.what}" + (f": {', '.join(values)}" if values else ""))
        )


def _summary(found: Sequence["Verification"]) -> str:
    counts = Counter(each.result for each in found)
    shown = ", ".join(f"{number} {result}" for result, number in counts.items())
    return f"{term.count(len(found), 'job')}" + (f": {shown}" if shown else "")


def _view(found: "Verification") -> View:
    return {
        "job": found.row.label,
        "method": found.row.method,
        "result": found.result,
        "failed": found.failed,
        "problem": found.problem,
        "hint": found.hint,
        "environment": [{"name": name, "then": then, "now": now} for name, then, now in found.environment],
        "differences": list(map(asdict, found.differences)),
    }
