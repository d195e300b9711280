"""Reading rows: slices, columns, ranges, filters, translators, parts, callbacks."""

import datetime
import math
from collections.abc import Callable
from typing import Any

import pytest

from jobs.column.spread import slice_of
from jobs.dataset.callbacks import SkipDataset, SkipSlice
from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError
from tests.jobs.dataset.owners import FewJobs

# number, text: what the slices hold
SLICES: list[list[tuple[int, str | None]]] = [
    [(0, "a"), (3, "b"), (6, "c"), (8, "d")],
    [(1, "e"), (4, None), (7, "g")],
    [(2, "h"), (5, "i")],
]
IN_ORDER = [row for part in SLICES for row in part]


@pytest.fixture
def dataset(jobs: FewJobs) -> Dataset:
    return jobs.write({"number": "int64", "text": ("unicode", True)}, SLICES)


@pytest.fixture
def chain(jobs: FewJobs) -> Dataset:
    """Three datasets whose column n holds 0-9, 10-19 and 20-29, dealt over the slices."""
    newest = None
    for start in (0, 10, 20):
        rows = [[(start + number,) for number in range(sliceno, 10, 3)] for sliceno in range(3)]
        newest = jobs.write({"n": "int64"}, rows, previous=newest)
    assert newest is not None
    return newest


# ---- slices and columns


def test_one_slice_all_slices_or_one_row_of_each_in_turn(dataset: Dataset) -> None:
    assert list(dataset.iterate(1, "number")) == [1, 4, 7]
    assert list(dataset.iterate(None, "number")) == [0, 3, 6, 8, 1, 4, 7, 2, 5]
    assert list(dataset.iterate("roundrobin", "number")) == [0, 1, 2, 3, 4, 5, 6, 7, 8]


def test_a_name_gives_bare_values_and_a_list_gives_tuples(dataset: Dataset) -> None:
    assert list(dataset.iterate(2, "text")) == ["h", "i"]
    assert list(dataset.iterate(2, ["text"])) == [("h",), ("i",)]
    assert list(dataset.iterate(2, ("text", "number", "text"))) == [("h", 2, "h"), ("i", 5, "i")]
    assert list(dataset.iterate(2, iter(["number"]))) == [(2,), (5,)]


def test_no_columns_are_all_of_them_sorted(jobs: FewJobs) -> None:
    dataset = jobs.write({"z": "int64", "a": "bool"}, [[(1, True)], [], []])
    nothings: tuple[Any, ...] = (None, [], "")
    for nothing in nothings:
        assert list(dataset.iterate(0, nothing)) == [(True, 1)]


def test_round_robin_goes_on_with_the_slices_that_have_more(jobs: FewJobs) -> None:
    dataset = jobs.write({"a": "unicode"}, [[("a1",)], [("b1",), ("b2",), ("b3",)], [("c1",), ("c2",)]])
    assert list(dataset.iterate("roundrobin", "a")) == ["a1", "b1", "c1", "b2", "c2", "b3"]


@pytest.mark.parametrize("sliceno", [-1, 3])
def test_a_slice_that_is_not_there_is_refused_at_once(dataset: Dataset, sliceno: int) -> None:
    with pytest.raises(DatasetError, match=f"dataset 'dev-1/default' has no slice {sliceno}"):
        dataset.iterate(sliceno, "number")


def test_a_column_that_is_not_there_is_refused_at_once_and_its_like_named(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match="dataset 'dev-1/default' has no column 'txt'") as caught:
        dataset.iterate(0, ["number", "txt"])
    assert caught.value.hint == "it has text"


def test_an_argument_that_is_not_known_is_refused_at_once(dataset: Dataset) -> None:
    with pytest.raises(TypeError, match="no argument 'filter'"):
        dataset.iterate(0, "number", filter=bool)  # type: ignore[call-arg]


def test_rows_of_many_batches_stay_beside_each_other(jobs: FewJobs) -> None:
    # texts fill their batches by bytes, numbers theirs by rows
    rows = [(number, str(number) * (200 if number % 3 == 0 else 1)) for number in range(70_000)]
    dataset = jobs.write({"n": "int64", "t": "unicode"}, [rows, [], []])
    assert list(dataset.iterate(0)) == rows
    assert [n for n, t in dataset.iterate(0, ["n", "t"], range={"n": (65_000, 66_000)})] == [
        *range(65_000, 66_000)
    ]
    assert list(dataset.iterate(0, "t", slice=slice(60_000, None, 7))) == [t for _, t in rows[60_000::7]]


# ---- range


def test_a_range_is_half_open_and_either_end_may_be_open(dataset: Dataset) -> None:
    def within(low: int | None, high: int | None) -> list[int]:
        return sorted(dataset.iterate(None, "number", range={"number": (low, high)}))

    assert within(3, 6) == [3, 4, 5]
    assert within(None, 2) == [0, 1]
    assert within(7, None) == [7, 8]
    assert within(None, None) == [*range(9)]
    assert within(9, None) == []


def test_the_column_of_a_range_need_not_be_read(dataset: Dataset) -> None:
    assert list(dataset.iterate("roundrobin", "text", range={"number": (2, 6)})) == ["h", "b", None, "i"]
    assert list(dataset.iterate(0, ["text"], range={"number": (2, 7)})) == [("b",), ("c",)]


def test_no_range_holds_none_or_nan(jobs: FewJobs) -> None:
    dataset = jobs.write({"x": ("float64", True)}, [[(1.0,), (None,), (math.nan,), (2.0,)], [], []])
    for ends in ((None, None), (0, None), (None, 9), (0, 9)):
        assert None not in list(dataset.iterate(0, "x", range={"x": ends}))
    assert list(dataset.iterate(0, "x", range={"x": (0, None)})) == [1.0, 2.0]


def test_a_range_of_texts_looks_at_every_row(dataset: Dataset) -> None:
    assert list(dataset.iterate(None, "text", range={"text": ("c", "f")})) == ["c", "d", "e"]


def test_a_range_of_datetimes_compares_clocks(jobs: FewJobs) -> None:
    naive = datetime.datetime(2024, 1, 1)
    utc = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)
    dataset = jobs.write({"t": "datetime"}, [[(naive,), (utc,)], [], []])
    assert list(dataset.iterate(0, "t", range={"t": (datetime.datetime(2024, 1, 2), None)})) == [utc]
    assert list(dataset.iterate(0, "t", range={"t": (None, utc)})) == [naive]


def test_a_range_skips_datasets_that_hold_no_such_value(chain: Dataset) -> None:
    seen: list[str] = []
    rows = chain.iterate_chain(None, "n", range={"n": (12, 14)}, pre_callback=lambda ds: seen.append(ds.spec))
    assert sorted(rows) == [12, 13]
    assert seen == ["dev-2/default"]


def test_a_sloppy_range_gives_all_rows_of_a_dataset(chain: Dataset) -> None:
    rows = chain.iterate_chain(None, "n", range={"n": (12, 14)}, sloppy_range=True)
    assert sorted(rows) == [*range(10, 20)]


def test_a_range_is_of_one_column(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match="'range' is of one column"):
        dataset.iterate(0, "number", range={"number": (0, 1), "text": ("a", "b")})
    with pytest.raises(DatasetError, match="has no column 'n'"):
        dataset.iterate(0, "number", range={"n": (0, 1)})


# ---- filters and translators


def test_filters_by_row_and_by_column(dataset: Dataset) -> None:
    both = ["number", "text"]
    assert list(dataset.iterate(0, both, filters=lambda row: row[0] > 3)) == [(6, "c"), (8, "d")]
    assert list(dataset.iterate(0, "number", filters=lambda number: number > 3)) == [6, 8]
    assert list(dataset.iterate(0, "number", filters={"number": lambda number: number > 3})) == [6, 8]
    by_column: dict[str, Callable[[Any], Any] | None] = {"number": lambda n: n > 0, "text": lambda t: t < "d"}
    assert list(dataset.iterate(0, both, filters=by_column)) == [(3, "b"), (6, "c")]


def test_the_filter_none_asks_for_truth(dataset: Dataset) -> None:
    assert list(dataset.iterate(None, "number", filters={"number": None})) == [3, 6, 8, 1, 4, 7, 2, 5]
    assert list(dataset.iterate(1, ["number", "text"], filters={"text": None})) == [(1, "e"), (7, "g")]


def test_translators_by_row_and_by_column(dataset: Dataset) -> None:
    both = ["number", "text"]
    assert list(dataset.iterate(2, both, translators=lambda row: row[::-1])) == [("h", 2), ("i", 5)]
    assert list(dataset.iterate(2, "number", translators=str)) == ["2", "5"]
    assert list(dataset.iterate(2, both, translators={"number": str})) == [("2", "h"), ("5", "i")]
    assert list(dataset.iterate(2, both, translators={"text": {"h": "H"}})) == [(2, "H"), (5, None)]


def test_translators_come_before_filters_and_after_the_range(dataset: Dataset) -> None:
    rows = dataset.iterate(
        None,
        "number",
        range={"number": (2, 7)},
        translators={"number": lambda number: -number},
        filters=lambda number: number < -3,
    )
    assert list(rows) == [-6, -4, -5]


def test_filters_and_translators_are_of_columns_that_are_read(dataset: Dataset) -> None:
    for wrong in ("filters", "translators"):
        with pytest.raises(DatasetError, match="column 'text' is translated or filtered and not read"):
            dataset.iterate(0, "number", **{wrong: {"text": str}})  # type: ignore[arg-type]


# ---- parts


@pytest.mark.parametrize(
    "part",
    [0, 3, 9, -2, slice(2, 7), slice(None, -3), slice(-5, -1), slice(1, None, 3), slice(4, 4), slice(8, 2)],
)
@pytest.mark.parametrize("sliceno", [None, "roundrobin"])
def test_a_slice_of_the_rows_is_as_of_a_list(dataset: Dataset, sliceno: Any, part: Any) -> None:
    rows = list(dataset.iterate(sliceno, ["number", "text"]))
    wanted = rows[part if isinstance(part, slice) else slice(part, None)]
    assert list(dataset.iterate(sliceno, ["number", "text"], slice=part)) == wanted


@pytest.mark.parametrize("step", [1, 2, 3, 4, 7, 11])
@pytest.mark.parametrize("sliceno", [1, None, "roundrobin"])
def test_a_slice_of_a_chain_counts_through_all_its_rows(chain: Dataset, sliceno: Any, step: int) -> None:
    rows = list(chain.iterate_chain(sliceno, "n"))
    for start in range(len(rows)):
        part = slice(start, len(rows) - start // 2, step)
        assert list(chain.iterate_chain(sliceno, "n", slice=part)) == rows[part]


def test_datasets_outside_the_slice_are_not_visited(chain: Dataset) -> None:
    seen: list[str] = []
    rows = chain.iterate_chain(None, "n", slice=slice(12, 15), pre_callback=lambda ds: seen.append(ds.spec))
    assert len(list(rows)) == 3
    assert seen == ["dev-2/default"]


@pytest.mark.parametrize("part", [10, -10, slice(0, 10), slice(-10, None)])
def test_rows_that_are_not_there_are_an_error(dataset: Dataset, part: Any) -> None:
    with pytest.raises(DatasetError, match=r"no row -?10, there are 9"):
        dataset.iterate(None, "number", slice=part)


def test_a_slice_goes_forward_and_alone(dataset: Dataset) -> None:
    for step in (0, -1):
        with pytest.raises(DatasetError, match="cannot be read backwards"):
            dataset.iterate(None, "number", slice=slice(None, None, step))
    with pytest.raises(DatasetError, match="neither with 'range' nor with 'filters'"):
        dataset.iterate(None, "number", slice=1, range={"number": (0, 1)})
    with pytest.raises(DatasetError, match="neither with 'range' nor with 'filters'"):
        dataset.iterate(None, "number", slice=1, filters=bool)


# ---- hashlabel


def test_a_hashlabel_that_was_not_used_is_an_error(jobs: FewJobs, dataset: Dataset) -> None:
    writer = jobs.new().writer(columns={"a": "int64", "b": "int64"}, hashlabel="a")
    writer.get_split_write()(1, 2)
    hashed = writer.finish()
    assert list(hashed.iterate(None, "b", hashlabel="a")) == [2]
    with pytest.raises(DatasetError, match="is not hashed on 'b'") as caught:
        hashed.iterate(None, "b", hashlabel="b")
    assert caught.value.hint == "it is hashed on 'a'"
    with pytest.raises(DatasetError, match="is not hashed on 'number'"):
        dataset.iterate(None, "number", hashlabel="number")


@pytest.mark.parametrize("columns", ["text", ["text", "number"]])
def test_rows_are_looked_for_in_all_slices_when_they_are_spread_otherwise(
    dataset: Dataset, columns: str | list[str]
) -> None:
    rows = list(dataset.iterate(None, ["text", "number"]))
    found = [list(dataset.iterate(n, ["text", "number"], hashlabel="number", rehash=True)) for n in range(3)]
    assert [sorted(part, key=repr) for part in found] == [
        sorted((row for row in rows if slice_of(row[1], 3) == n), key=repr) for n in range(3)
    ]
    assert list(dataset.iterate(0, "text", hashlabel="number", rehash=True)) == [text for text, _ in found[0]]
    assert list(dataset.iterate(None, columns, hashlabel="number", rehash=True)) == list(
        dataset.iterate(None, columns)
    )


def test_what_lies_right_is_read_as_it_is_though_it_might_be_rehashed(jobs: FewJobs) -> None:
    writer = jobs.new().writer(columns={"a": "int64"}, hashlabel="a")
    write = writer.get_split_write()
    for number in range(20):
        write(number)
    hashed = writer.finish()
    for sliceno in range(3):
        plain = list(hashed.iterate(sliceno, "a"))
        assert list(hashed.iterate(sliceno, "a", hashlabel="a", rehash=True)) == plain


def test_a_rehash_goes_with_ranges_filters_and_callbacks(dataset: Dataset) -> None:
    seen: list[object] = []
    rows = []
    for sliceno in range(3):
        rows += dataset.iterate(
            sliceno,
            "text",
            hashlabel="number",
            rehash=True,
            range={"number": (2, 7)},
            filters=bool,
            pre_callback=lambda _dataset, number: seen.append(number),
        )
    assert sorted(rows) == ["b", "c", "h", "i"]
    assert seen == [0, 1, 2]


def test_what_a_rehash_cannot_do_is_an_error(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match="needs a hashlabel"):
        dataset.iterate(0, "text", rehash=True)
    with pytest.raises(DatasetError, match="roundrobin"):
        dataset.iterate("roundrobin", "text", hashlabel="number", rehash=True)
    with pytest.raises(DatasetError, match="nor with 'rehash'"):
        dataset.iterate(0, "text", hashlabel="number", rehash=True, slice=1)
    with pytest.raises(DatasetError, match="no column 'numbre'"):
        dataset.iterate(0, "text", hashlabel="numbre", rehash=True)


# ---- callbacks


def test_callbacks_come_before_and_after_each_dataset(chain: Dataset) -> None:
    events: list[Any] = []
    rows = chain.iterate_chain(
        0,
        "n",
        pre_callback=lambda ds: events.append(("pre", ds.spec)),
        post_callback=lambda ds: events.append(("post", ds.spec)),
    )
    events += rows
    assert events[:6] == [("pre", "dev-1/default"), 0, 3, 6, 9, ("post", "dev-1/default")]
    assert events[-1] == ("post", "dev-3/default")


def test_callbacks_of_two_arguments_come_for_each_slice(dataset: Dataset) -> None:
    events: list[Any] = []
    for sliceno in (None, "roundrobin"):
        rows = dataset.iterate(
            sliceno,
            "number",
            pre_callback=lambda ds, sliceno: events.append(sliceno),
            post_callback=lambda ds, sliceno: events.append(sliceno),
        )
        assert len(list(rows)) == 9
    assert events == [0, 0, 1, 1, 2, 2, "roundrobin", "roundrobin"]


def test_a_pre_callback_may_skip_a_slice_or_a_dataset(chain: Dataset) -> None:
    after: list[Any] = []

    def skip(dataset: Dataset, sliceno: int) -> None:
        if dataset == "dev-2/default":
            raise SkipDataset
        if sliceno == 1:
            raise SkipSlice

    rows = chain.iterate_chain(
        None, "n", pre_callback=skip, post_callback=lambda ds, sliceno: after.append((ds.spec, sliceno))
    )
    assert list(rows) == [0, 3, 6, 9, 2, 5, 8, 20, 23, 26, 29, 22, 25, 28]
    assert after == [("dev-1/default", 0), ("dev-1/default", 2), ("dev-3/default", 0), ("dev-3/default", 2)]


def test_a_callback_may_end_the_iteration(chain: Dataset) -> None:
    def stop(dataset: Dataset) -> None:
        if dataset == "dev-2/default":
            raise StopIteration

    assert sorted(chain.iterate_chain(None, "n", pre_callback=stop)) == [*range(10)]
    assert sorted(chain.iterate_chain(None, "n", post_callback=stop)) == [*range(20)]


def test_another_error_of_a_callback_comes_through(chain: Dataset) -> None:
    def fail(dataset: Dataset) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(chain.iterate_chain(None, "n", pre_callback=fail))


# ---- many datasets


def test_a_list_of_datasets_is_read_one_after_another(jobs: FewJobs, dataset: Dataset) -> None:
    other = jobs.write({"number": "number", "more": "bool"}, [[(1.5, True)], [], []])
    assert list(Dataset.iterate_list(0, "number", [other, dataset])) == [1.5, 0, 3, 6, 8]
    assert list(Dataset.iterate_list(0, "number", [])) == []


def test_every_dataset_must_have_the_columns(jobs: FewJobs, dataset: Dataset) -> None:
    other = jobs.write({"number": "int64"}, [[], [], []])
    with pytest.raises(DatasetError, match="dataset 'dev-2/default' has no column 'text'"):
        Dataset.iterate_list(0, "text", [dataset, other])


def test_a_dataset_without_columns_has_no_rows(jobs: FewJobs) -> None:
    parent = jobs.write({"a": "int64"}, [[(1,)], [], []])
    empty = jobs.new().writer(parent=parent, columns={"a": None}).finish()
    for sliceno in (0, None, "roundrobin"):
        assert list(empty.iterate(sliceno)) == []
