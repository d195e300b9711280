"""Datasets and chains of them as plain dicts: what `--json` prints and tables show."""

from collections.abc import Callable, Iterable
from functools import cache, partial
from itertools import zip_longest
from typing import Any, TypeAlias

from cas.errors import CorruptObject, ObjectNotFound
from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.dataset.head import (
    ColumnNode,
    DatasetColumn,
    DatasetHead,
    DatasetRef,
    get_head,
    largest,
    smallest,
    walk_previous,
)
from jobs.nodes.listing import JobRow
from porcelain.spec import Resolver, Target
from porcelain.specgrammar import DEFAULT_DATASET
from porcelain.views.plain import View, plain

ReadHead: TypeAlias = Callable[[DatasetRef], DatasetHead]


def dataset(resolver: Resolver, target: Target, names: Iterable[str] | None = None) -> View:
    """Return everything about one dataset but its rows; with `names` only those of its columns."""
    head = head_of(resolver, target)
    chosen = head.columns if names is None else names
    return {
        "dataset": spec_of_dataset(target),
        "job": target.row and target.row.label,
        "method": target.row and target.row.method,
        "name": target.name,
        "node": target.oid,
        "lines": sum(head.lines),
        "slices": list(head.lines),
        "columns": [_column(resolver, head.columns[name]) for name in chosen],
        "hashlabel": head.hashlabel,
        "filename": head.filename,
        "caption": head.caption,
        "previous": head.previous and _dataset_name(resolver, head.previous),
        "parents": [_dataset_name(resolver, parent) for parent in head.parents],
        "chain": head.depth + 1,
    }


def _column(resolver: Resolver, column: DatasetColumn) -> View:
    parts = get_node(resolver.store, column.node, ColumnNode).slices
    return {
        "name": column.name,
        "type": column.type,
        "none_support": column.none_support,
        "min": plain(column.min),
        "max": plain(column.max),
        "raw_bytes": sum(part.bytes for part in parts),
        "stored_bytes": _stored_bytes(resolver, {part.blob for part in parts}),
    }


def _stored_bytes(resolver: Resolver, blobs: Iterable[ObjectId]) -> int | None:
    """Return what the objects are stored in together; None when one cannot be read, which 'acc fsck' tells of."""
    try:
        return sum(resolver.store.sizes_of(blob).stored_bytes for blob in blobs)
    except (ObjectNotFound, CorruptObject):
        return None


def origins(resolver: Resolver, target: Target, names: Iterable[str] | None = None) -> dict[str, View | None]:
    """Return for each column, or each named one, the dataset and column that it has from another, or None."""
    head = head_of(resolver, target)
    # most columns come from the same few
    read = cache(partial(get_head, resolver.store))
    chosen = head.columns if names is None else names
    return {name: _origin(resolver, read, head, head.columns[name]) for name in chosen}


def _origin(resolver: Resolver, read: ReadHead, head: DatasetHead, column: DatasetColumn) -> View | None:
    found, name = None, column.name
    while step := _in_parent(read, head, column.node, name):
        found, head, name = step
    return None if found is None else {"dataset": _dataset_name(resolver, found), "column": name}


def _in_parent(
    read: ReadHead, head: DatasetHead, node: ObjectId, name: str
) -> tuple[DatasetRef, DatasetHead, str] | None:
    """Return the parent that has the same column, and under which name; if possible the same."""
    for ref in head.parents:
        parent = read(ref)
        names = [other for other, column in parent.columns.items() if column.node == node]
        if names:
            return ref, parent, name if name in names else names[0]
    return None


def chain_bounds(resolver: Resolver, target: Target) -> dict[str, tuple[Any, Any]]:
    """Return the smallest and the largest value of each column in all the chain that ends in `target`."""
    heads = [get_head(resolver.store, ref) for ref in _links(resolver, target)]
    found = {}
    for name in heads[0].columns:
        columns = [head.columns[name] for head in heads if name in head.columns]
        low, high = smallest(column.min for column in columns), largest(column.max for column in columns)
        found[name] = (plain(low), plain(high))
    return found


def chain_slices(resolver: Resolver, target: Target) -> list[int]:
    """Return the lines of each slice in all the chain that ends in `target`."""
    heads = [get_head(resolver.store, ref) for ref in _links(resolver, target)]
    return [sum(lines) for lines in zip_longest(*(head.lines for head in heads), fillvalue=0)]


def datasets_of_job(resolver: Resolver, row: JobRow, *, chained: bool) -> list[View]:
    """Return the datasets of a job, by name, with their lines, or those of their chains."""
    found = []
    for name, node in sorted(resolver.outcome(row).datasets.items()):
        target = Target("dataset", node, row, name)
        chain = dataset_chain(resolver, target) if chained else [dataset_line(resolver, name, node)]
        found.append({"dataset": spec_of_dataset(target), "lines": sum(link["lines"] for link in chain)})
    return found


def dataset_chain(resolver: Resolver, target: Target) -> list[View]:
    """Return one line for each dataset of the chain that ends in `target`, oldest first."""
    return [_chain_line(resolver, ref) for ref in reversed(_links(resolver, target))]


def _links(resolver: Resolver, target: Target) -> list[DatasetRef]:
    """Return the datasets of the chain that ends in `target`, newest first."""
    assert target.oid is not None
    head = head_of(resolver, target)
    newest = DatasetRef(target.oid, target.name)
    return [newest, *walk_previous(head, lambda ref: get_head(resolver.store, ref))]


def head_of(resolver: Resolver, target: Target) -> DatasetHead:
    """Return the head of a dataset."""
    assert target.oid is not None
    return get_node(resolver.store, target.oid, DatasetHead)


def spec_of_dataset(target: Target) -> str:
    """Return the text that names a dataset again."""
    return f"{target.row.label}/{target.name or DEFAULT_DATASET}" if target.row else f"{target.oid}"


def dataset_line(resolver: Resolver, name: str, node: ObjectId) -> View:
    """Return one line for a dataset of a job."""
    head = get_node(resolver.store, node, DatasetHead)
    return {"name": name, "columns": len(head.columns), "lines": sum(head.lines), "node": node}


def _chain_line(resolver: Resolver, ref: DatasetRef) -> View:
    head = get_head(resolver.store, ref)
    return {
        "dataset": _dataset_name(resolver, ref),
        "lines": sum(head.lines),
        "columns": len(head.columns),
        "filename": head.filename,
        "caption": head.caption,
    }


def _dataset_name(resolver: Resolver, ref: DatasetRef) -> str:
    owner = resolver.index.find_dataset_owner(ref.node, ref.name)
    return f"{owner[0].label}/{owner[1]}" if owner else ref.node[:12]
