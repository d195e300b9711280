"""What a graph of jobs or of datasets is: nodes, and edges from what was given to what was made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from cas.errors import CorruptObject, NotANode, ObjectNotFound, UnknownFormat
from cas.oid import ObjectId
from jobs.nodes.build import How
from porcelain.views.plain import View

Kind: TypeAlias = Literal["job", "dataset"]
State: TypeAlias = Literal["done", "failed", "missing"]

# a request walks no further: so many nodes are read in 0.15 s when none is cached
MOST_NODES: Final = 2000
# what is shown as missing when its node is read: a graph is for finding such things, too
UNREADABLE: Final = (ObjectNotFound, CorruptObject, NotANode, UnknownFormat)
SUBJOB: Final = "subjob"
# the name of the job or dataset before another in its chain, and of the dataset that one extends
PREVIOUS: Final = "previous"
PARENT: Final = "parent"


@dataclass(frozen=True, slots=True)
class Node:
    """One job or dataset.

    Attributes
    ----------
    oid : ObjectId
        The run of a job, the head of a dataset.
    label : str
        The spec that names it.
    group : str
        With what it is folded together: the method of a job, method and name of a dataset.
    state : str
        "missing": its own node cannot be read here, so what it was made from is not known.
    how : str or None
        How the build that the graph is about got it; None when that is not known.
    seconds : float or None
        None for what took no time of its own, as a dataset.
    lines, columns : int or None
        Of a dataset.
    when : int
        Orders the nodes of a group: the end of a job, the place of a dataset in its chain.
    """

    oid: ObjectId
    label: str
    group: str
    kind: Kind = "job"
    state: State = "done"
    how: How | None = None
    seconds: float | None = None
    caption: str = ""
    why: str = ""
    lines: int | None = None
    columns: int | None = None
    when: int = 0

    @property
    def is_reused(self) -> bool:
        """Whether it was there before the build that the graph is about."""
        return self.how in ("reused", "cutoff")

    def to_view(self) -> View:
        """Return what JSON says of it."""
        size = {"lines": self.lines, "columns": self.columns} if self.kind == "dataset" else {}
        return {
            "label": self.label,
            "kind": self.kind,
            "method": self.group.partition("/")[0],
            "caption": self.caption,
            "state": self.state,
            "how": self.how,
            "reused": None if self.how is None else self.is_reused,
            "seconds": self.seconds,
            "why": self.why,
            **size,
        }


class Edge(NamedTuple):
    """`target` was made from `source`, which it knows by `name`: that of the input, "subjob", "previous", "parent"."""

    source: ObjectId
    target: ObjectId
    name: str


@dataclass(frozen=True, slots=True)
class Graph:
    """What was made from what.

    Attributes
    ----------
    nodes : mapping of ObjectId to Node
        Nearest to the roots first.
    edges : sequence of Edge
        Both ends are among the nodes.
    roots : sequence of ObjectId
        What the graph is about.
    limits : sequence of str
        What is not in it, a sentence each.
    """

    nodes: Mapping[ObjectId, Node]
    edges: Sequence[Edge]
    roots: Sequence[ObjectId]
    limits: Sequence[str] = ()

    def to_view(self) -> View:
        """Return the graph as JSON has it, nodes named by their labels."""
        labels = {oid: node.label for oid, node in self.nodes.items()}
        return {
            "roots": [labels[oid] for oid in self.roots],
            "nodes": [node.to_view() for node in self.nodes.values()],
            "edges": [
                {"from": labels[edge.source], "to": labels[edge.target], "name": edge.name}
                for edge in self.edges
            ],
            "limits": [*self.limits],
        }
