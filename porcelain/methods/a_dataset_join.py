"""Rows of two datasets that have equal keys, side by side."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError, OptionError
from jobs.method.options import OptionEnum
from porcelain.methods.tables.chains import check_given, check_slices
from porcelain.methods.tables.joining import (
    Joining,
    Part,
    Side,
    Stored,
    collect,
    join_parts,
    part_of_slice,
    scatter,
)
from porcelain.methods.tables.keyindex import common_type
from porcelain.methods.tables.scratch import Scratch
from porcelain.methods.tables.vectors import check_key

version = 1

description = """Rows of two datasets that have equal keys, side by side.

A row of left comes once for each row of right that has the same key; without any it is left out (how=inner), or comes
once with None in the columns of right (how=left). None equals nothing, nan equals nan. Numbers of all types can be
equal, so can ascii and unicode.

The columns of right come without its keys; one that is in left too has the suffix after its name. The dataset is
hashed on the first key. Nothing is moved of a dataset that is hashed on its first key already, and when both are, all
slices are joined at once.
"""

options = {
    "on": None,  # the keys: a column, [columns], or {column of left: column of right}
    "how": OptionEnum("inner left").inner,
    "suffix": "_right",  # follows the names of those columns of right that left has too
    "caption": "joined dataset",
}
datasets = ("left", "right", "previous")


class Prepared(NamedTuple):
    """What is joined, where it goes, and where each slice puts rows of left and right that go to other slices."""

    joining: Joining
    writer: Any
    scratches: list[tuple[Scratch, Scratch]]

    @property
    def moves(self) -> bool:
        """Whether rows go to other slices, so that slices cannot be joined at once."""
        return self.joining.left.moves or self.joining.right.moves


# by slice, what was put to scratch for it: of left and of right
Moved: TypeAlias = tuple[dict[int, list[Stored]], dict[int, list[Stored]]]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Prepared:
    """Check that the datasets can be joined, and make the writer."""
    left, right = check_given(datasets.left, "left"), check_given(datasets.right, "right")
    check_slices(left, slices)
    check_slices(right, slices)
    pairs = _parse_keys(options.on)
    common = [_common_type(left, one, right, other) for one, other in pairs.items()]
    renamed = _rename(left, right, set(pairs.values()), options.suffix)
    joining = Joining(
        Side(left, list(pairs), common, sorted(left.columns)),
        Side(right, list(pairs.values()), common, sorted({*pairs.values(), *renamed.values()})),
        renamed,
        options.how == "left",
        slices,
    )
    writer = job.datasetwriter(
        hashlabel=next(iter(pairs)), previous=datasets.previous, caption=options.caption
    )
    for name, column in sorted(left.columns.items()):
        writer.add(name, column.type, none_support=column.none_support)
    for new, old in renamed.items():
        column = right.columns[old]
        writer.add(new, column.type, none_support=column.none_support or joining.keeps_left)
    return Prepared(joining, writer, [(Scratch(), Scratch()) for _ in range(slices)])


def analysis(sliceno: int, prepare_res: Prepared) -> Moved:
    """Join this slice, or put its rows where those of other slices find them."""
    joining, writer, scratches = prepare_res
    left, right = joining.left, joining.right
    if not prepare_res.moves:
        _write(writer, joining, part_of_slice(left, sliceno), part_of_slice(right, sliceno))
        return {}, {}
    for_left, for_right = scratches[sliceno]
    return (
        scatter(left, sliceno, joining.slices, for_left, with_none=joining.keeps_left),
        scatter(right, sliceno, joining.slices, for_right, with_none=False),
    )


def synthesis(prepare_res: Prepared, analysis_res: Any) -> None:
    """Join the rows that have moved."""
    joining, writer, scratches = prepare_res
    if not prepare_res.moves:
        return
    moved: list[Moved] = list(analysis_res)
    for target in range(joining.slices):
        writer.set_slice(target)
        parts = [
            collect(side, target, [each[number] for each in moved], [each[number] for each in scratches])
            for number, side in enumerate((joining.left, joining.right))
        ]
        _write(writer, joining, *parts)


# ---- what is asked


def _parse_keys(on: Any) -> dict[str, str]:
    """Return the keys: columns of right by those of left."""
    if isinstance(on, str) and on:
        return {on: on}
    if isinstance(on, Mapping) and on:
        pairs = dict(on)
    elif isinstance(on, (list, tuple)) and on:
        pairs = {name: name for name in on}
    else:
        raise OptionError("no keys are given", hint="on=[columns], or on={column of left: column of right}")
    return pairs


def _common_type(left: Dataset, one: str, right: Dataset, other: str) -> str:
    check_key(left, one)
    check_key(right, other)
    types = left.columns[one].type, right.columns[other].type
    common = common_type(*types)
    if common is None:
        raise DatasetError(
            f"column '{one}' of '{left.spec}' is {types[0]} and column '{other}' of '{right.spec}' is {types[1]}: "
            "their values are never equal"
        )
    return common


def _rename(left: Dataset, right: Dataset, keys: set[str], suffix: str) -> dict[str, str]:
    """Return the columns of right that are written by the names they get."""
    renamed: dict[str, str] = {}
    for name in sorted(right.columns.keys() - keys):
        new = name + suffix if name in left.columns else name
        if new in left.columns or new in renamed:
            raise DatasetError(
                f"column '{name}' of '{right.spec}' would be a second '{new}'", hint="give another suffix"
            )
        renamed[new] = name
    return renamed


# ---- what is written


def _write(writer: Any, joining: Joining, left: Part, right: Part) -> None:
    for batch in join_parts(joining, left, right):
        writer.write_arrays(batch, are_placed=True)
