"""dataset_aggregate: groups and what is computed of them, against plain Python and duckdb."""

import datetime
import math
from collections import defaultdict

import duckdb
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.spread import slice_of
from jobs.errors import JobFailed
from porcelain.methods.tables import grouping, vectors
from porcelain.methods.tables.aggregates import FUNCTIONS
from tests.methods.tables import KEYS, as_key, row_key, sliced_rows

SLICES = 3
NUMBERS = ("int32", "int64", "float32", "float64", "bool", "number")


def aggregate(tables, source, **options):
    return tables.build("dataset_aggregate", source=source, **options).dataset()


def read(dataset, *columns):
    return list(dataset.iterate(None, columns))


# ---- plain Python


def expected(function, values):
    """Return what a function makes of values of one group."""
    there = [value for value in values if value is not None]
    if function == "count":
        return len(there)
    if not there:
        return None
    if function in ("min", "max"):
        known = [value for value in there if value == value] or there
        return {"min": min, "max": max}[function](known, key=as_key)
    total = sum(map(int, there)) if isinstance(there[0], bool) else added(there)
    return total if function == "sum" else total / len(there)


def added(values):
    total = values[0]
    for value in values[1:]:
        total += value
    return total


def groups_of(rows, width):
    groups = defaultdict(list)
    for row in rows:
        groups[row_key(row[:width])].append(row[width])
    return groups


def near(found, wanted):
    """Return whether a result is right; sums of floats depend on the order of rows."""
    if isinstance(wanted, float) and isinstance(found, (int, float)):
        return (math.isnan(wanted) and math.isnan(found)) or math.isclose(found, wanted, rel_tol=1e-12)
    return as_key(found) == as_key(wanted)


def functions_of(column_type):
    return FUNCTIONS if column_type.strip("?") in NUMBERS else ("count", "min", "max")


@st.composite
def cases(draw):
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=3))
    value = draw(st.sampled_from(KEYS))
    return keys, value, draw(sliced_rows([*keys, value], SLICES))


def check(tables, keys, value, rows):
    names = [f"k{number}" for number in range(len(keys))]
    source = tables.table(dict(zip([*names, "v"], [*keys, value], strict=True)), rows)
    functions = functions_of(value)
    asked = {f"{each} of v": (each, "v") for each in functions} | {"rows": "count"}
    dataset = aggregate(tables, source, group_by=names, aggregates=asked)
    groups = groups_of([row for part in rows for row in part], len(keys))
    if not keys and not groups:
        groups[()] = []
    found = {row_key(row[: len(keys)]): row[len(keys) :] for row in read(dataset, *names, *asked)}
    assert found.keys() == groups.keys()
    assert sum(dataset.lines) == len(groups)
    for key, results in found.items():
        wanted = [*(expected(each, groups[key]) for each in functions), len(groups[key])]
        assert all(map(near, results, wanted)), (key, results, wanted)
    return dataset


def fits(case):
    """Return whether sums of floats in the case do not depend on the order, as with both infinities or overflow."""
    flat = [row[-1] for part in case[2] for row in part]
    return not any(isinstance(each, float) and abs(each) in (math.inf, 1e308) for each in flat)


@given(cases().filter(fits))
def test_groups_are_those_of_plain_python(all_tables, case):
    check(all_tables, *case)


@given(cases().filter(fits))
def test_groups_are_the_same_when_little_fits_into_memory(all_tables, case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "GROUPS_IN_MEMORY", 2)
        patch.setattr(grouping, "BLOCK_ROWS", 1)
        patch.setattr(grouping, "FAN_IN", 2)
        patch.setattr(vectors, "_MANY_CODES", 1)
        check(all_tables, *case)


@given(cases().filter(lambda case: case[0]))
def test_groups_lie_in_the_slice_of_their_first_key_in_the_order_of_all(all_tables, case):
    keys, _, rows = case
    names = [f"k{number}" for number in range(len(keys))]
    source = all_tables.table(dict(zip([*names, "v"], [*keys, case[1]], strict=True)), rows)
    dataset = aggregate(all_tables, source, group_by=names)
    assert dataset.hashlabel == "k0"
    for sliceno in range(SLICES):
        found = list(dataset.iterate(sliceno, names))
        assert [slice_of(row[0], SLICES) for row in found] == [sliceno] * len(found)
        ordered = list(map(row_key, found))
        assert ordered == sorted(ordered)


# ---- types


def types(dataset):
    return {name: column.type + "?" * column.none_support for name, column in dataset.columns.items()}


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        ("int32", {"count": "int64", "sum": "int64", "min": "int32", "max": "int32", "mean": "float64"}),
        ("int64?", {"count": "int64", "sum": "int64?", "min": "int64?", "max": "int64?", "mean": "float64?"}),
        (
            "float32",
            {"count": "int64", "sum": "float64", "min": "float32", "max": "float32", "mean": "float64"},
        ),
        ("bool", {"count": "int64", "sum": "int64", "min": "bool", "max": "bool", "mean": "float64"}),
        ("number", {"count": "int64", "sum": "number", "min": "number", "max": "number", "mean": "float64"}),
        ("date", {"count": "int64", "min": "date", "max": "date"}),
        ("ascii?", {"count": "int64", "min": "ascii?", "max": "ascii?"}),
    ],
)
def test_a_result_has_a_type_of_its_own_and_takes_none_when_its_column_does(tables, column, wanted):
    source = tables.table({"k": "ascii?", "v": column}, [[], [], []])
    asked = {each: (each, "v") for each in wanted}
    assert types(aggregate(tables, source, group_by=["k"], aggregates=asked)) == {"k": "ascii?"} | wanted


@pytest.mark.parametrize("values", [[2**63 - 1, 1], [-(2**63), -1], [-(2**63)] * 3])
def test_a_sum_that_is_too_large_for_int64_makes_number_of_its_column(tables, values):
    source = tables.table({"k": "int32", "v": "int64"}, [[(1, each) for each in values], [(2, 5)], []])
    dataset = aggregate(tables, source, group_by=["k"], aggregates={"s": ("sum", "v"), "m": ("mean", "v")})
    assert types(dataset)["s"] == "number"
    assert sorted(read(dataset, "k", "s", "m")) == [(1, sum(values), sum(values) / len(values)), (2, 5, 5.0)]


def test_large_values_that_cancel_out_make_int64(tables):
    large = [2**63 - 1, 2**63 - 1, -(2**63), -(2**63), 7]
    source = tables.table({"v": "int64"}, [[(each,) for each in large], [], []])
    dataset = aggregate(tables, source, aggregates={"s": ("sum", "v")})
    assert (types(dataset), read(dataset, "s")) == ({"s": "int64?"}, [(5,)])


def test_a_mean_of_integers_is_rounded_once(tables):
    values = [2**53 + 1, 2**53 + 1, 2**53 + 1]
    source = tables.table({"v": "int64"}, [[(each,)] for each in values])
    assert read(aggregate(tables, source, aggregates={"m": ("mean", "v")}), "m") == [(sum(values) / 3,)]


# ---- what there is none of


def test_without_group_by_there_is_one_row_also_of_nothing(tables):
    source = tables.table({"v": "float64", "w": "ascii"}, [[], [], []])
    asked = {"rows": "count", "n": ("count", "v"), "s": ("sum", "v"), "m": ("mean", "v"), "min": ("min", "w")}
    dataset = aggregate(tables, source, aggregates=asked)
    assert read(dataset, *asked) == [(0, 0, None, None, None)]
    assert (dataset.lines, dataset.hashlabel) == ((1, 0, 0), None)


def test_of_no_rows_there_are_no_groups(tables):
    source = tables.table({"k": "unicode", "v": "int64"}, [[], [], []])
    dataset = aggregate(tables, source, group_by=["k"], aggregates={"s": ("sum", "v")})
    assert dataset.lines == (0, 0, 0)


def test_infinities_and_overflow_of_floats_come_out_as_floats_have_it(tables):
    rows = [[("a", math.inf), ("b", 1e308)], [("a", -math.inf), ("b", 1e308)], [("c", math.inf)]]
    source = tables.table({"k": "ascii", "v": "float64"}, rows)
    found = sorted(read(aggregate(tables, source, group_by=["k"], aggregates={"s": ("sum", "v")}), "k", "s"))
    assert math.isnan(found[0][1])
    assert found[1:] == [("b", math.inf), ("c", math.inf)]


def test_zeros_of_either_sign_are_one_key_and_come_out_without_sign(tables):
    source = tables.table({"k": "float64", "v": "number"}, [[(-0.0, -0.0)], [(0.0, 0)], []])
    dataset = aggregate(tables, source, group_by=["k"], aggregates={"n": "count"})
    assert [(math.copysign(1, key), count) for key, count in read(dataset, "k", "n")] == [(1.0, 2)]


def test_time_zone_is_kept_and_fold_is_not_told_apart(tables):
    naive, utc = datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    source = tables.table({"k": "datetime"}, [[(naive,), (utc,)], [(naive.replace(fold=1),)], []])
    assert read(aggregate(tables, source, group_by=["k"], aggregates={"n": "count"})) == [
        (naive, 2),
        (utc, 1),
    ]


# ---- many rows


@pytest.mark.parametrize("rows", [65_535, 65_536, 65_537])
def test_groups_go_across_the_borders_of_batches(tables, rows):
    source = tables.table({"k": "int64", "v": "int64"}, [[(n % 3, n) for n in range(rows)], [], []])
    asked = {"n": "count", "s": ("sum", "v"), "max": ("max", "v")}
    found = sorted(read(aggregate(tables, source, group_by=["k"], aggregates=asked), "k", *asked))
    assert found == [
        (k, len(range(k, rows, 3)), sum(range(k, rows, 3)), max(range(k, rows, 3))) for k in range(3)
    ]


def test_what_does_not_fit_into_memory_makes_the_same_dataset(tables, monkeypatch):
    rows = [[(f"{n % 5000}", n % 11, n / 7) for n in range(start, 60_000, 3)] for start in range(3)]
    source = tables.table(
        {"a": "unicode", "b": "int32", "v": "int64?"},
        rows and [[(a, b, None if b == 3 else int(v)) for a, b, v in part] for part in rows],
    )
    asked = {"n": ("count", "v"), "s": ("sum", "v"), "min": ("min", "a")}
    options = {"group_by": ["a", "b"], "aggregates": asked}
    whole = aggregate(tables, source, **options)
    monkeypatch.setattr(grouping, "GROUPS_IN_MEMORY", 4000)
    monkeypatch.setattr(grouping, "BLOCK_ROWS", 500)
    monkeypatch.setattr(grouping, "FAN_IN", 3)
    pieces = aggregate(tables, source, caption="in pieces", **options)
    assert sum(pieces.lines) == 55_000
    assert [column.node for column in pieces.columns.values()] == [c.node for c in whole.columns.values()]


def test_groups_of_many_rows_are_those_of_duckdb(tables):
    def value(n):
        return None if n % 13 == 0 else n * 7919 % 10_007

    rows = [
        [(f"{n % 401}", n % 3 == 0, value(n), n % 1000 / 8) for n in range(s, 150_000, 3)] for s in range(3)
    ]
    source = tables.table({"a": "ascii", "b": "bool", "i": "int64?", "f": "float64"}, rows)
    asked = {
        "rows": "count",
        "n": ("count", "i"),
        "si": ("sum", "i"),
        "sf": ("sum", "f"),
        "low": ("min", "i"),
        "high": ("max", "f"),
        "m": ("mean", "i"),
    }
    dataset = aggregate(tables, source, group_by=["a", "b"], aggregates=asked)
    table = pyarrow.table(
        dict(zip("abif", zip(*(row for part in rows for row in part), strict=True), strict=True))
    )
    wanted = (
        duckdb.from_arrow(table)
        .aggregate("a, b, count(*), count(i), sum(i)::bigint, sum(f), min(i), max(f), avg(i)", "a, b")
        .order("a, b")
        .fetchall()
    )
    assert sorted(read(dataset, "a", "b", *asked)) == wanted


# ---- what is refused


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "give group_by, aggregates or both"),
        ({"group_by": ["nosuch"]}, "has no column 'nosuch'"),
        ({"group_by": ["k", "k"]}, "column 'k' is given twice in group_by"),
        ({"group_by": ["j"]}, "column 'j' of '.*' is json, which is no key"),
        ({"aggregates": {"x": ("sum", "nosuch")}}, "has no column 'nosuch'"),
        ({"aggregates": {"x": ("sum", "k")}}, "column 'k' of '.*' is ascii, of which there is no sum"),
        ({"aggregates": {"x": ("max", "j")}}, "column 'j' of '.*' is json, of which there is no max"),
        ({"aggregates": {"x": ("median", "k")}}, r"aggregate 'x' is \('median', 'k'\)"),
        ({"aggregates": {"x": 7}}, "aggregate 'x' is 7"),
        ({"aggregates": {"x": ("min", None)}}, "aggregate 'x' is a min of no column"),
        ({"group_by": ["k"], "aggregates": {"k": "count"}}, "'k' has the name of a column of group_by"),
    ],
)
def test_what_cannot_be_computed_is_refused(tables, options, reason):
    source = tables.table({"k": "ascii", "j": "json"}, [[], [], []])
    with pytest.raises(JobFailed, match=reason):
        aggregate(tables, source, **options)


def test_an_integer_that_no_float_holds_is_not_added_to_one(tables):
    source = tables.table({"v": "number"}, [[(10**400,), (0.5,)], [], []])
    with pytest.raises(JobFailed, match=r"column 'v' of '.*' has an integer that is too large"):
        aggregate(tables, source, aggregates={"s": ("sum", "v")})
