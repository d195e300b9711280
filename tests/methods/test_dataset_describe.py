"""dataset_describe: what is told of columns, exact while they are small and near when they are large."""

import datetime
import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import JobFailed
from porcelain.methods.tables import sketches
from porcelain.methods.tables.sketches import Counts, Distinct, Quantiles
from porcelain.methods.tables.vectors import Vector
from tests.methods.tables import KEYS, as_key, sliced_rows

SLICES = 3


def describe(tables, source, **options):
    return tables.build("dataset_describe", source=source, **options).load()


def vector(values):
    return Vector(np.array(values), np.zeros(len(values), bool))


# ---- exact


def test_a_small_column_is_told_exactly(tables):
    rows = [[(1, "a"), (3, None)], [(2, "a"), (None, "b")], [(3, "")]]
    job = tables.build("dataset_describe", source=tables.table({"n": "int64?", "t": "ascii?"}, rows), top=2)
    assert job.load() == {
        "rows": 5,
        "datasets": 1,
        "columns": {
            "n": {
                "type": "int64", "rows": 5, "none": 1, "distinct": 3, "distinct_exact": True,
                "min": 1, "max": 3, "mean": 2.25, "quantiles": {"0.25": 1, "0.5": 2, "0.75": 3},
                "top": [[3, 2], [1, 1]], "top_error": 0,
            },
            "t": {
                "type": "ascii", "rows": 5, "none": 1, "distinct": 3, "distinct_exact": True,
                "min": "", "max": "b", "top": [["a", 2], ["", 1]], "top_error": 0,
            },
        },
    }  # fmt: skip
    assert json.loads(job.open("describe.json").read()) == job.load()


@given(st.sampled_from(KEYS).flatmap(lambda kind: st.tuples(st.just(kind), sliced_rows([kind], SLICES))))
def test_what_is_told_of_a_column_is_what_plain_python_finds(all_tables, case):
    kind, rows = case
    told = describe(all_tables, all_tables.table({"c": kind}, rows), columns=["c"], top=100)["columns"]["c"]
    values = [row[0] for part in rows for row in part]
    there = [value for value in values if value is not None]
    known = sorted(value for value in map(as_key, there) if value != (2,))
    counts = Counter(map(as_key, there))
    assert (told["rows"], told["none"]) == (len(values), len(values) - len(there))
    assert told["distinct"] == len(counts)
    assert sorted(count for _, count in told["top"]) == sorted(counts.values())
    assert told.get("nan", 0) == counts[(2,)]
    if kind.strip("?") in ("int32", "int64") and known:
        flat = [value for _, value in known]
        assert (told["min"], told["max"]) == (flat[0], flat[-1])
        assert told["mean"] == sum(flat) / len(flat)
        assert told["quantiles"] == {
            name: flat[max(math.ceil(float(name) * len(flat)), 1) - 1] for name in ("0.25", "0.5", "0.75")
        }


def test_values_that_json_has_not_are_told_as_text(tables):
    utc = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    columns = {"a": "float64", "b": "bytes", "c": "datetime", "d": "date", "e": "time", "f": "number"}
    row = (math.inf, b"\xff", utc, datetime.date(2020, 1, 1), datetime.time(1), 10**30)
    told = describe(tables, tables.table(columns, [[row], [], []]))["columns"]
    assert [told[name]["max"] for name in columns] == [
        "inf", "\\xff", "2020-01-01T00:00:00+00:00", "2020-01-01", "01:00:00", 10**30
    ]  # fmt: skip


def test_a_column_without_rows_has_neither_extremes_nor_quantiles(tables):
    told = describe(tables, tables.table({"c": "int64"}, [[], [], []]))["columns"]["c"]
    assert (told["rows"], told["distinct"], told["min"], told["mean"]) == (0, 0, None, None)
    assert (told["quantiles"], told["top"]) == ({"0.25": None, "0.5": None, "0.75": None}, [])


def test_of_values_that_cannot_be_told_apart_there_are_but_rows_and_nones(tables):
    source = tables.table({"j": "json", "c": "complex64?"}, [[([1], 1j), (None, None)], [], []])
    assert describe(tables, source)["columns"] == {
        "j": {"type": "json", "rows": 2, "none": 1},
        "c": {"type": "complex64", "rows": 2, "none": 1},
    }


# ---- chains and options


def test_as_many_datasets_of_a_chain_are_described_as_asked(tables):
    first = tables.table({"c": "int64", "d": "date"}, [[(1, datetime.date(2020, 1, 1))], [], []])
    second = tables.build("dataset_concat", source=tables.table({"c": "int64"}, [[(5,)], [(6,)], []]),
                          previous=first).dataset()  # fmt: skip
    assert describe(tables, second)["rows"] == 2
    told = describe(tables, second, length=-1)
    assert (told["rows"], told["datasets"], told["columns"]["c"]["mean"]) == (3, 2, 4.0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"columns": ["nosuch"]}, "has no column 'nosuch'"),
        ({"quantiles": [1.5]}, r"quantile 1.5 is not between"),
    ],
)
def test_what_cannot_be_described_is_refused(tables, options, reason):
    with pytest.raises(JobFailed, match=reason):
        describe(tables, tables.table({"c": "int64"}, [[], [], []]), **options)


def test_columns_of_other_types_in_the_chain_are_refused(tables):
    first = tables.table({"c": "ascii"}, [[], [], []])
    source = tables.build("dataset_concat", source=tables.table({"c": "int64"}, [[], [], []]),
                          previous=first).dataset()  # fmt: skip
    with pytest.raises(JobFailed, match=r"column 'c' is ascii in '.*' and int64 in"):
        describe(tables, source, length=-1)


# ---- near


def test_distinct_values_of_a_large_column_are_estimated_within_four_standard_errors(tables):
    rows = [[(n, n % 1000, f"{n}") for n in range(part, 200_000, 3)] for part in range(3)]
    told = describe(tables, tables.table({"a": "int64", "b": "int64", "t": "unicode"}, rows))["columns"]
    assert (told["b"]["distinct"], told["b"]["distinct_exact"]) == (1000, True)
    for name in "at":
        assert not told[name]["distinct_exact"]
        assert told[name]["distinct"] == pytest.approx(200_000, rel=4 / math.sqrt(sketches.HASHES_KEPT))


@given(st.lists(st.lists(st.integers(0, 30), max_size=40), max_size=6))
def test_counts_are_too_small_by_the_error_at_most_and_that_is_bounded(parts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "VALUES_COUNTED", 4)
        merged = Counts()
        for part in parts:
            one = Counts()
            if part:
                one.add(vector(part))
            merged.merge(one)
        found = merged.top(100)
    told = {} if found is None else dict(zip(found[0].values.tolist(), found[1], strict=True))
    wanted = Counter(value for part in parts for value in part)
    assert all(0 <= wanted[value] - told.get(value, 0) <= merged.error for value in wanted)
    assert merged.error <= sum(wanted.values()) / 5


@given(st.integers(1, 30_000), st.integers(0, 5), st.integers(1, 4))
def test_ranks_of_quantiles_are_within_their_bound(count, seed, parts):
    values = np.random.default_rng(seed).permutation(count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "BUFFER_VALUES", 64)
        merged = Quantiles()
        for piece in np.array_split(values, parts):
            one = Quantiles()
            one.add(piece)
            merged.merge(one)
        fractions = [0.0, 0.01, 0.25, 0.5, 0.9, 1.0]
        found = merged.find(fractions)
    bound = 0 if count < 64 else count * max(math.log2(count / 64), 1) / (2 * 64)
    for fraction, value in zip(fractions, found.tolist(), strict=True):
        assert abs(value + 1 - max(math.ceil(fraction * count), 1)) <= bound + 1


def test_sketches_of_the_same_values_in_other_parts_estimate_the_same_number_of_values():
    values = np.arange(100_000)
    whole, parts = Distinct("int64"), Distinct("int64")
    whole.add(vector(values))
    for part in np.array_split(values, 7):
        parts.add(vector(part))
    assert whole.estimate() == parts.estimate()
