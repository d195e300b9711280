"""dataset_join: rows with equal keys, against plain Python and duckdb."""

import datetime
import math
from collections import Counter
from itertools import chain

import duckdb
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.column.spread import slice_of
from jobs.errors import JobFailed, OptionError
from porcelain.methods.tables import joining
from tests.methods.tables import KEYS, VALUES, row_key, sliced_rows

SLICES = 3
NUMBERS = ("int32", "int64", "float32", "float64", "bool", "number")
PAIRS = sorted(
    [
        *((name, name) for name in VALUES),
        *((one, other) for one in NUMBERS for other in NUMBERS if one != other),
        ("ascii", "unicode"),
        ("unicode", "ascii"),
    ]
)


def join(tables, left, right, on, **options):
    return tables.build("dataset_join", left=left, right=right, on=on, **options).dataset()


def read(dataset, *columns):
    return list(dataset.iterate(None, columns))


def alike(rows, wanted):
    """Return whether two lists hold the same rows in any order; nan is equal to itself."""
    return Counter(map(row_key, rows)) == Counter(map(row_key, wanted))


# ---- plain Python


def joined(left, right, width, how):
    """Return what a join makes of rows whose first columns are the key."""
    found = []
    for one in left:
        matching = [other for other in right if keys_are_equal(one[:width], other[:width])]
        found += [(*one, *other[width:]) for other in matching]
        if not matching and how == "left":
            found.append((*one, None))
    return found


def keys_are_equal(one, other):
    return None not in (*one, *other) and row_key(one) == row_key(other)


@st.composite
def cases(draw):
    pairs = draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3))
    marks = st.sampled_from(["", "?"])
    left, right = ([f"{pair[side]}{draw(marks)}" for pair in pairs] for side in (0, 1))
    value = draw(st.sampled_from(KEYS))
    rows = [draw(sliced_rows([*types, value], SLICES, max_rows=12)) for types in (left, right)]
    hashed = [draw(st.booleans()) for _ in range(2)]
    return left, right, value, rows, hashed, draw(st.sampled_from(["inner", "left"]))


def check(tables, left, right, value, rows, hashed, how):
    width = len(left)
    names = [[f"{side}{number}" for number in range(width)] for side in "lr"]
    sources = [
        tables.table(
            dict(zip([*keys, "v"], [*types, value], strict=True)), part, keys[0] if is_hashed else None
        )
        for keys, types, part, is_hashed in zip(names, (left, right), rows, hashed, strict=True)
    ]
    dataset = join(tables, *sources, dict(zip(*names, strict=True)), how=how)
    flat = [[row for part in side for row in part] for side in rows]
    found = read(dataset, *names[0], "v", "v_right")
    assert alike(found, joined(*flat, width, how))
    assert dataset.hashlabel == "l0"
    for sliceno in range(SLICES):
        assert {slice_of(key, SLICES) for key in dataset.iterate(sliceno, "l0")} <= {sliceno}


@given(cases())
def test_joined_rows_are_those_of_plain_python(all_tables, case):
    check(all_tables, *case)


@given(cases())
def test_joined_rows_are_the_same_when_little_fits_into_memory(all_tables, case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joining, "ROWS_IN_MEMORY", 2)
        patch.setattr(joining, "_PIECE_ROWS", 3)
        check(all_tables, *case)


# ---- columns


def types(dataset):
    return {name: column.type + "?" * column.none_support for name, column in dataset.columns.items()}


@pytest.fixture
def people(tables):
    rows = [[("ann", 1, "x")], [("bob", 2, "y")], [("cid", None, "z")]]
    return tables.table({"name": "ascii", "town": "int32?", "note": "unicode"}, rows)


@pytest.fixture
def towns(tables):
    rows = [[(1, "Oslo", {"a": [1]})], [], [(1, "Lund", None)]]
    return tables.table({"town": "int64", "note": "unicode", "more": "json"}, rows)


def test_columns_of_right_come_without_keys_and_with_a_suffix_where_left_has_them(tables, people, towns):
    dataset = join(tables, people, towns, "town")
    assert types(dataset) == {
        "name": "ascii", "note": "unicode", "town": "int32?", "more": "json", "note_right": "unicode"
    }  # fmt: skip
    assert alike(
        [row[:4] for row in read(dataset, "name", "town", "note", "note_right")],
        [("ann", 1, "x", "Oslo"), ("ann", 1, "x", "Lund")],
    )
    assert "note of town" in join(tables, people, towns, ["town"], suffix=" of town").columns


def test_a_left_join_keeps_rows_of_left_with_none_beside_them(tables, people, towns):
    dataset = join(tables, people, towns, {"town": "town"}, how="left")
    assert types(dataset)["note_right"] == "unicode?"
    assert sorted(map(repr, read(dataset, "name", "note_right", "more"))) == [
        "('ann', 'Lund', None)",
        "('ann', 'Oslo', {'a': [1]})",
        "('bob', None, None)",
        "('cid', None, None)",
    ]


def test_caption_and_chain_are_what_they_are_given(tables, people, towns):
    first = join(tables, people, towns, "town")
    second = join(tables, people, towns, "town", how="left", previous=first, caption="people in towns")
    assert (second.previous, second.caption) == (first, "people in towns")


# ---- values


def test_values_of_all_types_come_out_as_they_went_in(tables):
    utc = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    row = (1, utc, datetime.time(1, fold=1), datetime.date(1, 1, 1), -0.0, 10**30, 1j, [None], {1, 2}, b"\n")
    columns = (
        "int64",
        "datetime",
        "time",
        "date",
        "float64",
        "number",
        "complex64",
        "json",
        "pickle",
        "bytes",
    )
    named = {f"c{number}": each for number, each in enumerate(columns)}
    left = tables.table(named, [[row], [], []])
    right = tables.table({name: "json" if kind == "json" else f"{kind}?" for name, kind in named.items()
                          if kind != "pickle"}, [[row[:8] + row[9:]], [], []])  # fmt: skip
    dataset = join(tables, left, right, "c0", how="left")
    (found,) = read(dataset, *named)
    (beside,) = read(dataset, *(f"{name}_right" for name in list(named)[1:] if name != "c8"))
    assert (found, beside) == (row, row[1:8] + row[9:])
    assert (found[1].tzinfo, found[2].fold, math.copysign(1, found[4])) == (datetime.UTC, 1, -1)
    assert (beside[0].tzinfo, beside[1].fold, math.copysign(1, beside[3])) == (datetime.UTC, 1, -1)


def test_integers_that_floats_round_together_stay_apart(tables):
    left = tables.table({"k": "int64"}, [[(2**53,), (2**53 + 1,)], [], []])
    right = tables.table({"k": "float64", "v": "ascii"}, [[(2.0**53, "x")], [], []])
    assert read(join(tables, left, right, "k"), "k", "v") == [(2**53, "x")]


@pytest.mark.parametrize("column_type", ["float32", "float64", "number"])
def test_nan_equals_nan_and_none_equals_nothing(tables, column_type):
    rows = [[(math.nan,), (None,)], [(1,)], []]
    left = tables.table({"k": f"{column_type}?"}, rows)
    right = tables.table({"k": "float64?", "v": "int32"}, [[(None, 1), (math.nan, 2)], [(math.nan, 3)], []])
    found = sorted((str(key), value) for key, value in read(join(tables, left, right, "k"), "k", "v"))
    assert found == [("nan", 2), ("nan", 3)]


# ---- order and size


def test_rows_come_in_the_order_of_left_and_for_each_in_that_of_right(tables):
    left = tables.table({"k": "int64", "v": "int64"}, [[(n % 2 * 3, n) for n in range(6)], [], []])
    right = tables.table({"k": "int64", "w": "int64"}, [[(0, n) for n in range(2)], [(3, 7), (0, 9)], []])
    (sliceno,) = {slice_of(0, SLICES)}
    found = [row for row in join(tables, left, right, "k").iterate(sliceno, ["k", "v", "w"]) if row[0] == 0]
    assert found == [(0, v, w) for v in (0, 2, 4) for w in (0, 1, 9)]


@pytest.mark.parametrize("rows", [65_535, 65_536, 65_537])
@pytest.mark.parametrize("hashlabel", [None, "k"])
def test_joins_go_across_the_borders_of_batches(tables, rows, hashlabel):
    left = tables.table({"k": "int64", "v": "int64"}, [[(n, n) for n in range(rows)], [], []], hashlabel)
    right = tables.table({"k": "int64", "w": "int64"}, [[(n, -n) for n in range(rows)], [], []], hashlabel)
    dataset = join(tables, left, right, "k")
    assert sorted(read(dataset, "k", "v", "w")) == [(n, n, -n) for n in range(rows)]


def test_one_row_may_have_more_partners_than_a_batch_has_rows(tables):
    left = tables.table({"k": "ascii"}, [[("a",), ("a",)], [("b",)], []])
    right = tables.table({"k": "ascii", "w": "int32"}, [[("a", n) for n in range(70_000)], [], []])
    assert sorted(read(join(tables, left, right, "k"), "w")) == sorted([(n,) for n in range(70_000)] * 2)


@pytest.mark.parametrize("how", ["inner", "left"])
def test_without_rows_of_right_only_a_left_join_has_rows(tables, how):
    left = tables.table({"k": "unicode?", "v": "int64"}, [[("a", 1), (None, 2)], [], []])
    right = tables.table({"k": "unicode", "w": "date"}, [[], [], []])
    wanted = [("a", 1, None), (None, 2, None)] if how == "left" else []
    assert alike(read(join(tables, left, right, "k", how=how), "k", "v", "w"), wanted)
    assert read(join(tables, right, left, "k", how=how), "k", "v", "w") == []


@pytest.mark.parametrize("how", ["inner", "left"])
@pytest.mark.parametrize("rows_in_memory", [1 << 18, 1000])
def test_joins_of_many_rows_are_those_of_duckdb(tables, monkeypatch, how, rows_in_memory):
    monkeypatch.setattr(joining, "ROWS_IN_MEMORY", rows_in_memory)
    left = [[(n * 7919 % 20_011, f"{n % 5}", n) for n in range(part, 60_000, 3)] for part in range(3)]
    right = [[(n * 104_729 % 30_011, f"{n % 7}", n / 8) for n in range(part, 30_000, 3)] for part in range(3)]
    sources = [
        tables.table({"k": "int64", "t": "ascii", value: kind}, rows)
        for rows, value, kind in ((left, "v", "int64"), (right, "w", "float64"))
    ]
    found = read(join(tables, *sources, ["k", "t"], how=how), "k", "t", "v", "w")
    one, other = (
        duckdb.from_arrow(pyarrow.table(dict(zip("ktv", zip(*chain(*rows), strict=True), strict=True))))
        for rows in (left, right)
    )
    wanted = (
        one.set_alias("l")
        .join(other.set_alias("r"), "l.k = r.k and l.t = r.t", how=how)
        .project("l.k, l.t, l.v, r.v")
        .fetchall()
    )
    assert Counter(found) == Counter(wanted)


# ---- what is refused


@pytest.mark.parametrize(
    ("on", "options", "reason"),
    [
        (None, {}, "no keys are given"),
        ([], {}, "no keys are given"),
        (["nosuch"], {}, "has no column 'nosuch'"),
        ({"name": "nosuch"}, {}, "has no column 'nosuch'"),
        (
            {"name": "town"},
            {},
            "column 'name' of '.*' is ascii and column 'town' of '.*' is int64: .* never equal",
        ),
        ({"name": "more"}, {}, "column 'more' of '.*' is json, which is no key"),
        (["town"], {"suffix": ""}, "column 'note' of '.*' would be a second 'note'"),
    ],
)
def test_what_cannot_be_joined_is_refused(tables, people, towns, on, options, reason):
    with pytest.raises(JobFailed, match=reason):
        join(tables, people, towns, on, **options)


def test_two_datasets_must_be_given_and_a_way_that_there_is(tables, people, towns):
    with pytest.raises(JobFailed, match="no dataset is given as 'right'"):
        tables.build("dataset_join", left=people, on="town")
    with pytest.raises(OptionError, match="how"):
        join(tables, people, towns, "town", how="outer")
