"""dataset_unroundrobin: the order of the file comes back, and slices end where they should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import JobFailed
from porcelain.methods import a_dataset_unroundrobin as method
from tests.methods.bench import SLICES


@pytest.fixture
def unroundrobin(bench):
    """Return a function that brings rows back into the order in which they were."""

    def build(source, **arguments):
        return bench.build("dataset_unroundrobin", source=source, **arguments).dataset()

    return build


def text(values):
    return b"a,n\n" + b"".join(b"%d,%d\n" % (value, number) for number, value in enumerate(values))


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 100, 3 * 65_536 + 2])
def test_the_rows_are_in_the_order_of_the_file(bench, unroundrobin, rows):
    source = bench.table(text([7] * rows))
    dataset = unroundrobin(source)
    assert list(dataset.iterate(None, "n")) == [b"%d" % number for number in range(rows)]
    assert dataset.lines == source.lines


def test_slices_of_any_length_are_dealt_from_in_turn(bench, unroundrobin):
    source = bench.build(
        "dataset_hashpart", source=bench.table(text([1, 1, 2, 1, 5, 6, 7, 1])), hashlabel="a"
    )
    dataset = unroundrobin(source.dataset())
    assert list(dataset.iterate(None)) == list(source.dataset().iterate("roundrobin"))
    assert dataset.lines == source.dataset().lines
    assert dataset.hashlabel is None


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ([1, 1, 1, 1, 2, 2, 3, 3, 3], (4, 2, 3)),
        ([1, 1, 1, 1, 1, 1, 1, 1, 2], (8, 0, 1)),
        ([1] * 9, (9, 0, 0)),
        ([1, 1, 1, 2, 2, 2, 3, 3, 3], (3, 3, 3)),
        ([1], (1, 0, 0)),
        ([], (0, 0, 0)),
    ],
)
def test_a_slice_goes_on_until_the_trigger_changes(bench, unroundrobin, values, lines):
    dataset = unroundrobin(bench.table(text(values)), trigger_column="a")
    assert dataset.lines == lines
    assert list(dataset.iterate(None, "n")) == [b"%d" % number for number in range(len(values))]


def test_no_value_of_the_trigger_is_in_two_slices(bench, unroundrobin):
    values = [number // 1000 for number in range(70_000)]
    dataset = unroundrobin(bench.table(text(values)), trigger_column="a")
    found = [set(dataset.iterate(sliceno, "a")) for sliceno in range(SLICES)]
    assert sum(map(len, found)) == len(set.union(*found)) == 70
    assert all(found)


def test_what_is_said_of_the_dataset_stays(bench, unroundrobin):
    source = bench.table(text([1, 2]))
    dataset = unroundrobin(source, previous=source)
    assert (dataset.filename, dataset.caption, dataset.previous) == ("x.csv", source.caption, source)
    assert {name: each.type for name, each in dataset.columns.items()} == {"a": "bytes", "n": "bytes"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [({"trigger_column": "aa"}, "has no column 'aa'"), ({"source": None}, "no dataset is given as 'source'")],
)
def test_without_the_column_or_a_source_it_is_refused(bench, arguments, reason):
    with pytest.raises(JobFailed, match=reason):
        bench.build("dataset_unroundrobin", **{"source": bench.table(text([1]))} | arguments)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_places_and_rounds_are_those_of_dealing_in_turn(lines):
    dealt = [
        (row, sliceno) for row in range(max(lines)) for sliceno, count in enumerate(lines) if row < count
    ]
    for sliceno in range(len(lines)):
        wanted = [place for place, (_, other) in enumerate(dealt) if other == sliceno]
        assert method._places(lines, sliceno, range(max(lines))).tolist() == wanted
    assert [method._round_of(lines, place) for place in range(len(dealt))] == [row for row, _ in dealt]
