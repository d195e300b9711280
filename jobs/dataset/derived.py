"""Heads of datasets that are made of the columns of others: renamed, left out, put together; nothing is copied."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import NamedTuple, Protocol

from cas.oid import ObjectId
from jobs.dataset.arrays import Readable, check_column
from jobs.dataset.declaration import Referent
from jobs.dataset.head import DatasetColumn, DatasetHead, DatasetRef, get_head, place_after
from jobs.errors import DatasetError


class Finished(Readable, Referent, Protocol):
    """A dataset that others can be made of; `Dataset` is one."""


class Part(NamedTuple):
    """Columns by their new names, and which of them decides the slice of a row."""

    columns: dict[str, DatasetColumn]
    hashlabel: str | None


def choose_columns(dataset: Readable, rename: Mapping[str, str | None], wanted: Sequence[str]) -> Part:
    """Return columns of a dataset under other names.

    Parameters
    ----------
    dataset
        What has them.
    rename
        `{old: new}`; None leaves the column out. A column that had the new name, and gets none itself, is replaced.
    wanted
        Only these, by their new names; all when there are none.
    """
    for old in rename:
        check_column(dataset, old)
    taken = [new for new in rename.values() if new is not None]
    twice = sorted({new for new in taken if taken.count(new) > 1})
    if twice:
        raise DatasetError(f"two columns of dataset '{dataset.spec}' are renamed to '{twice[0]}'")
    names = {old: _new_name(old, rename, taken) for old in dataset.head.columns}
    columns = {
        new: replace(column, name=new)
        for old, column in dataset.head.columns.items()
        if (new := names[old]) is not None
    }
    columns = _only(dataset, columns, wanted)
    if not columns:
        raise DatasetError(f"no column of dataset '{dataset.spec}' is left")
    label = dataset.head.hashlabel
    hashlabel = None if label is None else names[label]
    return Part(columns, hashlabel if hashlabel in columns else None)


def _new_name(old: str, rename: Mapping[str, str | None], taken: Sequence[str]) -> str | None:
    if old in rename:
        return rename[old]
    return None if old in taken else old


def _only(
    dataset: Readable, columns: dict[str, DatasetColumn], wanted: Sequence[str]
) -> dict[str, DatasetColumn]:
    for name in wanted:
        if name not in columns:
            close = get_close_matches(str(name), columns, n=3) or sorted(columns)[:8]
            raise DatasetError(
                f"dataset '{dataset.spec}' has no column '{name}' to be kept",
                hint="it has " + ", ".join(close),
            )
    return {name: column for name, column in columns.items() if not wanted or name in wanted}


def linked_head(
    source: Finished, part: Part, previous: DatasetRef | None, filename: str | None
) -> DatasetHead:
    """Return the head of a dataset with columns of `source`, which comes after `previous`."""
    place = place_after(source.store, previous)
    return replace(
        source.head,
        columns=part.columns,
        hashlabel=part.hashlabel,
        filename=filename,
        previous=previous,
        parents=(_ref(source),),
        depth=place.depth,
        earlier=place.earlier,
    )


def merged_head(
    one: Finished, other: Finished, previous: DatasetRef | None, *, allow_unrelated: bool
) -> DatasetHead:
    """Return the head of a dataset with the columns of two, of which those of `other` win.

    Raises
    ------
    DatasetError
        When they are the same, have other numbers of rows, or extend no common dataset and need to.
    """
    if one.node == other.node:
        raise DatasetError(f"dataset '{one.spec}' is merged with itself")
    for number, (here, there) in enumerate(zip(one.head.lines, other.head.lines, strict=False)):
        if here != there:
            raise DatasetError(
                f"dataset '{other.spec}' has {there} lines in slice {number}, where '{one.spec}' has {here}"
            )
    if len(one.head.lines) != len(other.head.lines):
        raise DatasetError(f"datasets '{one.spec}' and '{other.spec}' have other numbers of slices")
    if not allow_unrelated and _origins(one).isdisjoint(_origins(other)):
        raise DatasetError(
            f"datasets '{one.spec}' and '{other.spec}' extend no common dataset",
            hint="allow_unrelated=True says that their rows belong together all the same",
        )
    label = one.head.hashlabel
    if other.head.hashlabel is not None:
        label = other.head.hashlabel
    elif label in other.head.columns:
        label = None
    place = place_after(one.store, previous)
    return DatasetHead(
        columns={**one.head.columns, **other.head.columns},
        lines=one.head.lines,
        hashlabel=label,
        previous=previous,
        parents=(_ref(one), _ref(other)),
        depth=place.depth,
        earlier=place.earlier,
    )


def _ref(dataset: Finished) -> DatasetRef:
    return DatasetRef(dataset.node, dataset.name)


def _origins(dataset: Finished) -> set[ObjectId]:
    """Return the heads that a dataset extends in the end, which extend none themselves."""
    origins, seen, waiting = set(), set(), [_ref(dataset)]
    while waiting:
        each = waiting.pop()
        if each.node not in seen:
            seen.add(each.node)
            parents = get_head(dataset.store, each).parents
            waiting.extend(parents)
            if not parents:
                origins.add(each.node)
    return origins
