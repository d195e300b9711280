"""Datasets and chains of them as plain dicts: what `--json` prints and tables show."""

from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.dataset.head import DatasetHead, DatasetRef, get_head, walk_previous
from porcelain.plain import View, plain
from porcelain.spec import DEFAULT_DATASET, Resolver, Target


def dataset(resolver: Resolver, target: Target) -> View:
    """Return everything about one dataset but its rows."""
    head = head_of(resolver, target)
    return {
        "dataset": spec_of_dataset(target),
        "job": target.row and target.row.label,
        "method": target.row and target.row.method,
        "name": target.name,
        "node": target.oid,
        "lines": sum(head.lines),
        "slices": list(head.lines),
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "none_support": column.none_support,
                "min": plain(column.min),
                "max": plain(column.max),
            }
            for column in head.columns.values()
        ],
        "hashlabel": head.hashlabel,
        "filename": head.filename,
        "caption": head.caption,
        "previous": head.previous and _dataset_name(resolver, head.previous),
        "parents": [_dataset_name(resolver, parent) for parent in head.parents],
        "chain": head.depth + 1,
    }


def dataset_chain(resolver: Resolver, target: Target) -> list[View]:
    """Return one line for each dataset of the chain that ends in `target`, oldest first."""
    assert target.oid is not None
    head = head_of(resolver, target)
    newest = DatasetRef(target.oid, target.name)
    refs = [newest, *walk_previous(head, lambda ref: get_head(resolver.store, ref))]
    return [_chain_line(resolver, ref) for ref in reversed(refs)]


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
