"""From written slices to nodes: the columns of a dataset, then its head."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cas.formats.node import put_node
from cas.store import Store
from jobs.dataset.declaration import DeclaredColumn, Schema
from jobs.dataset.head import (
    ColumnNode,
    ColumnSlice,
    DatasetColumn,
    DatasetHead,
    DatasetRef,
    largest,
    place_after,
    smallest,
)

if TYPE_CHECKING:
    from jobs.column.slice import SliceSummary
    from jobs.dataset.slices import Parts


def seal(store: Store, schema: Schema, parts: "Sequence[Parts]", previous: DatasetRef | None) -> DatasetHead:
    """Store the column nodes of a dataset and return its head, which is not stored yet.

    Parameters
    ----------
    store
        Where the nodes go; the blobs are there.
    schema
        Columns, and whatever else was told of the dataset.
    parts
        What was written, by slice; empty when the dataset has its parent's columns alone.
    previous
        The dataset before it.
    """
    told = schema.declaration
    columns = schema.inherited()
    for number, column in enumerate(schema.columns):
        columns[column.name] = _seal_column(store, column, [part[number] for part in parts])
    place = place_after(store, previous)
    return DatasetHead(
        columns=columns,
        lines=_lines(schema, parts),
        hashlabel=schema.hashlabel(),
        filename=told.filename,
        caption=told.caption,
        previous=previous,
        parents=() if told.parent is None else (told.parent,),
        depth=place.depth,
        earlier=place.earlier,
    )


def _seal_column(store: Store, column: DeclaredColumn, slices: "Sequence[SliceSummary]") -> DatasetColumn:
    node = ColumnNode(
        type=column.column_type.base,
        none_support=column.none_support,
        min=smallest(part.min for part in slices),
        max=largest(part.max for part in slices),
        slices=tuple(ColumnSlice(part.blob, part.lines, part.bytes) for part in slices),
    )
    return DatasetColumn.of(column.name, node, put_node(store, node))


def _lines(schema: Schema, parts: "Sequence[Parts]") -> tuple[int, ...]:
    """Return the rows of each slice; raise `DatasetError` when they are not those of the parent."""
    written = tuple(part[0].lines for part in parts)
    if schema.parent is None:
        return written
    for number, (here, there) in enumerate(zip(written, schema.parent.lines, strict=False)):
        if here != there:
            raise schema.error(f"has {here} lines in slice {number}, where its parent has {there}")
    return schema.parent.lines
