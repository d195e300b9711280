"""Whatever is written comes back, in every type and slice, as a list of the rows would give it."""

import datetime
import struct
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.dataset import Dataset
from tests.jobs.dataset.owners import FewJobs

SLICES = 3
_ABSENT = object()
_zones = st.sampled_from([None, datetime.UTC])
_float32s = st.floats(width=32)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.one_of(st.integers(), st.floats(), st.just(2**1007 - 1)),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "float64": st.floats(),
    "float32": _float32s,
    "complex64": st.complex_numbers(),
    "complex32": st.builds(complex, _float32s, _float32s),
    "bool": st.booleans(),
    "date": st.dates(),
    "time": st.times(timezones=_zones),
    "datetime": st.datetimes(timezones=_zones),
    "bytes": st.binary(max_size=20),
    "ascii": st.text(st.characters(max_codepoint=127), max_size=20),
    "unicode": _text,
    "json": st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _text),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_text, inner, max_size=3)),
        max_leaves=5,
    ),
    "pickle": st.one_of(st.none(), st.frozensets(st.integers(), max_size=3), st.tuples(_text, st.binary())),
}


@st.composite
def _datasets(draw: st.DrawFn) -> tuple[dict[str, tuple[str, bool]], list[list[tuple[Any, ...]]]]:
    kinds = draw(st.lists(st.tuples(st.sampled_from(sorted(VALUES)), st.booleans()), min_size=1, max_size=4))
    columns = {f"{number} {kind}": (kind, none) for number, (kind, none) in enumerate(kinds)}
    values = [st.one_of(st.none(), VALUES[kind]) if none else VALUES[kind] for kind, none in kinds]
    rows = st.lists(st.tuples(*values), max_size=8)
    return columns, draw(st.lists(rows, min_size=SLICES, max_size=SLICES))


def shown(rows: Any) -> list[str]:
    """Return the rows so that nan equals itself, and 1 neither 1.0 nor True."""
    return [repr(_fixed(row)) for row in rows]


def _fixed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_fixed, value))
    if isinstance(value, float) and value != value:
        return "nan"
    if isinstance(value, complex):
        return ("complex", _fixed(value.real), _fixed(value.imag))
    return value


def in_turn(slices: Sequence[Sequence[Any]]) -> list[Any]:
    rounds = zip_longest(*slices, fillvalue=_ABSENT)
    return [row for row in chain.from_iterable(rounds) if row is not _ABSENT]


@given(_datasets())
def test_rows_come_back(made: tuple[dict[str, tuple[str, bool]], list[list[tuple[Any, ...]]]]) -> None:
    columns, slices = made
    dataset = FewJobs(slices=SLICES).write(columns, slices)
    names = list(columns)
    for sliceno, rows in enumerate(slices):
        assert shown(dataset.iterate(sliceno, names)) == shown(rows)
    assert shown(dataset.iterate(None, names)) == shown(chain.from_iterable(slices))
    assert shown(dataset.iterate("roundrobin", names)) == shown(in_turn(slices))
    for place, name in enumerate(names):
        assert shown(dataset.iterate(None, name)) == shown(row[place] for part in slices for row in part)


@given(_datasets(), st.data())
def test_parts_are_those_of_a_list(
    made: tuple[dict[str, tuple[str, bool]], list[list[tuple[Any, ...]]]], data: st.DataObject
) -> None:
    columns, slices = made
    dataset = FewJobs(slices=SLICES).write(columns, slices)
    rows = list(chain.from_iterable(slices))
    ends = st.one_of(st.none(), st.integers(-len(rows), len(rows)))
    part = slice(data.draw(ends), data.draw(ends), data.draw(st.one_of(st.none(), st.integers(1, 5))))
    assert shown(dataset.iterate(None, list(columns), slice=part)) == shown(rows[part])


@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(-20, 20)), max_size=30), min_size=3, max_size=3),
    st.tuples(*[st.one_of(st.none(), st.integers(-25, 25))] * 2),
)
def test_a_range_is_a_filter(slices: list[list[int | None]], ends: tuple[int | None, int | None]) -> None:
    low, high = ends
    dataset = FewJobs(slices=SLICES).write(
        {"a": ("int32", True)}, [[(each,) for each in part] for part in slices]
    )

    def holds(value: int | None) -> bool:
        return value is not None and (low is None or value >= low) and (high is None or value < high)

    for sliceno, rows in ((0, slices[0]), (None, [*chain(*slices)]), ("roundrobin", in_turn(slices))):
        where: Any = sliceno
        assert list(dataset.iterate(where, "a", range={"a": ends})) == [*filter(holds, rows)]


@given(
    st.lists(st.tuples(VALUES["unicode"], VALUES["float32"]), max_size=40),
    st.sampled_from(["text", "x", None]),
)
def test_a_split_dataset_holds_each_row_once(rows: list[tuple[str, float]], hashlabel: str | None) -> None:
    writer = FewJobs(slices=SLICES).new().writer(hashlabel=hashlabel)
    writer.add("text", "unicode")
    writer.add("x", "float32")
    write = writer.get_split_write_list()
    for row in rows:
        write(row)
    dataset: Dataset = writer.finish()
    if hashlabel is None:
        assert shown(dataset.iterate("roundrobin", ["text", "x"])) == shown(rows)
    else:
        assert sorted(shown(dataset.iterate(None, ["text", "x"]))) == sorted(shown(rows))


def test_a_float32_is_the_nearest_one() -> None:
    dataset = FewJobs(slices=1).write({"x": "float32"}, [[(0.1,), (1e-50,)]])
    assert list(dataset.iterate(0, "x")) == [struct.unpack("<f", struct.pack("<f", 0.1))[0], 0.0]
