"""Dependency graphs: of a job, of a build, of a dataset, and of any other runs."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.responses import Response

from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.errors import NoSuchJob
from jobs.nodes.build import Build
from porcelain.board import addresses
from porcelain.board.graph import buildtime, datasetwalk, jobwalk
from porcelain.board.graph.export import to_file
from porcelain.board.graph.folding import ALL, NONE, asked_for, fold
from porcelain.board.graph.marks import Ways
from porcelain.board.graph.nodes import Graph, Node
from porcelain.board.graph.picture import draw
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.spec import Target, get_oid
from porcelain.views import job_views
from porcelain.views.plain import View

_DEPTHS: Final = (1, 2, 3, 5, 10)
_DEEPEST: Final = 1000
_LATER: Final = ("", "1")


class Subject(NamedTuple):
    """What a graph is about: its name, the page of it, and the graph; of a job what the head of its pages shows."""

    name: str
    address: str
    graph: Graph
    job: View | None = None


def of_job(project: ShownProject, asked: Asked) -> Page:
    """Show what a job was made from; `later=1`: what was made from it, too."""
    return _page(_job(project, asked), asked, has_later=True)


def file_of_job(project: ShownProject, asked: Asked) -> Response:
    """Return the graph of a job as a file."""
    return _file(_job(project, asked), asked)


def of_build(project: ShownProject, asked: Asked) -> Page:
    """Show the jobs of a build, and what they were made from."""
    return _page(_build(project, asked), asked)


def file_of_build(project: ShownProject, asked: Asked) -> Response:
    """Return the graph of a build as a file."""
    return _file(_build(project, asked), asked)


def of_dataset(project: ShownProject, asked: Asked) -> Page:
    """Show the chain of a dataset, and what it extends."""
    return _page(_dataset(project, asked), asked)


def file_of_dataset(project: ShownProject, asked: Asked) -> Response:
    """Return the graph of a dataset as a file."""
    return _file(_dataset(project, asked), asked)


def of_runs(project: ShownProject, asked: Asked, name: str, address: str, runs: Sequence[ObjectId]) -> Page:
    """Show what some runs were made from: those of an urd session, whose page is at `address`."""
    return _page(_runs(project, asked, name, address, runs), asked)


def file_of_runs(
    project: ShownProject, asked: Asked, name: str, address: str, runs: Sequence[ObjectId]
) -> Response:
    """Return the same as a file."""
    return _file(_runs(project, asked, name, address, runs), asked)


# -- what it is about ----------------------------------------------------------------------------------------


def _job(project: ShownProject, asked: Asked) -> Subject:
    row = project.resolver.job(asked.names["spec"])
    later = asked.one_of("later", _LATER, "") == "1"
    got = buildtime.got_with(project, row.run)
    graph = jobwalk.made_from(project, [row.run], depth=_depth(asked), got=got, later=later)
    return Subject(row.label, addresses.job(row.label), graph, job_views.row(row))


def _build(project: ShownProject, asked: Asked) -> Subject:
    target = project.resolver.resolve(asked.names["name"])
    if target.kind != "build":
        raise NoSuchJob(f"'{asked.names['name']}' is no build", hint="'acc log --builds' lists them")
    build = get_node(project.store, get_oid(target), Build)
    runs = [entry.run for entry in build.jobs]
    graph = jobwalk.made_from(project, runs, depth=_depth(asked), got=buildtime.got_by(build))
    return Subject(target.name, addresses.build(target.name), graph)


def _runs(project: ShownProject, asked: Asked, name: str, address: str, runs: Sequence[ObjectId]) -> Subject:
    return Subject(name, address, jobwalk.made_from(project, runs, depth=_depth(asked)))


def _dataset(project: ShownProject, asked: Asked) -> Subject:
    target: Target = project.resolver.dataset(f"{asked.names['label']}/{asked.names['name']}")
    graph = datasetwalk.chained(project, target, depth=_depth(asked))
    label = graph.nodes[graph.roots[0]].label
    return Subject(label, addresses.dataset(label), graph)


def _depth(asked: Asked) -> int | None:
    return asked.number("depth", 0, most=_DEEPEST) or None


# -- how it is shown -----------------------------------------------------------------------------------------


def _page(subject: Subject, asked: Asked, *, has_later: bool = False) -> Page:
    folded = fold(subject.graph, asked.text("open"))

    def to_group(group: str) -> str:
        opened = {*folded.open} ^ {group}
        return addresses.with_query(asked.path, asked.query, open=asked_for(opened, folded.groups))

    def to_node(node: Node) -> str:
        return addresses.dataset(node.label) if node.kind == "dataset" else addresses.job(node.label)

    label = _label(subject)
    return Page(
        "graph.html",
        f"Graph of {subject.name}",
        {"of": subject.name, **subject.graph.to_view()},
        {
            "subject": subject,
            "folded": folded,
            "picture": None
            if asked.wants_json
            else draw(subject.graph, folded, label, Ways(to_node, to_group)),
            "to_group": to_group,
            "to_all": {
                each: addresses.with_query(asked.path, asked.query, open=each) for each in (ALL, NONE)
            },
            "to_file": addresses.with_query(f"{asked.path}.svg", asked.query),
            "depth": _depth(asked),
            "depths": _DEPTHS,
            "has_later": has_later,
        },
    )


def _label(subject: Subject) -> str:
    return f"What {subject.name} was made from"


def _file(subject: Subject, asked: Asked) -> Response:
    folded = fold(subject.graph, asked.text("open"))
    return to_file(draw(subject.graph, folded, _label(subject), None), f"{subject.name}-graph")
